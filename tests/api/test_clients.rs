//! Test clients: nothing is sent for them, and their clock goes on when they say so.

use candado_testkit::page::{Page, RETURN_URL};
use candado_testkit::{Authenticator, Reply, TestApp};
use futures_util::future::join_all;
use http::{HeaderValue, Method};
use serde_json::{Value, json};

/// A test client and its token.
struct Tester<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Tester<'a> {
    async fn new(app: &'a TestApp, id: &str) -> Self {
        let body = json!({"name": "Shop, in tests", "client_id": id, "test": true});
        let made = app.admin(Method::POST, "/admin/clients", body).await;
        let secret = made.expect(201)["client_secret"].clone();
        let token = app.token_for(id, secret.as_str().unwrap()).await;
        Self { app, token }
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.app.post_as(&self.token, path, body).await
    }

    async fn get(&self, path: &str) -> Reply {
        let request = TestApp::request(Method::GET, path, Some(&self.token), "");
        self.app.send(request).await
    }

    async fn of_ann(&self, path: &str) -> Reply {
        self.post(path, json!({"user_id": "ann"})).await
    }

    async fn verify(&self, code: &str) -> Reply {
        self.post("/mfa/verify", json!({"user_id": "ann", "code": code}))
            .await
    }

    async fn advance(&self, seconds: u64) -> u64 {
        let body = json!({"advance_seconds": seconds});
        let clock = self.post("/mfa/test/clock", body).await.expect(200);
        clock["now"].as_u64().unwrap()
    }

    async fn messages(&self) -> Vec<Value> {
        let listed = self.get("/mfa/test/messages").await.expect(200);
        listed["messages"].as_array().unwrap().clone()
    }

    async fn last_code(&self) -> String {
        let messages = self.messages().await;
        messages.last().unwrap()["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Ann, with a phone and an address, whose app is active.
    async fn enrol(&self) -> Authenticator {
        let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com", "confirm": false});
        Authenticator::of(&self.post("/mfa/register", body).await.expect(200))
    }
}

#[tokio::test]
async fn nothing_is_sent_and_what_would_have_been_is_listed() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    tester.enrol().await;
    let sent = tester.of_ann("/mfa/sms").await.expect(200);
    assert_eq!(sent["destination"], "+34•••••••22");
    tester.of_ann("/mfa/email").await.expect(200);
    // A minute passes between two messages, for a test client as for every other.
    let later = tester.advance(60).await;
    let body = json!({"user_id": "ann", "recovery_method": "sms"});
    tester.post("/mfa/recovery", body).await.expect(200);
    assert!(app.outbox.sent().is_empty());
    let messages = tester.messages().await;
    let of = |field: &str| -> Vec<Value> { messages.iter().map(|it| it[field].clone()).collect() };
    assert_eq!(of("channel"), ["sms", "email", "sms"]);
    assert_eq!(of("purpose"), ["verify", "verify", "recovery"]);
    assert_eq!(
        of("to"),
        ["+34600111222", "ann@example.com", "+34600111222"]
    );
    assert_eq!(of("user_id"), ["ann", "ann", "ann"]);
    assert_eq!(of("sent_at"), [app.now(), app.now(), later]);
    assert!(messages[0]["subject"].is_null() && messages[1]["subject"].is_string());
    let (text, code) = (&messages[0]["text"], &messages[0]["code"]);
    let (text, code) = (text.as_str().unwrap(), code.as_str().unwrap());
    assert!(text.ends_with(&format!("\n@mfa.example.com #{code}")));
    assert_eq!(tester.verify(code).await.expect(200)["method"], "sms");
    let others = tester.get("/mfa/test/messages?user_id=bob").await;
    assert_eq!(others.expect(200)["messages"], json!([]));
}

#[tokio::test]
async fn a_test_client_needs_no_provider_and_waits_for_none() {
    let none = [("TWILIO_ACCOUNT_SID", ""), ("SENDGRID_API_KEY", "")];
    let app = TestApp::configured(&none).await;
    let tester = Tester::new(&app, "test_shop").await;
    tester.enrol().await;
    app.db
        .execute(
            "INSERT INTO provider_pauses (provider, until) VALUES ('twilio', 9999999999)"
                .to_owned(),
        )
        .await;
    let status = tester.get("/mfa/status?user_id=ann").await.expect(200);
    assert_eq!(status["methods"], json!(["totp", "sms", "email"]));
    tester.of_ann("/mfa/sms").await.expect(200);
    tester.of_ann("/mfa/email").await.expect(200);
    app.reachable("ann").await;
    app.sms("ann").await.fails(503, "channel_not_configured");
}

