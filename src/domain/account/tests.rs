use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::domain::codes::numeric::NumericCode;
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::codes::totp::Algorithm;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::crypto::keys::KeyRing;
use crate::domain::ids::{ClientId, FactorId, Owner, UserId};
use crate::domain::method::{Channel, Purpose};
use crate::domain::webauthn::Credential;
use crate::domain::webauthn::client_data::Ceremony;

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_760_000_010);

/// One user with the keys around it, so that tests read as what happens to an account.
pub(crate) struct Fixture {
    pub keys: KeyRing,
    pub owner: Owner,
    pub account: Account,
    pub secret: Vec<u8>,
}

impl Fixture {
    pub(crate) fn empty() -> Self {
        Self {
            keys: KeyRing::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap(),
            owner: Owner {
                client: ClientId::try_from("app123".to_owned()).unwrap(),
                user: UserId::try_from("ann".to_owned()).unwrap(),
            },
            account: Account::new(NOW),
            secret: b"12345678901234567890".to_vec(),
        }
    }

    /// An account with an active factor none of whose steps is used.
    pub(crate) fn active() -> Self {
        let mut fixture = Self::empty();
        let enrolment = fixture.enrolment(false);
        fixture.account.enrol(enrolment, NOW).unwrap();
        fixture
    }

    pub(crate) fn vault(&self) -> Vault<'_> {
        Vault {
            keys: &self.keys,
            owner: &self.owner,
        }
    }

    pub(crate) fn account_and_vault(&mut self) -> (&mut Account, Vault<'_>) {
        let vault = Vault {
            keys: &self.keys,
            owner: &self.owner,
        };
        (&mut self.account, vault)
    }

    pub(crate) fn replace_recovery_codes(&mut self) -> Vec<RecoveryCode> {
        let (account, vault) = self.account_and_vault();
        account.replace_recovery_codes(vault.owner, NOW).unwrap()
    }

    pub(crate) fn enrolment(&self, confirm: bool) -> Enrolment {
        Enrolment::new(
            self.vault(),
            "ann@mail.example".to_owned(),
            Parameters::default(),
            self.secret.clone(),
            confirm,
        )
        .unwrap()
    }

    /// Asks for a code, as a flow does with a cooldown of a minute.
    pub(crate) fn open(
        &mut self,
        channel: Channel,
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<Dispatch, Cooldown> {
        let (dispatch, challenge) = Dispatch::draw(self.vault(), channel, purpose, now).unwrap();
        self.account
            .open_challenge(challenge, 60, now)
            .map(|()| dispatch)
    }

    pub(crate) fn code_at(&self, now: UnixTime) -> NumericCode {
        let parameters = Parameters::default();
        parameters.code_at(&self.secret, parameters.step_at(now))
    }
}

