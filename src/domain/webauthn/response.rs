//! What a browser sends back: `RegistrationResponseJSON` and `AuthenticationResponseJSON` (§5.1).
//!
//! Of what stands there twice only the part that is signed is read, or hashed into what is: not `authenticatorData`,
//! `publicKey` or `publicKeyAlgorithm` beside an attestation object. Members that are not listed are ignored.

use serde::Deserialize as _;
use serde_json::Value;

use super::base64url::Base64Url;
use super::credential::{CredentialId, Transports};
use super::{Malformed, Refusal};

#[derive(Debug, Clone)]
pub struct RegistrationResponse {
    pub(super) id: CredentialId,
    pub(super) client_data: Vec<u8>,
    pub(super) attestation_object: Vec<u8>,
    pub(super) transports: Transports,
}

#[derive(Debug, Clone)]
pub struct AssertionResponse {
    pub(super) id: CredentialId,
    pub(super) client_data: Vec<u8>,
    pub(super) authenticator_data: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) user_handle: Option<Vec<u8>>,
}

/// The id of a `PublicKeyCredential`, and its `response`.
fn read_credential(json: &Value) -> Result<(CredentialId, &Value), Malformed> {
    let id = CredentialId::new(bytes(json, "rawId")?).ok_or(Malformed)?;
    // Both are the same id: which of the two a reader takes must not matter.
    let sound = json["type"] == "public-key" && bytes(json, "id")? == id.as_bytes();
    sound.then_some((id, &json["response"])).ok_or(Malformed)
}

/// A member that has to be there. By hand: what serde derives for this is three kilobytes of the Worker.
fn bytes(object: &Value, member: &str) -> Result<Vec<u8>, Malformed> {
    let text = object[member].as_str().ok_or(Malformed)?;
    Base64Url::decode(text)
        .map(|bytes| bytes.0)
        .ok_or(Malformed)
}

impl RegistrationResponse {
    pub fn read(json: &Value) -> Result<Self, Refusal> {
        let (id, response) = read_credential(json)?;
        // Browsers of before Level 2 do not know it.
        let transports = match response.get("transports") {
            Some(names) => Transports::deserialize(names).map_err(|_| Malformed)?,
            None => Transports::default(),
        };
        Ok(Self {
            id,
            client_data: bytes(response, "clientDataJSON")?,
            attestation_object: bytes(response, "attestationObject")?,
            transports,
        })
    }
}

impl AssertionResponse {
    pub fn read(json: &Value) -> Result<Self, Refusal> {
        let (id, response) = read_credential(json)?;
        let user_handle = match response["userHandle"] {
            Value::Null => None,
            _ => Some(bytes(response, "userHandle")?),
        };
        Ok(Self {
            id,
            client_data: bytes(response, "clientDataJSON")?,
            authenticator_data: bytes(response, "authenticatorData")?,
            signature: bytes(response, "signature")?,
            user_handle,
        })
    }
}
