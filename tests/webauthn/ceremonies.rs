//! Both ceremonies, from a browser's message to an outcome.

use candado::domain::webauthn::assertion::Assertion;
use candado::domain::webauthn::{
    AssertionResponse, Attestation, Credential, Refusal, RegistrationResponse, RelyingParty,
    UserVerification,
};
use serde_json::{Value, json};

use crate::cases::{self, Case};
use crate::{assert, register};
use candado_testkit::webauthn::authenticator::{
    CHALLENGE, Key, ORIGIN, RP_ID, Script, USER_HANDLE,
};

pub(crate) fn origins() -> [String; 1] {
    [ORIGIN.to_owned()]
}

pub(crate) fn party(origins: &[String], user_verification: UserVerification) -> RelyingParty<'_> {
    RelyingParty {
        id: RP_ID,
        origins,
        user_verification,
    }
}

pub(crate) fn run_registration(case: &Case, message: &Value) -> Result<Credential, Refusal> {
    let origins = origins();
    register(
        &party(&origins, case.user_verification),
        &CHALLENGE,
        message,
    )
}

pub(crate) fn run_assertion(case: &Case, message: &Value) -> Result<Assertion, Refusal> {
    let origins = origins();
    let stored = case.stored.as_ref().unwrap().json();
    let stored = [serde_json::from_value(stored).unwrap()];
    let party = party(&origins, case.user_verification);
    assert(&party, &CHALLENGE, &USER_HANDLE, &stored, message)
}

/// What a caller is told: `accepted` or the reason.
pub(crate) fn verdict<T>(outcome: &Result<T, Refusal>) -> &'static str {
    match outcome {
        Ok(_) => "accepted",
        Err(refusal) => refusal.reason(),
    }
}

#[test]
fn every_registration_is_taken_or_refused_for_its_reason() {
    let cases = cases::registrations();
    for case in &cases {
        let outcome = run_registration(case, &case.message);
        assert_eq!(verdict(&outcome), case.verdict, "{}", case.name);
    }
    assert!(cases.len() >= 50, "{}", cases.len());
}

#[test]
fn every_assertion_is_taken_or_refused_for_its_reason() {
    let cases = cases::assertions();
    for case in &cases {
        let outcome = run_assertion(case, &case.message);
        assert_eq!(verdict(&outcome), case.verdict, "{}", case.name);
    }
    assert!(cases.len() >= 45, "{}", cases.len());
}

#[test]
fn every_reason_is_given_by_some_case() {
    let told: Vec<&str> = cases::registrations()
        .iter()
        .chain(&cases::assertions())
        .map(|case| case.verdict)
        .collect();
    for reason in [
        "accepted",
        "challenge",
        "origin",
        "rp_id",
        "signature",
        "counter",
        "unknown_credential",
        "user_verification",
        "malformed",
    ] {
        assert!(told.contains(&reason), "{reason}");
    }
}

fn registration(name: &str) -> Credential {
    let cases = cases::registrations();
    let case = cases.iter().find(|case| case.name == name).unwrap();
    run_registration(case, &case.message).unwrap()
}

fn assertion(name: &str) -> Assertion {
    let cases = cases::assertions();
    let case = cases.iter().find(|case| case.name == name).unwrap();
    run_assertion(case, &case.message).unwrap()
}

#[test]
fn what_is_kept_of_a_registration_is_what_the_authenticator_said() {
    let credential = registration("a counter and a model");
    assert_eq!(credential.id.as_bytes(), (1..=32).collect::<Vec<u8>>());
    assert_eq!(credential.sign_count, 0x0102_0304);
    assert_eq!(
        credential.aaguid.as_str(),
        "abababab-abab-abab-abab-abababababab"
    );
    assert_eq!(credential.transports.as_slice(), ["nfc", "usb"]);
    assert!(credential.uv_initialized && !credential.backup_eligible && !credential.backed_up);
    assert_eq!(credential.attestation, Attestation::None);
    let attested = registration("ES256, attested by itself");
    assert_eq!(attested.attestation, Attestation::SelfSigned);
    assert!(!registration("nobody verified").uv_initialized);
    let backed_up = registration("a passkey that is backed up");
    assert!(backed_up.backup_eligible && backed_up.backed_up);
    let eligible = registration("a passkey that may be backed up");
    assert!(eligible.backup_eligible && !eligible.backed_up);
}

