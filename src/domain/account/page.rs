//! What the hosted page sets up: a number or an address that is on file only once its code came back, and the ways
//! as the page lists them.

use serde::{Deserialize, Serialize};

use super::challenge::{Delivered, Dispatch, Spent};
use super::factor::{Factor, FactorKind, FactorState, FactorType};
use super::{Account, Refusal, Verdict};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::numeric::Digits;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::crypto::sealing::{Place, SealError, Sealed, Vault};
use crate::domain::ids::FactorId;
use crate::domain::method::{Channel, Class};
use crate::domain::session::SessionId;
use crate::domain::time::UnixTime;
use crate::domain::webauthn::Credential;

/// A number or an address that waits for its code, with that code. It is no challenge of the account: it proves
/// nothing but that this destination was reached, and signs nobody in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    pub(super) sealed: Sealed,
    pub(super) sent: Spent,
}

/// A destination as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedContact {
    Phone(Phone),
    Email(Email),
}

impl TypedContact {
    pub fn channel(&self) -> Channel {
        match self {
            Self::Phone(_) => Channel::Sms,
            Self::Email(_) => Channel::Email,
        }
    }

    pub fn masked(&self) -> String {
        match self {
            Self::Phone(phone) => phone.masked(),
            Self::Email(email) => email.masked(),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }
}

/// A way as the page lists it.
pub struct ListedFactor {
    pub id: FactorId,
    pub kind: FactorType,
    pub name: Option<String>,
    pub state: &'static str,
    pub created_at: UnixTime,
    pub last_used_at: Option<UnixTime>,
    pub credential: Option<Credential>,
}

impl NewContact {
    /// When its code was sent.
    pub fn sent_at(&self) -> UnixTime {
        self.sent.code.sent_at()
    }

    fn place(id: &SessionId) -> Place<'_> {
        Place {
            object: id.as_str(),
            field: "new contact",
        }
    }

    pub(super) fn new(
        vault: Vault<'_>,
        id: &SessionId,
        typed: &TypedContact,
        code: Delivered,
        digest: String,
    ) -> Result<Self, SealError> {
        let sealed = vault.seal(Self::place(id), typed.text().as_bytes())?;
        let sent = Spent { code, digest };
        Ok(Self { sealed, sent })
    }

    pub(super) fn reseal(&mut self, id: &SessionId, vault: Vault<'_>) -> Result<(), SealError> {
        self.sealed = vault.reseal(Self::place(id), self.sealed.clone())?;
        Ok(())
    }

    /// The destination.
    pub fn open(&self, id: &SessionId, vault: Vault<'_>) -> Result<TypedContact, SealError> {
        let bytes = vault.open(Self::place(id), &self.sealed)?;
        let text = str::from_utf8(&bytes).map_err(|_| SealError::Malformed)?;
        match self.sent.code.channel {
            Channel::Sms => Phone::parse(text).ok().map(TypedContact::Phone),
            _ => Email::parse(text).ok().map(TypedContact::Email),
        }
        .ok_or(SealError::Malformed)
    }

    /// Until when its code may be used.
    pub fn expires_at(&self) -> UnixTime {
        self.sent.code.expires_at
    }

    pub(super) fn is_of(&self, dispatch: &Dispatch) -> bool {
        self.sent.code.id == dispatch.challenge
    }
}

