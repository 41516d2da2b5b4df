//! What the page is told: a state, or an error with the state after it.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::SET_COOKIE;
use serde::Serialize;
use serde_json::{Value, json};

use super::visitor::{COOKIE_PREFIX, WAYS};
use crate::api::error::{Failure, body, headers, status};
use crate::api::idempotency::IDEMPOTENT_REPLAYED;
use crate::api::json::Json;
use crate::api::qr_image;
use crate::domain::fields::Fields;
use crate::domain::session::{AT_MOST, SessionId};
use crate::error::Error;
use crate::flows::Opened;
use crate::flows::session::{Done, Leaving, Refused, View};

/// Seconds the cookie of the ways is kept: 90 days.
const WAYS_LIFETIME: u64 = 90 * 24 * 3600;

/// An answer that succeeded.
pub(super) struct Answer {
    body: Value,
    replayed: bool,
    cookies: Vec<String>,
}

impl Answer {
    fn new(body: &impl Serialize) -> Self {
        Self {
            // Views are plain structs of text and numbers, which always serialise.
            body: serde_json::to_value(body).unwrap_or_default(),
            replayed: false,
            cookies: Vec::new(),
        }
    }

    pub(super) fn of(view: &View) -> Self {
        let mut answer = Self::new(&());
        answer.body = shown(view);
        answer
    }

    pub(super) fn done(done: &Done) -> Self {
        let mut answer = Self::of(&done.view);
        answer.replayed = done.replayed;
        if let Some(ways) = &done.ways {
            answer.cookies.push(cookie(WAYS, ways, WAYS_LIFETIME));
        }
        answer
    }

    pub(super) fn opened(opened: &Opened) -> Self {
        Self::new(&json!({"challenge_id": opened.challenge, "publicKey": opened.public_key}))
    }

    pub(super) fn leaving(leaving: &Leaving) -> Self {
        let mut answer = Self::new(&json!({"redirect": leaving.redirect}));
        answer.replayed = leaving.replayed;
        answer
    }

    /// With the cookie by which this browser keeps the session.
    pub(super) fn keeping(mut self, id: &SessionId, value: &str) -> Self {
        let name = format!("{COOKIE_PREFIX}{}", id.as_str());
        self.cookies.push(cookie(&name, value, AT_MOST));
        self
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        for cookie in &self.cookies {
            if let Ok(value) = HeaderValue::from_str(cookie) {
                response.headers_mut().append(SET_COOKIE, value);
            }
        }
        if self.replayed {
            let yes = HeaderValue::from_static("true");
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, yes);
        }
        response
    }
}

/// A state as JSON, with the picture of what an app is to scan.
fn shown(view: &View) -> Value {
    let mut body = serde_json::to_value(view).unwrap_or_default();
    if let Some(Value::Object(pending)) = body.get_mut("pending_enrolment")
        && let Some(url) = pending.get("otpauth_url").and_then(Value::as_str)
        && let Ok(picture) = qr_image::png(url)
    {
        let picture = format!("data:image/png;base64,{}", STANDARD.encode(picture));
        pending.insert("qr_image".to_owned(), picture.into());
    }
    body
}

fn cookie(name: &str, value: &str, seconds: u64) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

/// A request of the page that failed.
pub(super) struct PageError(Refused);

impl<E: Into<Refused>> From<E> for PageError {
    fn from(refused: E) -> Self {
        Self(refused.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let Refused { error, view, ended } = self.0;
        let mut more = Fields::new();
        if let Error::InvalidCredential(refusal) = &error {
            more.insert("reason".to_owned(), refusal.reason().into());
        }
        let values = [
            ("view", view.map(|view| shown(&view))),
            (
                "ended",
                ended.and_then(|ended| serde_json::to_value(ended).ok()),
            ),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                more.insert(name.to_owned(), value);
            }
        }
        let mut response = (status(&error), headers(&error)).into_response();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let body = body(&error);
        response
            .extensions_mut()
            .insert(Failure { body, cause, more });
        response
    }
}
