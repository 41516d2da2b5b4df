//! Errors as the caller sees them: one status, one code and one body each.

use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::extract::Traced;
use super::json::Json;
use crate::error::{Error, TokenProblem};

/// The one shape of every error.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = Error))]
pub(super) struct Body {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::failure))]
    status: &'static str,
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::error_code))]
    pub error: &'static str,
    /// What went wrong and what to do, for people who read logs. The wording may change.
    message: String,
    /// The field that is wrong, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schema(nullable = false))]
    field: Option<String>,
    /// Wrong codes left before the lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schema(nullable = false))]
    attempts_remaining: Option<u32>,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schema(nullable = false))]
    retry_after: Option<u64>,
    /// `message` once more, where RFC 6749 wants it: at /auth.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schema(nullable = false))]
    error_description: Option<String>,
    /// The section of the guide about this error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schema(nullable = false))]
    documentation_url: Option<String>,
}

/// A failed request on its way out, carried in its response: what the answer says, and the log.
#[derive(Clone)]
pub(super) struct Failure {
    pub body: Body,
    pub cause: Option<String>,
}

impl Failure {
    /// The body's text. `origin` is where this service and its guides are; without a configuration nobody knows.
    pub(super) fn render(mut self, origin: Option<&str>) -> Response {
        let code = self.body.error;
        self.body.documentation_url = origin.map(|origin| documentation_url(origin, code));
        Json(self.body).into_response()
    }
}

pub(super) fn documentation_url(origin: &str, code: &str) -> String {
    format!("{origin}/docs/errors#{code}")
}

pub fn status(error: &Error) -> StatusCode {
    match error {
        Error::InvalidRequest { .. }
        | Error::InvalidCode { .. }
        | Error::CodeAlreadyUsed { .. }
        | Error::UnsupportedGrantType
        | Error::InvalidScope => StatusCode::BAD_REQUEST,
        Error::InvalidClient { .. } | Error::InvalidToken(_) => StatusCode::UNAUTHORIZED,
        Error::HttpsRequired
        | Error::ClientMismatch
        | Error::FactorDisabled
        | Error::DestinationDisabled(_)
        | Error::MethodNotUsed(_)
        | Error::AccountLimitReached { .. }
        | Error::StepUpRequired => StatusCode::FORBIDDEN,
        Error::UserNotFound | Error::NotFound => StatusCode::NOT_FOUND,
        Error::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Error::AlreadyRegistered
        | Error::ClientExists(_)
        | Error::ClientBeingDeleted(_)
        | Error::MfaNotEnabled => StatusCode::CONFLICT,
        Error::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::DestinationMissing(_) | Error::DestinationNotAllowed(_) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Error::Locked { .. } | Error::SendLimited { .. } | Error::RateLimited { .. } => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Error::DeliveryFailed => StatusCode::BAD_GATEWAY,
        Error::DeliveryUnavailable { .. }
        | Error::ChannelNotConfigured(_)
        | Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The stable name programs rely on.
pub fn code(error: &Error) -> &'static str {
    match error {
        Error::InvalidRequest { .. } => "invalid_request",
        Error::InvalidCode { .. } => "invalid_code",
        Error::CodeAlreadyUsed { .. } => "code_already_used",
        Error::UnsupportedGrantType => "unsupported_grant_type",
        Error::InvalidScope => "invalid_scope",
        Error::InvalidClient { .. } => "invalid_client",
        Error::InvalidToken(_) => "invalid_token",
        Error::HttpsRequired => "https_required",
        Error::ClientMismatch => "client_mismatch",
        Error::FactorDisabled | Error::DestinationDisabled(_) => "factor_disabled",
        Error::StepUpRequired => "step_up_required",
        Error::UserNotFound => "user_not_found",
        Error::NotFound => "not_found",
        Error::MethodNotAllowed | Error::MethodNotUsed(_) => "method_not_allowed",
        Error::AccountLimitReached { .. } => "account_limit_reached",
        Error::PayloadTooLarge => "payload_too_large",
        Error::UnsupportedMediaType => "unsupported_media_type",
        Error::AlreadyRegistered => "already_registered",
        Error::ClientExists(_) | Error::ClientBeingDeleted(_) => "client_exists",
        Error::MfaNotEnabled => "mfa_not_enabled",
        Error::DestinationMissing(_) => "destination_missing",
        Error::DestinationNotAllowed(_) => "destination_not_allowed",
        Error::Locked { .. } => "locked",
        Error::SendLimited { .. } => "send_limited",
        Error::RateLimited { .. } => "rate_limited",
        Error::DeliveryFailed => "delivery_failed",
        Error::DeliveryUnavailable { .. } => "delivery_unavailable",
        Error::ChannelNotConfigured(_) => "channel_not_configured",
        Error::Unavailable(_) => "unavailable",
        Error::Internal(_) => "internal",
    }
}

/// Seconds to wait, where the error has an end.
fn retry_after(error: &Error) -> Option<u64> {
    match error {
        Error::Locked { retry_after }
        | Error::SendLimited { retry_after }
        | Error::RateLimited { retry_after }
        | Error::DeliveryUnavailable { retry_after } => Some(*retry_after),
        Error::InvalidCode { retry_after, .. } | Error::CodeAlreadyUsed { retry_after } => {
            *retry_after
        }
        Error::Unavailable(_) => Some(5),
        _ => None,
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        respond(&self, None)
    }
}

/// An error of /auth, which RFC 6749 §5.2 gives an `error_description` beside its code.
pub(super) struct OAuthError(pub Error);

impl<E: Into<Error>> From<E> for OAuthError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        respond(&self.0, Some(self.0.to_string()))
    }
}

pub(super) fn body(error: &Error, error_description: Option<String>) -> Body {
    let (field, attempts_remaining) = match error {
        Error::InvalidRequest { field, .. } => (field.clone(), None),
        Error::InvalidCode {
            attempts_remaining, ..
        } => (None, *attempts_remaining),
        _ => (None, None),
    };
    Body {
        status: "failure",
        error: code(error),
        message: error.to_string(),
        field,
        attempts_remaining,
        retry_after: retry_after(error),
        error_description,
        documentation_url: None,
    }
}

/// Status and headers; `serve` adds the body, since that names where the guides are.
fn respond(error: &Error, error_description: Option<String>) -> Response {
    let mut response = (status(error), headers(error)).into_response();
    let cause = std::error::Error::source(error).map(ToString::to_string);
    response.extensions_mut().insert(Failure {
        body: body(error, error_description),
        cause,
    });
    response
}

pub(super) fn headers(error: &Error) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let challenge = match error {
        Error::InvalidClient { basic: true } => Some(r#"Basic realm="candado", charset="UTF-8""#),
        Error::InvalidClient { basic: false } | Error::InvalidToken(TokenProblem::Missing) => {
            Some(r#"Bearer realm="candado""#)
        }
        Error::InvalidToken(_) => Some(r#"Bearer realm="candado", error="invalid_token""#),
        _ => None,
    };
    if let Some(challenge) = challenge {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = retry_after(error) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    headers
}

pub(super) async fn not_found(_: Traced) -> Error {
    Error::NotFound
}

pub(super) async fn method_not_allowed(_: Traced) -> Error {
    Error::MethodNotAllowed
}