impl Account {
    /// Judges a code that was sent to a destination which is not on file yet. Wrong ones are counted with those of
    /// every other code that was sent: the same person types them.
    pub fn try_new_contact(
        &mut self,
        vault: Vault<'_>,
        id: &SessionId,
        guess: &GuessedCode,
        now: UnixTime,
    ) -> Result<Result<TypedContact, Verdict>, Refusal> {
        let locks = self.locks(now);
        if let Some(until) = locks.of(Class::Delivered) {
            return Err(Refusal::Locked { until });
        }
        let waiting = self
            .session_mut(id)
            .and_then(|session| session.contact.as_mut());
        let Some(waiting) = waiting.filter(|waiting| waiting.sent.code.is_live(now)) else {
            return Ok(Err(self.no_code(now)));
        };
        let GuessedCode::Numeric(code) = guess else {
            return Ok(Err(self.no_code(now)));
        };
        if !code.has(Digits::SIX) {
            return Ok(Err(self.no_code(now)));
        }
        if waiting.sent.is(code, vault, now) {
            let typed = waiting.open(id, vault)?;
            if let Some(session) = self.session_mut(id) {
                session.contact = None;
            }
            self.counters.of_mut(Class::Delivered).reset();
            // Whoever had it turned off and sets it up again may be sent codes.
            self.disabled_at = None;
            return Ok(Ok(typed));
        }
        waiting.sent.code.tries = waiting.sent.code.tries.saturating_add(1);
        let classes = [Class::Delivered].into_iter().collect();
        Ok(Err(self.count_failure(classes, &[], now)))
    }

    fn no_code(&self, now: UnixTime) -> Verdict {
        let classes = [Class::Delivered].into_iter().collect();
        Verdict::NotACode {
            tries_left: self.counters.tries_left(classes, now),
        }
    }

    /// When the number or address of a channel was set.
    pub fn contact_set_at(&self, channel: Channel) -> Option<UnixTime> {
        self.contact.set_at(channel)
    }

    /// How many digits the user's apps show, each number once.
    pub fn app_digits(&self) -> Vec<Digits> {
        let mut digits = Vec::new();
        let active = self.factors.iter().filter(|factor| factor.is_active());
        for app in active.filter_map(Factor::app) {
            let shown = app.totp.parameters.digits;
            if !digits.contains(&shown) {
                digits.push(shown);
            }
        }
        digits
    }

    pub fn has_disabled_app(&self) -> bool {
        let mut apps = self.factors.iter().filter(|factor| factor.is_app());
        apps.any(Factor::is_disabled)
    }

    /// The app that waits for its first code, and until when.
    pub fn pending_app(&self, now: UnixTime) -> Option<(FactorId, UnixTime)> {
        let mut factors = self.factors.iter().filter(|factor| factor.is_app());
        factors.find_map(|factor| match factor.state {
            FactorState::Pending { expires_at } if expires_at > now => {
                Some((factor.id.clone(), expires_at))
            }
            _ => None,
        })
    }

    /// What is being set up is dropped.
    pub fn drop_pending(&mut self) {
        self.factors.retain(Factor::counts);
    }

    pub fn has_active_factor(&self, id: &FactorId) -> bool {
        let mut active = self.factors.iter().filter(|factor| factor.is_active());
        active.any(|factor| factor.id == *id)
    }

    pub fn active_factors(&self) -> usize {
        let active = self.factors.iter().filter(|factor| factor.is_active());
        active.count()
    }

    pub fn active_of(&self, kind: FactorType) -> usize {
        let active = self.factors.iter().filter(|factor| factor.is_active());
        active.filter(|factor| factor.factor_type() == kind).count()
    }

    /// The factors, in the order in which they were bound.
    pub fn listed_factors(&self, vault: Vault<'_>) -> Result<Vec<ListedFactor>, SealError> {
        let listed = |factor: &Factor| {
            let credential = match &factor.kind {
                FactorKind::Passkey(passkey) => Some(passkey.credential(&factor.id, vault)?),
                FactorKind::Totp(_) => None,
            };
            Ok(ListedFactor {
                id: factor.id.clone(),
                kind: factor.factor_type(),
                name: factor.name(vault)?,
                state: match factor.state {
                    FactorState::Pending { .. } => "pending",
                    FactorState::Active { .. } => "active",
                    FactorState::Disabled { .. } => "disabled",
                },
                created_at: factor.bound_at,
                last_used_at: factor.last_used_at,
                credential,
            })
        };
        self.factors.iter().map(listed).collect()
    }
}
