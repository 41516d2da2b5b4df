//! Who asks: this service's own page in the browser that keeps the session. The rules stand in
//! web/PROTOCOL.md, and so does their order.

use axum::extract::{FromRequest, Request};
use http::header::{COOKIE, ORIGIN, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::answer::PageError;
use crate::api::extract::{from_json, parse_json, traced};
use crate::api::idempotency::IDEMPOTENCY_KEY;
use crate::call::Call;
use crate::domain::browser::BrowserName;
use crate::domain::session::SessionId;
use crate::error::Error;
use crate::flows::session::{self, Visit};

pub(in crate::api) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
pub(in crate::api) const CANDADO_SESSION: HeaderName = HeaderName::from_static("candado-session");
/// Cookies with this beginning are of this host alone, and of https.
pub(super) const COOKIE_PREFIX: &str = "__Host-candado-";
pub(super) const WAYS: &str = "__Host-candado-ways";
/// Characters of an `Idempotency-Key`.
const LONGEST_KEY: usize = 255;

/// A request of the page. Its body is looked at after the session: whoever may not use that learns nothing.
pub(super) struct Visitor<T> {
    pub visit: Visit,
    pub body: Result<T, Error>,
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Visitor<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, _: &S) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let call = traced(&parts)?;
        refuse_others(&call, &parts)?;
        let bytes = body.collect().await.map_err(Error::internal)?.to_bytes();
        let mut visit = visit(call, &parts.headers);
        visit.once = once(&parts, &bytes);
        let body = if bytes.is_empty() {
            parse_json(b"{}")
        } else {
            from_json(&parts.headers, &bytes)
        };
        Ok(Self { visit, body })
    }
}

/// A press: it has a name of its own, and its body is good.
pub(super) struct Press<T> {
    pub visit: Visit,
    pub body: T,
}

impl<T: DeserializeOwned + Send, S: Sync> FromRequest<S> for Press<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let Visitor { visit, body } = Visitor::<T>::from_request(request, state).await?;
        let body = body.and_then(|body| {
            let missing = || {
                Error::invalid(
                    "Idempotency-Key",
                    "This header is missing, or longer than 255 characters; send a new UUID with each request",
                )
            };
            visit.once.as_ref().map(|_| body).ok_or_else(missing)
        });
        match body {
            Ok(body) => Ok(Self { visit, body }),
            Err(error) => Err(session::refuse(&visit, error).await.into()),
        }
    }
}

/// Only this service's own page may change anything (ATK-99).
fn refuse_others(call: &Call, parts: &Parts) -> Result<(), Error> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let own = call.app.config.public_url.as_str();
    let origin = only(&parts.headers, &ORIGIN);
    let site = parts.headers.get(SEC_FETCH_SITE);
    let same_site = site.is_none_or(|site| site.as_bytes() == b"same-origin");
    (origin == Some(own) && same_site)
        .then_some(())
        .ok_or(Error::WrongOrigin)
}

fn visit(call: Call, headers: &HeaderMap) -> Visit {
    let session = only(headers, &CANDADO_SESSION);
    let session = session.and_then(|text| SessionId::try_from(text.to_owned()).ok());
    let named = |name: &str| cookie(headers, name).map(str::to_owned);
    let held = session
        .as_ref()
        .and_then(|id| named(&format!("{COOKIE_PREFIX}{}", id.as_str())));
    let agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    Visit {
        call,
        session,
        cookie: held,
        ways: named(WAYS),
        browser: agent.map(BrowserName::of).unwrap_or_default(),
        once: None,
    }
}

/// The request by its name and content.
fn once(parts: &Parts, body: &[u8]) -> Option<crate::domain::account::Once> {
    let key = only(&parts.headers, &IDEMPOTENCY_KEY)?;
    let fits =
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let content = [
        parts.method.as_str().as_bytes(),
        parts.uri.path().as_bytes(),
        body,
    ];
    fits.then(|| Visit::once(key, &content))
}

/// The value of a header that is there once. To look it up by text would be 18 kilobytes of the Worker.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A cookie by its name, however many headers they came in.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(other, value)| (other == name).then_some(value))
}
