//! Recovery codes a user keeps: 120 bits in Crockford base32, six groups of four characters.

use base32::Alphabet::Crockford;

use crate::domain::codes::numeric::CodeError;
use crate::domain::crypto::digest::{self, Digest};
use crate::domain::crypto::random::{self, RandomError};
use crate::domain::ids::Owner;

/// How many codes a set has.
pub const CODES_PER_SET: usize = 10;
/// Symbols of a code: 120 bits at five each.
const SYMBOLS: usize = 24;

/// One recovery code, canonical: every way to write it down is the same value (REC-09).
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode([u8; 15]);

impl RecoveryCode {
    pub fn draw() -> Result<Self, RandomError> {
        Ok(Self(random::bytes()?))
    }

    /// Reads 24 symbols of Crockford's base32, without separators: any case, `I` and `L` as 1, `O` as 0.
    pub fn parse(symbols: &str) -> Result<Self, CodeError> {
        let bytes = Some(symbols)
            .filter(|symbols| symbols.len() == SYMBOLS)
            .and_then(|symbols| base32::decode(Crockford, symbols));
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(CodeError)
    }

    /// `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX`.
    pub fn display(&self) -> String {
        let text = base32::encode(Crockford, &self.0);
        let groups: Vec<&str> = text
            .as_bytes()
            .chunks(4)
            .filter_map(|group| str::from_utf8(group).ok())
            .collect();
        groups.join("-")
    }

    /// Plain SHA-256, bound to its owner: at 120 bits no key is needed, so no key rotation can
    /// kill it (decision 15).
    pub fn digest(&self, owner: &Owner) -> Digest {
        digest::plain(
            "candado/recovery-code/v1",
            &[
                owner.client.as_str().as_bytes(),
                owner.user.as_str().as_bytes(),
                &self.0,
            ],
        )
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::{ClientId, UserId};

    #[test]
    fn rec_01_a_code_is_24_crockford_characters_and_never_repeats() {
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let text = RecoveryCode::draw().unwrap().display();
            assert_eq!(text.len(), 29);
            assert!(text.split('-').all(|group| group.len() == 4));
            assert!(!text.contains(['I', 'L', 'O', 'U']));
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn what_is_not_a_recovery_code_is_refused() {
        let code = RecoveryCode::draw().unwrap().display();
        for bad in [
            "",
            "XXXX",
            "UUUU-UUUU-UUUU-UUUU-UUUU-UUUU",
            &format!("{code}0"),
            &code[1..],
            &code,
        ] {
            assert_eq!(RecoveryCode::parse(bad), Err(CodeError), "{bad}");
        }
    }

    #[test]
    fn log_02_a_recovery_code_does_not_show_itself() {
        let code = RecoveryCode::draw().unwrap();
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }

    #[test]
    fn rec_06_a_digest_belongs_to_one_user_of_one_client() {
        let code = RecoveryCode::draw().unwrap();
        let digest = |client: &str, user: &str| {
            let (client, user) = (
                ClientId::try_from(client.to_owned()),
                UserId::try_from(user.to_owned()),
            );
            code.digest(&Owner {
                client: client.unwrap(),
                user: user.unwrap(),
            })
        };
        assert!(digest("shop", "ann").matches(&digest("shop", "ann")));
        assert!(!digest("shop", "ann").matches(&digest("shop", "bob")));
        assert!(!digest("shop", "ann").matches(&digest("bank", "ann")));
        assert!(!digest("shop", "a.b").matches(&digest("shop.a", ".b")));
    }

    proptest! {
        #[test]
        fn rec_09_every_rendering_of_a_code_is_the_same_code(bytes: [u8; 15], lower: bool) {
            let code = RecoveryCode(bytes);
            let mut text = code.display().replace('-', "");
            if lower {
                text = text.to_lowercase().replace('1', "l").replace('0', "o");
            } else {
                text = text.replace('1', "I").replace('0', "O");
            }
            prop_assert_eq!(RecoveryCode::parse(&text), Ok(code));
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,64}") {
            if let Ok(code) = RecoveryCode::parse(&text) {
                prop_assert_eq!(RecoveryCode::parse(&code.display().replace('-', "")), Ok(code));
            }
        }
    }
}
