//! Binding and removing authenticators and recovery codes.

use super::Account;
use super::factor::{Factor, FactorState, NAME, SECRET};
use crate::domain::codes::totp::Parameters;
use crate::domain::crypto::random;
use crate::domain::crypto::sealing::{SealError, Sealed, Vault};
use crate::domain::ids::FactorId;
use crate::domain::method::Class;
use crate::domain::time::UnixTime;

/// Seconds a shown secret waits for its first code (63B-4 §4.1.2.2).
pub const PENDING_LIFETIME: u64 = 600;

/// Seconds after the first confirmation in which the first recovery codes need no further proof.
const FIRST_CODES_WITHIN: u64 = 600;

/// A new secret to bind: always freshly drawn, never an earlier one (TOTP-14).
pub struct Enrolment {
    pub factor_id: FactorId,
    pub parameters: Parameters,
    /// The account name the app shows.
    pub name: String,
    /// Shown once, in the answer to this request.
    pub secret: Vec<u8>,
    sealed_name: Sealed,
    sealed_secret: Sealed,
    confirm: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolmentError {
    AlreadyRegistered,
    NotEnabled,
}

impl Enrolment {
    /// Draws a secret and seals it. With `confirm` it counts only once a code of it was verified.
    pub fn draw(
        vault: Vault<'_>,
        name: String,
        parameters: Parameters,
        confirm: bool,
    ) -> Result<Self, SealError> {
        let secret = random::vec(parameters.algorithm.secret_bytes())?;
        Self::new(vault, name, parameters, secret, confirm)
    }

    pub fn new(
        vault: Vault<'_>,
        name: String,
        parameters: Parameters,
        secret: Vec<u8>,
        confirm: bool,
    ) -> Result<Self, SealError> {
        let factor_id = FactorId::draw()?;
        let seal = |field, text: &[u8]| vault.seal(Factor::place(&factor_id, field), text);
        let (sealed_name, sealed_secret) = (seal(NAME, name.as_bytes())?, seal(SECRET, &secret)?);
        Ok(Self {
            factor_id,
            parameters,
            name,
            secret,
            sealed_name,
            sealed_secret,
            confirm,
        })
    }

    fn into_factor(self, now: UnixTime) -> Factor {
        let state = if self.confirm {
            FactorState::Pending {
                expires_at: now.plus(PENDING_LIFETIME),
            }
        } else {
            FactorState::Active { confirmed_at: now }
        };
        Factor {
            id: self.factor_id,
            name: Some(self.sealed_name),
            label: None,
            secret: self.sealed_secret,
            parameters: self.parameters,
            last_step: None,
            bound_at: now,
            state,
        }
    }
}

/// What the QR code of a pending factor shows.
pub struct PendingSecret {
    pub name: String,
    pub secret: Vec<u8>,
    pub parameters: Parameters,
}

impl Account {
    /// Binds a first authenticator. Registering again replaces what is still pending, and only
    /// that: no factor that counts is lost by it (ATK-11), and no failure count either (RATE-12).
    pub fn enrol(&mut self, enrolment: Enrolment, now: UnixTime) -> Result<(), EnrolmentError> {
        if self.mfa_enabled() {
            return Err(EnrolmentError::AlreadyRegistered);
        }
        self.factors.clear();
        self.disabled_at = None;
        self.enrolled_at = (!enrolment.confirm).then_some(now);
        self.factors.push(enrolment.into_factor(now));
        Ok(())
    }

    /// Binds a new secret beside the present one, which dies when the new one is confirmed, or now
    /// with `revoke_current` (decision 27). MFA counts as on throughout.
    pub fn renew(
        &mut self,
        enrolment: Enrolment,
        revoke_current: bool,
        now: UnixTime,
    ) -> Result<(), EnrolmentError> {
        if !self.mfa_enabled() {
            return Err(EnrolmentError::NotEnabled);
        }
        self.factors.retain(Factor::counts);
        if revoke_current {
            for factor in &mut self.factors {
                factor.state = FactorState::Disabled { at: now };
            }
            self.challenges.clear();
            // What the failures were guesses at is dead. Were their lock to go on, whoever guesses at
            // a stolen device could keep its owner from binding the next one. The day's count goes on:
            // who may renew must not guess without end.
            self.counters.of_mut(Class::Totp).reset();
        }
        self.factors.push(enrolment.into_factor(now));
        Ok(())
    }

    /// Whether the first recovery codes may be made without another proof: the user has none yet, and the
    /// first code of a first factor was the proof, not long ago.
    pub fn just_enrolled(&self, now: UnixTime) -> bool {
        let recently = |enrolled: UnixTime| now.seconds_from(enrolled) < FIRST_CODES_WITHIN;
        self.recovery.is_none() && self.enrolled_at.is_some_and(recently)
    }

    /// The name and parameters of the app the user has, for its successor to keep.
    pub fn present_app(&self, vault: Vault<'_>) -> Result<(String, Parameters), SealError> {
        Ok(match self.factors.iter().find(|factor| factor.counts()) {
            Some(factor) => (factor.name(vault)?, factor.parameters),
            None => (vault.owner.user.as_str().to_owned(), Parameters::default()),
        })
    }

