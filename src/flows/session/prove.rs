//! `POST /session/verify`: the proof of the person.

use super::act::{Act, Told, act};
use super::{Done, Refused, Visit, ways};
use crate::domain::account::SessionProof;
use crate::domain::method::Method;
use crate::domain::session::Stage;
use crate::error::Error;
use crate::flows::change::Proof;
use crate::flows::evidence::Evidence;
use crate::flows::judge::judge;

/// What proves the person: a code as what it was typed, or a passkey's answer.
pub struct Presented {
    pub method: Method,
    pub evidence: Evidence,
    /// Whether the browser is to be remembered.
    pub remember: bool,
}

/// Verifies a code of the method the person chose. The session moves on with the proof, or not at all.
pub async fn verify(visit: &Visit, presented: &Presented) -> Result<Done, Refused> {
    let method = presented.method;
    let what = Act {
        stages: &[Stage::Verify, Stage::Manage],
        proof: Some(match &presented.evidence {
            Evidence::Code(code) => Proof::on_the_page(code, method),
            Evidence::Passkey(answer) => Proof::Passkey(answer),
        }),
        press: |_| {},
    };
    let (proved, mut done, place) = act(visit, what, |mut account, place, facts| {
        if !facts.client.settings.allows(method) {
            return Err(Error::MethodNotUsed(method));
        }
        let judged = judge(&mut account, facts)?;
        if let Ok(verified) = &judged.result
            && let Some(session) = account.session_mut(&place.id)
        {
            session.prove(SessionProof {
                at: facts.asked.now(),
                by: verified.method,
                browser: visit.browser,
                remember: presented.remember && place.request.remember,
                user_verified: verified.user_verified == Some(true),
            });
        }
        let decision = judged.into_decision(account);
        Ok(decision.map(|result| result.map(Told::plainly)))
    })
    .await?;
    if let Some(verified) = proved {
        let cookie = ways::after(visit.ways.as_deref(), &place.asked, verified.method);
        done.ways = Some(cookie);
    }
    Ok(done)
}
