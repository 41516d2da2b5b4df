//! `Idempotency-Key`: a request takes effect once, however often it is sent, and whatever fails.

use bytes::Bytes;
use candado::call::Call;
use candado::domain::idempotency::KeyName;
use candado::domain::ids::ClientId;
use candado::domain::scope::Scope;
use candado::flows::once::{self, Begun, Outcome, Settled};
use candado::flows::tokens;
use candado_testkit::{Authenticator, K1, K2, Reply, TestApp};
use futures_util::future::join_all;
use http::{HeaderValue, Method, Request};
use serde_json::{Value, json};

fn keyed(app: &TestApp, method: Method, path: &str, key: &str, body: &Value) -> Request<Bytes> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut request = TestApp::request(method, path, Some(&app.fresh_token()), &body);
    let key = HeaderValue::from_str(key).unwrap();
    request.headers_mut().insert("idempotency-key", key);
    request
}

async fn post(app: &TestApp, path: &str, key: &str, body: &Value) -> Reply {
    app.send(keyed(app, Method::POST, path, key, body)).await
}

fn is_replayed(reply: &Reply) -> bool {
    reply.header("idempotent-replayed") == "true"
}

async fn rows(app: &TestApp) -> Vec<Value> {
    let sql = "SELECT client_id, name, fingerprint, holder, acted, answer FROM idempotency_keys";
    app.db.rows(sql).await
}

/// A user with a phone, an address and an app none of whose codes is used.
async fn with_ann() -> (TestApp, Authenticator) {
    let app = TestApp::new().await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let authenticator = app.enrolled_with(body).await;
    app.advance(60);
    (app, authenticator)
}

/// Every request that changes something, and a word for each.
fn requests(app: &TestApp, ann: &Authenticator) -> Vec<(&'static str, Method, String, Value)> {
    let user = json!({"user_id": "ann"});
    let post = |path: &str| (Method::POST, path.to_owned());
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    [
        ("register", post("/mfa/register"), json!({"user_id": "bob"})),
        (
            "import",
            post("/mfa/import"),
            json!({"user_id": "bob", "secret": secret}),
        ),
        ("renew", post("/mfa/renew"), user.clone()),
        (
            "verify",
            post("/mfa/verify"),
            json!({"user_id": "ann", "code": ann.code(app.now()), "result_token": true}),
        ),
        (
            "a wrong code",
            post("/mfa/verify"),
            json!({"user_id": "ann", "code": ann.wrong(app.now())}),
        ),
        (
            "no code",
            post("/mfa/verify"),
            json!({"user_id": "ann", "code": "x"}),
        ),
        (
            "nobody",
            post("/mfa/verify"),
            json!({"user_id": "eve", "code": "123456"}),
        ),
        ("malformed", post("/mfa/verify"), json!({"user_id": "ann"})),
        ("generate", post("/mfa/generate"), user.clone()),
        ("sms", post("/mfa/sms"), user.clone()),
        ("email", post("/mfa/email"), user.clone()),
        (
            "recovery",
            post("/mfa/recovery"),
            json!({"user_id": "ann", "recovery_method": "email"}),
        ),
        ("recovery codes", post("/mfa/recovery-codes"), user.clone()),
        (
            "contact",
            post("/mfa/contact"),
            json!({"user_id": "ann", "email": "new@example.com"}),
        ),
        ("disable", post("/mfa/disable"), user),
        (
            "delete",
            (Method::DELETE, "/mfa/users/ann".to_owned()),
            Value::Null,
        ),
    ]
    .into_iter()
    .map(|(name, (method, path), body)| (name, method, path, body))
    .collect()
}

/// All that the requests change, without what differs from one service to the next.
async fn effects(app: &TestApp) -> (Vec<Value>, usize, Vec<Value>) {
    let accounts = "SELECT user_id, version, mfa_enabled, state FROM accounts ORDER BY user_id";
    let events = "SELECT event, user_id FROM audit_log ORDER BY id";
    (
        app.db.rows(accounts).await,
        app.outbox.sent().len(),
        app.db.rows(events).await,
    )
}

