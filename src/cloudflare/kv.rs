//! `KeyValue` on Workers KV.

use async_trait::async_trait;
use worker::KvStore;
use worker::kv::KvError;
use worker::send::SendFuture;

use crate::platform::{KeyValue, KeyValueError};

/// The platform's least time to live, in seconds.
const SHORTEST_TTL: u64 = 60;

pub(super) struct Kv(pub KvStore);

#[async_trait]
impl KeyValue for Kv {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        SendFuture::new(self.0.get(key).text())
            .await
            .map_err(KeyValueError::from)
    }

    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError> {
        let put = self
            .0
            .put(key, value)
            .map_err(KeyValueError::from)?
            .expiration_ttl(ttl.max(SHORTEST_TTL));
        SendFuture::new(put.execute())
            .await
            .map_err(KeyValueError::from)
    }

    async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        SendFuture::new(self.0.delete(key))
            .await
            .map_err(KeyValueError::from)
    }
}

impl From<KvError> for KeyValueError {
    fn from(error: KvError) -> Self {
        Self(error.to_string())
    }
}
