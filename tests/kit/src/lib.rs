//! The service in the hands of a test: an application that reads like a client, with a clock that is set, storage
//! that counts and fails, a KV that lies, and providers that are recorded.
//!
//! What is not as expected panics, as in the tests that use it.

pub mod engine;
pub mod page;
mod platform;
mod reply;
pub mod simulation;
pub mod targets;
pub mod webauthn;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use bytes::Bytes;
use candado::api::{self, Served};
use candado::app::App;
use candado::call::Task;
use candado::config::Config;
use candado::domain::codes::numeric::NumericCode;
use candado::domain::codes::totp::Parameters;
use candado::domain::crypto::token::AccessClaims;
use candado::domain::ids::{ClientId, TokenEpoch};
use candado::domain::time::UnixTime;
use candado::flows::housekeeping::{self, Allowance, Report};
use candado::native::signatures::Ring;
use http::{Method, Request};
use serde_json::{Value, json};

pub use platform::{Answer, Kv, Mood, Outbox, Sent, Storage};
pub use reply::Reply;

pub const ISSUER: &str = "https://mfa.example.com";
pub const ADMIN_TOKEN: &str = "admin-token-of-at-least-32-characters";
pub const K1: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub const K2: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
/// The second 10 of a time step.
pub const START: u64 = 1_760_000_020;

/// The service with everything around it in the test's hands.
pub struct TestApp {
    pub app: Arc<App>,
    router: Router,
    clock: Arc<AtomicU64>,
    pub db: Storage,
    pub kv: Kv,
    pub outbox: Outbox,
    /// Whoever webhooks go to.
    pub outside: Outbox,
    /// Of the client `shop`.
    pub token: String,
    epoch: TokenEpoch,
}

impl TestApp {
    /// A service with one client, `shop`, and its token.
    pub async fn new() -> Self {
        Self::with_settings(json!({})).await
    }

    pub async fn with_settings(settings: Value) -> Self {
        Self::build(&[], settings).await
    }

    /// The same with other variables.
    pub async fn configured(changed: &[(&str, &str)]) -> Self {
        Self::build(changed, json!({})).await
    }

    /// A service on SQLite, for what is said of that engine alone.
    pub async fn on_sqlite() -> Self {
        let clock = Arc::new(AtomicU64::new(START * 1000));
        let stores = engine::sqlite(&clock);
        Self::built_on(stores, clock, &[], json!({})).await
    }

    async fn build(changed: &[(&str, &str)], settings: Value) -> Self {
        let clock = Arc::new(AtomicU64::new(START * 1000));
        let stores = engine::any(&clock).await;
        Self::built_on(stores, clock, changed, settings).await
    }

    async fn built_on(
        (db, kv): engine::Stores,
        clock: Arc<AtomicU64>,
        changed: &[(&str, &str)],
        settings: Value,
    ) -> Self {
        let (db, kv) = (Storage::new(db), Kv::new(kv));
        let mut app = Self::assemble(changed, clock, db, kv);
        app.token = app.new_client("shop", settings).await;
        let claims = AccessClaims::verify(app.app.keys(), ISSUER, &app.token, app.app.now());
        app.epoch = claims.unwrap().epoch;
        app
    }

    /// The same databases under another configuration: what a new deployment finds.
    #[must_use]
    pub fn redeployed(&self, changed: &[(&str, &str)]) -> Self {
        let mut app = Self::assemble(
            changed,
            self.clock.clone(),
            self.db.clone(),
            self.kv.clone(),
        );
        app.token.clone_from(&self.token);
        app.epoch.clone_from(&self.epoch);
        app
    }

    fn assemble(changed: &[(&str, &str)], clock: Arc<AtomicU64>, db: Storage, kv: Kv) -> Self {
        let variables = [
            ("MASTER_KEYS", K1),
            ("PUBLIC_URL", ISSUER),
            ("ADMIN_TOKEN", ADMIN_TOKEN),
            ("SMS_COUNTRIES", "ES, US"),
            ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
            ("TWILIO_AUTH_TOKEN", "twilio-token"),
            ("TWILIO_FROM", "+15005550006"),
            ("SENDGRID_API_KEY", "SG.key"),
            ("SENDGRID_FROM", "mfa@example.com"),
        ];
        let lookup = |name: &str| {
            let value = changed
                .iter()
                .chain(&variables)
                .find(|(key, _)| *key == name);
            value.map(|(_, value)| (*value).to_owned())
        };
        let (outbox, outside) = (Outbox::default(), Outbox::default());
        let time = clock.clone();
        let app = App {
            config: Config::from_lookup(lookup).unwrap(),
            db: Arc::new(db.clone()),
            kv: Arc::new(kv.clone()),
            http: Arc::new(outbox.clone()),
            mailer: Some(Arc::new(outbox.clone())),
            outside: Arc::new(outside.clone()),
            signatures: Arc::new(Ring),
            clock: Box::new(move || time.load(Ordering::SeqCst)),
        };
        Self {
            app: Arc::new(app),
            router: api::router(),
            clock,
            db,
            kv,
            outbox,
            outside,
            token: String::new(),
            epoch: TokenEpoch::draw().unwrap(),
        }
    }