#[tokio::test]
async fn the_same_request_has_the_same_answer_byte_for_byte_and_one_effect() {
    let count = {
        let (app, ann) = with_ann().await;
        requests(&app, &ann).len()
    };
    for number in 0..count {
        let (app, ann) = with_ann().await;
        let (name, method, path, body) = requests(&app, &ann).remove(number);
        let first = app
            .send(keyed(&app, method.clone(), &path, "k", &body))
            .await;
        assert!(first.status < 429, "{name} {first:?}");
        assert!(!is_replayed(&first));
        let before = effects(&app).await;
        for _ in 0..3 {
            app.advance(7);
            let again = app
                .send(keyed(&app, method.clone(), &path, "k", &body))
                .await;
            assert!(is_replayed(&again), "{name}");
            assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
            for header in ["content-type", "retry-after"] {
                assert_eq!(again.header(header), first.header(header), "{name}");
            }
            assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        }
        assert_eq!(effects(&app).await, before, "{name}");
        assert_eq!(rows(&app).await.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn every_route_that_changes_something_takes_a_key_and_says_so() {
    let document: Value = serde_json::to_value(candado::api::document()).unwrap();
    let (app, mut routes) = (TestApp::new().await, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/mfa/") {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].to_string();
            let named = parameters.contains("Idempotency-Key");
            assert_eq!(named, method != "get", "{method} {path}");
            if !named {
                continue;
            }
            routes += 1;
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace(['{', '}'], "");
            let key = format!("{method} {path}");
            // Malformed wherever there is a body, and nobody's where there is none.
            let body = json!({"nothing": 1});
            let first = app
                .send(keyed(&app, method.clone(), &path, &key, &body))
                .await;
            let again = app.send(keyed(&app, method, &path, &key, &body)).await;
            assert!((400..429).contains(&first.status), "{key} {first:?}");
            assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
            assert!(is_replayed(&again), "{key}");
        }
    }
    assert!(routes >= 12, "{routes}");
}

#[tokio::test]
async fn atk_109_a_key_used_for_another_request_is_refused_and_nothing_is_done() {
    let (app, ann) = with_ann().await;
    let body = json!({"user_id": "ann"});
    post(&app, "/mfa/sms", "k", &body).await.expect(200);
    let others = [
        ("/mfa/sms", json!({"user_id": "bob"})),
        ("/mfa/sms", json!({"user_id": "ann", "locale": "es"})),
        ("/mfa/email", body.clone()),
        ("/mfa/disable", body.clone()),
        (
            "/mfa/verify",
            json!({"user_id": "ann", "code": ann.code(app.now())}),
        ),
    ];
    for (path, other) in &others {
        post(&app, path, "k", other)
            .await
            .fails(422, "idempotency_key_reused");
    }
    app.send(keyed(&app, Method::DELETE, "/mfa/users/ann", "k", &body))
        .await
        .fails(422, "idempotency_key_reused");
    assert_eq!(app.outbox.sent().len(), 1);
    app.guess_right("ann", &ann).await.expect(200);
    assert!(is_replayed(&post(&app, "/mfa/sms", "k", &body).await));
}

#[tokio::test]
async fn what_has_no_route_is_told_so_whichever_key_it_has() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    post(&app, "/mfa/sms", "k", &body).await.expect(200);
    for (method, path, allow) in [
        (Method::PATCH, "/mfa/sms", "POST, OPTIONS"),
        (Method::PUT, "/mfa/sms", "POST, OPTIONS"),
        (Method::POST, "/mfa/users/ann", "DELETE, OPTIONS"),
    ] {
        let reply = app.send(keyed(&app, method, path, "k", &body)).await;
        reply.fails(405, "method_not_allowed");
        assert_eq!(reply.header("allow"), allow);
    }
    app.send(keyed(&app, Method::POST, "/mfa/fax", "k", &body))
        .await
        .fails(404, "not_found");
}

#[tokio::test]
async fn atk_109_of_fifty_parallel_requests_with_one_key_one_sends() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    let replies = join_all((0..50).map(|_| post(&app, "/mfa/sms", "k", &body))).await;
    assert_eq!(app.outbox.sent().len(), 1);
    let mut under_way = 0;
    for reply in &replies {
        if reply.status == 409 {
            assert_eq!(
                reply.fails(409, "request_in_progress")["retry_after"],
                json!(1)
            );
            assert_eq!(reply.header("retry-after"), "1");
            under_way += 1;
        } else {
            reply.expect(200);
        }
    }
    assert!(under_way > 0, "none came while the first was under way");
    let firsts = replies.iter().filter(|it| it.status == 200);
    assert_eq!(firsts.filter(|it| !is_replayed(it)).count(), 1);
    let after = post(&app, "/mfa/sms", "k", &body).await;
    assert!(is_replayed(&after));
    assert_eq!(app.outbox.sent().len(), 1);
}

