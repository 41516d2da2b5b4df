//! An answer, and what is asserted of every one.

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::Value;

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Reply {
    pub fn new(response: Response<Bytes>) -> Self {
        let (parts, bytes) = response.into_parts();
        let reply = Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            bytes,
        };
        reply.assert_hygiene();
        reply
    }

    /// API-04, and the error shape of the contract.
    fn assert_hygiene(&self) {
        // Public keys are the one thing that may be kept.
        let public = self.status == 200 && self.json_if_any()["keys"].is_array();
        assert!(public || self.header("cache-control") == "no-store");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert!(
            self.header("strict-transport-security")
                .starts_with("max-age=")
        );
        assert_eq!(self.header("x-request-id").len(), 32);
        assert!(!self.headers.contains_key("access-control-allow-origin"));
        if let Some(length) = self.headers.get("content-length") {
            // The answer to HEAD says how long the body would be, and has none.
            let has = self.bytes.len();
            assert!(has == 0 && self.status == 200 || length.to_str().unwrap() == has.to_string());
        }
        if self.status >= 400 && !self.bytes.is_empty() {
            let body = self.json();
            assert_eq!(body["status"], "failure", "{body}");
            assert!(
                body["error"].is_string() && body["message"].is_string(),
                "{body}"
            );
            let (code, url) = (body["error"].as_str(), body["documentation_url"].as_str());
            let section =
                url.and_then(|url| url.strip_prefix("https://mfa.example.com/docs/errors#"));
            assert_eq!(code, section, "{body}");
            assert_eq!(
                self.status == 401 || body["error"] == "insufficient_scope",
                self.headers.contains_key("www-authenticate")
            );
            if self.status == 429 {
                assert_eq!(self.header("retry-after"), body["retry_after"].to_string());
                assert!(body["retry_after"].as_u64().unwrap() >= 1);
            }
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn json_if_any(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {:?}", self.bytes))
    }

    /// The body of an answer with that status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:?}", self.bytes);
        if self.bytes.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The body of a failure with that status and code.
    #[track_caller]
    pub fn fails(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["error"], code, "{body}");
        body
    }
}
