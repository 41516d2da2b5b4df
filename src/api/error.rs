//! Errors as the caller sees them: one status, one code and one body each.

use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answers::Failed;
use super::extract::Traced;
use super::json::Json;
use super::openapi::schemas::one_of;
use crate::domain::fields::Fields;
use crate::domain::webauthn::Refusal;
use crate::error::{Error, ErrorCode, TokenProblem};

/// The one shape of every error.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct Body {
    #[schema(inline)]
    status: Failed,
    #[schema(inline)]
    pub error: ErrorCode,
    /// What went wrong and what to do, for people who read logs. The wording may change.
    message: String,
    /// The field that is wrong, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<String>,
    // Described by its own schema: beside a comment here it would be an object to the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, inline)]
    reason: Option<Reason>,
    /// Wrong codes left before the lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    attempts_remaining: Option<u32>,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u64>,
    /// `message` once more, where RFC 6749 wants it: at /auth.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error_description: Option<String>,
    /// The section of the guide about this error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    documentation_url: Option<String>,
}

/// Why a ceremony with a passkey failed.
#[derive(Debug, Clone, Copy)]
struct Reason(Refusal);

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.reason())
    }
}

impl PartialSchema for Reason {
    fn schema() -> RefOr<Schema> {
        one_of(
            "What is wrong with a passkey's answer.",
            Refusal::ALL.map(|refusal| refusal.reason().into()),
        )
        .into()
    }
}

impl ToSchema for Reason {}

/// A failed request on its way out, carried in its response: what the answer says, and the log.
#[derive(Clone)]
pub(super) struct Failure {
    pub body: Body,
    pub cause: Option<String>,
    /// What the hosted page is told beside it.
    pub more: Fields,
}

impl Failure {
    /// The body's text. `origin` is where this service and its guides are; without a configuration nobody knows.
    pub(super) fn render(mut self, origin: Option<&str>) -> Response {
        let code = self.body.error;
        self.body.documentation_url = origin.map(|origin| documentation_url(origin, code));
        if self.more.is_empty() {
            return Json(self.body).into_response();
        }
        let Ok(Value::Object(mut fields)) = serde_json::to_value(self.body) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        fields.extend(self.more);
        Json(fields).into_response()
    }
}

pub(super) fn documentation_url(origin: &str, code: ErrorCode) -> String {
    format!("{origin}/docs/errors#{}", code.name())
}

pub(super) fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        respond(&self, body(&self), headers(&self))
    }
}

/// An error of /auth, which RFC 6749 §5.2 gives an `error_description` beside its code.
pub(super) struct OAuthError {
    error: Error,
    /// Whether HTTP Basic was tried, so that the answer asks for it again.
    basic: bool,
}

impl OAuthError {
    pub(super) fn new(error: Error, basic: bool) -> Self {
        Self { error, basic }
    }
}

impl<E: Into<Error>> From<E> for OAuthError {
    fn from(error: E) -> Self {
        Self::new(error.into(), false)
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        const BASIC: HeaderValue =
            HeaderValue::from_static(r#"Basic realm="candado", charset="UTF-8""#);
        let Self { error, basic } = self;
        let (mut body, mut headers) = (body(&error), headers(&error));
        body.error_description = Some(error.to_string());
        if basic && matches!(error, Error::InvalidClient) {
            headers.insert(WWW_AUTHENTICATE, BASIC);
        }
        respond(&error, body, headers)
    }
}

pub(super) fn body(error: &Error) -> Body {
    let (field, attempts_remaining) = match error {
        Error::InvalidRequest { field, .. } => (field.clone(), None),
        Error::InvalidCode {
            attempts_remaining, ..
        } => (None, *attempts_remaining),
        _ => (None, None),
    };
    let reason = match error {
        Error::InvalidCredential(refusal) => Some(Reason(*refusal)),
        _ => None,
    };
    Body {
        status: Failed::Failure,
        error: error.code(),
        message: error.to_string(),
        field,
        reason,
        attempts_remaining,
        retry_after: error.retry_after(),
        error_description: None,
        documentation_url: None,
    }
}

/// Status and headers; `serve` adds the body, since that names where the guides are.
fn respond(error: &Error, body: Body, headers: HeaderMap) -> Response {
    let mut response = (status(error), headers).into_response();
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let failure = Failure {
        body,
        cause,
        more: Fields::new(),
    };
    response.extensions_mut().insert(failure);
    response
}

pub(super) fn headers(error: &Error) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let challenge = match error {
        Error::InvalidClient | Error::InvalidToken(TokenProblem::Missing) => {
            Some(r#"Bearer realm="candado""#)
        }
        Error::InvalidToken(_) => Some(r#"Bearer realm="candado", error="invalid_token""#),
        _ => None,
    };
    if let Some(challenge) = challenge {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    // RFC 6750 §3.1.
    if let Error::InsufficientScope(scope) = error {
        let scope = scope.name();
        let challenge =
            format!(r#"Bearer realm="candado", error="insufficient_scope", scope="{scope}""#);
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
    }
    if let Some(seconds) = error.retry_after() {
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
