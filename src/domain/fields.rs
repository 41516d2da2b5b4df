//! A struct out of JSON fields; and where that fails, which field is to blame.

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::{Map, Value};

/// The fields of one JSON object.
pub type Fields = Map<String, Value>;

/// What serde says, and of which field. It may repeat the value, so it is for the sender alone.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct FieldError {
    /// Unknown for what concerns no field in particular, such as one that is missing.
    pub field: Option<String>,
    pub text: String,
}

impl FieldError {
    /// Which field is wrong and what was expected of it, without what was sent.
    pub fn told(self) -> (Option<String>, String) {
        let Self { field, text } = self;
        let mut quoted = text.split('`').skip(1).step_by(2);
        if text.starts_with("unknown field") {
            let name = quoted.next().map(str::to_owned);
            let known: Vec<&str> = quoted.collect();
            let message = format!(
                "There is no such field; those there are: {}",
                known.join(", ")
            );
            return (name, message);
        }
        if text.starts_with("missing field") {
            let name = quoted.next().map(str::to_owned);
            return (name, "This field is missing".to_owned());
        }
        let of_serde = text.starts_with("invalid ") || text.starts_with("unknown ");
        let expected = match text.split_once("expected ") {
            Some((_, expected)) if of_serde => expected,
            _ => &text,
        };
        let message = format!("Expected {expected}");
        (field, message)
    }
}

pub fn read<T: DeserializeOwned>(fields: Fields) -> Result<T, FieldError> {
    let attempt = |fields: Fields| serde_json::from_value::<T>(Value::Object(fields));
    attempt(fields.clone()).map_err(|error| {
        let text = error.to_string();
        let field = culprit(&text, fields, &|rest| {
            attempt(rest).err().map(|error| error.to_string())
        });
        FieldError { field, text }
    })
}

/// A struct within another. What serde derives would take a list of its fields' values as well.
pub fn object<'de, T: DeserializeOwned, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let Value::Object(fields) = Value::deserialize(from)? else {
        return Err(D::Error::custom("an object"));
    };
    serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)
}

/// Fields are read in order and the first bad one is the error, so with one after the other taken
/// away, the error changes with the one that caused it. A crate that follows serde's every step finds
/// it too, at twice the wasm for every kind of request.
fn culprit(
    text: &str,
    mut fields: Fields,
    error_of: &dyn Fn(Fields) -> Option<String>,
) -> Option<String> {
    let names: Vec<String> = fields.keys().cloned().collect();
    names.into_iter().find(|name| {
        fields.remove(name);
        error_of(fields.clone()).as_deref() != Some(text)
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are looked at")]
    struct Body {
        a: u32,
        b: Option<String>,
        c: Option<Vec<String>>,
    }

    fn blamed(fields: Value) -> Option<String> {
        let Value::Object(fields) = fields else {
            panic!("not an object")
        };
        read::<Body>(fields).unwrap_err().field
    }

    #[test]
    fn the_bad_field_is_blamed_wherever_it_stands() {
        assert_eq!(
            blamed(json!({"a": "x", "b": "y", "c": []})).as_deref(),
            Some("a")
        );
        assert_eq!(
            blamed(json!({"a": 1, "b": 2, "c": []})).as_deref(),
            Some("b")
        );
        assert_eq!(
            blamed(json!({"a": 1, "b": null, "c": ["x", 3]})).as_deref(),
            Some("c")
        );
    }

    #[test]
    fn of_two_bad_fields_one_is_blamed_though_their_errors_read_alike() {
        assert!(blamed(json!({"a": true, "b": true})).is_some());
        assert_eq!(
            blamed(json!({"a": 1, "b": 7, "c": 7})).as_deref(),
            Some("b")
        );
    }

    #[test]
    fn a_good_object_is_read() {
        let Value::Object(fields) = json!({"a": 1, "c": ["x"]}) else {
            panic!("not an object")
        };
        assert!(read::<Body>(fields).is_ok());
    }
}
