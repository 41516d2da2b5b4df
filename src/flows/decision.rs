//! What a flow decides about an account, before anything of it is true.

use crate::domain::account::Account;
use crate::domain::ids::ChallengeId;
use crate::domain::time::UnixTime;
use crate::storage::audit_log::{Event, Kind};
use crate::storage::send_counters::Quota;

/// What was decided. It takes effect, and is told, only if the account could be stored.
pub(super) struct Decision<T> {
    pub effects: Effects,
    pub outcome: T,
}

/// What is stored together, or not at all, and what is tidied once it is.
pub(super) struct Effects {
    pub write: Write,
    pub events: Vec<Event>,
    pub quotas: Vec<Quota>,
    pub after: Vec<After>,
}

pub(super) enum Write {
    Nothing,
    Store(Box<Account>),
    Delete,
}

/// Tidying in KV once the account is stored. Nothing depends on it.
pub(super) enum After {
    MarkLock(UnixTime),
    ForgetLock,
    ForgetCode(ChallengeId),
}

impl<T> Decision<T> {
    pub(super) fn store(account: Account, event: Event, outcome: T) -> Self {
        Self::of(Write::Store(Box::new(account)), event, outcome)
    }

    pub(super) fn delete(event: Event, outcome: T) -> Self {
        Self::of(Write::Delete, event, outcome)
    }

    fn of(write: Write, event: Event, outcome: T) -> Self {
        let effects = Effects {
            write,
            events: vec![event],
            quotas: Vec::new(),
            after: Vec::new(),
        };
        Self { effects, outcome }
    }

    /// Stored only while each of `quotas` has room for one more.
    pub(super) fn counting(mut self, quotas: Vec<Quota>) -> Self {
        self.effects.quotas = quotas;
        self
    }

    pub(super) fn then(mut self, after: After) -> Self {
        self.effects.after.push(after);
        self
    }

    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Decision<U> {
        Decision {
            effects: self.effects,
            outcome: map(self.outcome),
        }
    }
}

impl Effects {
    pub(super) fn count_a_failure(&self) -> bool {
        self.events.iter().any(|event| event.kind == Kind::Failed)
    }
}
