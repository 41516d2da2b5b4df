//! What a user typed to be verified, whatever kind of code it is: parsed once where it enters.

use serde::Deserialize;

use crate::domain::codes::numeric::{Digits, NumericCode};
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::method::{Class, Classes};

/// Longer text is no code, however it is spaced, and need not be looked at.
const LONGEST: usize = 96;

/// One text that was typed, of one kind by its form (OOB-17). Every string is one: what cannot be a
/// code is a wrong code to whoever typed it, not a malformed request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum GuessedCode {
    /// Six or eight digits.
    Numeric(NumericCode),
    RecoveryCode(RecoveryCode),
    /// Nothing any code looks like. It can match nothing, so it is never compared and never counted.
    NoCode,
}

impl GuessedCode {
    /// The classes a code of this form can be of, whatever a user has.
    pub fn classes(&self) -> Classes {
        let classes: &[Class] = match self {
            Self::Numeric(code) if code.has(Digits::SIX) => &[Class::Totp, Class::Delivered],
            Self::Numeric(_) => &[Class::Totp, Class::Recovery],
            Self::RecoveryCode(_) => &[Class::Recovery],
            Self::NoCode => &[],
        };
        classes.iter().copied().collect()
    }
}

impl From<String> for GuessedCode {
    /// Apps print codes as `123 456` and people type what they see: spaces and dashes are no part of a
    /// code. Whatever is left has one value however it was spaced, so no spelling has counters of its own.
    fn from(text: String) -> Self {
        if text.len() > LONGEST {
            return Self::NoCode;
        }
        let code: String = text.chars().filter(|c| !is_spacing(*c)).collect();
        NumericCode::parse(&code)
            .map(Self::Numeric)
            .or_else(|_| RecoveryCode::parse(&code).map(Self::RecoveryCode))
            .unwrap_or(Self::NoCode)
    }
}

/// White space of any width, and hyphens and dashes as keyboards and web pages have them.
fn is_spacing(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &str) -> GuessedCode {
        GuessedCode::from(text.to_owned())
    }

    #[test]
    fn atk_08_only_six_or_eight_ascii_digits_are_a_numeric_code() {
        for good in ["000000", "123456", "00000000"] {
            assert!(matches!(guess(good), GuessedCode::Numeric(_)));
        }
        for bad in [
            "",
            " ",
            "+123456",
            "0123456",
            "123456.0",
            "1e5",
            "0x1234",
            "١٢٣٤٥٦",
            "１２３４５６",
            "12345",
            "123456789",
            "12345\0",
            "123456\0",
            "123456\u{200b}",
            "%",
            "*",
            "123456,123456",
        ] {
            assert_eq!(guess(bad), GuessedCode::NoCode, "{bad:?}");
        }
        assert_eq!(guess(&"1".repeat(10_000)), GuessedCode::NoCode);
        assert_eq!(
            guess(&format!("123456{}", " ".repeat(91))),
            GuessedCode::NoCode
        );
    }

    #[test]
    fn however_a_code_is_spaced_it_is_the_same_code() {
        for spaced in [
            "123 456",
            "123-456",
            "-12345 6",
            " 123456\n",
            "\u{a0}123\u{202f}456",
            "1 2 3 4 5 6",
            "123\u{2013}456",
            "123\u{2212}456",
            &format!("123456{}", " ".repeat(90)),
        ] {
            assert_eq!(guess(spaced), guess("123456"), "{spaced:?}");
        }
        assert_eq!(guess("1234 5678"), guess("12345678"));
        assert_ne!(guess("1234 5678"), guess("123456"));
        let recovery = guess("0123-4567-89AB-CDEF-GHJK-MNPQ");
        assert!(matches!(recovery, GuessedCode::RecoveryCode(_)));
        assert_eq!(guess("0123 4567\t89ab cdef ghjk mnpq "), recovery);
    }

    #[test]
    fn rec_07_six_digits_are_no_guess_at_a_recovery() {
        for (text, classes) in [
            ("123456", &[Class::Totp, Class::Delivered][..]),
            ("12345678", &[Class::Totp, Class::Recovery]),
            ("0123-4567-89AB-CDEF-GHJK-MNPQ", &[Class::Recovery]),
            ("12345", &[]),
        ] {
            assert_eq!(
                guess(text).classes(),
                classes.iter().copied().collect(),
                "{text}"
            );
        }
    }

    #[test]
    fn log_02_a_code_does_not_show_itself() {
        assert_eq!(format!("{:?}", guess("123456")), "Numeric(NumericCode(…))");
    }
}
