//! `tests/vectors/webauthn-messages.json`: every case, and good messages with each byte changed, with our verdicts.
//! Second opinions read it (`tests/webauthn/opinions`); here it is held to the code.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::cases::{self, Case};
use crate::ceremonies::{run_assertion, run_registration, verdict};
use crate::mutations::changed;

/// Messages that are changed byte for byte.
const CHANGED: [&str; 7] = [
    "ES256 without attestation",
    "ES256, attested by itself",
    "Ed25519, attested by itself",
    "RS256, attested by itself",
    "ES256",
    "Ed25519",
    "RS256",
];

/// One letter for each verdict.
fn letter(verdict: &str) -> char {
    match verdict {
        "accepted" => '.',
        "challenge" => 'c',
        "origin" => 'o',
        "rp_id" => 'r',
        "signature" => 's',
        "counter" => 'n',
        "unknown_credential" => 'u',
        "user_verification" => 'v',
        "malformed" => 'm',
        other => panic!("{other}"),
    }
}

fn run(case: &Case, message: &Value) -> &'static str {
    match case.stored {
        None => verdict(&run_registration(case, message)),
        Some(_) => verdict(&run_assertion(case, message)),
    }
}

fn describe(case: &Case) -> Value {
    let mut described = json!({
        "name": case.name,
        "user_verification": case.user_verification,
        "message": case.message,
        "verdict": run(case, &case.message),
    });
    let members = match &case.stored {
        None => ["clientDataJSON", "attestationObject"].as_slice(),
        Some(stored) => {
            described["stored"] = stored.json();
            &["clientDataJSON", "authenticatorData", "signature"]
        }
    };
    if CHANGED.contains(&case.name) {
        // A letter for each byte: what is said of the message with the lowest bit of that byte flipped.
        for member in members {
            let verdicts = (0..).map_while(|at| changed(&case.message, member, at, 1));
            let letters: String = verdicts
                .map(|message| letter(run(case, &message)))
                .collect();
            described["changed"][*member] = json!(letters);
        }
    }
    described
}

#[test]
fn the_messages_for_second_opinions_have_our_verdicts() {
    let describe_all = |cases: Vec<Case>| cases.iter().map(describe).collect::<Vec<_>>();
    let made = json!({
        "setting": cases::setting(),
        "registrations": describe_all(cases::registrations()),
        "assertions": describe_all(cases::assertions()),
    });
    let mut text = serde_json::to_string_pretty(&made).unwrap();
    text.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/webauthn-messages.json");
    if std::env::var_os("UPDATE_MESSAGES").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(
        kept == text,
        "run this with UPDATE_MESSAGES=1, and look at the difference"
    );
}
