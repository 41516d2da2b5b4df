//! Recovery codes and recovery messages, and what they never do.

use futures_util::future::join_all;
use serde_json::{Value, json};

use candado_testkit::{Authenticator, TestApp};

async fn codes(app: &TestApp, user: &str) -> Vec<String> {
    let reply = app
        .post("/mfa/recovery-codes", json!({"user_id": user}))
        .await
        .expect(200);
    assert_eq!(reply["remaining"], 10);
    reply["recovery_codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn rec_08_each_code_of_a_set_works_once_and_the_rest_is_counted() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let codes = codes(&app, "ann").await;
    assert_eq!(codes.len(), 10);
    for (used, code) in codes.iter().enumerate() {
        assert_eq!(
            app.verify("ann", code).await.expect(200)["method"],
            "recovery_code"
        );
        app.verify("ann", code)
            .await
            .fails(400, "code_already_used");
        assert_eq!(
            app.status("ann").await["recovery_codes_remaining"],
            9 - used
        );
    }
    let stored = format!("{:?}", app.db.rows("SELECT * FROM accounts").await);
    assert!(
        codes
            .iter()
            .all(|code| !stored.contains(code) && !stored.contains(&code.replace('-', "")))
    );
}

#[tokio::test]
async fn rec_09_every_way_to_write_a_code_is_the_same_code() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let codes = codes(&app, "ann").await;
    app.verify("ann", &codes[0].to_lowercase().replace('-', " "))
        .await
        .expect(200);
    app.verify("ann", &codes[0].replace('-', ""))
        .await
        .fails(400, "code_already_used");
    app.verify("ann", &codes[1].replace('1', "l").replace('0', "O"))
        .await
        .expect(200);
    app.verify("ann", &codes[1])
        .await
        .fails(400, "code_already_used");
}

#[tokio::test]
async fn atk_03_parallel_uses_of_one_code_give_one_success_and_different_codes_one_each() {
    for _ in 0..10 {
        let app = TestApp::new().await;
        app.enrolled("ann").await;
        let codes = codes(&app, "ann").await;
        let replies = join_all((0..50).map(|_| app.verify("ann", &codes[0]))).await;
        assert_eq!(
            replies.iter().filter(|reply| reply.status == 200).count(),
            1
        );
    }
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let codes = codes(&app, "ann").await;
    let mut used = 0;
    // A loser of every round is told to try again, and loses nothing by it.
    let mut waiting: Vec<&String> = codes.iter().collect();
    while !waiting.is_empty() {
        let replies = join_all(waiting.iter().map(|code| app.verify("ann", code))).await;
        let mut again = Vec::new();
        for (code, reply) in waiting.into_iter().zip(replies) {
            if reply.status == 200 {
                used += 1;
            } else {
                reply.fails(429, "rate_limited");
                again.push(code);
            }
        }
        waiting = again;
    }
    assert_eq!(used, 10);
    assert_eq!(app.status("ann").await["recovery_codes_remaining"], 0);
}

#[tokio::test]
async fn atk_38_only_the_last_set_works_and_of_parallel_ones_one() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let old = codes(&app, "ann").await;
    let replies = join_all((0..2).map(|_| app.recovery_codes("ann"))).await;
    app.verify("ann", &old[0]).await.fails(400, "invalid_code");
    let mut works = 0;
    for reply in replies {
        let body: Value = reply.expect(200);
        works += u32::from(
            app.verify("ann", body["recovery_codes"][0].as_str().unwrap())
                .await
                .status
                == 200,
        );
    }
    assert_eq!(works, 1);
}

#[tokio::test]
async fn atk_28_guessing_recovery_codes_locks_recovery_and_nothing_else() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    let codes = codes(&app, "ann").await;
    for n in 0..5 {
        app.verify("ann", &format!("0000-0000-0000-0000-0000-000{n}"))
            .await
            .fails(400, "invalid_code");
    }
    app.verify("ann", &codes[0]).await.fails(429, "locked");
    app.verify("ann", &authenticator.code(app.now() + 30))
        .await
        .expect(200);
    app.advance(60);
    app.verify("ann", &codes[0]).await.expect(200);
}

#[tokio::test]
async fn recovery_codes_are_for_users_with_mfa() {
    let app = TestApp::new().await;
    app.recovery_codes("ann").await.fails(404, "user_not_found");
    app.register("ann").await.expect(200);
    app.recovery_codes("ann")
        .await
        .fails(409, "mfa_not_enabled");
}

