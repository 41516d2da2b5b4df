//! How a client gets and ends its tokens.

use serde_json::json;
use utoipa::openapi::path::HttpMethod::Post;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{RefOr, Schema};

use super::{CLIENTS, done, plain};
use crate::api::openapi::route::{CLIENT_SECRET, FORM, JSON, Route};
use crate::api::openapi::schemas::grant_type;
use crate::api::{auth, users};
use crate::error::Error;

pub(super) fn all() -> Vec<Route> {
    let token = json!({"access_token": "eyJhbGciOiJIUzI1NiIs…", "token_type": "Bearer", "expires_in": 3600});
    vec![
        Route::new(Post, "/auth", "issueToken", CLIENTS, "Get an access token")
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
            .body::<auth::TokenRequest>(
                JSON,
                &[("Demo client", json!({"client_id": "app123", "client_secret": "secret123"}))],
            )
            .body_schema(
                FORM,
                token_form(),
                &[("Demo client", json!({"grant_type": "client_credentials", "client_id": "app123", "client_secret": "secret123"}))],
            )
            .answers::<auth::TokenResponse>("A token", &[("Token", token)])
            .fails_with([
                Error::UnsupportedGrantType,
                Error::InvalidScope,
                Error::InvalidClient { basic: false },
                Error::RateLimited { retry_after: 21 },
            ]),
        Route::new(Post, "/auth/revoke", "revokeToken", CLIENTS, "Revoke an access token")
            .text(
                "The token is dead for every later request. It proves itself, so no other \
                 authentication is needed; an unknown one is answered like any other (RFC 7009).",
            )
            .open_to(vec![SecurityRequirement::default()])
            .body::<auth::RevokeRequest>(
                JSON,
                &[("Token", json!({"access_token": "eyJhbGciOiJIUzI1NiIs…"}))],
            )
            .body_schema(FORM, revoke_form(), &[("Token", json!({"token": "eyJhbGciOiJIUzI1NiIs…"}))])
            .answers::<users::Success>("Revoked", &[("Revoked", done("Token revoked"))]),
    ]
}

fn token_form() -> RefOr<Schema> {
    ObjectBuilder::new()
        .description(Some(
            "RFC 6749, section 4.4. Leave the credentials out to send them by HTTP Basic.",
        ))
        .property("grant_type", grant_type())
        .required("grant_type")
        .property("client_id", plain().examples([json!("app123")]))
        .property("client_secret", plain().examples([json!("secret123")]))
        .additional_properties(Some(plain()))
        .into()
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