#[tokio::test]
async fn atk_109_parallel_changes_with_one_key_change_once() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    let replies = join_all((0..20).map(|_| post(&app, "/mfa/recovery-codes", "k", &body))).await;
    let shown: Vec<&Bytes> = replies
        .iter()
        .filter(|it| it.status == 200)
        .map(|it| &it.bytes)
        .collect();
    assert!(!shown.is_empty());
    assert!(shown.iter().all(|bytes| bytes == &shown[0]));
    let events = app.events("ann").await;
    let replaced = events.iter().filter(|it| *it == "recovery_codes_replaced");
    assert_eq!(replaced.count(), 1);
}

/// Sends the request with one key until it has an answer that stays, as a client does whose connection breaks.
async fn until_answered(app: &TestApp, request: impl Fn() -> Request<Bytes>) -> (Reply, u32) {
    for tries in 1..6 {
        let reply = app.send(request()).await;
        let code = reply.status;
        let waits = code == 409 && reply.json()["error"] == "request_in_progress";
        if code < 429 && !waits {
            return (reply, tries);
        }
        app.advance(31);
    }
    panic!("never answered");
}

#[tokio::test]
async fn atk_109_whatever_fails_a_request_that_is_sent_again_takes_effect_once() {
    for after_work in [false, true] {
        let count = {
            let (app, ann) = with_ann().await;
            requests(&app, &ann).len()
        };
        for number in 0..count {
            let mut faults = 0;
            for n in 0..6 {
                let (app, ann) = with_ann().await;
                let (name, method, path, body) = requests(&app, &ann).remove(number);
                app.db.fail_at(n, after_work);
                let request = || keyed(&app, method.clone(), &path, "k", &body);
                let first = app.send(request()).await;
                if app.db.has_fault_left() {
                    assert!(!is_replayed(&first));
                    break;
                }
                faults += 1;
                let (answer, _) = if first.status < 429 {
                    (first, 1)
                } else {
                    first.fails(503, "unavailable");
                    until_answered(&app, request).await
                };
                let sends = matches!(name, "sms" | "email" | "recovery");
                assert!(app.outbox.sent().len() <= 1, "{name} {n} {after_work}");
                if sends && answer.status == 200 {
                    assert_eq!(app.outbox.sent().len(), 1, "{name} {n} {after_work}");
                }
                let successes = ["verified", "recovery_codes_replaced", "enrolled"];
                let user = if matches!(name, "register" | "import") {
                    "bob"
                } else {
                    "ann"
                };
                for event in successes {
                    let events = app.events(user).await;
                    let times = events.iter().filter(|it| *it == event).count();
                    // Ann's own enrolment is one of them.
                    assert!(times <= 1, "{name} {n} {after_work} {events:?}");
                }
                // From here on its answer stands.
                let again = app.send(request()).await;
                if again.status == 409 {
                    assert!(sends, "{name} {n} {after_work} {again:?}");
                } else {
                    assert_eq!(again.bytes, answer.bytes, "{name} {n} {after_work}");
                }
            }
            assert!(faults >= 2, "{number} {faults}");
        }
    }
}

