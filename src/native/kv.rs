//! `KeyValue` on SQLite.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;

use super::sqlite::{Durability, OpenError, Sqlite};
use crate::platform::{Database, DatabaseError, KeyValue, KeyValueError, Statement, Value};

/// Milliseconds since the Unix epoch, as `App` counts them.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Seconds, as the tables have them.
pub(super) fn now(clock: &Clock) -> i64 {
    i64::try_from(clock() / 1000).unwrap_or(i64::MAX)
}

/// When what is stored now for `ttl` seconds expires.
pub(super) fn expiry(now: i64, ttl: u64) -> i64 {
    now.saturating_add_unsigned(ttl.max(60))
}

/// The value of a key that has not expired, in a table `key_values`.
pub(super) async fn find(
    database: &dyn Database,
    key: &str,
    now: i64,
) -> Result<Option<String>, KeyValueError> {
    let sql = "SELECT value FROM key_values WHERE key = ?1 AND expires_at > ?2";
    let select = Statement::new(sql, [key.into(), now.into()]);
    let found = database.run(select).await?.rows;
    Ok(match found.first().and_then(|row| row.get("value")) {
        Some(Value::Text(value)) => Some(value.clone()),
        _ => None,
    })
}

/// Keys with expiry in a file of their own, apart from the product's.
#[derive(Clone)]
pub struct SqliteKeyValue {
    database: Sqlite,
    clock: Clock,
}

fn schema(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS key_values (
           key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID",
    )
}

impl SqliteKeyValue {
    /// Opens the file, or makes it. A power failure may cost its last entries, which nothing depends on.
    pub fn open(path: &Path, clock: Clock) -> Result<Self, OpenError> {
        let database = Sqlite::open_with(path, Durability::Normal, |connection| {
            Ok(schema(connection)?)
        })?;
        Ok(Self { database, clock })
    }

    /// Keys that end with the process.
    pub fn in_memory(clock: Clock) -> rusqlite::Result<Self> {
        let database = Sqlite::in_memory_with(schema)?;
        Ok(Self { database, clock })
    }
}

impl From<DatabaseError> for KeyValueError {
    fn from(error: DatabaseError) -> Self {
        Self(error.to_string())
    }
}

#[async_trait]
impl KeyValue for SqliteKeyValue {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        find(&self.database, key, now(&self.clock)).await
    }

    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError> {
        let now = now(&self.clock);
        let expires_at = expiry(now, ttl);
        // Expired keys go whenever one is written: nothing else has to run.
        let sql = "DELETE FROM key_values WHERE expires_at <= ?1";
        let purge = Statement::new(sql, [now.into()]);
        let sql = "INSERT INTO key_values (key, value, expires_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
        let insert = Statement::new(sql, [key.into(), value.into(), expires_at.into()]);
        self.database.batch(vec![purge, insert]).await?;
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        let sql = "DELETE FROM key_values WHERE key = ?1";
        self.database.run(Statement::new(sql, [key.into()])).await?;
        Ok(())
    }

    /// Both are files of the same disk.
    fn is_nearer_than_the_database(&self) -> bool {
        false
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
        let kv = SqliteKeyValue::in_memory(Arc::new(move || clock.load(Ordering::SeqCst))).unwrap();
        kv.put("k", "v", 90).await.unwrap();
        now.fetch_add(89_999, Ordering::SeqCst);
        assert_eq!(kv.get("k").await.unwrap().as_deref(), Some("v"));
        now.fetch_add(1, Ordering::SeqCst);
        assert_eq!(kv.get("k").await.unwrap(), None);
    }
}
