//! Verifying: one use, counting, locking, under races and at the edges of time.

use candado::platform::KeyValue as _;
use candado::platform::Value as SqlValue;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use candado_testkit::{Authenticator, TestApp};

#[tokio::test]
async fn atk_05_a_code_is_accepted_once_whatever_token_presents_it() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let code = authenticator.code(app.now());
    app.verify("ann", &code).await.expect(200);
    let failure = app
        .verify("ann", &code)
        .await
        .fails(400, "code_already_used");
    assert_eq!(failure["retry_after"], 30 - app.now() % 30);
    let rotated = app
        .admin(
            Method::POST,
            "/admin/clients/shop/rotate-secret",
            json!({"overlap_seconds": 60}),
        )
        .await
        .expect(200);
    let other_token = app
        .token_for("shop", rotated["client_secret"].as_str().unwrap())
        .await;
    let body = json!({"user_id": "ann", "code": code});
    app.post_as(&other_token, "/mfa/verify", body.clone())
        .await
        .fails(400, "code_already_used");
    app.redeployed(&[])
        .post("/mfa/verify", body)
        .await
        .fails(400, "code_already_used");
    assert_eq!(app.status("ann").await["locked_until"], Value::Null);
    // Once a minute: who presses a button again and again does not fill the record.
    assert_eq!(app.events("ann").await[2..], ["verified", "replayed"]);
    app.advance(60);
    let now = authenticator.code(app.now());
    for code in [&now, &now, &now] {
        app.verify("ann", code).await;
    }
    assert_eq!(app.events("ann").await[4..], ["verified", "replayed"]);
}

#[tokio::test]
async fn atk_06_no_earlier_step_is_accepted_after_a_later_one() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(60);
    let codes = [app.now() - 30, app.now(), app.now() + 30].map(|at| authenticator.code(at));
    app.verify("ann", &codes[1]).await.expect(200);
    app.verify("ann", &codes[2]).await.expect(200);
    app.verify("ann", &codes[1])
        .await
        .fails(400, "code_already_used");
    app.verify("ann", &codes[0])
        .await
        .fails(400, "code_already_used");
}

#[tokio::test]
async fn atk_10_only_three_steps_are_accepted() {
    for (offset, accepted) in [
        (-3, false),
        (-2, false),
        (-1, true),
        (0, true),
        (1, true),
        (2, false),
        (3, false),
    ] {
        let app = TestApp::new().await;
        let reply = app
            .post("/mfa/register", json!({"user_id": "ann", "confirm": false}))
            .await
            .expect(200);
        let at = app.now().checked_add_signed(offset * 30).unwrap();
        let reply = app.verify("ann", &Authenticator::of(&reply).code(at)).await;
        assert_eq!(reply.status == 200, accepted, "step {offset}");
    }
}

