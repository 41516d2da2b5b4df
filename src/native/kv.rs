//! `KeyValue` on SQLite.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::sqlite::{OpenError, Sqlite, connect};
use crate::platform::{KeyValue, KeyValueError};

/// Milliseconds since the Unix epoch, as `App` counts them.
type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Keys with expiry in a table of their own, apart from the product's.
#[derive(Clone)]
pub struct SqliteKeyValue {
    database: Sqlite,
    clock: Clock,
}

impl SqliteKeyValue {
    /// Opens a file of its own, or makes it. A power failure may cost its last entries, which nothing
    /// depends on.
    pub fn open(path: &Path, clock: Clock) -> Result<Self, OpenError> {
        let connection = connect(path)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self::new(Sqlite::of_file(connection), clock)?)
    }

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

#[async_trait]
impl KeyValue for SqliteKeyValue {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        let (key, now) = (key.to_owned(), self.now());
        let get = move |connection: &mut Connection| {
            let sql = "SELECT value FROM key_values WHERE key = ?1 AND expires_at > ?2";
            let mut select = connection.prepare_cached(sql)?;
            select
                .query_row(params![key, now], |row| row.get(0))
                .optional()
        };
        self.database.in_turn(get).await.map_err(KeyValueError)
    }

    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError> {
        let (key, value, now) = (key.to_owned(), value.to_owned(), self.now());
        let expires_at = now.saturating_add_unsigned(ttl.max(60));
        let put = move |connection: &mut Connection| {
            // Expired keys go whenever one is written: nothing else has to run.
            let sql = "DELETE FROM key_values WHERE expires_at <= ?1";
            connection.execute(sql, params![now])?;
            let sql = "INSERT INTO key_values (key, value, expires_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
            connection.execute(sql, params![key, value, expires_at])?;
            Ok(())
        };
        self.database.in_turn(put).await.map_err(KeyValueError)
    }

    async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        let key = key.to_owned();
        let delete = move |connection: &mut Connection| {
            let sql = "DELETE FROM key_values WHERE key = ?1";
            connection.execute(sql, params![key])?;
            Ok(())
        };
        self.database.in_turn(delete).await.map_err(KeyValueError)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

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
