//! A telephone number as E.164 writes it, and the countries a tenant sends to. Whether the number exists,
//! and on what kind of line, only the network knows.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::calling_codes;

/// A number has exactly one text, so that the text can be the key of a limit: no spaces, no 00, no extension.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct Phone(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PhoneError {
    #[error("a phone number is + and 7 to 15 digits, as E.164 writes it")]
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

/// An ISO 3166-1 alpha-2 code that has telephone numbers of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CountryError {
    #[error("{0:?} is not the two capital letters of a country with telephone numbers")]
    Unknown(String),
    #[error("* allows every country and stands alone")]
    AnyAmongOthers,
}

impl Country {
    pub fn parse(text: &str) -> Result<Self, CountryError> {
        <[u8; 2]>::try_from(text.as_bytes())
            .ok()
            .filter(|code| calling_codes::is_country(*code))
            .map(Self)
            .ok_or_else(|| CountryError::Unknown(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl TryFrom<String> for Country {
    type Error = CountryError;

    fn try_from(text: String) -> Result<Self, CountryError> {
        Self::parse(&text)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.as_str().to_owned()
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({})", self.as_str())
    }
}

/// The countries a tenant sends to. As JSON a list of codes, or `["*"]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub enum CountryList {
    Any,
    Only(Vec<Country>),
}

impl CountryList {
    /// `*`, or codes between commas. An empty text allows nothing.
    pub fn parse(text: &str) -> Result<Self, CountryError> {
        if text.trim().is_empty() {
            return Ok(Self::Only(Vec::new()));
        }
        let entries: Vec<&str> = text.split(',').map(str::trim).collect();
        Self::from_entries(&entries)
    }

    /// Not even `Any` allows a number that belongs to no country.
    pub fn allows(&self, phone: &Phone) -> bool {
        phone.country().is_some_and(|country| match self {
            Self::Any => true,
            Self::Only(countries) => countries.contains(&country),
        })
    }

    fn from_entries<T: AsRef<str>>(entries: &[T]) -> Result<Self, CountryError> {
        if !entries.iter().any(|entry| entry.as_ref() == "*") {
            let countries = entries.iter().map(|entry| Country::parse(entry.as_ref()));
            return Ok(Self::Only(countries.collect::<Result<_, _>>()?));
        }
        if entries.len() == 1 {
            Ok(Self::Any)
        } else {
            Err(CountryError::AnyAmongOthers)
        }
    }
}

impl TryFrom<Vec<String>> for CountryList {
    type Error = CountryError;

    fn try_from(entries: Vec<String>) -> Result<Self, CountryError> {
        Self::from_entries(&entries)
    }
}

impl From<CountryList> for Vec<String> {
    fn from(list: CountryList) -> Self {
        match list {
            CountryList::Any => vec!["*".to_owned()],
            CountryList::Only(countries) => countries.into_iter().map(String::from).collect(),
        }
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
    fn a_list_of_countries_shows_which() {
        let list = CountryList::parse("ES, US").unwrap();
        assert_eq!(format!("{list:?}"), "Only([Country(ES), Country(US)])");
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

    #[test]
    fn a_country_is_two_capitals_of_the_table() {
        assert_eq!(Country::parse("ES").unwrap().as_str(), "ES");
        for text in [
            "", "E", "es", "Es", "ESP", "ZZ", "EU", "34", "*", "É", " ES",
        ] {
            let error = Country::parse(text).unwrap_err();
            assert_eq!(error, CountryError::Unknown(text.to_owned()));
        }
    }

    #[test]
    fn a_list_allows_its_countries_only() {
        let list = CountryList::parse("ES,PT, US").unwrap();
        assert!(list.allows(&phone("+34612345678")));
        assert!(list.allows(&phone("+12015550123")));
        assert!(!list.allows(&phone("+15062345678")), "Canada is not the US");
        assert!(
            !list.allows(&phone("+18762101234")),
            "Jamaica is not the US"
        );
        assert!(!list.allows(&phone("+447400123456")));
        assert!(!list.allows(&phone("+34806123456")), "premium rate");
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        for text in ["", "  "] {
            let list = CountryList::parse(text).unwrap();
            assert_eq!(list, CountryList::Only(Vec::new()));
            assert!(!list.allows(&phone("+34612345678")));
        }
    }

    #[test]
    fn any_still_refuses_a_number_without_a_country() {
        let any = CountryList::parse(" * ").unwrap();
        assert_eq!(any, CountryList::Any);
        assert!(any.allows(&phone("+34612345678")));
        assert!(!any.allows(&phone("+881612345678")));
        assert!(!any.allows(&phone("+449012345678")));
    }

    #[test]
    fn a_list_names_its_bad_entry() {
        for (text, entry) in [
            ("ES,spain,PT", "spain"),
            ("ES,ZZ", "ZZ"),
            ("es", "es"),
            ("ES,", ""),
            ("ES PT", "ES PT"),
            ("ES;PT", "ES;PT"),
        ] {
            let error = CountryList::parse(text).unwrap_err();
            assert_eq!(error, CountryError::Unknown(entry.to_owned()), "{text}");
            assert!(error.to_string().contains(entry));
        }
        assert_eq!(
            CountryList::parse("ES,*"),
            Err(CountryError::AnyAmongOthers)
        );
    }

    #[test]
    fn a_list_is_an_array_in_json() {
        for (text, list) in [
            (r#"["*"]"#, CountryList::Any),
            ("[]", CountryList::Only(Vec::new())),
            (r#"["ES","PT"]"#, CountryList::parse("ES,PT").unwrap()),
        ] {
            assert_eq!(serde_json::from_str::<CountryList>(text).unwrap(), list);
            assert_eq!(serde_json::to_string(&list).unwrap(), text);
        }
        for text in [r#"["ZZ"]"#, r#"["*","ES"]"#, r#""*""#, r#"[" ES"]"#, "null"] {
            assert!(serde_json::from_str::<CountryList>(text).is_err(), "{text}");
        }
    }
}
