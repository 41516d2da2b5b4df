//! An authenticator app's secret and what was made of it.

use serde::{Deserialize, Serialize};

use crate::domain::codes::totp::{Parameters, Step};
use crate::domain::crypto::sealing::{Place, SealError, Sealed, Vault};
use crate::domain::ids::FactorId;
use crate::domain::time::UnixTime;

pub(super) const SECRET: &str = "secret";
pub(super) const NAME: &str = "name";

/// One authenticator app's secret. An account holds one that counts and, while renewing, its pending twin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Factor {
    pub(super) id: FactorId,
    /// The account name the app shows. Sealed, since it often is an e-mail address.
    #[serde(default)]
    pub(super) name: Option<Sealed>,
    /// The name in rows from before it was sealed; storing one seals it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    pub(super) secret: Sealed,
    pub(super) parameters: Parameters,
    /// The greatest step a code of which was accepted; it and all before it are used up.
    pub(super) last_step: Option<Step>,
    pub(super) bound_at: UnixTime,
    pub(super) state: FactorState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FactorState {
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

impl Factor {
    pub(super) fn place<'a>(id: &'a FactorId, field: &'static str) -> Place<'a> {
        let object = id.as_str();
        Place { object, field }
    }

    pub(super) fn secret(&self, vault: Vault<'_>) -> Result<Vec<u8>, SealError> {
        vault.open(Self::place(&self.id, SECRET), &self.secret)
    }

    /// The account name the app shows.
    pub(super) fn name(&self, vault: Vault<'_>) -> Result<String, SealError> {
        let Some(sealed) = &self.name else {
            return self.label.clone().ok_or(SealError::Malformed);
        };
        let bytes = vault.open(Self::place(&self.id, NAME), sealed)?;
        String::from_utf8(bytes).map_err(|_| SealError::Malformed)
    }

    pub(super) fn reseal(&mut self, vault: Vault<'_>) -> Result<(), SealError> {
        let (secret, name) = (Self::place(&self.id, SECRET), Self::place(&self.id, NAME));
        self.secret = vault.reseal(secret, self.secret.clone())?;
        self.name = match (self.name.take(), self.label.take()) {
            (Some(sealed), _) => Some(vault.reseal(name, sealed)?),
            (None, Some(label)) => Some(vault.seal(name, label.as_bytes())?),
            (None, None) => None,
        };
        Ok(())
    }

    pub(super) fn is_pending(&self, now: UnixTime) -> bool {
        matches!(self.state, FactorState::Pending { expires_at } if expires_at > now)
    }

    pub(super) fn is_active(&self) -> bool {
        matches!(self.state, FactorState::Active { .. })
    }

    pub(super) fn is_disabled(&self) -> bool {
        matches!(self.state, FactorState::Disabled { .. })
    }

    /// Whether it counts: a pending one does not, one that failures disabled does.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.state, FactorState::Pending { .. })
    }

    /// Whether a code of it may verify at `now`.
    pub(super) fn is_usable(&self, now: UnixTime) -> bool {
        self.is_active() || self.is_pending(now)
    }

    /// When the first step that is not used up begins.
    pub(super) fn next_step_at(&self, now: UnixTime) -> UnixTime {
        let last = self.last_step;
        let last = last.unwrap_or_else(|| self.parameters.step_at(now));
        self.parameters.start_of_next(last)
    }
}
