//! `/admin/clients/{client_id}/keys`: a client's API keys.

use axum::extract::{FromRequestParts, Path};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::clients::client_id;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{ApiJson, Operator, PathText};
use crate::api::json::Json;
use crate::api::openapi::operation::{JSON, OPERATOR, Operation};
use crate::domain::api_key::{ApiKey, KeyId};
use crate::domain::ids::ClientId;
use crate::domain::scope::Scopes;
use crate::domain::settings::Label;
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows::api_keys::{self, LONGEST_LIFE};

pub(super) fn endpoints() -> [Endpoint; 3] {
    let (all, one) = (
        "/admin/clients/{client_id}/keys",
        "/admin/clients/{client_id}/keys/{key_id}",
    );
    [
        Endpoint::post(all, Access::Operator, create, describe_create),
        Endpoint::get(all, Access::Operator, list, describe_list),
        Endpoint::delete(one, Access::Operator, revoke, describe_revoke),
    ]
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct KeyResponse {
    key_id: KeyId,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    api_key: Option<String>,
    name: String,
    scopes: Scopes,
    created_at: UnixTime,
    /// From when on it is refused; null if it does not end by itself.
    expires_at: Option<UnixTime>,
    /// The beginning of the day (UTC) it was used last; null if it never was.
    last_used_at: Option<UnixTime>,
}

impl KeyResponse {
    fn new(key: ApiKey, api_key: Option<String>) -> Self {
        Self {
            key_id: key.id,
            api_key,
            name: key.name,
            scopes: key.scopes,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateApiKeyRequest)]
struct CreateRequest {
    /// For people: which program has it.
    name: Label,
    scopes: Scopes,
    /// It does not end by itself if this is missing.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

async fn create(
    Operator(call): Operator,
    PathText(client): PathText,
    ApiJson(body): ApiJson<CreateRequest>,
) -> Result<(StatusCode, Json<KeyResponse>), Error> {
    let client = client_id(client)?;
    let days = body.expires_in_days;
    if days.is_some_and(|days| !(1..=LONGEST_LIFE).contains(&days)) {
        let message = format!("Expected a number from 1 to {LONGEST_LIFE}");
        return Err(Error::invalid("expires_in_days", message));
    }
    let (key, text) = api_keys::create(&call, &client, &body.name, body.scopes, days).await?;
    Ok((StatusCode::CREATED, Json(KeyResponse::new(key, Some(text)))))
}

fn describe_create(operation: Operation) -> Operation {
    operation
        .named("createApiKey", OPERATOR, "Give a client an API key")
        .text(
            "The key is good in the place of a token on every route of its scopes, at once and until it expires or is \
             revoked. The answer shows it, this once. Several may hold at the same time, so that one can take over \
             from another.",
        )
        .in_path::<ClientId>("client_id", "shop")
        .body::<CreateRequest>(
            JSON,
            &[
                ("For a login form", json!({"name": "Login", "scopes": ["verify", "send", "read"], "expires_in_days": 365})),
                ("For a job", json!({"name": "Nightly clean-up", "scopes": ["manage"]})),
            ],
        )
        .answers_with::<KeyResponse>("201", "The key", &[("Key", example(true))])
        .fails_with([ErrorCode::KeyLimitReached])
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyList)]
struct ListResponse {
    keys: Vec<KeyResponse>,
}

async fn list(
    Operator(call): Operator,
    PathText(client): PathText,
) -> Result<Json<ListResponse>, Error> {
    let keys = api_keys::list(&call, &client_id(client)?).await?;
    let keys = keys.into_iter().map(|key| KeyResponse::new(key, None));
    Ok(Json(ListResponse {
        keys: keys.collect(),
    }))
}

fn describe_list(operation: Operation) -> Operation {
    operation
        .named("listApiKeys", OPERATOR, "List a client's API keys")
        .text("The oldest first, with those that expired and were not removed. No secrets.")
        .in_path::<ClientId>("client_id", "shop")
        .answers::<ListResponse>("The keys", &[("Keys", json!({"keys": [example(false)]}))])
}

/// Which key of which client. What can be neither is not there.
struct OneKey(ClientId, KeyId);

impl<S: Send + Sync> FromRequestParts<S> for OneKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((client, key)) = path.map_err(|_| Error::NotFound)?;
        let key = KeyId::try_from(key).map_err(|_| Error::NotFound)?;
        Ok(Self(client_id(client)?, key))
    }
}

async fn revoke(
    Operator(call): Operator,
    OneKey(client, key): OneKey,
) -> Result<StatusCode, Error> {
    api_keys::revoke(&call, &client, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn describe_revoke(operation: Operation) -> Operation {
    operation
        .named("revokeApiKey", OPERATOR, "Revoke an API key")
        .text("The next request with it is refused. One that expired is removed from the list.")
        .in_path::<ClientId>("client_id", "shop")
        .in_path::<KeyId>("key_id", "k7qmzt3a")
        .answers_nothing("Revoked")
}

fn example(made: bool) -> Value {
    let mut key = json!({
        "key_id": "k7qmzt3a",
        "name": "Login",
        "scopes": ["verify", "send", "read"],
        "created_at": 1_760_000_000,
        "expires_at": 1_791_536_000,
        "last_used_at": null,
    });
    if let (true, Some(key)) = (made, key.as_object_mut()) {
        key.insert("api_key".to_owned(), "cdo_shop.k7qmzt3a_4mwy…".into());
    }
    key
}
