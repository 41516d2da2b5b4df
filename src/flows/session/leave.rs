//! Leaving the page: back to the application, with a code for the result or with none.

use super::act::{Act, Told, act};
use super::open::stored;
use super::{Refused, Visit};
use crate::domain::session::{Held, SessionPurpose, SessionSecret, Stage, result_code};
use crate::error::Error;

/// Where the browser goes.
pub struct Leaving {
    pub redirect: String,
    pub replayed: bool,
}

/// Makes a code with which the application fetches the result; the one before is void.
pub async fn finish(visit: &Visit) -> Result<Leaving, Refused> {
    let secret = SessionSecret::draw().map_err(Error::from)?;
    // Each call makes a new code, so that nothing is told twice.
    let anew = Visit {
        once: None,
        ..visit.clone()
    };
    let (_, _, place) = act(&anew, Act::IN_EVERY_STAGE, |mut account, place, facts| {
        let session = account
            .session_mut(&place.id)
            .ok_or(Error::SessionNotFound)?;
        let added = session.purpose == SessionPurpose::Enrol && !session.added.is_empty();
        let ready = matches!(session.stage, Stage::Done | Stage::Manage);
        let set_up = session.stage == Stage::Enrol && added;
        if !ready && !set_up {
            return Err(Error::NotNow);
        }
        session.finish(secret.digest(Held::Result, &place.id), facts.asked.now());
        Ok(stored(account))
    })
    .await?;
    let code = result_code(&place.id, &secret);
    Ok(Leaving {
        redirect: place.request.way_back("code", &code),
        replayed: false,
    })
}

/// Ends the session; the application is told that its user did not want it.
pub async fn cancel(visit: &Visit) -> Result<Leaving, Refused> {
    let (_, done, place) = act(visit, Act::IN_EVERY_STAGE, |mut account, place, _| {
        let session = account
            .session_mut(&place.id)
            .ok_or(Error::SessionNotFound)?;
        session.ended = true;
        session.hide();
        let decision = stored(account);
        Ok(decision.map(|outcome| outcome.map(|_| Told::plainly(()))))
    })
    .await?;
    Ok(Leaving {
        redirect: place.request.way_back("error", "access_denied"),
        replayed: done.replayed,
    })
}
