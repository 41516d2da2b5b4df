//! A database that runs statements, one batch at a time.

use std::borrow::Cow;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use super::row::{Row, RowError};
use crate::domain::time::UnixTime;

/// A bound parameter. Text and integers are all this product stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Integer(i64),
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<UnixTime> for Value {
    fn from(time: UnixTime) -> Self {
        Self::Integer(time.as_sql())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// SQL with `?1`, `?2`… and what is bound to them. Values never become part of the text (API-09).
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: Cow<'static, str>,
    pub params: Vec<Value>,
}

impl Statement {
    pub fn new(sql: impl Into<Cow<'static, str>>, params: impl Into<Vec<Value>>) -> Self {
        Self {
            sql: sql.into(),
            params: params.into(),
        }
    }

    /// Goes on with `text`.
    pub fn add(&mut self, text: &str) {
        self.sql.to_mut().push_str(text);
    }

    /// Goes on with `text` and then a parameter that is bound to `value`.
    pub fn bind(&mut self, text: &str, value: impl Into<Value>) {
        self.params.push(value.into());
        let parameter = format!("?{}", self.params.len());
        self.add(text);
        self.add(&parameter);
    }
}

/// What one statement gave.
#[derive(Debug, Default)]
pub struct Outcome {
    pub rows: Vec<Row>,
    /// Rows inserted, updated or deleted by this statement.
    pub changes: u64,
}

impl Outcome {
    pub fn into_rows<T: DeserializeOwned>(self) -> Result<Vec<T>, DatabaseError> {
        let decode = |row: Row| row.decode().map_err(DatabaseError::Row);
        self.rows.into_iter().map(decode).collect()
    }

    pub fn into_first<T: DeserializeOwned>(self) -> Result<Option<T>, DatabaseError> {
        Ok(self.into_rows()?.into_iter().next())
    }
}

/// What is to be carried out in one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    pub statements: Vec<Statement>,
    /// The statement that says whether the batch took place, by changing a row. Without one it always does.
    pub decided_by: Option<usize>,
}

impl Batch {
    /// Adds a statement right behind the one that decides, whose `changes()` it may read: what comes later may change
    /// any number of rows.
    pub fn follow(&mut self, statement: Statement) {
        let place = self
            .decided_by
            .map_or(self.statements.len(), |place| place + 1);
        self.statements
            .insert(place.min(self.statements.len()), statement);
    }

    /// Carries it out; `false` if the statement that decides changed no row.
    pub async fn run(self, db: &dyn Database) -> Result<bool, DatabaseError> {
        if self.statements.is_empty() {
            return Ok(true);
        }
        let outcomes = db.batch(self.statements).await?;
        Ok(self.decided_by.is_none_or(|place| {
            outcomes
                .get(place)
                .is_some_and(|outcome| outcome.changes == 1)
        }))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Out of reach, overloaded or too slow. A write may have been carried out all the same.
    #[error("the database did not answer: {0}")]
    Unavailable(String),
    #[error("a row makes no sense: {0}")]
    Row(RowError),
}

/// One SQL text serves D1, SQLite and PostgreSQL. It is what SQLite and PostgreSQL both read, but for two words
/// of SQLite's:
///
/// - `?1`, a parameter. Its type is that of the column it is stored in or compared with; where there is none, as
///   under `UNION`, it is written as `CAST(?1 AS BIGINT)`.
/// - `changes()`, the number of rows that the statement before it in the batch changed.
///
/// A statement with `changes()` and the one before it form a group, and so on. PostgreSQL runs a group as one
/// statement: its members write only (`INSERT`, `UPDATE`, `DELETE`), none sees what another wrote, and no two
/// change the same row.
///
/// Besides: no `RETURNING`; of functions `COALESCE`, `COUNT`, `SUM`, `MIN` and `MAX`; an upsert names the table of
/// a column it reads (`count = send_counters.count + 1`). Whole numbers and text only; text is compared by bytes.
#[async_trait]
pub trait Database: Send + Sync {
    /// Runs the statements in order as one transaction: all of them, or none.
    /// One call is one round trip.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError>;

    /// Whether transactions that write run one after the other, so that what a statement reads stays so until
    /// its transaction ends.
    ///
    /// Elsewhere that holds for the rows a statement changes, and not for others that its conditions look at:
    /// two requests may both find the last place free. Whoever has such a condition takes turns first
    /// (`storage::turns`).
    fn is_serial(&self) -> bool {
        true
    }

    /// The greatest id of the table up to which every row is there that will ever be: a reader that goes on from
    /// an id misses nothing. `None`: a row always gets a greater id than those a reader has seen.
    async fn settled(&self, table: &'static str) -> Result<Option<i64>, DatabaseError> {
        let _ = table;
        Ok(None)
    }

    async fn run(&self, statement: Statement) -> Result<Outcome, DatabaseError> {
        Ok(self.batch(vec![statement]).await?.pop().unwrap_or_default())
    }
}
