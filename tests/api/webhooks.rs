//! Webhooks: what is told, to whom, how often, and what a receiver can do about it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use candado_testkit::{Answer, Authenticator, K1, K2, Reply, Sent, TestApp};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

const URL: &str = "https://shop.example/hooks/candado";
const AT: &str = "/admin/clients/shop/webhook";

async fn put(app: &TestApp, body: Value) -> Reply {
    app.admin(Method::PUT, AT, body).await
}

/// Sets the webhook of `shop`, told of everything, and gives its secret.
async fn set(app: &TestApp) -> String {
    let set = put(app, json!({"url": URL})).await.expect(200);
    set["secret"].as_str().unwrap().to_owned()
}

async fn told() -> (TestApp, String) {
    let app = TestApp::new().await;
    let secret = set(&app).await;
    (app, secret)
}

async fn deliveries(app: &TestApp) -> Vec<Value> {
    let at = format!("{AT}/deliveries");
    let listed = app.admin(Method::GET, &at, Value::Null).await.expect(200);
    listed["deliveries"].as_array().unwrap().clone()
}

async fn redeliver(app: &TestApp, id: &Value) -> Reply {
    let at = format!("{AT}/deliveries/{}/redeliver", id.as_str().unwrap());
    app.admin(Method::POST, &at, Value::Null).await
}

/// The kinds that were sent, in order.
fn kinds(sent: &[Sent]) -> Vec<String> {
    let kind = |sent: &Sent| {
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        body["type"].as_str().unwrap().to_owned()
    };
    sent.iter().map(kind).collect()
}

fn header<'a>(sent: &'a Sent, name: &str) -> &'a str {
    sent.headers[name].to_str().unwrap()
}

/// As the standard says it, by nothing of the product's.
fn signed(secret: &str, sent: &Sent) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap());
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key.unwrap()).unwrap();
    let (id, at) = (
        header(sent, "webhook-id"),
        header(sent, "webhook-timestamp"),
    );
    mac.update(format!("{id}.{at}.{}", sent.body).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_change_is_told_once_signed_and_says_what_the_record_says() {
    let (app, secret) = told().await;
    app.reachable("ann").await;
    let sent = app.outside.sent();
    assert_eq!(kinds(&sent), ["enrolled"]);
    let sent = &sent[0];
    assert_eq!(sent.uri, URL);
    assert_eq!(header(sent, "content-type"), "application/json");
    assert_eq!(header(sent, "webhook-timestamp"), app.now().to_string());
    assert_eq!(header(sent, "webhook-signature"), signed(&secret, sent));
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body["timestamp"], "2025-10-09T08:53:40Z");
    let data = &body["data"];
    assert_eq!(
        (&data["client_id"], &data["user_id"]),
        (&json!("shop"), &json!("ann"))
    );
    assert_eq!(data["detail"], json!({"confirm": false}));
    let listed = deliveries(&app).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["state"], "delivered");
    assert_eq!(listed[0]["response_status"], 202);
    assert_eq!(listed[0]["id"], header(sent, "webhook-id"));
    // Nobody has anything left to do.
    app.housekeep().await;
    assert_eq!(app.outside.sent().len(), 1);
}

/// The login itself is told of nobody, so it writes no row, asks nothing more, and takes no longer.
#[tokio::test]
async fn a_login_costs_the_same_with_a_webhook() {
    let (app, _) = told().await;
    let ann = app.enrolled("ann").await;
    let before = (app.outside.sent().len(), deliveries(&app).await.len());
    app.advance(30);
    app.db.trips();
    app.guess_right("ann", &ann).await.expect(200);
    assert_eq!(app.db.trips(), 2);
    app.guess_wrong("ann", &ann, 1).await;
    assert_eq!(app.db.trips(), 2);
    assert_eq!(
        before,
        (app.outside.sent().len(), deliveries(&app).await.len())
    );
}

