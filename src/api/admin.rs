//! The operator's routes.

use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::extract::{ApiJson, Operator, PathText, from_query};
use super::json::Json;
use super::users::Success;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::settings::{Label, Settings};
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::admin::{self, ClientPatch, LONGEST_OVERLAP};
use crate::storage::audit_log::{Entry, Filter};
use crate::storage::clients::Client;

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = Client))]
pub(super) struct ClientResponse {
    client_id: ClientId,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schema(nullable = false))]
    client_secret: Option<String>,
    name: String,
    disabled: bool,
    /// Every setting as it applies, defaults included.
    settings: Settings,
    created_at: UnixTime,
}

impl ClientResponse {
    fn new(client: Client, client_secret: Option<String>) -> Result<Self, Error> {
        Ok(Self {
            client_id: client.id,
            client_secret,
            name: client.name,
            disabled: client.disabled_at.is_some(),
            settings: Settings::from_fields(client.settings).map_err(Error::internal)?,
            created_at: client.created_at,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = CreateClientRequest))]
pub(super) struct CreateRequest {
    name: Label,
    /// Drawn if it is missing.
    client_id: Option<ClientId>,
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schema(value_type = super::openapi::SettingsPatch))]
    settings: Map<String, Value>,
}

pub(super) async fn create(
    Operator(call): Operator,
    ApiJson(body): ApiJson<CreateRequest>,
) -> Result<(StatusCode, Json<ClientResponse>), Error> {
    let (client, secret) =
        admin::create_client(&call, body.client_id, body.name, body.settings).await?;
    Ok((
        StatusCode::CREATED,
        Json(ClientResponse::new(client, Some(secret))?),
    ))
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = ClientList))]
pub(super) struct ListResponse {
    clients: Vec<ClientResponse>,
}

pub(super) async fn list(Operator(call): Operator) -> Result<Json<ListResponse>, Error> {
    let clients = admin::list_clients(&call).await?;
    let clients = clients
        .into_iter()
        .map(|client| ClientResponse::new(client, None))
        .collect::<Result<_, _>>()?;
    Ok(Json(ListResponse { clients }))
}

pub(super) async fn find(
    Operator(call): Operator,
    PathText(id): PathText,
) -> Result<Json<ClientResponse>, Error> {
    let client = admin::find_client(&call, &client_id(id)?).await?;
    Ok(Json(ClientResponse::new(client, None)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = UpdateClientRequest))]
pub(super) struct ChangeRequest {
    name: Option<Label>,
    disabled: Option<bool>,
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schema(value_type = super::openapi::SettingsPatch))]
    settings: Map<String, Value>,
}

pub(super) async fn change(
    Operator(call): Operator,
    PathText(id): PathText,
    ApiJson(body): ApiJson<ChangeRequest>,
) -> Result<Json<ClientResponse>, Error> {
    let patch = ClientPatch {
        name: body.name,
        disabled: body.disabled,
        settings: body.settings,
    };
    let client = admin::change_client(&call, &client_id(id)?, patch).await?;
    Ok(Json(ClientResponse::new(client, None)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = RotateSecretRequest))]
pub(super) struct RotateRequest {
    /// How long the present secret goes on working beside the new one.
    #[cfg_attr(not(target_arch = "wasm32"), schema(maximum = 2_592_000))]
    overlap_seconds: u64,
}

pub(super) async fn rotate_secret(
    Operator(call): Operator,
    PathText(id): PathText,
    ApiJson(body): ApiJson<RotateRequest>,
) -> Result<Json<ClientResponse>, Error> {
    if body.overlap_seconds > LONGEST_OVERLAP {
        return Err(Error::invalid(
            "overlap_seconds",
            format!("Expected a number from 0 to {LONGEST_OVERLAP}"),
        ));
    }
    let (client, secret) =
        admin::rotate_secret(&call, &client_id(id)?, body.overlap_seconds).await?;
    Ok(Json(ClientResponse::new(client, Some(secret))?))
}

pub(super) async fn delete(
    Operator(call): Operator,
    PathText(id): PathText,
) -> Result<StatusCode, Error> {
    admin::delete_client(&call, &client_id(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct UnlockRequest {
    client_id: ClientId,
    user_id: UserId,
}

pub(super) async fn unlock(
    Operator(call): Operator,
    ApiJson(body): ApiJson<UnlockRequest>,
) -> Result<Json<Success>, Error> {
    admin::unlock(&call, &body.client_id, &body.user_id).await?;
    Ok(Json(Success::new("User unlocked")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    client_id: Option<String>,
    user_id: Option<String>,
    event: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = AuditEvents))]
pub(super) struct AuditResponse {
    events: Vec<Entry>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<i64>,
}

/// The greatest id there can be: D1's numbers are JavaScript's.
pub(super) const LAST_ID: i64 = (1 << 53) - 1;

pub(super) async fn audit(
    Operator(call): Operator,
    uri: Uri,
) -> Result<Json<AuditResponse>, Error> {
    let query: AuditQuery = from_query(&uri)?;
    let limit = number(query.limit, "limit", 100)?;
    if !(1..=1000).contains(&limit) {
        return Err(Error::invalid("limit", "Expected a number from 1 to 1000"));
    }
    let after = number(query.after, "after", 0)?;
    if !(0..=LAST_ID).contains(&after) {
        return Err(Error::invalid(
            "after",
            format!("Expected a number from 0 to {LAST_ID}"),
        ));
    }
    let filter = Filter {
        client_id: query.client_id,
        user_id: query.user_id,
        event: query.event,
        after,
        limit,
    };
    let events = admin::audit(&call, filter).await?;
    let full = u32::try_from(events.len()).is_ok_and(|length| length == limit);
    let next = events.last().filter(|_| full).map(|entry| entry.id);
    Ok(Json(AuditResponse { events, next }))
}

fn number<T: std::str::FromStr>(
    text: Option<String>,
    field: &'static str,
    default: T,
) -> Result<T, Error> {
    text.map_or(Ok(default), |text| {
        text.parse()
            .map_err(|_| Error::invalid(field, "Expected a whole number"))
    })
}

/// An id no client can have is a client that is not there.
fn client_id(text: String) -> Result<ClientId, Error> {
    ClientId::try_from(text).map_err(|_| Error::NotFound)
}
