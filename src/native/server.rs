//! The service on a socket: plain HTTP/1.1, for a proxy in front of it to end TLS.
//!
//! Nothing a caller does holds a connection for long: its head, its body, the time it is idle and its
//! whole life have an end, and so has the number of connections.

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::response::IntoResponse;
use axum::routing::{any, get};
use axum::{Extension, Router};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::api::{self, IncomingBody, READ_HEADERS, Served};
use crate::app::App;
use crate::call::{Call, Task};
use crate::error::Error;
use crate::flows::housekeeping::{self, Allowance};
use crate::native::metrics::Metrics;
use crate::native::signals::Signals;
use crate::native::site::Site;

/// With a connection to a provider for each, within the 1024 descriptors a process usually has.
pub(super) const CONNECTIONS: usize = 500;
/// From the moment a connection is open or its last answer was given until a request's head is in.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// Of a connection that is used again and again; a caller opens another.
const LIFETIME: Duration = Duration::from_mins(5);
/// What is under way has this long to end: longer than a body and a provider take together.
const GRACE: Duration = Duration::from_secs(20);
/// A connection that was opened just before the end has this long to send its first request.
const UNASKED: Duration = Duration::from_secs(1);
/// Bytes of a request's head: four tokens of the greatest length.
const HEAD_LIMIT: usize = 32 * 1024;
/// As the Worker's cron trigger.
const HOUSEKEEPING: Duration = Duration::from_mins(10);
/// It goes on for half the time until the next one.
const ALLOWANCE: Allowance = Allowance {
    milliseconds: 300_000,
    statements: u32::MAX,
};

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How it serves, beside what the application says.
#[derive(Default)]
pub(super) struct Options {
    /// A proxy in front ends TLS, and its `X-Forwarded-Proto` is believed.
    pub behind_tls_proxy: bool,
    pub site: Site,
    /// How long it goes on after the first signal, so that a balancer notices.
    pub drain: Duration,
    /// Where requests are counted, if anybody reads it.
    pub metrics: Option<Arc<Metrics>>,
}

pub(super) struct Server {
    app: Arc<App>,
    router: Router,
    /// The same while the program ends.
    ending_router: Router,
    ending: AtomicBool,
    options: Options,
    /// Held by every connection and request: once nobody has one left, nothing is under way.
    under_way: mpsc::Sender<Infallible>,
}

impl Server {
    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    fn router(&self) -> &Router {
        if self.is_ending() {
            &self.ending_router
        } else {
            &self.router
        }
    }
}

/// The same routes, but a program that is about to end is not fit to serve.
fn ending_router(router: Router) -> Router {
    let health = any(async |Extension(call): Extension<Call>| {
        call.trace.set_route("/health");
        Error::Unavailable("the program is ending".into())
    });
    Router::new()
        .route("/health", health)
        .fallback_service(router)
}

/// Serves until a signal comes, and then for as long as `drain` says while `/health` fails, unless another signal
/// comes; then takes no new connection, and ends with what is under way, or after `GRACE`.
pub(super) async fn run(
    app: Arc<App>,
    listener: TcpListener,
    options: Options,
    mut signals: Signals,
) {
    let (under_way, mut all_done) = mpsc::channel(1);
    let router = api::router().route("/openapi.json", get(openapi));
    let server = Arc::new(Server {
        app,
        ending_router: ending_router(router.clone()),
        router,
        ending: AtomicBool::new(false),
        options,
        under_way,
    });
    let keeping = tokio::spawn(keep_house(
        server.app.clone(),
        server.options.metrics.clone(),
    ));
    let (stopping, stopped) = watch::channel(());
    {
        let mut accepting = pin!(accept(&server, &listener, &stopped));
        tokio::select! {
            never = accepting.as_mut() => match never {},
            () = signals.next() => {}
        }
        server.ending.store(true, Ordering::Relaxed);
        let drain = server.options.drain;
        if !drain.is_zero() {
            log::info!(
                "candado ends in {} s: /health fails, so that nothing new comes",
                drain.as_secs()
            );
            tokio::select! {
                never = accepting => match never {},
                () = sleep(drain) => {}
                () = signals.next() => {}
            }
        }
    }
    take_waiting(&server, &listener, &stopped);
    drop(listener);
    drop(stopping);
    // It may be cut off anywhere (REL-09).
    keeping.abort();
    drop(server);
    if timeout(GRACE, all_done.recv()).await.is_err() {
        log::warn!("ended with requests under way");
    }
}

