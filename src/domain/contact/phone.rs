//! A telephone number as E.164 writes it. Whether the number exists, and on what kind of line, only the
//! network knows.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::contact::calling_codes;
use crate::domain::contact::country::Country;

/// A number has exactly one text, so that the text can be the key of a limit: no spaces, no 00, no extension.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct Phone(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PhoneError {
    #[error("a phone number in E.164: + and 7 to 15 digits without spaces, such as +34600111222")]
    NotE164,
}

impl Phone {
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        Self::try_from(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The calling code and the last two digits, with a • for each digit between.
    pub fn masked(&self) -> String {
        let code = calling_codes::calling_code(self.digits());
        let (hidden, last) = self.split_before_last(2);
        let hidden = "•".repeat(hidden.len().saturating_sub("+".len() + code.len()));
        format!("+{code}{hidden}{last}")
    }

    /// The number without its last four digits: what the numbers of one purchased range share.
    pub fn prefix(&self) -> &str {
        self.split_before_last(4).0
    }

    /// The calling code, and as much of the area or network as leaves six digits open, three at most: what this number
    /// shares with at least a million others.
    pub fn range(&self) -> &str {
        let digits = self.digits();
        let code = calling_codes::calling_code(digits).len();
        let named = digits.len().saturating_sub(code + 6).min(3);
        digits.get(..code + named).unwrap_or_default()
    }

    /// `None` is a number outside every country's ordinary network: satellite, premium, unassigned, or a
    /// spelling that would reach the phone of another number.
    pub fn country(&self) -> Option<Country> {
        calling_codes::country_of(self.digits()).map(Country)
    }

    fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    fn split_before_last(&self, count: usize) -> (&str, &str) {
        self.0
            .split_at_checked(self.0.len().saturating_sub(count))
            .unwrap_or((&self.0, ""))
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        let is_e164 = text.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && !digits.starts_with('0')
        });
        if is_e164 {
            Ok(Self(text))
        } else {
            Err(PhoneError::NotE164)
        }
    }
}

