//! `lock:{client}:{user}`: until when which kinds of codes of a user are locked. It refuses early and allows
//! nothing; the account in the database has the word, and where asking that is as quick there are no marks.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::account::Locks;
use crate::domain::ids::Owner;
use crate::domain::time::UnixTime;
use crate::platform::{KeyValue, KeyValueError};

/// The user id percent-encoded, so that it cannot forge the separator (TEN-04); a client id has no
/// such character.
fn key(owner: &Owner) -> String {
    let user = utf8_percent_encode(owner.user.as_str(), NON_ALPHANUMERIC);
    format!("lock:{}:{user}", owner.client.as_str())
}

pub async fn find(kv: &dyn KeyValue, owner: &Owner) -> Result<Option<Locks>, KeyValueError> {
    if !kv.is_nearer_than_the_database() {
        return Ok(None);
    }
    let locks = kv.get(&key(owner)).await?;
    Ok(locks.and_then(|text| serde_json::from_slice(text.as_bytes()).ok()))
}

pub async fn insert(
    kv: &dyn KeyValue,
    owner: &Owner,
    locks: &Locks,
    now: UnixTime,
) -> Result<(), KeyValueError> {
    let Some(end) = locks
        .last_end()
        .filter(|_| kv.is_nearer_than_the_database())
    else {
        return Ok(());
    };
    let text = serde_json::to_string(locks).map_err(|error| KeyValueError(error.to_string()))?;
    kv.put(&key(owner), &text, end.seconds_from(now)).await
}

pub async fn delete(kv: &dyn KeyValue, owner: &Owner) -> Result<(), KeyValueError> {
    if !kv.is_nearer_than_the_database() {
        return Ok(());
    }
    kv.delete(&key(owner)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ClientId, UserId};

    #[test]
    fn atk_55_no_two_users_share_a_key() {
        let key_of = |client: &str, user: &str| {
            key(&Owner {
                client: ClientId::try_from(client.to_owned()).unwrap(),
                user: UserId::try_from(user.to_owned()).unwrap(),
            })
        };
        assert_ne!(key_of("a", "b:c"), key_of("a", "b%3Ac"));
        assert_ne!(key_of("a.b", "c"), key_of("a", ".b:c"));
        assert!(
            key_of(&"-".repeat(64), &":".repeat(128)).len() <= 512,
            "the platform's longest key"
        );
    }
}
