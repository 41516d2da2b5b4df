//! `POST /mfa/generate`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{CODES, Operation};
use crate::domain::ids::{ClientId, UserId};
use crate::domain::scope::Scope;
use crate::error::{Error, ErrorCode};
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::post("/mfa/generate", Access::Client(Scope::Manage), generate, describe)]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GenerateRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
}

of_user!(GenerateRequest);

#[derive(Serialize, ToSchema)]
struct GenerateResponse {
    code: String,
    /// Seconds the code is good for.
    expires_in: u64,
}

async fn generate(request: Authorized<GenerateRequest>) -> Result<Json<GenerateResponse>, Error> {
    let generated = flows::generate(&request.asked).await?;
    Ok(Json(GenerateResponse {
        code: generated.code,
        expires_in: generated.expires_in,
    }))
}

fn describe(operation: Operation) -> Operation {
    operation
        .named("generateCode", CODES, "A code to hand over yourself")
        .text(
            "A one-time code for a channel of your own: print it, speak it, push it. Verifying it answers \
             `\"method\": \"generated\"`. It proves nothing about the user, so it resets no counter.",
        )
        .client_body::<GenerateRequest>(&[("User", json!({"user_id": "user123"}))])
        .answers::<GenerateResponse>(
            "The code",
            &[("Code", json!({"code": "042917", "expires_in": 300}))],
        )
        .fails_with([
            ErrorCode::MethodNotUsed,
            ErrorCode::UserNotFound,
            ErrorCode::MfaNotEnabled,
            ErrorCode::Locked,
            ErrorCode::RateLimited,
        ])
}
