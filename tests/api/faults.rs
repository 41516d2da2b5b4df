//! ATK-25, ATK-80: the database fails at the n-th call of every endpoint, before its work or after it.
//! Whatever happens: no code passes twice, no guess goes uncounted, nothing is half done, and the next
//! request works.

use http::Method;
use serde_json::{Value, json};

use candado_testkit::{Authenticator, Mood, Reply, TestApp};

/// More database calls than any endpoint makes.
const CALLS: i64 = 8;

async fn with_user() -> (TestApp, Authenticator) {
    let app = TestApp::new().await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let authenticator = app.enrolled_with(body).await;
    app.advance(30);
    (app, authenticator)
}

/// Runs `request` once for every call that can fail, each time on a service of its own, and hands the
/// service over afterwards, whole again.
async fn at_every_fault<F, G>(request: F, check: G)
where
    F: AsyncFn(&TestApp, &Authenticator) -> Reply,
    G: AsyncFn(&TestApp, &Authenticator, &Reply, bool),
{
    for after_work in [false, true] {
        let mut faults = 0;
        for n in 0..CALLS {
            let (app, authenticator) = with_user().await;
            app.db.fail_at(n, after_work);
            let reply = request(&app, &authenticator).await;
            if app.db.has_fault_left() {
                assert!(reply.status < 400, "{} {:?}", reply.status, reply.bytes);
                break;
            }
            faults += 1;
            check(&app, &authenticator, &reply, after_work).await;
        }
        assert!(faults > 0, "no call failed");
    }
}

#[tokio::test]
async fn atk_25_no_right_code_passes_while_the_database_fails_and_none_passes_twice() {
    at_every_fault(
        async |app, authenticator| app.guess_right("ann", authenticator).await,
        async |app, authenticator, reply, after_work| {
            reply.fails(503, "unavailable");
            let again = app.guess_right("ann", authenticator).await;
            // Where only the answer was lost the code may be spent; at worst the user waits for the next.
            assert!(
                again.status == 200 || after_work && again.status == 400,
                "{again:?}"
            );
            app.guess_right("ann", authenticator)
                .await
                .fails(400, "code_already_used");
            app.advance(30);
            app.guess_right("ann", authenticator).await.expect(200);
        },
    )
    .await;
}

#[tokio::test]
async fn rate_06_no_guess_is_evaluated_without_being_counted() {
    for after_work in [false, true] {
        for n in 0..2 {
            let (app, authenticator) = with_user().await;
            app.db.fail_at(n, after_work);
            app.verify("ann", &authenticator.wrong(app.now()))
                .await
                .fails(503, "unavailable");
            let failure = app
                .verify("ann", &authenticator.wrong(app.now()))
                .await
                .fails(400, "invalid_code");
            let counted = after_work && n == 1;
            assert_eq!(failure["attempts_remaining"], if counted { 3 } else { 4 });
        }
    }
}

#[tokio::test]
async fn atk_80_a_delivered_code_passes_once_whatever_fails() {
    for after_work in [false, true] {
        for n in 0..2 {
            let (app, _) = with_user().await;
            app.sms("ann").await.expect(200);
            let code = app.outbox.last().code();
            app.db.fail_at(n, after_work);
            app.verify("ann", &code).await.fails(503, "unavailable");
            let again = app.verify("ann", &code).await;
            assert!(again.status == 200 || after_work && again.status == 400);
            app.verify("ann", &code)
                .await
                .fails(400, "code_already_used");
        }
    }
}

#[tokio::test]
async fn atk_80_a_message_that_met_a_fault_leaves_no_code_that_was_not_sent() {
    for path in ["/mfa/sms", "/mfa/email"] {
        at_every_fault(
            async |app, _| app.post(path, json!({"user_id": "ann"})).await,
            async |app, _, reply, after_work| {
                if reply.status == 200 {
                    // It met the fault after its answer, where the provider's is counted.
                    assert_eq!(app.outbox.sent().len(), 1);
                    let code = app.outbox.last().code();
                    app.verify("ann", &code).await.expect(200);
                    return;
                }
                reply.fails(503, "unavailable");
                assert!(
                    app.outbox.sent().is_empty(),
                    "what could not be stored is not sent"
                );
                let again = app.post(path, json!({"user_id": "ann"})).await;
                assert!(
                    again.status == 200 || after_work && again.status == 429,
                    "{again:?}"
                );
                app.advance(60);
                app.post(path, json!({"user_id": "ann"})).await;
                app.verify("ann", &app.outbox.last().code())
                    .await
                    .expect(200);
            },
        )
        .await;
    }
}

