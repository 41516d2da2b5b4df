//! `/session/…`: what the hosted page asks. Not part of the public contract, and in no document: page and
//! service are of one version, and web/PROTOCOL.md says what they say to each other.

mod answer;
mod bodies;
mod visitor;

pub(super) use self::visitor::{CANDADO_SESSION, IDEMPOTENCY_KEY, SEC_FETCH_SITE};

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::Uri;
use serde::Deserialize;

use self::answer::{Answer, PageError};
use self::bodies::{Nothing, Open, Send, SetLocale, Verify};
use self::visitor::{Press, Visitor};
use crate::api::extract::from_query;
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
    let presented = press.body.presented();
    let done = session::verify(&press.visit, &presented).await?;
    Ok(Answer::done(&done).into_response())
}

async fn finish(press: Press<Nothing>) -> Answered {
    let leaving = session::finish(&press.visit).await?;
    Ok(Answer::leaving(&leaving).into_response())
}

async fn cancel(press: Press<Nothing>) -> Answered {
    let leaving = session::cancel(&press.visit).await?;
    Ok(Answer::leaving(&leaving).into_response())
}
