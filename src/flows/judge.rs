//! A guess within a change: what the account says of it, as outcome, events and tidying.

use serde_json::json;

use super::change::{After, Answered, Decision, Effects, Facts, Outcome, Write};
use super::statistics;
use crate::call::Guess;
use crate::domain::account::{Account, Attempt, Consequence, Failure, Refusal, Verdict};
use crate::domain::event::{Event, Kind};
use crate::domain::method::{Channel, Method};
use crate::domain::statistics::Counted;
use crate::domain::time::UnixTime;
use crate::domain::webauthn::Refusal as CeremonyRefusal;
use crate::error::Error;

/// What a verified guess proved, or a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    pub method: Method,
    /// Of a passkey: whether its authenticator checked who used it.
    pub user_verified: Option<bool>,
}

impl Verified {
    const fn by(method: Method) -> Self {
        let user_verified = None;
        Self {
            method,
            user_verified,
        }
    }
}

/// A judged guess. `result` is not to be told before the account is stored.
pub(super) struct Judged {
    pub result: Result<Verified, Error>,
    /// What of the account changes by it, and what is recorded; its `write` is for the caller to fill in.
    effects: Effects,
    changed: bool,
}

/// Judges what came with the request against the account, which becomes its next value.
pub(super) fn judge(account: &mut Account, facts: &Facts<'_>) -> Result<Judged, Error> {
    let now = facts.asked.now();
    if let Some(answered) = facts.answered {
        let judged = judge_passkey(account, facts, answered)?;
        note(facts, &judged, Some(Method::Passkey));
        return Ok(judged);
    }
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
    let mut judged = judged(verdict, account, now);
    judged
        .effects
        .counts
        .extend(used_message(&judged, account, facts));
    note(facts, &judged, guess.named);
    Ok(judged)
}

/// The message whose code was right, for the statistics.
fn used_message(judged: &Judged, account: &Account, facts: &Facts<'_>) -> Option<Counted> {
    let mut after = judged.effects.after.iter();
    let (channel, sent_at) = after.find_map(|after| match after {
        After::ForgetCode(id) => account.spent_message(id),
        _ => None,
    })?;
    let phone = match channel {
        Channel::Sms => account.phone(facts.asked.vault()).ok().flatten(),
        Channel::Email | Channel::Api => None,
    };
    statistics::used(facts, channel, phone, sent_at)
}

/// For whoever counts: what became of it. `named` is the method the caller says it is of.
fn note(facts: &Facts<'_>, judged: &Judged, named: Option<Method>) {
    let (method, outcome) = match &judged.result {
        Ok(verified) => (Some(verified.method), "success"),
        Err(error) => (named, error.code().name()),
    };
    facts.asked.call.trace.set_guess(Guess { method, outcome });
}

/// What an account said of a guess, as outcome, events and tidying.
pub(super) fn judged(verdict: Verdict, account: &Account, now: UnixTime) -> Judged {
    match verdict {
        Verdict::Verified {
            method,
            confirmed,
            spent,
        } => Judged {
            result: Ok(Verified::by(method)),
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

/// A challenge is used up by its answer, whatever that is worth. What is wrong with one is told, and counted nowhere:
/// a signature cannot be guessed at (decision 72).
fn judge_passkey(
    account: &mut Account,
    facts: &Facts<'_>,
    answered: Answered<'_>,
) -> Result<Judged, Error> {
    let Outcome::Assertion(outcome) = answered.outcome else {
        return Err(Error::internal("a registration is no proof"));
    };
    let changed = account.spend_ceremony(answered.challenge);
    let (result, events) = match outcome {
        Ok(assertion) => {
            let (vault, now) = (facts.asked.vault(), facts.asked.now());
            account
                .accept_assertion(vault, assertion, now)?
                .ok_or_else(|| Error::internal("an assertion of no passkey"))?;
            let mut events = vec![success_event(Method::Passkey, false)];
            if assertion.counter_went_back {
                events.push(Event::new(Kind::PasskeyCopied).by(Method::Passkey));
            }
            let user_verified = Some(assertion.user_verified);
            let method = Method::Passkey;
            let verified = Verified {
                method,
                user_verified,
            };
            (Ok(verified), events)
        }
        Err(refusal) => {
            let detail = json!({"reason": refusal.reason()});
            let mut events = vec![Event::new(Kind::Failed).by(Method::Passkey).with(detail)];
            if *refusal == CeremonyRefusal::Counter {
                events.push(Event::new(Kind::PasskeyCopied).by(Method::Passkey));
            }
            (Err(Error::InvalidCredential(*refusal)), events)
        }
    };
    Ok(Judged {
        result,
        effects: Effects {
            // Without a challenge nothing was tried, and nobody fills the record by making some up.
            events: if changed { events } else { Vec::new() },
            ..Effects::default()
        },
        changed,
    })
}

pub(super) fn refused(refusal: Refusal, now: UnixTime) -> Error {
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
