//! `POST /session/send`: a code by SMS or e-mail, by the rules of every other one.

use super::act::{Act, Told, act, refusal_with_state};
use super::{Done, Place, Refused, Visit};
use crate::domain::method::{Channel, Purpose};
use crate::domain::session::Stage;
use crate::error::Error;
use crate::flows::change::{Decision, Effects, Write, change};
use crate::flows::send::{self, Reserved, Wanted};

/// Sends a code. The page does so by itself at most once a session.
pub async fn send_code(visit: &Visit, channel: Channel) -> Result<Done, Refused> {
    let what = Act {
        stages: &[Stage::Verify, Stage::Manage],
        proof: None,
        press: |session| session.auto_send = false,
    };
    send_in(visit, what, channel, Purpose::Verify).await
}

/// Reserves and delivers, as `flows::send` does. What could not be delivered is taken back, and so is the answer
/// that said it was.
pub(super) async fn send_in(
    visit: &Visit,
    what: Act<'_>,
    channel: Channel,
    purpose: Purpose,
) -> Result<Done, Refused> {
    let (reserved, done, place) = act(visit, what, |account, place, facts| {
        let session = account.session(&place.id);
        let locale = session.and_then(|session| session.locale);
        let wanted = Wanted {
            channel,
            purpose,
            locale: locale.or(place.request.locale),
            on_the_page: true,
        };
        let decision = send::reserve_on(account, facts, wanted)?;
        Ok(decision.map(|reserved| Ok(Told::plainly(reserved))))
    })
    .await
    .inspect_err(|refused| send::note(&visit.call, channel, Some(&refused.error)))?;
    hand_over(visit, &place, reserved, done).await
}

/// Hands a reserved message over; nothing is reserved where the request was answered before.
pub(super) async fn hand_over(
    visit: &Visit,
    place: &Place,
    reserved: Option<Reserved>,
    done: Done,
) -> Result<Done, Refused> {
    let Some(reserved) = reserved else {
        return Ok(done);
    };
    match send::hand_over(&place.asked, &reserved).await {
        Ok(()) => Ok(done),
        Err(error) => {
            if let Err(error) = forget(visit, place).await {
                log::warn!("a session's answer was not taken back: {error}");
            }
            Err(refusal_with_state(visit, place, error).await)
        }
    }
}

/// The request was not carried out after all: it may come again under its name.
async fn forget(visit: &Visit, place: &Place) -> Result<(), Error> {
    let Some(once) = &visit.once else {
        return Ok(());
    };
    change(&place.asked, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        if let Some(session) = account.session_mut(&place.id) {
            session.forget_answer(once);
        }
        let effects = Effects {
            write: Write::Store(Box::new(account)),
            ..Effects::default()
        };
        Ok(Decision {
            effects,
            outcome: (),
        })
    })
    .await
}
