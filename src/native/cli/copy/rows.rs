//! A table read in the order of its key, some rows at a time.

use super::tables::Table;
use crate::native::cli::Problem;
use crate::platform::{Database, Statement, Value};

/// Rows of one statement. SQLite binds 32,766 values and PostgreSQL 65,535; no table has 30 columns.
pub(super) const PAGE: u32 = 1000;

pub(super) type Values = Vec<Value>;

/// Rows in the order of their key, each as its columns' values.
pub(super) struct Page(pub Vec<Values>);

impl Page {
    /// The rows after that key, or the first.
    pub(super) async fn read(
        database: &dyn Database,
        table: &Table,
        after: Option<&Values>,
    ) -> Result<Self, Problem> {
        let sql = format!("SELECT {} FROM {}", table.columns.join(", "), table.name);
        let mut statement = Statement::new(sql, []);
        let key = table.key.join(", ");
        if let Some(after) = after {
            statement.add(&format!(" WHERE ({key}) > ("));
            for (place, value) in after.iter().enumerate() {
                statement.bind(if place == 0 { "" } else { ", " }, value.clone());
            }
            statement.add(")");
        }
        statement.bind(&format!(" ORDER BY {key} LIMIT "), PAGE);
        let read = database.run(statement).await;
        let outcome = read.map_err(|error| format!("{} cannot be read: {error}", table.name))?;
        let values = |row: crate::platform::Row| row.into_values().collect();
        Ok(Self(outcome.rows.into_iter().map(values).collect()))
    }

    /// The key to go on from; `None` if nothing comes after these rows.
    pub(super) fn last(&self, table: &Table) -> Option<Values> {
        let last = self.0.last().filter(|_| self.is_full())?;
        Some(key(table, last))
    }

    /// Whether rows may come after these.
    pub(super) fn is_full(&self) -> bool {
        u32::try_from(self.0.len()).is_ok_and(|rows| rows >= PAGE)
    }
}

/// The values of a row's key.
pub(super) fn key(table: &Table, row: &Values) -> Values {
    let place = |key: &String| table.columns.iter().position(|column| column == key);
    let value = |key| row.get(place(key)?).cloned();
    table.key.iter().filter_map(value).collect()
}

/// The key as JSON, as it is noted and shown.
pub(super) fn noted(key: &Values) -> String {
    let json = |value: &Value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
    };
    serde_json::Value::Array(key.iter().map(json).collect()).to_string()
}

pub(super) fn from_note(note: &str) -> Result<Values, Problem> {
    serde_json::from_str(note).map_err(|_| format!("a note of the copy makes no sense: {note}"))
}
