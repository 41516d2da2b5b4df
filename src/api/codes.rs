//! Codes: verifying one, and every way to get one.

use serde::{Deserialize, Serialize};

use super::extract::{Authorized, for_client};
use super::json::Json;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::recovery_code::RecoveryCode;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::{Channel, Method, Purpose};
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::flows::{self, recovery_codes as sets, send};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct VerifyRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    code: GuessedCode,
    /// Accept only this; anything the client may use if it is missing.
    method: Option<WantedMethod>,
}

/// The methods a request may insist on.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = VerifyMethod))]
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

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct VerifyResponse {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::success))]
    status: &'static str,
    message: &'static str,
    method: Method,
}

pub(super) async fn verify(
    request: Authorized<VerifyRequest>,
) -> Result<Json<VerifyResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let only = body.method.map(Method::from);
    let verified = flows::verify::verify(&call, &caller, &body.user_id, &body.code, only).await?;
    Ok(Json(VerifyResponse {
        status: "success",
        message: "Code verified successfully",
        method: verified.method,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct GenerateRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct GenerateResponse {
    code: String,
    /// Seconds the code is good for.
    expires_in: u64,
}

pub(super) async fn generate(
    request: Authorized<GenerateRequest>,
) -> Result<Json<GenerateResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let generated = send::generate(&call, &caller, &body.user_id).await?;
    Ok(Json(GenerateResponse {
        code: generated.code,
        expires_in: generated.expires_in,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct SendRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// The client's language if it is missing.
    locale: Option<Locale>,
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct SendResponse {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::success))]
    status: &'static str,
    message: &'static str,
    /// Seconds the code is good for.
    expires_in: u64,
    /// Where it went, masked: safe to show.
    destination: String,
}

pub(super) async fn sms(request: Authorized<SendRequest>) -> Result<Json<SendResponse>, Error> {
    deliver(request, Channel::Sms, "Code sent by SMS").await
}

pub(super) async fn email(request: Authorized<SendRequest>) -> Result<Json<SendResponse>, Error> {
    deliver(request, Channel::Email, "Code sent by email").await
}

async fn deliver(
    request: Authorized<SendRequest>,
    channel: Channel,
    message: &'static str,
) -> Result<Json<SendResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let sent = send::send(
        &call,
        &caller,
        &body.user_id,
        channel,
        Purpose::Verify,
        body.locale,
    )
    .await?;
    Ok(Json(SendResponse {
        status: "success",
        message,
        expires_in: sent.expires_in,
        destination: sent.destination,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct RecoveryRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    recovery_method: RecoveryChannel,
    /// The client's language if it is missing.
    locale: Option<Locale>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
enum RecoveryChannel {
    Sms,
    Email,
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct RecoveryResponse {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::success))]
    status: &'static str,
    message: &'static str,
    /// Seconds the code is good for.
    expires_in: u64,
}

pub(super) async fn recovery(
    request: Authorized<RecoveryRequest>,
) -> Result<Json<RecoveryResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let channel = match body.recovery_method {
        RecoveryChannel::Sms => Channel::Sms,
        RecoveryChannel::Email => Channel::Email,
    };
    let sent = send::send(
        &call,
        &caller,
        &body.user_id,
        channel,
        Purpose::Recovery,
        body.locale,
    )
    .await?;
    Ok(Json(RecoveryResponse {
        status: "success",
        message: "Recovery code sent to user",
        expires_in: sent.expires_in,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct RecoveryCodesRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    code: Option<GuessedCode>,
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct RecoveryCodesResponse {
    recovery_codes: Vec<String>,
    remaining: usize,
}

pub(super) async fn recovery_codes(
    request: Authorized<RecoveryCodesRequest>,
) -> Result<Json<RecoveryCodesResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let codes = sets::replace(&call, &caller, &body.user_id, body.code.as_ref()).await?;
    let recovery_codes: Vec<String> = codes.iter().map(RecoveryCode::display).collect();
    Ok(Json(RecoveryCodesResponse {
        remaining: recovery_codes.len(),
        recovery_codes,
    }))
}

for_client!(
    VerifyRequest,
    GenerateRequest,
    SendRequest,
    RecoveryRequest,
    RecoveryCodesRequest
);
