//! What each fuzz target does with its bytes. The same functions replay the corpora in
//! `tests/fuzz_corpora.rs`, so that CI runs them without a nightly compiler.
//!
//! Each asserts more than the absence of a panic: what may never be accepted, and that what is accepted
//! reads back as itself.

pub mod webauthn;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use candado::domain::account::{Accept, Account, Attempt, Digests, Enrolment, Verdict};
use candado::domain::bring;
use candado::domain::codes::guess::GuessedCode;
use candado::domain::codes::import::{ImportedSecret, ImportedUrl};
use candado::domain::codes::numeric::NumericCode;
use candado::domain::codes::otpauth;
use candado::domain::codes::recovery_code::RecoveryCode;
use candado::domain::codes::totp::Parameters;
use candado::domain::crypto::keys::KeyRing;
use candado::domain::crypto::sealing::{Place, Sealed, Vault};
use candado::domain::crypto::token::{ACCESS_TOKEN_LIFETIME, AccessClaims, QrClaims};
use candado::domain::ids::{ClientId, Owner, UserId};
use candado::domain::method::Method as Proof;
use candado::domain::time::UnixTime;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request};
use serde_json::json;
use sha2::Sha256;

use crate::{ADMIN_TOKEN, ISSUER, TestApp};

const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,k0:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const NOW: UnixTime = UnixTime::from_secs(1_760_000_010);

fn keys() -> KeyRing {
    KeyRing::parse(KEYS).expect("the keys are valid")
}

fn owner() -> Owner {
    Owner {
        client: ClientId::try_from("shop".to_owned()).expect("an id"),
        user: UserId::try_from("ann".to_owned()).expect("an id"),
    }
}

