//! The values requests are made of: what is no code, token, number, address or setting is refused, and
//! nothing that is refused does more than that.

use candado::domain::codes::guess::GuessedCode;
use candado::domain::codes::numeric::Digits;
use candado::domain::codes::numeric::{CodeBinding, NumericCode};
use candado::domain::codes::recovery_code::RecoveryCode;
use candado::domain::codes::totp::{Algorithm, Parameters, Period};
use candado::domain::contact::country::CountryList;
use candado::domain::contact::email::Email;
use candado::domain::contact::phone::Phone;
use candado::domain::crypto::keys::KeyRing;
use candado::domain::crypto::sealing::{Place, SealError, Sealed, Vault};
use candado::domain::crypto::token::{ACCESS_TOKEN_LIFETIME, AccessClaims, QrClaims};
use candado::domain::ids::{ChallengeId, ClientId, FactorId, Owner, TokenEpoch, UserId};
use candado::domain::settings::{Domain, Label, Settings};
use candado::domain::time::UnixTime;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

const K1: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const K2: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const ISSUER: &str = "https://mfa.example.com";
const NOW: UnixTime = UnixTime::from_secs(1_760_000_000);

fn keys() -> KeyRing {
    KeyRing::parse(K1).unwrap()
}

fn user_id() -> impl Strategy<Value = UserId> {
    "[!-~]{1,128}"
        .prop_filter("a step of a path", |text| text != "." && text != "..")
        .prop_map(|text| UserId::try_from(text).unwrap())
}

fn client_id() -> impl Strategy<Value = ClientId> {
    "[A-Za-z0-9._-]{1,64}"
        .prop_filter("a step of a path", |text| text != "." && text != "..")
        .prop_map(|text| ClientId::try_from(text).unwrap())
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let algorithm = select(vec![Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]);
    let digits = select(vec![Digits::SIX, Digits::EIGHT]);
    let period = select(vec![30, 60]).prop_map(|seconds| Period::try_from(seconds).unwrap());
    (algorithm, digits, period).prop_map(|(algorithm, digits, period)| Parameters {
        algorithm,
        digits,
        period,
    })
}

/// A text with one of its characters changed, one taken out, or one put in.
fn altered(text: &str, place: Index, other: char, kind: u8) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = place.index(characters.len());
    match kind % 3 {
        0 => characters[place] = other,
        1 => characters.insert(place, other),
        _ => {
            characters.remove(place);
        }
    }
    characters.into_iter().collect()
}

