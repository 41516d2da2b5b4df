//! JSON objects as they must be: one value, no field twice. `serde_json` alone lets the last of two win.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use crate::domain::fields::Fields;
use crate::error::Error;

/// The fields of a body.
pub(super) fn fields(bytes: &[u8]) -> Result<Fields, Error> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(Strict(Value::Object(fields))) => Ok(fields),
        Ok(_) => Err(refused(None, "The request body must be a JSON object")),
        Err(error) if error.is_data() => {
            let text = error.to_string();
            Err(refused(text.split('`').nth(1), "This field is given twice"))
        }
        Err(_) if bytes.is_empty() => Err(refused(
            None,
            "The request body is empty; send a JSON object",
        )),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let place =
                format!("The request body is not valid JSON at line {line}, column {column}");
            Err(refused(None, place))
        }
    }
}

fn refused(field: Option<&str>, message: impl Into<String>) -> Error {
    Error::InvalidRequest {
        field: field.map(str::to_owned),
        message: message.into(),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Fields::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if fields.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(body: &str) -> (Option<String>, String) {
        match fields(body.as_bytes()).unwrap_err() {
            Error::InvalidRequest { field, message } => (field, message),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn values_come_through_as_they_are() {
        let body = r#"{"a":null,"b":true,"c":-1,"d":1.5,"e":"x","f":[1,{"g":2}],"h":18446744073709551615}"#;
        let expected: Value = serde_json::from_str(body).unwrap();
        assert_eq!(Value::Object(fields(body.as_bytes()).unwrap()), expected);
    }

    #[test]
    fn a_field_given_twice_is_named_at_any_depth() {
        assert_eq!(failure(r#"{"a":1,"a":2}"#).0.as_deref(), Some("a"));
        assert_eq!(failure(r#"{"s":{"b":1,"b":1}}"#).0.as_deref(), Some("b"));
    }

    #[test]
    fn atk_82_what_is_not_one_json_object_is_refused() {
        let deep = format!("{}{}", "[".repeat(8_000), "]".repeat(8_000));
        for body in [
            "",
            "{",
            "nul",
            "null",
            "[]",
            "\"x\"",
            "{} {}",
            "\u{feff}{}",
            &deep,
            "{\"a\":1e400}",
        ] {
            assert_eq!(failure(body).0, None, "{body:.40}");
        }
        assert!(fields(b"{\"user_id\":\"\xff\"}").is_err());
    }
}
