//! Turning MFA off, and deleting a user.

use super::Caller;
use super::attempt::{always, change_with_proof, never};
use super::change::Present;
use super::decision::Decision;
use crate::call::Call;
use crate::domain::account::Account;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::UserId;
use crate::error::Error;
use crate::storage::audit_log::{Event, Kind};

/// Turns MFA off for a known user, who may be off already: factors, codes under way and recovery
/// codes are gone, and the links to pending QR codes with them.
pub async fn disable(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    code: Option<&GuessedCode>,
) -> Result<(), Error> {
    let act = |mut account: Account, _: &Present<'_>| {
        account.disable(call.now);
        Ok(Decision::store(account, Event::new(Kind::Disabled), ()))
    };
    change_with_proof(call, caller, user, code, always, never, act).await
}

/// Deletes the user. Deleting is a way around MFA as much as disabling, so it asks for the same proof.
pub async fn delete(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    code: Option<&GuessedCode>,
) -> Result<(), Error> {
    let act = |_: Account, _: &Present<'_>| Ok(Decision::delete(Event::new(Kind::Deleted), ()));
    change_with_proof(call, caller, user, code, always, never, act).await
}
