//! Recovery codes a user keeps: 120 bits in Crockford base32, six groups of four characters.

use base32::Alphabet::Crockford;

use super::code::CodeError;
use super::digest::{self, Digest};
use super::ids::Owner;
use super::random::{self, RandomError};

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

    /// Reads Crockford's base32: any case, `I` and `L` as 1, `O` as 0, hyphens and spaces anywhere.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        // 24 characters and some separators; a longer text is no code and need not be decoded.
        if text.len() > 48 {
            return Err(CodeError);
        }
        let symbols = text.replace(['-', ' '], "");
        let bytes = base32::decode(Crockford, &symbols).filter(|_| symbols.len() == SYMBOLS);
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
    /// kill it (SECURITY decision 12).
    pub fn digest(&self, owner: Owner<'_>) -> Digest {
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
            &"0".repeat(49),
        ] {
            assert_eq!(RecoveryCode::parse(bad), Err(CodeError), "{bad}");
        }
    }

    #[test]
    fn a_code_may_have_as_many_separators_as_symbols_and_no_more() {
        let symbols = RecoveryCode::draw().unwrap().display().replace('-', "");
        let spread: String = symbols.chars().flat_map(|symbol| [symbol, ' ']).collect();
        assert_eq!(spread.len(), 48);
        assert_eq!(RecoveryCode::parse(&spread), RecoveryCode::parse(&symbols));
        assert!(RecoveryCode::parse(&symbols).is_ok());
        assert_eq!(RecoveryCode::parse(&format!("{spread} ")), Err(CodeError));
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
            code.digest(Owner {
                client: &client.unwrap(),
                user: &user.unwrap(),
            })
        };
        assert!(digest("shop", "ann").matches(&digest("shop", "ann")));
        assert!(!digest("shop", "ann").matches(&digest("shop", "bob")));
        assert!(!digest("shop", "ann").matches(&digest("bank", "ann")));
        assert!(!digest("shop", "a.b").matches(&digest("shop.a", ".b")));
    }

    proptest! {
        #[test]
        fn rec_09_every_rendering_of_a_code_is_the_same_code(bytes: [u8; 15], cuts in "[ -]{0,6}", lower: bool) {
            let code = RecoveryCode(bytes);
            let mut text = code.display().replace('-', &cuts.chars().take(2).collect::<String>());
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
                prop_assert_eq!(RecoveryCode::parse(&code.display()), Ok(code));
            }
        }
    }
}
