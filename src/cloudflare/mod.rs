//! The Worker: events in, answers out. The only place that knows `worker`.

mod d1;
mod fetch;
mod kv;
mod logging;
pub mod signatures;

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use futures_util::StreamExt;
use worker::{Context, Date, Env, Request, Response, ScheduleContext, ScheduledEvent, event};

use crate::api::{self, IncomingBody, READ_HEADERS};
use crate::app::App;
use crate::config::Config;
use crate::flows::housekeeping::{self, Allowance};

/// What an isolate builds once and every request of it uses.
struct Service {
    router: Router,
    app: Arc<App>,
}

/// A run of the scheduled job: D1 answers 1000 statements of one, and ten minutes later comes the next.
const HOUSEKEEPING: Allowance = Allowance {
    milliseconds: 20_000,
    statements: 900,
};

thread_local! {
    static SERVICE: OnceCell<Result<Rc<Service>, String>> = const { OnceCell::new() };
}

#[event(start)]
fn start() {
    logging::init();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let service = match service(&env) {
        Ok(service) => service,
        Err(reason) => return to_worker(api::refuse_to_serve(&reason).await),
    };
    let request = from_worker(request).await?;
    let served = api::serve(&service.router, &service.app, request).await;
    if !served.tasks.is_empty() {
        context.wait_until(async {
            for task in served.tasks {
                task.await;
            }
        });
    }
    to_worker(served.response)
}

#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    match service(&env) {
        Err(reason) => log::error!("refusing to run: {reason}"),
        Ok(service) => _ = housekeeping::run_and_log(&service.app, HOUSEKEEPING).await,
    }
}

/// The service, built at an isolate's first event. Variables change only with a new deployment, and
/// that has new isolates.
fn service(env: &Env) -> Result<Rc<Service>, String> {
    SERVICE.with(|cell| cell.get_or_init(|| build(env).map(Rc::new)).clone())
}

fn build(env: &Env) -> Result<Service, String> {
    let lookup = |name: &str| env.var(name).ok().map(|value| value.to_string());
    let config = Config::from_lookup(lookup).map_err(|error| error.to_string())?;
    let missing =
        |name: &'static str| move |_: worker::Error| format!("the binding {name} is missing");
    let app = App {
        config,
        db: Arc::new(d1::D1(env.d1("DB").map_err(missing("DB"))?)),
        kv: Arc::new(kv::Kv(env.kv("KV").map_err(missing("KV"))?)),
        mailer: None,
        http: Arc::new(fetch::Fetcher::of_providers()),
        // Nothing that is not public can be reached from a Worker: the platform has no way there.
        outside: Arc::new(fetch::Fetcher::of_strangers()),
        signatures: Arc::new(signatures::WebCrypto),
        clock: Box::new(|| Date::now().as_millis()),
    };
    Ok(Service {
        router: api::router(),
        app: Arc::new(app),
    })
}

/// The request with its body in one piece.
async fn from_worker(mut request: Request) -> worker::Result<http::Request<Bytes>> {
    let mut builder = http::Request::builder()
        // Not `request.method()`: that calls every method it does not know GET.
        .method(request.inner().method().as_str())
        .uri(request.inner().url());
    for name in READ_HEADERS {
        if let Some(value) = request.headers().get(name.as_str())? {
            builder = builder.header(name, value);
        }
    }
    let mut body = IncomingBody::default();
    if request.inner().body().is_some() {
        let mut chunks = request.stream()?;
        while let Some(chunk) = chunks.next().await {
            if !body.take(&chunk?) {
                break;
            }
        }
    }
    builder
        .body(body.into_bytes())
        .map_err(|error| worker::Error::RustError(error.to_string()))
}

fn to_worker(response: http::Response<Bytes>) -> worker::Result<Response> {
    let (parts, body) = response.into_parts();
    // A body of a 204, even an empty one, is an error to the runtime.
    let built = if body.is_empty() {
        Response::empty()?
    } else {
        Response::from_bytes(body.into())?
    };
    let headers = worker::Headers::from(&parts.headers);
    Ok(built
        .with_status(parts.status.as_u16())
        .with_headers(headers))
}