#[tokio::test]
async fn atk_109_a_success_whose_answer_was_lost_is_told_to_whoever_asks_again() {
    let (app, ann) = with_ann().await;
    let body = json!({"user_id": "ann", "code": ann.code(app.now())});
    app.db.fail_at(2, true);
    post(&app, "/mfa/verify", "k", &body)
        .await
        .fails(503, "unavailable");
    let again = post(&app, "/mfa/verify", "k", &body).await;
    assert_eq!(again.expect(200)["method"], "totp");
    assert!(is_replayed(&again));
    app.verify("ann", &ann.code(app.now()))
        .await
        .fails(400, "code_already_used");
}

#[tokio::test]
async fn atk_109_cut_off_between_the_provider_and_our_record_nothing_is_sent_again() {
    for path in ["/mfa/sms", "/mfa/email", "/mfa/recovery"] {
        let (app, _) = with_ann().await;
        let mut body = json!({"user_id": "ann"});
        if path == "/mfa/recovery" {
            body["recovery_method"] = "sms".into();
        }
        // Claim, load, reserve; then the provider; then the answer is kept.
        app.db.fail_at(3, false);
        post(&app, path, "k", &body).await.expect(200);
        assert!(!app.db.has_fault_left());
        assert_eq!(app.outbox.sent().len(), 1);
        post(&app, path, "k", &body)
            .await
            .fails(409, "request_in_progress");
        app.advance(30);
        for _ in 0..3 {
            post(&app, path, "k", &body)
                .await
                .fails(409, "outcome_unknown");
            app.advance(3600);
        }
        assert_eq!(app.outbox.sent().len(), 1);
        // A new key is a new request.
        post(&app, path, "l", &body).await.expect(200);
    }
}

#[tokio::test]
async fn the_code_of_a_message_with_an_unknown_outcome_is_good() {
    let (app, _) = with_ann().await;
    app.db.fail_at(3, false);
    post(&app, "/mfa/sms", "k", &json!({"user_id": "ann"})).await;
    app.verify("ann", &app.outbox.last().code())
        .await
        .expect(200);
}

#[tokio::test]
async fn a_request_that_was_cut_off_before_it_did_anything_is_done_by_the_next_one() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    let request = keyed(&app, Method::POST, "/mfa/sms", "k", &body);
    app.db.fail_at(1, false);
    let (reply, later) = app.send_and_leave(request).await;
    reply.fails(503, "unavailable");
    drop(later);
    // What the process would have given back stays taken, as if it had ended.
    let taken = "UPDATE idempotency_keys SET acted = 0, answer = NULL";
    app.db.execute(taken.to_owned()).await;
    if rows(&app).await.is_empty() {
        post(&app, "/mfa/sms", "k", &body).await.expect(200);
        return;
    }
    post(&app, "/mfa/sms", "k", &body)
        .await
        .fails(409, "request_in_progress");
    app.advance(30);
    post(&app, "/mfa/sms", "k", &body).await.expect(200);
}

#[tokio::test]
async fn a_claim_whose_holder_ended_is_taken_over_after_half_a_minute_and_the_holder_stores_nothing()
 {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    // Another process takes the key over while this one decides.
    app.db.before(
        2,
        "UPDATE idempotency_keys SET holder = 'another', started_at = started_at + 30",
    );
    let before = effects(&app).await;
    let late = post(&app, "/mfa/disable", "k", &body).await;
    late.fails(429, "rate_limited");
    assert_eq!(effects(&app).await, before);
    post(&app, "/mfa/disable", "k", &body)
        .await
        .fails(409, "request_in_progress");
    app.advance(60);
    post(&app, "/mfa/disable", "k", &body).await.expect(200);
}

