//! `GET /mfa/status`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{Operation, USERS};
use crate::api::openapi::schemas::reference;
use crate::domain::account::State;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::Method;
use crate::domain::scope::Scope;
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::get("/mfa/status", Access::Client(Scope::Read), status, describe)]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
}

of_user!(StatusRequest);

#[derive(Serialize, ToSchema)]
struct StatusResponse {
    mfa_enabled: bool,
    state: State,
    /// What the user can log in with now, recovery aside.
    methods: Vec<Method>,
    recovery_codes_remaining: usize,
    /// Until when codes are refused without being looked at; null if they are not.
    locked_until: Option<UnixTime>,
    created_at: Option<UnixTime>,
    last_verified_at: Option<UnixTime>,
}

async fn status(request: Authorized<StatusRequest>) -> Result<Json<StatusResponse>, Error> {
    let status = flows::status(&request.asked).await?;
    Ok(Json(StatusResponse {
        mfa_enabled: status.mfa_enabled,
        state: status.state,
        methods: status.methods,
        recovery_codes_remaining: status.recovery_codes_remaining,
        locked_until: status.locked_until,
        created_at: status.created_at,
        last_verified_at: status.last_verified_at,
    }))
}

fn describe(operation: Operation) -> Operation {
    let status = |state: &str, methods: &[&str], codes: u32, created_at: Value| {
        json!({
            "mfa_enabled": state == "active",
            "state": state,
            "methods": methods,
            "recovery_codes_remaining": codes,
            "locked_until": null,
            "created_at": created_at,
            "last_verified_at": created_at,
        })
    };
    operation
        .named("getStatus", USERS, "What a user has set up")
        .text(
            "Ask before a login whether a second factor is needed, and which. An unknown user has \
             `\"state\": \"none\"`. The two fields may also come as a JSON body.",
        )
        .in_query("user_id", true, reference::<UserId>(), "", json!("user123"))
        .in_query("client_id", false, reference::<ClientId>(), "", json!("app123"))
        .answers::<StatusResponse>(
            "The state",
            &[
                ("MFA is on", status("active", &["totp", "sms"], 10, json!(1_760_000_000))),
                ("Unknown user", status("none", &[], 0, Value::Null)),
            ],
        )
        .fails_with([
            ErrorCode::ClientMismatch,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
        ])
}
