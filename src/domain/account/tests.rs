use super::*;
use crate::domain::codes::numeric::NumericCode;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::{Channel, Purpose};

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_760_000_010);

/// One user with the keys around it, so that tests read as what happens to an account.
pub(crate) struct Fixture {
    pub keys: KeyRing,
    pub client: ClientId,
    pub user: UserId,
    pub account: Account,
    pub secret: Vec<u8>,
}

impl Fixture {
    pub(crate) fn empty() -> Self {
        Self {
            keys: KeyRing::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap(),
            client: ClientId::try_from("app123".to_owned()).unwrap(),
            user: UserId::try_from("ann".to_owned()).unwrap(),
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

    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner {
            client: &self.client,
            user: &self.user,
        }
    }

    pub(crate) fn enrolment(&self, confirm: bool) -> Enrolment {
        Enrolment::new(
            &self.keys,
            self.owner(),
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
        let owner = Owner {
            client: &self.client,
            user: &self.user,
        };
        let (dispatch, challenge) =
            Dispatch::draw(&self.keys, owner, channel, purpose, now).unwrap();
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
        .into_stored(&fixture.keys, fixture.owner())
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
    let owner = Owner {
        client: &fixture.client,
        user: &fixture.user,
    };
    fixture
        .account
        .set_phone(&fixture.keys, owner, Some(&phone), NOW)
        .unwrap();
    fixture
        .account
        .set_email(&fixture.keys, owner, Some(&email), NOW)
        .unwrap();
    let stored = fixture
        .account
        .clone()
        .into_stored(&fixture.keys, owner)
        .unwrap();
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
    assert_eq!(
        fixture.account.phone(&fixture.keys, owner).unwrap(),
        Some(phone)
    );
    assert_eq!(
        fixture.account.email(&fixture.keys, owner).unwrap(),
        Some(email)
    );
}

#[test]
fn cry_05_storing_an_account_moves_it_to_the_current_key() {
    let fixture = Fixture::active();
    let rotated = KeyRing::parse(
        "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=,k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    )
    .unwrap();
    let stored = fixture
        .account
        .clone()
        .into_stored(&rotated, fixture.owner())
        .unwrap();
    assert!(stored.contains("v1.k2.") && !stored.contains("v1.k1."));
}

/// The row as it was written before names were sealed.
fn with_plain_label(fixture: &Fixture) -> String {
    let owner = fixture.owner();
    let stored = fixture.account.clone().into_stored(&fixture.keys, owner);
    let mut row: serde_json::Value = serde_json::from_str(&stored.unwrap()).unwrap();
    let factor = row["factors"][0].as_object_mut().unwrap();
    factor.remove("name").unwrap();
    factor.insert("label".to_owned(), "ann@old.example".into());
    row.to_string()
}

#[test]
fn cry_01_the_plain_name_of_an_older_row_is_kept_and_sealed_when_it_is_stored() {
    let fixture = Fixture::active();
    let (keys, owner) = (&fixture.keys, fixture.owner());
    let name = |account: &Account| account.present_app(keys, owner).unwrap().0;
    let older = Account::from_stored(&with_plain_label(&fixture)).unwrap();
    assert_eq!(name(&older), "ann@old.example");
    let stored = older.into_stored(keys, owner).unwrap();
    assert!(!stored.contains("label") && !stored.contains("old.example"));
    assert_eq!(
        name(&Account::from_stored(&stored).unwrap()),
        "ann@old.example"
    );
}

#[test]
fn cry_06_a_name_that_is_missing_or_belongs_to_another_user_is_an_error() {
    let fixture = Fixture::active();
    let stranger = UserId::try_from("bob".to_owned()).unwrap();
    let other = Owner {
        client: &fixture.client,
        user: &stranger,
    };
    let app_of = |account: &Account, owner| account.present_app(&fixture.keys, owner).err();
    assert_eq!(app_of(&fixture.account, other), Some(SealError::Forged));
    let mut row: serde_json::Value = serde_json::from_str(&with_plain_label(&fixture)).unwrap();
    row["factors"][0].as_object_mut().unwrap().remove("label");
    let nameless = Account::from_stored(&row.to_string()).unwrap();
    assert_eq!(
        app_of(&nameless, fixture.owner()),
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
    let stored = account.into_stored(&fixture.keys, fixture.owner()).unwrap();
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
