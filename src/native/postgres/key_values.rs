//! `KeyValue` in a table of the same database: it needs no further service, and nothing depends on it.

use std::sync::Arc;

use async_trait::async_trait;

use super::Postgres;
use crate::platform::{Database, KeyValue, KeyValueError, Statement, Value};

/// Milliseconds since the Unix epoch, as `App` counts them.
type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What has expired goes with each key that is written, without waiting for anybody who is at the same.
const PUT: &str = "WITH expired AS (DELETE FROM key_values WHERE key IN
       (SELECT key FROM key_values WHERE expires_at <= ?4 AND key <> ?1 LIMIT 100 FOR UPDATE SKIP LOCKED))
     INSERT INTO key_values (key, value, expires_at) VALUES (?1, ?2, ?3)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";

/// Hygiene, which does not wait for the disk: what a crash brings back is good for nothing.
const DELETE: &str = "WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
     DELETE FROM key_values USING quick WHERE key = ?1";

#[derive(Clone)]
pub struct PostgresKeyValue {
    database: Postgres,
    clock: Clock,
}

impl PostgresKeyValue {
    pub fn new(database: Postgres, clock: Clock) -> Self {
        Self { database, clock }
    }

    fn now(&self) -> i64 {
        i64::try_from((self.clock)() / 1000).unwrap_or(i64::MAX)
    }
}

#[async_trait]
impl KeyValue for PostgresKeyValue {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        let sql = "SELECT value FROM key_values WHERE key = ?1 AND expires_at > ?2";
        let select = Statement::new(sql, [key.into(), self.now().into()]);
        let found = self.database.run(select).await?.rows;
        Ok(match found.first().and_then(|row| row.get("value")) {
            Some(Value::Text(value)) => Some(value.clone()),
            _ => None,
        })
    }

    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError> {
        let now = self.now();
        let expires_at = now.saturating_add_unsigned(ttl.max(60));
        let params = [key.into(), value.into(), expires_at.into(), now.into()];
        self.database.run(Statement::new(PUT, params)).await?;
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        self.database
            .run(Statement::new(DELETE, [key.into()]))
            .await?;
        Ok(())
    }

    /// It is the database.
    fn is_nearer_than_the_database(&self) -> bool {
        false
    }
}
