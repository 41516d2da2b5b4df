//! A new set of recovery codes for a user to keep.

use super::Caller;
use super::attempt::change_with_proof;
use super::change::Present;
use super::decision::Decision;
use crate::call::Call;
use crate::domain::account::Account;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::ids::UserId;
use crate::domain::method::Method;
use crate::error::Error;
use crate::storage::audit_log::{Event, Kind};

/// Draws ten codes and kills the former set. This answer is the only one that shows them (REC-04).
pub async fn replace(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    code: Option<&GuessedCode>,
) -> Result<Vec<RecoveryCode>, Error> {
    let check = |account: &Account, present: &Present<'_>| {
        if !present.client.settings.allows(Method::RecoveryCode) {
            return Err(Error::MethodNotUsed(Method::RecoveryCode));
        }
        if account.mfa_enabled() {
            Ok(())
        } else {
            Err(Error::MfaNotEnabled)
        }
    };
    let act = |mut account: Account, present: &Present<'_>| {
        let codes = account.replace_recovery_codes(present.owner, call.now)?;
        Ok(Decision::store(
            account,
            Event::new(Kind::RecoveryCodesReplaced),
            codes,
        ))
    };
    // The code that turned MFA on a moment ago was proof enough for the first set.
    let free = |account: &Account| account.just_enrolled(call.now);
    change_with_proof(call, caller, user, code, check, free, act).await
}
