//! What holds for every request, whatever its route: https, the body's size, a request id, the
//! security headers, one log line.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, ORIGIN,
    STRICT_TRANSPORT_SECURITY, USER_AGENT, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tower_service::Service;

use super::error::Failure;
use super::extract::presented;
use super::idempotency::{self, IDEMPOTENCY_KEY};
use super::session::{CANDADO_SESSION, SEC_FETCH_SITE};
use crate::app::App;
use crate::call::{Call, Task, Trace};
use crate::domain::ids::RequestId;
use crate::domain::trace_context::TraceContext;
use crate::error::Error;
use crate::flows::test_clients::on_clock_of;

/// Bytes a request body may have (API-02).
pub const BODY_LIMIT: usize = 16 * 1024;

/// Of a body that is too large this much is read and thrown away, so that its sender gets to hear the
/// answer: one that is cut off while it sends may only see a lost connection.
const DRAINED: usize = 1024 * 1024;

/// A request's body while it comes in. One over the limit is cut one byte past it, which is enough to
/// refuse it and keeps it from filling the memory.
#[derive(Default)]
pub struct IncomingBody {
    kept: Vec<u8>,
    received: usize,
}

impl IncomingBody {
    /// Takes the next part; `false` once no more is to be read.
    pub fn take(&mut self, part: &[u8]) -> bool {
        self.received += part.len();
        if self.kept.len() <= BODY_LIMIT {
            self.kept.extend_from_slice(part);
            self.kept.truncate(BODY_LIMIT + 1);
        }
        self.received <= DRAINED
    }

    pub fn into_bytes(self) -> Bytes {
        self.kept.into()
    }
}

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The headers anything behind `serve` reads. No other can change an outcome (RATE-19).
pub const READ_HEADERS: [HeaderName; 10] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    ACCEPT,
    // What tells the hosted page's own requests from others'.
    ORIGIN,
    COOKIE,
    USER_AGENT,
    SEC_FETCH_SITE,
    CANDADO_SESSION,
    IDEMPOTENCY_KEY,
    // Changes what the log says, and what providers are told, alone.
    TRACEPARENT,
];

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request that was answered.
pub struct Served {
    pub response: Response<Bytes>,
    /// What is to be done after the answer.
    pub tasks: Vec<Task>,
    /// What there is to say of it.
    pub trace: Trace,
}

/// Answers one request, whose URI is absolute.
pub async fn serve(router: &Router, app: &Arc<App>, request: Request<Bytes>) -> Served {
    let started = (app.clock)();
    let method = request.method().clone();
    let mut call = match Call::new(app.clone()) {
        Ok(call) => call,
        Err(error) => {
            let response = Error::from(error).into_response();
            let (response, _) = render(response, Some(app));
            return Served {
                response: finish(response, None).await,
                tasks: Vec::new(),
                trace: Trace::default(),
            };
        }
    };
    if let Some(context) = trace_context(&request) {
        call.context = context;
    }
    let (response, failure) = match refusal(app, &request) {
        Some(error) => render(error.into_response(), Some(app)),
        None => answer(router, call.clone(), request).await,
    };
    let response = finish(response, Some(&call.request_id)).await;
    if let Some(failure) = &failure {
        call.trace.set_error(failure.body.error.name());
    }
    let milliseconds = (app.clock)().saturating_sub(started);
    let cause = failure.and_then(|failure| failure.cause);
    log_line(
        &call,
        &method,
        response.status(),
        cause.as_deref(),
        milliseconds,
    );
    Served {
        response,
        tasks: call.later.take(),
        trace: call.trace,
    }
}

/// The caller's trace. What is malformed, or there twice, counts as absent (W3C Trace Context §4.3).
fn trace_context(request: &Request<Bytes>) -> Option<TraceContext> {
    let mut values = request.headers().get_all(TRACEPARENT).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    TraceContext::parse(value.to_str().ok()?)
}

/// The answer of a service that is not configured: it serves nothing (CFG-04).
pub async fn refuse_to_serve(reason: &str) -> Response<Bytes> {
    log::error!("refusing to serve: {reason}");
    let response = Error::Unavailable(reason.to_owned().into()).into_response();
    let (response, _) = render(response, None);
    finish(response, RequestId::draw().ok().as_ref()).await
}