#[tokio::test]
async fn atk_108_for_every_other_client_there_is_nothing_there() {
    let app = TestApp::new().await;
    app.reachable("ann").await;
    let one = Tester::new(&app, "test_one").await;
    let two = Tester::new(&app, "test_two").await;
    one.enrol().await;
    two.enrol().await;
    one.of_ann("/mfa/sms").await.expect(200);
    let forward = json!({"advance_seconds": 3600});
    // Not a test client.
    app.post("/mfa/test/clock", forward.clone())
        .await
        .fails(404, "not_found");
    app.get("/mfa/test/messages").await.fails(404, "not_found");
    app.get("/mfa/test/messages?user_id=ann")
        .await
        .fails(404, "not_found");
    // Nobody.
    let request = TestApp::request(Method::GET, "/mfa/test/messages", None, "");
    app.send(request).await.fails(401, "invalid_token");
    let request = TestApp::request(Method::POST, "/mfa/test/clock", Some("x"), "{}");
    app.send(request).await.fails(401, "invalid_token");
    // Another test client.
    assert_eq!(two.messages().await, Vec::<Value>::new());
    two.get("/mfa/test/messages?client_id=test_one")
        .await
        .fails(403, "client_mismatch");
    let body = json!({"client_id": "test_one", "advance_seconds": 3600});
    two.post("/mfa/test/clock", body)
        .await
        .fails(403, "client_mismatch");
    assert_eq!(two.advance(3600).await, app.now() + 3600);
    assert_eq!(one.advance(0).await, app.now());
    assert!(one.verify(&one.last_code().await).await.status == 200);
    // Nor did any of it touch the real client.
    app.sms("ann").await.expect(200);
    app.verify("ann", &app.outbox.last().code())
        .await
        .expect(200);
    assert_eq!(app.outbox.sent().len(), 1);
}

#[tokio::test]
async fn atk_108_a_token_that_ended_moves_no_clock_and_reads_no_message() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    let revoke = json!({"access_token": tester.token}).to_string();
    app.send(TestApp::request(
        Method::POST,
        "/auth/revoke",
        None,
        &revoke,
    ))
    .await
    .expect(200);
    let forward = json!({"advance_seconds": 3600});
    tester
        .post("/mfa/test/clock", forward)
        .await
        .fails(401, "invalid_token");
    tester
        .get("/mfa/test/messages")
        .await
        .fails(401, "invalid_token");
    let clocks = app
        .db
        .rows("SELECT test_clock_ahead FROM clients WHERE client_id = 'test_shop'")
        .await;
    assert_eq!(clocks[0]["test_clock_ahead"], 0);
}

#[tokio::test]
async fn everything_of_the_client_is_by_its_clock() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    // An enrolment and its QR code expire.
    let enrolment = tester.of_ann("/mfa/register").await.expect(200);
    let url = enrolment["qr_code_url"].as_str().unwrap();
    let path = url.strip_prefix("https://mfa.example.com").unwrap();
    let picture = async || {
        let request = TestApp::request(Method::GET, path, None, "");
        app.send(request).await.status
    };
    assert_eq!(picture().await, 200);
    let now = tester.advance(599).await;
    assert_eq!(now, app.now() + 599);
    assert_eq!(picture().await, 200);
    let now = tester.advance(1).await;
    assert_eq!(picture().await, 404);
    let authenticator = Authenticator::of(&enrolment);
    assert!(tester.verify(&authenticator.code(now)).await.status >= 400);
    // The app's codes are those of its time.
    let authenticator = tester.enrol().await;
    let real = authenticator.code(app.now());
    tester.verify(&real).await.fails(400, "invalid_code");
    tester.verify(&authenticator.code(now)).await.expect(200);
    // A code that was sent expires, and the cooldown ends.
    tester.of_ann("/mfa/sms").await.expect(200);
    let code = tester.last_code().await;
    tester.of_ann("/mfa/sms").await.fails(429, "send_limited");
    tester.advance(300).await;
    tester.verify(&code).await.fails(400, "invalid_code");
    tester.of_ann("/mfa/sms").await.expect(200);
    tester.verify(&tester.last_code().await).await.expect(200);
    // A result for others is by a clock that they share.
    let now = tester.advance(30).await;
    let body = json!({"user_id": "ann", "code": authenticator.code(now), "result_token": true});
    let verified = tester.post("/mfa/verify", body).await.expect(200);
    let claims = verified["result_token"].as_str().unwrap().split('.').nth(1);
    let claims = base64::Engine::decode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        claims.unwrap(),
    );
    let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    assert_eq!(claims["iat"], app.now());
    assert_eq!(claims["auth_time"], app.now());
}