#[tokio::test]
async fn atk_80_an_enrolment_is_whole_or_not_there() {
    at_every_fault(
        async |app, _| app.register("bob").await,
        async |app, _, reply, after_work| {
            reply.fails(503, "unavailable");
            let state = app.status("bob").await["state"].clone();
            assert!(
                state == "none" || after_work && state == "pending",
                "{state}"
            );
            app.enrolled("bob").await;
        },
    )
    .await;
}

#[tokio::test]
async fn atk_80_a_renewal_never_costs_the_working_factor() {
    at_every_fault(
        async |app, _| app.renew("ann").await,
        async |app, authenticator, reply, _| {
            reply.fails(503, "unavailable");
            app.guess_right("ann", authenticator).await.expect(200);
        },
    )
    .await;
}

#[tokio::test]
async fn atk_80_disabling_deleting_and_recovery_codes_are_whole_or_nothing() {
    let requests: [(Method, &str, Value); 4] = [
        (Method::POST, "/mfa/disable", json!({"user_id": "ann"})),
        (Method::DELETE, "/mfa/users/ann", Value::Null),
        (
            Method::POST,
            "/mfa/recovery-codes",
            json!({"user_id": "ann"}),
        ),
        (
            Method::POST,
            "/mfa/contact",
            json!({"user_id": "ann", "phone": null}),
        ),
    ];
    for (method, path, body) in requests {
        at_every_fault(
            async |app, _| {
                let body = if body.is_null() {
                    String::new()
                } else {
                    body.to_string()
                };
                app.send(TestApp::request(
                    method.clone(),
                    path,
                    Some(&app.fresh_token()),
                    &body,
                ))
                .await
            },
            async |app, authenticator, reply, after_work| {
                reply.fails(503, "unavailable");
                let verified = app.guess_right("ann", authenticator).await;
                let gone = after_work && matches!(verified.status, 404 | 409);
                assert!(verified.status == 200 || gone, "{path} {verified:?}");
                let remaining = app.status("ann").await["recovery_codes_remaining"].clone();
                assert!(remaining == 0 || after_work && remaining == 10);
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_recovery_code_passes_once_whatever_fails() {
    for after_work in [false, true] {
        for n in 0..2 {
            let (app, _) = with_user().await;
            let codes = app.recovery_codes("ann").await.expect(200);
            let code = codes["recovery_codes"][0].as_str().unwrap();
            app.db.fail_at(n, after_work);
            app.verify("ann", code).await.fails(503, "unavailable");
            let again = app.verify("ann", code).await;
            assert!(again.status == 200 || after_work && again.status == 400);
            app.verify("ann", code)
                .await
                .fails(400, "code_already_used");
        }
    }
}

#[tokio::test]
async fn a_token_is_given_or_revoked_or_the_fault_is_told() {
    at_every_fault(
        async |app, _| {
            let body = json!({"access_token": app.token}).to_string();
            app.send(TestApp::request(Method::POST, "/auth/revoke", None, &body))
                .await
        },
        async |app, _, reply, _| {
            reply.fails(503, "unavailable");
            let body = json!({"access_token": app.token}).to_string();
            app.send(TestApp::request(Method::POST, "/auth/revoke", None, &body))
                .await
                .expect(200);
            app.post_as(&app.token, "/mfa/generate", json!({"user_id": "ann"}))
                .await
                .fails(401, "invalid_token");
        },
    )
    .await;
}

#[tokio::test]
async fn rate_05_a_guess_counts_though_the_isolate_ends_with_the_answer() {
    let (app, authenticator) = with_user().await;
    let body = json!({"user_id": "ann", "code": authenticator.wrong(app.now())}).to_string();
    for n in 0..6 {
        let request = TestApp::request(Method::POST, "/mfa/verify", Some(&app.token), &body);
        let (reply, later) = app.send_and_leave(request).await;
        drop(later);
        assert_eq!(reply.status, if n < 5 { 400 } else { 429 });
    }
}

#[tokio::test]
async fn atk_81_every_rule_holds_with_a_kv_that_fails_or_finds_nothing() {
    for mood in [Mood::Failing, Mood::Empty, Mood::Stale] {
        let (app, authenticator) = with_user().await;
        app.kv.set(mood);
        let code = authenticator.code(app.now());
        app.verify("ann", &code).await.expect(200);
        app.verify("ann", &code)
            .await
            .fails(400, "code_already_used");
        app.guess_wrong("ann", &authenticator, 5).await;
        app.verify("ann", &authenticator.code(app.now() + 30))
            .await
            .fails(429, "locked");
        app.advance(61);
        app.guess_right("ann", &authenticator).await.expect(200);
        let codes = app.recovery_codes("ann").await.expect(200);
        let code = codes["recovery_codes"][0].as_str().unwrap();
        app.verify("ann", code).await.expect(200);
        app.verify("ann", code)
            .await
            .fails(400, "code_already_used");
        app.disable("ann").await.expect(200);
    }
}
