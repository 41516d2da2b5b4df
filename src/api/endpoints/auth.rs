//! `POST /auth` (RFC 6749 §4.4, and JSON) and `POST /auth/revoke` (RFC 7009, and JSON).

mod credentials;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::PRAGMA;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{RefOr, Schema};

use self::credentials::{Credentials, form, read};
use crate::api::answers::Success;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::error::OAuthError;
use crate::api::extract::{MediaType, Traced, media_type, parse_json};
use crate::api::json::Json;
use crate::api::openapi::operation::{CLIENT_SECRET, CLIENTS, FORM, JSON, Operation};
use crate::api::openapi::schemas::{json_grant_type, one_of, plain};
use crate::domain::ids::ClientId;
use crate::error::{Error, ErrorCode};
use crate::flows::tokens;

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::post("/auth", Access::Anyone, issue, describe_issue),
        Endpoint::post("/auth/revoke", Access::Anyone, revoke, describe_revoke),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    client_id: String,
    client_secret: String,
    #[schema(schema_with = json_grant_type)]
    grant_type: Option<String>,
}

#[derive(Serialize, ToSchema)]
enum TokenType {
    Bearer,
}

#[derive(Serialize, ToSchema)]
struct TokenResponse {
    access_token: String,
    #[schema(inline)]
    token_type: TokenType,
    /// Seconds the token works.
    expires_in: u64,
}

async fn issue(Traced(call): Traced, request: Request) -> Result<Response, OAuthError> {
    let (headers, body) = read(request).await?;
    let Credentials { id, secret, basic } = match media_type(&headers)? {
        MediaType::Json => Credentials::of_json(&headers, &body)?,
        MediaType::Form => Credentials::of_form(&headers, &body)?,
    };
    let refused = |error| OAuthError::new(error, basic);
    // What cannot be a client's id is an unknown client like any other.
    let client = ClientId::try_from(id).map_err(|_| refused(Error::InvalidClient))?;
    call.trace.set_client(&client);
    let issued = tokens::issue(&call, &client, &secret).await.map_err(refused)?;
    let body = TokenResponse {
        access_token: issued.access_token,
        token_type: TokenType::Bearer,
        expires_in: issued.expires_in,
    };
    Ok(([(PRAGMA, HeaderValue::from_static("no-cache"))], Json(body)).into_response())
}

fn describe_issue(operation: Operation) -> Operation {
    operation
        .named("issueToken", CLIENTS, "Get an access token")
        .text(
            "A token for an hour, for `client_id` and `client_secret`. Keep it and use it again; get \
             a new one shortly before `expires_in` is over, or when a request answers `invalid_token`.\n\n\
             As JSON, or as RFC 6749 (section 4.4) writes it: a form with \
             `grant_type=client_credentials` and the credentials in the form or by HTTP Basic, not both.",
        )
        .open_to(vec![
            SecurityRequirement::default(),
            SecurityRequirement::new::<_, [&str; 0], _>(CLIENT_SECRET, []),
        ])
        .body::<TokenRequest>(
            JSON,
            &[("Demo client", json!({"client_id": "app123", "client_secret": "secret123"}))],
        )
        .body_schema(
            FORM,
            token_form(),
            &[("Demo client", json!({"grant_type": "client_credentials", "client_id": "app123", "client_secret": "secret123"}))],
        )
        .answers::<TokenResponse>(
            "A token",
            &[("Token", json!({"access_token": "eyJhbGciOiJIUzI1NiIs…", "token_type": "Bearer", "expires_in": 3600}))],
        )
        .fails_with([
            ErrorCode::UnsupportedGrantType,
            ErrorCode::InvalidScope,
            ErrorCode::InvalidClient,
            ErrorCode::RateLimited,
        ])
}

fn token_form() -> RefOr<Schema> {
    ObjectBuilder::new()
        .description(Some(
            "RFC 6749, section 4.4. Leave the credentials out to send them by HTTP Basic.",
        ))
        .property("grant_type", one_of("", [json!("client_credentials")]))
        .required("grant_type")
        .property("client_id", plain().examples([json!("app123")]))
        .property("client_secret", plain().examples([json!("secret123")]))
        .additional_properties(Some(plain()))
        .into()
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RevokeRequest {
    access_token: String,
}

/// The token proves itself; one that proves nothing is answered like one that did (RFC 7009 §2.2).
async fn revoke(Traced(call): Traced, request: Request) -> Result<Json<Success>, OAuthError> {
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

fn describe_revoke(operation: Operation) -> Operation {
    operation
        .named("revokeToken", CLIENTS, "Revoke an access token")
        .text(
            "The token is dead for every later request. It proves itself, so no other \
             authentication is needed; an unknown one is answered like any other (RFC 7009).",
        )
        .open_to(vec![SecurityRequirement::default()])
        .body::<RevokeRequest>(
            JSON,
            &[("Token", json!({"access_token": "eyJhbGciOiJIUzI1NiIs…"}))],
        )
        .body_schema(
            FORM,
            revoke_form(),
            &[("Token", json!({"token": "eyJhbGciOiJIUzI1NiIs…"}))],
        )
        .answers::<Success>("Revoked", &[("Revoked", json!(Success::new("Token revoked")))])
}

fn revoke_form() -> RefOr<Schema> {
    ObjectBuilder::new()
        .description(Some("RFC 7009."))
        .property("token", plain().min_length(Some(1)))
        .required("token")
        .property("token_type_hint", plain())
        .additional_properties(Some(plain()))
        .into()
}
