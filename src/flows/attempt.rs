//! A guess within a change: what the account says of it, as outcome, events and tidying.

use serde_json::json;

use super::Caller;
use super::change::{Present, change};
use super::decision::{After, Decision, Effects, Write};
use crate::app::Call;
use crate::domain::account::{Accept, Account, Attempt, Refusal, Verdict};
use crate::domain::guess::GuessedCode;
use crate::domain::ids::UserId;
use crate::domain::method::{Class, Method};
use crate::domain::throttle::Consequence;
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
    /// Whether the account changed by it.
    pub changed: bool,
    pub events: Vec<Event>,
    pub after: Vec<After>,
}

/// Judges `guess` against the account, which becomes its next value.
pub(super) fn judge(
    account: &mut Account,
    present: &Present<'_>,
    guess: &GuessedCode,
    accept: &Accept,
) -> Result<Judged, Error> {
    let now = present.call.now;
    let attempt = Attempt {
        keys: present.call.app.keys(),
        owner: present.owner,
        guess,
        accept,
        digests: present.digests,
        now,
    };
    let verdict = account.attempt(&attempt).map_err(|refusal| match refusal {
        Refusal::Locked { until } => Error::Locked {
            retry_after: until.seconds_from(now),
        },
        Refusal::FactorDisabled => Error::FactorDisabled,
        Refusal::NothingEnrolled => Error::MfaNotEnabled,
        Refusal::Unreadable(error) => Error::from(error),
    })?;
    Ok(match verdict {
        Verdict::Verified {
            method,
            confirmed,
            spent,
        } => Judged {
            result: Ok(Verified { method }),
            changed: true,
            events: vec![success_event(method, confirmed)],
            after: spent.map(After::ForgetCode).into_iter().collect(),
        },
        Verdict::AlreadyUsed { next_step_at } => Judged {
            result: Err(Error::CodeAlreadyUsed {
                retry_after: next_step_at.seconds_from(now).max(1),
            }),
            changed: false,
            events: vec![Event::new(Kind::Replayed).by(Method::Totp)],
            after: Vec::new(),
        },
        Verdict::Wrong {
            class,
            failures,
            consequence,
        } => wrong(class, failures, consequence, now),
    })
}

fn success_event(method: Method, confirmed: bool) -> Event {
    let kind = match method.class() {
        _ if confirmed => Kind::Confirmed,
        Class::Authenticator => Kind::Verified,
        Class::Recovery => Kind::Recovered,
    };
    Event::new(kind).by(method)
}

fn wrong(class: Class, failures: u32, consequence: Consequence, now: UnixTime) -> Judged {
    let mut events =
        vec![Event::new(Kind::Failed).with(json!({"class": class, "failures": failures}))];
    let mut after = Vec::new();
    let (attempts_remaining, retry_after) = match consequence {
        Consequence::TriesLeft(left) => (left, None),
        Consequence::LockedUntil(until) => {
            events.push(Event::new(Kind::Locked).with(json!({"class": class, "until": until})));
            if class == Class::Authenticator {
                after.push(After::MarkLock(until));
            }
            (0, Some(until.seconds_from(now)))
        }
        Consequence::Disabled => {
            events.push(Event::new(Kind::FactorDisabled).with(json!({"class": class})));
            (0, None)
        }
    };
    let result = Err(Error::InvalidCode {
        attempts_remaining: Some(attempts_remaining),
        retry_after,
    });
    Judged {
        result,
        changed: true,
        events,
        after,
    }
}

impl Judged {
    /// The decision to store what the guess did to the account, and then tell its result.
    pub(super) fn into_decision(self, account: Account) -> Decision<Result<Verified, Error>> {
        let write = if self.changed {
            Write::Store(Box::new(account))
        } else {
            Write::Nothing
        };
        let effects = Effects {
            write,
            events: self.events,
            quotas: Vec::new(),
            after: self.after,
        };
        Decision {
            effects,
            outcome: self.result,
        }
    }
}

/// A change that takes something from a user: with the client's policy on it needs a fresh code, and a
/// code that was sent is verified whatever the policy (SECURITY decision 7). Proof and change are
/// stored together, so that a code proves one change.
///
/// `check` says whether the change is possible at all, before any code is looked at.
pub(super) async fn change_with_proof<T: Send>(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    code: Option<&GuessedCode>,
    check: impl Fn(&Account, &Present<'_>) -> Result<(), Error> + Send + Sync,
    act: impl Fn(Account, &Present<'_>) -> Result<Decision<T>, Error> + Send + Sync,
) -> Result<T, Error> {
    let changed = change(call, caller, user, code, |account, present| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        check(&account, present)?;
        let proof = step_up(&mut account, present, code)?;
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

/// Judges the proof, if the policy asks for one or one was sent. Codes the application asked for
/// itself prove nothing about the user, so they do not serve.
fn step_up(
    account: &mut Account,
    present: &Present<'_>,
    code: Option<&GuessedCode>,
) -> Result<Option<Judged>, Error> {
    let settings = &present.client.settings;
    let Some(code) = code else {
        let required = settings.require_step_up && account.mfa_enabled();
        return if required {
            Err(Error::StepUpRequired)
        } else {
            Ok(None)
        };
    };
    let serves = |method: &Method| *method != Method::Generated && settings.allows(*method);
    judge(
        account,
        present,
        code,
        &Accept::only(Method::ALL.into_iter().filter(serves)),
    )
    .map(Some)
}