proptest! {
    #[test]
    fn atk_08_a_numeric_code_is_six_or_eight_ascii_digits_and_nothing_else(text in "[0-9]{0,10}|[0-9 +.e٣３-]{4,9}|\\PC{0,12}") {
        let is_code = text.bytes().all(|byte| byte.is_ascii_digit()) && matches!(text.len(), 6 | 8);
        prop_assert_eq!(NumericCode::parse(&text).is_ok(), is_code);
        if let Ok(code) = NumericCode::parse(&text) {
            prop_assert_eq!(code.as_str(), &text);
        }
        if let GuessedCode::Numeric(code) = GuessedCode::from(text) {
            prop_assert!(is_code && !code.as_str().is_empty());
        }
    }

    #[test]
    fn oob_04_a_code_matches_only_its_own_digest(
        code in "[0-9]{6}|[0-9]{8}", other in "[0-9]{6}|[0-9]{8}", users in (user_id(), user_id()), clients in (client_id(), client_id())
    ) {
        let keys = keys();
        let challenges = (ChallengeId::draw().unwrap(), ChallengeId::draw().unwrap());
        let owner = |client: &ClientId, user: &UserId| Owner { client: client.clone(), user: user.clone() };
        let home_owner = owner(&clients.0, &users.0);
        let vault = Vault { keys: &keys, owner: &home_owner };
        let home = CodeBinding { vault, challenge: &challenges.0, kind: "sms verify" };
        let (code, other) = (NumericCode::parse(&code).unwrap(), NumericCode::parse(&other).unwrap());
        let stored = home.stored_digest(&code);
        prop_assert!(home.matches(&code, &stored));
        prop_assert_eq!(home.matches(&other, &stored), code == other);
        for (owner, challenge) in [
            (owner(&clients.1, &users.0), &challenges.0),
            (owner(&clients.0, &users.1), &challenges.0),
            (home_owner.clone(), &challenges.1),
        ] {
            let same = owner == home_owner && *challenge == challenges.0;
            let vault = Vault { keys: &keys, owner: &owner };
            let other = CodeBinding { vault, challenge, kind: "sms verify" };
            prop_assert_eq!(other.matches(&code, &stored), same);
        }
    }

    #[test]
    fn rec_03_a_recovery_code_with_one_character_changed_is_another_or_none(
        place: Index, symbol in select("0123456789ABCDEFGHJKMNPQRSTVWXYZUILO -*".chars().collect::<Vec<_>>()), kind: u8
    ) {
        let code = RecoveryCode::draw().unwrap();
        let text = code.display();
        let changed = altered(&text, place, symbol, kind);
        let plain = |text: &str| {
            text.replace(['-', ' '], "").replace(['I', 'L'], "1").replace('O', "0")
        };
        match GuessedCode::from(changed.clone()) {
            GuessedCode::RecoveryCode(parsed) => prop_assert_eq!(parsed == code, plain(&changed) == plain(&text)),
            _ => prop_assert!(plain(&changed) != plain(&text)),
        }
    }

    #[test]
    fn cry_03_sealed_text_opens_where_it_was_sealed_and_nowhere_else(
        secret in proptest::collection::vec(any::<u8>(), 0..100),
        clients in (client_id(), client_id()), users in (user_id(), user_id()), objects in ("[a-f0-9]{32}", "[a-f0-9]{32}")
    ) {
        let keys = keys();
        let owner = |client: &ClientId, user: &UserId| Owner { client: client.clone(), user: user.clone() };
        let place = |object| Place { object, field: "secret" };
        let home_owner = owner(&clients.0, &users.0);
        let (home, at) = (Vault { keys: &keys, owner: &home_owner }, place(objects.0.as_str()));
        let sealed = home.seal(at, &secret).unwrap();
        prop_assert_eq!(home.open(at, &sealed), Ok(secret.clone()));
        for (owner, object) in [
            (owner(&clients.1, &users.0), &objects.0),
            (owner(&clients.0, &users.1), &objects.0),
            (home_owner.clone(), &objects.1),
        ] {
            if owner != home_owner || *object != objects.0 {
                let vault = Vault { keys: &keys, owner: &owner };
                prop_assert_eq!(vault.open(place(object.as_str()), &sealed), Err(SealError::Forged));
            }
        }
        prop_assert_eq!(home.open(Place { field: "phone", ..at }, &sealed), Err(SealError::Forged));

        let (rotated, second) = (KeyRing::parse(&format!("{K2},{K1}")).unwrap(), KeyRing::parse(K2).unwrap());
        let moved = Vault { keys: &rotated, ..home }.reseal(at, sealed).unwrap();
        prop_assert_eq!(Vault { keys: &second, ..home }.open(at, &moved), Ok(secret));
    }

    #[test]
    fn atk_75_sealed_text_that_was_changed_never_opens(
        secret in proptest::collection::vec(any::<u8>(), 0..40), place: Index,
        other in select("v.k129AZaz-_=+/ é".chars().collect::<Vec<_>>()), kind: u8
    ) {
        let keys = KeyRing::parse(&format!("{K1},{K2}")).unwrap();
        let owner = Owner {
            client: ClientId::try_from("shop".to_owned()).unwrap(),
            user: UserId::try_from("ann".to_owned()).unwrap(),
        };
        let (home, at) = (Vault { keys: &keys, owner: &owner }, Place { object: "o", field: "secret" });
        let sealed = home.seal(at, &secret).unwrap();
        let text = serde_json::to_value(&sealed).unwrap().as_str().unwrap().to_owned();
        let changed = altered(&text, place, other, kind);
        if changed != text {
            let changed: Sealed = serde_json::from_value(json!(changed)).unwrap();
            prop_assert!(home.open(at, &changed).is_err());
        }
    }

    #[test]
    fn tok_10_a_changed_token_is_refused_whatever_was_changed(
        client in client_id(), place: Index,
        other in select("ABCXYZabcxyz0189-_.=+/ \né".chars().collect::<Vec<_>>()), kind: u8, qr: bool
    ) {
        let keys = keys();
        let (access, link) = (
            AccessClaims::new(ISSUER, &client, TokenEpoch::draw().unwrap(), NOW).unwrap().sign(&keys).unwrap(),
            QrClaims { client_id: client, user_id: UserId::try_from("ann".to_owned()).unwrap(), factor_id: FactorId::draw().unwrap(), epoch: TokenEpoch::draw().unwrap(), exp: NOW.plus(600) }
                .sign(&keys).unwrap(),
        );
        let token = if qr { link } else { access };
        let verifies = |token: &str| {
            (AccessClaims::verify(&keys, ISSUER, token, NOW).is_ok(), QrClaims::verify(&keys, token, NOW).is_ok())
        };
        prop_assert_eq!(verifies(&token), (!qr, qr));
        let changed = altered(&token, place, other, kind);
        if changed != token {
            prop_assert_eq!(verifies(&changed), (false, false));
        }
    }

    #[test]
    fn tok_11_a_token_holds_for_its_hour_and_not_a_second_more(client in client_id(), offset in -4000_i64..8000) {
        let keys = keys();
        let token = AccessClaims::new(ISSUER, &client, TokenEpoch::draw().unwrap(), NOW).unwrap().sign(&keys).unwrap();
        let at = UnixTime::from_secs(NOW.as_secs().saturating_add_signed(offset));
        let holds = (0..3600).contains(&offset);
        prop_assert_eq!(ACCESS_TOKEN_LIFETIME, 3600);
        prop_assert_eq!(AccessClaims::verify(&keys, ISSUER, &token, at).is_ok(), holds);
        prop_assert!(AccessClaims::verify(&keys, "https://other.example", &token, at).is_err());
    }

    #[test]
    fn totp_07_the_step_that_counts_is_the_greatest_whose_code_it_is(
        secret in proptest::collection::vec(any::<u8>(), 16..64), parameters in parameters(), time in 120_u64..1 << 40, guess in "[0-9]{6}|[0-9]{8}"
    ) {
        let now = UnixTime::from_secs(time);
        let period = parameters.period.seconds();
        let step = |offset: i64| parameters.step_at(UnixTime::from_secs(time.saturating_add_signed(offset * i64::try_from(period).unwrap())));
        let guesses = [-2, -1, 0, 1, 2].map(|offset| parameters.code_at(&secret, step(offset)));
        for guess in guesses.into_iter().chain([NumericCode::parse(&guess).unwrap()]) {
            let greatest = [-1, 0, 1].into_iter().map(step).filter(|step| parameters.code_at(&secret, *step) == guess).max();
            prop_assert_eq!(parameters.matching_step(&secret, &guess, now), greatest);
        }
    }

    #[test]
    fn phone_numbers_are_read_without_panic_and_masked_but_for_two_digits(text in r"\+?[0-9]{0,18}|\PC{0,20}") {
        if let Ok(phone) = Phone::parse(&text) {
            prop_assert_eq!(phone.as_str(), &text, "a number has one text");
            let (masked, country) = (phone.masked(), phone.country());
            let shown = masked.chars().filter(char::is_ascii_digit).count();
            prop_assert!(shown <= 5 && text.ends_with(&masked[masked.len() - 2..]), "{masked}");
            prop_assert_eq!(masked.chars().count(), text.len());
            prop_assert_eq!(phone.prefix(), &text[..text.len() - 4]);
            prop_assert_eq!(CountryList::Any.allows(country), country.is_some());
            prop_assert!(!CountryList::Only(Vec::new()).allows(country));
            let debug = format!("{phone:?}");
            prop_assert!(!debug.contains(&text[1..]));
        }
    }

    #[test]
    fn addresses_are_read_without_panic_and_carry_no_header(text in r"[a-zA-Z0-9.+_%-]{0,70}@[a-zA-Z0-9.-]{0,30}|\PC{0,40}|[\r\n<>,;@a. ]{0,20}") {
        if let Ok(email) = Email::parse(&text) {
            prop_assert!(email.as_str().eq_ignore_ascii_case(&text));
            prop_assert!(email.as_str().bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,;:\"()[]\\".contains(&byte)));
            prop_assert_eq!(email.as_str().matches('@').count(), 1);
            prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
            let (local, domain) = email.as_str().split_once('@').unwrap();
            let masked = email.masked();
            prop_assert_eq!(masked, format!("{}•••@{domain}", &local[..1]));
        }
    }

    #[test]
    fn names_and_domains_carry_nothing_that_starts_another_line(text in r"\PC{0,70}|[a-z\r\n\t \u{85}\u{2028}.-]{0,60}") {
        if let Ok(label) = Label::try_from(text.clone()) {
            prop_assert!(!label.as_str().chars().any(char::is_control) && label.as_str().chars().count() <= 64);
            prop_assert_eq!(label.as_str(), &text);
        }
        if let Ok(domain) = Domain::try_from(text.clone()) {
            prop_assert!(domain.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)));
            prop_assert!((1..=50).contains(&domain.as_str().len()));
        }
    }

    #[test]
    fn key_rings_are_read_without_panic_and_never_with_a_weak_key(text in r"([a-z0-9]{0,3}:[A-Za-z0-9+/]{0,46}=?,? ?){0,3}|\PC{0,60}") {
        if let Ok(ring) = KeyRing::parse(&text) {
            prop_assert!(ring.iter().count() >= 1);
            prop_assert!(ring.iter().all(|set| set.sealing != [0; 32] && ring.find(&set.id).is_some()));
        }
    }

    #[test]
    fn a_setting_is_as_it_was_set_or_at_its_default_and_none_is_loosened(fields in settings()) {
        let Ok(settings) = serde_json::from_value::<Settings>(Value::Object(fields.clone())) else {
            return Ok(());
        };
        let (read, defaults) = (json!(settings), json!(Settings::default()));
        for (name, default) in defaults.as_object().unwrap() {
            let expected = fields.get(name).filter(|value| !value.is_null()).unwrap_or(default);
            prop_assert_eq!(&read[name], expected, "{}", name);
        }
        prop_assert!(fields.keys().all(|name| defaults.get(name).is_some()));
        prop_assert!((60..=3600).contains(&settings.cooldown_seconds.get()));
        prop_assert!((1..=5).contains(&settings.sends_per_ten_minutes.get()));
        prop_assert!((1..=10).contains(&settings.sends_per_day.get()));
    }

    #[test]
    fn settings_read_back_as_they_were_stored(fields in settings()) {
        if let Ok(settings) = serde_json::from_value::<Settings>(Value::Object(fields)) {
            let again = json!(settings);
            prop_assert_eq!(serde_json::from_value::<Settings>(again).unwrap(), settings);
        }
    }
}

