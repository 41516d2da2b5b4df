//! Stands in for Twilio and SendGrid: takes every message and shows it on a page.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request as PageRequest, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response as PageResponse};
use axum::routing::get;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY};
use http::{Request, Response, StatusCode};
use httpdate::fmt_http_date;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;

use super::super::serve::milliseconds;
use crate::domain::crypto::random;
use crate::platform::{HttpClient, HttpError};

/// Messages that are kept; the oldest go first.
const KEPT: usize = 1000;

/// What the page itself says until it is told where the service is.
const SERVICE: &str = "http://localhost:8787";

/// A mail's own page is shown in a frame that runs nothing, and styles itself inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

#[derive(Clone, Serialize)]
struct Message {
    id: String,
    channel: &'static str,
    to: String,
    from: String,
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
    received_at: String,
}

/// Messages in memory, oldest first. They end with the process.
#[derive(Clone)]
pub(super) struct Inbox(Arc<Contents>);

struct Contents {
    url: String,
    service: String,
    messages: Mutex<Vec<Message>>,
}

impl Inbox {
    /// The page at `url`, for the service at `service`.
    pub(super) fn at(url: String, service: String) -> Self {
        Self(Arc::new(Contents {
            url,
            service,
            messages: Mutex::default(),
        }))
    }

    pub(super) fn url(&self) -> &str {
        &self.0.url
    }

    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.0
            .messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, message: Message) {
        let mut messages = self.messages();
        let too_many = (messages.len() + 1).saturating_sub(KEPT);
        messages.drain(..too_many);
        messages.push(message);
    }

    pub(super) async fn serve(self, listener: TcpListener) {
        let router = self.router();
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(router.clone());
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    }

    fn router(self) -> Router {
        let file = |kind: &'static str, text: &'static str| {
            get(move || async move { ([(CONTENT_TYPE, kind)], text) })
        };
        let script = "text/javascript; charset=utf-8";
        Router::new()
            .route("/", get(page))
            .route(
                "/inbox.css",
                file(
                    "text/css; charset=utf-8",
                    include_str!("../../../../sandbox/inbox.css"),
                ),
            )
            .route(
                "/inbox.js",
                file(script, include_str!("../../../../sandbox/inbox.js")),
            )
            .route(
                "/code.mjs",
                file(script, include_str!("../../../../sandbox/code.mjs")),
            )
            .route(
                "/segments.mjs",
                file(script, include_str!("../../../../sandbox/segments.mjs")),
            )
            .route("/messages", get(list).delete(clear))
            .layer(from_fn(for_this_machine_alone))
            .with_state(self)
    }
}

/// A web page that had its own name resolve to this machine would otherwise read the codes.
async fn for_this_machine_alone(request: PageRequest, next: Next) -> PageResponse {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    if !matches!(name, Some("localhost" | "127.0.0.1")) {
        return (
            StatusCode::FORBIDDEN,
            "the inbox answers to localhost only\n",
        )
            .into_response();
    }
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, next.run(request).await).into_response()
}

async fn page(State(inbox): State<Inbox>) -> impl IntoResponse {
    let html = include_str!("../../../../sandbox/inbox.html").replace(SERVICE, &inbox.0.service);
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], html)
}

async fn list(State(inbox): State<Inbox>) -> impl IntoResponse {
    let text = serde_json::to_string(&*inbox.messages()).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], text)
}

async fn clear(State(inbox): State<Inbox>) -> StatusCode {
    inbox.messages().clear();
    StatusCode::NO_CONTENT
}

#[async_trait]
impl HttpClient for Inbox {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        _: Duration,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let message = if request.uri().path().starts_with("/v3/") {
            mail(request.body())
        } else {
            sms(request.body())
        };
        self.keep(message);
        let mut response = Response::new(Vec::new());
        *response.status_mut() = StatusCode::ACCEPTED;
        Ok(response)
    }

    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

fn message(channel: &'static str) -> Message {
    Message {
        id: random::bytes::<12>().map(hex::encode).unwrap_or_default(),
        channel,
        to: String::new(),
        from: String::new(),
        subject: None,
        text: None,
        html: None,
        received_at: fmt_http_date(UNIX_EPOCH + Duration::from_millis(milliseconds())),
    }
}

/// As Twilio is asked: a form.
fn sms(body: &[u8]) -> Message {
    let mut sms = message("sms");
    for (name, value) in form_urlencoded::parse(body) {
        match &*name {
            "To" => sms.to = value.into_owned(),
            "From" | "MessagingServiceSid" => sms.from = value.into_owned(),
            "Body" => sms.text = Some(value.into_owned()),
            _ => {}
        }
    }
    sms
}

/// As SendGrid is asked: JSON.
fn mail(body: &[u8]) -> Message {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |place: &str| {
        asked
            .pointer(place)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    // The plain text comes before the page (RFC 2046 §5.1.4).
    Message {
        to: text("/personalizations/0/to/0/email").unwrap_or_default(),
        from: text("/from/email").unwrap_or_default(),
        subject: text("/subject").or_else(|| text("/personalizations/0/subject")),
        text: text("/content/0/value"),
        html: text("/content/1/value"),
        ..message("email")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, body: &str) -> Request<Vec<u8>> {
        let uri = format!("https://provider.example{path}");
        Request::post(uri).body(body.as_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_both_providers_would_send_is_kept_and_no_more_than_the_last_thousand() {
        let inbox = Inbox::at(String::new(), String::new());
        let send = async |path: &str, body: &str| {
            let answer = inbox
                .send(request(path, body), Duration::ZERO)
                .await
                .unwrap();
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
        };
        for _ in 0..KEPT {
            send(
                "/2010-04-01/Accounts/AC0/Messages.json",
                "To=%2B34600111222&From=%2B1500&Body=a+b",
            )
            .await;
        }
        let mail = r#"{"personalizations":[{"to":[{"email":"ann@mail.example"}],"subject":"Your code"}],
            "from":{"email":"no-reply@candado.example"},
            "content":[{"type":"text/plain","value":"123456"}]}"#;
        send("/v3/mail/send", mail).await;
        let messages = inbox.messages();
        assert_eq!(messages.len(), KEPT);
        let (sms, mail) = (messages.first().unwrap(), messages.last().unwrap());
        assert_eq!(
            (sms.channel, &*sms.to, &*sms.from),
            ("sms", "+34600111222", "+1500")
        );
        assert_eq!(sms.text.as_deref(), Some("a b"));
        assert_eq!((mail.channel, &*mail.to), ("email", "ann@mail.example"));
        assert_eq!(mail.subject.as_deref(), Some("Your code"));
        assert_eq!(
            (mail.text.as_deref(), mail.html.as_deref()),
            (Some("123456"), None)
        );
    }
}