#[tokio::test]
async fn a_client_without_a_webhook_has_no_row_and_is_told_nothing() {
    let app = TestApp::new().await;
    app.reachable("ann").await;
    assert!(
        app.db
            .rows("SELECT id FROM webhook_deliveries")
            .await
            .is_empty()
    );
    app.admin(Method::GET, AT, Value::Null)
        .await
        .fails(404, "not_found");
    for at in [
        "test",
        "deliveries/msg_000000000000000000000000000000/redeliver",
    ] {
        let at = format!("{AT}/{at}");
        app.admin(Method::POST, &at, Value::Null)
            .await
            .fails(404, "not_found");
    }
    app.admin(Method::DELETE, AT, Value::Null)
        .await
        .fails(404, "not_found");
    assert!(app.outside.sent().is_empty());
}

/// Everything a user goes through, in the order it is told.
#[tokio::test]
async fn atk_105_every_change_lock_and_recovery_is_told_and_no_body_holds_a_code_a_secret_or_a_destination()
 {
    let app = TestApp::with_settings(json!({"remember_days": 30})).await;
    set(&app).await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let enrolment = app.post("/mfa/register", body).await.expect(200);
    let ann = Authenticator::of(&enrolment);
    let mut secret = vec![enrolment["secret"].as_str().unwrap().to_owned()];
    secret.push(ann.code(app.now()));
    app.verify("ann", &ann.code(app.now())).await.expect(200);
    let codes = app.recovery_codes("ann").await.expect(200)["recovery_codes"].clone();
    let codes = codes.as_array().unwrap().iter();
    secret.extend(codes.map(|code| code.as_str().unwrap().to_owned()));
    app.advance(30);
    let body = json!({"user_id": "ann", "code": ann.code(app.now()), "remember": true});
    let remembered = app.post("/mfa/verify", body).await.expect(200)["trusted_device"].clone();
    secret.push(remembered.as_str().unwrap().to_owned());
    let check = json!({"user_id": "ann", "trusted_device": remembered});
    let path = "/mfa/trusted-devices/check";
    app.post(path, check.clone()).await.expect(200);
    app.advance(3600);
    app.post(path, check).await.fails(400, "not_trusted");
    let tablet = json!({"user_id": "ann", "type": "totp", "name": "Tablet", "confirm": false});
    let tablet = app.post("/mfa/factors", tablet).await.expect(200);
    secret.push(tablet["secret"].as_str().unwrap().to_owned());
    let factor = tablet["factor_id"].as_str().unwrap();
    let at = format!("/mfa/factors/{factor}");
    let rename = json!({"user_id": "ann", "name": "Old tablet"}).to_string();
    let token = app.fresh_token();
    app.send(TestApp::request(Method::PATCH, &at, Some(&token), &rename))
        .await
        .expect(200);
    let user = json!({"user_id": "ann"}).to_string();
    app.send(TestApp::request(Method::DELETE, &at, Some(&token), &user))
        .await
        .expect(200);
    let contact = json!({"user_id": "ann", "phone": "+34600333444"});
    app.post("/mfa/contact", contact).await.expect(200);
    app.recover("ann", "email").await.expect(200);
    let recovery = app.outbox.last().code();
    app.verify("ann", &recovery).await.expect(200);
    secret.push(recovery);
    app.renew("ann").await.expect(200);
    app.guess_wrong("ann", &ann, 5).await;
    app.unlock("ann").await.expect(200);
    app.disable("ann").await.expect(200);
    let token = app.fresh_token();
    app.send(TestApp::request(
        Method::DELETE,
        "/mfa/users/ann",
        Some(&token),
        "",
    ))
    .await
    .expect(204);

    let sent = app.outside.sent();
    assert_eq!(
        kinds(&sent),
        [
            "enrolled",
            "confirmed",
            "recovery_codes_replaced",
            "trusted_device_reused",
            "factor_added",
            "factor_renamed",
            "factor_removed",
            "contact_changed",
            "recovered",
            "renewed",
            "locked",
            "unlocked",
            "disabled",
            "deleted",
        ]
    );
    secret.extend(["600111222", "600333444", "ann@example", "tablet", "Tablet"].map(str::to_owned));
    for sent in &sent {
        for secret in &secret {
            assert!(
                !sent.body.contains(secret.as_str()),
                "{secret}: {}",
                sent.body
            );
        }
    }
}

