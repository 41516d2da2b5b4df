//! One user of one client: everything that decides whether a code is good is this one value. It is
//! loaded, a pure function makes the next value of it, and one compare-and-swap stores that.

mod attempt;
mod delivery;
mod enrolment;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::email::Email;
use super::ids::{ChallengeId, FactorId, Owner};
use super::keys::KeyRing;
use super::method::{Channel, Class, Purpose};
use super::phone::Phone;
use super::sealing::{Place, SealError, Sealed};
use super::throttle::Throttle;
use super::time::UnixTime;
use super::totp::{Parameters, Step};

pub use attempt::{Accept, Attempt, Digests, Refusal, Verdict};
pub use delivery::{Cooldown, Dispatch};
pub use enrolment::{Enrolment, EnrolmentError, PENDING_LIFETIME};

/// The layout of a stored account. A reader of a newer one than it knows refuses it.
const FORMAT: u8 = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    format: u8,
    created_at: UnixTime,
    /// When MFA was last turned off, until something is enrolled again.
    disabled_at: Option<UnixTime>,
    last_verified_at: Option<UnixTime>,
    contact: Contact,
    factors: Vec<Factor>,
    challenges: Vec<Challenge>,
    recovery: Option<RecoverySet>,
    throttles: Throttles,
    sends: Sends,
}

