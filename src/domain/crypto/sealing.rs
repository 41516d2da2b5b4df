//! Sealed text: AES-256-GCM with the key ring, bound to the one place it is stored in.
//!
//! `v1.<key id>.<base64url(nonce ‖ ciphertext ‖ tag)>`, 96-bit random nonce, 128-bit tag (SP 800-38D §8.2.2).

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::domain::crypto::digest::bound;
use crate::domain::crypto::keys::{KeyRing, KeySet};
use crate::domain::crypto::random::{self, RandomError};
use crate::domain::ids::{ClientId, Owner};

const FORMAT: &str = "v1";

/// Why sealed text did not open. To a caller all of these are one generic failure (CRY-06).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("sealed text is malformed")]
    Malformed,
    #[error("sealed with key {0}, which is not in MASTER_KEYS")]
    UnknownKey(String),
    #[error("sealed text was altered, or belongs to another place")]
    Forged,
    #[error("no randomness to seal with")]
    Random,
}

impl From<RandomError> for SealError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// Where in an account a sealed value lies. Sealed text moved to another place does not open (CRY-03).
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The object within the account: a factor's id, or `contact`.
    pub object: &'a str,
    pub field: &'static str,
}

/// The key ring, and whose values are sealed with it: they open for this owner and in their place only.
#[derive(Clone, Copy)]
pub struct Vault<'a> {
    pub keys: &'a KeyRing,
    pub owner: &'a Owner,
}

impl Vault<'_> {
    pub fn seal(self, place: Place<'_>, plaintext: &[u8]) -> Result<Sealed, SealError> {
        seal(self.keys, plaintext, |key_id| self.aad(place, key_id))
    }

    pub fn open(self, place: Place<'_>, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        open(self.keys, sealed, |key_id| self.aad(place, key_id))
    }

    /// The same plaintext under the current key: unchanged if it is sealed with it already.
    pub fn reseal(self, place: Place<'_>, sealed: Sealed) -> Result<Sealed, SealError> {
        match sealed.parts() {
            Some((key_id, _)) if key_id == self.keys.current().id => Ok(sealed),
            _ => self.seal(place, &self.open(place, &sealed)?),
        }
    }

    fn aad(self, place: Place<'_>, key_id: &str) -> Vec<u8> {
        let Owner { client, user } = self.owner;
        aad(client, user.as_str(), place, key_id)
    }
}

/// The key ring, and the client whose values are sealed with it that are no user's.
#[derive(Clone, Copy)]
pub struct ClientVault<'a> {
    pub keys: &'a KeyRing,
    pub client: &'a ClientId,
}

impl ClientVault<'_> {
    pub fn seal(self, place: Place<'_>, plaintext: &[u8]) -> Result<Sealed, SealError> {
        seal(self.keys, plaintext, |key_id| self.aad(place, key_id))
    }

    pub fn open(self, place: Place<'_>, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        open(self.keys, sealed, |key_id| self.aad(place, key_id))
    }

    /// The same plaintext under the current key: unchanged if it is sealed with it already.
    pub fn reseal(self, place: Place<'_>, sealed: Sealed) -> Result<Sealed, SealError> {
        match sealed.parts() {
            Some((key_id, _)) if key_id == self.keys.current().id => Ok(sealed),
            _ => self.seal(place, &self.open(place, &sealed)?),
        }
    }

    /// No user's id is empty.
    fn aad(self, place: Place<'_>, key_id: &str) -> Vec<u8> {
        aad(self.client, "", place, key_id)
    }
}

fn aad(client: &ClientId, user: &str, place: Place<'_>, key_id: &str) -> Vec<u8> {
    bound(&[
        FORMAT.as_bytes(),
        key_id.as_bytes(),
        client.as_str().as_bytes(),
        user.as_bytes(),
        place.object.as_bytes(),
        place.field.as_bytes(),
    ])
}

fn seal(
    keys: &KeyRing,
    plaintext: &[u8],
    aad: impl Fn(&str) -> Vec<u8>,
) -> Result<Sealed, SealError> {
    let key = keys.current();
    let nonce: [u8; 12] = random::bytes()?;
    let payload = Payload {
        msg: plaintext,
        aad: &aad(&key.id),
    };
    let ciphertext = cipher(key)
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| SealError::Malformed)?;
    let text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &ciphertext].concat());
    Ok(Sealed(format!("{FORMAT}.{}.{text}", key.id)))
}

fn open(
    keys: &KeyRing,
    sealed: &Sealed,
    aad: impl Fn(&str) -> Vec<u8>,
) -> Result<Vec<u8>, SealError> {
    let (key_id, text) = sealed.parts().ok_or(SealError::Malformed)?;
    let key = keys
        .find(key_id)
        .ok_or_else(|| SealError::UnknownKey(key_id.to_owned()))?;
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| SealError::Malformed)?;
    let (nonce, ciphertext) = bytes
        .split_first_chunk::<12>()
        .ok_or(SealError::Malformed)?;
    let payload = Payload {
        msg: ciphertext,
        aad: &aad(key_id),
    };
    cipher(key)
        .decrypt(&Nonce::from(*nonce), payload)
        .map_err(|_| SealError::Forged)
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// As it was stored. Text that is none does not open.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> Option<(&str, &str)> {
        let (key_id, text) = self
            .0
            .strip_prefix(FORMAT)?
            .strip_prefix('.')?
            .split_once('.')?;
        Some((key_id, text))
    }
}

