//! A guess within a change: what the account says of it, as outcome, events and tidying.

use serde_json::json;

use super::Caller;
use super::change::{Present, change};
use super::decision::{After, Decision, Effects, Write};
use super::proof::Proof;
use crate::call::Call;
use crate::domain::account::{Account, Attempt, Consequence, Failure, Refusal, Verdict};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::UserId;
use crate::domain::method::{Class, Method};
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::storage::audit_log::{Event, Kind};

/// What a verified guess proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    pub method: Method,
}

/// A judged guess. `result` is not to be told before the account is stored.
pub(super) struct Judged {
    pub result: Result<Verified, Error>,
    /// What of the account changes by it, and what is recorded; its `write` is for the caller to fill in.
    effects: Effects,
    changed: bool,
}

/// Judges the code that came with the request against the account, which becomes its next value.
pub(super) fn judge(account: &mut Account, present: &Present<'_>) -> Result<Judged, Error> {
    let now = present.call.now;
    let guess = present
        .guess
        .ok_or_else(|| Error::internal("a judgement without a guess"))?;
    let attempt = Attempt {
        keys: present.call.app.keys(),
        owner: present.owner,
        guess: guess.code,
        accept: guess.accept,
        digests: guess.digests,
        now,
    };
    let verdict = account
        .attempt(&attempt)
        .map_err(|refusal| refused(refusal, now))?;
    Ok(match verdict {
        Verdict::Verified {
            method,
            confirmed,
            spent,
        } => Judged {
            result: Ok(Verified { method }),
            effects: Effects {
                events: vec![success_event(method, confirmed)],
                after: spent.map(After::ForgetCode).into_iter().collect(),
                ..Effects::default()
            },
            changed: true,
        },
        Verdict::Wrong(failures) => wrong(&failures, account, now),
        Verdict::AlreadyUsed { next_code_at } => Judged {
            result: Err(Error::CodeAlreadyUsed {
                retry_after: next_code_at.map(|at| at.seconds_from(now).max(1)),
            }),
            effects: Effects {
                events: vec![Event::new(Kind::Replayed)],
                ..Effects::default()
            },
            changed: false,
        },
        Verdict::NotACode { tries_left } => Judged {
            result: Err(Error::InvalidCode {
                attempts_remaining: tries_left,
                retry_after: None,
            }),
            effects: Effects::default(),
            changed: false,
        },
    })
}

fn refused(refusal: Refusal, now: UnixTime) -> Error {
    match refusal {
        Refusal::Locked { until } => Error::Locked {
            retry_after: until.seconds_from(now),
        },
        Refusal::FactorDisabled => Error::FactorDisabled,
        Refusal::NothingEnrolled => Error::MfaNotEnabled,
        Refusal::Unreadable(error) => Error::from(error),
    }
}

fn success_event(method: Method, confirmed: bool) -> Event {
    let kind = match method.class() {
        _ if confirmed => Kind::Confirmed,
        Class::Totp | Class::Delivered => Kind::Verified,
        Class::Recovery => Kind::Recovered,
    };
    Event::new(kind).by(method)
}

/// A wrong guess: an event of each class it was counted in, and one of each class's consequence.
fn wrong(failures: &[Failure], account: &Account, now: UnixTime) -> Judged {
    let tries_left = failures.iter().map(|failure| match failure.consequence {
        Consequence::TriesLeft(left) => left,
        Consequence::LockedUntil(_) | Consequence::Disabled => 0,
    });
    let locks = failures
        .iter()
        .filter_map(|failure| match failure.consequence {
            Consequence::LockedUntil(until) => Some(until),
            _ => None,
        });
    let first_end = locks.min();
    let effects = Effects {
        events: failures.iter().flat_map(failure_events).collect(),
        after: first_end
            .map(|_| After::MarkLocks(account.locks(now)))
            .into_iter()
            .collect(),
        counts_a_failure: true,
        ..Effects::default()
    };
    Judged {
        result: Err(Error::InvalidCode {
            attempts_remaining: tries_left.min(),
            retry_after: first_end.map(|until| until.seconds_from(now)),
        }),
        effects,
        changed: true,
    }
}

fn failure_events(failure: &Failure) -> Vec<Event> {
    let Failure {
        class,
        in_a_row,
        of_today,
        consequence,
    } = failure;
    let detail = json!({"class": class, "failures": in_a_row, "failures_in_24_hours": of_today});
    let mut events = vec![Event::new(Kind::Failed).with(detail)];
    events.extend(match consequence {
        Consequence::TriesLeft(_) => None,
        Consequence::LockedUntil(until) => {
            Some(Event::new(Kind::Locked).with(json!({"class": class, "until": until})))
        }
        Consequence::Disabled => {
            Some(Event::new(Kind::FactorDisabled).with(json!({"class": class})))
        }
    });
    events
}

impl Judged {
    /// The decision to store what the guess did to the account, and then tell its result.
    pub(super) fn into_decision(self, account: Account) -> Decision<Result<Verified, Error>> {
        let mut effects = self.effects;
        if self.changed {
            effects.write = Write::Store(Box::new(account));
        }
        Decision {
            effects,
            outcome: self.result,
        }
    }
}

/// A change that takes something from a user: with the client's policy on it needs a fresh code, and a
/// code that was sent is verified whatever the policy (decision 7). Proof and change are
/// stored together, so that a code proves one change.
///
/// `check` says whether the change is possible at all, before any code is looked at; `free` whether it needs
/// no proof whatever the policy.
pub(super) async fn change_with_proof<T: Send>(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    code: Option<&GuessedCode>,
    check: impl Fn(&Account, &Present<'_>) -> Result<(), Error> + Send + Sync,
    free: impl Fn(&Account) -> bool + Send + Sync,
    act: impl Fn(Account, &Present<'_>) -> Result<Decision<T>, Error> + Send + Sync,
) -> Result<T, Error> {
    let proof = code.map(Proof::of_a_change);
    let changed = change(call, caller, user, proof, |account, present| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        check(&account, present)?;
        let proof = step_up(&mut account, present, &free)?;
        let Some(proof) = proof else {
            return Ok(act(account, present)?.map(Ok));
        };
        let Decision { effects, outcome } = proof.into_decision(account.clone());
        if let Err(error) = outcome {
            let outcome = Err(error);
            return Ok(Decision { effects, outcome });
        }
        let mut decision = act(account, present)?;
        decision.effects.events.splice(0..0, effects.events);
        decision.effects.after.extend(effects.after);
        Ok(decision.map(Ok))
    });
    changed.await?
}

/// The `check` of a change that is possible whatever the state of the account.
#[expect(clippy::unnecessary_wraps, reason = "other checks fail")]
pub(super) fn always(_: &Account, _: &Present<'_>) -> Result<(), Error> {
    Ok(())
}

/// No change is free of the policy.
pub(super) fn never(_: &Account) -> bool {
    false
}

/// Judges the proof, if the policy asks for one or one was sent.
fn step_up(
    account: &mut Account,
    present: &Present<'_>,
    free: impl Fn(&Account) -> bool,
) -> Result<Option<Judged>, Error> {
    if present.guess.is_some() {
        return judge(account, present).map(Some);
    }
    let required = present.client.settings.require_step_up && account.mfa_enabled();
    if required && !free(account) {
        return Err(Error::StepUpRequired);
    }
    Ok(None)
}
