//! `KeyValue` in a table of the same database: it needs no further service, and nothing depends on it.

use async_trait::async_trait;

use super::Postgres;
use crate::native::kv::{Clock, expiry, find, now};
use crate::platform::{Database, KeyValue, KeyValueError, Statement};

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
}

#[async_trait]
impl KeyValue for PostgresKeyValue {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        find(&self.database, key, now(&self.clock)).await
    }

    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError> {
        let now = now(&self.clock);
        let expires_at = expiry(now, ttl);
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