fn cipher(key: &KeySet) -> Aes256Gcm {
    Aes256Gcm::new(&key.sealing.into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::ids::{ClientId, UserId};

    const K1: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const K2: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(text).unwrap()
    }

    fn owner(client: &str, user: &str) -> Owner {
        Owner {
            client: ClientId::try_from(client.to_owned()).unwrap(),
            user: UserId::try_from(user.to_owned()).unwrap(),
        }
    }

    fn place(object: &str) -> Place<'_> {
        Place {
            object,
            field: "secret",
        }
    }

    #[test]
    fn sealed_text_opens_where_it_was_sealed() {
        let (keys, owner) = (ring(K1), owner("shop", "u"));
        let vault = Vault {
            keys: &keys,
            owner: &owner,
        };
        let sealed = vault.seal(place("f1"), b"12345678901234567890").unwrap();
        assert!(sealed.0.starts_with("v1.k1."));
        assert_eq!(
            vault.open(place("f1"), &sealed).unwrap(),
            b"12345678901234567890"
        );
    }

    #[test]
    fn atk_74_sealed_text_moved_to_another_row_or_field_does_not_open() {
        let keys = ring(K1);
        let home = owner("shop", "u");
        let at_home = Vault {
            keys: &keys,
            owner: &home,
        };
        let sealed = at_home.seal(place("f1"), b"secret").unwrap();
        for (owner, object) in [
            (owner("shop", "v"), "f1"),
            (owner("bank", "u"), "f1"),
            (owner("shop", "u"), "f2"),
        ] {
            let vault = Vault {
                keys: &keys,
                owner: &owner,
            };
            assert_eq!(vault.open(place(object), &sealed), Err(SealError::Forged));
        }
        let other_field = Place {
            field: "phone",
            ..place("f1")
        };
        assert_eq!(at_home.open(other_field, &sealed), Err(SealError::Forged));
    }

    #[test]
    fn atk_75_every_flipped_bit_cut_and_unknown_version_fails_closed() {
        let (keys, owner) = (ring(&format!("{K1},{K2}")), owner("shop", "u"));
        let vault = Vault {
            keys: &keys,
            owner: &owner,
        };
        let sealed = vault.seal(place("f1"), b"secret").unwrap();
        let (_, text) = sealed.parts().unwrap();
        let open = |text: String| vault.open(place("f1"), &Sealed(text));
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[index] ^= 1 << bit;
                let flipped = format!("v1.k1.{}", URL_SAFE_NO_PAD.encode(&flipped));
                assert_eq!(open(flipped), Err(SealError::Forged));
            }
            let cut = format!("v1.k1.{}", URL_SAFE_NO_PAD.encode(&bytes[..index]));
            assert!(open(cut).is_err());
        }
        assert_eq!(open(format!("v2.k1.{text}")), Err(SealError::Malformed));
        assert_eq!(
            open(format!("v1.k9.{text}")),
            Err(SealError::UnknownKey("k9".into()))
        );
        assert_eq!(open(format!("v1.k2.{text}")), Err(SealError::Forged));
        assert_eq!(open(format!("v1.k1.{text}=")), Err(SealError::Malformed));
        assert_eq!(open(String::new()), Err(SealError::Malformed));
    }

    #[test]
    fn cry_02_a_nonce_never_repeats_and_sealing_again_changes_the_text() {
        let (keys, owner) = (ring(K1), owner("shop", "u"));
        let vault = Vault {
            keys: &keys,
            owner: &owner,
        };
        let mut nonces = HashSet::new();
        for _ in 0..20_000 {
            let sealed = vault.seal(place("f1"), b"s").unwrap();
            let bytes = URL_SAFE_NO_PAD.decode(sealed.parts().unwrap().1).unwrap();
            assert!(nonces.insert(bytes[..12].to_vec()));
        }
    }

    #[test]
    fn cry_05_resealing_moves_to_the_first_key_and_leaves_current_text_alone() {
        let owner = owner("shop", "u");
        let (first, second) = (ring(K1), ring(K2));
        let rotated = ring(&format!("{K2},{K1}"));
        let [first, second, rotated] = [&first, &second, &rotated].map(|keys| Vault {
            keys,
            owner: &owner,
        });
        let old = first.seal(place("f1"), b"secret").unwrap();
        let new = rotated.reseal(place("f1"), old.clone()).unwrap();
        assert!(new.0.starts_with("v1.k2."));
        assert_eq!(rotated.reseal(place("f1"), new.clone()).unwrap(), new);
        assert_eq!(second.open(place("f1"), &new).unwrap(), b"secret");
        assert_eq!(
            second.reseal(place("f1"), old),
            Err(SealError::UnknownKey("k1".into()))
        );
    }
}