#[tokio::test]
async fn only_what_was_asked_for_is_told() {
    let app = TestApp::new().await;
    let set = put(&app, json!({"url": URL, "events": ["deleted", "locked"]}))
        .await
        .expect(200);
    assert_eq!(set["events"], json!(["deleted", "locked"]));
    let ann = app.enrolled("ann").await;
    app.guess_wrong("ann", &ann, 5).await;
    assert_eq!(kinds(&app.outside.sent()), ["locked"]);
    for events in [
        json!([]),
        json!(["verified"]),
        json!(["locked", "locked"]),
        json!("locked"),
    ] {
        let body = json!({"url": URL, "events": events});
        assert_eq!(
            put(&app, body).await.fails(400, "invalid_request")["field"],
            "events"
        );
    }
}

#[tokio::test]
async fn atk_105_a_webhook_inside_of_a_network_is_refused() {
    let app = TestApp::new().await;
    for url in [
        "http://shop.example/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/",
        "https://metadata.google.internal/",
        "https://10.0.0.1.:443/",
        "https://u:p@shop.example/",
        "http://localhost:3000/",
        "",
    ] {
        let refused = put(&app, json!({"url": url}))
            .await
            .fails(400, "invalid_request");
        assert_eq!(refused["field"], "url", "{url}");
    }
    // A service in development has its receiver beside it; one that was set there is not called in production.
    let here = app.redeployed(&[("ENVIRONMENT", "development")]);
    put(&here, json!({"url": "http://localhost:3000/hook"}))
        .await
        .expect(200);
    let tested = |app: TestApp| async move {
        let at = format!("{AT}/test");
        app.admin(Method::POST, &at, Value::Null).await.expect(200)
    };
    assert_eq!(tested(here).await["state"], "delivered");
    let again = app.redeployed(&[]);
    let refused = tested(app.redeployed(&[])).await;
    assert_eq!(refused["state"], "pending");
    assert!(again.outside.sent().is_empty());
}

#[tokio::test]
async fn both_secrets_sign_for_a_day_after_a_change_and_none_after_a_removal() {
    let (app, first) = told().await;
    let set_again = put(&app, json!({"url": URL})).await.expect(200);
    let second = set_again["secret"].as_str().unwrap();
    assert_ne!(first, second);
    assert_eq!(set_again["previous_secret_expires_at"], app.now() + 86_400);
    app.reachable("ann").await;
    let sent = app.outside.last();
    let both = format!("{} {}", signed(second, &sent), signed(&first, &sent));
    assert_eq!(header(&sent, "webhook-signature"), both);
    app.advance(86_400);
    app.disable("ann").await.expect(200);
    let sent = app.outside.last();
    assert_eq!(header(&sent, "webhook-signature"), signed(second, &sent));
    let shown = app.admin(Method::GET, AT, Value::Null).await.expect(200);
    assert_eq!(shown.get("secret"), None);
    assert_eq!(shown["previous_secret_expires_at"], Value::Null);

    app.admin(Method::DELETE, AT, Value::Null).await.expect(204);
    assert!(
        app.db
            .rows("SELECT id FROM webhook_deliveries")
            .await
            .is_empty()
    );
    let third = set(&app).await;
    app.reachable("bob").await;
    let sent = app.outside.last();
    assert_eq!(header(&sent, "webhook-signature"), signed(&third, &sent));
}

#[tokio::test]
async fn a_secret_is_stored_sealed_and_survives_a_rotation_of_keys() {
    let (app, first) = told().await;
    let second = set(&app).await;
    let stored = app.db.rows("SELECT webhook FROM clients").await[0]["webhook"].to_string();
    assert!(stored.contains("v1.k1."), "{stored}");
    for secret in [&first, &second] {
        assert!(!stored.contains(secret.strip_prefix("whsec_").unwrap()));
    }
    let both = app.redeployed(&[("MASTER_KEYS", &[K2, K1].join(","))]);
    both.housekeep().await;
    let stored = app.db.rows("SELECT webhook FROM clients").await[0]["webhook"].to_string();
    assert!(!stored.contains("v1.k1."), "{stored}");
    let new = app.redeployed(&[("MASTER_KEYS", K2)]);
    new.reachable("ann").await;
    let sent = new.outside.last();
    let signatures = format!("{} {}", signed(&second, &sent), signed(&first, &sent));
    assert_eq!(header(&sent, "webhook-signature"), signatures);
}

