//! A row of a result, and how it becomes a struct.

use std::sync::Arc;

use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::db::Value;

/// Why a row does not make the struct it should.
pub type RowError = Error;

/// One row: values by the names of their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(Vec<(Arc<str>, Value)>);

impl Row {
    pub fn get(&self, column: &str) -> Option<&Value> {
        let mut columns = self.0.iter();
        let (_, value) = columns.find(|(name, _)| **name == *column)?;
        Some(value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// The values in the order of their columns.
    pub fn into_values(self) -> impl Iterator<Item = Value> {
        self.0.into_iter().map(|(_, value)| value)
    }

    pub(super) fn decode<T: DeserializeOwned>(self) -> Result<T, RowError> {
        let columns = self.0.into_iter().map(|(name, value)| (Name(name), value));
        T::deserialize(MapDeserializer::new(columns))
    }
}

impl FromIterator<(Arc<str>, Value)> for Row {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(columns: I) -> Self {
        Self(columns.into_iter().collect())
    }
}

/// From an object, as D1 gives it.
impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;

        impl<'de> Visitor<'de> for Columns {
            type Value = Row;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a row as an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut columns = Vec::with_capacity(map.size_hint().unwrap_or_default());
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    columns.push((name.into(), value));
                }
                Ok(Row(columns))
            }
        }
        deserializer.deserialize_map(Columns)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Cell;

        impl Visitor<'_> for Cell {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text, a whole number or null")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Integer(number))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
                i64::try_from(number).map(Value::Integer).map_err(E::custom)
            }

            /// JavaScript has doubles only. Whole ones up to 2^53 are exact.
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "compared with itself below"
                )]
                let whole = number as i64;
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::float_cmp,
                    reason = "exactly equal or an error"
                )]
                let exact = whole as f64 == number;
                if exact {
                    Ok(Value::Integer(whole))
                } else {
                    Err(E::custom("a number that is not whole"))
                }
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Value, E> {
                Ok(Value::Text(text))
            }
        }
        deserializer.deserialize_any(Cell)
    }
}

/// The name of a column, as a field's.
struct Name(Arc<str>);

impl IntoDeserializer<'_> for Name {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Name {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Integer(number) => visitor.visit_i64(number),
            Self::Text(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::UserId;
    use crate::domain::time::UnixTime;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Made {
        user_id: UserId,
        at: UnixTime,
        count: u32,
        end: Option<UnixTime>,
    }

    fn row(columns: &[(&str, Value)]) -> Row {
        let columns = columns.iter();
        columns
            .map(|(name, value)| (Arc::from(*name), value.clone()))
            .collect()
    }

    #[test]
    fn a_row_becomes_a_struct_by_the_names_of_its_columns() {
        let columns = [
            ("at", Value::Integer(7)),
            ("user_id", "ann".into()),
            ("end", Value::Null),
            ("unknown", "x".into()),
            ("count", Value::Integer(3)),
        ];
        let made: Made = row(&columns).decode().unwrap();
        assert_eq!(made.user_id.as_str(), "ann");
        assert_eq!(
            (made.at, made.count, made.end),
            (UnixTime::from_secs(7), 3, None)
        );
        let mut ended = columns;
        ended[2].1 = Value::Integer(9);
        assert_eq!(
            row(&ended).decode::<Made>().unwrap().end,
            Some(UnixTime::from_secs(9))
        );
    }

    #[test]
    fn a_column_that_is_missing_or_of_another_kind_is_an_error() {
        let good = [
            ("at", Value::Integer(7)),
            ("user_id", "ann".into()),
            ("end", Value::Null),
            ("count", Value::Integer(3)),
        ];
        for (place, value) in [
            (0, Value::from("7")),
            (0, Value::Integer(-1)),
            (1, Value::Null),
            (1, Value::Integer(1)),
            (1, " ".into()),
            (2, "9".into()),
            (3, Value::Integer(1 << 40)),
        ] {
            let mut bad = good.clone();
            bad[place].1 = value;
            assert!(row(&bad).decode::<Made>().is_err(), "{:?}", bad[place]);
        }
        assert!(row(&good[1..]).decode::<Made>().is_err());
    }

    #[test]
    fn an_object_of_d1_is_a_row_whose_numbers_are_whole() {
        let read = |text: &str| serde_json::from_str::<Row>(text);
        let expected = row(&[
            ("a", Value::Integer(5)),
            ("b", "x".into()),
            ("c", Value::Null),
        ]);
        assert_eq!(read(r#"{"a":5,"b":"x","c":null}"#).unwrap(), expected);
        assert_eq!(read(r#"{"a":5.0,"b":"x","c":null}"#).unwrap(), expected);
        let large = read(r#"{"a":9007199254740991}"#).unwrap();
        assert_eq!(large.get("a"), Some(&Value::Integer(9_007_199_254_740_991)));
        for bad in [
            r#"{"a":5.5}"#,
            r#"{"a":true}"#,
            r#"{"a":18446744073709551615}"#,
            r#"{"a":1e300}"#,
            "[]",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