/// Settings, mostly right ones.
fn settings() -> impl Strategy<Value = Map<String, Value>> {
    let number = prop_oneof![
        (0_i64..12).prop_map(Value::from),
        (55_i64..70).prop_map(Value::from),
        (3590_i64..3610).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(1.5)),
        Just(Value::Null),
    ];
    let text = prop_oneof![
        "[a-z]{1,10}".prop_map(Value::from),
        Just(json!("shop.example")),
        Just(json!("es")),
        Just(json!("a\nb")),
        Just(Value::Null),
    ];
    let list = prop_oneof![
        Just(json!(["totp", "sms"])),
        Just(json!(["ES", "US"])),
        Just(json!(["*"])),
        Just(json!([])),
        Just(json!(["fax"])),
    ];
    let field = prop_oneof![
        (
            select(vec![
                "cooldown_seconds",
                "sends_per_ten_minutes",
                "sends_per_day",
                "sms_per_prefix_and_hour",
                "daily_sms_budget",
                "daily_email_budget"
            ]),
            number
        ),
        (select(vec!["issuer", "sms_domain", "locale"]), text),
        (select(vec!["methods", "sms_countries"]), list),
        (Just("require_step_up"), any::<bool>().prop_map(Value::from)),
        (
            Just("recovery_delay_hours"),
            any::<u32>().prop_map(Value::from)
        ),
        (
            Just("return_urls"),
            any::<Vec<String>>().prop_map(Value::from)
        ),
        (select(vec!["cooldown", "", "methods"]), Just(json!(1))),
    ];
    proptest::collection::vec(field, 0..4).prop_map(|fields| {
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}