/// For serde alone: the fields an older row lacks. No account is made this way, and none lacks its
/// format: text that says nothing must not read as a user without MFA.
impl Default for Account {
    fn default() -> Self {
        Self {
            format: 0,
            ..Self::new(UnixTime::default())
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Contact {
    phone: Option<Destination>,
    email: Option<Destination>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Destination {
    sealed: Sealed,
    set_at: UnixTime,
}

/// One authenticator app's secret. An account holds one that counts and, while renewing, its pending twin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    id: FactorId,
    /// The account name the app shows. Sealed, since it often is an e-mail address.
    #[serde(default)]
    name: Option<Sealed>,
    /// The name in rows from before it was sealed; storing one seals it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    secret: Sealed,
    parameters: Parameters,
    /// The greatest step a code of which was accepted; it and all before it are used up.
    last_step: Option<Step>,
    bound_at: UnixTime,
    state: FactorState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FactorState {
    /// Shown, not yet confirmed by a first code.
    Pending {
        expires_at: UnixTime,
    },
    Active {
        confirmed_at: UnixTime,
    },
    /// After 100 consecutive failures. It verifies nothing, and MFA still counts as on.
    Disabled {
        at: UnixTime,
    },
}

/// A delivered code that may still be used. The code's digest lies in KV under the id; whether it
/// is alive, and how often it was tried, is said here only.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    id: ChallengeId,
    channel: Channel,
    purpose: Purpose,
    expires_at: UnixTime,
    tries: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoverySet {
    digests: Vec<Digest>,
    made_at: UnixTime,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Throttles {
    authenticator: Throttle,
    recovery: Throttle,
}

/// Times of the last messages, for the cooldown.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Sends {
    sms: Vec<UnixTime>,
    email: Vec<UnixTime>,
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
    Format(u8),
}

impl Account {
    pub fn new(now: UnixTime) -> Self {
        Self {
            format: FORMAT,
            created_at: now,
            disabled_at: None,
            last_verified_at: None,
            contact: Contact::default(),
            factors: Vec::new(),
            challenges: Vec::new(),
            recovery: None,
            throttles: Throttles::default(),
            sends: Sends::default(),
        }
    }

    pub fn from_stored(json: &str) -> Result<Self, StateError> {
        // From bytes, as everywhere: reading text is a second copy of the reader in the wasm.
        let account: Self = serde_json::from_slice(json.as_bytes())?;
        match account.format {
            1..=FORMAT => Ok(account),
            other => Err(StateError::Format(other)),
        }
    }

    /// The text to store, with every sealed value under the current key (CRY-05).
    pub fn into_stored(mut self, keys: &KeyRing, owner: Owner<'_>) -> Result<String, SealError> {
        for factor in &mut self.factors {
            factor.reseal(keys, owner)?;
        }
        for (destination, field) in [
            (&mut self.contact.phone, PHONE),
            (&mut self.contact.email, EMAIL),
        ] {
            if let Some(destination) = destination {
                destination.sealed = destination
                    .sealed
                    .clone()
                    .reseal(keys, contact_place(owner, field))?;
            }
        }
        serde_json::to_string(&self).map_err(|_| SealError::Malformed)
    }

    pub fn created_at(&self) -> UnixTime {
        self.created_at
    }

    pub fn last_verified_at(&self) -> Option<UnixTime> {
        self.last_verified_at
    }

    pub fn state(&self, now: UnixTime) -> State {
        let any = |wanted: fn(&FactorState) -> bool| {
            self.factors.iter().any(|factor| wanted(&factor.state))
        };
        if any(|state| matches!(state, FactorState::Active { .. })) {
            State::Active
        } else if any(|state| matches!(state, FactorState::Disabled { .. })) {
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
        self.factors
            .iter()
            .any(|factor| !matches!(factor.state, FactorState::Pending { .. }))
    }

    /// Whether the user had MFA turned off, so that no code may be sent for it.
    pub fn is_off(&self) -> bool {
        self.disabled_at.is_some()
    }

    pub fn has_active_totp(&self) -> bool {
        self.factors
            .iter()
            .any(|factor| matches!(factor.state, FactorState::Active { .. }))
    }

    pub fn recovery_codes_remaining(&self) -> usize {
        self.recovery.as_ref().map_or(0, |set| set.digests.len())
    }

    /// The end of the authenticators' lock, if one holds.
    pub fn locked_until(&self, now: UnixTime) -> Option<UnixTime> {
        self.throttles.authenticator.locked_until(now)
    }

    pub fn phone(&self, keys: &KeyRing, owner: Owner<'_>) -> Result<Option<Phone>, SealError> {
        let open = |text: String| Phone::parse(&text).ok();
        open_contact(
            self.contact.phone.as_ref(),
            keys,
            contact_place(owner, PHONE),
            open,
        )
    }

    pub fn email(&self, keys: &KeyRing, owner: Owner<'_>) -> Result<Option<Email>, SealError> {
        let open = |text: String| Email::parse(&text).ok();
        open_contact(
            self.contact.email.as_ref(),
            keys,
            contact_place(owner, EMAIL),
            open,
        )
    }

    pub fn has_phone(&self) -> bool {
        self.contact.phone.is_some()
    }

    pub fn has_email(&self) -> bool {
        self.contact.email.is_some()
    }

    /// The operator's unlock: both counters start again. A factor disabled by failures stays so.
    pub fn unlock(&mut self) {
        self.throttles.authenticator.reset();
        self.throttles.recovery.reset();
    }

    /// After the database was restored from a backup, at `restored`: what was used up since the backup
    /// must not come back to life (CRY-15). Codes, pending secrets and recovery codes from before are
    /// gone, and so are the time steps until then.
    pub fn forget_before(&mut self, restored: UnixTime) {
        self.challenges.retain(|challenge| {
            challenge.expires_at.minus(challenge.purpose.lifetime()) >= restored
        });
        self.recovery = self.recovery.take().filter(|set| set.made_at >= restored);
        self.factors.retain(|factor| {
            factor.bound_at >= restored || !matches!(factor.state, FactorState::Pending { .. })
        });
        for factor in self
            .factors
            .iter_mut()
            .filter(|factor| factor.bound_at < restored)
        {
            // The step after may have been used too: it is accepted that much early.
            let Parameters { period, .. } = factor.parameters;
            let usable = restored.plus(period.seconds());
            factor.last_step = factor
                .last_step
                .max(Some(factor.parameters.step_at(usable)));
        }
    }

    fn throttle(&mut self, class: Class) -> &mut Throttle {
        match class {
            Class::Authenticator => &mut self.throttles.authenticator,
            Class::Recovery => &mut self.throttles.recovery,
        }
    }

    fn pending(&self, now: UnixTime) -> Option<&Factor> {
        self.factors.iter().find(|factor| factor.is_pending(now))
    }
}

const SECRET: &str = "secret";
const NAME: &str = "name";
const PHONE: &str = "phone";
const EMAIL: &str = "email";

fn contact_place<'a>(owner: Owner<'a>, field: &'static str) -> Place<'a> {
    Place {
        owner,
        object: "contact",
        field,
    }
}

fn open_contact<T>(
    destination: Option<&Destination>,
    keys: &KeyRing,
    place: Place<'_>,
    parse: impl Fn(String) -> Option<T>,
) -> Result<Option<T>, SealError> {
    let Some(destination) = destination else {
        return Ok(None);
    };
    let bytes = destination.sealed.open(keys, place)?;
    let value = String::from_utf8(bytes)
        .ok()
        .and_then(parse)
        .ok_or(SealError::Malformed)?;
    Ok(Some(value))
}

impl Factor {
    fn place<'a>(owner: Owner<'a>, id: &'a FactorId, field: &'static str) -> Place<'a> {
        Place {
            owner,
            object: id.as_str(),
            field,
        }
    }

    fn secret(&self, keys: &KeyRing, owner: Owner<'_>) -> Result<Vec<u8>, SealError> {
        self.secret.open(keys, Self::place(owner, &self.id, SECRET))
    }

    /// The account name the app shows.
    fn name(&self, keys: &KeyRing, owner: Owner<'_>) -> Result<String, SealError> {
        let Some(sealed) = &self.name else {
            return self.label.clone().ok_or(SealError::Malformed);
        };
        let bytes = sealed.open(keys, Self::place(owner, &self.id, NAME))?;
        String::from_utf8(bytes).map_err(|_| SealError::Malformed)
    }

    fn reseal(&mut self, keys: &KeyRing, owner: Owner<'_>) -> Result<(), SealError> {
        let (secret, name) = (
            Self::place(owner, &self.id, SECRET),
            Self::place(owner, &self.id, NAME),
        );
        self.secret = self.secret.clone().reseal(keys, secret)?;
        self.name = match (self.name.take(), self.label.take()) {
            (Some(sealed), _) => Some(sealed.reseal(keys, name)?),
            (None, Some(label)) => Some(Sealed::seal(keys, name, label.as_bytes())?),
            (None, None) => None,
        };
        Ok(())
    }

    fn is_pending(&self, now: UnixTime) -> bool {
        matches!(self.state, FactorState::Pending { expires_at } if expires_at > now)
    }

    /// Whether a code of it may verify at `now`.
    fn is_usable(&self, now: UnixTime) -> bool {
        matches!(self.state, FactorState::Active { .. }) || self.is_pending(now)
    }
}

#[cfg(test)]
pub(crate) mod tests;
