//! `GET /.well-known/jwks.json`: the keys that others verify results with.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::Traced;
use crate::api::json::Json;
use crate::api::openapi::operation::{Operation, SERVICE};
use crate::domain::crypto::result_token::Jwk;
use crate::error::Error;
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::get(
        "/.well-known/jwks.json",
        Access::Anyone,
        keys,
        describe,
    )]
}

#[derive(Serialize, ToSchema)]
#[schema(as = ResultKeys)]
struct Keys {
    /// The one that signs now is the first.
    keys: Vec<Jwk>,
}

/// Nothing here is secret, so it may be kept: so long that a key that is added is known to all before it signs.
async fn keys(Traced(call): Traced) -> Result<Response, Error> {
    const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");
    let keys = flows::result_keys(&call.app).await?;
    Ok(([(CACHE_CONTROL, KEPT)], Json(Keys { keys })).into_response())
}

fn describe(operation: Operation) -> Operation {
    let key = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "kid": "3f9a12bc4d5e6f70",
        "use": "sig",
        "alg": "ES256",
    });
    operation
        .named("getResultKeys", SERVICE, "The keys of result tokens")
        .text(
            "A JWK set (RFC 7517) with the public keys that verify the `result_token` of /mfa/verify. It may be kept \
             for five minutes.",
        )
        .open_to(Vec::new())
        .answers::<Keys>("The keys", &[("Keys", json!({"keys": [key]}))])
        .may_be_kept()
}
