//! Known answers: Wycheproof's vectors against the very types the domain uses, and JWS by RFC 7515.
//! (The vectors of RFC 4226 and 6238 are at the bottom of `domain/totp.rs`.)
//!
//! Every test counts what it ran and asserts the least it must have been, so that none passes by running nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect is to fail"
)]

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use candado::domain::crypto::keys::KeyRing;
use candado::domain::crypto::token::{AccessClaims, QrClaims};
use candado::domain::time::UnixTime;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, UntrustedToken};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use wycheproof::TestResult;
use wycheproof::{aead, hkdf as hkdf_vectors, mac};

#[test]
fn cry_02_aes_256_gcm_gives_wycheproofs_answers() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            continue;
        }
        for test in group.tests {
            let key: [u8; 32] = test.key.as_slice().try_into().unwrap();
            let nonce: [u8; 12] = test.nonce.as_slice().try_into().unwrap();
            let cipher = Aes256Gcm::new(&key.into());
            let sealed = [test.ct.as_slice(), &test.tag].concat();
            let opened = cipher.decrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: &sealed,
                    aad: &test.aad,
                },
            );
            if test.result == TestResult::Valid {
                valid += 1;
                assert_eq!(opened.as_deref(), Ok(test.pt.as_slice()), "{}", test.tc_id);
                let payload = Payload {
                    msg: &test.pt,
                    aad: &test.aad,
                };
                assert_eq!(
                    cipher.encrypt(&Nonce::from(nonce), payload).unwrap(),
                    sealed,
                    "{}",
                    test.tc_id
                );
            } else {
                invalid += 1;
                assert!(opened.is_err(), "{} {}", test.tc_id, test.comment);
            }
        }
    }
    println!("AES-256-GCM: {valid} valid and {invalid} invalid vectors");
    assert!(valid >= 38 && invalid >= 27, "{valid} and {invalid}");
}

/// Runs one HMAC's vectors; answers how many were valid and how many not.
fn run_hmac<M: Mac>(name: mac::TestName, keyed: impl Fn(&[u8]) -> Option<M>) -> (usize, usize) {
    let (mut valid, mut invalid) = (0, 0);
    for group in mac::TestSet::load(name).unwrap().test_groups {
        for test in group.tests {
            let Some(mut mac) = keyed(&test.key) else {
                continue;
            };
            mac.update(&test.msg);
            let computed = mac.finalize().into_bytes();
            let matches = computed[..group.tag_size / 8] == test.tag[..];
            assert_eq!(
                matches,
                test.result == TestResult::Valid,
                "{} {}",
                test.tc_id,
                test.comment
            );
            if matches {
                valid += 1;
            } else {
                invalid += 1;
            }
        }
    }
    println!("{name:?}: {valid} valid and {invalid} invalid vectors");
    (valid, invalid)
}

#[test]
fn totp_01_the_hmacs_of_totp_give_wycheproofs_answers() {
    let least = |(valid, invalid): (usize, usize)| {
        assert!(valid >= 60 && invalid >= 60, "{valid} and {invalid}");
    };
    least(run_hmac(mac::TestName::HmacSha1, |key| {
        <Hmac<Sha1> as KeyInit>::new_from_slice(key).ok()
    }));
    least(run_hmac(mac::TestName::HmacSha256, |key| {
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok()
    }));
    least(run_hmac(mac::TestName::HmacSha512, |key| {
        <Hmac<Sha512> as KeyInit>::new_from_slice(key).ok()
    }));
}

#[test]
fn oob_10_the_hmac_of_digests_gives_wycheproofs_answers() {
    // As `domain::digest` does it: a key of 32 bytes, filled up to the block it is hashed with.
    let block = |key: &[u8]| {
        let key: [u8; 32] = key.try_into().ok()?;
        let mut block = [0; 64];
        block[..32].copy_from_slice(&key);
        Some(<Hmac<Sha256> as KeyInit>::new(&block.into()))
    };
    let (valid, invalid) = run_hmac(mac::TestName::HmacSha256, block);
    assert!(valid >= 40 && invalid >= 40, "{valid} and {invalid}");
}

#[test]
fn cry_09_hkdf_sha_256_gives_wycheproofs_answers() {
    let set = hkdf_vectors::TestSet::load(hkdf_vectors::TestName::HkdfSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in set.test_groups {
        for test in group.tests {
            let hkdf = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm);
            let mut okm = vec![0; test.size];
            let expanded = hkdf.expand(&test.info, &mut okm);
            if test.result == TestResult::Valid {
                valid += 1;
                expanded.unwrap();
                assert_eq!(okm, test.okm.as_slice(), "{}", test.tc_id);
            } else {
                invalid += 1;
                assert!(expanded.is_err(), "{} {}", test.tc_id, test.comment);
            }
        }
    }
    println!("HKDF-SHA-256: {valid} valid and {invalid} invalid vectors");
    assert!(valid >= 80 && invalid >= 3, "{valid} and {invalid}");
}

