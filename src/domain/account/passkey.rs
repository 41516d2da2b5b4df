//! Passkeys of an account: what was asked of a browser, and the credentials that came of it.

use serde::{Deserialize, Serialize};

use super::Account;
use super::challenge::Challenge;
use super::enrolment::FactorError;
use super::factor::{Factor, FactorKind, FactorState, FactorType};
use crate::domain::crypto::random::{self, RandomError};
use crate::domain::crypto::sealing::{SealError, Sealed, Vault};
use crate::domain::ids::{ChallengeId, FactorId};
use crate::domain::method::Method;
use crate::domain::time::UnixTime;
use crate::domain::webauthn::assertion::{self, Assertion};
use crate::domain::webauthn::client_data::Ceremony;
use crate::domain::webauthn::registration;
use crate::domain::webauthn::{
    AssertionResponse, Base64Url, Credential, Refusal, RegistrationResponse, RelyingParty,
    Unverified,
};

const CREDENTIAL: &str = "credential";

/// What is kept of a passkey. Nothing of it is secret. It is sealed all the same: who can write to the database, and
/// has no key, must not be able to give anybody a passkey of theirs (decision 71).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passkey {
    credential: Sealed,
}

/// A ceremony that waits for its answer. It is the user's whose account it stands in, and serves one attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyChallenge {
    pub id: ChallengeId,
    pub(super) ceremony: Ceremony,
    challenge: Base64Url,
    pub(super) expires_at: UnixTime,
}

/// By what authenticators know a user: it says nothing about anybody (Web Authentication §14.6.1). It outlives the
/// factors, so that a passkey made anew takes the place of the former one in its authenticator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct UserHandle(Base64Url);

/// Why a ceremony came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CeremonyError {
    Refused(Refusal),
    Unreadable(SealError),
}

impl From<Refusal> for CeremonyError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<SealError> for CeremonyError {
    fn from(error: SealError) -> Self {
        Self::Unreadable(error)
    }
}

impl Passkey {
    fn new(id: &FactorId, vault: Vault<'_>, credential: &Credential) -> Result<Self, SealError> {
        let text = serde_json::to_vec(credential).map_err(|_| SealError::Malformed)?;
        let credential = vault.seal(Factor::place(id, CREDENTIAL), &text)?;
        Ok(Self { credential })
    }

    pub(super) fn credential(
        &self,
        id: &FactorId,
        vault: Vault<'_>,
    ) -> Result<Credential, SealError> {
        let text = vault.open(Factor::place(id, CREDENTIAL), &self.credential)?;
        serde_json::from_slice(&text).map_err(|_| SealError::Malformed)
    }

    pub(super) fn reseal(&mut self, id: &FactorId, vault: Vault<'_>) -> Result<(), SealError> {
        let place = Factor::place(id, CREDENTIAL);
        self.credential = vault.reseal(place, self.credential.clone())?;
        Ok(())
    }
}

impl PasskeyChallenge {
    /// Seconds a browser has to answer.
    pub const LIFETIME: u32 = 300;

    /// 32 random bytes, twice as many as the standard asks for (§13.4.3).
    pub fn draw(ceremony: Ceremony, now: UnixTime) -> Result<Self, RandomError> {
        Ok(Self {
            id: ChallengeId::draw()?,
            ceremony,
            challenge: Base64Url(random::vec(32)?),
            expires_at: now.plus(Self::LIFETIME.into()),
        })
    }

    /// What the browser is to have signed.
    pub fn bytes(&self) -> &[u8] {
        &self.challenge.0
    }
}

impl Account {
    /// The user's handle, drawn when it is first asked for.
    pub fn user_handle(&mut self) -> Result<Vec<u8>, RandomError> {
        let handle = match self.user_handle.take() {
            Some(handle) => handle,
            None => UserHandle(Base64Url(random::vec(32)?)),
        };
        Ok(self.user_handle.insert(handle).0.0.clone())
    }

