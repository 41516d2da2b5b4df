//! `code:{challenge}`: the keyed digest of a delivered code. Written once under a random id and never
//! overwritten, so a stale copy cannot exist.

use crate::domain::ids::ChallengeId;
use crate::platform::{KeyValue, KeyValueError};

fn key(id: &ChallengeId) -> String {
    format!("code:{id}")
}

pub async fn find(kv: &dyn KeyValue, id: &ChallengeId) -> Result<Option<String>, KeyValueError> {
    kv.get(&key(id)).await
}

pub async fn insert(
    kv: &dyn KeyValue,
    id: &ChallengeId,
    digest: &str,
    lifetime: u64,
) -> Result<(), KeyValueError> {
    kv.put(&key(id), digest, lifetime).await
}

pub async fn delete(kv: &dyn KeyValue, id: &ChallengeId) -> Result<(), KeyValueError> {
    kv.delete(&key(id)).await
}
