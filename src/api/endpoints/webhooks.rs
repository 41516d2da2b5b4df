//! `/admin/clients/{client_id}/webhook`: where a client is told of what happens to its users.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::audit::number;
use super::clients::client_id;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{ApiJson, Operator, PathText, from_query};
use crate::api::json::Json;
use crate::api::openapi::operation::{JSON, OPERATOR, Operation};
use crate::api::openapi::schemas::reference;
use crate::domain::event::Kind;
use crate::domain::ids::ClientId;
use crate::domain::time::UnixTime;
use crate::domain::webhook::{DeliveryId, Topics, Webhook, WebhookUrl};
use crate::error::Error;
use crate::flows::webhooks::{self, Listed};

pub(super) fn endpoints() -> [Endpoint; 6] {
    let one = "/admin/clients/{client_id}/webhook";
    let test = "/admin/clients/{client_id}/webhook/test";
    let all = "/admin/clients/{client_id}/webhook/deliveries";
    let again = "/admin/clients/{client_id}/webhook/deliveries/{delivery_id}/redeliver";
    [
        Endpoint::put(one, Access::Operator, put, describe_put),
        Endpoint::get(one, Access::Operator, find, describe_find),
        Endpoint::delete(one, Access::Operator, remove, describe_remove),
        Endpoint::post(test, Access::Operator, send_test, describe_test),
        Endpoint::get(all, Access::Operator, list, describe_list),
        Endpoint::post(again, Access::Operator, redeliver, describe_redeliver),
    ]
}

#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
struct WebhookResponse {
    url: WebhookUrl,
    // The schema describes itself: said here as well, it would have to be an array and an object.
    #[schema(inline, value_type = Topics)]
    events: Vec<&'static str>,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret: Option<String>,
    /// Until when the secret before signs too; null if none does.
    previous_secret_expires_at: Option<UnixTime>,
}

