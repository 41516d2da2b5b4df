//! Binding, renewing and removing factors.

use super::Account;
use super::app::{ACCOUNT_NAME, App, SECRET, Totp};
use super::challenge::Challenge;
use super::factor::{Factor, FactorKind, FactorState, FactorType};
use crate::domain::codes::totp::Parameters;
use crate::domain::crypto::random;
use crate::domain::crypto::sealing::{SealError, Sealed, Vault};
use crate::domain::ids::FactorId;
use crate::domain::method::Class;
use crate::domain::time::UnixTime;

/// Seconds a shown secret waits for its first code (63B-4 §4.1.2.2).
pub const PENDING_LIFETIME: u64 = 600;

/// Bytes that a user's factors may have as they are stored. Sixteen of the usual sizes have 12 KB.
const ROOM_FOR_FACTORS: usize = 14 * 1024;

/// Seconds after the first confirmation in which the first recovery codes need no further proof.
const FIRST_CODES_WITHIN: u64 = 600;

/// A new authenticator app to bind. Its secret is always freshly drawn, never an earlier one (TOTP-14).
pub struct Enrolment {
    pub factor_id: FactorId,
    pub parameters: Parameters,
    /// The account name the app shows.
    pub account_name: String,
    /// Shown once, in the answer to this request.
    pub secret: Vec<u8>,
    /// What its user calls it.
    name: Option<Sealed>,
    sealed_name: Sealed,
    sealed_secret: Sealed,
    confirm: bool,
}

/// Why a user's factors stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactorError {
    AlreadyRegistered,
    /// The user has this very passkey.
    PasskeyTaken,
    NotEnabled,
    /// The user has as many of this kind as there may be.
    TooMany(FactorType),
    NoSuchFactor,
    /// There is no authenticator app to renew.
    NoApp,
    /// Nobody said which of several apps is to be renewed.
    WhichApp,
    /// Without it MFA would be off, or on with nothing to prove it by.
    Last,
    Unreadable(SealError),
}

impl From<SealError> for FactorError {
    fn from(error: SealError) -> Self {
        Self::Unreadable(error)
    }
}

/// What a renewed app has in common with its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentApp {
    /// What its user calls it.
    pub name: Option<String>,
    /// The account name the app shows.
    pub account_name: String,
    pub parameters: Parameters,
}

impl Enrolment {
    /// Draws a secret and seals it. With `confirm` it counts only once a code of it was verified.
    pub fn draw(
        vault: Vault<'_>,
        account_name: String,
        parameters: Parameters,
        confirm: bool,
    ) -> Result<Self, SealError> {
        let secret = random::vec(parameters.algorithm.secret_bytes())?;
        Self::new(vault, account_name, parameters, secret, confirm)
    }

    pub fn new(
        vault: Vault<'_>,
        account_name: String,
        parameters: Parameters,
        secret: Vec<u8>,
        confirm: bool,
    ) -> Result<Self, SealError> {
        let factor_id = FactorId::draw()?;
        let seal = |field, text: &[u8]| vault.seal(Factor::place(&factor_id, field), text);
        let sealed_name = seal(ACCOUNT_NAME, account_name.as_bytes())?;
        let sealed_secret = seal(SECRET, &secret)?;
        Ok(Self {
            factor_id,
            parameters,
            account_name,
            secret,
            name: None,
            sealed_name,
            sealed_secret,
            confirm,
        })
    }

    /// With the name its user calls it by.
    pub fn named(mut self, vault: Vault<'_>, name: Option<&str>) -> Result<Self, SealError> {
        self.name = Factor::sealed_name(&self.factor_id, vault, name)?;
        Ok(self)
    }

    fn into_factor(self, replaces: Option<FactorId>, now: UnixTime) -> Factor {
        let state = if self.confirm {
            FactorState::Pending {
                expires_at: now.plus(PENDING_LIFETIME),
            }
        } else {
            FactorState::Active { confirmed_at: now }
        };
        let app = Totp {
            account_name: Some(self.sealed_name),
            label: None,
            secret: self.sealed_secret,
            parameters: self.parameters,
            last_step: None,
            replaces,
        };
        let kind = FactorKind::Totp(app);
        Factor::new(self.factor_id, self.name, state, kind, now)
    }
}

