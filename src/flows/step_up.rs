//! Changes that take something from a user, and the proof a client's policy wants for them.

use super::asked::Asked;
use super::change::{Decision, Facts, Proof, change};
use super::evidence::Evidence;
use super::judge::{Judged, judge};
use crate::domain::account::Account;
use crate::error::Error;

/// Whether a client's policy has a say in a change.
pub(super) enum Policy {
    Applies,
    /// The change needs no proof, whatever the policy.
    Waived,
}

/// For a change that is always possible, and never free of the policy.
#[expect(clippy::unnecessary_wraps, reason = "for other changes it can fail")]
pub(super) fn applies(_: &Account, _: &Facts<'_>) -> Result<Policy, Error> {
    Ok(Policy::Applies)
}

/// A change that takes something from a user: with the client's policy on it needs a fresh code, and a
/// code that was sent is verified whatever the policy (decision 7). Proof and change are stored together,
/// so that a code proves one change.
///
/// `check` says whether the change is possible at all, before any code is looked at, and whether the policy
/// applies to it.
pub(super) async fn change_with_proof<T: Send>(
    asked: &Asked,
    proof: Option<&Evidence>,
    check: impl Fn(&Account, &Facts<'_>) -> Result<Policy, Error> + Send + Sync,
    act: impl Fn(Account, &Facts<'_>) -> Result<Decision<T>, Error> + Send + Sync,
) -> Result<T, Error> {
    let known = |account: Option<Account>, _: &Facts<'_>| account.ok_or(Error::UserNotFound);
    change_of_anybody(asked, proof, known, check, act).await
}

/// The same for a user who may be unknown: `known` says what is changed then.
pub(super) async fn change_of_anybody<T: Send>(
    asked: &Asked,
    proof: Option<&Evidence>,
    known: impl Fn(Option<Account>, &Facts<'_>) -> Result<Account, Error> + Send + Sync,
    check: impl Fn(&Account, &Facts<'_>) -> Result<Policy, Error> + Send + Sync,
    act: impl Fn(Account, &Facts<'_>) -> Result<Decision<T>, Error> + Send + Sync,
) -> Result<T, Error> {
    let proof = proof.map(Proof::of_a_change);
    let changed = change(asked, proof, |account, facts| {
        let mut account = known(account, facts)?;
        let policy = check(&account, facts)?;
        let Some(proof) = step_up(&mut account, facts, &policy)? else {
            return Ok(act(account, facts)?.map(Ok));
        };
        let Decision { effects, outcome } = proof.into_decision(account.clone());
        if let Err(error) = outcome {
            let outcome = Err(error);
            return Ok(Decision { effects, outcome });
        }
        let mut decision = act(account, facts)?;
        decision.effects.events.splice(0..0, effects.events);
        decision.effects.after.extend(effects.after);
        Ok(decision.map(Ok))
    });
    changed.await?
}

/// Judges the proof, if the policy asks for one or one was sent.
fn step_up(
    account: &mut Account,
    facts: &Facts<'_>,
    policy: &Policy,
) -> Result<Option<Judged>, Error> {
    if facts.guess.is_some() || facts.answered.is_some() {
        return judge(account, facts).map(Some);
    }
    let required = facts.client.settings.require_step_up && account.mfa_enabled();
    match policy {
        Policy::Applies if required => Err(Error::StepUpRequired),
        Policy::Applies | Policy::Waived => Ok(None),
    }
}
