//! What a user typed to be verified, whatever kind of code it is: parsed once where it enters.

use serde::Deserialize;

use super::code::{CodeError, Digits, NumericCode};
use super::recovery::RecoveryCode;

/// What a caller sends to be verified: one code, of one kind by its form (OOB-17).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum GuessedCode {
    Numeric(NumericCode),
    Recovery(RecoveryCode),
}

impl GuessedCode {
    /// Whether it can match nothing a recovery is made with, so that the authenticators' lock is all
    /// there is to say about it.
    pub fn is_for_authenticators_only(&self) -> bool {
        matches!(self, Self::Numeric(code) if code.has(Digits::SIX))
    }
}

impl TryFrom<String> for GuessedCode {
    type Error = CodeError;

    fn try_from(text: String) -> Result<Self, CodeError> {
        NumericCode::parse(&text)
            .map(Self::Numeric)
            .or_else(|_| RecoveryCode::parse(&text).map(Self::Recovery))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atk_08_only_six_or_eight_ascii_digits_are_a_numeric_code() {
        for good in ["000000", "123456", "00000000"] {
            assert!(matches!(
                GuessedCode::try_from(good.to_owned()),
                Ok(GuessedCode::Numeric(_))
            ));
        }
        for bad in [
            "",
            " ",
            " 123456",
            "123456 ",
            "123456\n",
            "\u{a0}123456",
            "123 456",
            "+123456",
            "-12345",
            "0123456",
            "123456.0",
            "1e5",
            "0x1234",
            "١٢٣٤٥٦",
            "１２３４５６",
            "12345",
            "123456789",
            "12345\0",
            "%",
            "*",
        ] {
            assert_eq!(
                GuessedCode::try_from(bad.to_owned()),
                Err(CodeError),
                "{bad:?}"
            );
        }
        assert!(GuessedCode::try_from("1".repeat(10_000)).is_err());
    }

    #[test]
    fn rec_07_six_digits_are_no_guess_at_a_recovery() {
        for (text, only) in [
            ("123456", true),
            ("12345678", false),
            ("0123-4567-89AB-CDEF-GHJK-MNPQ", false),
        ] {
            let guess = GuessedCode::try_from(text.to_owned()).unwrap();
            assert_eq!(guess.is_for_authenticators_only(), only, "{text}");
        }
    }

    #[test]
    fn log_02_a_code_does_not_show_itself() {
        let code = GuessedCode::try_from("123456".to_owned()).unwrap();
        assert_eq!(format!("{code:?}"), "Numeric(NumericCode(…))");
    }
}
