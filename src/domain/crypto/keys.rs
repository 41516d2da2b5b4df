//! `MASTER_KEYS`: a ring of master keys, and one derived key per purpose from each of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::domain::crypto::signing_key::SigningKey;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is empty; it needs at least one entry `id:base64 of 32 random bytes`")]
    Empty,
    #[error("entry {0} is not `id:base64`, with an id of 1 to 16 letters or digits")]
    Malformed(usize),
    #[error("key {0} is not 32 bytes in base64")]
    Length(String),
    #[error("key {0} is all one byte; draw it at random")]
    Weak(String),
    #[error("key id {0} stands twice")]
    DuplicateId(String),
    #[error("keys {0} and {1} are the same key")]
    DuplicateKey(String, String),
}

/// The keys derived from one master key: one key, one purpose (CRY-09).
pub struct KeySet {
    pub id: String,
    pub sealing: [u8; 32],
    pub codes: [u8; 32],
    pub tokens: [u8; 32],
    pub qr_links: [u8; 32],
    pub pseudonyms: [u8; 32],
    /// Signs results that others verify.
    pub results: SigningKey,
    /// What others know that key by. Of the key itself and not of the entry's name: one that is given to another key
    /// must not make them check with what they kept of the first.
    pub results_id: String,
}

impl KeySet {
    fn derive(id: &str, master: &[u8]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(b"candado/v1"), master);
        let derive = |label: &str| {
            let mut key = [0; 32];
            // HKDF-SHA-256 gives up to 8160 bytes (RFC 5869 §2.3), so 32 always succeed; were they
            // not to, an all-zero key is refused by nobody, hence the explicit stop.
            assert!(
                hkdf.expand(label.as_bytes(), &mut key).is_ok(),
                "HKDF gives 32 bytes"
            );
            key
        };
        Self {
            id: id.to_owned(),
            sealing: derive("sealing"),
            codes: derive("code digests"),
            tokens: derive("access tokens"),
            qr_links: derive("qr links"),
            pseudonyms: derive("pseudonyms"),
            results: SigningKey::derive(&hkdf, "result tokens"),
            results_id: hex::encode(&derive("result tokens key id")[..8]),
        }
    }
}

/// The ring: the first entry writes, every entry reads.
pub struct KeyRing {
    current: KeySet,
    retiring: Vec<KeySet>,
}

impl KeyRing {
    /// Reads `id:base64,id:base64`. A missing, short, repeated or constant key is refused here, so
    /// that the service never serves with it (CRY-07).
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut masters: Vec<(&str, Vec<u8>)> = Vec::new();
        for (index, entry) in text.split(',').map(str::trim).enumerate() {
            if entry.is_empty() {
                return Err(if masters.is_empty() {
                    KeyError::Empty
                } else {
                    KeyError::Malformed(index + 1)
                });
            }
            let (id, key) = entry
                .split_once(':')
                .ok_or(KeyError::Malformed(index + 1))?;
            if !(1..=16).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric())
            {
                return Err(KeyError::Malformed(index + 1));
            }
            let key = STANDARD
                .decode(key)
                .map_err(|_| KeyError::Length(id.to_owned()))?;
            if key.len() != 32 {
                return Err(KeyError::Length(id.to_owned()));
            }
            if key.iter().all(|byte| Some(byte) == key.first()) {
                return Err(KeyError::Weak(id.to_owned()));
            }
            for (other_id, other_key) in &masters {
                if *other_id == id {
                    return Err(KeyError::DuplicateId(id.to_owned()));
                }
                if *other_key == key {
                    return Err(KeyError::DuplicateKey(
                        (*other_id).to_owned(),
                        id.to_owned(),
                    ));
                }
            }
            masters.push((id, key));
        }
        let mut sets = masters.iter().map(|(id, key)| KeySet::derive(id, key));
        let current = sets.next().ok_or(KeyError::Empty)?;
        Ok(Self {
            current,
            retiring: sets.collect(),
        })
    }

    /// The key that seals, digests and signs.
    pub fn current(&self) -> &KeySet {
        &self.current
    }

    /// The key of that id, whether it still writes or only reads.
    pub fn find(&self, id: &str) -> Option<&KeySet> {
        self.iter().find(|set| set.id == id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &KeySet> {
        std::iter::once(&self.current).chain(&self.retiring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> String {
        let bytes: Vec<u8> = (0..32)
            .map(|i| seed.wrapping_mul(31).wrapping_add(i))
            .collect();
        STANDARD.encode(bytes)
    }

    #[test]
    fn the_first_entry_writes_and_all_entries_read() {
        let ring = KeyRing::parse(&format!("k2:{}, k1:{}", key(2), key(1))).unwrap();
        assert_eq!(ring.current().id, "k2");
        assert_eq!(ring.find("k1").unwrap().id, "k1");
        assert!(ring.find("k0").is_none());
        assert_ne!(ring.find("k1").unwrap().sealing, ring.current().sealing);
    }

    #[test]
    fn cry_09_every_purpose_has_its_own_key() {
        let ring = KeyRing::parse(&format!("k1:{}", key(1))).unwrap();
        let set = ring.current();
        let keys = [
            set.sealing,
            set.codes,
            set.tokens,
            set.qr_links,
            set.pseudonyms,
            *set.results.as_bytes(),
        ];
        for (i, a) in keys.iter().enumerate() {
            for b in keys.iter().skip(i + 1) {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn atk_76_missing_short_zero_and_duplicate_keys_are_refused() {
        let zero = STANDARD.encode([0; 32]);
        let short = STANDARD.encode([7; 16]);
        let (one, two) = (key(1), key(2));
        let error = |text: &str| KeyRing::parse(text).err().unwrap();
        assert_eq!(error(""), KeyError::Empty);
        assert_eq!(error("   "), KeyError::Empty);
        assert_eq!(error(&format!("k1:{one},")), KeyError::Malformed(2));
        assert_eq!(error(&one), KeyError::Malformed(1));
        assert_eq!(error(&format!(":{one}")), KeyError::Malformed(1));
        assert_eq!(error(&format!("k.1:{one}")), KeyError::Malformed(1));
        assert_eq!(error("k1:not base64"), KeyError::Length("k1".into()));
        assert_eq!(error(&format!("k1:{short}")), KeyError::Length("k1".into()));
        assert_eq!(error(&format!("k1:{zero}")), KeyError::Weak("k1".into()));
        assert_eq!(
            error(&format!("k1:{one},k1:{two}")),
            KeyError::DuplicateId("k1".into())
        );
        assert_eq!(
            error(&format!("k1:{one},k2:{one}")),
            KeyError::DuplicateKey("k1".into(), "k2".into())
        );
    }
}
