//! A running service, as the commands talk to it.

use std::time::Duration;

use http::{Method, Request, Response, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::Problem;
use super::dev::kept_admin_token;
use super::serve::variable;
use crate::native::http_client::{Client, system_roots};
use crate::platform::HttpClient;

const LOCAL: &str = "http://localhost:8787";
/// Bytes of an answer: some ten thousand clients, or a page of a thousand events.
const ANSWER: usize = 16 << 20;
const TIMEOUT: Duration = Duration::from_secs(30);
/// What may stand in a step of a path as it is (RFC 3986 §3.3).
const STEP: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One step of a path, whatever it holds.
pub(super) fn step(text: &str) -> String {
    utf8_percent_encode(text, STEP).to_string()
}

/// A path with a query of what is given.
pub(super) fn with_query(path: &str, fields: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Where the service is: https, or http on this machine. A secret is sent nowhere else in the clear.
#[derive(Debug)]
pub(super) struct Address {
    text: String,
    local: bool,
}

impl Address {
    fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim().trim_end_matches('/');
        let wrong = |what: &str| {
            format!(
                "CANDADO_URL is not the address of a service: {what}, such as https://mfa.example.com"
            )
        };
        let uri: Uri = text.parse().map_err(|_| wrong("it must be a URL"))?;
        let authority = uri.authority().ok_or_else(|| wrong("it must be a URL"))?;
        if authority.as_str().contains('@')
            || !matches!(uri.path(), "" | "/")
            || uri.query().is_some()
        {
            return Err(wrong("only scheme, host and port belong in it"));
        }
        let local = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if local => {}
            _ => {
                return Err(wrong(
                    "it must begin with https://, or with http:// on this machine",
                ));
            }
        }
        Ok(Self {
            text: text.to_owned(),
            local,
        })
    }
}

pub(super) struct Service {
    address: Address,
    bearer: Option<String>,
    client: Client,
    runtime: Runtime,
}

impl Service {
    fn at(address: Address, bearer: Option<String>) -> Result<Self, Problem> {
        let client = Client::new(system_roots(), ANSWER).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        Ok(Self {
            address,
            bearer,
            client,
            runtime: runtime.map_err(|error| error.to_string())?,
        })
    }

    /// The service at `CANDADO_URL`, with the operator's token. The one that `candado dev` keeps is shown to this
    /// machine alone: whoever else is asked must be given one.
    pub(super) fn as_operator() -> Result<Self, Problem> {
        let address = address()?;
        let kept = || address.local.then(kept_admin_token).flatten();
        let token = variable("CANDADO_ADMIN_TOKEN").or_else(kept);
        let token = token.ok_or(
            "CANDADO_ADMIN_TOKEN is not set: it is the service's ADMIN_TOKEN, or yours of several",
        )?;
        let token = token.trim().to_owned();
        Self::at(address, Some(token))
    }

    /// The service at `CANDADO_URL`, without credentials.
    pub(super) fn as_client() -> Result<Self, Problem> {
        Self::at(address()?, None)
    }

    pub(super) fn url(&self) -> &str {
        &self.address.text
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Problem> {
        self.ask(Method::GET, path, None)
    }

    pub(super) fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Problem> {
        let answer = self.send(method, path, body)?;
        Ok(serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    /// The answer to a request that succeeds, whatever form it has.
    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Vec<u8>>, Problem> {
        let answer =
            self.runtime
                .block_on(self.exchange(method, path, body, self.bearer.as_deref()))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.refusal(&answer))
    }

    /// Any answer at all.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        bearer: Option<&str>,
    ) -> Result<Response<Vec<u8>>, Problem> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url()));
        if let Some(bearer) = bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| body.to_string().into_bytes());
        let request = request
            .body(body.unwrap_or_default())
            .map_err(|_| "the token holds characters that no header may have".to_owned())?;
        let answer = self.client.send(request, TIMEOUT).await;
        answer.map_err(|error| format!("{} does not answer: {error}", self.url()))
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// What the service said, in its own words.
    pub(super) fn refusal(&self, answer: &Response<Vec<u8>>) -> Problem {
        let value: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let said = match text(&value, "message") {
            "" => "this is no answer of Candado's: is the address right?",
            said => said,
        };
        let field = match text(&value, "field") {
            "" => String::new(),
            field => format!("{field}: "),
        };
        format!(
            "{} refused with {}: {field}{said}",
            self.url(),
            answer.status().as_u16()
        )
    }
}

fn address() -> Result<Address, Problem> {
    Address::parse(&variable("CANDADO_URL").unwrap_or_else(|| LOCAL.to_owned()))
}

pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    let items = value.get(field).and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_of_this_machine() {
        for (text, local) in [
            ("https://mfa.example.com", false),
            ("https://mfa.example.com:8443/", false),
            ("http://localhost:8787", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]:8787", true),
            ("https://localhost.evil.example", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().local, local, "{text}");
        }
        for text in [
            "http://mfa.example.com",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "https://user:secret@mfa.example.com",
            "https://mfa.example.com/path",
            "https://mfa.example.com?x",
            "mfa.example.com",
            "ftp://localhost",
            "",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_step_of_a_path_cannot_become_another_path() {
        assert_eq!(step("shop.de_1-a~"), "shop.de_1-a~");
        assert_eq!(step("../clients?x#y/é"), "..%2Fclients%3Fx%23y%2F%C3%A9");
        let query = with_query(
            "/admin/users",
            &[("client_id", Some("a&b=c".into())), ("prefix", None)],
        );
        assert_eq!(query, "/admin/users?client_id=a%26b%3Dc");
    }
}
