//! What a browser sends of a passkey, part by part.

use candado::domain::webauthn::attestation::AttestationObject;
use candado::domain::webauthn::authenticator_data::AuthenticatorData;
use candado::domain::webauthn::cbor::Reader;
use candado::domain::webauthn::client_data::{Ceremony, ClientData};
use candado::domain::webauthn::{RelyingParty, UserVerification, cose};
use serde_json::Value;

/// One item in canonical CBOR, or bytes that are none. ciborium reads what is taken and writes it as it was.
pub fn cbor(data: &[u8]) {
    let mut reader = Reader::new(data);
    let Ok(item) = reader.item() else {
        return;
    };
    assert_eq!(
        [item, reader.rest()].concat(),
        data,
        "what is not read is left"
    );
    let value: ciborium::Value = ciborium::from_reader(item).expect("ciborium takes what is taken");
    let mut again = Vec::new();
    ciborium::into_writer(&value, &mut again).expect("a value is written");
    assert_eq!(again, item, "there is one form");
}

/// A COSE key and what follows it.
pub fn cose_keys(data: &[u8]) {
    let mut reader = Reader::new(data);
    let Ok(key) = cose::read(&mut reader) else {
        return;
    };
    let written = cose::write(&key);
    assert_eq!(
        [&written, reader.rest()].concat(),
        data,
        "there is one form"
    );
    assert_eq!(
        Reader::new(data).item(),
        Ok(&written[..]),
        "a key is one item"
    );
}

/// Authenticator data, and the same as an attestation object that holds them.
pub fn authenticator_data(data: &[u8]) {
    if let Ok(object) = AttestationObject::read(data) {
        assert_eq!(Reader::new(data).item(), Ok(data), "an object is one item");
        authenticator_data(object.authenticator_data);
    }
    let Ok(read) = AuthenticatorData::read(data) else {
        return;
    };
    assert!(data.len() >= 37 && data.starts_with(&read.rp_id_hash));
    assert_eq!(data[33..37], read.sign_count.to_be_bytes());
    assert_eq!(data[32] & 0x40 != 0, read.attested.is_some());
    if let Some(attested) = read.attested {
        let id = attested.id.as_bytes();
        assert!((1..=1023).contains(&id.len()));
        let rest = [id, &cose::write(&attested.key)].concat();
        assert!(data[55..].starts_with(&rest));
    } else if data[32] & 0x80 == 0 {
        assert_eq!(data.len(), 37, "nothing is left over");
    }
}

/// Client data, checked for the challenge and the origin they name themselves, so that every step is reached.
pub fn client_data(data: &[u8]) {
    let Ok(client_data) = ClientData::read(data) else {
        return;
    };
    // What is taken is JSON to others as well, with the same members.
    let text = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let Ok(Value::Object(members)) = serde_json::from_slice(text) else {
        return;
    };
    let origins = [members["origin"].as_str().expect("a text").to_owned()];
    let party = RelyingParty {
        id: "example.org",
        origins: &origins,
        user_verification: UserVerification::Preferred,
    };
    for (ceremony, kind) in [
        (Ceremony::Registration, "webauthn.create"),
        (Ceremony::Assertion, "webauthn.get"),
    ] {
        let checked = client_data.check(ceremony, &party, b"challenge");
        if checked.is_ok() {
            assert_eq!(members["type"], kind);
            assert_eq!(members["challenge"], "Y2hhbGxlbmdl");
            assert!(
                members
                    .get("crossOrigin")
                    .is_none_or(|framed| *framed == false)
            );
            assert!(!members.contains_key("topOrigin"));
        }
    }
    let nobody = RelyingParty {
        origins: &[],
        ..party
    };
    assert!(
        client_data
            .check(Ceremony::Assertion, &nobody, b"challenge")
            .is_err()
    );
}
