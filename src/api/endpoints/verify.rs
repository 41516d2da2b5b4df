//! `POST /mfa/verify`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::passkeys::credential;
use crate::api::answers::Succeeded;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::evidence::{UsedCredential, evidence};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{CODES, Operation};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::{ChallengeId, ClientId, UserId};
use crate::domain::method::Method;
use crate::domain::scope::Scope;
use crate::domain::session::Nonce;
use crate::error::{Error, ErrorCode};
use crate::flows::{self, Evidence};

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::post("/mfa/verify", Access::Client(Scope::Verify), verify, describe)]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// What the user typed; or else the next two.
    code: Option<GuessedCode>,
    /// Of POST /mfa/passkeys/challenge.
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
    /// Accept only this code; anything the client may use if it is missing.
    method: Option<WantedMethod>,
    /// Whether to remember the browser, for the client's `remember_days`.
    #[serde(default)]
    remember: bool,
    /// Whether a success is to be told in a token that others can verify, too.
    #[serde(default)]
    result_token: bool,
    /// Repeated in the token.
    nonce: Option<Nonce>,
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
    /// Of a passkey: whether its authenticator checked who used it, by a finger, a face or a PIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_verified: Option<bool>,
    /// For a cookie of the user's browser, where it is remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trusted_device: Option<String>,
    /// Says the same to whoever verifies it with the keys of /.well-known/jwks.json. Only if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    result_token: Option<String>,
}

async fn verify(request: Authorized<VerifyRequest>) -> Result<Json<VerifyResponse>, Error> {
    let Authorized { asked, body } = request;
    if body.nonce.is_some() && !body.result_token {
        let message = "Only together with \"result_token\": true, the token it is repeated in";
        return Err(Error::invalid("nonce", message));
    }
    let only = body.method.map(Method::from);
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    let proof = proof.ok_or_else(|| Error::invalid("code", "This field is missing"))?;
    if only.is_some() && matches!(proof, Evidence::Passkey(_)) {
        return Err(Error::invalid("method", "Only together with code"));
    }
    let login = flows::verify(&asked, &proof, only, body.remember).await?;
    let verified = login.verified;
    let result_token = if body.result_token {
        let (nonce, now) = (body.nonce.as_ref(), asked.call.real_now());
        Some(flows::result_token(&asked, verified, now, nonce).await?)
    } else {
        None
    };
    Ok(Json(VerifyResponse {
        status: Succeeded::Success,
        message: "Code verified successfully",
        method: verified.method,
        user_verified: verified.user_verified,
        trusted_device: login.trusted_device.map(|device| device.value),
        result_token,
    }))
}

fn describe(operation: Operation) -> Operation {
    let good = |method: &str| json!({"status": "success", "message": "Code verified successfully", "method": method});
    let by_passkey = json!({"status": "success", "message": "Code verified successfully", "method": "passkey", "user_verified": true});
    operation
        .named("verify", CODES, "Verify a code")
        .text(
            "Is this code good? Send whatever the user typed: a code of the authenticator, one that \
             was sent, or a recovery code. Every good code works once. `method` in the answer says \
             what kind it was; send `method` yourself to accept only that kind. The first code \
             also completes an enrolment.\n\n\
             For a passkey send `challenge_id` and `credential` instead: what POST /mfa/passkeys/challenge \
             gave, and what the browser made of it. A challenge serves one attempt. What is wrong with a \
             passkey's answer is counted nowhere.\n\n\
             With `remember` the answer has a `trusted_device` for a cookie, if the client's setting \
             `remember_days` is not 0 and the user proved themselves by app, passkey or SMS.\n\n\
             The fifth wrong code in a row locks for a minute, and each further one for twice as long. \
             Codes of the app, codes that were sent and recovery codes are counted and locked apart; 50 \
             wrong ones of a kind within 24 hours lock that kind until fewer lie within 24 hours.\n\n\
             With `\"result_token\": true` a success also has a `result_token`: a JWS by ES256, valid for five \
             minutes, that another service of yours can verify by itself \
             ([guide](/docs/trust-a-result)).",
        )
        .client_body::<VerifyRequest>(&[
            ("Any method", json!({"user_id": "user123", "code": "123456"})),
            ("Only the authenticator", json!({"user_id": "user123", "client_id": "app123", "code": "123456", "method": "totp"})),
            ("Passkey", json!({"user_id": "user123", "challenge_id": "7c9e6679742540de944be07fc1f90ae7", "credential": credential("authenticatorData")})),
            ("With a token for others", json!({"user_id": "user123", "code": "123456", "result_token": true, "nonce": "n-0S6_WzA2Mj"})),
            ("Recovery code", json!({"user_id": "user123", "code": "7QDP-9T2M-K4XW-3HVN-8RCE-5ZJA"})),
        ])
        .answers::<VerifyResponse>(
            "The code is good",
            &[
                ("By the authenticator", good("totp")),
                ("By a passkey", by_passkey),
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