#[tokio::test]
async fn a_user_who_lost_the_device_recovers_by_message_and_binds_a_new_one() {
    let app = TestApp::new().await;
    let lost = app
        .enrolled_with(json!({"user_id": "ann", "email": "ann@example.com"}))
        .await;
    // The thief guesses until the authenticator is locked; recovery stays open (RATE-13).
    app.guess_wrong("ann", &lost, 5).await;
    let body = json!({"user_id": "ann", "client_id": "shop", "recovery_method": "email"});
    let reply = app.post("/mfa/recovery", body).await.expect(200);
    assert_eq!(
        reply,
        json!({"status": "success", "message": "Recovery code sent to user", "expires_in": 600})
    );
    let code = app.outbox.last().code();
    assert_eq!(code.len(), 8);
    let verified = app.verify("ann", &code).await.expect(200);
    assert_eq!(verified["method"], "recovery");
    app.verify("ann", &code)
        .await
        .fails(400, "code_already_used");

    let renewed = app
        .post(
            "/mfa/renew",
            json!({"user_id": "ann", "revoke_current": true}),
        )
        .await
        .expect(200);
    // The lock was for guesses at the lost device, and is no obstacle to binding the next one.
    app.verify("ann", &Authenticator::of(&renewed).code(app.now()))
        .await
        .expect(200);
    app.guess_right("ann", &lost)
        .await
        .fails(400, "invalid_code");
    let events = app.events("ann").await;
    assert!(
        events.contains(&"recovered".to_owned()) && events.contains(&"renewed".to_owned()),
        "{events:?}"
    );
}

#[tokio::test]
async fn atk_30_a_code_of_one_purpose_or_channel_serves_no_other() {
    let app = TestApp::new().await;
    let body = json!({"user_id": "ann", "email": "ann@example.com", "phone": "+34600111222", "confirm": false});
    app.post("/mfa/register", body).await.expect(200);
    app.post("/mfa/register", json!({"user_id": "bob", "confirm": false}))
        .await
        .expect(200);
    app.recover("ann", "email").await.expect(200);
    let recovery = app.outbox.last().code();
    app.sms("ann").await.expect(200);
    let sms = app.outbox.last().code();
    for method in ["totp", "sms", "email", "generated", "recovery_code"] {
        let body = json!({"user_id": "ann", "code": recovery, "method": method});
        app.post("/mfa/verify", body)
            .await
            .fails(400, "invalid_code");
        app.advance(0);
        if method == "generated" {
            app.admin(
                http::Method::POST,
                "/admin/unlock",
                json!({"client_id": "shop", "user_id": "ann"}),
            )
            .await
            .expect(200);
        }
    }
    app.admin(
        http::Method::POST,
        "/admin/unlock",
        json!({"client_id": "shop", "user_id": "ann"}),
    )
    .await
    .expect(200);
    app.verify("bob", &sms).await.fails(400, "invalid_code");
    app.verify("bob", &recovery)
        .await
        .fails(400, "invalid_code");
    let body = json!({"user_id": "ann", "code": sms, "method": "email"});
    app.post("/mfa/verify", body)
        .await
        .fails(400, "invalid_code");
    assert_eq!(app.verify("ann", &sms).await.expect(200)["method"], "sms");
    assert_eq!(
        app.verify("ann", &recovery).await.expect(200)["method"],
        "recovery"
    );
}

#[tokio::test]
async fn rec_17_asking_for_recovery_changes_nothing_of_what_is_enrolled() {
    let app = TestApp::new().await;
    let authenticator = app
        .enrolled_with(json!({"user_id": "ann", "phone": "+34600111222"}))
        .await;
    let before = app.status("ann").await;
    app.recover("ann", "sms").await.expect(200);
    assert_eq!(app.status("ann").await, before);
    app.verify("ann", &authenticator.code(app.now() + 30))
        .await
        .expect(200);
    app.recover("ann", "email")
        .await
        .fails(422, "destination_missing");
    app.recover("bob", "sms").await.fails(404, "user_not_found");
    for bad in [json!("fax"), json!(null), json!(1), json!("SMS")] {
        let failure = app
            .post(
                "/mfa/recovery",
                json!({"user_id": "ann", "recovery_method": bad}),
            )
            .await;
        assert_eq!(
            failure.fails(400, "invalid_request")["field"],
            "recovery_method"
        );
    }
    app.post(
        "/mfa/register",
        json!({"user_id": "new", "phone": "+34600111222"}),
    )
    .await
    .expect(200);
    app.recover("new", "sms")
        .await
        .fails(409, "mfa_not_enabled");
}

#[tokio::test]
async fn a_recovery_message_lives_ten_minutes() {
    for (seconds, accepted) in [(599, true), (600, false)] {
        let app = TestApp::new().await;
        app.enrolled_with(json!({"user_id": "ann", "phone": "+34600111222"}))
            .await;
        app.post(
            "/mfa/recovery",
            json!({"user_id": "ann", "recovery_method": "sms", "locale": "es"}),
        )
        .await
        .expect(200);
        app.advance(seconds);
        assert_eq!(
            app.verify("ann", &app.outbox.last().code()).await.status == 200,
            accepted
        );
    }
}
