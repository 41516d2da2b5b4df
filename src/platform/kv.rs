//! A key-value store with expiry. It may be stale, empty or out of reach: nothing security depends
//! on is believed from it (decision 2).

use async_trait::async_trait;

#[derive(Debug, thiserror::Error)]
#[error("the key-value store did not answer: {0}")]
pub struct KeyValueError(pub String);

#[async_trait]
pub trait KeyValue: Send + Sync {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError>;
    /// Stores `value` for `ttl` seconds; the platform's least is 60, shorter ones are raised to it.
    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError>;
    async fn delete(&self, key: &str) -> Result<(), KeyValueError>;

    /// Whether asking it spares a way to the database. Where it does not, nothing is kept in it that the
    /// database says as well.
    fn is_nearer_than_the_database(&self) -> bool {
        true
    }
}
