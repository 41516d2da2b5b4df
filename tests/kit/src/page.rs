//! A browser on the hosted page: it keeps cookies, names its session and its requests, and says where it is.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::{ISSUER, Reply, TestApp};

pub const RETURN_URL: &str = "https://shop.example/mfa/done";

/// What the page's browser says that it is.
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";

/// One browser with one session.
pub struct Page<'a> {
    app: &'a TestApp,
    pub session_id: String,
    pub secret: String,
    pub cookies: RefCell<BTreeMap<String, String>>,
    keys: Cell<u32>,
}

impl<'a> Page<'a> {
    /// A session of `ann` that no browser opened yet.
    pub async fn new(app: &'a TestApp, purpose: &str) -> Self {
        let body = json!({"user_id": "ann", "purpose": purpose, "return_url": RETURN_URL, "state": "s-123"});
        Self::with(app, body).await
    }

    pub async fn with(app: &'a TestApp, body: Value) -> Self {
        let created = app.post("/mfa/sessions", body).await.expect(201);
        let url = created["url"].as_str().unwrap();
        let fragment = url.strip_prefix(&format!("{ISSUER}/session#")).unwrap();
        let (session_id, secret) = fragment.split_once('.').unwrap();
        assert_eq!(created["session_id"], session_id);
        Self::of(app, session_id, secret)
    }

    /// Another browser with what the first was sent.
    pub fn of(app: &'a TestApp, session_id: &str, secret: &str) -> Self {
        Self {
            app,
            session_id: session_id.to_owned(),
            secret: secret.to_owned(),
            cookies: RefCell::default(),
            keys: Cell::new(0),
        }
    }

    /// A session that this browser opened.
    pub async fn opened(app: &'a TestApp, purpose: &str) -> Self {
        let page = Self::new(app, purpose).await;
        page.open().await.expect(200);
        page
    }

    pub async fn open(&self) -> Reply {
        let secret = self.secret.clone();
        self.post("open", json!({"secret": secret})).await
    }

    pub async fn state(&self) -> Value {
        self.get("state").await.expect(200)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path, "", None)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.press(Method::POST, path, body).await
    }

    /// A request under a name of its own.
    pub async fn press(&self, method: Method, path: &str, body: Value) -> Reply {
        self.keys.set(self.keys.get() + 1);
        let key = format!("key-{}", self.keys.get());
        self.press_as(&key, method, path, body).await
    }

    pub async fn press_as(&self, key: &str, method: Method, path: &str, body: Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(self.request(method, path, &body, Some(key)))
            .await
    }

    /// As this page sends it.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        body: &str,
        key: Option<&str>,
    ) -> Request<Bytes> {
        let reads = method == Method::GET;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{ISSUER}/session/{path}"))
            .header("user-agent", FIREFOX)
            .header("candado-session", &self.session_id);
        if !reads {
            request = request
                .header("origin", ISSUER)
                .header("sec-fetch-site", "same-origin");
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let cookies = self.cookies.borrow();
        if !cookies.is_empty() {
            let pairs: Vec<_> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("cookie", pairs.join("; "));
        }
        request.body(Bytes::from(body.to_owned())).unwrap()
    }

    /// Sends it and keeps the cookies that come back.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        let reply = self.app.send(request).await;
        for line in reply.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let rules = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=";
            let (pair, seconds) = line.split_once(rules).unwrap_or_else(|| panic!("{line}"));
            assert!(seconds.parse::<u32>().unwrap() > 0);
            let (name, value) = pair.split_once('=').unwrap();
            assert!(name.starts_with("__Host-candado-"));
            self.cookies
                .borrow_mut()
                .insert(name.to_owned(), value.to_owned());
        }
        reply
    }

    pub async fn verify(&self, method: &str, code: &str) -> Reply {
        self.post("verify", json!({"method": method, "code": code}))
            .await
    }

    /// Leaves the page, and gives the code the application is sent.
    pub async fn finish(&self) -> String {
        let leaving = self.post("finish", Value::Null).await.expect(200);
        let redirect = leaving["redirect"].as_str().unwrap();
        let code = redirect
            .strip_prefix(&format!("{RETURN_URL}?code="))
            .unwrap();
        let (code, state) = code.split_once('&').unwrap();
        assert_eq!(state, "state=s-123");
        code.to_owned()
    }
}
