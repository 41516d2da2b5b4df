//! Good messages with one bit changed: refused, or harmless.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use candado::domain::webauthn::{Attestation, Refusal};
use serde_json::{Value, json};

use crate::cases::{self, Case};
use crate::ceremonies::{run_assertion, run_registration};

/// The message with bytes of one member changed; `None` past its end.
pub(crate) fn changed(message: &Value, member: &str, at: usize, change: u8) -> Option<Value> {
    let mut message = message.clone();
    let text = message["response"][member].as_str().unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
    *bytes.get_mut(at)? ^= change;
    message["response"][member] = json!(URL_SAFE_NO_PAD.encode(bytes));
    Some(message)
}

/// The message with each bit of one member changed in turn.
fn bits<'a>(message: &'a Value, member: &'a str) -> impl Iterator<Item = (usize, Value)> + 'a {
    let bytes = (0..).map_while(move |at| changed(message, member, at, 1).map(|_| at));
    bytes.flat_map(move |at| {
        (0..8).map(move |bit| (at, changed(message, member, at, 1 << bit).unwrap()))
    })
}

fn find<'a>(cases: &'a [Case], name: &str) -> &'a Case {
    cases.iter().find(|case| case.name == name).unwrap()
}

#[test]
fn an_assertion_with_any_bit_changed_is_refused() {
    let cases = cases::assertions();
    for name in [
        "ES256",
        "Ed25519",
        "RS256",
        "a counter that grows",
        "a passkey that is backed up",
    ] {
        let case = find(&cases, name);
        assert!(run_assertion(case, &case.message).is_ok());
        for member in ["clientDataJSON", "authenticatorData", "signature"] {
            let mut tried = 0;
            for (at, message) in bits(&case.message, member) {
                assert!(
                    run_assertion(case, &message).is_err(),
                    "{name}: {member} at {at}"
                );
                tried += 1;
            }
            assert!(tried >= 8 * 37, "{tried}");
        }
    }
}

#[test]
fn a_signed_registration_with_any_bit_changed_is_refused_or_no_longer_counts_as_attested() {
    let cases = cases::registrations();
    for name in [
        "ES256, attested by itself",
        "Ed25519, attested by itself",
        "RS256, attested by itself",
    ] {
        let case = find(&cases, name);
        let good = run_registration(case, &case.message).unwrap();
        assert_eq!(good.attestation, Attestation::SelfSigned);
        for (at, message) in bits(&case.message, "clientDataJSON") {
            assert!(
                run_registration(case, &message).is_err(),
                "{name}: client data at {at}"
            );
        }
        let mut taken = 0;
        for (at, message) in bits(&case.message, "attestationObject") {
            let Ok(credential) = run_registration(case, &message) else {
                continue;
            };
            // Only the format's name, `packed`, can change: into that of a format which is not verified.
            assert!((6..12).contains(&at), "{name}: object at {at}");
            assert_eq!(credential.attestation, Attestation::None);
            assert_eq!(credential.key, good.key);
            taken += 1;
        }
        assert!(taken > 0, "the names of other formats were tried");
    }
}

#[test]
fn an_unsigned_registration_with_any_bit_changed_binds_what_its_client_says() {
    let cases = cases::registrations();
    for name in [
        "ES256 without attestation",
        "Ed25519 without attestation",
        "RS256 without attestation",
    ] {
        let case = find(&cases, name);
        let good = run_registration(case, &case.message).unwrap();
        let mut taken = 0;
        for (_, message) in bits(&case.message, "attestationObject") {
            let Ok(credential) = run_registration(case, &message) else {
                continue;
            };
            // Without a signature the key is whatever is sent; the id is the one the browser knows it by.
            assert_eq!(credential.id, good.id);
            assert_eq!(credential.attestation, Attestation::None);
            taken += 1;
        }
        assert!(taken > 0);
        for (at, message) in bits(&case.message, "clientDataJSON") {
            if let Err(refusal) = run_registration(case, &message) {
                let expected = [Refusal::Malformed, Refusal::Challenge, Refusal::Origin];
                assert!(expected.contains(&refusal), "{name}: {refusal:?} at {at}");
            }
        }
    }
}

#[test]
fn a_message_that_is_cut_off_is_refused() {
    let (registrations, assertions) = (cases::registrations(), cases::assertions());
    let cut = |message: &Value, member: &str| {
        let mut message = message.clone();
        let text = message["response"][member].as_str().unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        let lengths = 0..bytes.len();
        let member = member.to_owned();
        lengths.map(move |length| {
            message["response"][&member] = json!(URL_SAFE_NO_PAD.encode(&bytes[..length]));
            message.clone()
        })
    };
    let case = find(&registrations, "ES256 without attestation");
    for member in ["clientDataJSON", "attestationObject"] {
        for message in cut(&case.message, member) {
            assert!(run_registration(case, &message).is_err(), "{member}");
        }
    }
    let case = find(&assertions, "ES256");
    for member in ["clientDataJSON", "authenticatorData", "signature"] {
        for message in cut(&case.message, member) {
            assert!(run_assertion(case, &message).is_err(), "{member}");
        }
    }
}