#[tokio::test]
async fn what_somebody_else_changed_first_is_decided_anew() {
    let (app, ann) = with_ann().await;
    app.db
        .before(2, "UPDATE accounts SET version = version + 1");
    let body = json!({"user_id": "ann", "code": ann.code(app.now())});
    let reply = post(&app, "/mfa/verify", "k", &body).await;
    reply.expect(200);
    assert!(!is_replayed(&reply));
    let again = post(&app, "/mfa/verify", "k", &body).await;
    assert!(is_replayed(&again));
    let events = app.events("ann").await;
    assert_eq!(events.iter().filter(|it| *it == "verified").count(), 1);
}

#[tokio::test]
async fn answers_that_a_later_try_may_change_are_not_kept() {
    let (app, ann) = with_ann().await;
    let sms = json!({"user_id": "ann"});
    app.sms("ann").await.expect(200);
    post(&app, "/mfa/sms", "k", &sms)
        .await
        .fails(429, "send_limited");
    app.advance(60);
    let sent = post(&app, "/mfa/sms", "k", &sms).await;
    sent.expect(200);
    assert!(!is_replayed(&sent));
    app.guess_wrong("ann", &ann, 5).await;
    let body = json!({"user_id": "ann", "code": ann.code(app.now() + 60), "method": "totp"});
    post(&app, "/mfa/verify", "v", &body)
        .await
        .fails(429, "locked");
    app.advance(60);
    post(&app, "/mfa/verify", "v", &body).await.expect(200);
    app.advance(60);
    app.outbox
        .answer([candado_testkit::Answer::Status(400, &[], "{}")]);
    post(&app, "/mfa/email", "e", &sms)
        .await
        .fails(502, "delivery_failed");
    post(&app, "/mfa/email", "e", &sms).await.expect(200);
    let kept = rows(&app).await;
    assert_eq!(kept.len(), 3, "{kept:?}");
}

#[tokio::test]
async fn a_limit_in_the_way_is_told_and_gives_the_key_back() {
    let app = TestApp::with_settings(json!({"registrations_per_minute": 1})).await;
    app.register("ann").await.expect(200);
    let body = json!({"user_id": "bob"});
    post(&app, "/mfa/register", "k", &body)
        .await
        .fails(429, "rate_limited");
    assert!(rows(&app).await.is_empty());
    app.advance(60);
    post(&app, "/mfa/register", "k", &body).await.expect(200);
}

#[tokio::test]
async fn a_key_is_kept_for_24_hours_and_then_purged() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    let first = post(&app, "/mfa/generate", "k", &body).await;
    app.advance(86_399);
    app.housekeep().await;
    let again = post(&app, "/mfa/generate", "k", &body).await;
    assert!(is_replayed(&again));
    assert_eq!(again.bytes, first.bytes);
    app.advance(1);
    let anew = post(&app, "/mfa/generate", "k", &body).await;
    assert!(!is_replayed(&anew), "though nothing was purged yet");
    assert_ne!(anew.bytes, first.bytes);
    app.advance(86_400);
    app.housekeep().await;
    assert!(rows(&app).await.is_empty());
}

#[tokio::test]
async fn without_a_key_nothing_is_stored_and_no_further_way_taken_and_with_one_they_are_counted() {
    let (app, ann) = with_ann().await;
    app.db.trips();
    app.guess_right("ann", &ann).await.expect(200);
    assert_eq!(app.db.trips(), 2, "load and store");
    app.sms("ann").await.expect(200);
    assert_eq!(app.db.trips(), 3, "the last after the answer");
    assert!(rows(&app).await.is_empty());
    app.advance(60);
    app.db.trips();
    let body = json!({"user_id": "ann", "code": ann.code(app.now())});
    post(&app, "/mfa/verify", "v", &body).await.expect(200);
    assert_eq!(app.db.trips(), 3, "claim, load, store with the answer");
    post(&app, "/mfa/verify", "v", &body).await.expect(200);
    assert_eq!(app.db.trips(), 1, "a replay");
    let body = json!({"user_id": "ann"});
    post(&app, "/mfa/sms", "s", &body).await.expect(200);
    assert_eq!(
        app.db.trips(),
        5,
        "claim, load, store; send; keep the answer; count the provider's"
    );
    let body = json!({"user_id": "eve", "code": "123456"});
    post(&app, "/mfa/verify", "n", &body).await;
    assert_eq!(app.db.trips(), 3, "claim, load, keep the answer");
    assert_eq!(rows(&app).await.len(), 3);
}

