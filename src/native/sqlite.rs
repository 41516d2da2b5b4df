//! `Database` and `KeyValue` on SQLite, with the migrations D1 gets.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params, params_from_iter};
use serde_json::Value as Json;

use crate::platform::{
    Database, DatabaseError, KeyValue, KeyValueError, Outcome, Row, Statement, Value,
};

/// The same files, in the same order, as `wrangler d1 migrations apply`.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/0001_init.sql"),
    include_str!("../../migrations/0002_client_epochs.sql"),
];

/// One connection: SQLite has one writer, as D1 has.
#[derive(Clone)]
pub struct Sqlite(Arc<Mutex<Connection>>);

impl Sqlite {
    /// Opens a file, or makes it, and brings its schema up to date.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        Self::prepare(connection)
    }

    /// A database that ends with the process.
    pub fn in_memory() -> rusqlite::Result<Self> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(mut connection: Connection) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "foreign_keys", true)?;
        for (version, migration) in (1..).zip(MIGRATIONS) {
            let present: i64 =
                connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if present < version {
                let transaction = connection.transaction()?;
                transaction.execute_batch(migration)?;
                transaction.pragma_update(None, "user_version", version)?;
                transaction.commit()?;
            }
        }
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            Self::Null => SqlValue::Null,
            Self::Integer(number) => SqlValue::Integer(*number),
            Self::Text(text) => SqlValue::Text(text.clone()),
        }))
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError> {
        let mut connection = self.connection();
        let run = |connection: &mut Connection| -> rusqlite::Result<Vec<Outcome>> {
            let transaction = connection.transaction()?;
            let outcomes = statements
                .iter()
                .map(|statement| execute(&transaction, statement))
                .collect::<rusqlite::Result<_>>()?;
            transaction.commit()?;
            Ok(outcomes)
        };
        run(&mut connection).map_err(|error| DatabaseError::Unavailable(error.to_string()))
    }
}

fn execute(connection: &Connection, statement: &Statement) -> rusqlite::Result<Outcome> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let writes = !prepared.readonly();
    let mut rows = Vec::new();
    let mut found = prepared.query(params_from_iter(&statement.params))?;
    while let Some(row) = found.next()? {
        let column =
            |(index, name): (usize, &String)| Ok((name.clone(), json(row.get_ref(index)?)));
        rows.push(
            names
                .iter()
                .enumerate()
                .map(column)
                .collect::<rusqlite::Result<Row>>()?,
        );
    }
    drop(found);
    let changes = if writes { connection.changes() } else { 0 };
    Ok(Outcome { rows, changes })
}

fn json(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            String::from_utf8_lossy(text).into_owned().into()
        }
    }
}

/// Milliseconds since the Unix epoch, as `App` counts them.
type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Keys with expiry in a table of their own, apart from the product's.
#[derive(Clone)]
pub struct SqliteKeyValue {
    database: Sqlite,
    clock: Clock,
}

impl SqliteKeyValue {
    pub fn new(database: Sqlite, clock: Clock) -> rusqlite::Result<Self> {
        database.connection().execute_batch(
            "CREATE TABLE IF NOT EXISTS key_values (
               key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL
             ) STRICT, WITHOUT ROWID",
        )?;
        Ok(Self { database, clock })
    }

    fn now(&self) -> i64 {
        i64::try_from((self.clock)() / 1000).unwrap_or(i64::MAX)
    }
}

impl From<rusqlite::Error> for KeyValueError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

#[async_trait]
impl KeyValue for SqliteKeyValue {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        let sql = "SELECT value FROM key_values WHERE key = ?1 AND expires_at > ?2";
        let connection = self.database.connection();
        connection
            .query_row(sql, params![key, self.now()], |row| row.get(0))
            .optional()
            .map_err(KeyValueError::from)
    }

    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError> {
        let expires_at = self.now().saturating_add_unsigned(ttl.max(60));
        let connection = self.database.connection();
        // Expired keys go whenever one is written: nothing else has to run.
        connection
            .execute(
                "DELETE FROM key_values WHERE expires_at <= ?1",
                params![self.now()],
            )
            .map_err(KeyValueError::from)?;
        let sql = "INSERT INTO key_values (key, value, expires_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
        connection
            .execute(sql, params![key, value, expires_at])
            .map_err(KeyValueError::from)?;
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        let connection = self.database.connection();
        connection
            .execute("DELETE FROM key_values WHERE key = ?1", params![key])
            .map_err(KeyValueError::from)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_batch_is_one_transaction() {
        let db = Sqlite::in_memory().unwrap();
        let good = Statement::new("INSERT INTO revoked_tokens VALUES ('a', 1)", []);
        let bad = Statement::new("INSERT INTO revoked_tokens VALUES ('b', 'x')", []);
        assert!(db.batch(vec![good, bad]).await.is_err());
        let rows = db
            .run(Statement::new("SELECT * FROM revoked_tokens", []))
            .await
            .unwrap()
            .rows;
        assert!(rows.is_empty());
    }

    #[tokio::test]
    async fn opening_a_file_again_keeps_what_it_holds() {
        let directory = std::env::temp_dir().join(format!("candado-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("test.sqlite");
        let insert = Statement::new("INSERT INTO revoked_tokens VALUES (?1, 1)", ["a".into()]);
        assert_eq!(
            Sqlite::open(&file)
                .unwrap()
                .run(insert)
                .await
                .unwrap()
                .changes,
            1
        );
        let found = Sqlite::open(&file)
            .unwrap()
            .run(Statement::new("SELECT jti FROM revoked_tokens", []))
            .await
            .unwrap();
        assert_eq!(found.rows.len(), 1);
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn a_key_expires() {
        let now = Arc::new(AtomicU64::new(1_000_000));
        let clock = now.clone();
        let kv = SqliteKeyValue::new(
            Sqlite::in_memory().unwrap(),
            Arc::new(move || clock.load(Ordering::SeqCst)),
        )
        .unwrap();
        kv.put("k", "v", 90).await.unwrap();
        now.fetch_add(89_999, Ordering::SeqCst);
        assert_eq!(kv.get("k").await.unwrap().as_deref(), Some("v"));
        now.fetch_add(1, Ordering::SeqCst);
        assert_eq!(kv.get("k").await.unwrap(), None);
    }
}
