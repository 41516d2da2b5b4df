//! `POST /mfa/verify`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answers::Succeeded;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{CODES, Operation};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::Method;
use crate::domain::scope::Scope;
use crate::error::{Error, ErrorCode};
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::post("/mfa/verify", Access::Client(Scope::Verify), verify, describe)]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    code: GuessedCode,
    /// Accept only this; anything the client may use if it is missing.
    method: Option<WantedMethod>,
}

of_user!(VerifyRequest);

/// The methods a request may insist on.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VerifyMethod)]
enum WantedMethod {
    Totp,
    Sms,
    Email,
    Generated,
    RecoveryCode,
}

impl From<WantedMethod> for Method {
    fn from(wanted: WantedMethod) -> Self {
        match wanted {
            WantedMethod::Totp => Self::Totp,
            WantedMethod::Sms => Self::Sms,
            WantedMethod::Email => Self::Email,
            WantedMethod::Generated => Self::Generated,
            WantedMethod::RecoveryCode => Self::RecoveryCode,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct VerifyResponse {
    #[schema(inline)]
    status: Succeeded,
    message: &'static str,
    method: Method,
}

async fn verify(request: Authorized<VerifyRequest>) -> Result<Json<VerifyResponse>, Error> {
    let Authorized { asked, body } = request;
    let only = body.method.map(Method::from);
    let verified = flows::verify(&asked, &body.code, only).await?;
    Ok(Json(VerifyResponse {
        status: Succeeded::Success,
        message: "Code verified successfully",
        method: verified.method,
    }))
}

fn describe(operation: Operation) -> Operation {
    let good = |method: &str| json!({"status": "success", "message": "Code verified successfully", "method": method});
    operation
        .named("verify", CODES, "Verify a code")
        .text(
            "Is this code good? Send whatever the user typed: a code of the authenticator, one that \
             was sent, or a recovery code. Every good code works once. `method` in the answer says \
             what kind it was; send `method` yourself to accept only that kind. The first code \
             also completes an enrolment.\n\n\
             The fifth wrong code in a row locks for a minute, and each further one for twice as long. \
             Codes of the app, codes that were sent and recovery codes are counted and locked apart; 50 \
             wrong ones of a kind within 24 hours lock that kind until fewer lie within 24 hours.",
        )
        .client_body::<VerifyRequest>(&[
            ("Any method", json!({"user_id": "user123", "code": "123456"})),
            ("Only the authenticator", json!({"user_id": "user123", "client_id": "app123", "code": "123456", "method": "totp"})),
            ("Recovery code", json!({"user_id": "user123", "code": "7QDP-9T2M-K4XW-3HVN-8RCE-5ZJA"})),
        ])
        .answers::<VerifyResponse>(
            "The code is good",
            &[
                ("By the authenticator", good("totp")),
                ("By a recovery message", good("recovery")),
            ],
        )
        .judges()
        .fails_with([
            ErrorCode::MethodNotUsed,
            ErrorCode::UserNotFound,
            ErrorCode::MfaNotEnabled,
            ErrorCode::RateLimited,
        ])
}