// A derived Debug would put numbers into logs and panic messages.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Phone {
        Phone::parse(text).unwrap()
    }

    fn country_of(text: &str) -> Option<String> {
        phone(text).country().map(String::from)
    }

    #[test]
    fn log_06_a_range_leaves_six_digits_open_of_every_number() {
        for (text, range) in [
            ("+34612345678", "34612"),
            ("+12015550123", "1201"),
            ("+447400123456", "44740"),
            ("+351912345678", "351912"),
            ("+4740612345", "4740"),
            ("+38343201234", "38343"),
            ("+2908999", "290"),
            ("+1234567", "1"),
            ("+999123456789012", "999123"),
        ] {
            let number = phone(text);
            assert_eq!(number.range(), range, "{text}");
            let code = calling_codes::calling_code(number.digits());
            let open = number.digits().len() - range.len();
            assert!(range == code || open >= 6, "{text}");
        }
    }

    #[test]
    fn a_number_has_the_country_of_its_longest_prefix() {
        for (text, country) in [
            ("+34612345678", "ES"),
            ("+351912345678", "PT"),
            ("+12015550123", "US"),
            ("+15062345678", "CA"),
            ("+18762101234", "JM"),
            ("+16582101234", "JM"),
            ("+12642351234", "AI"),
            ("+17872345678", "PR"),
            ("+18092345678", "DO"),
            ("+16713001234", "GU"),
            ("+79123456789", "RU"),
            ("+77710009998", "KZ"),
            ("+447400123456", "GB"),
            ("+441481256789", "GG"),
            ("+447797712345", "JE"),
            ("+447924123456", "IM"),
            ("+4740612345", "NO"),
            ("+4779123456", "SJ"),
            ("+61412345678", "AU"),
            ("+61891641234", "CX"),
            ("+61891621234", "CC"),
            ("+358412345678", "FI"),
            ("+35818345678", "AX"),
            ("+590690001234", "GP"),
            ("+590590271234", "BL"),
            ("+590590771234", "MF"),
            ("+262692123456", "RE"),
            ("+262639012345", "YT"),
            ("+212650123456", "MA"),
            ("+212528812345", "EH"),
            ("+59995181234", "CW"),
            ("+5993181234", "BQ"),
            ("+2908999", "TA"),
            ("+29051234", "SH"),
            ("+390669812345", "VA"),
            ("+390612345678", "IT"),
            ("+393123456789", "IT"),
            ("+2250123456789", "CI"),
            ("+38343201234", "XK"),
            ("+21120123456", "SS"),
        ] {
            assert_eq!(country_of(text).as_deref(), Some(country), "{text}");
        }
    }

    #[test]
    fn a_number_outside_every_ordinary_network_has_no_country() {
        for text in [
            "+80012345678",     // international freephone
            "+80812345678",     // international shared cost
            "+870773111632",    // Inmarsat
            "+878101234567890", // universal personal numbers
            "+881612345678",    // Iridium
            "+882161234567",    // international networks
            "+8835100012345",   // international networks
            "+888123456789",    // disaster relief
            "+979123456789",    // international premium rate
            "+21012345678",     // unassigned calling codes
            "+9991234567",
            "+18002345678", // North America: toll free, premium, personal, satellite, unassigned
            "+18882345678",
            "+19002345678",
            "+15002345678",
            "+16002345678",
            "+19992345678",
            "+71234567890", // no part of Russia or Kazakhstan
        ] {
            assert_eq!(country_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_premium_or_personal_range_has_no_country() {
        for text in [
            "+449012345678",
            "+448712345678",
            "+447012345678",
            "+33899123456",
            "+34806123456",
            "+34905123456",
            "+4990012345678",
            "+39899123456",
            "+61190012345",
            "+78091234567",
        ] {
            assert_eq!(country_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_second_spelling_of_a_number_has_no_country() {
        for (plain, country, second) in [
            ("+447400123456", "GB", "+4407400123456"),
            ("+34612345678", "ES", "+340612345678"),
            ("+12015550123", "US", "+120155501230"),
            ("+12015550123", "US", "+112015550123"),
            ("+79123456789", "RU", "+789123456789"),
            ("+522221234567", "MX", "+5212221234567"),
        ] {
            assert_eq!(country_of(plain).as_deref(), Some(country), "{plain}");
            assert_eq!(country_of(second), None, "{second}");
        }
    }

    #[test]
    fn only_e164_is_a_phone() {
        for text in [
            "",
            "+",
            "+123456",
            "+1234567890123456",
            "34612345678",
            "0034612345678",
            "++34612345678",
            "+0034612345678",
            "+34 612 345 678",
            " +34612345678",
            "+34612345678 ",
            "+34612345678\n",
            "+34612345678\r\nBcc: a@example.com",
            "+34-612-345-678",
            "+34(612)345678",
            "+34612345678x12",
            "+34612345678;ext=12",
            "tel:+34612345678",
            "+3461234567a",
            "+346123456\u{0}78",
            "+٣٤٦١٢٣٤٥٦٧٨",
            "+３４６１２３４５６７８",
            "＋34612345678",
            "\u{200b}+34612345678",
            "+34612345678/../Messages",
        ] {
            assert_eq!(Phone::parse(text), Err(PhoneError::NotE164), "{text:?}");
        }
        for text in ["+1234567", "+123456789012345"] {
            assert_eq!(phone(text).as_str(), text);
        }
    }

    #[test]
    fn a_masked_number_shows_the_calling_code_and_two_digits() {
        for (text, masked) in [
            ("+34612345612", "+34•••••••12"),
            ("+12015550123", "+1••••••••23"),
            ("+18762101234", "+1••••••••34"),
            ("+79123456789", "+7••••••••89"),
            ("+351912345678", "+351•••••••78"),
            ("+2908999", "+290••99"),
            ("+870773111632", "+870•••••••32"),
        ] {
            assert_eq!(phone(text).masked(), masked);
        }
    }

    #[test]
    fn the_prefix_is_the_number_without_its_last_four_digits() {
        assert_eq!(phone("+34612345678").prefix(), "+3461234");
        assert_eq!(phone("+2908999").prefix(), "+290");
    }

    #[test]
    fn debug_and_errors_do_not_show_the_number() {
        assert_eq!(format!("{:?}", phone("+34612345678")), "Phone(..)");
        let error = serde_json::from_str::<Phone>("\"34612345678\"").unwrap_err();
        assert!(!error.to_string().contains("612345678"), "{error}");
    }

    #[test]
    fn a_phone_is_a_checked_string_in_json() {
        let phone: Phone = serde_json::from_str("\"+34612345678\"").unwrap();
        assert_eq!(serde_json::to_string(&phone).unwrap(), "\"+34612345678\"");
        assert!(serde_json::from_str::<Phone>("\"0034612345678\"").is_err());
        assert!(serde_json::from_str::<Phone>("34612345678").is_err());
    }
}
