//! Values on their way to PostgreSQL and back.

use std::error::Error;
use std::sync::Arc;

use bytes::BytesMut;
use tokio_postgres::Column;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::platform::{Row, Value};

type Problem = Box<dyn Error + Send + Sync>;

/// Whether a parameter of that type takes the value. Asked of all parameters before anything of a batch is sent.
pub(super) fn fits(value: &Value, wanted: &Type) -> bool {
    match value {
        Value::Null => true,
        Value::Integer(number) => match *wanted {
            Type::INT8 => true,
            Type::INT4 => i32::try_from(*number).is_ok(),
            _ => false,
        },
        Value::Text(_) => matches!(*wanted, Type::TEXT | Type::VARCHAR),
    }
}

impl ToSql for Value {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) if *wanted == Type::INT4 => {
                i32::try_from(*number)?.to_sql(wanted, out)
            }
            Self::Integer(number) => number.to_sql(wanted, out),
            Self::Text(text) => text.to_sql(wanted, out),
        }
    }

    fn accepts(wanted: &Type) -> bool {
        matches!(
            *wanted,
            Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR
        )
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(given: &Type, raw: &'a [u8]) -> Result<Self, Problem> {
        Ok(match *given {
            Type::INT8 => Self::Integer(i64::from_sql(given, raw)?),
            Type::INT4 => Self::Integer(i32::from_sql(given, raw)?.into()),
            // As SQLite has it.
            Type::BOOL => Self::Integer(bool::from_sql(given, raw)?.into()),
            _ => Self::Text(String::from_sql(given, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Problem> {
        Ok(Self::Null)
    }

    fn accepts(given: &Type) -> bool {
        matches!(
            *given,
            Type::INT8 | Type::INT4 | Type::BOOL | Type::TEXT | Type::VARCHAR
        )
    }
}

/// The names of a result's columns, shared by its rows.
pub(super) fn names(columns: &[Column]) -> Vec<Arc<str>> {
    columns
        .iter()
        .map(|column| Arc::from(column.name()))
        .collect()
}

pub(super) fn row(
    names: &[Arc<str>],
    row: &tokio_postgres::Row,
) -> Result<Row, tokio_postgres::Error> {
    let column = |(index, name): (usize, &Arc<str>)| Ok((name.clone(), row.try_get(index)?));
    names.iter().enumerate().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fits_where_it_can_be_stored_as_it_is() {
        let (small, large) = (Value::Integer(7), Value::Integer(1 << 40));
        for (value, wanted, expected) in [
            (&small, Type::INT8, true),
            (&small, Type::INT4, true),
            (&large, Type::INT8, true),
            (&large, Type::INT4, false),
            (&small, Type::TEXT, false),
            (&small, Type::NUMERIC, false),
            (&"x".into(), Type::TEXT, true),
            (&"7".into(), Type::INT8, false),
            (&Value::Null, Type::INT8, true),
            (&Value::Null, Type::TEXT, true),
        ] {
            assert_eq!(fits(value, &wanted), expected, "{value:?} as {wanted}");
        }
    }
}