async fn accept(
    server: &Arc<Server>,
    listener: &TcpListener,
    stopped: &watch::Receiver<()>,
) -> Infallible {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return pending().await;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = connection(server.clone(), stream, stopped.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                log::warn!("a connection was not accepted: {error}");
                // Most likely there are no file descriptors left; trying at once would keep a core busy.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Those the system has connected and nobody accepted yet. They may have sent a request, which would be lost: a proxy
/// that has sent one does not send it again.
fn take_waiting(server: &Arc<Server>, listener: &TcpListener, stopped: &watch::Receiver<()>) {
    for _ in 0..CONNECTIONS {
        let Some(Ok((stream, _))) = listener.accept().now_or_never() else {
            break;
        };
        tokio::spawn(connection(server.clone(), stream, stopped.clone()));
    }
}

async fn connection(server: Arc<Server>, stream: TcpStream, mut stopped: watch::Receiver<()>) {
    let _under_way = server.under_way.clone();
    let metrics = server.options.metrics.clone();
    let _open = Open::new(metrics.as_deref());
    // Answers are small and written at once: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let asked = AtomicBool::new(false);
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        answer(server.clone(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(HEAD_LIMIT)
        .max_buf_size(2 * HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // What goes wrong with a connection is its caller's to know.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => {}
        () = sleep(LIFETIME) => {}
    }
    if !asked.load(Ordering::Relaxed) {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = sleep(UNASKED) => {}
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}

async fn answer(
    server: Arc<Server>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if let Some(page) = server.options.site.answer(&request) {
        return Ok(page.map(Full::new));
    }
    let ending = server.is_ending();
    let mut response = match from_wire(request, server.options.behind_tls_proxy).await {
        Ok(request) => respond(server, request).await,
        Err(status) => refuse(status),
    };
    if ending {
        // A proxy that keeps connections takes another one next time, perhaps to another program.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response.map(Full::new))
}

/// Runs to its end also if the caller hangs up: a code that was stored is sent, or taken back.
async fn respond(server: Arc<Server>, request: Request<Bytes>) -> Response<Bytes> {
    let (answer, answered) = oneshot::channel();
    tokio::spawn(async move {
        let _under_way = server.under_way.clone();
        let (response, tasks) = serve(&server, request).await;
        // Whoever asked may have gone.
        let _ = answer.send(response);
        for task in tasks {
            task.await;
        }
    });
    // There is no answer if making it panicked; the panic is in the log.
    answered
        .await
        .unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR))
}

/// The answer, counted, and what is to be done after it.
async fn serve(server: &Server, request: Request<Bytes>) -> (Response<Bytes>, Vec<Task>) {
    let counted = server.options.metrics.as_deref();
    let counted = counted.map(|metrics| (metrics, request.method().clone(), Instant::now()));
    let Served {
        response,
        tasks,
        trace,
    } = api::serve(server.router(), &server.app, request).await;
    if let Some((metrics, method, started)) = counted {
        metrics.answered(&method, response.status(), &trace, started.elapsed());
    }
    (response, tasks)
}

/// A connection, counted while it is there.
struct Open<'a>(Option<&'a Metrics>);

impl<'a> Open<'a> {
    fn new(metrics: Option<&'a Metrics>) -> Self {
        if let Some(metrics) = metrics {
            metrics.connections.inc();
        }
        Self(metrics)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(metrics) = self.0 {
            metrics.connections.dec();
        }
    }
}

/// The answer to what is not even a request of ours, as hyper itself gives it: a status.
fn refuse(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    // Part of the request may not have been read, and would be taken for the next one.
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// The request with an absolute URI and its body in one piece. A body over the limit is cut one byte
/// past it, which is enough to refuse it.
async fn from_wire(
    request: Request<Incoming>,
    behind_tls_proxy: bool,
) -> Result<Request<Bytes>, StatusCode> {
    let (parts, body) = request.into_parts();
    let uri =
        absolute(&parts.uri, &parts.headers, behind_tls_proxy).ok_or(StatusCode::BAD_REQUEST)?;
    let mut builder = Request::builder().method(parts.method).uri(uri);
    for name in READ_HEADERS {
        for value in parts.headers.get_all(&name) {
            builder = builder.header(&name, value);
        }
    }
    let body = timeout(BODY_TIMEOUT, read(body))
        .await
        .map_err(|_| StatusCode::REQUEST_TIMEOUT)?
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    builder.body(body).map_err(|_| StatusCode::BAD_REQUEST)
}

async fn read(mut incoming: Incoming) -> hyper::Result<Bytes> {
    let mut body = IncomingBody::default();
    while let Some(frame) = incoming.frame().await {
        let Ok(chunk) = frame?.into_data() else {
            continue;
        };
        if !body.take(&chunk) {
            break;
        }
    }
    Ok(body.into_bytes())
}

/// The URI as the caller wrote it for the proxy, or for us where there is none.
fn absolute(uri: &Uri, headers: &HeaderMap, behind_tls_proxy: bool) -> Option<Uri> {
    let authority = match uri.authority() {
        Some(authority) => authority.clone(),
        None => Authority::try_from(only(headers, &HOST)?.as_bytes()).ok()?,
    };
    let path = uri.path_and_query()?.clone();
    if authority.as_str().contains('@') || !path.as_str().starts_with('/') {
        return None;
    }
    // Exactly what a single proxy writes. A list would be of what the caller wrote as well.
    let https = behind_tls_proxy
        && only(headers, &X_FORWARDED_PROTO)
            .is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
    Uri::builder()
        .scheme(if https { "https" } else { "http" })
        .authority(authority)
        .path_and_query(path)
        .build()
        .ok()
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

async fn keep_house(app: Arc<App>, metrics: Option<Arc<Metrics>>) {
    let mut turn = interval(HOUSEKEEPING);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        let report = housekeeping::run_and_log(&app, ALLOWANCE).await;
        if let Some(metrics) = &metrics {
            metrics.kept_house(report.as_ref(), app.now());
        }
    }
}

/// What the Worker has as a file beside it.
async fn openapi(Extension(call): Extension<Call>) -> impl IntoResponse {
    call.trace.set_route("/openapi.json");
    let document = include_str!("../../docs/openapi.json");
    ([(CONTENT_TYPE, "application/json")], document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(
        target: &str,
        headers: &[(&'static str, &'static str)],
        behind_tls_proxy: bool,
    ) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let uri = absolute(&target.parse().unwrap(), &map, behind_tls_proxy);
        uri.map(|uri| uri.to_string())
    }

    const HOST: (&str, &str) = ("host", "mfa.example.com");
    const HTTPS: (&str, &str) = ("x-forwarded-proto", "https");

    #[test]
    fn api_06_a_request_is_https_if_the_proxy_says_so_once_and_is_believed() {
        let https = Some("https://mfa.example.com/a?b".to_owned());
        let http = Some("http://mfa.example.com/a?b".to_owned());
        let proto = |value| ("x-forwarded-proto", value);
        assert_eq!(seen("/a?b", &[HOST, HTTPS], true), https);
        assert_eq!(seen("/a?b", &[HOST, proto("HTTPS")], true), https);
        assert_eq!(seen("/a?b", &[HOST, HTTPS], false), http);
        for headers in [
            vec![HOST],
            vec![HOST, proto("http")],
            vec![HOST, proto("")],
            vec![HOST, proto("https, http")],
            vec![HOST, proto("https,https")],
            vec![HOST, HTTPS, HTTPS],
            vec![HOST, HTTPS, proto("http")],
            vec![HOST, ("forwarded", "proto=https")],
        ] {
            assert_eq!(seen("/a?b", &headers, true), http, "{headers:?}");
        }
    }

    #[test]
    fn a_host_that_is_missing_doubled_or_odd_is_refused() {
        assert_eq!(seen("/", &[], true), None);
        assert_eq!(seen("/", &[HOST, HOST], true), None);
        for host in ["", "a b", "a/b", "user@localhost", "a?b", "a#b"] {
            let headers = [("host", host)];
            assert_eq!(seen("/", &headers, true), None, "{host:?}");
        }
        assert_eq!(seen("*", &[HOST], true), None);
        assert_eq!(seen("mfa.example.com:443", &[HOST], true), None);
        // RFC 9112 §3.2.2: an absolute target counts in the place of the header.
        assert_eq!(
            seen("https://localhost/a", &[HOST], true).as_deref(),
            Some("http://localhost/a")
        );
    }
}
