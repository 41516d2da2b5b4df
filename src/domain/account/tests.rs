use super::*;
use crate::domain::codes::numeric::NumericCode;
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::crypto::keys::KeyRing;
use crate::domain::ids::{ClientId, Owner, UserId};
use crate::domain::method::{Channel, Purpose};

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
    let newer = stored.replacen(r#""format":2"#, r#""format":3"#, 1);
    assert!(matches!(
        Account::from_stored(&newer),
        Err(StateError::Format(3))
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

/// The row as it was written before names were sealed.
fn with_plain_label(fixture: &Fixture) -> String {
    let stored = fixture.account.clone().into_stored(fixture.vault());
    let mut row: serde_json::Value = serde_json::from_str(&stored.unwrap()).unwrap();
    let factor = row["factors"][0].as_object_mut().unwrap();
    factor.remove("name").unwrap();
    factor.insert("label".to_owned(), "ann@old.example".into());
    row.to_string()
}

#[test]
fn cry_01_the_plain_name_of_an_older_row_is_kept_and_sealed_when_it_is_stored() {
    let fixture = Fixture::active();
    let vault = fixture.vault();
    let name = |account: &Account| account.present_app(vault).unwrap().0;
    let older = Account::from_stored(&with_plain_label(&fixture)).unwrap();
    assert_eq!(name(&older), "ann@old.example");
    let stored = older.into_stored(vault).unwrap();
    assert!(!stored.contains("label") && !stored.contains("old.example"));
    assert_eq!(
        name(&Account::from_stored(&stored).unwrap()),
        "ann@old.example"
    );
}

#[test]
fn cry_06_a_name_that_is_missing_or_belongs_to_another_user_is_an_error() {
    let fixture = Fixture::active();
    let other = Owner {
        user: UserId::try_from("bob".to_owned()).unwrap(),
        ..fixture.owner.clone()
    };
    let of = |owner| Vault {
        keys: &fixture.keys,
        owner,
    };
    let app_of = |account: &Account, owner| account.present_app(of(owner)).err();
    assert_eq!(app_of(&fixture.account, &other), Some(SealError::Forged));
    let mut row: serde_json::Value = serde_json::from_str(&with_plain_label(&fixture)).unwrap();
    row["factors"][0].as_object_mut().unwrap().remove("label");
    let nameless = Account::from_stored(&row.to_string()).unwrap();
    assert_eq!(
        app_of(&nameless, &fixture.owner),
        Some(SealError::Malformed)
    );
}

#[test]
fn a_lock_of_an_account_of_format_1_stays_a_lock_of_every_class_it_was_one_for() {
    let row = r#"{"format":1,"created_at":5,"throttles":{"authenticator":{"failures":6,"locked_until":1760000130},"recovery":{"failures":1,"locked_until":null}}}"#;
    let account = Account::from_stored(row).unwrap();
    let until = Some(UnixTime::from_secs(1_760_000_130));
    let locks = |account: &Account| Class::ALL.map(|class| account.locks(NOW).of(class));
    assert_eq!(locks(&account), [until, until, None]);
    let fixture = Fixture::empty();
    let stored = account.into_stored(fixture.vault()).unwrap();
    assert!(
        stored.starts_with(r#"{"format":2"#) && !stored.contains("throttles"),
        "{stored}"
    );
    assert_eq!(
        locks(&Account::from_stored(&stored).unwrap()),
        [until, until, None]
    );
}

#[test]
fn the_fields_an_older_row_lacks_have_defaults() {
    let account = Account::from_stored(r#"{"format":1,"created_at":5}"#).unwrap();
    assert_eq!(account.state(NOW), State::None);
    assert_eq!(account.recovery_codes_remaining(), 0);
}
