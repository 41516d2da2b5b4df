//! One user of one client: everything that decides whether a code is good is this one value. It is
//! loaded, a pure function makes the next value of it, and one compare-and-swap stores that.

mod app;
mod attempt;
mod challenge;
mod contact;
mod counters;
mod enrolment;
mod factor;
mod formats;
mod link;
mod overview;
mod page;
mod passkey;
mod recovery_set;
mod session;
mod trusted_device;
mod view;

use serde::{Deserialize, Serialize};

use self::challenge::{Challenge, Sends, Spent};
use self::contact::Contact;
use self::counters::Counters;
use self::factor::{Factor, FactorKind};
use self::passkey::UserHandle;
use self::recovery_set::RecoverySet;
use self::trusted_device::TrustedDevice;
use crate::domain::codes::totp::Parameters;
use crate::domain::crypto::sealing::{SealError, Vault};
use crate::domain::method::Class;
use crate::domain::time::UnixTime;

pub use attempt::{Accept, Attempt, Digests, Refusal, Verdict};
pub use challenge::{Cooldown, Delivered, Dispatch};
pub use counters::{
    Consequence, DAILY_TRIES, FIRST_DELAY, FREE_TRIES, Failure, LIFETIME_TRIES, LONGEST_DELAY,
    Locks,
};
pub use enrolment::{Enrolment, FactorError, PENDING_LIFETIME, PresentApp};
pub use factor::FactorType;
pub use link::{LinkKind, LinkState, RecoveryLink};
pub use overview::CountView;
pub use page::{ListedFactor, NewContact, TypedContact};
pub use passkey::{CeremonyError, PasskeyChallenge};
pub use session::{Answer, Fetched, Once, Repeat, Session, SessionProof, Standing};
pub use trusted_device::{GRACE, MOST_TRUSTED, Remembered, Trust, TrustedDeviceView, TrustedValue};
pub use view::{FactorView, PasskeyView};

/// The layout of a stored account. A reader of a newer one than it knows refuses it.
const FORMAT: u8 = 3;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    format: u8,
    created_at: UnixTime,
    /// When MFA was last turned off, until something is enrolled again.
    disabled_at: Option<UnixTime>,
    /// When a first factor was confirmed after MFA was off.
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolled_at: Option<UnixTime>,
    last_verified_at: Option<UnixTime>,
    contact: Contact,
    factors: Vec<Factor>,
    challenges: Vec<Challenge>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spent: Vec<Spent>,
    recovery: Option<RecoverySet>,
    counters: Counters,
    sends: Sends,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sessions: Vec<Session>,
    /// Browsers in which the user need not confirm a login for a while.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trusted: Vec<TrustedDevice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<RecoveryLink>,
    /// By which authenticators know the user, once one was asked for a passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_handle: Option<UserHandle>,
}

/// For serde alone: the fields an older row lacks. No account is made this way.
impl Default for Account {
    fn default() -> Self {
        Self::new(UnixTime::default())
    }
}

/// What /mfa/status calls the state of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Active,
    Pending,
    Disabled,
    None,
}

/// A stored account that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("the stored account is not valid: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("the stored account has format {0}, which this version does not read")]
    Format(u64),
}

impl Account {
    pub fn new(now: UnixTime) -> Self {
        Self {
            format: FORMAT,
            created_at: now,
            disabled_at: None,
            enrolled_at: None,
            last_verified_at: None,
            contact: Contact::default(),
            factors: Vec::new(),
            challenges: Vec::new(),
            spent: Vec::new(),
            recovery: None,
            counters: Counters::default(),
            sends: Sends::default(),
            sessions: Vec::new(),
            trusted: Vec::new(),
            links: Vec::new(),
            user_handle: None,
        }
    }

    /// The text to store, with every sealed value under the current key (CRY-05).
    pub fn into_stored(mut self, vault: Vault<'_>) -> Result<String, SealError> {
        for factor in &mut self.factors {
            factor.reseal(vault)?;
        }
        self.contact.reseal(vault)?;
        for session in &mut self.sessions {
            session.reseal(vault)?;
        }
        serde_json::to_string(&self).map_err(|_| SealError::Malformed)
    }

    /// Whether what is sealed in it opens; `None` if nothing is.
    pub fn opens(&self, vault: Vault<'_>) -> Option<bool> {
        let factor = self.factors.first();
        factor
            .map(|factor| factor.opens(vault))
            .or_else(|| self.contact.opens(vault))
    }

    pub fn created_at(&self) -> UnixTime {
        self.created_at
    }

    pub fn last_verified_at(&self) -> Option<UnixTime> {
        self.last_verified_at
    }

    pub fn state(&self, now: UnixTime) -> State {
        if self.factors.iter().any(Factor::is_active) {
            State::Active
        } else if self.factors.iter().any(Factor::is_disabled) {
            State::Disabled
        } else if self.pending(now).is_some() {
            State::Pending
        } else if self.disabled_at.is_some() {
            State::Disabled
        } else {
            State::None
        }
    }

    /// Whether the application must ask this user for a second factor. A factor disabled by failures
    /// still counts: guessing must not turn MFA off.
    pub fn mfa_enabled(&self) -> bool {
        self.factors.iter().any(Factor::counts)
    }

    /// Whether the user had MFA turned off, so that no code may be sent for it.
    pub fn is_off(&self) -> bool {
        self.disabled_at.is_some()
    }

    pub fn has_active_totp(&self) -> bool {
        let mut active = self.factors.iter().filter(|factor| factor.is_active());
        active.any(Factor::is_app)
    }

    pub fn has_active_passkey(&self) -> bool {
        let mut active = self.factors.iter().filter(|factor| factor.is_active());
        active.any(|factor| !factor.is_app())
    }

    /// The end of the lock on the codes a login begins with: the app's, or where there is none, those that
    /// are sent.
    pub fn locked_until(&self, now: UnixTime) -> Option<UnixTime> {
        let mut counting = self.factors.iter().filter(|factor| factor.counts());
        let class = if counting.any(Factor::is_app) {
            Class::Totp
        } else {
            Class::Delivered
        };
        self.locks(now).of(class)
    }

    /// The operator's unlock: everything counted is forgotten. What failures disabled stays so.
    pub fn unlock(&mut self) {
        self.counters.clear();
    }

    /// After the database was restored from a backup, at `restored`: what was used up since the backup
    /// must not come back to life (CRY-15). Codes, pending secrets and recovery codes from before are
    /// gone, and so are the time steps until then.
    pub fn forget_before(&mut self, restored: UnixTime) {
        self.challenges
            .retain(|challenge| challenge.was_opened_since(restored));
        self.end_trust_before(restored);
        self.recovery = self.recovery.take().filter(|set| set.made_at >= restored);
        self.sessions
            .retain(|session| session.began_since(restored));
        // One that was used since the backup would work again.
        self.links.clear();
        self.factors
            .retain(|factor| factor.bound_at >= restored || factor.counts());
        let before = |factor: &&mut Factor| factor.bound_at < restored;
        for factor in self.factors.iter_mut().filter(before) {
            let FactorKind::Totp(app) = &mut factor.kind else {
                continue;
            };
            // The step after may have been used too: it is accepted that much early.
            let Parameters { period, .. } = app.parameters;
            let usable = restored.plus(period.seconds());
            let step = app.parameters.step_at(usable);
            app.last_step = app.last_step.max(Some(step));
        }
    }

    fn pending(&self, now: UnixTime) -> Option<&Factor> {
        self.factors.iter().find(|factor| factor.is_pending(now))
    }
}

#[cfg(test)]
pub(crate) mod tests;
