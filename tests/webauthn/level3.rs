//! Web Authentication Level 3 §16, "Test Vectors": every one of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use candado::domain::crypto::public_keys::{Algorithm, PublicKey};
use candado::domain::webauthn::authenticator_data::AuthenticatorData;
use candado::domain::webauthn::{Attestation, Refusal, RelyingParty, UserVerification};
use candado::native::signatures::Ring;
use candado::platform::Signatures as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{assert, now, register};

const HANDLE: &[u8] = b"whoever";

struct Vector(Value);

impl Vector {
    fn bytes(&self, ceremony: &str, member: &str) -> Vec<u8> {
        hex::decode(self.0[ceremony][member].as_str().unwrap()).unwrap()
    }

    fn text(&self, ceremony: &str, member: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes(ceremony, member))
    }

    fn credential(&self, response: &Value) -> Value {
        let id = self.text("registration", "credential_id");
        json!({"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}})
    }

    fn registration(&self) -> Value {
        self.credential(&json!({
            "clientDataJSON": self.text("registration", "clientDataJSON"),
            "attestationObject": self.text("registration", "attestationObject"),
        }))
    }

    fn authentication(&self) -> Value {
        self.credential(&json!({
            "clientDataJSON": self.text("authentication", "clientDataJSON"),
            "authenticatorData": self.text("authentication", "authenticatorData"),
            "signature": self.text("authentication", "signature"),
        }))
    }
}

fn vectors() -> Vec<Vector> {
    let file: Value =
        serde_json::from_str(include_str!("../vectors/webauthn-level3.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    vectors.iter().cloned().map(Vector).collect()
}

/// What comes of a vector: the key's algorithm and what its attestation is worth, or why it is refused.
fn expected(name: &str) -> Result<(Algorithm, Attestation), Refusal> {
    match name {
        "ES256 Credential with Self Attestation" => Ok((Algorithm::Es256, Attestation::SelfSigned)),
        "Packed Attestation with RS256 Credential" => Ok((Algorithm::Rs256, Attestation::None)),
        "Packed Attestation with Ed25519 Credential" => Ok((Algorithm::EdDsa, Attestation::None)),
        // A frame in another page: nobody here may be framed.
        "ES256 Credential with \"crossOrigin\": true in clientDataJSON"
        | "ES256 Credential with \"topOrigin\" in clientDataJSON" => Err(Refusal::Origin),
        // Algorithms that are not taken.
        "Packed Attestation with ES384 Credential"
        | "Packed Attestation with ES512 Credential"
        | "Packed Attestation with Ed448 Credential" => Err(Refusal::Malformed),
        "ES256 Credential with No Attestation"
        | "ES256 Credential with very long credential ID"
        | "Packed Attestation with ES256 Credential"
        | "TPM Attestation with ES256 Credential"
        | "Android Key Attestation with ES256 Credential"
        | "Apple Anonymous Attestation with ES256 Credential"
        | "FIDO U2F Attestation with ES256 Credential" => Ok((Algorithm::Es256, Attestation::None)),
        other => panic!("a vector that nobody has looked at: {other}"),
    }
}

#[test]
fn every_vector_is_taken_or_refused_for_its_reason() {
    let origins = ["https://example.org".to_owned()];
    let party = RelyingParty {
        id: "example.org",
        origins: &origins,
        user_verification: UserVerification::Preferred,
    };
    let (mut taken, mut refused) = (0, 0);
    for vector in vectors() {
        let name = vector.0["name"].as_str().unwrap();
        let challenge = vector.bytes("registration", "challenge");
        let registered = register(&party, &challenge, &vector.registration());
        let expected = expected(name);
        let summary = registered
            .as_ref()
            .map(|credential| (credential.key.algorithm(), credential.attestation));
        assert_eq!(summary.map_err(|refusal| *refusal), expected, "{name}");
        let Ok(credential) = registered else {
            refused += 1;
            continue;
        };
        assert_eq!(
            credential.id.as_bytes(),
            vector.bytes("registration", "credential_id")
        );
        let aaguid = credential.aaguid.as_str().replace('-', "");
        assert_eq!(aaguid, vector.0["registration"]["aaguid"].as_str().unwrap());

        let (challenge, message) = (
            vector.bytes("authentication", "challenge"),
            vector.authentication(),
        );
        let credentials = [credential];
        let asserted = assert(&party, &challenge, HANDLE, &credentials, &message).unwrap();
        let data =
            AuthenticatorData::read(&vector.bytes("authentication", "authenticatorData")).unwrap();
        assert_eq!(
            asserted.user_verified,
            credentials[0].uv_initialized && data.flags.user_verified(),
            "{name}"
        );
        assert_eq!(
            asserted.credential.backed_up,
            data.flags.backed_up(),
            "{name}"
        );
        assert!(!asserted.counter_went_back, "{name}");
        // It was made for this challenge, and for this key.
        let other = assert(&party, &[0; 32], HANDLE, &credentials, &message);
        assert_eq!(other, Err(Refusal::Challenge), "{name}");
        let mut other = message.clone();
        other["response"]["signature"] =
            vectors()[0].authentication()["response"]["signature"].clone();
        if vectors()[0].0["name"] != name {
            let other = assert(&party, &challenge, HANDLE, &credentials, &other);
            assert_eq!(other, Err(Refusal::Signature), "{name}");
        }
        taken += 1;
    }
    println!("{taken} vectors taken, {refused} refused");
    assert_eq!((taken, refused), (10, 5));
}

/// The two vectors of framed pages are refused for that alone: their signatures hold.
#[test]
fn a_framed_page_is_refused_although_its_signature_holds() {
    let mut seen = 0;
    for vector in vectors() {
        if expected(vector.0["name"].as_str().unwrap()) != Err(Refusal::Origin) {
            continue;
        }
        // The authenticator data end the object: 164 bytes, of which the key is the last 77.
        let object = vector.bytes("registration", "attestationObject");
        let data = AuthenticatorData::read(&object[object.len() - 164..]).unwrap();
        let key: PublicKey = data.attested.unwrap().key;
        let hash = Sha256::digest(vector.bytes("authentication", "clientDataJSON"));
        let message = [
            &vector.bytes("authentication", "authenticatorData"),
            &hash[..],
        ]
        .concat();
        let signature = key
            .raw_signature(&vector.bytes("authentication", "signature"))
            .unwrap();
        assert!(now(Ring.verify(&key, &message, &signature)));
        seen += 1;
    }
    assert_eq!(seen, 2);
}