#[tokio::test]
async fn what_is_kept_shows_no_secret_no_code_and_not_the_key() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "bob", "phone": "+34600111333"});
    let enrolment = post(&app, "/mfa/register", "a key of ours", &body).await;
    let generated = post(&app, "/mfa/generate", "k", &json!({"user_id": "ann"})).await;
    let dump = json!(rows(&app).await).to_string();
    for hidden in [
        enrolment.json()["secret"].as_str().unwrap(),
        generated.json()["code"].as_str().unwrap(),
        "+34600111333",
        "a key of ours",
        "bob",
    ] {
        assert!(!dump.contains(hidden), "{hidden} {dump}");
    }
}

#[tokio::test]
async fn a_client_sees_no_others_keys_and_a_token_that_is_refused_sees_none() {
    let (app, _) = with_ann().await;
    let bank = app.new_client("bank", json!({})).await;
    let body = json!({"user_id": "ann"});
    post(&app, "/mfa/recovery-codes", "k", &body)
        .await
        .expect(200);
    let as_token = |token: &str| {
        let mut request = keyed(&app, Method::POST, "/mfa/recovery-codes", "k", &body);
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        request.headers_mut().insert("authorization", value);
        request
    };
    app.send(as_token(&bank)).await.fails(404, "user_not_found");
    let revoked = app.fresh_token();
    let revoke = json!({"access_token": revoked}).to_string();
    app.send(TestApp::request(
        Method::POST,
        "/auth/revoke",
        None,
        &revoke,
    ))
    .await
    .expect(200);
    app.send(as_token(&revoked))
        .await
        .fails(401, "invalid_token");
    app.send(as_token("nonsense"))
        .await
        .fails(401, "invalid_token");
    let disabled = json!({"disabled": true});
    app.admin(Method::PATCH, "/admin/clients/shop", disabled)
        .await
        .expect(200);
    post(&app, "/mfa/recovery-codes", "k", &body)
        .await
        .fails(401, "invalid_token");
}

#[tokio::test]
async fn a_client_made_again_under_the_same_id_finds_no_answers_of_the_first() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    post(&app, "/mfa/recovery-codes", "k", &body)
        .await
        .expect(200);
    app.admin(Method::DELETE, "/admin/clients/shop", Value::Null)
        .await
        .expect(204);
    assert!(rows(&app).await.is_empty());
}

#[tokio::test]
async fn answers_are_read_with_any_key_of_the_ring_and_without_theirs_are_unknown() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    let first = post(&app, "/mfa/generate", "k", &body).await;
    let rotated = app.redeployed(&[("MASTER_KEYS", &format!("{K2},{K1}"))]);
    let again = post(&rotated, "/mfa/generate", "k", &body).await;
    assert!(is_replayed(&again));
    assert_eq!(again.bytes, first.bytes);
    let retired = app.redeployed(&[("MASTER_KEYS", K2)]);
    post(&retired, "/mfa/generate", "k", &body)
        .await
        .fails(409, "outcome_unknown");
}

