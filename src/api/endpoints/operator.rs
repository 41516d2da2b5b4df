//! `POST /admin/unlock` and `GET /admin/audit`.

use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::answers::Success;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{ApiJson, Operator, from_query};
use crate::api::json::Json;
use crate::api::openapi::operation::{JSON, OPERATOR, Operation};
use crate::api::openapi::schemas::plain;
use crate::domain::ids::{ClientId, Owner, UserId};
use crate::error::{Error, ErrorCode};
use crate::flows::Asked;
use crate::flows::admin::{self, Entry, Filter};

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::post("/admin/unlock", Access::Operator, unlock, describe_unlock),
        Endpoint::get("/admin/audit", Access::Operator, audit, describe_audit),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UnlockRequest {
    client_id: ClientId,
    user_id: UserId,
}

async fn unlock(
    Operator(call): Operator,
    ApiJson(body): ApiJson<UnlockRequest>,
) -> Result<Json<Success>, Error> {
    let owner = Owner {
        client: body.client_id,
        user: body.user_id,
    };
    admin::unlock(&Asked::by_operator(call, owner)).await?;
    Ok(Json(Success::new("User unlocked")))
}

fn describe_unlock(operation: Operation) -> Operation {
    operation
        .named("unlockUser", OPERATOR, "Unlock a user")
        .text(
            "Clears the user's counters and locks. What failures disabled stays disabled: the user renews it.",
        )
        .body::<UnlockRequest>(
            JSON,
            &[("User", json!({"client_id": "shop", "user_id": "user123"}))],
        )
        .answers::<Success>("Unlocked", &[("Unlocked", json!(Success::new("User unlocked")))])
        .fails_with([ErrorCode::UserNotFound, ErrorCode::RateLimited])
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

/// A recorded event.
#[derive(Serialize, ToSchema)]
struct AuditEvent {
    id: i64,
    at: i64,
    client_id: Option<String>,
    user_id: Option<String>,
    event: String,
    outcome: String,
    method: Option<String>,
    request_id: String,
    #[schema(value_type = Object)]
    detail: Value,
}

impl From<Entry> for AuditEvent {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            client_id: entry.client_id,
            user_id: entry.user_id,
            event: entry.event,
            outcome: entry.outcome,
            method: entry.method,
            request_id: entry.request_id,
            detail: entry.detail,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvents)]
struct AuditResponse {
    events: Vec<AuditEvent>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<i64>,
}

/// The greatest id there can be: D1's numbers are JavaScript's.
const LAST_ID: i64 = (1 << 53) - 1;

async fn audit(Operator(call): Operator, uri: Uri) -> Result<Json<AuditResponse>, Error> {
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
    let entries = admin::audit(&call, filter).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|length| length == limit);
    let next = entries.last().filter(|_| full).map(|entry| entry.id);
    let events = entries.into_iter().map(AuditEvent::from).collect();
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

fn describe_audit(operation: Operation) -> Operation {
    let whole = |least: i64, default: i64, most: i64| {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(least))
            .maximum(Some(most))
            .default(Some(json!(default)))
    };
    let event = json!({
        "id": 42, "at": 1_760_000_000, "client_id": "shop", "user_id": "user123", "event": "verified",
        "outcome": "success", "method": "totp", "request_id": "01JZ6T9Q3X4Y5Z6A7B8C9D0E1F", "detail": {},
    });
    operation
        .named("listAuditEvents", OPERATOR, "Read the record of events")
        .text(
            "Oldest first. Ask again with `after` set to `next` until that is null. Events are kept for \
             `AUDIT_RETENTION_DAYS`, a year if that is not set.",
        )
        .in_query("client_id", false, plain(), "Only of this client.", json!("shop"))
        .in_query("user_id", false, plain(), "Only of this user.", json!("user123"))
        .in_query("event", false, plain(), "Only of this kind, e.g. `failed`.", json!("failed"))
        .in_query("after", false, whole(0, 0, LAST_ID), "Only events with a greater id.", json!(41))
        .in_query("limit", false, whole(1, 100, 1000), "At most this many.", json!(100))
        .answers::<AuditResponse>("Events", &[("Last page", json!({"events": [event], "next": null}))])
}
