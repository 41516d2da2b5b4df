//! A person who has lost every way: a message or a recovery code proves the right to set up a new one, and nothing
//! else.

use super::act::{Act, Told, act};
use super::send::send_in;
use super::{Done, Refused, Visit};
use crate::domain::account::SessionProof;
use crate::domain::browser::BrowserName;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::method::{Channel, Method, Purpose};
use crate::domain::session::Stage;
use crate::error::Error;
use crate::flows::change::Proof;
use crate::flows::judge::judge;

const LOST_EVERYTHING: &[Stage] = &[Stage::Verify, Stage::Recover];

/// Sends a code of eight digits.
pub async fn send_recovery(visit: &Visit, channel: Channel) -> Result<Done, Refused> {
    let what = Act {
        stages: LOST_EVERYTHING,
        ..Act::IN_EVERY_STAGE
    };
    send_in(visit, what, channel, Purpose::Recovery).await
}

/// Judges a recovery code or the code of a recovery message. Then a new way has to be set up.
pub async fn recover(visit: &Visit, method: Method, code: &GuessedCode) -> Result<Done, Refused> {
    let what = Act {
        stages: LOST_EVERYTHING,
        proof: Some(Proof::on_the_page(code, method)),
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, place, facts| {
        if !facts.client.settings.allows(method) {
            return Err(Error::MethodNotUsed(method));
        }
        if !account.mfa_enabled() {
            return Err(Error::MfaNotEnabled);
        }
        let judged = judge(&mut account, facts)?;
        if let Ok(verified) = &judged.result
            && let Some(session) = account.session_mut(&place.id)
        {
            session.recover(SessionProof {
                at: facts.asked.now(),
                by: verified.method,
                browser: BrowserName::default(),
                remember: false,
                user_verified: false,
            });
        }
        let decision = judged.into_decision(account);
        Ok(decision.map(|result| result.map(|_| Told::plainly(()))))
    })
    .await?;
    Ok(acted.1)
}
