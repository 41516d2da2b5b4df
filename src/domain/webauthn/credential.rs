//! What is kept of a passkey: the standard's credential record (§4), as a value that is stored.

use serde::{Deserialize, Serialize};

use super::base64url::Base64Url;
use super::cose;
use crate::domain::crypto::public_keys::PublicKey;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    pub id: CredentialId,
    #[serde(with = "cose::stored")]
    pub key: PublicKey,
    /// The greatest counter that was seen.
    pub sign_count: u32,
    /// The authenticator verified its user when the key was registered (`uvInitialized`). If it did not, what it
    /// says of that later is not believed: a thief of a key without a PIN can set one.
    pub uv_initialized: bool,
    pub backup_eligible: bool,
    /// As of the last ceremony.
    pub backed_up: bool,
    pub transports: Transports,
    pub aaguid: Aaguid,
    pub attestation: Attestation,
}

/// 1 to 1023 bytes that an authenticator chose.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Base64Url", try_from = "Base64Url")]
pub struct CredentialId(Vec<u8>);

impl CredentialId {
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (1..=1023).contains(&bytes.len()).then_some(Self(bytes))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<CredentialId> for Base64Url {
    fn from(id: CredentialId) -> Self {
        Self(id.0)
    }
}

impl TryFrom<Base64Url> for CredentialId {
    type Error = &'static str;

    fn try_from(bytes: Base64Url) -> Result<Self, Self::Error> {
        Self::new(bytes.0).ok_or("a credential id of 1 to 1023 bytes")
    }
}

/// The model of an authenticator, written as a UUID. Unless an attestation proves it, it is only what somebody says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Aaguid(String);

impl Aaguid {
    pub fn new(bytes: [u8; 16]) -> Self {
        let mut text = hex::encode(bytes);
        for dash in [8, 13, 18, 23] {
            text.insert(dash, '-');
        }
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The ways to reach an authenticator, for the browser to look there. A browser may know more ways than the standard
/// lists; what cannot be a name, and what is beyond eight, is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Transports(Vec<String>);

impl Transports {
    const MOST: usize = 8;
    const LONGEST: usize = 32;

    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl From<Vec<String>> for Transports {
    fn from(mut names: Vec<String>) -> Self {
        names.retain(|name| {
            let allowed =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=Self::LONGEST).contains(&name.len()) && name.bytes().all(allowed)
        });
        names.sort_unstable();
        names.dedup();
        names.truncate(Self::MOST);
        Self(names)
    }
}

/// What proved that the key was made by an authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attestation {
    /// Nothing, or a statement of a format that is not verified here.
    None,
    /// A signature by the key itself: who registered it holds it. Of the authenticator it proves nothing.
    #[serde(rename = "self")]
    SelfSigned,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stored() -> Value {
        json!({
            "id": "AQID",
            "key": "pAEBAycgBiFYINdamAGCsQq31Uv-08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
            "sign_count": 7,
            "uv_initialized": true,
            "backup_eligible": true,
            "backed_up": false,
            "transports": ["hybrid", "internal"],
            "aaguid": "abababab-abab-abab-abab-abababababab",
            "attestation": "self",
        })
    }

    fn read(json: Value) -> Option<Credential> {
        serde_json::from_value(json).ok()
    }

    #[test]
    fn a_credential_is_stored_and_read_back_as_itself() {
        let credential = read(stored()).unwrap();
        assert_eq!(credential.id.as_bytes(), [1, 2, 3]);
        assert!(matches!(credential.key, PublicKey::Ed25519(_)));
        assert_eq!(json!(credential), stored());
        let unattested = Credential {
            attestation: Attestation::None,
            ..credential
        };
        assert_eq!(json!(unattested)["attestation"], "none");
    }

    #[test]
    fn a_stored_key_is_checked_again() {
        for key in [
            // Of small order; with a byte after it; ES384's algorithm; nothing.
            "pAEBAycgBiFYIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "pAEBAycgBiFYINdamAGCsQq31Uv-08lkBzoO4XLz2qYjJa8CGmj3B1EaAA",
            "pAEBAzgiIAYhWCDXWpgBgrEKt9VL_tPJZAc6DuFy89qmIyWvAhpo9wdRGg",
            "",
        ] {
            let mut other = stored();
            other["key"] = json!(key);
            assert_eq!(read(other), None, "{key}");
        }
    }

    #[test]
    fn what_a_later_version_stores_is_not_misread() {
        let mut other = stored();
        other["revoked"] = json!(true);
        assert_eq!(read(other), None);
    }

    #[test]
    fn an_id_has_1_to_1023_bytes() {
        assert_eq!(CredentialId::new(vec![]), None);
        assert!(CredentialId::new(vec![0]).is_some());
        assert!(CredentialId::new(vec![0; 1023]).is_some());
        assert_eq!(CredentialId::new(vec![0; 1024]), None);
        let mut other = stored();
        other["id"] = json!("");
        assert_eq!(read(other), None);
    }

    #[test]
    fn transports_are_names_sorted_each_once_and_eight_at_most() {
        let read = |names: &[&str]| {
            Transports::from(names.iter().map(ToString::to_string).collect::<Vec<_>>()).0
        };
        assert_eq!(
            read(&["usb", "nfc", "usb", "smart-card"]),
            ["nfc", "smart-card", "usb"]
        );
        assert_eq!(read(&["teleport9"]), ["teleport9"], "not known yet");
        let (longest, longer) = ("a".repeat(32), "a".repeat(33));
        assert_eq!(
            read(&["", "USB", "us b", "\u{fc}sb", "<script>", &longer, &longest]),
            [longest]
        );
        let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        assert_eq!(read(&many), many[..8]);
    }

    #[test]
    fn a_model_is_written_as_a_uuid() {
        // The authenticator of WebAuthn §16.2.
        let bytes = hex::decode("8446ccb9ab1db374750b2367ff6f3a1f").unwrap();
        let aaguid = Aaguid::new(bytes.try_into().unwrap());
        assert_eq!(aaguid.as_str(), "8446ccb9-ab1d-b374-750b-2367ff6f3a1f");
    }
}