/// What the QR code of a pending factor shows.
pub struct PendingSecret {
    pub account_name: String,
    pub secret: Vec<u8>,
    pub parameters: Parameters,
}

impl Account {
    /// Binds a first authenticator app. Registering again replaces what is still pending, and only
    /// that: no factor that counts is lost by it (ATK-11), and no failure count either (RATE-12).
    pub fn enrol(&mut self, enrolment: Enrolment, now: UnixTime) -> Result<(), FactorError> {
        if self.mfa_enabled() {
            return Err(FactorError::AlreadyRegistered);
        }
        self.add_app(enrolment, now)
    }

    /// Binds an authenticator app beside whatever the user has. It replaces another that is still pending: only one
    /// waits at a time, so that no more of them can be guessed at than a user may have, and one.
    pub fn add_app(&mut self, enrolment: Enrolment, now: UnixTime) -> Result<(), FactorError> {
        self.refuse_if_full(FactorType::Totp)?;
        let first = !self.mfa_enabled();
        self.factors.retain(Factor::counts);
        if first {
            self.disabled_at = None;
            self.enrolled_at = None;
        }
        let counts = !enrolment.confirm;
        self.factors.push(enrolment.into_factor(None, now));
        self.refuse_if_too_large(FactorType::Totp)?;
        if counts {
            self.end_trust();
            self.begin_to_count(first, now);
        }
        Ok(())
    }

    /// Binds a new secret beside the present one of that app, which dies when the new one is confirmed, or now with
    /// `revoke_current` (decision 27). MFA counts as on throughout.
    pub fn renew(
        &mut self,
        enrolment: Enrolment,
        app: Option<&FactorId>,
        revoke_current: bool,
        now: UnixTime,
    ) -> Result<(), FactorError> {
        let present = self.app_to_renew(app)?.factor.id.clone();
        self.factors.retain(Factor::counts);
        if revoke_current {
            self.revoke(&present, now);
        }
        self.factors.push(enrolment.into_factor(Some(present), now));
        Ok(())
    }