#[tokio::test]
async fn atk_01_of_parallel_uses_of_one_code_one_succeeds() {
    for _ in 0..20 {
        let app = TestApp::new().await;
        let authenticator = app.enrolled("ann").await;
        app.advance(30);
        let code = authenticator.code(app.now());
        let replies = join_all((0..50).map(|_| app.verify("ann", &code))).await;
        assert_eq!(
            replies.iter().filter(|reply| reply.status == 200).count(),
            1
        );
        for reply in replies.iter().filter(|reply| reply.status != 200) {
            let error = reply.json()["error"].clone();
            assert!(
                error == "code_already_used" || error == "rate_limited",
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn atk_13_of_parallel_guesses_five_are_evaluated() {
    for _ in 0..20 {
        let app = TestApp::new().await;
        let authenticator = app.enrolled("ann").await;
        let wrong = authenticator.wrong(app.now());
        let replies = join_all((0..50).map(|_| app.verify("ann", &wrong))).await;
        let evaluated = replies.iter().filter(|reply| reply.status == 400).count();
        assert!(evaluated <= 5, "{evaluated}");
        assert!(
            replies
                .iter()
                .all(|reply| matches!(reply.status, 400 | 429))
        );
        // What lost every round was not counted either: the rest of the five is still there.
        for _ in evaluated..5 {
            app.verify("ann", &wrong).await.fails(400, "invalid_code");
        }
        app.guess_right("ann", &authenticator)
            .await
            .fails(429, "locked");
    }
}

#[tokio::test]
async fn five_wrong_codes_lock_for_a_minute_and_the_lock_says_nothing_of_the_code() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    for remaining in [4, 3, 2, 1, 0] {
        let failure = app
            .verify("ann", &authenticator.wrong(app.now()))
            .await
            .fails(400, "invalid_code");
        assert_eq!(failure["message"], "Invalid code");
        assert_eq!(failure["attempts_remaining"], remaining);
    }
    let locked_at = app.now();
    for later in [0, 20, 39] {
        app.advance(later);
        let wrong = app
            .verify("ann", &authenticator.wrong(app.now()))
            .await
            .fails(429, "locked");
        let right = app
            .guess_right("ann", &authenticator)
            .await
            .fails(429, "locked");
        assert_eq!(wrong, right, "ATK-22");
        assert_eq!(right["retry_after"], locked_at + 60 - app.now());
    }
    assert_eq!(app.status("ann").await["locked_until"], locked_at + 60);
    app.advance(1);
    app.guess_right("ann", &authenticator).await.expect(200);
    assert_eq!(app.status("ann").await["locked_until"], Value::Null);
    app.verify("ann", &authenticator.wrong(app.now()))
        .await
        .fails(400, "invalid_code");
}

#[tokio::test]
async fn rate_03_the_lock_grows_with_every_further_failure() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.guess_wrong("ann", &authenticator, 4).await;
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
        app.verify("ann", &authenticator.wrong(app.now()))
            .await
            .fails(400, "invalid_code");
        let locked = app
            .verify("ann", &authenticator.wrong(app.now()))
            .await
            .fails(429, "locked");
        assert_eq!(locked["retry_after"], minutes * 60);
        app.advance(minutes * 60);
    }
}

#[tokio::test]
async fn atk_21_the_hundredth_failure_disables_until_renewal() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    for _ in 0..100 {
        app.verify("ann", &authenticator.wrong(app.now()))
            .await
            .fails(400, "invalid_code");
        app.advance(3600);
    }
    app.guess_right("ann", &authenticator)
        .await
        .fails(403, "factor_disabled");
    app.advance(86_400);
    app.guess_right("ann", &authenticator)
        .await
        .fails(403, "factor_disabled");
    let status = app.status("ann").await;
    assert_eq!(
        (status["mfa_enabled"].as_bool(), status["state"].as_str()),
        (Some(true), Some("disabled"))
    );
    app.admin(
        Method::POST,
        "/admin/unlock",
        json!({"client_id": "shop", "user_id": "ann"}),
    )
    .await
    .expect(200);
    app.guess_right("ann", &authenticator)
        .await
        .fails(403, "factor_disabled");
    app.register("ann").await.fails(409, "already_registered");

    let new = Authenticator::of(&app.renew("ann").await.expect(200));
    app.guess_right("ann", &new).await.expect(200);
    assert_eq!(app.status("ann").await["state"], "active");
}

