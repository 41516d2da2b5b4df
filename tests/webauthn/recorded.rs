//! What Chromium sent (`record.mjs`): its virtual authenticators registered with our options and asserted twice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use candado::domain::webauthn::options::{CreationOptions, RequestOptions, User};
use candado::domain::webauthn::{
    Attestation, Base64Url, Credential, Refusal, RelyingParty, UserVerification,
};
use serde_json::{Value, json};

use crate::{assert, register};

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn what_chromium_sends_is_taken() {
    let recorded: Value =
        serde_json::from_str(include_str!("../vectors/webauthn-chromium.json")).unwrap();
    let origins = [recorded["origin"].as_str().unwrap().to_owned()];
    let challenges = [&recorded["registration"], &recorded["assertion"]].map(bytes);
    let handle = bytes(&recorded["user_handle"]);
    let mut algorithms = vec![];
    for run in recorded["runs"].as_array().unwrap() {
        let name = run["name"].as_str().unwrap();
        let wanted = run["user_verification"].clone();
        let user_verification: UserVerification = serde_json::from_value(wanted).unwrap();
        let party = RelyingParty {
            id: "localhost",
            origins: &origins,
            user_verification,
        };
        let user = User {
            handle: Base64Url(handle.clone()),
            name: "ann@example.org",
            display_name: "Ann",
        };
        let options = CreationOptions::new(&party, "Shop", user, &challenges[0], 300, &[]);
        assert_eq!(
            json!(options),
            run["options"],
            "{name}: asked with what we make"
        );

        let mut credential = register(&party, &challenges[0], &run["registration"]).unwrap();
        assert_eq!(credential.attestation, Attestation::None, "{name}");
        let options = RequestOptions::new(&party, &challenges[1], 300, [&credential]);
        assert_eq!(json!(options), run["request_options"], "{name}");

        for message in run["assertions"].as_array().unwrap() {
            let stored = [credential];
            let outcome = assert(&party, &challenges[1], &handle, &stored, message).unwrap();
            assert_eq!(
                outcome.user_verified,
                name.starts_with("a phone") || name.contains("cloud"),
                "{name}"
            );
            assert_eq!(
                outcome.credential.backed_up,
                name.contains("cloud"),
                "{name}"
            );
            assert!(!outcome.counter_went_back, "{name}");
            let other = assert(&party, &challenges[0], &handle, &stored, message);
            assert_eq!(other, Err(Refusal::Challenge), "{name}");
            credential = outcome.credential;
        }
        // The first message once more: its counter is not above the second one's.
        let again = &run["assertions"][0];
        let again = assert(
            &party,
            &challenges[1],
            &handle,
            &[credential.clone()],
            again,
        );
        if credential.backed_up {
            assert!(again.unwrap().counter_went_back, "{name}");
        } else {
            assert_eq!(again, Err(Refusal::Counter), "{name}");
        }
        algorithms.push(algorithm(&credential));
    }
    assert_eq!(algorithms, [-8, -8, -8, -7, -8, -7, -8, -7, -257]);
}

fn algorithm(credential: &Credential) -> i64 {
    credential.key.algorithm().cose()
}
