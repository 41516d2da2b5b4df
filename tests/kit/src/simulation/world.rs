//! The service, its surroundings, and the one who watches what it answers.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use candado::api;
use candado::app::App;
use candado::config::Config;
use candado::domain::crypto::token::AccessClaims;
use candado::domain::ids::{ClientId, TokenEpoch};
use candado::flows::housekeeping::{self, Allowance};
use candado::native::signatures::Ring;
use candado::platform::{HttpClient, HttpError, KeyValue, KeyValueError};
use fastrand::Rng;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::engine::Engine;
use super::model::Model;
use super::users::user_of_phone;
use super::{Options, Report};
use crate::{ADMIN_TOKEN, ISSUER, K1, START, Sent, TestApp};

/// Requests under way at a time, at most.
const AT_ONCE: usize = 500;
/// Of them, those that take hours.
const FEW: usize = 20;
/// Messages of the client in a day.
const BUDGET: u64 = 5000;

/// The code that came to a user last.
type Phones = Arc<Mutex<HashMap<u32, String>>>;

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) model: Arc<Mutex<Model>>,
    router: Router,
    app: RefCell<Arc<App>>,
    kv: Arc<Keys>,
    provider: Arc<Provider>,
    epoch: RefCell<Option<TokenEpoch>>,
    /// When it was issued, and the token.
    token: RefCell<(u64, String)>,
    /// Tokens of before then are refused.
    restored: Cell<u64>,
    began: Instant,
    turns: Arc<Semaphore>,
    few: Arc<Semaphore>,
    events: Cell<u64>,
    digest: RefCell<DefaultHasher>,
    options: Options,
}

impl World {
    pub(super) async fn new(options: Options) -> Self {
        let engine = Engine::new(options.seed, options.defect);
        let (began, phones) = (Instant::now(), Phones::default());
        let model = Arc::new(Mutex::new(Model::new(BUDGET)));
        let provider = Arc::new(Provider {
            phones,
            model: model.clone(),
            began,
            rng: Mutex::new(Rng::with_seed(options.seed ^ 1)),
        });
        let kv = Arc::new(Keys {
            values: Mutex::default(),
            rng: Mutex::new(Rng::with_seed(options.seed ^ 2)),
            began,
        });
        let app = app(&engine, &kv, &provider, began, None);
        let world = Self {
            engine,
            model,
            router: api::router(),
            app: RefCell::new(app),
            kv,
            provider,
            epoch: RefCell::new(None),
            token: RefCell::default(),
            restored: Cell::new(0),
            began,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            few: Arc::new(Semaphore::new(FEW)),
            events: Cell::new(0),
            digest: RefCell::new(DefaultHasher::new()),
            options,
        };
        world.make_client().await;
        world
    }

    /// The client `shop`, tried until it is there.
    async fn make_client(&self) {
        let settings = json!({
            "sms_per_prefix_and_hour": 1000, "daily_sms_budget": BUDGET,
            "max_accounts": 1_000_000_000, "registrations_per_minute": 1_000_000,
        });
        let body = json!({"name": "Shop", "client_id": "shop", "settings": settings}).to_string();
        let secret = loop {
            let request =
                TestApp::request(Method::POST, "/admin/clients", Some(ADMIN_TOKEN), &body);
            let (status, made) = self.send(request).await;
            if status == 201 {
                break made["client_secret"].as_str().unwrap().to_owned();
            }
            let request =
                TestApp::request(Method::DELETE, "/admin/clients/shop", Some(ADMIN_TOKEN), "");
            self.send(request).await;
            self.housekeep().await;
        };
        let body = json!({"client_id": "shop", "client_secret": secret}).to_string();
        let token = loop {
            let request = TestApp::request(Method::POST, "/auth", None, &body);
            let (status, token) = self.send(request).await;
            if status == 200 {
                break token["access_token"].as_str().unwrap().to_owned();
            }
        };
        let app = self.app.borrow().clone();
        let claims = AccessClaims::verify(app.keys(), ISSUER, &token, app.now()).unwrap();
        *self.epoch.borrow_mut() = Some(claims.epoch);
    }

    /// Seconds of the simulated clock.
    pub(super) fn now(&self) -> u64 {
        seconds(self.began)
    }

