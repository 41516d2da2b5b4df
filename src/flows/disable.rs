//! Turning MFA off, and deleting a user.

use super::asked::Asked;
use super::change::{Decision, Facts};
use super::evidence::Evidence;
use super::step_up::{applies, change_with_proof};
use crate::domain::account::Account;
use crate::domain::event::{Event, Kind};
use crate::error::Error;
use crate::storage::accounts::PasskeyNote;

/// Turns MFA off for a known user, who may be off already: factors, codes under way and recovery
/// codes are gone, and the links to pending QR codes with them.
pub async fn disable(asked: &Asked, proof: Option<&Evidence>) -> Result<(), Error> {
    let act = |mut account: Account, _: &Facts<'_>| {
        account.disable(asked.now());
        let decision = Decision::store(account, Event::new(Kind::Disabled), ());
        Ok(decision.noting(PasskeyNote::AllRemoved))
    };
    change_with_proof(asked, proof, applies, act).await
}

/// Deletes the user. Deleting is a way around MFA as much as disabling, so it asks for the same proof.
pub async fn delete_user(asked: &Asked, proof: Option<&Evidence>) -> Result<(), Error> {
    let act = |_: Account, _: &Facts<'_>| Ok(Decision::delete(Event::new(Kind::Deleted), ()));
    change_with_proof(asked, proof, applies, act).await
}
