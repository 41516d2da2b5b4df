//! Factors as their user's application sees them.

use super::factor::{Factor, FactorKind, FactorState, FactorType};
use super::{Account, State};
use crate::domain::crypto::sealing::{SealError, Vault};
use crate::domain::ids::FactorId;
use crate::domain::time::UnixTime;
use crate::domain::webauthn::{Aaguid, Transports};

/// One factor, without what it is proved by.
#[derive(Debug, Clone)]
pub struct FactorView {
    pub id: FactorId,
    pub kind: FactorType,
    /// What its user calls it.
    pub name: Option<String>,
    /// What an app shows beside the client's name.
    pub account_name: Option<String>,
    /// Pending, active or disabled.
    pub state: State,
    pub created_at: UnixTime,
    /// When it began to count. Unknown of one that is disabled.
    pub confirmed_at: Option<UnixTime>,
    pub last_used_at: Option<UnixTime>,
    pub passkey: Option<PasskeyView>,
}

/// What is said of passkeys alone.
#[derive(Debug, Clone)]
pub struct PasskeyView {
    /// Whether there are copies of it, as of its last use.
    pub backed_up: bool,
    pub transports: Transports,
    pub aaguid: Aaguid,
}

impl Account {
    /// All factors, but for what waited in vain.
    pub fn factors(&self, vault: Vault<'_>, now: UnixTime) -> Result<Vec<FactorView>, SealError> {
        let factors = self.factors.iter();
        let there = factors.filter(|factor| factor.counts() || factor.is_pending(now));
        there.map(|factor| view(factor, vault)).collect()
    }

    /// The ids of those that count, which those that wait for a first code do not.
    pub fn factors_that_count(&self) -> Vec<&FactorId> {
        let counting = self.factors.iter().filter(|factor| factor.counts());
        counting.map(|factor| &factor.id).collect()
    }

    pub fn factor(
        &self,
        vault: Vault<'_>,
        id: &FactorId,
        now: UnixTime,
    ) -> Result<Option<FactorView>, SealError> {
        let all = self.factors(vault, now)?;
        Ok(all.into_iter().find(|factor| factor.id == *id))
    }
}

fn view(factor: &Factor, vault: Vault<'_>) -> Result<FactorView, SealError> {
    let (state, confirmed_at) = match factor.state {
        FactorState::Pending { .. } => (State::Pending, None),
        FactorState::Active { confirmed_at } => (State::Active, Some(confirmed_at)),
        FactorState::Disabled { .. } => (State::Disabled, None),
    };
    let passkey = match &factor.kind {
        FactorKind::Totp(_) => None,
        FactorKind::Passkey(passkey) => {
            let credential = passkey.credential(&factor.id, vault)?;
            Some(PasskeyView {
                backed_up: credential.backed_up,
                transports: credential.transports,
                aaguid: credential.aaguid,
            })
        }
    };
    Ok(FactorView {
        id: factor.id.clone(),
        kind: factor.factor_type(),
        name: factor.name(vault)?,
        account_name: factor
            .app()
            .map(|app| app.account_name(vault))
            .transpose()?,
        state,
        created_at: factor.bound_at,
        confirmed_at,
        last_used_at: factor.last_used_at,
        passkey,
    })
}
