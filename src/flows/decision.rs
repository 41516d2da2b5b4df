//! What a flow decides about an account, before anything of it is true.

use crate::domain::account::{Account, Locks};
use crate::domain::ids::ChallengeId;
use crate::domain::method::Provider;
use crate::storage::audit_log::Event;
use crate::storage::send_counters::Quota;

/// What was decided. It takes effect, and is told, only if the account could be stored.
pub(super) struct Decision<T> {
    pub effects: Effects,
    pub outcome: T,
}

/// What is stored together, or not at all, and what is tidied once it is.
#[derive(Default)]
pub(super) struct Effects {
    pub write: Write,
    pub events: Vec<Event>,
    pub conditions: Conditions,
    pub after: Vec<After>,
    /// Whether a wrong guess is counted by it.
    pub counts_a_failure: bool,
}

#[derive(Default)]
pub(super) enum Write {
    #[default]
    Nothing,
    Store(Box<Account>),
    Delete,
}

/// What must hold, beside nobody having changed the account first, for it to be stored.
#[derive(Default, Clone)]
pub(super) struct Conditions {
    /// Each has room for one more, and is counted.
    pub quotas: Vec<Quota>,
    /// This provider has not asked for a pause.
    pub provider: Option<Provider>,
}

/// Tidying in KV once the account is stored. Nothing depends on it.
pub(super) enum After {
    MarkLocks(Locks),
    ForgetLocks,
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
            ..Effects::default()
        };
        Self { effects, outcome }
    }

    /// Stored only under these conditions.
    pub(super) fn on(mut self, conditions: Conditions) -> Self {
        self.effects.conditions = conditions;
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