/// RFC 7515 appendix A.1: the key, and the token it signs.
const RFC_7515_KEY: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
const RFC_7515_TOKEN: [&str; 3] = [
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
];

/// Whether jwt-compact takes `token` under `key`, as `domain::token` asks it.
fn jwt_compact_takes(key: &[u8], token: &str) -> bool {
    UntrustedToken::new(token).is_ok_and(|untrusted| {
        Hs256
            .validator::<Value>(&Hs256Key::new(key))
            .validate(&untrusted)
            .is_ok()
    })
}

/// The ways Wycheproof's HS256 group alters a JWS, from one good token: what must be refused.
fn altered([header, payload, signature]: [&str; 3]) -> Vec<(&'static str, String)> {
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let other = |text: &str| {
        let first = if text.starts_with('X') { "Y" } else { "X" };
        format!("{first}{}", &text[1..])
    };
    let json = format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
    );
    let mut altered = vec![
        (
            "signature modified",
            format!("{header}.{payload}.{}", other(signature)),
        ),
        (
            "signature cut",
            format!("{header}.{payload}.{}", &signature[..40]),
        ),
        (
            "signature padded",
            format!("{header}.{payload}.{signature}="),
        ),
        ("signature missing", format!("{header}.{payload}.")),
        (
            "signature and separator missing",
            format!("{header}.{payload}"),
        ),
        (
            "payload modified",
            format!("{header}.{}.{signature}", other(payload)),
        ),
        ("payload missing", format!("{header}..{signature}")),
        (
            "payload and separator missing",
            format!("{header}.{signature}"),
        ),
        (
            "header modified",
            format!("{}.{payload}.{signature}", other(header)),
        ),
        ("header missing", format!(".{payload}.{signature}")),
        (
            "header and separator missing",
            format!("{payload}.{signature}"),
        ),
        ("header and signature missing", format!(".{payload}.")),
        ("payload alone", payload.to_owned()),
        ("nothing", String::new()),
        ("separators alone", "..".to_owned()),
        (
            "an empty component more",
            format!("{header}.{payload}.{signature}."),
        ),
        (
            "a component more",
            format!("{header}.{payload}.{signature}.foo"),
        ),
        ("alg none, unsigned", format!("{none}.{payload}.")),
        ("alg none, signed", format!("{none}.{payload}.{signature}")),
        ("JSON serialisation", json),
        ("a space before", format!(" {header}.{payload}.{signature}")),
        (
            "a newline after",
            format!("{header}.{payload}.{signature}\n"),
        ),
        (
            "standard base64",
            format!(
                "{header}.{payload}.{}",
                signature.replace('_', "/").replace('-', "+")
            ),
        ),
    ];
    // A signature that happens to have neither `-` nor `_` is the same in both alphabets.
    altered.retain(|(_, token)| *token != [header, payload, signature].join("."));
    altered
}

#[test]
fn atk_59_a_jws_of_rfc_7515_verifies_and_every_altered_one_is_refused() {
    let key = URL_SAFE_NO_PAD.decode(RFC_7515_KEY).unwrap();
    assert!(jwt_compact_takes(&key, &RFC_7515_TOKEN.join(".")));
    let altered = altered(RFC_7515_TOKEN);
    for (how, token) in &altered {
        assert!(!jwt_compact_takes(&key, token), "{how}");
    }
    let mut wrong_key = key.clone();
    wrong_key[0] ^= 1;
    assert!(!jwt_compact_takes(&wrong_key, &RFC_7515_TOKEN.join(".")));
    println!("JWS: 1 valid and {} invalid vectors", altered.len() + 1);
    assert!(altered.len() >= 22);
}

#[test]
fn tok_10_a_foreign_jws_is_refused_even_where_its_signature_is_right() {
    let keys = KeyRing::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let now = UnixTime::from_secs(1_300_819_379);
    let refused = |how: &str, token: &str| {
        assert!(
            AccessClaims::verify(&keys, "joe", token, now).is_err(),
            "{how}"
        );
        assert!(QrClaims::verify(&keys, token, now).is_err(), "{how}");
    };
    // The RFC's header and payload, signed with this service's own key: right, and not our header.
    let mut signed = 0;
    for key in [&keys.current().tokens, &keys.current().qr_links] {
        let text = [RFC_7515_TOKEN[0], RFC_7515_TOKEN[1]].join(".");
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        let token = [RFC_7515_TOKEN[0], RFC_7515_TOKEN[1], &signature];
        assert!(jwt_compact_takes(key, &token.join(".")));
        refused("another header", &token.join("."));
        for (how, token) in altered(token) {
            assert!(!jwt_compact_takes(key, &token), "{how}");
            refused(how, &token);
            signed += 1;
        }
    }
    refused("another key", &RFC_7515_TOKEN.join("."));
    for (how, token) in altered(RFC_7515_TOKEN) {
        refused(how, &token);
    }
    assert!(signed >= 44);
}
