//! Digests of what must be recognised and never read back, each bound to its purpose and its owner.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// A SHA-256 or HMAC-SHA-256 value. Compared in constant time only: it has no `PartialEq`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    pub fn as_hex(&self) -> &str {
        &self.0
    }

    /// A digest as it was stored. Text that is none simply matches nothing.
    pub fn from_stored(hex: impl Into<String>) -> Self {
        Self(hex.into())
    }

    /// Constant-time equality; an empty or cut-off digest equals nothing, itself included (OOB-08).
    pub fn matches(&self, other: &Self) -> bool {
        self.0.len() == 64 && bool::from(self.0.as_bytes().ct_eq(other.0.as_bytes()))
    }
}

/// Each part after its length in four bytes, so that no two lists of parts give the same text.
pub fn bound(parts: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        text.extend_from_slice(&length.to_be_bytes());
        text.extend_from_slice(part);
    }
    text
}

/// Plain SHA-256 under a label, for values of 112 bits and more (decision 15): it
/// needs no key, so retiring a master key kills no recovery code and no client secret.
pub fn plain(label: &str, parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(bound(&[label.as_bytes()]));
    hash.update(bound(parts));
    Digest(hex::encode(hash.finalize()))
}

/// HMAC-SHA-256, for values a dump of the database would otherwise let anyone enumerate:
/// codes of 20 bits, phone numbers, addresses (OOB-10).
pub fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Digest {
    Digest(hex::encode(mac(key, &bound(parts))))
}

/// HMAC-SHA-256 of a message as it is, for whoever else has the key.
pub fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // HMAC fills a shorter key up with zeros to the hash's block (RFC 2104 §2); done here, there is
    // no length that could be wrong.
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Plain SHA-256, to compare with what other programs say of the same bytes.
#[cfg(test)]
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4231_case_2_holds_for_a_key_of_any_length() {
        // The RFC's key is 4 bytes; the same bytes filled up with zeros are the same key.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(b"Jefe").unwrap();
        mac.update(&bound(&[b"what do ya want for nothing?"]));
        let expected = hex::encode(mac.finalize().into_bytes());
        assert_eq!(
            keyed(&key, &[b"what do ya want for nothing?"]).as_hex(),
            expected
        );
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        assert_ne!(bound(&[b"ab", b"c"]), bound(&[b"a", b"bc"]));
        assert!(!plain("x", &[b"ab", b"c"]).matches(&plain("x", &[b"a", b"bc"])));
    }

    #[test]
    fn labels_keep_purposes_apart() {
        assert!(!plain("recovery", &[b"v"]).matches(&plain("client secret", &[b"v"])));
        assert!(plain("recovery", &[b"v"]).matches(&plain("recovery", &[b"v"])));
    }

    #[test]
    fn oob_08_an_empty_digest_matches_nothing() {
        let empty = Digest::from_stored("");
        assert!(!empty.matches(&empty));
        assert!(!empty.matches(&keyed(&[1; 32], &[b"123456"])));
    }

    #[test]
    fn the_demo_client_of_the_local_start_is_reproducible() {
        // What the set-up computes in another language; a change here must reach it.
        let digest = plain("candado/client-secret/v1", &[b"app123", b"secret123"]);
        let mut text = Vec::new();
        for part in [
            b"candado/client-secret/v1".as_slice(),
            b"app123",
            b"secret123",
        ] {
            text.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
            text.extend_from_slice(part);
        }
        assert_eq!(digest.as_hex(), hex::encode(Sha256::digest(&text)));
    }
}