#[tokio::test]
async fn a_receiver_that_fails_in_every_way_is_tried_for_a_day_and_then_given_up() {
    let (app, _) = told().await;
    app.outside.answer([
        Answer::Status(500, &[], "x"),
        Answer::Timeout,
        Answer::Reset,
        Answer::Status(302, &[("location", "http://169.254.169.254/")], ""),
        Answer::Status(404, &[], ""),
        Answer::Status(200, &[], ""),
    ]);
    // The last answer is for another event, so that this one is never taken.
    app.reachable("ann").await;
    let id = deliveries(&app).await[0]["id"].clone();
    let (mut tries, mut seen) = (1, Vec::new());
    let begun = app.now();
    loop {
        let one = deliveries(&app).await.pop().unwrap();
        assert_eq!(one["attempts"], tries);
        seen.push((one["response_status"].clone(), one["problem"].clone()));
        let Some(next) = one["next_attempt_at"].as_u64() else {
            assert_eq!(one["state"], "dead");
            break;
        };
        assert_eq!(one["state"], "pending");
        // Not a second before.
        app.advance(next - 1 - app.now());
        app.housekeep().await;
        assert_eq!(app.outside.sent().len(), tries);
        app.advance(1);
        if tries >= 5 {
            app.outside.forget_answers();
            app.outside.answer([Answer::Status(503, &[], "")]);
        }
        app.housekeep().await;
        tries += 1;
    }
    assert_eq!((tries, app.outside.sent().len()), (8, 8));
    assert!((23 * 3600..=86_400).contains(&(app.now() - begun)));
    assert_eq!(seen[0], (json!(500), Value::Null));
    assert_eq!(seen[1], (Value::Null, json!("no answer within 5 seconds")));
    assert_eq!(seen[2], (Value::Null, json!("connection reset")));
    assert_eq!(seen[3], (json!(302), Value::Null));
    // No redirect was followed, and each try was the same message.
    let sent = app.outside.sent();
    assert!(
        sent.iter()
            .all(|one| one.uri == URL && one.body == sent[0].body)
    );
    assert!(
        sent.iter()
            .all(|one| header(one, "webhook-id") == header(&sent[0], "webhook-id"))
    );

    // Dead for good, until somebody sends it again.
    app.advance(3600);
    app.housekeep().await;
    assert_eq!(app.outside.sent().len(), 8);
    let again = redeliver(&app, &id).await.expect(200);
    assert_eq!(
        (&again["state"], &again["attempts"]),
        (&json!("delivered"), &json!(1))
    );
    let sent = app.outside.last();
    assert_eq!(header(&sent, "webhook-id"), id);
    assert_eq!(header(&sent, "webhook-timestamp"), app.now().to_string());
}

#[tokio::test]
async fn whoever_answers_that_it_is_gone_is_not_tried_again() {
    let (app, _) = told().await;
    app.outside.answer([Answer::Status(410, &[], "")]);
    app.reachable("ann").await;
    assert_eq!(deliveries(&app).await[0]["state"], "dead");
}

#[tokio::test]
async fn an_event_is_neither_lost_nor_told_of_a_change_that_did_not_happen() {
    let (app, _) = told().await;
    let register = json!({"user_id": "ann", "confirm": false});
    // The store fails before its work: nothing happened.
    app.db.fail_at(1, false);
    app.post("/mfa/register", register.clone())
        .await
        .fails(503, "unavailable");
    assert!(deliveries(&app).await.is_empty() && app.outside.sent().is_empty());
    // Another request is first: it is decided again, and told once.
    app.post("/mfa/register", register).await.expect(200);
    app.db
        .before(1, "UPDATE accounts SET version = version + 1");
    app.disable("ann").await.expect(200);
    assert_eq!(kinds(&app.outside.sent()), ["enrolled", "disabled"]);
    assert_eq!(deliveries(&app).await.len(), 2);
    // Its answer is lost, or the process ends before it is sent: what was stored is told by the job.
    app.db.fail_at(1, true);
    app.post("/mfa/register", json!({"user_id": "bob"}))
        .await
        .fails(503, "unavailable");
    let token = app.fresh_token();
    let body = json!({"user_id": "eve"}).to_string();
    let request = TestApp::request(Method::POST, "/mfa/register", Some(&token), &body);
    let (reply, tasks) = app.send_and_leave(request).await;
    reply.expect(200);
    drop(tasks);
    assert_eq!(app.outside.sent().len(), 2);
    assert_eq!(app.housekeep().await.told, 2);
    assert_eq!(kinds(&app.outside.sent()[2..]), ["enrolled", "enrolled"]);
    assert_eq!(app.housekeep().await.told, 0);
}

