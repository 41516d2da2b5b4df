//! What concerns a user as a whole: status, contact, turning MFA off, deleting.

use axum::extract::Request;
use http::StatusCode;
use http_body_util::BodyExt;
use serde::{Deserialize, Deserializer, Serialize};

use super::extract::{Authorized, PathText, Traced, authenticate, for_client, from_json};
use super::json::Json;
use crate::domain::account::State;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::Method;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::contact::{Edit, change_contact};
use crate::flows::{self, disable as off};

/// It was done, and there is nothing more to say.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct Success {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::success))]
    status: &'static str,
    message: &'static str,
}

impl Success {
    pub(super) fn new(message: &'static str) -> Self {
        Self {
            status: "success",
            message,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct StatusResponse {
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

pub(super) async fn status(
    request: Authorized<StatusRequest>,
) -> Result<Json<StatusResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let status = flows::status::status(&call, &caller, &body.user_id).await?;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct ContactRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    #[serde(default = "keep", deserialize_with = "edit")]
    #[cfg_attr(not(target_arch = "wasm32"), schema(value_type = Option<Email>))]
    email: Edit<Email>,
    #[serde(default = "keep", deserialize_with = "edit")]
    #[cfg_attr(not(target_arch = "wasm32"), schema(value_type = Option<Phone>))]
    phone: Edit<Phone>,
    code: Option<GuessedCode>,
}

fn keep<T>() -> Edit<T> {
    Edit::Keep
}

/// Present is a new value, or with `null` none.
fn edit<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Edit<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map_or(Edit::Remove, Edit::Set))
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct ContactResponse {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::success))]
    status: &'static str,
    email: Option<String>,
    phone: Option<String>,
}

pub(super) async fn contact(
    request: Authorized<ContactRequest>,
) -> Result<Json<ContactResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let contact = change_contact(
        &call,
        &caller,
        &body.user_id,
        &body.phone,
        &body.email,
        body.code.as_ref(),
    )
    .await?;
    Ok(Json(ContactResponse {
        status: "success",
        email: contact.email,
        phone: contact.phone,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct DisableRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    code: Option<GuessedCode>,
}

pub(super) async fn disable(request: Authorized<DisableRequest>) -> Result<Json<Success>, Error> {
    let Authorized { call, caller, body } = request;
    off::disable(&call, &caller, &body.user_id, body.code.as_ref()).await?;
    Ok(Json(Success::new("MFA disabled for user")))
}

/// Deletes need no body; one is read for the proof a client's policy may ask for.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = DeleteUserRequest))]
pub(super) struct DeleteRequest {
    code: Option<GuessedCode>,
}

pub(super) async fn delete(
    Traced(call): Traced,
    PathText(user_id): PathText,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let caller = authenticate(&call, &parts.headers)?;
    let user =
        UserId::try_from(user_id).map_err(|error| Error::invalid("user_id", error.to_string()))?;
    let bytes = body.collect().await.map_err(Error::internal)?.to_bytes();
    let body = if bytes.is_empty() {
        DeleteRequest::default()
    } else {
        from_json(&parts.headers, &bytes)?
    };
    off::delete(&call, &caller, &user, body.code.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

for_client!(StatusRequest, ContactRequest, DisableRequest);
