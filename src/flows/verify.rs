//! Is this code good, or this passkey's signature?

use super::asked::Asked;
use super::change::{Proof, change};
use super::evidence::Evidence;
use super::judge::{Verified, judge};
use crate::domain::account::Remembered;
use crate::domain::browser::BrowserName;
use crate::domain::event::{Event, Kind};
use crate::domain::method::Method;
use crate::error::Error;

/// A login that is confirmed.
pub struct LoggedIn {
    pub verified: Verified,
    /// For the browser to keep, where it is to be remembered.
    pub trusted_device: Option<Remembered>,
}

/// Verifies a code by any of the methods the client may use, or by `only` that one; or a passkey. With `remember` the
/// browser is remembered, if the client's setting and the method allow it.
pub async fn verify(
    asked: &Asked,
    evidence: &Evidence,
    only: Option<Method>,
    remember: bool,
) -> Result<LoggedIn, Error> {
    let proof = match evidence {
        Evidence::Code(code) => Proof::of_a_login(code, only),
        Evidence::Passkey(answer) => Proof::Passkey(answer),
    };
    let judged = change(asked, Some(proof), |account, facts| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        let settings = &facts.client.settings;
        if let Some(method) = only.filter(|method| !settings.allows(*method)) {
            return Err(Error::MethodNotUsed(method));
        }
        let judged = judge(&mut account, facts)?;
        let trusted_device = match &judged.result {
            Ok(verified) if remember => {
                let (days, now) = (settings.remember_days.get(), asked.now());
                // The application asks; nobody here has seen the browser.
                let proved = (verified.method, BrowserName::default());
                account.remember_browser(&asked.owner, proved, days, now)?
            }
            _ => None,
        };
        let mut decision = judged.into_decision(account);
        if trusted_device.is_some() {
            let event = Event::new(Kind::BrowserRemembered);
            decision.effects.events.push(event);
        }
        Ok(decision.map(|judged| {
            judged.map(|verified| LoggedIn {
                verified,
                trusted_device,
            })
        }))
    });
    judged.await?
}
