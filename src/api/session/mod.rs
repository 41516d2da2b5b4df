//! `/session/…`: what the hosted page asks. Not part of the public contract, and in no document: page and
//! service are of one version, and web/PROTOCOL.md says what they say to each other.

mod answer;
mod bodies;
mod visitor;

pub(super) use self::visitor::{CANDADO_SESSION, SEC_FETCH_SITE};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post};
use http::Uri;
use serde::Deserialize;

use self::answer::{Answer, PageError};
use self::bodies::{
    AddPasskey, BeginFactor, Confirm, FactorToBegin, Lost, Nothing, Open, Recover, RecoverVerify,
    Rename, Send, SetContact, SetLocale, Verify, typed,
};
use self::visitor::{Press, Visitor};
use crate::api::extract::{PathText, from_query};
use crate::api::json::Json;
use crate::error::Error;
use crate::flows::session;

/// Every route of the page.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/session/open", post(open))
        .route("/session/state", get(state))
        .route("/session/keep-open", post(keep_open))
        .route("/session/locale", post(locale))
        .route("/session/send", post(send))
        .route("/session/verify", post(verify))
        .route("/session/passkeys", post(add_passkey))
        .route("/session/passkeys/options", post(passkey_options))
        .route("/session/passkeys/challenge", post(passkey_challenge))
        .route("/session/factors", post(begin_factor))
        .route("/session/factors/totp/confirm", post(confirm_app))
        .route("/session/factors/{id}", patch(rename).delete(remove))
        .route("/session/contact", post(set_contact))
        .route("/session/contact/send", post(send_contact))
        .route("/session/contact/confirm", post(confirm_contact))
        .route("/session/pending", delete(drop_pending))
        .route("/session/recovery-codes", post(new_codes))
        .route("/session/recovery-codes/done", post(codes_kept))
        .route("/session/trusted-devices", delete(forget_all))
        .route("/session/trusted-devices/{id}", delete(forget_one))
        .route("/session/disable", post(turn_off))
        .route("/session/link", post(look_at_link))
        .route("/session/link/continue", post(follow_link))
        .route("/session/link/stop", post(stop_link))
        .route("/session/recover", post(send_recovery))
        .route("/session/recover/verify", post(recover))
        .route("/session/lost", post(lose))
        .route("/session/finish", post(finish))
        .route("/session/cancel", post(cancel))
}

type Answered = Result<Response, PageError>;

async fn open(visitor: Visitor<Open>) -> Answered {
    let Visitor { visit, body } = visitor;
    let body = body?;
    let (view, cookie) = session::open(&visit, &body.secret).await?;
    let answer = Answer::of(&view);
    Ok(match (cookie, &visit.session) {
        (Some(value), Some(id)) => answer.keeping(id, value.reveal()),
        _ => answer,
    }
    .into_response())
}

/// How a page waits for news.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    since: Option<String>,
    wait: Option<String>,
}

/// Seconds an answer is held back at most.
const LONGEST_WAIT: u64 = 20;

async fn state(uri: Uri, visitor: Visitor<Nothing>) -> Answered {
    let visit = visitor.visit;
    match waited_for(&uri) {
        Ok((since, seconds)) => {
            let view = session::state(&visit, since.as_deref(), seconds).await?;
            Ok(Answer::of(&view).into_response())
        }
        Err(error) => Err(session::refuse(&visit, error).await.into()),
    }
}

fn waited_for(uri: &Uri) -> Result<(Option<String>, u64), Error> {
    let Wait { since, wait } = from_query(uri)?;
    let seconds = wait.as_deref().unwrap_or("0").parse::<u64>().ok();
    let seconds = seconds.filter(|seconds| *seconds <= LONGEST_WAIT);
    let expected = || Error::invalid("wait", "Expected seconds from 0 to 20");
    Ok((since, seconds.ok_or_else(expected)?))
}

async fn keep_open(press: Press<Nothing>) -> Answered {
    let done = session::keep_open(&press.visit).await?;
    Ok(Answer::done(&done).into_response())
}

async fn locale(press: Press<SetLocale>) -> Answered {
    let done = session::set_locale(&press.visit, press.body.locale).await?;
    Ok(Answer::done(&done).into_response())
}

async fn send(press: Press<Send>) -> Answered {
    let done = session::send_code(&press.visit, press.body.method.into()).await?;
    Ok(Answer::done(&done).into_response())
}

async fn verify(press: Press<Verify>) -> Answered {
    let Press { visit, body } = press;
    match body.presented() {
        Ok(presented) => {
            let done = session::verify(&visit, &presented).await?;
            Ok(Answer::done(&done).into_response())
        }
        Err(error) => Err(session::refuse(&visit, error).await.into()),
    }
}

async fn finish(press: Press<Nothing>) -> Answered {
    let leaving = session::finish(&press.visit).await?;
    Ok(Answer::leaving(&leaving).into_response())
}

async fn cancel(press: Press<Nothing>) -> Answered {
    let leaving = session::cancel(&press.visit).await?;
    Ok(Answer::leaving(&leaving).into_response())
}