    /// Turns MFA off: factors, codes under way and recovery codes are gone at once (ENR-08).
    /// Failure counts stay, or turning off and on would be a way to guess on (RATE-12).
    pub fn disable(&mut self, now: UnixTime) {
        self.factors.clear();
        self.challenges.clear();
        self.spent.clear();
        self.recovery = None;
        self.enrolled_at = None;
        self.disabled_at.get_or_insert(now);
    }

    /// The pending secret of that id, while its QR code may be shown: not once it is confirmed,
    /// replaced or expired (ENR-01, ENR-05).
    pub fn pending_secret(
        &self,
        vault: Vault<'_>,
        id: &FactorId,
        now: UnixTime,
    ) -> Result<Option<PendingSecret>, SealError> {
        let Some(factor) = self.pending(now).filter(|factor| factor.id == *id) else {
            return Ok(None);
        };
        Ok(Some(PendingSecret {
            name: factor.name(vault)?,
            secret: factor.secret(vault)?,
            parameters: factor.parameters,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::tests::{Fixture, NOW};
    use super::*;
    use crate::domain::codes::numeric::Digits;

    #[test]
    fn totp_15_a_pending_factor_does_not_count_and_expires() {
        let mut fixture = Fixture::empty();
        let enrolment = fixture.enrolment(true);
        let id = enrolment.factor_id.clone();
        fixture.account.enrol(enrolment, NOW).unwrap();
        assert_eq!(fixture.account.state(NOW.plus(599)), State::Pending);
        assert!(!fixture.account.mfa_enabled());
        let shown = |now| {
            fixture
                .account
                .pending_secret(fixture.vault(), &id, now)
                .unwrap()
        };
        assert_eq!(shown(NOW.plus(599)).unwrap().secret, fixture.secret);
        assert!(shown(NOW.plus(600)).is_none());
        assert_eq!(fixture.account.state(NOW.plus(600)), State::None);
    }

    #[test]
    fn registering_again_replaces_a_pending_factor_and_never_an_active_one() {
        let mut fixture = Fixture::empty();
        let (first, second) = (fixture.enrolment(true), fixture.enrolment(true));
        let (first_id, second_id) = (first.factor_id.clone(), second.factor_id.clone());
        fixture.account.enrol(first, NOW).unwrap();
        fixture.account.enrol(second, NOW).unwrap();
        let shown = |id| {
            fixture
                .account
                .pending_secret(fixture.vault(), id, NOW)
                .unwrap()
                .is_some()
        };
        assert!(!shown(&first_id) && shown(&second_id));

        let mut fixture = Fixture::active();
        let enrolment = fixture.enrolment(true);
        assert_eq!(
            fixture.account.enrol(enrolment, NOW),
            Err(EnrolmentError::AlreadyRegistered)
        );
    }

    #[test]
    fn renewing_keeps_mfa_on_and_needs_a_factor() {
        let mut fixture = Fixture::empty();
        let enrolment = fixture.enrolment(true);
        assert_eq!(
            fixture.account.renew(enrolment, false, NOW),
            Err(EnrolmentError::NotEnabled)
        );
        for revoke_current in [false, true] {
            let mut fixture = Fixture::active();
            let enrolment = fixture.enrolment(true);
            fixture
                .account
                .renew(enrolment, revoke_current, NOW)
                .unwrap();
            assert!(fixture.account.mfa_enabled());
            assert_eq!(fixture.account.has_active_totp(), !revoke_current);
        }
    }

    #[test]
    fn the_present_app_is_the_one_that_counts() {
        let mut fixture = Fixture::empty();
        let present_app = |fixture: &Fixture| {
            let app = fixture.account.present_app(fixture.vault());
            app.unwrap()
        };
        let parameters = Parameters {
            digits: Digits::EIGHT,
            ..Parameters::default()
        };
        let enrolment = |fixture: &Fixture, name: &str, parameters, confirm| {
            let secret = fixture.secret.clone();
            Enrolment::new(
                fixture.vault(),
                name.to_owned(),
                parameters,
                secret,
                confirm,
            )
            .unwrap()
        };
        let pending = enrolment(&fixture, "not yet", parameters, true);
        fixture.account.enrol(pending, NOW).unwrap();
        let of_nobody = ("ann".to_owned(), Parameters::default());
        assert_eq!(present_app(&fixture), of_nobody);

        let active = enrolment(&fixture, "Ann's phone", parameters, false);
        fixture.account.enrol(active, NOW).unwrap();
        let twin = enrolment(&fixture, "not yet", Parameters::default(), true);
        fixture.account.renew(twin, false, NOW).unwrap();
        let present = ("Ann's phone".to_owned(), parameters);
        assert_eq!(present_app(&fixture), present);
    }

    #[test]
    fn disabling_leaves_nothing_and_may_be_repeated() {
        let mut fixture = Fixture::active();
        fixture.replace_recovery_codes();
        fixture.account.disable(NOW);
        fixture.account.disable(NOW.plus(9));
        assert_eq!(fixture.account.state(NOW), State::Disabled);
        assert!(!fixture.account.mfa_enabled());
        assert_eq!(fixture.account.recovery_codes_remaining(), 0);
        assert_eq!(fixture.account.disabled_at, Some(NOW));
    }
}
