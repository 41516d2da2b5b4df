//! Numeric codes: how they are written, drawn, and kept in KV while they are under way.

use serde::{Deserialize, Serialize};

use crate::domain::crypto::digest::{self, Digest};
use crate::domain::crypto::keys::KeySet;
use crate::domain::crypto::random::{self, RandomError};
use crate::domain::crypto::sealing::Vault;
use crate::domain::ids::ChallengeId;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("6 or 8 digits, or the 24 characters of a recovery code")]
pub struct CodeError;

/// 6 or 8: everything else is refused where it enters (TOTP-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Digits(u8);

impl Digits {
    pub const SIX: Self = Self(6);
    pub const EIGHT: Self = Self(8);

    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Digits {
    type Error = &'static str;

    fn try_from(digits: u8) -> Result<Self, &'static str> {
        matches!(digits, 6 | 8)
            .then_some(Self(digits))
            .ok_or("6 or 8")
    }
}

impl From<Digits> for u8 {
    fn from(digits: Digits) -> Self {
        digits.0
    }
}

/// 6 or 8 ASCII digits, leading zeros included. A string, never a number (TOTP-04).
#[derive(Clone, PartialEq, Eq)]
pub struct NumericCode(String);

impl NumericCode {
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && matches!(text.len(), 6 | 8))
            .then(|| Self(text.to_owned()))
            .ok_or(CodeError)
    }

    /// Uniform over every code of that length (OOB-01).
    pub fn draw(digits: Digits) -> Result<Self, RandomError> {
        let width = usize::from(digits.get());
        let number = random::below(10_u32.pow(u32::from(digits.get())))?;
        Ok(Self(format!("{number:0width$}")))
    }

    pub(super) fn from_generated(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn has(&self, digits: Digits) -> bool {
        self.0.len() == usize::from(digits.get())
    }
}

impl std::fmt::Debug for NumericCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NumericCode(…)")
    }
}

/// What a delivered code's digest is bound to, beside its owner: moved to another user, channel or
/// purpose, it matches nothing (OOB-04).
#[derive(Clone, Copy)]
pub struct CodeBinding<'a> {
    pub vault: Vault<'a>,
    pub challenge: &'a ChallengeId,
    /// The channel and purpose, as one word.
    pub kind: &'static str,
}

impl CodeBinding<'_> {
    fn digest(&self, key: &KeySet, code: &NumericCode) -> Digest {
        let owner = self.vault.owner;
        digest::keyed(
            &key.codes,
            &[
                owner.client.as_str().as_bytes(),
                owner.user.as_str().as_bytes(),
                self.challenge.as_str().as_bytes(),
                self.kind.as_bytes(),
                code.as_str().as_bytes(),
            ],
        )
    }

    /// The text KV keeps for a delivered code: `<key id>.<hex digest>`.
    pub fn stored_digest(&self, code: &NumericCode) -> String {
        let key = self.vault.keys.current();
        format!("{}.{}", key.id, self.digest(key, code).as_hex())
    }

    /// Whether `code` is the one `stored` was made of. Text of another form, or by a key that is
    /// gone, matches nothing.
    pub fn matches(&self, code: &NumericCode, stored: &str) -> bool {
        stored.split_once('.').is_some_and(|(key_id, hex)| {
            let key = self.vault.keys.find(key_id);
            key.is_some_and(|key| self.digest(key, code).matches(&Digest::from_stored(hex)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::crypto::keys::KeyRing;
    use crate::domain::ids::{ClientId, Owner, UserId};

    #[test]
    fn oob_01_drawn_codes_are_uniform_at_every_position() {
        let draws = 100_000_u32;
        let mut counts = [[0_u32; 10]; 6];
        for _ in 0..draws {
            let code = NumericCode::draw(Digits::SIX).unwrap();
            for (position, digit) in code.as_str().bytes().enumerate() {
                counts[position][usize::from(digit - b'0')] += 1;
            }
        }
        for position in counts {
            let expected = f64::from(draws) / 10.0;
            let chi_square: f64 = position
                .iter()
                .map(|&count| (f64::from(count) - expected).powi(2) / expected)
                .sum();
            // 9 degrees of freedom: above 45 is one in a million.
            assert!(chi_square < 45.0, "{position:?}");
        }
    }

    #[test]
    fn oob_04_a_digest_matches_only_the_place_it_was_made_for() {
        let keys = KeyRing::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let owner = |client: &str, user: &str| Owner {
            client: ClientId::try_from(client.to_owned()).unwrap(),
            user: UserId::try_from(user.to_owned()).unwrap(),
        };
        let (ann, bob, ann_of_bank) = (
            owner("shop", "ann"),
            owner("shop", "bob"),
            owner("bank", "ann"),
        );
        let (here, there) = (ChallengeId::draw().unwrap(), ChallengeId::draw().unwrap());
        let binding = |owner, challenge, kind| CodeBinding {
            vault: Vault { keys: &keys, owner },
            challenge,
            kind,
        };
        let code = NumericCode::parse("123456").unwrap();
        let home = binding(&ann, &here, "sms verify");
        let stored = home.stored_digest(&code);
        assert!(home.matches(&code, &stored));
        assert!(!home.matches(&NumericCode::parse("123457").unwrap(), &stored));
        for other in [
            binding(&ann_of_bank, &here, "sms verify"),
            binding(&bob, &here, "sms verify"),
            binding(&ann, &there, "sms verify"),
            binding(&ann, &here, "email verify"),
            binding(&ann, &here, "sms recovery"),
        ] {
            assert!(!other.matches(&code, &stored));
        }
        for text in [
            "",
            ".",
            "k1",
            "k1.",
            "k9.00",
            &stored[..20],
            &stored.replace("k1", "k2"),
        ] {
            assert!(!home.matches(&code, text), "{text}");
        }
    }
}
