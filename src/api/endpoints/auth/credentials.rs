//! How a client says who it is: in JSON, in a form, or by HTTP Basic; in one way only.

use std::collections::HashMap;

use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;

use super::TokenRequest;
use crate::api::error::OAuthError;
use crate::api::extract::parse_json;
use crate::error::Error;

pub(super) struct Credentials {
    pub id: String,
    pub secret: String,
    /// Whether they came by HTTP Basic.
    pub basic: bool,
}

pub(super) async fn read(request: Request) -> Result<(HeaderMap, Bytes), Error> {
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

impl Credentials {
    pub(super) fn of_json(headers: &HeaderMap, body: &[u8]) -> Result<Self, Error> {
        let request: TokenRequest = parse_json(body)?;
        if headers.contains_key(AUTHORIZATION) {
            return Err(two_methods());
        }
        let grant_type = request.grant_type.as_deref();
        check_grant(Some(grant_type.unwrap_or("client_credentials")))?;
        Ok(Self {
            id: request.client_id,
            secret: request.client_secret,
            basic: false,
        })
    }

    pub(super) fn of_form(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        let mut fields = form(body)?;
        check_grant(fields.get("grant_type").map(String::as_str))?;
        if fields.contains_key("scope") {
            return Err(Error::InvalidScope.into());
        }
        let in_body = fields
            .remove("client_id")
            .zip(fields.remove("client_secret"));
        let (id, secret, basic) = match (basic_credentials(headers)?, in_body) {
            (Some(_), Some(_)) => return Err(two_methods().into()),
            (Some((id, secret)), None) => (id, secret, true),
            (None, Some((id, secret))) => (id, secret, false),
            (None, None) => return Err(Error::InvalidClient.into()),
        };
        Ok(Self { id, secret, basic })
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
pub(super) fn form(body: &[u8]) -> Result<HashMap<String, String>, Error> {
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
fn basic_credentials(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let refused = || OAuthError::new(Error::InvalidClient, true);
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
