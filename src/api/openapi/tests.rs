use proptest::prelude::*;
use regex::Regex;
use utoipa::PartialSchema;

use super::*;
use crate::domain::codes::import::ImportedSecret;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::session::Nonce;
use crate::domain::settings::{Domain, Label, Settings};

/// Whether `text` fits the type's schema, as a validator would say it.
fn fits<T: PartialSchema>(text: &str) -> bool {
    let schema = serde_json::to_value(T::schema()).unwrap();
    let number = |name: &str| usize::try_from(schema[name].as_u64().unwrap()).unwrap();
    let pattern = Regex::new(schema["pattern"].as_str().unwrap()).unwrap();
    let length = text.chars().count();
    (number("minLength")..=number("maxLength")).contains(&length) && pattern.is_match(text)
}

fn same<T: PartialSchema + TryFrom<String>>(text: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(
        fits::<T>(text),
        T::try_from(text.to_owned()).is_ok(),
        "{:?}",
        text
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn ids_are_what_their_schemas_say(text in "[!-~ é\u{0}\n]{0,3}|[.]{1,4}a?|[a-z._:/-]{0,140}|[a-z]{120,135}") {
        same::<UserId>(&text)?;
        same::<ClientId>(&text)?;
    }

    #[test]
    fn phone_numbers_are_what_their_schema_says(text in r"\+?[0-9]{0,18}|\+[1-9][0-9]{5,16} ?") {
        same::<Phone>(&text)?;
    }

    #[test]
    fn addresses_are_what_their_schema_says(
        text in r"[a-z.+é!-]{0,6}@[a-zA-Z0-9.-]{0,9}|[a-z]{60,66}@(a[b.]{0,2}){0,90}c\.io|[a-z@ \n]{0,9}"
    ) {
        same::<Email>(&text)?;
    }

    #[test]
    fn secrets_are_what_their_schema_says(
        text in "[A-Za-z2-7]{24,28}=?|[a-z2-7]{101,105}|([A-Z2-7]{4}[ -]){6,8}=?|[A-Z0-9 é\n=]{24,30}"
    ) {
        same::<ImportedSecret>(&text)?;
    }

    #[test]
    fn names_are_what_their_schema_says(text in "[a-z \t\u{7f}\u{85}\u{a0}\u{ad}\u{200b}-\u{202f}\u{2065}\u{feff}é🙂]{0,5}|[a-z ]{62,66}") {
        same::<Label>(&text)?;
    }

    #[test]
    fn nonces_are_what_their_schema_says(text in "[ -~é\n\u{85}]{0,3}|[a-zé]{126,130}") {
        same::<Nonce>(&text)?;
    }

    #[test]
    fn host_names_are_what_their_schema_says(text in "[A-Za-z0-9.-]{0,8}|[a-z.-]{45,54}|[a-z:/ é]{1,5}") {
        same::<Domain>(&text)?;
    }
}

#[test]
fn every_setting_is_in_the_schema() {
    let schema = serde_json::to_value(Settings::schema()).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(
        keys(&schema["properties"]),
        keys(&json!(Settings::default()))
    );
}