/// What is refused before any route is looked for.
fn refusal(app: &App, request: &Request<Bytes>) -> Option<Error> {
    let uri = request.uri();
    let host = uri.host().unwrap_or_default();
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let plain = uri.scheme_str() != Some("https");
    if plain && !(app.config.development && local) {
        // Refused, not redirected: a redirect would let a caller go on sending secrets in the clear (API-06).
        return Some(Error::HttpsRequired);
    }
    (request.body().len() > BODY_LIMIT).then_some(Error::PayloadTooLarge)
}

/// Finds out who asks, which more than the route needs, and answers.
async fn answer(
    router: &Router,
    mut call: Call,
    request: Request<Bytes>,
) -> (axum::response::Response, Option<Failure>) {
    if request.uri().path().starts_with("/mfa/") {
        // Whoever nobody knows is refused by the route.
        if let Ok(caller) = presented(&call, request.headers()) {
            call = match on_clock_of(call.clone(), &caller).await {
                Ok(call) => call,
                Err(error) => return render(error.into_response(), Some(&call.app)),
            };
            call.caller = Some(caller);
        }
    }
    idempotency::answer(router, call, request).await
}

/// The route's answer, whole.
pub(super) async fn routed(
    router: &Router,
    call: &Call,
    request: Request<Bytes>,
) -> (axum::response::Response, Option<Failure>) {
    render(route(router, call, request).await, Some(&call.app))
}

async fn route(router: &Router, call: &Call, request: Request<Bytes>) -> axum::response::Response {
    let asks_options = request.method() == Method::OPTIONS;
    let mut request = request.map(Body::from);
    request.extensions_mut().insert(call.clone());
    let Ok(mut response) = router.clone().call(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allow = response
            .headers()
            .get(ALLOW)
            .and_then(|allow| allow.to_str().ok())
            .unwrap_or_default();
        let allow = format!("{}, OPTIONS", allow.replace(',', ", "));
        if asks_options {
            response = StatusCode::NO_CONTENT.into_response();
        }
        if let Ok(allow) = HeaderValue::from_str(&allow) {
            response.headers_mut().insert(ALLOW, allow);
        }
    }
    response
}

/// A failed answer with its body, and what the log says of it.
pub(super) fn render(
    mut response: axum::response::Response,
    app: Option<&Arc<App>>,
) -> (axum::response::Response, Option<Failure>) {
    let Some(failure) = response.extensions_mut().remove::<Failure>() else {
        return (response, None);
    };
    let origin = app.map(|app| app.config.public_url.as_str());
    let (mut parts, _) = response.into_parts();
    // Of the answer without its body, as the router saw it.
    parts.headers.remove(CONTENT_LENGTH);
    let mut rendered = failure.clone().render(origin);
    *rendered.status_mut() = parts.status;
    rendered.headers_mut().extend(parts.headers);
    (rendered, Some(failure))
}

/// The answer in one piece, with the headers every answer has.
async fn finish(
    response: axum::response::Response,
    request_id: Option<&RequestId>,
) -> Response<Bytes> {
    let (mut parts, body) = response.into_parts();
    // Bodies are made here, from memory: reading them cannot fail.
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let headers = &mut parts.headers;
    // What may be kept says so itself.
    let no_store = || HeaderValue::from_static("no-store");
    headers.entry(CACHE_CONTROL).or_insert_with(no_store);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000; includeSubDomains"),
    );
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
        headers.insert(X_REQUEST_ID, id);
    }
    Response::from_parts(parts, body)
}

/// One line of JSON a request: never a path, a user's id, a code, a secret or an address (LOG-02, LOG-04).
fn log_line(
    call: &Call,
    method: &Method,
    status: StatusCode,
    cause: Option<&str>,
    milliseconds: u64,
) {
    let line = json!({
        "request_id": call.request_id.as_str(),
        "trace_id": call.context.trace_id(),
        "method": method.as_str(),
        "route": call.trace.route().unwrap_or("unmatched"),
        "client": call.trace.client(),
        "status": status.as_u16(),
        "error": call.trace.error(),
        "cause": cause,
        "ms": milliseconds,
    });
    if status.is_server_error() {
        log::error!("{line}");
    } else {
        log::info!("{line}");
    }
}