#[tokio::test]
async fn a_lock_of_an_hour_ends_within_a_moment() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    let authenticator = tester.enrol().await;
    let mut now = app.now();
    let mut locks = Vec::new();
    for n in 1..=11 {
        let failure = tester.verify(&authenticator.wrong(now)).await;
        let failure = failure.fails(400, "invalid_code");
        if n < 5 {
            continue;
        }
        let lock = failure["retry_after"].as_u64().unwrap();
        locks.push(lock);
        let (_, ttl) = app.kv.written.lock().unwrap()["lock:test_shop:ann"].clone();
        assert_eq!(
            ttl, lock,
            "the mark lives as long as the lock, by either clock"
        );
        now = tester.advance(lock - 1).await;
        tester
            .verify(&authenticator.code(now))
            .await
            .fails(429, "locked");
        now = tester.advance(1).await;
    }
    assert_eq!(locks, [60, 120, 240, 480, 960, 1920, 3600]);
    tester.verify(&authenticator.code(now)).await.expect(200);
    let log = app
        .admin(Method::GET, "/admin/audit?client_id=test_shop", Value::Null)
        .await
        .expect(200);
    let events = log["events"].as_array().unwrap();
    assert!(events.len() > 11);
    for event in events {
        assert_eq!(
            event["at"],
            app.now(),
            "the record is by the server's clock"
        );
    }
}

#[tokio::test]
async fn an_access_token_lives_by_the_servers_clock() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    tester.enrol().await;
    tester.advance(7 * 86_400).await;
    tester.of_ann("/mfa/generate").await.expect(200);
    app.advance(3600);
    tester
        .of_ann("/mfa/generate")
        .await
        .fails(401, "invalid_token");
}

#[tokio::test]
async fn a_clock_goes_forward_once_for_one_key_and_never_back() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    let keyed = || {
        let body = json!({"advance_seconds": 60}).to_string();
        let mut request =
            TestApp::request(Method::POST, "/mfa/test/clock", Some(&tester.token), &body);
        let key = HeaderValue::from_static("k");
        request.headers_mut().insert("idempotency-key", key);
        app.send(request)
    };
    app.db.fail_at(3, true);
    let first = keyed().await;
    first.fails(503, "unavailable");
    assert_eq!(keyed().await.expect(200)["ahead_seconds"], 60);
    assert_eq!(keyed().await.expect(200)["now"], app.now() + 60);
    assert_eq!(tester.advance(0).await, app.now() + 60);
    for bad in [
        json!(-1),
        json!("60"),
        json!(1.5),
        json!(10 * 365 * 86_400_u64),
        Value::Null,
    ] {
        let body = json!({"advance_seconds": bad});
        let failure = tester.post("/mfa/test/clock", body).await;
        let failure = failure.fails(400, "invalid_request");
        assert_eq!(failure["field"], "advance_seconds");
    }
    assert_eq!(tester.advance(0).await, app.now() + 60);
    let body = json!({"advance_seconds": 1});
    let at_once = join_all((0..10).map(|_| tester.post("/mfa/test/clock", body.clone()))).await;
    let hits = at_once.iter().filter(|it| it.status == 200).count();
    for refused in at_once.iter().filter(|it| it.status != 200) {
        refused.fails(429, "rate_limited");
    }
    assert_eq!(tester.advance(0).await, app.now() + 60 + hits as u64);
}

