//! A factor: what every kind has, and the kinds.

use serde::{Deserialize, Serialize};

use super::app::{App, Totp};
use super::passkey::Passkey;
use crate::domain::crypto::sealing::{Place, SealError, Sealed, Vault};
use crate::domain::ids::FactorId;
use crate::domain::time::UnixTime;

/// What its user calls it. (`name` was the place of the name an app shows before factors had one of their own.)
const NAME: &str = "factor name";

/// Something a user binds once and proves later.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Factor {
    pub(super) id: FactorId,
    /// What its user calls it, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Sealed>,
    pub(super) bound_at: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_used_at: Option<UnixTime>,
    pub(super) state: FactorState,
    pub(super) kind: FactorKind,
}

/// What is kept of each kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FactorKind {
    Totp(Totp),
    Passkey(Passkey),
}

/// The kinds of factors, as callers name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorType {
    Totp,
    Passkey,
}

impl FactorType {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
        }
    }

    /// Factors of this kind that a user may have.
    pub const fn most(self) -> usize {
        match self {
            Self::Totp => 5,
            Self::Passkey => 10,
        }
    }
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
    /// After 100 consecutive failures, or for a renewal. It verifies nothing, and MFA still counts as on.
    Disabled {
        at: UnixTime,
    },
}

impl Factor {
    pub(super) const fn new(
        id: FactorId,
        name: Option<Sealed>,
        state: FactorState,
        kind: FactorKind,
        now: UnixTime,
    ) -> Self {
        Self {
            id,
            name,
            bound_at: now,
            last_used_at: None,
            state,
            kind,
        }
    }

    pub(super) fn place<'a>(id: &'a FactorId, field: &'static str) -> Place<'a> {
        let object = id.as_str();
        Place { object, field }
    }

    pub(super) const fn factor_type(&self) -> FactorType {
        match self.kind {
            FactorKind::Totp(_) => FactorType::Totp,
            FactorKind::Passkey(_) => FactorType::Passkey,
        }
    }

    /// What its user calls it.
    pub(super) fn name(&self, vault: Vault<'_>) -> Result<Option<String>, SealError> {
        let Some(sealed) = &self.name else {
            return Ok(None);
        };
        let bytes = vault.open(Self::place(&self.id, NAME), sealed)?;
        let name = String::from_utf8(bytes).map_err(|_| SealError::Malformed)?;
        Ok(Some(name))
    }

    pub(super) fn sealed_name(
        id: &FactorId,
        vault: Vault<'_>,
        name: Option<&str>,
    ) -> Result<Option<Sealed>, SealError> {
        let seal = |name: &str| vault.seal(Self::place(id, NAME), name.as_bytes());
        name.map(seal).transpose()
    }

    pub(super) fn set_name(
        &mut self,
        vault: Vault<'_>,
        name: Option<&str>,
    ) -> Result<(), SealError> {
        self.name = Self::sealed_name(&self.id, vault, name)?;
        Ok(())
    }

    /// With every sealed value under the current key.
    pub(super) fn reseal(&mut self, vault: Vault<'_>) -> Result<(), SealError> {
        if let Some(name) = self.name.take() {
            self.name = Some(vault.reseal(Self::place(&self.id, NAME), name)?);
        }
        match &mut self.kind {
            FactorKind::Totp(totp) => totp.reseal(&self.id, vault),
            FactorKind::Passkey(passkey) => passkey.reseal(&self.id, vault),
        }
    }

    /// Whether what it is proved by opens.
    pub(super) fn opens(&self, vault: Vault<'_>) -> bool {
        match &self.kind {
            FactorKind::Totp(totp) => totp.secret(&self.id, vault).is_ok(),
            FactorKind::Passkey(passkey) => passkey.credential(&self.id, vault).is_ok(),
        }
    }

    /// It as an authenticator app, if it is one.
    pub(super) const fn app(&self) -> Option<App<'_>> {
        match &self.kind {
            FactorKind::Totp(totp) => Some(App { factor: self, totp }),
            FactorKind::Passkey(_) => None,
        }
    }

    pub(super) const fn is_app(&self) -> bool {
        matches!(self.kind, FactorKind::Totp(_))
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

    /// Whether it may verify at `now`.
    pub(super) fn is_usable(&self, now: UnixTime) -> bool {
        self.is_active() || self.is_pending(now)
    }
}
