//! Accounts as earlier versions stored them. They are made into what is stored now before they are read, so that
//! nothing else knows of them.
//!
//! - Format 1 had one counter for every code of a login, and one for recovery.
//! - Format 2 had factors that were authenticator apps, and challenges that were codes.
//! - Format 3 has kinds of both.

use serde_json::{Value, json};

use super::{Account, FORMAT, StateError};
use crate::domain::fields::Fields;

impl Account {
    pub fn from_stored(json: &str) -> Result<Self, StateError> {
        // What is written now begins so. From bytes, as everywhere: reading text is a second copy of the reader in
        // the wasm.
        if json.starts_with(&format!(r#"{{"format":{FORMAT},"#)) {
            return Ok(serde_json::from_slice(json.as_bytes())?);
        }
        // Text that says nothing must not read as a user without MFA (CRY-06).
        let Value::Object(mut account) = serde_json::from_slice(json.as_bytes())? else {
            return Err(StateError::Format(0));
        };
        match account.get("format").and_then(Value::as_u64).unwrap_or(0) {
            1 => {
                split_counters(&mut account);
                name_kinds(&mut account);
            }
            2 => name_kinds(&mut account),
            3 => {}
            other => return Err(StateError::Format(other)),
        }
        account.insert("format".to_owned(), FORMAT.into());
        let upgraded = serde_json::to_vec(&account)?;
        Ok(serde_json::from_slice(&upgraded)?)
    }
}

/// From format 1: a lock stays a lock, for every class it was one for.
fn split_counters(account: &mut Fields) {
    // What is none stays, and is refused as a field there is not.
    let Some(Value::Object(former)) = account.get_mut("throttles") else {
        return;
    };
    let mut counters = std::mem::take(former);
    account.remove("throttles");
    if let Some(login) = counters.remove("authenticator") {
        counters.insert("totp".to_owned(), login.clone());
        counters.insert("delivered".to_owned(), login);
    }
    account.insert("counters".to_owned(), counters.into());
}

/// From format 2: every factor is an app, every challenge a code that was delivered. Of two apps, one of which is
/// pending, that one is to replace the other.
fn name_kinds(account: &mut Fields) {
    if let Some(Value::Array(factors)) = account.get_mut("factors") {
        let is_pending = |factor: &Value| factor["state"].get("pending").is_some();
        let present = factors.iter().find(|factor| !is_pending(factor));
        let present = present.map(|factor| factor["id"].clone());
        for factor in factors.iter_mut() {
            let replaces = present.clone().filter(|_| is_pending(factor));
            if let Value::Object(fields) = factor {
                name_app(fields, replaces);
            }
        }
    }
    if let Some(Value::Array(challenges)) = account.get_mut("challenges") {
        for challenge in challenges {
            *challenge = json!({"delivered": challenge.take()});
        }
    }
}

fn name_app(factor: &mut Fields, replaces: Option<Value>) {
    let mut app = Fields::new();
    for (former, now) in [
        ("name", "account_name"),
        ("label", "label"),
        ("secret", "secret"),
        ("parameters", "parameters"),
        ("last_step", "last_step"),
    ] {
        if let Some(value) = factor.remove(former) {
            app.insert(now.to_owned(), value);
        }
    }
    if let Some(replaces) = replaces {
        app.insert("replaces".to_owned(), replaces);
    }
    factor.insert("kind".to_owned(), json!({"totp": app}));
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::tests::{Fixture, NOW};
    use super::*;
    use crate::domain::account::{Accept, Attempt, Digests, FactorError, Verdict};
    use crate::domain::codes::guess::GuessedCode;
    use crate::domain::crypto::sealing::SealError;
    use crate::domain::ids::{ChallengeId, Owner, UserId};
    use crate::domain::method::{Class, Method};
    use crate::domain::time::UnixTime;

    /// A user of format 2, as version 1.0 stored one: an app and its pending twin, two codes under way, one spent.
    const FORMAT_2: &str = r#"{"format":2,"created_at":1760000010,"disabled_at":null,"enrolled_at":1760000010,"last_verified_at":null,"contact":{"phone":null,"email":null},"factors":[{"id":"7ceaa05537c7d68a4f18404fefce92f8","name":"v1.k1.U4tlsphVJAL4xypx2kMdSYSimPz4kP1ljLKXIEWEDKzFKga_YYrMzDFGgnc","secret":"v1.k1.bTizyrHHYjCGCEE7NVdcrytPACQS2V8_OZve3LG6bNdhvBqqVVDYunxfrVAMRmD3","parameters":{"algorithm":"SHA1","digits":6,"period":30},"last_step":null,"bound_at":1760000010,"state":{"active":{"confirmed_at":1760000010}}},{"id":"85ab74b8d35cadaff493895254ba7d81","name":"v1.k1.M5TarIAX2JyDYB9ZFPvCGveug7WBpbKf1231oMtoJIXoMUbDiDusWRuv8pE","secret":"v1.k1.j3Gf5F1GUEMRXJZqoXS6XANBOfWGjQmPK27Jsy_BPcM5zPltTYnM9YlfDCTZlgnL","parameters":{"algorithm":"SHA1","digits":6,"period":30},"last_step":null,"bound_at":1760000010,"state":{"pending":{"expires_at":1760000610}}}],"challenges":[{"id":"bce2efa72de4ea869cccb8f7b4e7aaa4","channel":"sms","purpose":"verify","expires_at":1760000310,"tries":2},{"id":"4afa226bc02d8d506198c3cfc0c039f0","channel":"email","purpose":"recovery","expires_at":1760000610,"tries":0}],"spent":[{"code":{"id":"5afa226bc02d8d506198c3cfc0c039f0","channel":"email","purpose":"verify","expires_at":1760000310,"tries":0},"digest":"ab"}],"recovery":{"digests":["dd9ce2d22eb6d1a981480b45d2cd676417ede37bfcf378ebaf97daf1511bc95e"],"made_at":1760000010},"counters":{"totp":{"failures":3,"of_today":[1760000000]}},"sends":{"sms":[1760000010],"email":[1760000010]}}"#;

    /// The same user's app under format 1, from before names were sealed.
    const FORMAT_1: &str = r#"{"format":1,"created_at":5,"factors":[{"id":"7ceaa05537c7d68a4f18404fefce92f8","label":"ann@old.example","secret":"v1.k1.bTizyrHHYjCGCEE7NVdcrytPACQS2V8_OZve3LG6bNdhvBqqVVDYunxfrVAMRmD3","parameters":{"algorithm":"SHA1","digits":6,"period":30},"last_step":null,"bound_at":1760000010,"state":{"active":{"confirmed_at":1760000010}}}],"throttles":{"authenticator":{"failures":6,"locked_until":1760000130},"recovery":{"failures":2,"locked_until":null}}}"#;

    fn read(row: &str) -> Fixture {
        Fixture {
            account: Account::from_stored(row).unwrap(),
            ..Fixture::empty()
        }
    }

    fn account_name(fixture: &Fixture, owner: &Owner) -> Result<String, FactorError> {
        let vault = crate::domain::crypto::sealing::Vault {
            keys: &fixture.keys,
            owner,
        };
        let app = fixture.account.present_app(vault, None)?;
        Ok(app.account_name)
    }

    fn stored(fixture: &Fixture) -> Value {
        let stored = fixture.account.clone().into_stored(fixture.vault());
        serde_json::from_str(&stored.unwrap()).unwrap()
    }

    fn verify(fixture: &mut Fixture, now: UnixTime) -> Verdict {
        let guess = GuessedCode::Numeric(fixture.code_at(now));
        let (account, vault) = fixture.account_and_vault();
        let attempt = Attempt {
            vault,
            guess: &guess,
            accept: &Accept::any_of(Method::ALL),
            digests: &Digests::new(),
            now,
        };
        account.attempt(&attempt).unwrap()
    }

    #[test]
    fn an_account_of_format_2_loses_nothing() {
        let fixture = read(FORMAT_2);
        assert_eq!(fixture.account.state(NOW), State::Active);
        assert_eq!(
            account_name(&fixture, &fixture.owner).unwrap(),
            "ann@mail.example"
        );
        let (former, now): (Value, Value) =
            (serde_json::from_str(FORMAT_2).unwrap(), stored(&fixture));
        assert_eq!(now["format"], 3);
        for field in [
            "created_at",
            "enrolled_at",
            "spent",
            "recovery",
            "counters",
            "sends",
        ] {
            assert_eq!(now[field], former[field], "{field}");
        }
        for number in [0, 1] {
            let (former, now) = (&former["factors"][number], &now["factors"][number]);
            for field in ["id", "bound_at", "state"] {
                assert_eq!(now[field], former[field], "{field}");
            }
            let app = &now["kind"]["totp"];
            assert_eq!(app["account_name"], former["name"]);
            for field in ["secret", "parameters", "last_step"] {
                assert_eq!(app[field], former[field], "{field}");
            }
        }
        for number in [0, 1] {
            let now = &now["challenges"][number]["delivered"];
            assert_eq!(*now, former["challenges"][number]);
        }
        let live = ChallengeId::draw().unwrap();
        assert!(fixture.account.delivered().all(|sent| sent.id != live));
    }

    #[test]
    fn totp_14_a_pending_twin_of_format_2_takes_the_place_of_the_app_it_was_made_for() {
        let mut fixture = read(FORMAT_2);
        // Both hold one secret here: the first code is the present app's, the second one the twin's.
        let replaced = stored(&fixture)["factors"][1]["kind"]["totp"]["replaces"].clone();
        assert_eq!(replaced, "7ceaa05537c7d68a4f18404fefce92f8");
        fixture.account.factors.swap(0, 1);
        let verdict = verify(&mut fixture, NOW);
        assert!(
            matches!(
                verdict,
                Verdict::Verified {
                    confirmed: true,
                    ..
                }
            ),
            "{verdict:?}"
        );
        let left: Vec<&str> = fixture
            .account
            .factors
            .iter()
            .map(|one| one.id.as_str())
            .collect();
        assert_eq!(left, ["85ab74b8d35cadaff493895254ba7d81"]);
    }

    #[test]
    fn a_lock_of_format_1_stays_a_lock_of_every_class_it_was_one_for() {
        let fixture = read(FORMAT_1);
        let until = Some(UnixTime::from_secs(1_760_000_130));
        let locks = |account: &Account| Class::ALL.map(|class| account.locks(NOW).of(class));
        assert_eq!(locks(&fixture.account), [until, until, None]);
        let counters = &fixture.account.counters;
        let left = |class| counters.tries_left([class].into_iter().collect(), NOW.plus(120));
        assert_eq!(Class::ALL.map(left), [Some(1), Some(1), Some(3)]);
        let again = read(&stored(&fixture).to_string());
        assert_eq!(locks(&again.account), [until, until, None]);
    }

    #[test]
    fn cry_01_the_plain_name_of_format_1_is_kept_and_sealed_when_it_is_stored() {
        let fixture = read(FORMAT_1);
        assert_eq!(
            account_name(&fixture, &fixture.owner).unwrap(),
            "ann@old.example"
        );
        let stored = stored(&fixture).to_string();
        assert!(!stored.contains("label") && !stored.contains("old.example"));
        let again = read(&stored);
        assert_eq!(
            account_name(&again, &again.owner).unwrap(),
            "ann@old.example"
        );
    }

    #[test]
    fn cry_06_a_name_that_is_missing_or_belongs_to_another_user_is_an_error() {
        let fixture = read(FORMAT_2);
        let other = Owner {
            user: UserId::try_from("bob".to_owned()).unwrap(),
            ..fixture.owner.clone()
        };
        let forged = Err(FactorError::Unreadable(SealError::Forged));
        assert_eq!(account_name(&fixture, &other), forged);
        let nameless = read(&FORMAT_1.replace(r#""label":"ann@old.example","#, ""));
        let malformed = Err(FactorError::Unreadable(SealError::Malformed));
        assert_eq!(account_name(&nameless, &nameless.owner), malformed);
    }

    #[test]
    fn cry_06_what_no_version_wrote_is_refused() {
        for row in [
            FORMAT_2.replace(r#""tries":2"#, r#""tries":2,"verified":true"#),
            FORMAT_2.replace(
                r#""last_step":null,"#,
                r#""last_step":null,"trusted":true,"#,
            ),
            FORMAT_2.replace(r#""recovery":{"#, r#""throttles":{},"recovery":{"#),
            FORMAT_1.replace(r#""throttles":{"#, r#""throttles":[],"counters":{"#),
            FORMAT_1.replace(r#""recovery":{"f"#, r#""other":{"f"#),
            FORMAT_1.replace(r#""secret":"#, r#""secrets":"#),
        ] {
            let refused = Account::from_stored(&row);
            assert!(matches!(refused, Err(StateError::Malformed(_))), "{row}");
        }
        for (row, format) in [
            ("{}", 0),
            ("[]", 0),
            (r#"{"format":4}"#, 4),
            (r#"{"format":"2"}"#, 0),
        ] {
            let refused = Account::from_stored(row);
            assert!(
                matches!(refused, Err(StateError::Format(of)) if of == format),
                "{row}"
            );
        }
    }

    #[test]
    fn the_fields_an_older_row_lacks_have_defaults() {
        for row in [
            r#"{"format":1,"created_at":5}"#,
            r#"{ "format": 3, "created_at": 5 }"#,
        ] {
            let account = Account::from_stored(row).unwrap();
            assert_eq!(account.state(NOW), State::None);
            assert_eq!(account.recovery_codes_remaining(), 0);
        }
    }
}
