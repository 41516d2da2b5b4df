//! The guides, the API reference, the hosted page and the console, from within the program: what the Worker has as assets.
//!
//! `npm run docs` makes them in public/. A program compiled without them serves the API alone.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "public"]
#[allow_missing = true]
struct Files;

/// Where the pages ask for the address of an inbox.
const LOCAL: &str = "docs/assets/local.json";

#[derive(Default)]
pub(super) struct Site {
    /// Where messages are shown, on a machine that sends none.
    pub inbox: Option<String>,
}

impl Site {
    /// Whether the program was compiled with it.
    pub(super) fn is_there() -> bool {
        Files::get("index.html").is_some()
    }

    /// The answer to a request for a page; `None` leaves it to the API.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        let path = request.uri().path();
        let exactly = matches!(
            path,
            "/" | "/docs" | "/session" | "/console" | "/candado-mfa.js"
        );
        let ours = exactly || path.starts_with("/docs/") || path.starts_with("/web/");
        if !ours || !matches!(*request.method(), Method::GET | Method::HEAD) || !Self::is_there() {
            return None;
        }
        if let Some(shorter) = path
            .strip_suffix(".html")
            .or_else(|| path.strip_suffix('/'))
            && !shorter.is_empty()
        {
            return Some(moved(shorter));
        }
        let (status, name, file) = match find(path) {
            Some((name, file)) => (StatusCode::OK, name, file),
            None => (
                StatusCode::NOT_FOUND,
                "docs/404.html".into(),
                Files::get("docs/404.html")?,
            ),
        };
        let is_local = name == LOCAL;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if let Ok(kind) = file.metadata.mimetype().parse() {
            headers.insert(CONTENT_TYPE, kind);
        }
        let cache = HeaderValue::from_static("public, max-age=0, must-revalidate");
        headers.insert(CACHE_CONTROL, cache);
        for (header, value) in headers_of(path) {
            headers.insert(header, value);
        }
        if is_local {
            *response.body_mut() = serde_json::json!({"inbox": self.inbox}).to_string().into();
            return Some(response);
        }
        let tag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
        let known = request.headers().get(IF_NONE_MATCH);
        if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = bytes(file.data);
        }
        if let Ok(tag) = tag.parse() {
            response.headers_mut().insert(ETAG, tag);
        }
        Some(response)
    }
}

/// The file of a path: addresses of pages have no `.html`.
fn find(path: &str) -> Option<(String, EmbeddedFile)> {
    let name = match path.trim_start_matches('/') {
        "" => "index",
        name => name,
    };
    let page = format!("{name}.html");
    match Files::get(&page) {
        Some(file) => Some((page, file)),
        None => Some((name.to_owned(), Files::get(name)?)),
    }
}

fn moved(path: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    if let Ok(path) = path.parse() {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    }
}

fn headers_of(path: &str) -> Vec<(HeaderName, HeaderValue)> {
    let text = Files::get("_headers").map(|file| file.data);
    rules(&String::from_utf8_lossy(&text.unwrap_or_default()), path)
}

/// What `_headers` says of a path, in the format Cloudflare reads: a pattern, and indented below it the headers
/// of whatever matches.
fn rules(text: &str, path: &str) -> Vec<(HeaderName, HeaderValue)> {
    let mut found = Vec::new();
    let mut matches = false;
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(header) = line.strip_prefix("  ") else {
            matches = match line.strip_suffix('*') {
                Some(beginning) => path.starts_with(beginning),
                None => path == line,
            };
            continue;
        };
        let header = header.split_once(": ").filter(|_| matches);
        let header = header.map(|(name, value)| (name.parse(), value.parse()));
        if let Some((Ok(name), Ok(value))) = header {
            found.push((name, value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_policy_and_what_holds_for_all() {
        let text = include_str!("../../docs/site/_headers");
        for (path, inline) in [("/", false), ("/docs", true), ("/docs/quick-start", false)] {
            let headers = rules(text, path);
            let values = |name: &str| {
                let values = headers.iter().filter(|(other, _)| other == name);
                values
                    .map(|(_, value)| value.to_str().unwrap())
                    .collect::<Vec<_>>()
            };
            assert_eq!(values("x-content-type-options"), ["nosniff"], "{path}");
            let policies = values("content-security-policy");
            assert_eq!(policies.len(), 1, "{path}");
            assert_eq!(policies[0].contains("'unsafe-inline'"), inline, "{path}");
        }
    }

    #[test]
    fn other_paths_and_methods_are_left_to_the_api() {
        let site = Site::default();
        for (method, path) in [
            ("GET", "/health"),
            ("GET", "/docsx"),
            ("GET", "/mfa/status"),
            ("GET", "/session/state"),
            ("GET", "/session/"),
            ("GET", "/session.html"),
            ("GET", "/console/"),
            ("GET", "/console.html"),
            ("GET", "/consoles"),
            ("POST", "/console"),
            ("GET", "/website"),
            ("POST", "/session/open"),
            ("POST", "/"),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(())
                .unwrap();
            assert!(site.answer(&request).is_none(), "{method} {path}");
        }
    }
}
