//! An authenticator app: its secret and what was made of it.

use serde::{Deserialize, Serialize};

use super::factor::Factor;
use crate::domain::codes::totp::{Parameters, Step};
use crate::domain::crypto::sealing::{SealError, Sealed, Vault};
use crate::domain::ids::FactorId;
use crate::domain::time::UnixTime;

pub(super) const SECRET: &str = "secret";
pub(super) const ACCOUNT_NAME: &str = "name";

/// What is kept of an authenticator app.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Totp {
    /// The account name the app shows. Sealed, since it often is an e-mail address.
    #[serde(default)]
    pub(super) account_name: Option<Sealed>,
    /// The name in rows from before it was sealed; storing one seals it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    pub(super) secret: Sealed,
    pub(super) parameters: Parameters,
    /// The greatest step a code of which was accepted; it and all before it are used up.
    pub(super) last_step: Option<Step>,
    /// The app this one is to take the place of, once its first code was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replaces: Option<FactorId>,
}

/// A factor that is an authenticator app.
#[derive(Debug, Clone, Copy)]
pub(super) struct App<'a> {
    pub(super) factor: &'a Factor,
    pub(super) totp: &'a Totp,
}

impl Totp {
    pub(super) fn secret(&self, id: &FactorId, vault: Vault<'_>) -> Result<Vec<u8>, SealError> {
        vault.open(Factor::place(id, SECRET), &self.secret)
    }

    pub(super) fn reseal(&mut self, id: &FactorId, vault: Vault<'_>) -> Result<(), SealError> {
        let (secret, name) = (Factor::place(id, SECRET), Factor::place(id, ACCOUNT_NAME));
        self.secret = vault.reseal(secret, self.secret.clone())?;
        self.account_name = match (self.account_name.take(), self.label.take()) {
            (Some(sealed), _) => Some(vault.reseal(name, sealed)?),
            (None, Some(label)) => Some(vault.seal(name, label.as_bytes())?),
            (None, None) => None,
        };
        Ok(())
    }
}

impl App<'_> {
    pub(super) fn secret(self, vault: Vault<'_>) -> Result<Vec<u8>, SealError> {
        self.totp.secret(&self.factor.id, vault)
    }

    /// The account name the app shows.
    pub(super) fn account_name(self, vault: Vault<'_>) -> Result<String, SealError> {
        let Some(sealed) = &self.totp.account_name else {
            return self.totp.label.clone().ok_or(SealError::Malformed);
        };
        let bytes = vault.open(Factor::place(&self.factor.id, ACCOUNT_NAME), sealed)?;
        String::from_utf8(bytes).map_err(|_| SealError::Malformed)
    }

    /// Whether a code of that step was not used, nor one of a later step.
    pub(super) fn is_fresh(self, step: Step) -> bool {
        self.totp.last_step.is_none_or(|last| step > last)
    }

    /// When the first step that is not used up begins.
    pub(super) fn next_step_at(self, now: UnixTime) -> UnixTime {
        let Totp {
            parameters,
            last_step,
            ..
        } = self.totp;
        let last = last_step.unwrap_or_else(|| parameters.step_at(now));
        parameters.start_of_next(last)
    }
}