    pub fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst) / 1000
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub fn set_back(&self, seconds: u64) {
        self.clock.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }

    /// Any request at all. Work left for after the answer is done before this returns.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        let (reply, tasks) = self.send_and_leave(request).await;
        for task in tasks {
            task.await;
        }
        reply
    }

    /// As a Worker does it whose isolate ends with the answer: later work is not done.
    pub async fn send_and_leave(&self, request: Request<Bytes>) -> (Reply, Vec<Task>) {
        let served = self.serve(request).await;
        (Reply::new(served.response), served.tasks)
    }

    /// With what there is to say of it.
    pub async fn serve(&self, request: Request<Bytes>) -> Served {
        api::serve(&self.router, &self.app, request).await
    }

    pub fn request(method: Method, path: &str, token: Option<&str>, body: &str) -> Request<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://mfa.example.com{path}"));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        request.body(Bytes::from(body.to_owned())).unwrap()
    }

    /// A request of the client `shop`.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_as(&self.fresh_token(), path, body).await
    }

    /// A token of `shop` that holds now, however far the clock went.
    pub fn fresh_token(&self) -> String {
        let client = ClientId::try_from("shop".to_owned()).unwrap();
        let epoch = self.epoch.clone();
        let claims = AccessClaims::new(ISSUER, &client, epoch, self.app.now()).unwrap();
        claims.sign(self.app.keys()).unwrap()
    }

    pub async fn post_as(&self, token: &str, path: &str, body: Value) -> Reply {
        self.send(Self::request(
            Method::POST,
            path,
            Some(token),
            &body.to_string(),
        ))
        .await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Self::request(
            Method::GET,
            path,
            Some(&self.fresh_token()),
            "",
        ))
        .await
    }

    pub async fn admin(&self, method: Method, path: &str, body: Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(Self::request(method, path, Some(ADMIN_TOKEN), &body))
            .await
    }

    /// Makes a client and gives its token.
    pub async fn new_client(&self, id: &str, settings: Value) -> String {
        let secret = self.new_secret(id, settings).await;
        self.token_for(id, &secret).await
    }

    /// Makes a client and gives its secret.
    pub async fn new_secret(&self, id: &str, settings: Value) -> String {
        let body = json!({"name": "Shop", "client_id": id, "settings": settings});
        let created = self.admin(Method::POST, "/admin/clients", body).await;
        let created = created.expect(201);
        created["client_secret"].as_str().unwrap().to_owned()
    }

    /// A token of a client that holds now, for a test that made its clock go on.
    pub async fn renewed_token(&self, id: &str) -> String {
        let body = json!({"overlap_seconds": 60});
        let at = format!("/admin/clients/{id}/rotate-secret");
        let rotated = self.admin(Method::POST, &at, body).await.expect(200);
        self.token_for(id, rotated["client_secret"].as_str().unwrap())
            .await
    }

    pub async fn token_for(&self, id: &str, secret: &str) -> String {
        let request = Self::request(
            Method::POST,
            "/auth",
            None,
            &json!({"client_id": id, "client_secret": secret}).to_string(),
        );
        self.send(request).await.expect(200)["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The service with the user `ann`, who has a phone, an address, and an active factor no code of which was used.
    pub async fn with_ann() -> Self {
        let app = Self::new().await;
        app.reachable("ann").await;
        app
    }

    /// Registers a user with a phone and an address, and a factor that is active at once.
    pub async fn reachable(&self, user: &str) {
        let body = json!({"user_id": user, "phone": "+34600111222", "email": "ann@example.com", "confirm": false});
        self.post("/mfa/register", body).await.expect(200);
    }

    /// Registers a user and confirms the factor with a first code, whose step is then used.
    pub async fn enrolled(&self, user: &str) -> Authenticator {
        self.enrolled_with(json!({"user_id": user})).await
    }

    pub async fn enrolled_with(&self, body: Value) -> Authenticator {
        let user = body["user_id"].as_str().unwrap().to_owned();
        let authenticator = Authenticator::of(&self.post("/mfa/register", body).await.expect(200));
        self.verify(&user, &authenticator.code(self.now()))
            .await
            .expect(200);
        authenticator
    }

    /// Registers a user without data of contact; the factor is pending.
    pub async fn register(&self, user: &str) -> Reply {
        self.of_user("/mfa/register", user).await
    }

    pub async fn renew(&self, user: &str) -> Reply {
        self.of_user("/mfa/renew", user).await
    }

    pub async fn disable(&self, user: &str) -> Reply {
        self.of_user("/mfa/disable", user).await
    }

    pub async fn recovery_codes(&self, user: &str) -> Reply {
        self.of_user("/mfa/recovery-codes", user).await
    }

    pub async fn sms(&self, user: &str) -> Reply {
        self.of_user("/mfa/sms", user).await
    }

    pub async fn email(&self, user: &str) -> Reply {
        self.of_user("/mfa/email", user).await
    }

    pub async fn generate(&self, user: &str) -> Reply {
        self.of_user("/mfa/generate", user).await
    }

    /// Asks for a recovery message, by `sms` or `email`.
    pub async fn recover(&self, user: &str, by: &str) -> Reply {
        let body = json!({"user_id": user, "recovery_method": by});
        self.post("/mfa/recovery", body).await
    }

    /// The operator unlocks a user of `shop`.
    pub async fn unlock(&self, user: &str) -> Reply {
        let body = json!({"client_id": "shop", "user_id": user});
        self.admin(Method::POST, "/admin/unlock", body).await
    }

    /// A request that names a user and nothing else.
    pub async fn of_user(&self, path: &str, user: &str) -> Reply {
        self.post(path, json!({"user_id": user})).await
    }

    pub async fn verify(&self, user: &str, code: &str) -> Reply {
        self.post("/mfa/verify", json!({"user_id": user, "code": code}))
            .await
    }

    pub async fn guess_right(&self, user: &str, authenticator: &Authenticator) -> Reply {
        self.verify(user, &authenticator.code(self.now())).await
    }

    /// So many wrong codes, each of which is counted.
    pub async fn guess_wrong(&self, user: &str, authenticator: &Authenticator, times: u32) {
        for _ in 0..times {
            self.verify(user, &authenticator.wrong(self.now()))
                .await
                .fails(400, "invalid_code");
        }
    }

    /// Runs the scheduled job as often as it is given time for.
    pub async fn housekeep(&self) -> Report {
        let allowance = Allowance {
            milliseconds: 1,
            statements: u32::MAX,
        };
        housekeeping::run(&self.app, allowance).await.unwrap()
    }

    pub async fn status(&self, user: &str) -> Value {
        self.get(&format!("/mfa/status?user_id={user}"))
            .await
            .expect(200)
    }

    /// The events recorded for a user, oldest first.
    pub async fn events(&self, user: &str) -> Vec<String> {
        let log = self
            .admin(
                Method::GET,
                &format!("/admin/audit?user_id={user}&limit=1000"),
                Value::Null,
            )
            .await;
        let events = log.expect(200)["events"].as_array().unwrap().clone();
        events
            .iter()
            .map(|event| event["event"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A code that none of these is.
pub fn wrong_code(right: &[String]) -> String {
    (0..10)
        .map(|n| format!("{n:06}"))
        .find(|code| !right.contains(code))
        .unwrap()
}

/// The user's authenticator app. (That codes of a program not ours verify is tested with the Worker.)
pub struct Authenticator {
    pub secret: Vec<u8>,
}

impl Authenticator {
    pub fn of(enrolment: &Value) -> Self {
        Self {
            secret: base32::decode(
                base32::Alphabet::Rfc4648 { padding: false },
                enrolment["secret"].as_str().unwrap(),
            )
            .unwrap(),
        }
    }

    pub fn code(&self, now: u64) -> String {
        let parameters = Parameters::default();
        let code: NumericCode =
            parameters.code_at(&self.secret, parameters.step_at(UnixTime::from_secs(now)));
        code.as_str().to_owned()
    }

    /// A code no step near `now` has.
    pub fn wrong(&self, now: u64) -> String {
        wrong_code(&[now - 60, now - 30, now, now + 30, now + 60].map(|at| self.code(at)))
    }
}