    /// The passkeys that count, with the factor each is.
    fn passkeys<'a>(
        &'a self,
        vault: Vault<'a>,
    ) -> impl Iterator<Item = Result<(&'a FactorId, Credential), SealError>> {
        let active = self.factors.iter().filter(|factor| factor.is_active());
        active.filter_map(move |factor| match &factor.kind {
            FactorKind::Passkey(passkey) => {
                let opened = passkey.credential(&factor.id, vault);
                Some(opened.map(|credential| (&factor.id, credential)))
            }
            FactorKind::Totp(_) => None,
        })
    }

    pub fn credentials(&self, vault: Vault<'_>) -> Result<Vec<Credential>, SealError> {
        self.passkeys(vault)
            .map(|opened| opened.map(|(_, credential)| credential))
            .collect()
    }

    /// What is kept of the passkey of that id, if it is one.
    pub fn credential(
        &self,
        vault: Vault<'_>,
        id: &FactorId,
    ) -> Result<Option<Credential>, SealError> {
        let factor = self.factors.iter().find(|factor| factor.id == *id);
        match factor.map(|factor| &factor.kind) {
            Some(FactorKind::Passkey(passkey)) => passkey.credential(id, vault).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether another passkey may be made, before anybody is asked to.
    pub fn refuse_another_passkey(&self) -> Result<(), FactorError> {
        self.refuse_if_full(FactorType::Passkey)
    }

    /// Waits for the answer to a ceremony, and no longer for that to an earlier one of its kind.
    pub fn open_ceremony(&mut self, challenge: PasskeyChallenge, now: UnixTime) {
        self.await_answer(Challenge::Passkey(challenge), now);
    }

    /// The challenge of that id, if it lives and is of that ceremony.
    fn ceremony(
        &self,
        id: &ChallengeId,
        ceremony: Ceremony,
        now: UnixTime,
    ) -> Result<&PasskeyChallenge, Refusal> {
        let mut open = self.challenges.iter().filter_map(Challenge::passkey);
        let found = open.find(|challenge| challenge.id == *id);
        found
            .filter(|challenge| challenge.ceremony == ceremony && challenge.expires_at > now)
            .ok_or(Refusal::Challenge)
    }

    /// All of a registration but its signature.
    pub fn check_registration(
        &self,
        party: &RelyingParty<'_>,
        id: &ChallengeId,
        response: RegistrationResponse,
        now: UnixTime,
    ) -> Result<Unverified<Credential>, Refusal> {
        let challenge = self.ceremony(id, Ceremony::Registration, now)?;
        registration::check(party, challenge.bytes(), response)
    }

    /// All of an assertion but its signature. Only a passkey of this user can be what made it.
    pub fn check_assertion(
        &self,
        vault: Vault<'_>,
        party: &RelyingParty<'_>,
        id: &ChallengeId,
        response: &AssertionResponse,
        now: UnixTime,
    ) -> Result<Unverified<Assertion>, CeremonyError> {
        let challenge = self.ceremony(id, Ceremony::Assertion, now)?;
        let credentials = self.credentials(vault)?;
        let handle = self.user_handle.as_ref();
        let handle = handle.map_or(&[][..], |handle| &handle.0.0);
        let checked = assertion::check(party, challenge.bytes(), handle, &credentials, response)?;
        Ok(checked)
    }

    /// Uses a ceremony up, whatever it came to: nobody gets a second try at one challenge. Whether it was there.
    pub fn spend_ceremony(&mut self, id: &ChallengeId) -> bool {
        let mut open = self.challenges.iter().filter_map(Challenge::passkey);
        let is_one = open.any(|challenge| challenge.id == *id);
        is_one && self.take_challenge(id).is_some()
    }

    /// Binds a passkey, which counts at once: its registration was the proof. The user must not have it already;
    /// that nobody else has is for who stores it to see to.
    pub fn add_passkey(
        &mut self,
        vault: Vault<'_>,
        credential: &Credential,
        name: Option<&str>,
        now: UnixTime,
    ) -> Result<FactorId, FactorError> {
        self.refuse_if_full(FactorType::Passkey)?;
        for other in self.passkeys(vault) {
            if other?.1.id == credential.id {
                return Err(FactorError::PasskeyTaken);
            }
        }
        let first = !self.mfa_enabled();
        let id = FactorId::draw().map_err(SealError::from)?;
        let passkey = FactorKind::Passkey(Passkey::new(&id, vault, credential)?);
        let state = FactorState::Active { confirmed_at: now };
        let name = Factor::sealed_name(&id, vault, name)?;
        let factor = Factor::new(id.clone(), name, state, passkey, now);
        self.factors.push(factor);
        self.refuse_if_too_large(FactorType::Passkey)?;
        self.confirmed(first, None, now);
        Ok(id)
    }

    /// A signature held: what its authenticator said is kept, and the user is verified. It ends no row of failures,
    /// since none is of its class.
    pub fn accept_assertion(
        &mut self,
        vault: Vault<'_>,
        assertion: &Assertion,
        now: UnixTime,
    ) -> Result<Option<FactorId>, SealError> {
        let mut id = None;
        for passkey in self.passkeys(vault) {
            let (factor, credential) = passkey?;
            if credential.id == assertion.credential.id {
                id = Some(factor.clone());
            }
        }
        let mut factors = self.factors.iter_mut();
        let Some(factor) = factors.find(|factor| Some(&factor.id) == id.as_ref()) else {
            return Ok(None);
        };
        let passkey = Passkey::new(&factor.id, vault, &assertion.credential)?;
        factor.kind = FactorKind::Passkey(passkey);
        factor.last_used_at = Some(now);
        self.succeed(Method::Passkey, now);
        Ok(id)
    }
}
