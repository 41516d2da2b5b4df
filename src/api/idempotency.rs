//! `Idempotency-Key`: a request that changes something, sent again, has the first one's answer. Here for every route
//! under /mfa, so that none can forget it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use tower_service::Service as _;

use super::error::Failure;
use super::serve::routed;
use crate::call::{Call, Caller, Credential, Once};
use crate::domain::idempotency::KeyName;
use crate::error::Error;
use crate::flows::once::{self, Begun, Outcome, Settled};

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// How often a request is looked at again after somebody else changed first what it was decided on.
const ROUNDS: u32 = 4;

/// An answer, with what the log says of it.
type Answered = (Response, Option<Failure>);

/// Whether there is something to do once at most: a route, and one that changes something. What there is no route for
/// is the router's to refuse, whichever key it has.
async fn applies(router: &Router, request: &Request<Bytes>) -> bool {
    let method = request.method();
    if method.is_safe() || !request.uri().path().starts_with("/mfa/") {
        return false;
    }
    let mut asked = Request::new(Body::empty());
    *asked.method_mut() = Method::OPTIONS;
    *asked.uri_mut() = request.uri().clone();
    let Ok(answer) = router.clone().call(asked).await;
    let allow = answer.headers().get(ALLOW).map(HeaderValue::as_bytes);
    let mut allowed = allow.unwrap_or_default().split(|byte| *byte == b',');
    allowed.any(|name| name.trim_ascii() == method.as_str().as_bytes())
}

/// Answers the request, once if it has a key.
pub(super) async fn answer(router: &Router, call: Call, request: Request<Bytes>) -> Answered {
    let caller = call.caller.clone();
    let has_key = request.headers().contains_key(IDEMPOTENCY_KEY);
    let Some(caller) = caller.filter(|_| has_key) else {
        return routed(router, &call, request).await;
    };
    if !applies(router, &request).await {
        return routed(router, &call, request).await;
    }
    match named(&caller, request.headers()) {
        Ok(name) => keyed(router, call, &caller, name, request).await,
        Err(error) => routed_error(&call, error),
    }
}

/// What is kept of the header.
fn named(caller: &Caller, headers: &HeaderMap) -> Result<KeyName, Error> {
    let api_key = match &caller.credential {
        Credential::Key { key, .. } => Some(&key.id),
        Credential::Token { .. } => None,
    };
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let name = match (values.next(), values.next()) {
        (Some(value), None) => KeyName::of(&caller.client, api_key, value.as_bytes()),
        _ => None,
    };
    let message = "Expected one key of 1 to 255 printable ASCII characters";
    name.ok_or_else(|| Error::invalid("Idempotency-Key", message))
}

async fn keyed(
    router: &Router,
    mut call: Call,
    caller: &Caller,
    name: KeyName,
    request: Request<Bytes>,
) -> Answered {
    let address = request.uri().path_and_query();
    let address = address.map_or("", http::uri::PathAndQuery::as_str);
    let method = request.method().as_str();
    let asked = [method.as_bytes(), address.as_bytes(), request.body()];
    match once::begin(&call, caller, name, &asked).await {
        Err(error) => routed_error(&call, error),
        Ok(Begun::Answered(answer)) => match replayed(&answer) {
            Some(response) => (response, None),
            None => routed_error(&call, Error::OutcomeUnknown),
        },
        Ok(Begun::First(first)) => {
            call.once = Some(first.clone());
            carried_out(router, &call, &first, &request).await
        }
    }
}

/// Has the route answer until what it decided could be stored.
async fn carried_out(
    router: &Router,
    call: &Call,
    first: &Arc<Once>,
    request: &Request<Bytes>,
) -> Answered {
    for _ in 0..ROUNDS {
        let (response, failure) = routed(router, call, request.clone()).await;
        let (parts, body) = response.into_parts();
        // Made here, from memory: reading it cannot fail.
        let body = body.collect().await.unwrap_or_default().to_bytes();
        let outcome = outcome(parts.status, &parts.headers, &body);
        match once::settle(call, first, outcome).await {
            Ok(Settled::Done) => return (Response::from_parts(parts, body.into()), failure),
            Ok(Settled::Again) => {}
            Err(error) => return routed_error(call, error),
        }
    }
    once::give_up(call, first).await;
    routed_error(call, Error::RateLimited { retry_after: 1 })
}

/// An answer as it is kept. Its text is all there is of it: all under /mfa is JSON or nothing.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<String>,
    body: String,
}

/// What is kept: not what a later try may change, nor a token's refusal, which is no answer to its client.
fn outcome(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Outcome {
    let passing = [StatusCode::TOO_MANY_REQUESTS, StatusCode::UNAUTHORIZED];
    if status.is_server_error() || passing.contains(&status) {
        return Outcome::Nothing;
    }
    let text = |name| {
        let value: &HeaderValue = headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let kept = Kept {
        status: status.as_u16(),
        media_type: text(CONTENT_TYPE),
        retry_after: text(RETRY_AFTER),
        body: String::from_utf8_lossy(body).into_owned(),
    };
    // Text and a number always serialise.
    Outcome::Answer(serde_json::to_string(&kept).unwrap_or_default())
}

/// The first answer, byte for byte, and a header that says so.
fn replayed(answer: &str) -> Option<Response> {
    let kept: Kept = serde_json::from_slice(answer.as_bytes()).ok()?;
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).ok()?;
    let headers = response.headers_mut();
    headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    for (name, value) in [
        (CONTENT_TYPE, kept.media_type),
        (RETRY_AFTER, kept.retry_after),
    ] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::try_from(value).ok()?);
        }
    }
    Some(response)
}

/// An answer that no route gave.
fn routed_error(call: &Call, error: Error) -> Answered {
    call.trace.set_route("/mfa (Idempotency-Key)");
    super::serve::render(error.into_response(), Some(&call.app))
}