/// One request to the whole service. The first line is `METHOD path [media type]`, the rest the body.
pub fn requests(data: &[u8]) {
    let (head, body) = data
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or((data, &[][..]), |end| (&data[..end], &data[end + 1..]));
    let Ok(head) = str::from_utf8(head) else {
        return;
    };
    let mut words = head.splitn(3, ' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{ISSUER}{path}"));
    if let Some(media_type) = words.next() {
        request = request.header("content-type", media_type);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let app = TestApp::new().await;
        let user = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com", "confirm": false});
        app.post("/mfa/register", user).await.expect(200);
        let token = app.fresh_token();
        if path.starts_with("/admin") {
            request = request.header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        } else if !path.starts_with("/auth") {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let Ok(request) = request.body(Bytes::copy_from_slice(body)) else {
            return;
        };
        // What every answer has, and the shape of every failure, is asserted where a `Reply` is made.
        let reply = app.send(request).await;
        assert!(reply.status < 500, "{reply:?}");
        // Whatever was asked: the user's factor still counts, unless it was for the caller to end it.
        let ends = [
            "/mfa/disable",
            "/mfa/renew",
            "/mfa/users/",
            "/admin/clients",
        ];
        if !ends.iter().any(|end| path.starts_with(end)) {
            let status = TestApp::request(Method::GET, "/mfa/status?user_id=ann", Some(&token), "");
            let status = app.send(status).await;
            let revoked = path == "/auth/revoke" && status.status == 401;
            assert!(revoked || status.json()["state"] == "active", "{status:?}");
        }
    });
}

/// A token as it stands, and then a token that says what the bytes say, signed with the right key: the
/// first line is its header, the rest its payload.
pub fn tokens(data: &[u8]) {
    let keys = keys();
    let text = String::from_utf8_lossy(data);
    // Its key is in this file, so only what was signed below is ever right.
    let access = AccessClaims::verify(&keys, ISSUER, &text, NOW);
    let link = QrClaims::verify(&keys, &text, NOW);
    assert!(access.is_err() || link.is_err());

    let (header, payload) = text.split_once('\n').unwrap_or((&text, ""));
    for (key, typ) in [
        (&keys.current().tokens, "at+jwt"),
        (&keys.current().qr_links, "qr+jwt"),
    ] {
        let token = sign(key, header, payload);
        let access = AccessClaims::verify(&keys, ISSUER, &token, NOW);
        let link = QrClaims::verify(&keys, &token, NOW);
        if access.is_ok() || link.is_ok() {
            let ours = format!(r#"{{"alg":"HS256","kid":"k1","typ":"{typ}"}}"#);
            assert_eq!(header, ours, "no other header is accepted");
            assert_eq!(
                (access.is_ok(), link.is_ok()),
                (typ == "at+jwt", typ == "qr+jwt")
            );
        }
        if let Ok(claims) = access {
            assert_eq!((claims.iss.as_str(), claims.aud.as_str()), (ISSUER, ISSUER));
            assert_eq!(claims.sub, claims.client_id);
            assert!(claims.nbf <= NOW && NOW < claims.exp);
            assert!(claims.exp.seconds_from(claims.iat) <= ACCESS_TOKEN_LIFETIME);
        }
        if let Ok(claims) = link {
            assert!(NOW < claims.exp);
        }
    }
}

fn sign(key: &[u8; 32], header: &str, payload: &str) -> String {
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length serves");
    mac.update(format!("{header}.{payload}").as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{header}.{payload}.{signature}")
}

/// Sealed text as it stands; and the bytes themselves, sealed and then changed at every place.
pub fn sealed_text(data: &[u8]) {
    let keys = keys();
    let owner = owner();
    let vault = Vault {
        keys: &keys,
        owner: &owner,
    };
    let place = Place {
        object: "contact",
        field: "phone",
    };
    let text = String::from_utf8_lossy(data);
    let sealed: Sealed = serde_json::from_value(json!(text)).expect("sealed text is any text");
    if let Ok(plain) = vault.open(place, &sealed) {
        let again = vault.reseal(place, sealed).expect("what opens seals again");
        assert_eq!(vault.open(place, &again), Ok(plain));
    }
    // The first byte says where the rest, once sealed, is changed.
    if let Some((at, plain)) = data.split_first() {
        let sealed = vault.seal(place, plain).expect("any bytes can be sealed");
        assert_eq!(vault.open(place, &sealed).as_deref(), Ok(plain));
        let mut text = json!(sealed)
            .as_str()
            .unwrap_or_default()
            .to_owned()
            .into_bytes();
        let at = usize::from(*at) % text.len();
        text[at] ^= 1;
        let changed: Sealed =
            serde_json::from_value(json!(String::from_utf8_lossy(&text))).expect("text");
        assert!(vault.open(place, &changed).is_err());
    }
}

/// A secret or an `otpauth://` URI of another service.
pub fn imported_secrets(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(secret) = ImportedSecret::try_from(text.clone().into_owned()) {
        let bytes = secret.as_bytes();
        assert!((16..=64).contains(&bytes.len()), "ENR-11");
        let again = ImportedSecret::try_from(otpauth::base32(bytes));
        assert!(again.is_ok_and(|again| again == secret));
    }
    if let Ok(url) = ImportedUrl::try_from(text.into_owned()) {
        let bytes = url.secret.as_bytes();
        assert!((16..=64).contains(&bytes.len()), "ENR-11");
        let again = ImportedUrl::try_from(otpauth::uri("Shop", "ann", bytes, &url.parameters));
        assert!(again.is_ok_and(|again| again == url));
    }
}

/// Files of other products, the first byte of which says whose: what is brought along has a user and a secret of at least
/// 128 bits, whatever the file holds.
pub fn brought_files(data: &[u8]) {
    let Some((first, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let format = bring::Format::ALL[usize::from(*first) % bring::Format::ALL.len()];
    for key in [None, Some([7; 16].as_slice())] {
        let Ok(records) = bring::read(format, text, key) else {
            continue;
        };
        for brought in records.into_iter().filter_map(|record| record.read.ok()) {
            assert!(!brought.user.is_empty());
            assert!((16..=64).contains(&brought.secret.len()));
        }
    }
}

/// A code as somebody types it.
pub fn codes(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    // Of what is no letter and no digit, spacing is no part of a code and everything else makes it none.
    let plain = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .collect::<String>()
    };
    match GuessedCode::from(text.clone()) {
        GuessedCode::Numeric(code) => {
            assert_eq!(code.as_str(), plain(&text));
            let digits = code.as_str().bytes().all(|byte| byte.is_ascii_digit());
            assert!(matches!(code.as_str().len(), 6 | 8) && digits);
        }
        GuessedCode::RecoveryCode(code) => {
            let shown = code.display();
            let again = GuessedCode::from(shown.clone());
            assert_eq!(again, GuessedCode::RecoveryCode(code));
            let symbols = |text: &str| {
                let text = plain(text).to_ascii_uppercase();
                text.replace(['I', 'L'], "1").replace('O', "0")
            };
            assert_eq!(symbols(&text), symbols(&shown), "REC-09");
        }
        GuessedCode::NoCode => assert!(NumericCode::parse(&text).is_err()),
    }
}

/// A stored account, of this version, an older one or none at all.
pub fn stored_accounts(data: &[u8]) {
    let Ok(mut account) = Account::from_stored(&String::from_utf8_lossy(data)) else {
        return;
    };
    let keys = keys();
    let owner = owner();
    let vault = Vault {
        keys: &keys,
        owner: &owner,
    };
    // What is read is written as itself, and read again.
    if let Ok(stored) = account.clone().into_stored(vault) {
        let again = Account::from_stored(&stored).expect("what was stored reads back");
        // One write moves every sealed value to the current key, so from then on nothing changes.
        assert_eq!(again.into_stored(vault).ok().as_ref(), Some(&stored));
    }
    let _ = (
        account.state(NOW),
        account.phone(vault),
        account.email(vault),
    );
    let on = account.mfa_enabled();
    let accept = Accept::any_of(Proof::ALL);
    for guess in [
        GuessedCode::RecoveryCode(RecoveryCode::draw().expect("randomness")),
        GuessedCode::from("000000".to_owned()),
        GuessedCode::from("00000000".to_owned()),
    ] {
        let attempt = Attempt {
            vault,
            guess: &guess,
            accept: &accept,
            digests: &Digests::new(),
            now: NOW,
        };
        let verdict = account.attempt(&attempt);
        assert!(
            !matches!(verdict, Ok(Verdict::Verified { .. })),
            "{guess:?}"
        );
    }
    assert_eq!(account.mfa_enabled(), on, "guessing does not turn MFA off");
    let enrolment = Enrolment::draw(vault, "ann".to_owned(), Parameters::default(), true);
    assert_eq!(
        account.enrol(enrolment.expect("randomness"), NOW).is_ok(),
        !on,
        "ATK-11"
    );
    account.disable(NOW);
    assert!(!account.mfa_enabled() && account.recovery_codes_remaining() == 0);
}
