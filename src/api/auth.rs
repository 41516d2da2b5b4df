//! Client authentication: /auth (RFC 6749 §4.4, and JSON) and /auth/revoke (RFC 7009, and JSON).

use std::collections::HashMap;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, PRAGMA};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};

use super::error::OAuthError;
use super::extract::{MediaType, Traced, media_type, parse_json};
use super::json::Json;
use super::users::Success;
use crate::domain::ids::ClientId;
use crate::error::Error;
use crate::flows::tokens;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct TokenRequest {
    client_id: String,
    client_secret: String,
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::json_grant_type))]
    grant_type: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct TokenResponse {
    access_token: String,
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::bearer))]
    token_type: &'static str,
    /// Seconds the token works.
    expires_in: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct RevokeRequest {
    access_token: String,
}

struct Credentials {
    id: String,
    secret: String,
    basic: bool,
}

pub(super) async fn issue(Traced(call): Traced, request: Request) -> Result<Response, OAuthError> {
    let (headers, body) = read(request).await?;
    let credentials = match media_type(&headers)? {
        MediaType::Json => json_credentials(&headers, &body)?,
        MediaType::Form => form_credentials(&headers, &body)?,
    };
    let refused = Error::InvalidClient {
        basic: credentials.basic,
    };
    // What cannot be a client's id is an unknown client like any other.
    let client = ClientId::try_from(credentials.id).map_err(|_| refused)?;
    call.trace.set_client(&client);
    let issued = tokens::issue(&call, &client, &credentials.secret, credentials.basic).await?;
    let body = TokenResponse {
        access_token: issued.access_token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
    };
    Ok(([(PRAGMA, HeaderValue::from_static("no-cache"))], Json(body)).into_response())
}

/// The token proves itself; one that proves nothing is answered like one that did (RFC 7009 §2.2).
pub(super) async fn revoke(
    Traced(call): Traced,
    request: Request,
) -> Result<Json<Success>, OAuthError> {
    let (headers, body) = read(request).await?;
    let token = match media_type(&headers)? {
        MediaType::Json => parse_json::<RevokeRequest>(&body)?.access_token,
        MediaType::Form => form(&body)?
            .remove("token")
            .ok_or_else(|| Error::invalid("token", "This field is missing"))?,
    };
    tokens::revoke(&call, &token).await?;
    Ok(Json(Success::new("Token revoked")))
}

async fn read(request: Request) -> Result<(HeaderMap, Bytes), Error> {
    let (parts, body) = request.into_parts();
    // Credentials in a URL end up in logs (RFC 6749 §2.3.1).
    if parts.uri.query().is_some_and(|query| !query.is_empty()) {
        return Err(Error::InvalidRequest {
            field: None,
            message: "Credentials are not accepted in the URL".to_owned(),
        });
    }
    let body = body.collect().await.map_err(Error::internal)?.to_bytes();
    Ok((parts.headers, body))
}

fn json_credentials(headers: &HeaderMap, body: &[u8]) -> Result<Credentials, Error> {
    let request: TokenRequest = parse_json(body)?;
    if headers.contains_key(AUTHORIZATION) {
        return Err(two_methods());
    }
    check_grant(Some(
        request
            .grant_type
            .as_deref()
            .unwrap_or("client_credentials"),
    ))?;
    Ok(Credentials {
        id: request.client_id,
        secret: request.client_secret,
        basic: false,
    })
}

fn form_credentials(headers: &HeaderMap, body: &[u8]) -> Result<Credentials, Error> {
    let mut fields = form(body)?;
    check_grant(fields.get("grant_type").map(String::as_str))?;
    if fields.contains_key("scope") {
        return Err(Error::InvalidScope);
    }
    let in_body = fields
        .remove("client_id")
        .zip(fields.remove("client_secret"));
    match (basic_credentials(headers)?, in_body) {
        (Some(_), Some(_)) => Err(two_methods()),
        (Some((id, secret)), None) => Ok(Credentials {
            id,
            secret,
            basic: true,
        }),
        (None, Some((id, secret))) => Ok(Credentials {
            id,
            secret,
            basic: false,
        }),
        (None, None) => Err(Error::InvalidClient { basic: false }),
    }
}

fn check_grant(grant_type: Option<&str>) -> Result<(), Error> {
    match grant_type {
        Some("client_credentials") => Ok(()),
        Some(_) => Err(Error::UnsupportedGrantType),
        None => Err(Error::invalid("grant_type", "This field is missing")),
    }
}

/// A repeated field is refused, an empty one counts as absent, unknown ones are ignored (RFC 6749 §3.2).
fn form(body: &[u8]) -> Result<HashMap<String, String>, Error> {
    if std::str::from_utf8(body).is_err() {
        return Err(Error::InvalidRequest {
            field: None,
            message: "The request body is not UTF-8".to_owned(),
        });
    }
    let mut fields = HashMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if fields
            .insert(name.to_string(), value.into_owned())
            .is_some()
        {
            return Err(Error::invalid(name, "This field is given twice"));
        }
    }
    fields.retain(|_, value| !value.is_empty());
    Ok(fields)
}

/// HTTP Basic, whose two parts are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic_credentials(headers: &HeaderMap) -> Result<Option<(String, String)>, Error> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let refused = || Error::InvalidClient { basic: true };
    let (scheme, text) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(refused());
    }
    let text = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(refused)?;
    let (id, secret) = text.split_once(':').ok_or_else(refused)?;
    Ok(Some((form_decoded(id), form_decoded(secret))))
}

fn form_decoded(text: &str) -> String {
    let spaces = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaces)
        .decode_utf8_lossy()
        .into_owned()
}

fn two_methods() -> Error {
    Error::InvalidRequest {
        field: None,
        message: "Use one way of client authentication, not two".to_owned(),
    }
}
