//! What a flow decides about an account, before anything of it is true.

use crate::domain::account::{Account, Locks};
use crate::domain::event::Event;
use crate::domain::ids::ChallengeId;
use crate::domain::provider::Provider;
use crate::domain::statistics::Counted;
use crate::storage::accounts::PasskeyNote;
use crate::storage::counters::Quota;

/// What was decided. It takes effect, and is told, only if the account could be stored.
pub(in crate::flows) struct Decision<T> {
    pub effects: Effects,
    pub outcome: T,
}

/// What is stored together, or not at all, and what is tidied once it is.
#[derive(Default)]
pub(in crate::flows) struct Effects {
    pub write: Write,
    pub events: Vec<Event>,
    pub conditions: Conditions,
    pub after: Vec<After>,
    /// What is counted for the operator, beside what the events say.
    pub counts: Vec<Counted>,
    /// Whose passkeys are whose from then on.
    pub passkeys: PasskeyNote,
    /// Whether a wrong guess is counted by it.
    pub counts_a_failure: bool,
    /// Whether it is stored before anything else is done: something outside follows that cannot be undone.
    pub at_once: bool,
}

#[derive(Default)]
pub(in crate::flows) enum Write {
    #[default]
    Nothing,
    Store(Box<Account>),
    Delete,
}

/// What must hold, beside nobody having changed the account first, for it to be stored.
#[derive(Default, Clone)]
pub(in crate::flows) struct Conditions {
    /// Each has room for one more, and is counted.
    pub quotas: Vec<Quota>,
    /// One of these, if there are any, has not asked for a pause.
    pub providers: Vec<Provider>,
}

/// Tidying in KV once the account is stored. Nothing depends on it.
pub(in crate::flows) enum After {
    MarkLocks(Locks),
    ForgetLocks,
    ForgetCode(ChallengeId),
}

impl<T> Decision<T> {
    pub(in crate::flows) fn store(account: Account, event: Event, outcome: T) -> Self {
        Self::of(Write::Store(Box::new(account)), event, outcome)
    }

    /// Nothing is stored or recorded.
    pub(in crate::flows) fn nothing(outcome: T) -> Self {
        let effects = Effects::default();
        Self { effects, outcome }
    }

    /// Stored, and not worth recording.
    pub(in crate::flows) fn store_quietly(account: Account, outcome: T) -> Self {
        let effects = Effects {
            write: Write::Store(Box::new(account)),
            ..Effects::default()
        };
        Self { effects, outcome }
    }

    pub(in crate::flows) fn delete(event: Event, outcome: T) -> Self {
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
    pub(in crate::flows) fn on(mut self, conditions: Conditions) -> Self {
        self.effects.conditions = conditions;
        self
    }

    /// Counted with it.
    pub(in crate::flows) fn counting(mut self, counted: Option<Counted>) -> Self {
        self.effects.counts.extend(counted);
        self
    }

    pub(in crate::flows) fn noting(mut self, passkeys: PasskeyNote) -> Self {
        self.effects.passkeys = passkeys;
        self
    }

    /// Stored before anything else is done, since something outside follows that cannot be undone.
    pub(in crate::flows) fn at_once(mut self) -> Self {
        self.effects.at_once = true;
        self
    }

    pub(in crate::flows) fn then(mut self, after: After) -> Self {
        self.effects.after.push(after);
        self
    }

    pub(in crate::flows) fn map<U>(self, map: impl FnOnce(T) -> U) -> Decision<U> {
        Decision {
            effects: self.effects,
            outcome: map(self.outcome),
        }
    }
}