#[test]
fn a_stored_account_reads_back_and_a_newer_format_is_refused() {
    let fixture = Fixture::active();
    let stored = fixture
        .account
        .clone()
        .into_stored(fixture.vault())
        .unwrap();
    assert_eq!(
        Account::from_stored(&stored).unwrap().state(NOW),
        State::Active
    );
    let newer = stored.replacen(r#""format":3"#, r#""format":4"#, 1);
    assert!(matches!(
        Account::from_stored(&newer),
        Err(StateError::Format(4))
    ));
    // CRY-06: text that says nothing is no user without MFA.
    for nothing in ["{}", "[]"] {
        assert!(matches!(
            Account::from_stored(nothing),
            Err(StateError::Format(0))
        ));
    }
    assert!(matches!(
        Account::from_stored("{"),
        Err(StateError::Malformed(_))
    ));
    assert!(matches!(
        Account::from_stored(r#"{"format":1,"verified":true}"#),
        Err(StateError::Malformed(_))
    ));
}

#[test]
fn cry_01_a_stored_account_shows_no_secret_name_phone_or_address() {
    let mut fixture = Fixture::active();
    let phone = Phone::parse("+34600111222").unwrap();
    let email = Email::parse("ann@example.com").unwrap();
    let (account, vault) = fixture.account_and_vault();
    account.set_phone(vault, Some(&phone), NOW).unwrap();
    account.set_email(vault, Some(&email), NOW).unwrap();
    let stored = account.clone().into_stored(vault).unwrap();
    for plain in [
        "1234567890",
        "GEZDGNBV",
        "MTIzNDU2",
        "600111222",
        "example.com",
        "mail.example",
    ] {
        assert!(!stored.contains(plain), "{plain}");
    }
    assert_eq!(account.phone(vault).unwrap(), Some(phone));
    assert_eq!(account.email(vault).unwrap(), Some(email));
}

#[test]
fn cry_05_storing_an_account_moves_it_to_the_current_key() {
    let fixture = Fixture::active();
    let rotated = KeyRing::parse(
        "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=,k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    )
    .unwrap();
    let vault = Vault {
        keys: &rotated,
        owner: &fixture.owner,
    };
    let stored = fixture.account.clone().into_stored(vault).unwrap();
    assert!(stored.contains("v1.k2.") && !stored.contains("v1.k1."));
}

/// A credential as an authenticator may make it: its id and key are as long as that.
fn credential(id_bytes: usize, number: u8) -> Credential {
    let id = URL_SAFE_NO_PAD.encode(vec![number; id_bytes]);
    let text = json!({
        "id": id,
        "key": "pAEBAycgBiFYINdamAGCsQq31Uv-08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
        "sign_count": u32::MAX,
        "uv_initialized": true,
        "backup_eligible": true,
        "backed_up": true,
        "transports": ["hybrid", "internal"],
        "aaguid": "abababab-abab-abab-abab-abababababab",
        "attestation": "none",
    });
    serde_json::from_value(text).unwrap()
}

fn add_passkey(fixture: &mut Fixture, credential: &Credential) -> Result<FactorId, FactorError> {
    let (account, vault) = fixture.account_and_vault();
    account.add_passkey(vault, credential, Some("Ann's security key"), NOW)
}

/// Everything there is a bound for at its bound, but for passkeys: as many as there are, as long as that.
fn crowded(passkeys: u8, id_bytes: usize) -> Result<usize, FactorError> {
    let mut fixture = Fixture::empty();
    let name = "\u{1f511}".repeat(64);
    let secret = vec![7; 64];
    let parameters = Parameters {
        algorithm: Algorithm::Sha512,
        ..Parameters::default()
    };
    for _ in 0..FactorType::Totp.most() {
        let vault = fixture.vault();
        let app = Enrolment::new(vault, name.clone(), parameters, secret.clone(), false);
        let app = app.unwrap().named(vault, Some("My old phone")).unwrap();
        fixture.account.add_app(app, NOW)?;
    }
    for number in 0..passkeys {
        add_passkey(&mut fixture, &credential(id_bytes, number))?;
    }
    let vault = fixture.vault();
    let twin = Enrolment::new(vault, name, parameters, secret, true).unwrap();
    let first = fixture.account.factors[0].id.clone();
    let (account, vault) = fixture.account_and_vault();
    account.renew(twin, Some(&first), false, NOW)?;
    let phone = Phone::parse("+34600111222").unwrap();
    let address = format!("{}@{}.example", "a".repeat(64), "b".repeat(60));
    account.set_phone(vault, Some(&phone), NOW)?;
    let email = Email::parse(&address).unwrap();
    account.set_email(vault, Some(&email), NOW)?;
    for ceremony in [Ceremony::Registration, Ceremony::Assertion] {
        account.user_handle().unwrap();
        let challenge = PasskeyChallenge::draw(ceremony, NOW).unwrap();
        account.open_ceremony(challenge, NOW);
    }
    let mut json = serde_json::to_value(&*account).unwrap();
    let spent = json!({"code": {"id": "5afa226bc02d8d506198c3cfc0c039f0", "channel": "email", "purpose": "recovery", "expires_at": NOW, "tries": 5}, "digest": "a".repeat(64)});
    json["spent"] = json!(vec![spent; 10]);
    let counter = json!({"failures": 99, "locked_until": NOW, "of_today": vec![NOW; 50]});
    json["counters"] = json!({"totp": counter, "delivered": counter, "recovery": counter});
    let digests = vec!["a".repeat(64); 2];
    let device = json!({"id": "5afa226bc02d8d506198c3cfc0c039f0", "series": "a".repeat(64), "live": digests, "before": digests, "created_at": NOW, "used_at": NOW, "expires_at": NOW});
    json["trusted"] = json!(vec![device; 10]);
    json["sends"] = json!({"sms": vec![NOW; 8], "email": vec![NOW; 8]});
    fixture.account = serde_json::from_value(json).unwrap();
    fixture.replace_recovery_codes();
    for channel in [Channel::Sms, Channel::Email, Channel::Api] {
        for purpose in [Purpose::Verify, Purpose::Recovery] {
            let later = NOW.plus(4000);
            fixture.open(channel, purpose, later).ok();
        }
    }
    let stored = fixture.account.clone().into_stored(fixture.vault());
    let stored = stored?;
    assert!(Account::from_stored(&stored).is_ok());
    Ok(stored.len())
}

#[test]
fn a_row_with_everything_at_its_bound_stays_under_32_kb() {
    // What authenticators make: 16 to 64 bytes, and the longest the standard knows until there is no more room.
    assert!(crowded(10, 64).unwrap() < 32 * 1024);
    let lengths = (0..=10).map(|number| crowded(number, 1023));
    let (fit, full): (Vec<_>, Vec<_>) = lengths.partition(Result::is_ok);
    assert!(fit.len() > 4 && !full.is_empty());
    assert!(fit.into_iter().all(|length| length.unwrap() < 32 * 1024));
    for refused in full {
        assert_eq!(refused, Err(FactorError::TooMany(FactorType::Passkey)));
    }
}

#[test]
fn a_user_has_at_most_five_apps_and_ten_passkeys() {
    let mut fixture = Fixture::active();
    for _ in 1..5 {
        let app = fixture.enrolment(false);
        fixture.account.add_app(app, NOW).unwrap();
    }
    for confirm in [true, false] {
        let sixth = fixture.enrolment(confirm);
        let full = Err(FactorError::TooMany(FactorType::Totp));
        assert_eq!(fixture.account.add_app(sixth, NOW), full);
    }
    for number in 0..10 {
        add_passkey(&mut fixture, &credential(32, number)).unwrap();
    }
    let full = Err(FactorError::TooMany(FactorType::Passkey));
    assert_eq!(add_passkey(&mut fixture, &credential(32, 10)), full);
    // A renewal needs room for its twin all the same.
    let (twin, first) = (
        fixture.enrolment(true),
        fixture.account.factors[0].id.clone(),
    );
    fixture
        .account
        .renew(twin, Some(&first), false, NOW)
        .unwrap();
}