#[tokio::test]
async fn an_answer_too_long_to_keep_is_not_done_again() {
    let app = TestApp::new().await;
    let call = Call::new(app.app.clone()).unwrap();
    let caller = tokens::caller(&call, &app.token, Scope::Verify).unwrap();
    let client = ClientId::try_from("shop".to_owned()).unwrap();
    let begin = || {
        let name = KeyName::of(&client, None, b"k").unwrap();
        let call = Call::new(app.app.clone()).unwrap();
        let caller = caller.clone();
        async move { once::begin(&call, &caller, name, &[b"r"]).await }
    };
    let Ok(Begun::First(first)) = begin().await else {
        panic!("nobody has it");
    };
    let long = Outcome::Answer("x".repeat(16 * 1024 + 1));
    let settled = once::settle(&call, &first, long).await.unwrap();
    assert!(matches!(settled, Settled::Done));
    app.advance(30);
    let error = begin().await.err().unwrap();
    assert_eq!(error.code().name(), "outcome_unknown");
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_and_where_nothing_changes_none_is_read() {
    let (app, _) = with_ann().await;
    let body = json!({"user_id": "ann"});
    for bad in ["", &"k".repeat(256), "a\tb"] {
        let failure = post(&app, "/mfa/generate", bad, &body).await;
        let failure = failure.fails(400, "invalid_request");
        assert_eq!(failure["field"], "Idempotency-Key");
    }
    let mut twice = keyed(&app, Method::POST, "/mfa/generate", "k", &body);
    twice
        .headers_mut()
        .append("idempotency-key", HeaderValue::from_static("k"));
    app.send(twice).await.fails(400, "invalid_request");
    let status = keyed(
        &app,
        Method::GET,
        "/mfa/status?user_id=ann",
        "k",
        &Value::Null,
    );
    app.send(status).await.expect(200);
    let auth = json!({"client_id": "shop", "client_secret": "wrong"});
    let mut auth = TestApp::request(Method::POST, "/auth", None, &auth.to_string());
    let bad = HeaderValue::from_static("");
    auth.headers_mut().insert("idempotency-key", bad);
    app.send(auth).await.fails(401, "invalid_client");
    assert!(rows(&app).await.is_empty());
}

#[tokio::test]
async fn atk_109_an_api_key_has_keys_of_its_own_and_sees_no_answer_once_it_ended() {
    let (app, _) = with_ann().await;
    let made = async |scopes: Value| {
        let body = json!({"name": "Login", "scopes": scopes, "expires_in_days": 1});
        let made = app
            .admin(Method::POST, "/admin/clients/shop/keys", body)
            .await;
        made.expect(201)
    };
    let ask = async |key: &Value| {
        let body = json!({"user_id": "ann"});
        let mut request = keyed(&app, Method::POST, "/mfa/recovery-codes", "k", &body);
        let value = format!("Bearer {}", key["api_key"].as_str().unwrap());
        let value = HeaderValue::from_str(&value).unwrap();
        request.headers_mut().insert("authorization", value);
        app.send(request).await
    };
    let (manage, other, read) = (
        made(json!(["enrol", "manage"])).await,
        made(json!(["enrol", "manage"])).await,
        made(json!(["read"])).await,
    );
    let first = ask(&manage).await;
    first.expect(200);
    let again = ask(&manage).await;
    assert!(is_replayed(&again));
    assert_eq!(again.bytes, first.bytes);
    // Another key of the same client, and the client's token, ask for something of their own.
    let theirs = ask(&other).await;
    assert!(theirs.status == 200 && !is_replayed(&theirs));
    ask(&read).await.fails(403, "insufficient_scope");
    let by_token = post(&app, "/mfa/recovery-codes", "k", &json!({"user_id": "ann"})).await;
    assert!(by_token.status == 200 && !is_replayed(&by_token));
    let revoke = format!(
        "/admin/clients/shop/keys/{}",
        manage["key_id"].as_str().unwrap()
    );
    app.admin(Method::DELETE, &revoke, Value::Null)
        .await
        .expect(204);
    ask(&manage).await.fails(401, "invalid_token");
    assert!(is_replayed(&ask(&other).await));
    app.advance(86_399);
    assert!(is_replayed(&ask(&other).await));
    app.advance(1);
    ask(&other).await.fails(401, "invalid_token");
}