#[tokio::test]
async fn a_client_is_a_test_client_from_the_start_or_never() {
    let app = TestApp::new().await;
    let create = async |body: Value| app.admin(Method::POST, "/admin/clients", body).await;
    let drawn = create(json!({"name": "T", "test": true})).await.expect(201);
    let id = drawn["client_id"].as_str().unwrap();
    assert!(id.starts_with("test_") && id.len() == 37, "{id}");
    assert_eq!(drawn["test"], true);
    let found = app
        .admin(Method::GET, &format!("/admin/clients/{id}"), Value::Null)
        .await;
    assert_eq!(found.expect(200)["test"], true);
    for bad in [
        json!({"name": "T", "client_id": "shop2", "test": true}),
        json!({"name": "T", "client_id": "test_shop"}),
        json!({"name": "T", "client_id": "test_shop", "test": false}),
    ] {
        let failure = create(bad).await;
        assert_eq!(failure.fails(400, "invalid_request")["field"], "client_id");
    }
    assert_eq!(
        create(json!({"name": "S"})).await.expect(201)["test"],
        false
    );
    for (id, test) in [(id, false), ("shop", true)] {
        let body = json!({"test": test});
        app.admin(Method::PATCH, &format!("/admin/clients/{id}"), body)
            .await
            .fails(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_real_client_from_before_whose_id_begins_so_stays_real() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_old").await;
    app.db
        .execute("UPDATE clients SET test_clock_ahead = NULL".to_owned())
        .await;
    tester.enrol().await;
    tester.of_ann("/mfa/sms").await.expect(200);
    assert_eq!(app.outbox.sent().len(), 1);
    tester
        .get("/mfa/test/messages")
        .await
        .fails(404, "not_found");
    let body = json!({"advance_seconds": 60});
    tester
        .post("/mfa/test/clock", body)
        .await
        .fails(404, "not_found");
}

#[tokio::test]
async fn messages_are_sealed_kept_for_a_day_and_a_hundred_at_most() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    tester.enrol().await;
    for _ in 0..103 {
        tester.of_ann("/mfa/sms").await.expect(200);
        tester.advance(86_400).await;
    }
    let messages = tester.messages().await;
    assert_eq!(messages.len(), 100);
    assert_eq!(messages[0]["sent_at"], app.now() + 3 * 86_400);
    let rows = app
        .db
        .rows("SELECT user_id, message FROM test_messages")
        .await;
    let dump = json!(rows).to_string();
    assert!(!dump.contains("+34600111222"));
    assert!(!dump.contains(messages[99]["code"].as_str().unwrap()));
    app.advance(86_400);
    app.housekeep().await;
    let rows = app.db.rows("SELECT id FROM test_messages").await;
    assert_eq!(rows.len(), 100);
    app.advance(1);
    app.housekeep().await;
    assert!(app.db.rows("SELECT id FROM test_messages").await.is_empty());
}

#[tokio::test]
async fn a_deleted_test_client_leaves_no_message() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    tester.enrol().await;
    tester.of_ann("/mfa/sms").await.expect(200);
    app.admin(Method::DELETE, "/admin/clients/test_shop", Value::Null)
        .await
        .expect(204);
    assert!(app.db.rows("SELECT id FROM test_messages").await.is_empty());
}

#[tokio::test]
async fn only_a_test_client_costs_one_more_way_to_the_database() {
    let app = TestApp::with_ann().await;
    app.db.trips();
    app.generate("ann").await.expect(200);
    assert_eq!(app.db.trips(), 2);
    let tester = Tester::new(&app, "test_shop").await;
    tester.enrol().await;
    app.db.trips();
    tester.of_ann("/mfa/generate").await.expect(200);
    assert_eq!(app.db.trips(), 3);
}

#[tokio::test]
async fn the_hosted_page_goes_by_the_clock_of_a_test_client_too() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    tester.enrol().await;
    let settings = json!({"settings": {"return_urls": [RETURN_URL]}});
    app.admin(Method::PATCH, "/admin/clients/test_shop", settings)
        .await
        .expect(200);
    let now = tester.advance(86_400).await;
    let body = json!({"user_id": "ann", "purpose": "verify", "return_url": RETURN_URL});
    let created = tester.post("/mfa/sessions", body).await.expect(201);
    let (_, fragment) = created["url"].as_str().unwrap().split_once('#').unwrap();
    let (id, secret) = fragment.split_once('.').unwrap();
    let page = Page::of(&app, id, secret);
    assert_eq!(page.open().await.expect(200)["expires_at"], now + 600);
    page.post("send", json!({"method": "sms"}))
        .await
        .expect(200);
    assert!(app.outbox.sent().is_empty());
    let code = tester.last_code().await;
    let view = page.verify("sms", &code).await.expect(200);
    assert_eq!(view["verified_at"], now);
    tester.advance(3600).await;
    page.get("state").await.fails(410, "session_expired");
}

#[tokio::test]
async fn atk_106_an_api_key_of_a_test_client_reads_and_moves_what_its_scopes_allow() {
    let app = TestApp::new().await;
    let tester = Tester::new(&app, "test_shop").await;
    tester.enrol().await;
    let ask = async |scope: &str, method: Method, path: &str, body: &str| {
        let key = json!({"name": "Suite", "scopes": [scope]});
        let made = app
            .admin(Method::POST, "/admin/clients/test_shop/keys", key)
            .await;
        let key = made.expect(201)["api_key"].clone();
        let request = TestApp::request(method, path, key.as_str(), body);
        app.send(request).await
    };
    let (messages, clock) = ("/mfa/test/messages", "/mfa/test/clock");
    let forward = r#"{"advance_seconds": 60}"#;
    ask("verify", Method::GET, messages, "")
        .await
        .fails(403, "insufficient_scope");
    ask("read", Method::POST, clock, forward)
        .await
        .fails(403, "insufficient_scope");
    assert_eq!(tester.advance(0).await, app.now());
    ask("read", Method::GET, messages, "").await.expect(200);
    ask("manage", Method::POST, clock, forward)
        .await
        .expect(200);
    assert_eq!(tester.advance(0).await, app.now() + 60);
}