impl WebhookResponse {
    fn new(webhook: Webhook, secret: Option<String>, now: UnixTime) -> Self {
        Self {
            events: webhook.events().into_iter().map(Kind::name).collect(),
            secret,
            previous_secret_expires_at: webhook.overlap_until(now),
            url: webhook.url,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetWebhookRequest)]
struct PutRequest {
    url: WebhookUrl,
    /// All kinds if it is missing, those of later versions included.
    events: Option<Topics>,
}

async fn put(
    Operator(call): Operator,
    PathText(client): PathText,
    ApiJson(body): ApiJson<PutRequest>,
) -> Result<Json<WebhookResponse>, Error> {
    let client = client_id(client)?;
    let (webhook, secret) = webhooks::put(&call, &client, body.url, body.events).await?;
    Ok(Json(WebhookResponse::new(webhook, Some(secret), call.now)))
}

fn describe_put(operation: Operation) -> Operation {
    of_a_client(operation)
        .named("setWebhook", OPERATOR, "Set a client's webhook")
        .text(
            "From now on the address is sent a signed `POST` of each event ([guide](/docs/webhooks)). The answer shows the \
             secret that signs, this once. Setting it again makes a new secret; for 24 hours the one before signs too, so \
             that the receiver can change over. To end a secret at once, remove the webhook first.",
        )
        .body::<PutRequest>(
            JSON,
            &[
                ("Everything", json!({"url": "https://shop.example/hooks/candado"})),
                ("Some events", json!({"url": "https://shop.example/hooks/candado", "events": ["locked", "disabled", "recovered"]})),
            ],
        )
        .answers::<WebhookResponse>("The webhook and its secret", &[("Webhook", example(true))])
}

async fn find(
    Operator(call): Operator,
    PathText(client): PathText,
) -> Result<Json<WebhookResponse>, Error> {
    let webhook = webhooks::find(&call, &client_id(client)?).await?;
    Ok(Json(WebhookResponse::new(webhook, None, call.now)))
}

fn describe_find(operation: Operation) -> Operation {
    of_a_client(operation)
        .named("getWebhook", OPERATOR, "Show a client's webhook")
        .text("Without its secret. `not_found` if the client has none.")
        .answers::<WebhookResponse>("The webhook", &[("Webhook", example(false))])
}

async fn remove(
    Operator(call): Operator,
    PathText(client): PathText,
) -> Result<StatusCode, Error> {
    webhooks::remove(&call, &client_id(client)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn describe_remove(operation: Operation) -> Operation {
    of_a_client(operation)
        .named("removeWebhook", OPERATOR, "Remove a client's webhook")
        .text("Nothing more is sent, what waits included, and its secrets are gone.")
        .answers_nothing("Gone")
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
struct DeliveryResponse {
    /// The message's `webhook-id`, the same in every try.
    id: DeliveryId,
    /// What happened; `test` for a test.
    event: String,
    #[schema(inline)]
    state: State,
    created_at: UnixTime,
    /// Tries so far.
    attempts: u32,
    /// Null until the first try.
    attempted_at: Option<UnixTime>,
    /// When the next try is due; null if there is none.
    next_attempt_at: Option<UnixTime>,
    delivered_at: Option<UnixTime>,
    /// The HTTP status of the last answer; null if there was none.
    response_status: Option<u16>,
    /// Why there was no answer.
    problem: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// To be tried, or tried again.
    Pending,
    /// Answered with a status from 200 to 299.
    Delivered,
    /// Given up: a day has passed, or the receiver said 410.
    Dead,
}

impl From<Listed> for DeliveryResponse {
    fn from(listed: Listed) -> Self {
        let state = match (listed.delivered_at, listed.next_at) {
            (Some(_), _) => State::Delivered,
            (None, Some(_)) => State::Pending,
            (None, None) => State::Dead,
        };
        Self {
            id: listed.id,
            event: listed.event,
            state,
            created_at: listed.created_at,
            attempts: listed.attempts,
            attempted_at: listed.attempted_at,
            next_attempt_at: listed.next_at,
            delivered_at: listed.delivered_at,
            response_status: listed.status,
            problem: listed.problem,
        }
    }
}

async fn send_test(
    Operator(call): Operator,
    PathText(client): PathText,
) -> Result<Json<DeliveryResponse>, Error> {
    let sent = webhooks::test(&call, &client_id(client)?).await?;
    Ok(Json(sent.into()))
}

fn describe_test(operation: Operation) -> Operation {
    of_a_client(operation)
        .named("testWebhook", OPERATOR, "Send a test event")
        .text("Of kind `test`, signed like every other. The answer says what came of it, within 5 seconds.")
        .answers::<DeliveryResponse>("What came of it", &[("Delivered", delivery("test"))])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    before: Option<DeliveryId>,
    limit: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveries)]
struct ListResponse {
    deliveries: Vec<DeliveryResponse>,
    /// What to give as `before` for the next page; null on the last one.
    next: Option<DeliveryId>,
}

async fn list(
    Operator(call): Operator,
    PathText(client): PathText,
    uri: Uri,
) -> Result<Json<ListResponse>, Error> {
    let query = from_query::<ListQuery>(&uri)?;
    let limit = number(query.limit, "limit", 1, 1000)?.unwrap_or(100);
    let limit = u32::try_from(limit).unwrap_or(1000);
    let listed = webhooks::list(&call, &client_id(client)?, query.before.as_ref(), limit).await?;
    let full = u32::try_from(listed.len()).is_ok_and(|length| length == limit);
    let next = listed.last().filter(|_| full).map(|last| last.id.clone());
    let deliveries = listed.into_iter().map(DeliveryResponse::from).collect();
    Ok(Json(ListResponse { deliveries, next }))
}

fn describe_list(operation: Operation) -> Operation {
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(1000))
        .default(Some(json!(100)));
    of_a_client(operation)
        .named("listWebhookDeliveries", OPERATOR, "List a webhook's deliveries")
        .text(
            "Newest first; for the next page ask with `before` set to `next`. They are kept for a week, one that is still \
             tried until it is settled.",
        )
        .in_query("before", false, reference::<DeliveryId>(), "Only those before this one.", json!(ID))
        .in_query("limit", false, limit, "At most this many.", json!(100))
        .answers::<ListResponse>(
            "Deliveries",
            &[("Last page", json!({"deliveries": [delivery("locked")], "next": null}))],
        )
}

/// Which delivery of which client. What can be neither is not there.
struct OneDelivery(ClientId, DeliveryId);

impl<S: Send + Sync> FromRequestParts<S> for OneDelivery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((client, delivery)) = path.map_err(|_| Error::NotFound)?;
        let delivery = DeliveryId::try_from(delivery).map_err(|_| Error::NotFound)?;
        Ok(Self(client_id(client)?, delivery))
    }
}

async fn redeliver(
    Operator(call): Operator,
    OneDelivery(client, id): OneDelivery,
) -> Result<Json<DeliveryResponse>, Error> {
    let sent = webhooks::redeliver(&call, &client, &id).await?;
    Ok(Json(sent.into()))
}

fn describe_redeliver(operation: Operation) -> Operation {
    of_a_client(operation)
        .named("redeliverWebhook", OPERATOR, "Send an event again")
        .text(
            "Whatever came of it, with the same `webhook-id`. The answer says what came of it now, within 5 seconds; if it \
             failed, it is tried for a day again.",
        )
        .in_path::<DeliveryId>("delivery_id", ID)
        .answers::<DeliveryResponse>("What came of it", &[("Delivered", delivery("locked"))])
}

fn of_a_client(operation: Operation) -> Operation {
    operation.in_path::<ClientId>("client_id", "shop")
}

const ID: &str = "msg_68e778800000112233445566778899";

fn example(with_secret: bool) -> Value {
    let mut webhook = json!({
        "url": "https://shop.example/hooks/candado",
        "events": ["locked", "disabled", "recovered"],
        "previous_secret_expires_at": null,
    });
    if let (true, Some(webhook)) = (with_secret, webhook.as_object_mut()) {
        let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        webhook.insert("secret".to_owned(), secret.into());
    }
    webhook
}

fn delivery(event: &str) -> Value {
    json!({
        "id": ID, "event": event, "state": "delivered", "created_at": 1_760_000_000, "attempts": 1,
        "attempted_at": 1_760_000_000, "next_attempt_at": null, "delivered_at": 1_760_000_001,
        "response_status": 204, "problem": null,
    })
}
