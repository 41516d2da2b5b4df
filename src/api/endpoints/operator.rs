//! `POST /admin/unlock` and `GET /admin/key-ring`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answers::Success;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{ApiJson, Operator};
use crate::api::json::Json;
use crate::api::openapi::operation::{JSON, OPERATOR, Operation};
use crate::domain::ids::{ClientId, Owner, UserId};
use crate::error::{Error, ErrorCode};
use crate::flows::Asked;
use crate::flows::{admin, key_ring as ring};

pub(super) fn endpoints() -> [Endpoint; 2] {
    let access = Access::Operator;
    [
        Endpoint::post("/admin/unlock", access, unlock, describe_unlock),
        Endpoint::get("/admin/key-ring", access, key_ring, describe_key_ring),
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

/// A key of the ring, or one that is not in it any more.
#[derive(Serialize, ToSchema)]
#[schema(as = RingKey)]
struct KeyResponse {
    id: String,
    #[schema(inline)]
    role: Role,
    /// Users whose values it sealed.
    accounts: u64,
}

/// `current` seals what is stored. `former` still opens. What `missing` sealed is lost to this service: it is not in the ring.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Role {
    Current,
    Former,
    Missing,
}

#[derive(Serialize, ToSchema)]
#[schema(as = KeyRing)]
struct KeyRingResponse {
    keys: Vec<KeyResponse>,
    accounts: u64,
    /// Of these, how many are sealed with the current key. A former key may leave the ring when it is all of them.
    current: u64,
}

async fn key_ring(Operator(call): Operator) -> Result<Json<KeyRingResponse>, Error> {
    let keys = ring::accounts_by_key(&call).await?;
    let of = |key: &ring::Key| KeyResponse {
        id: key.id.clone(),
        role: match key.role {
            ring::Role::Current => Role::Current,
            ring::Role::Former => Role::Former,
            ring::Role::Missing => Role::Missing,
        },
        accounts: key.accounts,
    };
    let current = keys.iter().filter(|key| key.role == ring::Role::Current);
    Ok(Json(KeyRingResponse {
        current: current.map(|key| key.accounts).sum(),
        accounts: keys.iter().map(|key| key.accounts).sum(),
        keys: keys.iter().map(of).collect(),
    }))
}

fn describe_key_ring(operation: Operation) -> Operation {
    let key = |id: &str, role: &str, accounts: u64| json!({"id": id, "role": role, "accounts": accounts});
    operation
        .named("getKeyRing", OPERATOR, "Show how far a rotation of keys is")
        .text(
            "Every key of `MASTER_KEYS` with the number of users it sealed, and those that sealed something and are not \
             there. The scheduled job seals anew what is not the current key's. It counts all users: ask for it now and \
             then, not every minute.",
        )
        .answers::<KeyRingResponse>(
            "The keys",
            &[(
                "A rotation under way",
                json!({"keys": [key("k2", "current", 600), key("k1", "former", 400)], "accounts": 1000, "current": 600}),
            )],
        )
}