#[tokio::test]
async fn a_slow_receiver_keeps_no_answer_back() {
    let (app, _) = told().await;
    let token = app.fresh_token();
    let body = json!({"user_id": "ann"}).to_string();
    let request = TestApp::request(Method::POST, "/mfa/register", Some(&token), &body);
    let (reply, tasks) = app.send_and_leave(request).await;
    // Answered, and the receiver not even asked.
    reply.expect(200);
    assert!(app.outside.sent().is_empty());
    app.outside.answer([Answer::Timeout]);
    for task in tasks {
        task.await;
    }
    assert_eq!(deliveries(&app).await[0]["state"], "pending");
}

#[tokio::test]
async fn several_at_once_tell_each_event_once_and_a_lease_ends() {
    let (app, _) = told().await;
    app.outside
        .answer([Answer::Status(500, &[], ""), Answer::Status(500, &[], "")]);
    app.reachable("ann").await;
    app.reachable("bob").await;
    app.outside.forget_answers();
    app.advance(60);
    let others = [
        app.redeployed(&[]),
        app.redeployed(&[]),
        app.redeployed(&[]),
    ];
    let jobs = others.iter().map(TestApp::housekeep);
    let told: u64 = futures_util::future::join_all(jobs)
        .await
        .iter()
        .map(|it| it.told)
        .sum();
    let sent: usize = others.iter().map(|it| it.outside.sent().len()).sum();
    assert_eq!((told, sent), (2, 2));

    // Somebody took one and ended before it said what came of it.
    app.outside.answer([Answer::Status(500, &[], "")]);
    app.disable("ann").await.expect(200);
    let leased = format!(
        "UPDATE webhook_deliveries SET lease_until = {} WHERE next_at IS NOT NULL",
        app.now() + 120
    );
    app.db.execute(leased).await;
    app.advance(119);
    let id = deliveries(&app).await[0]["id"].clone();
    assert_eq!(app.housekeep().await.told, 0);
    assert_eq!(
        redeliver(&app, &id).await.expect(200)["state"],
        "pending",
        "it is under way"
    );
    app.advance(1);
    assert_eq!(app.housekeep().await.told, 1);
}

#[tokio::test]
async fn one_receiver_that_fails_keeps_nobody_elses_events_back() {
    let (app, _) = told().await;
    let bank = app.new_client("bank", json!({})).await;
    let at = "/admin/clients/bank/webhook";
    let body = json!({"url": "https://bank.example/hook"});
    app.admin(Method::PUT, at, body).await.expect(200);
    let leave = |token: String, user: String| {
        let body = json!({"user_id": user}).to_string();
        let request = TestApp::request(Method::POST, "/mfa/register", Some(&token), &body);
        app.send_and_leave(request)
    };
    for n in 0..30 {
        leave(app.fresh_token(), format!("u{n}"))
            .await
            .0
            .expect(200);
    }
    // The last in the row.
    app.advance(1);
    leave(bank, "ann".to_owned()).await.0.expect(200);
    let failing = || std::iter::repeat_n(Answer::Status(500, &[], ""), 6);
    app.outside.answer(failing());
    let report = app.housekeep().await;
    // A wave of the failing one, and then the other's.
    assert_eq!((report.told, report.untold), (1, 6));
    // It is well again: all of it is told in one run.
    app.advance(600);
    assert_eq!(app.housekeep().await.told, 30);
    // What nobody came to within a day is given up.
    leave(app.fresh_token(), "late".to_owned())
        .await
        .0
        .expect(200);
    app.advance(86_401);
    assert_eq!(app.housekeep().await.told, 0);
    assert_eq!(deliveries(&app).await[0]["state"], "dead");
}