    pub(super) fn users(&self) -> u32 {
        self.options.users
    }

    pub(super) fn events(&self) -> u64 {
        self.events.get()
    }

    /// Waits until somebody may come in.
    pub(super) async fn turn(&self) -> OwnedSemaphorePermit {
        self.turns.clone().acquire_owned().await.unwrap()
    }

    /// A place among those that take hours, if there is one.
    pub(super) fn one_of_few(&self) -> Option<OwnedSemaphorePermit> {
        self.few.clone().try_acquire_owned().ok()
    }

    /// Waits until everybody is gone.
    pub(super) async fn settle(&self) {
        let all = u32::try_from(AT_ONCE).unwrap();
        drop(self.turns.clone().acquire_many_owned(all).await);
    }

    /// A token of the present minute, and when it was issued.
    fn token(&self) -> (u64, String) {
        let now = self.now();
        let mut token = self.token.borrow_mut();
        if token.0 / 60 != now / 60 || token.0 < self.restored.get() {
            let client = ClientId::try_from("shop".to_owned()).unwrap();
            let app = self.app.borrow();
            let epoch = self.epoch.borrow().clone().unwrap();
            let claims = AccessClaims::new(ISSUER, &client, epoch, app.now()).unwrap();
            *token = (now, claims.sign(app.keys()).unwrap());
        }
        token.clone()
    }

    /// One request of the client about that user.
    pub(super) async fn ask(&self, path: &str, body: &Value) -> (u16, Value) {
        self.events.set(self.events.get() + 1);
        let (issued, token) = self.token();
        let request = TestApp::request(Method::POST, path, Some(&token), &body.to_string());
        let (status, answer) = self.send(request).await;
        if status == 401 && issued < self.restored.get() {
            // The client gets another one and comes again later, as after any failure.
            return (503, Value::Null);
        }
        let mut digest = self.digest.borrow_mut();
        let told = answer["error"].as_str().unwrap_or_default();
        (self.now(), path, body["user_id"].as_str(), status, told).hash(&mut *digest);
        (status, answer)
    }

    async fn send(&self, request: Request<bytes::Bytes>) -> (u16, Value) {
        let app = self.app.borrow().clone();
        let api::Served {
            response, tasks, ..
        } = api::serve(&self.router, &app, request).await;
        let reply = crate::Reply::new(response);
        for task in tasks {
            task.await;
        }
        let answer = if reply.bytes.is_empty() {
            Value::Null
        } else {
            reply.json()
        };
        (reply.status, answer)
    }

    /// The operator starts the programs again and says that commits since then may be lost, as the guide has it.
    pub(super) fn restart_after_loss(&self, since: u64) {
        let restored = self.now() + 1;
        self.restored.set(restored);
        let said = self.options.defect != Some(super::Defect::SilentFailover);
        let restored = said.then_some(restored);
        *self.app.borrow_mut() = app(&self.engine, &self.kv, &self.provider, self.began, restored);
        let mut model = self.model.lock().unwrap();
        model.forget_counts_since(since, self.now());
    }

    pub(super) async fn housekeep(&self) {
        let app = self.app.borrow().clone();
        let allowance = Allowance {
            milliseconds: 60_000,
            statements: 100_000,
        };
        // It may fail as everything else, and runs again.
        let _ = housekeeping::run(&app, allowance).await;
    }

    pub(super) fn code_of(&self, user: u32) -> Option<String> {
        self.provider.phones.lock().unwrap().get(&user).cloned()
    }

    pub(super) fn report(&self) -> Report {
        let model = self.model.lock().unwrap();
        Report {
            events: self.events(),
            users: self.engine.number("SELECT COUNT(*) FROM accounts"),
            accepted: model.accepted,
            evaluated: model.evaluated,
            messages: model.messages,
            faults: self.engine.faults(),
            digest: self.digest.borrow().finish(),
            violations: model.violations.clone(),
        }
    }
}

fn seconds(began: Instant) -> u64 {
    START + began.elapsed().as_secs()
}

