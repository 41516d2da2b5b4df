//! `POST /mfa/recovery-codes`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::evidence::{UsedCredential, evidence};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{CODES, Operation};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::ids::{ChallengeId, ClientId, UserId};
use crate::domain::scope::Scope;
use crate::error::{Error, ErrorCode};
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::post("/mfa/recovery-codes", Access::Client(Scope::Enrol), recovery_codes, describe)]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecoveryCodesRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    code: Option<GuessedCode>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
}

of_user!(RecoveryCodesRequest);

#[derive(Serialize, ToSchema)]
struct RecoveryCodesResponse {
    recovery_codes: Vec<String>,
    remaining: usize,
}

async fn recovery_codes(
    request: Authorized<RecoveryCodesRequest>,
) -> Result<Json<RecoveryCodesResponse>, Error> {
    let Authorized { asked, body } = request;
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    let codes = flows::replace_recovery_codes(&asked, proof.as_ref()).await?;
    let recovery_codes: Vec<String> = codes.iter().map(RecoveryCode::display).collect();
    Ok(Json(RecoveryCodesResponse {
        remaining: recovery_codes.len(),
        recovery_codes,
    }))
}

fn describe(operation: Operation) -> Operation {
    let codes = [
        "7QDP-9T2M-K4XW-3HVN-8RCE-5ZJA",
        "B6YG-1FQS-0NTD-M8K3-XW7P-4CVH",
    ];
    operation
        .named("createRecoveryCodes", CODES, "New recovery codes")
        .text(
            "Ten codes for the user to keep, each good once. Only this answer shows them, and the former set \
             is dead. The first set needs no fresh code within 10 minutes of the enrolment.",
        )
        .client_body::<RecoveryCodesRequest>(&[("User", json!({"user_id": "user123"}))])
        .answers::<RecoveryCodesResponse>(
            "The codes",
            &[("Codes", json!({"recovery_codes": codes, "remaining": 10}))],
        )
        .steps_up()
        .fails_with([ErrorCode::MethodNotUsed])
}