#[test]
fn a_thief_who_sets_a_pin_is_not_a_verified_user() {
    let name = "verified by a key that was registered without, though not required";
    assert!(!assertion(name).user_verified);
    assert!(assertion("ES256").user_verified);
    assert!(!assertion("nobody verified").user_verified);
}

#[test]
fn a_counter_is_kept_and_never_set_back() {
    let grown = assertion("a counter that grows");
    assert_eq!(
        (grown.credential.sign_count, grown.counter_went_back),
        (8, false)
    );
    let begun = assertion("a counter that begins");
    assert_eq!(
        (begun.credential.sign_count, begun.counter_went_back),
        (1, false)
    );
    let none = assertion("ES256");
    assert_eq!(
        (none.credential.sign_count, none.counter_went_back),
        (0, false)
    );
    let back = assertion("a counter that goes back, of a passkey that is backed up");
    assert_eq!(
        (back.credential.sign_count, back.counter_went_back),
        (7, true)
    );
}

#[test]
fn whether_a_passkey_is_backed_up_is_as_of_the_last_time() {
    assert!(
        assertion("a passkey that is backed up")
            .credential
            .backed_up
    );
    assert!(
        !assertion("a passkey that is no longer backed up")
            .credential
            .backed_up
    );
}

#[test]
fn what_was_registered_asserts_again_and_again() {
    let origins = origins();
    let party = party(&origins, UserVerification::Required);
    for key in [Key::es256(7), Key::ed25519(7), Key::rs256()] {
        let message = Script::registration(&key).register(&key);
        let mut credential = register(&party, &CHALLENGE, &message).unwrap();
        for count in [1, 2, 5] {
            let mut script = Script::assertion();
            script.count = count;
            // Stored and read back, as between two requests.
            let stored = serde_json::to_string(&credential).unwrap();
            let stored = [serde_json::from_str(&stored).unwrap()];
            let message = script.assert(&key);
            let outcome = assert(&party, &CHALLENGE, &USER_HANDLE, &stored, &message).unwrap();
            assert_eq!(outcome.credential.sign_count, count);
            credential = outcome.credential;
            let again = assert(
                &party,
                &CHALLENGE,
                &USER_HANDLE,
                &[credential.clone()],
                &message,
            );
            assert_eq!(again, Err(Refusal::Counter), "the same message again");
        }
    }
}

#[test]
fn the_credential_is_found_among_many() {
    let origins = origins();
    let party = party(&origins, UserVerification::Preferred);
    let keys = [Key::es256(1), Key::ed25519(2), Key::es256(3)];
    let mut stored: Vec<Credential> = vec![];
    for (number, key) in (1..).zip(&keys) {
        let mut script = Script::registration(key);
        script.id = vec![number; 16];
        stored.push(register(&party, &CHALLENGE, &script.register(key)).unwrap());
    }
    for (number, key) in (1..).zip(&keys) {
        let mut script = Script::assertion();
        script.id = vec![number; 16];
        let outcome = assert(
            &party,
            &CHALLENGE,
            &USER_HANDLE,
            &stored,
            &script.assert(key),
        )
        .unwrap();
        assert_eq!(outcome.credential.id.as_bytes(), script.id);
        // Another of the same user's keys does not sign for it.
        script.id = vec![number % 3 + 1; 16];
        let other = assert(
            &party,
            &CHALLENGE,
            &USER_HANDLE,
            &stored,
            &script.assert(key),
        );
        assert_eq!(other, Err(Refusal::Signature));
    }
    let none = assert(
        &party,
        &CHALLENGE,
        &USER_HANDLE,
        &[],
        &Script::assertion().assert(&keys[0]),
    );
    assert_eq!(none, Err(Refusal::UnknownCredential));
}

#[test]
fn one_of_several_origins_is_enough_and_none_is_none() {
    let key = Key::es256(7);
    let message = Script::registration(&key).register(&key);
    let several = ["https://www.example.org".to_owned(), ORIGIN.to_owned()];
    assert!(
        register(
            &party(&several, UserVerification::Preferred),
            &CHALLENGE,
            &message
        )
        .is_ok()
    );
    let none = register(
        &party(&[], UserVerification::Preferred),
        &CHALLENGE,
        &message,
    );
    assert_eq!(none, Err(Refusal::Origin));
}

