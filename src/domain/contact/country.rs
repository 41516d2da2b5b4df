//! The countries a tenant sends to.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::contact::calling_codes;

/// An ISO 3166-1 alpha-2 code that has telephone numbers of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(pub(super) [u8; 2]);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CountryError {
    #[error("countries as two capital letters, such as ES; {0:?} has no telephone numbers")]
    Unknown(String),
    #[error("* alone, or a list of countries")]
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
    /// Whether it allows no country at all.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(countries) if countries.is_empty())
    }

    /// `*`, or codes between commas. An empty text allows nothing.
    pub fn parse(text: &str) -> Result<Self, CountryError> {
        if text.trim().is_empty() {
            return Ok(Self::Only(Vec::new()));
        }
        let entries: Vec<&str> = text.split(',').map(str::trim).collect();
        Self::from_entries(&entries)
    }

    /// Whether messages go to a number of `country`. Not even `Any` allows one that belongs to none.
    pub fn allows(&self, country: Option<Country>) -> bool {
        country.is_some_and(|country| match self {
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
    use crate::domain::contact::phone::Phone;

    fn allows(list: &CountryList, phone: &str) -> bool {
        list.allows(Phone::parse(phone).unwrap().country())
    }

    #[test]
    fn a_list_of_countries_shows_which() {
        let list = CountryList::parse("ES, US").unwrap();
        assert_eq!(format!("{list:?}"), "Only([Country(ES), Country(US)])");
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
        assert!(allows(&list, "+34612345678"));
        assert!(allows(&list, "+12015550123"));
        assert!(!allows(&list, "+15062345678"), "Canada is not the US");
        assert!(!allows(&list, "+18762101234"), "Jamaica is not the US");
        assert!(!allows(&list, "+447400123456"));
        assert!(!allows(&list, "+34806123456"), "premium rate");
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        for text in ["", "  "] {
            let list = CountryList::parse(text).unwrap();
            assert_eq!(list, CountryList::Only(Vec::new()));
            assert!(!allows(&list, "+34612345678"));
        }
    }

    #[test]
    fn any_still_refuses_a_number_without_a_country() {
        let any = CountryList::parse(" * ").unwrap();
        assert_eq!(any, CountryList::Any);
        assert!(allows(&any, "+34612345678"));
        assert!(!allows(&any, "+881612345678"));
        assert!(!allows(&any, "+449012345678"));
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