async fn begin_factor(press: Press<BeginFactor>) -> Answered {
    let FactorToBegin::Totp = press.body.r#type;
    let done = session::begin_app(&press.visit, press.body.fresh).await?;
    Ok(Answer::done(&done).into_response())
}

async fn confirm_app(press: Press<Confirm>) -> Answered {
    let done = session::confirm_app(&press.visit, &typed(&press.body.code)).await?;
    Ok(Answer::done(&done).into_response())
}

async fn rename(PathText(id): PathText, press: Press<Rename>) -> Answered {
    let visit = &press.visit;
    let done = match session::name_of(&press.body.name) {
        Ok(name) => session::rename(visit, &id, &name).await?,
        Err(error) => return Err(session::refuse(visit, error).await.into()),
    };
    Ok(Answer::done(&done).into_response())
}

async fn remove(PathText(id): PathText, press: Press<Nothing>) -> Answered {
    let done = session::remove(&press.visit, &id).await?;
    Ok(Answer::done(&done).into_response())
}

async fn set_contact(press: Press<SetContact>) -> Answered {
    let visit = &press.visit;
    let done = match press.body.typed() {
        Ok(typed) => session::set_contact(visit, &typed).await?,
        Err(error) => return Err(session::refuse(visit, error).await.into()),
    };
    Ok(Answer::done(&done).into_response())
}

async fn send_contact(press: Press<Nothing>) -> Answered {
    let done = session::send_again(&press.visit).await?;
    Ok(Answer::done(&done).into_response())
}

async fn confirm_contact(press: Press<Confirm>) -> Answered {
    let done = session::confirm_contact(&press.visit, &typed(&press.body.code)).await?;
    Ok(Answer::done(&done).into_response())
}

async fn drop_pending(press: Press<Nothing>) -> Answered {
    let done = session::drop_pending(&press.visit).await?;
    Ok(Answer::done(&done).into_response())
}

async fn new_codes(press: Press<Nothing>) -> Answered {
    let done = session::new_codes(&press.visit).await?;
    Ok(Answer::done(&done).into_response())
}

async fn codes_kept(press: Press<Nothing>) -> Answered {
    let done = session::codes_kept(&press.visit).await?;
    Ok(Answer::done(&done).into_response())
}

async fn turn_off(press: Press<Nothing>) -> Answered {
    let done = session::turn_off(&press.visit).await?;
    Ok(Answer::done(&done).into_response())
}

async fn send_recovery(press: Press<Recover>) -> Answered {
    let visit = &press.visit;
    let done = match press.body.method.channel() {
        Some(channel) => session::send_recovery(visit, channel).await?,
        None => session::send_link_in_session(visit).await?,
    };
    Ok(Answer::done(&done).into_response())
}

async fn recover(press: Press<RecoverVerify>) -> Answered {
    let (method, code) = press.body.presented();
    let done = session::recover(&press.visit, method, &code).await?;
    Ok(Answer::done(&done).into_response())
}

async fn lose(press: Press<Lost>) -> Answered {
    let done = session::lose(&press.visit, &press.body.factor_ids).await?;
    Ok(Answer::done(&done).into_response())
}

async fn look_at_link(visitor: Visitor<Open>) -> Answered {
    let Visitor { visit, body } = visitor;
    let view = session::look_at_link(&visit, &body?.secret).await?;
    Ok(Json(view).into_response())
}

async fn stop_link(visitor: Visitor<Open>) -> Answered {
    let Visitor { visit, body } = visitor;
    let view = session::stop_link(&visit, &body?.secret).await?;
    Ok(Json(view).into_response())
}

async fn follow_link(visitor: Visitor<Open>) -> Answered {
    let Visitor { visit, body } = visitor;
    let followed = session::follow_link(&visit, &body?.secret).await?;
    let answer = Answer::of(&followed.view).keeping(&followed.id, followed.cookie.reveal());
    Ok(answer.into_response())
}

async fn passkey_challenge(press: Press<Nothing>) -> Answered {
    let opened = session::passkey_challenge(&press.visit).await?;
    Ok(Answer::opened(&opened).into_response())
}

async fn passkey_options(press: Press<Nothing>) -> Answered {
    let opened = session::passkey_options(&press.visit).await?;
    Ok(Answer::opened(&opened).into_response())
}

async fn add_passkey(press: Press<AddPasskey>) -> Answered {
    let Press { visit, body } = press;
    let name = session::name_of(&body.name);
    let made = body.credential.answering(body.challenge_id);
    match name.and_then(|name| Ok((name, made?))) {
        Ok((name, made)) => {
            let done = session::add_passkey(&visit, &made, &name).await?;
            Ok(Answer::done(&done).into_response())
        }
        Err(error) => Err(session::refuse(&visit, error).await.into()),
    }
}

async fn forget_all(press: Press<Nothing>) -> Answered {
    let done = session::forget_browsers(&press.visit, None).await?;
    Ok(Answer::done(&done).into_response())
}

async fn forget_one(PathText(id): PathText, press: Press<Nothing>) -> Answered {
    let done = session::forget_browsers(&press.visit, Some(&id)).await?;
    Ok(Answer::done(&done).into_response())
}
