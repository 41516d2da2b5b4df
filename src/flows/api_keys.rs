//! API keys: made and revoked by the operator, used by applications.

use serde_json::json;

use super::admin::{client_scene, find_client};
use super::asked::Asked;
use crate::call::Call;
use crate::domain::api_key::{ApiKey, KeyId};
use crate::domain::event::{Event, Kind};
use crate::domain::ids::ClientId;
use crate::domain::scope::Scopes;
use crate::domain::settings::Label;
use crate::error::Error;
use crate::storage::api_keys;

/// Keys one client may have.
pub const MOST_KEYS: u32 = 50;
/// Days a key may live, where it ends by itself.
pub const LONGEST_LIFE: u32 = 3650;

/// Makes a key. Its text is in this answer and nowhere else.
pub async fn create(
    call: &Call,
    client: &ClientId,
    name: &Label,
    scopes: Scopes,
    expires_in_days: Option<u32>,
) -> Result<(ApiKey, String), Error> {
    let expires_at = expires_in_days.map(|days| call.now.plus(u64::from(days) * 86_400));
    let name = name.as_str().to_owned();
    let (key, text) = ApiKey::draw(client, name, scopes, expires_at, call.now)?;
    let event = Event::new(Kind::ApiKeyCreated).with(json!({
        "key_id": key.id, "name": key.name, "scopes": key.scopes, "expires_at": key.expires_at,
    }));
    let scene = client_scene(call, client);
    if api_keys::insert(&*call.app.db, &key, MOST_KEYS, scene, &event).await? {
        return Ok((key, text));
    }
    find_client(call, client).await?;
    Err(Error::KeyLimitReached { most: MOST_KEYS })
}

/// The keys of a client, the oldest first, those that expired among them.
pub async fn list(call: &Call, client: &ClientId) -> Result<Vec<ApiKey>, Error> {
    find_client(call, client).await?;
    Ok(api_keys::list(&*call.app.db, client).await?)
}

/// Revokes a key: the next request with it is refused.
pub async fn revoke(call: &Call, client: &ClientId, id: &KeyId) -> Result<(), Error> {
    let event = Event::new(Kind::ApiKeyRevoked).with(json!({"key_id": id}));
    let scene = client_scene(call, client);
    let revoked = api_keys::delete(&*call.app.db, id, scene, &event).await?;
    revoked.then_some(()).ok_or(Error::NotFound)
}

/// Notes that the key was used today, if that is the first use of the day; after the answer.
pub(super) fn note_use(asked: &Asked, key: &ApiKey) {
    let Some(day) = key.first_use_of(asked.call.real_now()) else {
        return;
    };
    let statement = api_keys::note_use(&asked.owner.client, &key.id, day);
    let db = asked.app().db.clone();
    asked.call.later.push(async move {
        if let Err(error) = db.run(statement).await {
            log::warn!("the use of an API key was not noted: {error}");
        }
    });
}