#[tokio::test]
async fn deliveries_are_paged_newest_first_and_forgotten_after_a_week() {
    let (app, _) = told().await;
    for n in 0..5 {
        app.register(&format!("u{n}")).await.expect(200);
        app.advance(1);
    }
    let all = deliveries(&app).await;
    let mut paged = Vec::new();
    let mut at = format!("{AT}/deliveries?limit=2");
    loop {
        let page = app.admin(Method::GET, &at, Value::Null).await.expect(200);
        paged.extend(page["deliveries"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        at = format!("{AT}/deliveries?limit=2&before={next}");
    }
    assert_eq!(paged, all);
    let times: Vec<_> = all
        .iter()
        .map(|it| it["created_at"].as_u64().unwrap())
        .collect();
    assert!(times.is_sorted_by(|one, other| one > other));
    for (query, field) in [
        ("limit=0", "limit"),
        ("before=x", "before"),
        ("after=1", "after"),
    ] {
        let at = format!("{AT}/deliveries?{query}");
        let refused = app.admin(Method::GET, &at, Value::Null).await;
        assert_eq!(refused.fails(400, "invalid_request")["field"], field);
    }
    app.advance(7 * 86_400);
    app.housekeep().await;
    assert!(deliveries(&app).await.is_empty());
}

#[tokio::test]
async fn a_test_event_is_signed_and_its_outcome_told() {
    let (app, secret) = told().await;
    let at = format!("{AT}/test");
    let tested = app.admin(Method::POST, &at, Value::Null).await.expect(200);
    assert_eq!(
        (&tested["event"], &tested["state"]),
        (&json!("test"), &json!("delivered"))
    );
    let sent = app.outside.last();
    assert_eq!(kinds(std::slice::from_ref(&sent)), ["test"]);
    assert_eq!(header(&sent, "webhook-signature"), signed(&secret, &sent));
    app.outside.answer([Answer::Status(401, &[], "")]);
    let refused = app.admin(Method::POST, &at, Value::Null).await.expect(200);
    assert_eq!(
        (&refused["state"], &refused["response_status"]),
        (&json!("pending"), &json!(401))
    );
}

#[tokio::test]
async fn a_client_sees_and_sends_no_others_deliveries_and_they_end_with_it() {
    let (app, _) = told().await;
    app.reachable("ann").await;
    let id = deliveries(&app).await[0]["id"].clone();
    app.new_client("bank", json!({})).await;
    let at = "/admin/clients/bank/webhook";
    app.admin(Method::PUT, at, json!({"url": "https://bank.example/"}))
        .await
        .expect(200);
    let listed = app
        .admin(Method::GET, &format!("{at}/deliveries"), Value::Null)
        .await
        .expect(200);
    assert_eq!(listed["deliveries"], json!([]));
    let other = format!("{at}/deliveries/{}/redeliver", id.as_str().unwrap());
    app.admin(Method::POST, &other, Value::Null)
        .await
        .fails(404, "not_found");
    assert_eq!(app.outside.sent().len(), 1);
    app.admin(Method::DELETE, "/admin/clients/shop", Value::Null)
        .await
        .expect(204);
    assert!(
        app.db
            .rows("SELECT id FROM webhook_deliveries")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn what_was_set_is_in_the_record_without_the_path_which_may_be_a_secret() {
    let app = TestApp::new().await;
    put(
        &app,
        json!({"url": "https://shop.example/hooks/T0ken", "events": ["locked"]}),
    )
    .await
    .expect(200);
    let at = "/admin/audit?event=webhook_set";
    let events = app.admin(Method::GET, at, Value::Null).await.expect(200);
    let detail = &events["events"][0]["detail"];
    assert_eq!(
        *detail,
        json!({"host": "shop.example", "events": ["locked"]})
    );
}
