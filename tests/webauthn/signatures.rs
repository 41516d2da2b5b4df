//! What every implementation of `Signatures` has to do, run with ring: Wycheproof's signatures, what is derived from
//! the key ring, and what is malformed.

use candado::domain::crypto::public_keys::{Ed25519Key, P256Point, PublicKey, RsaModulus};
use candado::domain::crypto::signing_key::SigningKey;
use candado::native::signatures::Ring;
use candado::platform::Signatures as _;
use hkdf::Hkdf;
use proptest::prelude::*;
use sha2::Sha256;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify};

use crate::now;

/// Whether a signature holds, in the form it is sent in; false as well if it has another.
fn holds(key: &PublicKey, message: &[u8], sent: &[u8]) -> bool {
    key.raw_signature(sent)
        .is_some_and(|signature| now(Ring.verify(key, message, &signature)))
}

/// How many of Wycheproof's signatures were valid, and how many were not.
#[derive(Debug, Default)]
struct Counts {
    valid: usize,
    invalid: usize,
}

impl Counts {
    /// Compares our answer with Wycheproof's. What is acceptable to some lacks a NULL; it is not to us.
    fn compare(&mut self, ours: bool, theirs: TestResult, case: impl std::fmt::Display) {
        assert_eq!(ours, theirs == TestResult::Valid, "{case}");
        match theirs {
            TestResult::Valid => self.valid += 1,
            TestResult::Invalid | TestResult::Acceptable => self.invalid += 1,
        }
    }
}

#[test]
fn es256_gives_wycheproofs_answers() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut counts = Counts::default();
    for group in set.test_groups {
        let [4, point @ ..] = &group.key.key[..] else {
            panic!("an uncompressed point");
        };
        let point = P256Point::new(&point[..32], &point[32..]).unwrap();
        let key = PublicKey::Es256(point);
        for test in group.tests {
            let ours = holds(&key, &test.msg, &test.sig);
            let case = format_args!("{} {}", test.tc_id, test.comment);
            counts.compare(ours, test.result, case);
        }
    }
    println!("ES256: {counts:?}");
    assert!(counts.valid >= 170 && counts.invalid >= 300, "{counts:?}");
}

#[test]
fn ed25519_gives_wycheproofs_answers() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut counts = Counts::default();
    for group in set.test_groups {
        let key = PublicKey::Ed25519(Ed25519Key::new(&group.key.pk).unwrap());
        for test in group.tests {
            let ours = holds(&key, &test.msg, &test.sig);
            let case = format_args!("{} {}", test.tc_id, test.comment);
            counts.compare(ours, test.result, case);
        }
    }
    println!("Ed25519: {counts:?}");
    assert!(counts.valid >= 80 && counts.invalid >= 60, "{counts:?}");
}

#[test]
fn rs256_gives_wycheproofs_answers() {
    use rsa_pkcs1_verify::TestName;
    let (mut counts, mut others) = (Counts::default(), 0);
    for name in [
        TestName::Rsa2048Sha256,
        TestName::Rsa3072Sha256,
        TestName::Rsa4096Sha256,
    ] {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            // There is no such key here with another exponent.
            if group.key.e[..] != RsaModulus::EXPONENT {
                others += 1;
                continue;
            }
            let modulus: &[u8] = &group.key.n;
            let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
            let key = PublicKey::Rs256(RsaModulus::new(modulus).unwrap());
            for test in group.tests {
                let ours = holds(&key, &test.msg, &test.sig);
                let case = format_args!("{} {}", test.tc_id, test.comment);
                counts.compare(ours, test.result, case);
            }
        }
    }
    println!("RS256: {counts:?}, {others} keys with another exponent");
    assert!(counts.valid >= 21 && counts.invalid >= 752, "{counts:?}");
}

fn signing_key(label: &str) -> SigningKey {
    SigningKey::derive(&Hkdf::<Sha256>::new(Some(b"candado/v1"), &[7; 32]), label)
}

#[test]
fn what_a_derived_key_signs_its_public_point_verifies() {
    let (key, other) = (signing_key("result tokens"), signing_key("vapid"));
    let point = now(Ring.public_point(&key)).unwrap();
    let public = PublicKey::Es256(point.clone());
    let signature = now(Ring.sign(&key, b"message")).unwrap();
    assert!(now(Ring.verify(&public, b"message", &signature)));
    assert!(!now(Ring.verify(&public, b"massage", &signature)));
    let others = PublicKey::Es256(now(Ring.public_point(&other)).unwrap());
    assert!(!now(Ring.verify(&others, b"message", &signature)));
    // ECDSA draws a number each time; only the key is always the same.
    assert_ne!(now(Ring.sign(&key, b"message")).unwrap(), signature);
    assert_eq!(now(Ring.public_point(&key)).unwrap(), point);
}

#[test]
fn the_public_point_is_the_one_that_belongs_to_the_number() {
    // OpenSSL's, of the number that is derived for this (openssl ec -text).
    let hkdf = Hkdf::<Sha256>::new(
        Some(b"candado/v1"),
        &std::array::from_fn::<u8, 32, _>(|i| i.try_into().unwrap()),
    );
    let key = SigningKey::derive(&hkdf, "result tokens");
    let point = now(Ring.public_point(&key)).unwrap();
    assert_eq!(
        hex::encode(point.as_bytes()),
        "0472d850a8b962957d118eaeeadc6b4e7c62fa2fa11943ea9f9a29e43a8e1918008660f763f5c46575b113743d31b413ac0b024ed1ed81455eb5444a50efad90bc"
    );
}

fn keys() -> [PublicKey; 3] {
    let point = now(Ring.public_point(&signing_key("x"))).unwrap();
    let ed25519 = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    [
        PublicKey::Es256(point),
        PublicKey::Ed25519(Ed25519Key::new(&ed25519.unwrap()).unwrap()),
        PublicKey::Rs256(RsaModulus::new(&[0xff; 256]).unwrap()),
    ]
}

#[test]
fn bytes_that_are_no_point_verify_nothing() {
    // y = 2 is on no point of Curve25519; the key is only found out when it is used.
    let mut y = [0; 32];
    y[0] = 2;
    let key = PublicKey::Ed25519(Ed25519Key::new(&y).unwrap());
    assert!(!now(Ring.verify(&key, b"", &[0; 64])));
}

proptest! {
    #[test]
    fn what_is_malformed_holds_for_no_key(signature in prop::collection::vec(any::<u8>(), 0..300), message in any::<[u8; 4]>()) {
        for key in keys() {
            prop_assert!(!now(Ring.verify(&key, &message, &signature)));
        }
    }
}