    /// The app that is meant, or the only one. One that failures disabled is as good as any.
    fn app_to_renew(&self, id: Option<&FactorId>) -> Result<App<'_>, FactorError> {
        if !self.mfa_enabled() {
            return Err(FactorError::NotEnabled);
        }
        let counting = self.factors.iter().filter(|factor| factor.counts());
        let mut apps = counting.filter_map(Factor::app);
        match id {
            Some(id) => apps
                .find(|app| app.factor.id == *id)
                .ok_or(FactorError::NoSuchFactor),
            None => match (apps.next(), apps.next()) {
                (Some(app), None) => Ok(app),
                (Some(_), Some(_)) => Err(FactorError::WhichApp),
                (None, _) => Err(FactorError::NoApp),
            },
        }
    }

    /// Ends an app for good, without waiting for its successor.
    fn revoke(&mut self, id: &FactorId, now: UnixTime) {
        let mut factors = self.factors.iter_mut();
        if let Some(factor) = factors.find(|factor| factor.id == *id) {
            factor.state = FactorState::Disabled { at: now };
        }
        self.challenges.clear();
        self.end_trust();
        // What the failures were guesses at is dead. Were their lock to go on, whoever guesses at a stolen device
        // could keep its owner from binding the next one. The day's count goes on: who may renew must not guess
        // without end. And where another app lives, they were guesses at that as well.
        if !self.has_active_totp() {
            self.counters.of_mut(Class::Totp).reset();
        }
    }

    /// The names and parameters of the app that is to be renewed, for its successor to keep.
    pub fn present_app(
        &self,
        vault: Vault<'_>,
        id: Option<&FactorId>,
    ) -> Result<PresentApp, FactorError> {
        let app = self.app_to_renew(id)?;
        Ok(PresentApp {
            name: app.factor.name(vault)?,
            account_name: app.account_name(vault)?,
            parameters: app.totp.parameters,
        })
    }

    /// Gives a factor a name, or takes it away.
    pub fn rename_factor(
        &mut self,
        vault: Vault<'_>,
        id: &FactorId,
        name: Option<&str>,
    ) -> Result<(), FactorError> {
        let mut factors = self.factors.iter_mut();
        let factor = factors.find(|factor| factor.id == *id);
        let factor = factor.ok_or(FactorError::NoSuchFactor)?;
        factor.set_name(vault, name)?;
        let kind = factor.factor_type();
        self.refuse_if_too_large(kind)
    }

    /// Removes a factor. The last one that can be proved stays, and so does the last one at all: turning MFA off is
    /// another request. What it was is the answer.
    pub fn remove_factor(&mut self, id: &FactorId) -> Result<FactorType, FactorError> {
        let (removed, rest): (Vec<&Factor>, Vec<&Factor>) =
            self.factors.iter().partition(|factor| factor.id == *id);
        let Some(factor) = removed.first() else {
            return Err(FactorError::NoSuchFactor);
        };
        let another = |kind: fn(&Factor) -> bool| rest.iter().any(|factor| kind(factor));
        let is_last = (factor.is_active() && !another(Factor::is_active))
            || (factor.counts() && !another(Factor::counts));
        if is_last {
            return Err(FactorError::Last);
        }
        let removed = factor.factor_type();
        self.factors.retain(|factor| {
            let twin = factor
                .app()
                .is_some_and(|app| app.totp.replaces.as_ref() == Some(id));
            factor.id != *id && !twin
        });
        self.challenges.clear();
        self.end_trust();
        Ok(removed)
    }

    /// Another factor of that kind may be bound.
    pub(super) fn refuse_if_full(&self, kind: FactorType) -> Result<(), FactorError> {
        let counting = self.factors.iter().filter(|factor| factor.counts());
        if counting
            .filter(|factor| factor.factor_type() == kind)
            .count()
            >= kind.most()
        {
            return Err(FactorError::TooMany(kind));
        }
        Ok(())
    }

    /// A row stays under 32 KB, whatever else it holds at its bound: counters, codes, challenges, browsers.
    pub(super) fn refuse_if_too_large(&self, kind: FactorType) -> Result<(), FactorError> {
        let stored = serde_json::to_vec(&self.factors).map_err(|_| SealError::Malformed)?;
        if stored.len() > ROOM_FOR_FACTORS {
            return Err(FactorError::TooMany(kind));
        }
        Ok(())
    }

    /// A pending app was proved: the one it replaces dies now, not before (TOTP-14), and with it every code
    /// under way (REC-14).
    pub(super) fn confirmed(&mut self, first: bool, replaced: Option<&FactorId>, now: UnixTime) {
        self.factors.retain(|factor| Some(&factor.id) != replaced);
        self.challenges.clear();
        self.end_trust();
        self.begin_to_count(first, now);
    }

    /// A factor counts from now on; `first`: where none did before.
    pub(super) fn begin_to_count(&mut self, first: bool, now: UnixTime) {
        if !first {
            return;
        }
        self.disabled_at = None;
        self.enrolled_at = Some(now);
        // What was begun while nothing was asked for must not be ended now that something may be.
        self.factors.retain(Factor::counts);
        self.challenges
            .retain(|challenge| matches!(challenge, Challenge::Delivered(_)));
    }

    /// Whether the first recovery codes may be made without another proof: the user has none yet, and the
    /// first proof of a first factor was proof enough, not long ago.
    pub fn just_enrolled(&self, now: UnixTime) -> bool {
        let recently = |enrolled: UnixTime| now.seconds_from(enrolled) < FIRST_CODES_WITHIN;
        self.recovery.is_none() && self.enrolled_at.is_some_and(recently)
    }

    /// Turns MFA off: factors, codes under way and recovery codes are gone at once (ENR-08).
    /// Failure counts stay, or turning off and on would be a way to guess on (RATE-12).
    pub fn disable(&mut self, now: UnixTime) {
        self.factors.clear();
        self.challenges.clear();
        self.spent.clear();
        self.links.clear();
        self.recovery = None;
        self.end_trust();
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
        let pending = self.pending(now).filter(|factor| factor.id == *id);
        let Some(app) = pending.and_then(Factor::app) else {
            return Ok(None);
        };
        Ok(Some(PendingSecret {
            account_name: app.account_name(vault)?,
            secret: app.secret(vault)?,
            parameters: app.totp.parameters,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixture, NOW};
    use super::super::{PasskeyChallenge, State};
    use super::*;
    use crate::domain::codes::numeric::Digits;
    use crate::domain::webauthn::client_data::Ceremony;

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
            Err(FactorError::AlreadyRegistered)
        );
    }

    #[test]
    fn renewing_keeps_mfa_on_and_needs_a_factor() {
        let mut fixture = Fixture::empty();
        let enrolment = fixture.enrolment(true);
        assert_eq!(
            fixture.account.renew(enrolment, None, false, NOW),
            Err(FactorError::NotEnabled)
        );
        for revoke_current in [false, true] {
            let mut fixture = Fixture::active();
            let enrolment = fixture.enrolment(true);
            fixture
                .account
                .renew(enrolment, None, revoke_current, NOW)
                .unwrap();
            assert!(fixture.account.mfa_enabled());
            assert_eq!(fixture.account.has_active_totp(), !revoke_current);
        }
    }

    #[test]
    fn the_present_app_is_the_one_that_counts() {
        let mut fixture = Fixture::empty();
        let parameters = Parameters {
            digits: Digits::EIGHT,
            ..Parameters::default()
        };
        let enrolment = |fixture: &Fixture, name: &str, parameters, confirm| {
            let secret = fixture.secret.clone();
            let (vault, name) = (fixture.vault(), name.to_owned());
            Enrolment::new(vault, name, parameters, secret, confirm).unwrap()
        };
        let pending = enrolment(&fixture, "not yet", parameters, true);
        fixture.account.enrol(pending, NOW).unwrap();
        let none = fixture.account.present_app(fixture.vault(), None);
        assert_eq!(none, Err(FactorError::NotEnabled));

        let active = enrolment(&fixture, "Ann's phone", parameters, false);
        fixture.account.enrol(active, NOW).unwrap();
        let twin = enrolment(&fixture, "not yet", Parameters::default(), true);
        fixture.account.renew(twin, None, false, NOW).unwrap();
        let present = fixture.account.present_app(fixture.vault(), None);
        let expected = PresentApp {
            name: None,
            account_name: "Ann's phone".to_owned(),
            parameters,
        };
        assert_eq!(present, Ok(expected));
    }

    fn added(fixture: &mut Fixture, confirm: bool) -> FactorId {
        let enrolment = fixture.enrolment(confirm);
        let id = enrolment.factor_id.clone();
        fixture.account.add_app(enrolment, NOW).unwrap();
        id
    }

    fn ids(fixture: &Fixture) -> Vec<FactorId> {
        let factors = fixture.account.factors.iter();
        factors.map(|factor| factor.id.clone()).collect()
    }

    #[test]
    fn with_several_apps_a_renewal_says_which_and_replaces_that_one() {
        let mut fixture = Fixture::active();
        let second = added(&mut fixture, false);
        let first = ids(&fixture)[0].clone();
        let renewal = fixture.enrolment(true);
        let unclear = fixture.account.renew(renewal, None, false, NOW);
        assert_eq!(unclear, Err(FactorError::WhichApp));
        let (renewal, nobody) = (fixture.enrolment(true), FactorId::draw().unwrap());
        let unknown = fixture.account.renew(renewal, Some(&nobody), false, NOW);
        assert_eq!(unknown, Err(FactorError::NoSuchFactor));

        let renewal = fixture.enrolment(true);
        let twin = renewal.factor_id.clone();
        fixture
            .account
            .renew(renewal, Some(&first), false, NOW)
            .unwrap();
        assert_eq!(ids(&fixture), [first.clone(), second.clone(), twin.clone()]);
        fixture.account.confirmed(false, Some(&first), NOW);
        assert_eq!(ids(&fixture), [second, twin]);
    }

    #[test]
    fn one_app_waits_at_a_time() {
        let mut fixture = Fixture::active();
        let first = ids(&fixture)[0].clone();
        added(&mut fixture, true);
        let second = added(&mut fixture, true);
        assert_eq!(ids(&fixture), [first.clone(), second]);
        let renewal = fixture.enrolment(true);
        let twin = renewal.factor_id.clone();
        fixture
            .account
            .renew(renewal, Some(&first), false, NOW)
            .unwrap();
        assert_eq!(ids(&fixture), [first, twin]);
    }

    #[test]
    fn a_renewed_app_that_is_revoked_leaves_the_others_and_their_lock() {
        let mut fixture = Fixture::active();
        let first = ids(&fixture)[0].clone();
        let second = added(&mut fixture, false);
        for _ in 0..5 {
            fixture
                .account
                .counters
                .of_mut(Class::Totp)
                .fail(Class::Totp, NOW);
        }
        let lock = |fixture: &Fixture| fixture.account.locks(NOW).of(Class::Totp);
        let renewal = fixture.enrolment(true);
        fixture
            .account
            .renew(renewal, Some(&first), true, NOW)
            .unwrap();
        assert!(fixture.account.has_active_totp());
        assert!(
            lock(&fixture).is_some(),
            "the guesses were at the other app too"
        );
        let renewal = fixture.enrolment(true);
        fixture
            .account
            .renew(renewal, Some(&second), true, NOW)
            .unwrap();
        assert!(!fixture.account.has_active_totp() && fixture.account.mfa_enabled());
        assert_eq!(lock(&fixture), None);
    }

    #[test]
    fn the_last_factor_that_can_be_proved_is_not_removed_and_neither_is_the_last_that_counts() {
        let mut fixture = Fixture::active();
        let first = ids(&fixture)[0].clone();
        let pending = added(&mut fixture, true);
        assert_eq!(
            fixture.account.remove_factor(&first),
            Err(FactorError::Last)
        );
        assert_eq!(
            fixture.account.remove_factor(&pending),
            Ok(FactorType::Totp)
        );
        assert_eq!(
            fixture.account.remove_factor(&pending),
            Err(FactorError::NoSuchFactor)
        );

        let second = added(&mut fixture, false);
        let renewal = fixture.enrolment(true);
        fixture
            .account
            .renew(renewal, Some(&first), true, NOW)
            .unwrap();
        // The first is worn out and the second is not: only the first may go, and its twin goes with it.
        assert_eq!(
            fixture.account.remove_factor(&second),
            Err(FactorError::Last)
        );
        assert_eq!(fixture.account.remove_factor(&first), Ok(FactorType::Totp));
        assert_eq!(ids(&fixture), std::slice::from_ref(&second));

        let renewal = fixture.enrolment(true);
        fixture
            .account
            .renew(renewal, Some(&second), true, NOW)
            .unwrap();
        assert_eq!(
            fixture.account.remove_factor(&second),
            Err(FactorError::Last)
        );
        assert!(fixture.account.mfa_enabled());
    }

    #[test]
    fn what_was_begun_before_mfa_was_on_is_not_ended_after() {
        let mut fixture = Fixture::empty();
        added(&mut fixture, true);
        let ceremony = PasskeyChallenge::draw(Ceremony::Registration, NOW).unwrap();
        let id = ceremony.id.clone();
        fixture.account.open_ceremony(ceremony, NOW);
        let first = added(&mut fixture, false);
        assert_eq!(ids(&fixture), [first]);
        assert!(!fixture.account.spend_ceremony(&id));
    }

    #[test]
    fn a_factor_is_called_what_its_user_calls_it() {
        let mut fixture = Fixture::active();
        let id = ids(&fixture)[0].clone();
        let name = |fixture: &Fixture| {
            let present = fixture.account.present_app(fixture.vault(), None);
            present.unwrap().name
        };
        assert_eq!(name(&fixture), None);
        let (account, vault) = fixture.account_and_vault();
        account.rename_factor(vault, &id, Some("Phone")).unwrap();
        let stored = account.clone().into_stored(vault).unwrap();
        assert!(!stored.contains("Phone"), "CRY-01");
        assert_eq!(name(&fixture).as_deref(), Some("Phone"));
        let nobody = FactorId::draw().unwrap();
        let (account, vault) = fixture.account_and_vault();
        let unknown = account.rename_factor(vault, &nobody, None);
        assert_eq!(unknown, Err(FactorError::NoSuchFactor));
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
