//! The CPU of the most expensive requests, natively: the whole service on SQLite in memory, against the
//! 10 ms a request has on the free plan. The wasm is slower; `scripts/bench.mjs` measures that one.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark has nobody to report to"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use candado::api;
use candado::app::App;
use candado::config::Config;
use candado::domain::ids::ClientId;
use candado::domain::token::AccessClaims;
use candado::native::sqlite::{Sqlite, SqliteKeyValue};
use candado::platform::{Database, HttpClient, HttpError, Statement};
use http::{Request, Response};
use serde_json::{Value, json};

const ISSUER: &str = "https://mfa.example.com";
const ADMIN_TOKEN: &str = "admin-token-of-at-least-32-characters";
const RUNS: usize = 300;

struct Accepting;

#[async_trait]
impl HttpClient for Accepting {
    async fn send(&self, _: Request<Vec<u8>>, _: Duration) -> Result<Response<Vec<u8>>, HttpError> {
        let mut accepted = Response::new(Vec::new());
        *accepted.status_mut() = http::StatusCode::ACCEPTED;
        Ok(accepted)
    }

    async fn wait(&self, _: Duration) {}
}

struct Service {
    app: Arc<App>,
    db: Sqlite,
    router: Router,
    clock: Arc<AtomicU64>,
}

impl Service {
    fn new() -> Self {
        let clock = Arc::new(AtomicU64::new(1_760_000_010_000));
        let variable = |name: &str| {
            let value = match name {
                "MASTER_KEYS" => "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                "PUBLIC_URL" => ISSUER,
                "ADMIN_TOKEN" => ADMIN_TOKEN,
                "SMS_COUNTRIES" => "*",
                "TWILIO_ACCOUNT_SID" => "AC0123456789abcdef0123456789abcdef",
                "TWILIO_AUTH_TOKEN" => "twilio-token",
                "TWILIO_FROM" => "+15005550006",
                "SENDGRID_API_KEY" => "SG.key",
                "SENDGRID_FROM" => "mfa@example.com",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let db = Sqlite::in_memory().unwrap();
        let now = |clock: &Arc<AtomicU64>| {
            let clock = clock.clone();
            move || clock.load(Ordering::SeqCst)
        };
        let app = App {
            config: Config::from_lookup(variable).unwrap(),
            kv: Arc::new(SqliteKeyValue::new(db.clone(), Arc::new(now(&clock))).unwrap()),
            db: Arc::new(db.clone()),
            http: Arc::new(Accepting),
            clock: Box::new(now(&clock)),
        };
        Self {
            app: Arc::new(app),
            db,
            router: api::router(),
            clock,
        }
    }

    fn request(&self, path: &str, body: &str) -> Request<Bytes> {
        let client = ClientId::try_from("shop".to_owned()).unwrap();
        let token = if path.starts_with("/admin") {
            ADMIN_TOKEN.to_owned()
        } else {
            let claims = AccessClaims::new(ISSUER, &client, self.app.now()).unwrap();
            claims.sign(self.app.keys()).unwrap()
        };
        Request::builder()
            .method(if body.is_empty() { "GET" } else { "POST" })
            .uri(format!("{ISSUER}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_owned()))
            .unwrap()
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (response, tasks) = api::serve(&self.router, &self.app, request).await;
        for task in tasks {
            task.await;
        }
        response
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let response = self.send(self.request(path, &body.to_string())).await;
        assert!(
            response.status().is_success(),
            "{path}: {:?}",
            response.body()
        );
        serde_json::from_slice(response.body()).unwrap()
    }

    async fn sql(&self, sql: &'static str) {
        self.db.run(Statement::new(sql, [])).await.unwrap();
    }
}

/// All an account can hold: an app and its pending twin with the longest secrets, ten recovery codes, and
/// a live code on every channel.
async fn fullest_account(service: &Service) -> String {
    service
        .post(
            "/admin/clients",
            json!({"name": "Shop", "client_id": "shop"}),
        )
        .await;
    let user = json!({
        "user_id": "ann", "phone": "+34600111222", "email": "ann@example.com", "algorithm": "SHA512", "confirm": false
    });
    service.post("/mfa/register", user).await;
    service
        .post("/mfa/recovery-codes", json!({"user_id": "ann"}))
        .await;
    let renewed = service.post("/mfa/renew", json!({"user_id": "ann"})).await;
    service.post("/mfa/sms", json!({"user_id": "ann"})).await;
    service.post("/mfa/email", json!({"user_id": "ann"})).await;
    service
        .post("/mfa/generate", json!({"user_id": "ann"}))
        .await;
    service.clock.fetch_add(61_000, Ordering::SeqCst);
    service
        .post(
            "/mfa/recovery",
            json!({"user_id": "ann", "recovery_method": "sms"}),
        )
        .await;
    renewed["qr_code_url"]
        .as_str()
        .unwrap()
        .trim_start_matches(ISSUER)
        .to_owned()
}

fn main() {
    // `cargo test --benches` calls this too; measuring is not testing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let service = Service::new();
        let picture = fullest_account(&service).await;
        service.sql("CREATE TABLE kept AS SELECT * FROM accounts").await;
        let full = |body: Value| {
            let text = body.to_string();
            format!("{text}{}", " ".repeat(api::BODY_LIMIT - text.len()))
        };
        println!("{RUNS} runs each, natively, SQLite in memory: nothing waits, so time is CPU");
        for (name, path, body) in [
            ("verify, six digits, wrong, body of 16 KiB", "/mfa/verify", full(json!({"user_id": "ann", "code": "000000"}))),
            ("verify, eight digits, wrong, body of 16 KiB", "/mfa/verify", full(json!({"user_id": "ann", "code": "00000000"}))),
            ("verify, recovery code, wrong, body of 16 KiB", "/mfa/verify", full(json!({"user_id": "ann", "code": "0000-0000-0000-0000-0000-0000"}))),
            ("ten recovery codes, body of 16 KiB", "/mfa/recovery-codes", full(json!({"user_id": "ann"}))),
            ("renew, body of 16 KiB", "/mfa/renew", full(json!({"user_id": "ann"}))),
            ("register, body of 16 KiB", "/mfa/register", full(json!({"user_id": "new", "algorithm": "SHA512", "phone": "+34600111223", "email": "new@example.com"}))),
            ("a body of 16 KiB that is one field too many", "/mfa/verify", format!(r#"{{"user_id":"ann","x":"{}"}}"#, "x".repeat(api::BODY_LIMIT - 40))),
            ("QR code as PNG", picture.as_str(), String::new()),
            ("status", "/mfa/status?user_id=ann", String::new()),
        ] {
            let mut times = Vec::new();
            for _ in 0..RUNS {
                service.sql("DELETE FROM accounts").await;
                service.sql("INSERT INTO accounts SELECT * FROM kept").await;
                let request = service.request(path, &body);
                let began = now();
                let response = service.send(request).await;
                times.push(began.elapsed().as_secs_f64() * 1e3);
                assert!(response.status().as_u16() < 429, "{:?}", response.body());
            }
            times.sort_by(f64::total_cmp);
            let at = |share: usize| times[(RUNS - 1) * share / 100];
            println!("{name:<48} median {:>6.3} ms   99 % below {:>6.3} ms", at(50), at(99));
        }
    });
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark runs natively, and time is what it measures"
)]
fn now() -> Instant {
    Instant::now()
}
