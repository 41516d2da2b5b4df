//! `/admin/clients`: the operator's clients.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{ApiJson, Operator, PathText};
use crate::api::json::Json;
use crate::api::openapi::operation::{JSON, OPERATOR, Operation};
use crate::domain::client::Client;
use crate::domain::ids::ClientId;
use crate::domain::settings::{Label, Settings, SettingsPatch};
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows::admin::{self, ClientPatch, LONGEST_OVERLAP, Use};

pub(super) fn endpoints() -> [Endpoint; 6] {
    let one = "/admin/clients/{client_id}";
    let rotate = "/admin/clients/{client_id}/rotate-secret";
    [
        Endpoint::post("/admin/clients", Access::Operator, create, describe_create),
        Endpoint::get("/admin/clients", Access::Operator, list, describe_list),
        Endpoint::get(one, Access::Operator, find, describe_find),
        Endpoint::patch(one, Access::Operator, change, describe_change),
        Endpoint::delete(one, Access::Operator, delete, describe_delete),
        Endpoint::post(rotate, Access::Operator, rotate_secret, describe_rotate_secret),
    ]
}

#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
struct ClientResponse {
    client_id: ClientId,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_secret: Option<String>,
    name: String,
    disabled: bool,
    /// Whether it is a test client, for good: nothing is sent for it, and its clock goes on when it says so.
    test: bool,
    /// Every setting as it applies, defaults included.
    settings: Settings,
    created_at: UnixTime,
}

impl ClientResponse {
    fn new(client: Client, client_secret: Option<String>) -> Self {
        Self {
            client_id: client.id,
            client_secret,
            name: client.name,
            disabled: client.disabled_at.is_some(),
            test: client.test_clock_ahead.is_some(),
            settings: client.settings.into_effective(),
            created_at: client.created_at,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateClientRequest)]
struct CreateRequest {
    name: Label,
    /// Drawn if it is missing. That of a test client begins with `test_`, and no other does.
    client_id: Option<ClientId>,
    #[serde(default)]
    settings: SettingsPatch,
    /// Makes a test client.
    #[serde(default)]
    test: bool,
}

async fn create(
    Operator(call): Operator,
    ApiJson(body): ApiJson<CreateRequest>,
) -> Result<(StatusCode, Json<ClientResponse>), Error> {
    let serves = if body.test { Use::Tests } else { Use::Real };
    let (client, secret) =
        admin::create_client(&call, body.client_id, body.name, &body.settings, serves).await?;
    let response = ClientResponse::new(client, Some(secret));
    Ok((StatusCode::CREATED, Json(response)))
}

fn describe_create(operation: Operation) -> Operation {
    operation
        .named("createClient", OPERATOR, "Add a client")
        .text(
            "The answer shows the client's secret, this once. With `\"test\": true` it is a test client for good: nothing \
             is sent for it, and its clock goes on when it says so ([guide](/docs/test-your-integration)).",
        )
        .body::<CreateRequest>(
            JSON,
            &[
                ("Least", json!({"name": "Shop"})),
                ("For tests", json!({"name": "Shop, in tests", "test": true})),
                ("With settings", json!({"name": "Shop", "client_id": "shop", "settings": {"issuer": "The Shop", "sms_domain": "shop.example", "sms_countries": ["ES", "PT"]}})),
            ],
        )
        .answers_with::<ClientResponse>(
            "201",
            "The client and its secret",
            &[("Client", example(Some("cnd_3f9a…")))],
        )
        .fails_with([ErrorCode::ClientExists])
}

#[derive(Serialize, ToSchema)]
#[schema(as = ClientList)]
struct ListResponse {
    clients: Vec<ClientResponse>,
}

async fn list(Operator(call): Operator) -> Result<Json<ListResponse>, Error> {
    let clients = admin::list_clients(&call).await?.into_iter();
    let clients = clients.map(|client| ClientResponse::new(client, None));
    Ok(Json(ListResponse {
        clients: clients.collect(),
    }))
}

fn describe_list(operation: Operation) -> Operation {
    operation
        .named("listClients", OPERATOR, "List clients")
        .text("All of them, by id, up to 1000. No secrets.")
        .answers::<ListResponse>(
            "The clients",
            &[("Clients", json!({"clients": [example(None)]}))],
        )
}

async fn find(
    Operator(call): Operator,
    PathText(id): PathText,
) -> Result<Json<ClientResponse>, Error> {
    let client = admin::find_client(&call, &client_id(id)?).await?;
    Ok(Json(ClientResponse::new(client, None)))
}

fn describe_find(operation: Operation) -> Operation {
    of_one(operation)
        .named("getClient", OPERATOR, "Show a client")
        .answers::<ClientResponse>("The client", &[("Client", example(None))])
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateClientRequest)]
struct ChangeRequest {
    name: Option<Label>,
    disabled: Option<bool>,
    #[serde(default)]
    settings: SettingsPatch,
}

async fn change(
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
    Ok(Json(ClientResponse::new(client, None)))
}

fn describe_change(operation: Operation) -> Operation {
    of_one(operation)
        .named("updateClient", OPERATOR, "Change a client")
        .text(
            "Changes what is given. A disabled client's tokens are dead at once, and stay so when it is enabled \
             again. Settings are merged: `null` returns one to its default.",
        )
        .body::<ChangeRequest>(
            JSON,
            &[
                ("Disable", json!({"disabled": true})),
                ("Require a fresh code", json!({"settings": {"require_step_up": true}})),
            ],
        )
        .answers::<ClientResponse>("The client as it is now", &[("Client", example(None))])
}

async fn delete(Operator(call): Operator, PathText(id): PathText) -> Result<StatusCode, Error> {
    admin::delete_client(&call, &client_id(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn describe_delete(operation: Operation) -> Operation {
    of_one(operation)
        .named("deleteClient", OPERATOR, "Delete a client")
        .text(
            "With all its users. From here on there is no such client. Where it has very many users, the last of \
             them are deleted within minutes; until then its id is not free.",
        )
        .answers_nothing("Gone")
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RotateSecretRequest)]
struct RotateRequest {
    /// How long the present secret goes on working beside the new one.
    #[schema(maximum = 2_592_000)]
    overlap_seconds: u64,
}

async fn rotate_secret(
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
    Ok(Json(ClientResponse::new(client, Some(secret))))
}

fn describe_rotate_secret(operation: Operation) -> Operation {
    of_one(operation)
        .named("rotateClientSecret", OPERATOR, "Give a client a new secret")
        .text(
            "Both secrets work for `overlap_seconds`, at most 30 days; with 0 the old one is dead at once, and \
             all tokens with it.",
        )
        .body::<RotateRequest>(
            JSON,
            &[("A day to change over", json!({"overlap_seconds": 86_400}))],
        )
        .answers::<ClientResponse>(
            "The client and its new secret, shown this once",
            &[("Client", example(Some("cnd_3f9a…")))],
        )
}

/// An id no client can have is a client that is not there.
pub(super) fn client_id(text: String) -> Result<ClientId, Error> {
    ClientId::try_from(text).map_err(|_| Error::NotFound)
}

fn of_one(operation: Operation) -> Operation {
    operation
        .in_path::<ClientId>("client_id", "shop")
}

fn example(secret: Option<&str>) -> Value {
    let mut client = json!({
        "client_id": "shop",
        "name": "Shop",
        "disabled": false,
        "test": false,
        "settings": Settings::default(),
        "created_at": 1_760_000_000,
    });
    if let (Some(secret), Some(client)) = (secret, client.as_object_mut()) {
        client.insert("client_secret".to_owned(), secret.into());
    }
    client
}
