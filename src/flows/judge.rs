//! A guess within a change: what the account says of it, as outcome, events and tidying.

use serde_json::json;

use super::change::{After, Decision, Effects, Facts, Write};
use crate::call::Guess;
use crate::domain::account::{Account, Attempt, Consequence, Failure, Refusal, Verdict};
use crate::domain::event::{Event, Kind};
use crate::domain::method::Method;
use crate::domain::time::UnixTime;
use crate::error::Error;

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
pub(super) fn judge(account: &mut Account, facts: &Facts<'_>) -> Result<Judged, Error> {
    let now = facts.asked.now();
    let guess = facts
        .guess
        .ok_or_else(|| Error::internal("a judgement without a guess"))?;
    let attempt = Attempt {
        vault: facts.asked.vault(),
        guess: guess.code,
        accept: guess.accept,
        digests: guess.digests,
        now,
    };
    let verdict = account
        .attempt(&attempt)
        .map_err(|refusal| refused(refusal, now))?;
    let judged = judged(verdict, account, now);
    facts.asked.call.trace.set_guess(match &judged.result {
        Ok(verified) => Guess {
            method: Some(verified.method),
            outcome: "success",
        },
        Err(error) => Guess {
            method: guess.named,
            outcome: error.code().name(),
        },
    });
    Ok(judged)
}

fn judged(verdict: Verdict, account: &Account, now: UnixTime) -> Judged {
    match verdict {
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
    }
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
    let kind = if confirmed {
        Kind::Confirmed
    } else if method.is_recovery() {
        Kind::Recovered
    } else {
        Kind::Verified
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
