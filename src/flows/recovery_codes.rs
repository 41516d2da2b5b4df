//! A new set of recovery codes for a user to keep.

use super::asked::Asked;
use super::change::{Decision, Facts};
use super::evidence::Evidence;
use super::step_up::{Policy, change_with_proof};
use crate::domain::account::Account;
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::event::{Event, Kind};
use crate::domain::method::Method;
use crate::error::Error;

/// Draws ten codes and kills the former set. This answer is the only one that shows them (REC-04).
pub async fn replace_recovery_codes(
    asked: &Asked,
    proof: Option<&Evidence>,
) -> Result<Vec<RecoveryCode>, Error> {
    let check = |account: &Account, facts: &Facts<'_>| {
        if !facts.client.settings.allows(Method::RecoveryCode) {
            return Err(Error::MethodNotUsed(Method::RecoveryCode));
        }
        if !account.mfa_enabled() {
            return Err(Error::MfaNotEnabled);
        }
        // The code that turned MFA on a moment ago was proof enough for the first set.
        Ok(if account.just_enrolled(asked.now()) {
            Policy::Waived
        } else {
            Policy::Applies
        })
    };
    let act = |mut account: Account, _: &Facts<'_>| {
        let codes = account.replace_recovery_codes(&asked.owner, asked.now())?;
        let event = Event::new(Kind::RecoveryCodesReplaced);
        Ok(Decision::store(account, event, codes))
    };
    change_with_proof(asked, proof, check, act).await
}