#[tokio::test]
async fn atk_08_what_cannot_be_a_code_is_wrong_and_not_counted_and_what_is_no_text_is_malformed() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let fresh = authenticator.code(app.now());
    app.guess_wrong("ann", &authenticator, 1).await;
    for bad in [
        format!("+{fresh}"),
        format!("0{fresh}"),
        format!("{fresh}.0"),
        format!("{fresh}\u{200b}"),
        format!("{fresh}\0"),
        format!("{fresh},{fresh}"),
        "1e5".to_owned(),
        "١٢٣٤٥٦".to_owned(),
        "１２３４５６".to_owned(),
        "12345".to_owned(),
        String::new(),
        "1".repeat(10_000),
        "7QDP-9T2M-K4XW".to_owned(),
    ] {
        let failure = app.verify("ann", &bad).await.fails(400, "invalid_code");
        assert_eq!(failure["attempts_remaining"], 4, "{bad:?}");
        assert_eq!(failure["message"], "Invalid code");
    }
    for bad in [
        json!(123_456),
        json!([fresh]),
        json!({"$ne": 1}),
        json!(true),
        Value::Null,
    ] {
        let body = json!({"user_id": "ann", "code": bad});
        let failure = app.post("/mfa/verify", body).await;
        assert_eq!(failure.fails(400, "invalid_request")["field"], "code");
    }
    app.post("/mfa/verify", json!({"user_id": "ann"}))
        .await
        .fails(400, "invalid_request");
    app.verify("ann", &fresh).await.expect(200);
    assert_eq!(
        app.events("ann").await,
        ["enrolled", "confirmed", "failed", "verified"]
    );
}

#[tokio::test]
async fn atk_08_however_a_code_is_spaced_it_is_one_code_and_good_once() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let fresh = authenticator.code(app.now());
    let (left, right) = fresh.split_at(3);
    app.verify("ann", &format!("{left} {right}"))
        .await
        .expect(200);
    for again in [
        fresh.clone(),
        format!("{left}-{right}"),
        format!(" {fresh}\n"),
        format!("{left}\u{a0}{right}"),
    ] {
        app.verify("ann", &again)
            .await
            .fails(400, "code_already_used");
    }
}

#[tokio::test]
async fn atk_85_a_clock_that_jumps_back_accepts_nothing_twice() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(90);
    let code = authenticator.code(app.now());
    app.verify("ann", &code).await.expect(200);
    app.set_back(60);
    app.guess_right("ann", &authenticator)
        .await
        .fails(400, "code_already_used");
}

#[tokio::test]
async fn a_method_can_be_insisted_on() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let body = |method: &str| json!({"user_id": "ann", "code": authenticator.code(app.now()), "method": method});
    app.post("/mfa/verify", body("sms"))
        .await
        .fails(400, "invalid_code");
    let failure = app
        .post("/mfa/verify", body("fax"))
        .await
        .fails(400, "invalid_request");
    assert_eq!(failure["field"], "method");
    assert_eq!(
        app.post("/mfa/verify", body("totp")).await.expect(200)["method"],
        "totp"
    );
}

#[tokio::test]
async fn a_method_the_client_does_not_use_is_never_accepted() {
    let app = TestApp::with_settings(json!({"methods": ["totp"]})).await;
    app.enrolled_with(json!({"user_id": "ann", "phone": "+34600111222"}))
        .await;
    for path in [
        "/mfa/sms",
        "/mfa/email",
        "/mfa/generate",
        "/mfa/recovery-codes",
    ] {
        app.post(path, json!({"user_id": "ann"}))
            .await
            .fails(403, "method_not_allowed");
    }
    let named = json!({"user_id": "ann", "code": "123456", "method": "sms"});
    app.post("/mfa/verify", named)
        .await
        .fails(403, "method_not_allowed");
    assert_eq!(app.status("ann").await["methods"], json!(["totp"]));
}

#[tokio::test]
async fn unknown_and_unenrolled_users_have_nothing_to_verify() {
    let app = TestApp::new().await;
    app.verify("ann", "123456")
        .await
        .fails(404, "user_not_found");
    app.enrolled("ann").await;
    app.disable("ann").await.expect(200);
    app.verify("ann", "123456")
        .await
        .fails(409, "mfa_not_enabled");
}

#[tokio::test]
async fn atk_18_a_variant_of_a_user_id_is_another_user_or_an_error() {
    let app = TestApp::new().await;
    app.enrolled("bob").await;
    for variant in ["Bob", "BOB", "bob.", "%62ob", "bob%20", "bob/"] {
        app.verify(variant, "123456")
            .await
            .fails(404, "user_not_found");
    }
    for malformed in ["bob ", " bob", "bob\u{200b}", "bób", "bob\n", ""] {
        app.verify(malformed, "123456")
            .await
            .fails(400, "invalid_request");
    }
}