#[test]
fn user_verification_is_asked_for_only_where_it_is_required() {
    let (origins, key) = (origins(), Key::es256(7));
    let mut script = Script::registration(&key);
    script.flags &= !candado_testkit::webauthn::authenticator::UV;
    let message = script.register(&key);
    for (wanted, expected) in [
        (UserVerification::Required, "user_verification"),
        (UserVerification::Preferred, "accepted"),
        (UserVerification::Discouraged, "accepted"),
    ] {
        assert_eq!(
            verdict(&register(&party(&origins, wanted), &CHALLENGE, &message)),
            expected
        );
    }
}

#[test]
fn what_browsers_leave_out_or_add_does_not_matter() {
    let (origins, key) = (origins(), Key::es256(7));
    let party = party(&origins, UserVerification::Preferred);
    let mut message = Script::registration(&key).register(&key);
    message["prf"] = json!({"enabled": true});
    let response = message["response"].as_object_mut().unwrap();
    response.remove("transports");
    response.remove("authenticatorData");
    // A lie beside the truth: only what the object holds is read.
    response.insert("publicKeyAlgorithm".to_owned(), json!(-257));
    response.insert("publicKey".to_owned(), json!("AAAA"));
    let credential = register(&party, &CHALLENGE, &message).unwrap();
    assert!(credential.transports.as_slice().is_empty());

    let mut message = Script::assertion().assert(&key);
    message["response"]["userHandle"] = Value::Null;
    message
        .as_object_mut()
        .unwrap()
        .remove("clientExtensionResults");
    assert!(assert(&party, &CHALLENGE, &USER_HANDLE, &[credential], &message).is_ok());
}

#[test]
fn a_message_of_another_shape_is_malformed() {
    let key = Key::es256(7);
    let (registration, assertion) = (
        Script::registration(&key).register(&key),
        Script::assertion().assert(&key),
    );
    for shape in [
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!({"id": "AQID"}),
    ] {
        assert_eq!(
            RegistrationResponse::read(&shape).err(),
            Some(Refusal::Malformed),
            "{shape}"
        );
        assert_eq!(
            AssertionResponse::read(&shape).err(),
            Some(Refusal::Malformed),
            "{shape}"
        );
    }
    // The members' values in their order, without names.
    let listed = |message: &Value, members: &[&str]| {
        members
            .iter()
            .map(|member| message[*member].clone())
            .collect::<Value>()
    };
    let outer = ["id", "rawId", "type", "response"];
    assert!(RegistrationResponse::read(&listed(&registration, &outer)).is_err());
    assert!(AssertionResponse::read(&listed(&assertion, &outer)).is_err());
    let mut message = registration.clone();
    message["response"] = listed(
        &message["response"],
        &["clientDataJSON", "attestationObject", "transports"],
    );
    assert!(RegistrationResponse::read(&message).is_err());
    let mut message = assertion.clone();
    let inner = [
        "clientDataJSON",
        "authenticatorData",
        "signature",
        "userHandle",
    ];
    message["response"] = listed(&message["response"], &inner);
    assert!(AssertionResponse::read(&message).is_err());
    assert!(RegistrationResponse::read(&assertion).is_err());
    assert!(AssertionResponse::read(&registration).is_err());
    for member in ["id", "rawId", "type", "response"] {
        for other in [Value::Null, json!(7), json!("")] {
            let mut message = registration.clone();
            message[member] = other.clone();
            assert!(
                RegistrationResponse::read(&message).is_err(),
                "{member} {other}"
            );
            let mut message = assertion.clone();
            message[member] = other.clone();
            assert!(
                AssertionResponse::read(&message).is_err(),
                "{member} {other}"
            );
        }
    }
    for member in ["clientDataJSON", "attestationObject"] {
        let mut message = registration.clone();
        message["response"].as_object_mut().unwrap().remove(member);
        assert!(RegistrationResponse::read(&message).is_err(), "{member}");
    }
    for member in ["clientDataJSON", "authenticatorData", "signature"] {
        let mut message = assertion.clone();
        message["response"].as_object_mut().unwrap().remove(member);
        assert!(AssertionResponse::read(&message).is_err(), "{member}");
    }
}
