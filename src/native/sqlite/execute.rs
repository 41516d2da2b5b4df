//! Statements on a connection: bound, run and read.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, Type, ValueRef};
use rusqlite::{Connection, Result, ToSql, params_from_iter};

use crate::platform::{Outcome, Row, Statement, Value};

/// The lock is taken before anything is read: what a compare-and-swap compared with stays so until it
/// swapped, whichever process writes beside this one.
pub(super) const BEGIN_TO_WRITE: &str = "BEGIN IMMEDIATE";
pub(super) const BEGIN_TO_READ: &str = "BEGIN DEFERRED";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";

/// Runs one of the statements above, and those that mark places within a transaction.
pub(super) fn control(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// Whether none of the statements writes: as SQLite itself sees it, which also knows a `WITH` that
/// ends in an `UPDATE`.
pub(super) fn only_reads(connection: &Connection, statements: &[Statement]) -> Result<bool> {
    for statement in statements {
        if !connection.prepare_cached(&statement.sql)?.readonly() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The statements as a transaction that nothing else shares.
pub(super) fn alone(connection: &Connection, statements: &[Statement]) -> Result<Vec<Outcome>> {
    let begin = match (only_reads(connection, statements)?, statements) {
        // One statement sees one state anyway.
        (true, [_]) => return each(connection, statements),
        (true, _) => BEGIN_TO_READ,
        (false, _) => BEGIN_TO_WRITE,
    };
    control(connection, begin)?;
    let done = each(connection, statements).and_then(|outcomes| {
        control(connection, COMMIT)?;
        Ok(outcomes)
    });
    if done.is_err() {
        give_up(connection);
    }
    done
}

/// Ends the transaction, if SQLite has not done so by itself, with nothing of it carried out.
pub(super) fn give_up(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = control(connection, ROLLBACK)
    {
        log::error!("a transaction could not be rolled back: {error}");
    }
}

/// Runs the statements in their order, within whatever transaction there is.
pub(super) fn each(connection: &Connection, statements: &[Statement]) -> Result<Vec<Outcome>> {
    let run = |statement| execute(connection, statement);
    statements.iter().map(run).collect()
}

fn execute(connection: &Connection, statement: &Statement) -> Result<Outcome> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let writes = !prepared.readonly();
    let names: Vec<Arc<str>> = prepared.column_names().map(Arc::from).collect();
    let mut rows = Vec::new();
    let mut found = prepared.query(params_from_iter(&statement.params))?;
    while let Some(row) = found.next()? {
        let column = |(index, name): (usize, &Arc<str>)| {
            let value = value(index, row.get_ref(index)?)?;
            Ok((name.clone(), value))
        };
        rows.push(
            names
                .iter()
                .enumerate()
                .map(column)
                .collect::<Result<Row>>()?,
        );
    }
    drop(found);
    let changes = if writes { connection.changes() } else { 0 };
    Ok(Outcome { rows, changes })
}

fn value(index: usize, value: ValueRef<'_>) -> Result<Value> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Text(text) => Ok(Value::Text(
            std::str::from_utf8(text)
                .map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
                })?
                .to_owned(),
        )),
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(rusqlite::Error::InvalidColumnType(
            index,
            "neither text nor a whole number".to_owned(),
            value.data_type(),
        )),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