#[tokio::test]
async fn the_mark_in_kv_refuses_early_and_the_account_holds_without_it() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.guess_wrong("ann", &authenticator, 5).await;
    let marks = app.kv.written.lock().unwrap().clone();
    let (until, ttl) = marks.get("lock:shop:ann").unwrap();
    assert_eq!(
        (until.as_str(), *ttl),
        (format!("{{\"totp\":{}}}", app.now() + 60).as_str(), 60)
    );
    for mood in [candado_testkit::Mood::Empty, candado_testkit::Mood::Failing] {
        app.kv.set(mood);
        app.guess_right("ann", &authenticator)
            .await
            .fails(429, "locked");
    }
    // A mark that outlives its lock in a stale cache allows nothing and refuses nothing.
    app.kv.set(candado_testkit::Mood::Stale);
    app.advance(60);
    app.guess_right("ann", &authenticator).await.expect(200);
}

#[tokio::test]
async fn a_verification_is_two_round_trips_to_the_database() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    app.db.trips();
    app.kv.reads();
    app.guess_right("ann", &authenticator).await.expect(200);
    assert_eq!(app.db.trips(), 2);
    assert_eq!(app.kv.reads(), 1, "the lock mark");
    app.verify("ann", &authenticator.wrong(app.now()))
        .await
        .fails(400, "invalid_code");
    assert_eq!(app.db.trips(), 2);
    app.status("ann").await;
    assert_eq!(app.db.trips(), 1);
}

/// What a verification writes, as the Worker's tests run it on D1 to see how many rows that is. `npm run openapi`
/// writes the file.
#[tokio::test]
async fn the_statements_of_a_verification_are_those_that_are_tried_on_d1() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    app.guess_right("ann", &authenticator).await.expect(200);
    let batch = app.db.last_batch();
    let stored = app.db.rows("SELECT version FROM accounts").await;
    let version = stored[0]["version"].as_i64().unwrap() - 1;
    let name = |value: &SqlValue| match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(number) if *number == version => json!("$version"),
        SqlValue::Integer(number) if u64::try_from(*number) == Ok(app.now()) => json!("$now"),
        SqlValue::Integer(number) => json!(number),
        SqlValue::Text(text) if text.starts_with(r#"{"format""#) => json!("$state"),
        SqlValue::Text(text) if text == "shop" => json!("$client"),
        SqlValue::Text(text) if text == "ann" => json!("$user"),
        SqlValue::Text(text) if text.len() == 32 => json!("$id"),
        SqlValue::Text(text) => json!(text),
    };
    let batch = batch.into_iter().map(|statement| {
        let sql: Vec<&str> = statement.sql.split_whitespace().collect();
        let params: Vec<Value> = statement.params.iter().map(name).collect();
        json!({"sql": sql.join(" "), "params": params})
    });
    let current = serde_json::to_string_pretty(&batch.collect::<Value>()).unwrap() + "\n";
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/worker/verification.json"
    );
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), current);
}

#[tokio::test]
async fn a_mark_in_kv_refuses_until_its_time_and_not_at_it() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let code = authenticator.code(app.now());
    let mark = async |until: u64| {
        let locks = json!({"totp": until, "delivered": until + 1}).to_string();
        app.kv.put("lock:shop:ann", &locks, 600).await.unwrap();
    };
    mark(app.now() + 7).await;
    let failure = app.verify("ann", &code).await.fails(429, "locked");
    assert_eq!(failure["retry_after"], 7);
    let named = |method: &str| json!({"user_id": "ann", "code": code, "method": method});
    let failure = app.post("/mfa/verify", named("sms")).await;
    assert_eq!(failure.fails(429, "locked")["retry_after"], 8);
    mark(app.now()).await;
    app.verify("ann", &code).await.expect(200);
}