fn app(
    engine: &Engine,
    kv: &Arc<Keys>,
    provider: &Arc<Provider>,
    began: Instant,
    restored: Option<u64>,
) -> Arc<App> {
    let restored = restored.map(|at| at.to_string());
    let lookup = |name: &str| {
        let value = match name {
            "MASTER_KEYS" => K1,
            "PUBLIC_URL" => ISSUER,
            "ADMIN_TOKEN" => ADMIN_TOKEN,
            "SMS_COUNTRIES" => "ES",
            "TWILIO_ACCOUNT_SID" => "AC0123456789abcdef0123456789abcdef",
            "TWILIO_AUTH_TOKEN" => "twilio-token",
            "TWILIO_FROM" => "+15005550006",
            "AUDIT_RETENTION_DAYS" => "1",
            "RESTORED_AT" => return restored.clone(),
            _ => return None,
        };
        Some(value.to_owned())
    };
    Arc::new(App {
        config: Config::from_lookup(lookup).unwrap(),
        db: engine.connect(),
        kv: kv.clone(),
        http: provider.clone(),
        mailer: None,
        outside: provider.clone(),
        signatures: Arc::new(Ring),
        clock: Box::new(move || {
            let elapsed = u64::try_from(began.elapsed().as_millis()).unwrap();
            START * 1000 + elapsed
        }),
    })
}

/// Keys that are slow, fail at times, and are not always what they were.
struct Keys {
    values: Mutex<HashMap<String, (String, u64)>>,
    rng: Mutex<Rng>,
    began: Instant,
}

impl Keys {
    /// Whether this call does what it should.
    async fn call(&self) -> Result<bool, KeyValueError> {
        let (way, fate) = {
            let mut rng = self.rng.lock().unwrap();
            (rng.u64(0..10), rng.u32(..1000))
        };
        sleep(Duration::from_millis(way)).await;
        match fate {
            0..5 => Err(KeyValueError("simulated".to_owned())),
            fate => Ok(fate >= 20),
        }
    }
}

#[async_trait]
impl KeyValue for Keys {
    async fn get(&self, key: &str) -> Result<Option<String>, KeyValueError> {
        // A read that was cached finds nothing.
        if !self.call().await? {
            return Ok(None);
        }
        let now = seconds(self.began);
        let values = self.values.lock().unwrap();
        let live = values.get(key).filter(|(_, until)| *until > now);
        Ok(live.map(|(value, _)| value.clone()))
    }

    async fn put(&self, key: &str, value: &str, ttl: u64) -> Result<(), KeyValueError> {
        self.call().await?;
        let now = seconds(self.began);
        let mut values = self.values.lock().unwrap();
        if values.len() > 100_000 {
            values.retain(|_, (_, until)| *until > now);
        }
        values.insert(key.to_owned(), (value.to_owned(), now + ttl.max(60)));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        // One that is lost leaves what was once there.
        if self.call().await? {
            self.values.lock().unwrap().remove(key);
        }
        Ok(())
    }
}

/// Takes messages to their phones.
struct Provider {
    phones: Phones,
    model: Arc<Mutex<Model>>,
    began: Instant,
    rng: Mutex<Rng>,
}

#[async_trait]
impl HttpClient for Provider {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let (way, fate) = {
            let mut rng = self.rng.lock().unwrap();
            (rng.u64(20..900), rng.u32(..200))
        };
        sleep(Duration::from_millis(way)).await;
        if fate == 0 {
            return Ok(status(400));
        }
        let (parts, body) = request.into_parts();
        let sent = Sent {
            uri: parts.uri.to_string(),
            headers: parts.headers,
            timeout,
            body: String::from_utf8(body).unwrap(),
        };
        let mut form = form_urlencoded::parse(sent.body.as_bytes());
        let (_, to) = form.find(|(name, _)| name == "To").unwrap();
        let user = user_of_phone(&to);
        self.model
            .lock()
            .unwrap()
            .deliver(user, seconds(self.began), fate != 1);
        self.phones.lock().unwrap().insert(user, sent.code());
        if fate == 1 {
            return Err(HttpError::Timeout);
        }
        Ok(status(201))
    }

    async fn wait(&self, duration: Duration) {
        sleep(duration).await;
    }
}

fn status(status: u16) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .body(b"{}".to_vec())
        .unwrap()
}
