//! Contact, disabling, deleting, and the proof a client's policy may ask for.

use http::Method;
use serde_json::{Value, json};

use candado_testkit::{Authenticator, TestApp};

#[tokio::test]
async fn a_contact_is_set_masked_and_removed() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let set = json!({"user_id": "ann", "email": "ann@Example.com", "phone": "+34600111222"});
    assert_eq!(
        app.post("/mfa/contact", set).await.expect(200),
        json!({"status": "success", "email": "a•••@example.com", "phone": "+34•••••••22"})
    );
    assert_eq!(
        app.status("ann").await["methods"],
        json!(["totp", "sms", "email"])
    );
    let kept = app
        .post("/mfa/contact", json!({"user_id": "ann", "email": null}))
        .await
        .expect(200);
    assert_eq!(
        (kept["email"].clone(), kept["phone"].as_str()),
        (Value::Null, Some("+34•••••••22"))
    );
    app.post("/mfa/contact", json!({"user_id": "bob", "email": null}))
        .await
        .fails(404, "user_not_found");
}

#[tokio::test]
async fn disabling_leaves_nothing_that_verifies() {
    let app = TestApp::new().await;
    let authenticator = app
        .enrolled_with(json!({"user_id": "ann", "phone": "+34600111222"}))
        .await;
    let generated = app.generate("ann").await.expect(200);
    let codes = app.recovery_codes("ann").await.expect(200);
    for _ in 0..2 {
        let reply = app
            .post(
                "/mfa/disable",
                json!({"user_id": "ann", "client_id": "shop"}),
            )
            .await
            .expect(200);
        assert_eq!(
            reply,
            json!({"status": "success", "message": "MFA disabled for user"})
        );
    }
    let status = app.status("ann").await;
    assert_eq!(
        (status["mfa_enabled"].as_bool(), status["state"].as_str()),
        (Some(false), Some("disabled"))
    );
    assert_eq!(
        (&status["methods"], &status["recovery_codes_remaining"]),
        (&json!([]), &json!(0))
    );
    app.advance(30);
    for code in [
        authenticator.code(app.now()),
        generated["code"].as_str().unwrap().to_owned(),
        codes["recovery_codes"][0].as_str().unwrap().to_owned(),
    ] {
        app.verify("ann", &code).await.fails(409, "mfa_not_enabled");
    }
    for path in [
        "/mfa/sms",
        "/mfa/email",
        "/mfa/generate",
        "/mfa/renew",
        "/mfa/recovery-codes",
    ] {
        app.post(path, json!({"user_id": "ann"}))
            .await
            .fails(409, "mfa_not_enabled");
    }
    app.disable("bob").await.fails(404, "user_not_found");

    // ATK-33: on again, the old secret stays dead.
    let again = app.register("ann").await.expect(200);
    app.guess_right("ann", &authenticator)
        .await
        .fails(400, "invalid_code");
    app.verify("ann", &Authenticator::of(&again).code(app.now()))
        .await
        .expect(200);
}

#[tokio::test]
async fn rate_12_turning_mfa_off_and_on_resets_no_count() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.guess_wrong("ann", &authenticator, 4).await;
    app.disable("ann").await.expect(200);
    let again = Authenticator::of(&app.register("ann").await.expect(200));
    let failure = app
        .verify("ann", &again.wrong(app.now()))
        .await
        .fails(400, "invalid_code");
    assert_eq!(failure["attempts_remaining"], 0);
    app.guess_right("ann", &again).await.fails(429, "locked");
}

#[tokio::test]
async fn ten_09_a_deleted_user_is_gone() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    let delete = |user: &str| {
        app.send(TestApp::request(
            Method::DELETE,
            &format!("/mfa/users/{user}"),
            Some(&app.token),
            "",
        ))
    };
    let reply = delete("ann").await;
    assert_eq!((reply.status, reply.bytes.len()), (204, 0));
    app.verify("ann", &authenticator.code(app.now() + 30))
        .await
        .fails(404, "user_not_found");
    assert_eq!(app.status("ann").await["state"], "none");
    delete("ann").await.fails(404, "user_not_found");
    delete("a%20b").await.fails(400, "invalid_request");
    assert!(app.db.rows("SELECT * FROM accounts").await.is_empty());
    assert_eq!(app.events("ann").await.last().unwrap(), "deleted");
}

#[tokio::test]
async fn a_request_that_began_before_a_deletion_does_not_touch_the_user_made_after_it() {
    let app = TestApp::new().await;
    let version = || async {
        app.db.rows("SELECT version FROM accounts").await[0]["version"]
            .as_i64()
            .unwrap()
    };
    app.register("ann").await.expect(200);
    let before = version().await;
    app.send(TestApp::request(
        Method::DELETE,
        "/mfa/users/ann",
        Some(&app.token),
        "",
    ))
    .await
    .expect(204);
    app.register("ann").await.expect(200);
    assert_ne!(version().await, before, "versions do not begin again");
}

#[tokio::test]
async fn atk_36_with_step_up_taking_away_needs_a_fresh_code() {
    let app = TestApp::with_settings(json!({"require_step_up": true})).await;
    let authenticator = app.enrolled("ann").await;
    // The first recovery codes are no taking away; see below.
    app.advance(600);
    let requests = [
        ("/mfa/disable", json!({"user_id": "ann"})),
        ("/mfa/renew", json!({"user_id": "ann"})),
        ("/mfa/recovery-codes", json!({"user_id": "ann"})),
        (
            "/mfa/contact",
            json!({"user_id": "ann", "phone": "+34600111222"}),
        ),
    ];
    for (path, body) in &requests {
        app.post(path, body.clone())
            .await
            .fails(403, "step_up_required");
    }
    let delete = TestApp::request(Method::DELETE, "/mfa/users/ann", Some(&app.token), "");
    app.send(delete).await.fails(403, "step_up_required");

    // A used code, a wrong one, and one the application asked for itself prove nothing.
    let with_code = |code: &str| json!({"user_id": "ann", "code": code});
    app.guess_right("ann", &authenticator).await.expect(200);
    app.post("/mfa/disable", with_code(&authenticator.code(app.now())))
        .await
        .fails(400, "code_already_used");
    let failure = app
        .post("/mfa/disable", with_code(&authenticator.wrong(app.now())))
        .await
        .fails(400, "invalid_code");
    assert_eq!(failure["attempts_remaining"], 4);
    let generated = app.generate("ann").await.expect(200);
    app.post(
        "/mfa/disable",
        with_code(generated["code"].as_str().unwrap()),
    )
    .await
    .fails(400, "invalid_code");

    for (path, body) in requests.iter().rev() {
        app.advance(30);
        let mut body = body.clone();
        body["code"] = json!(authenticator.code(app.now()));
        app.post(path, body.clone()).await.expect(200);
        if *path != "/mfa/disable" {
            app.post(path, body).await.fails(400, "code_already_used");
        }
    }
    assert_eq!(app.status("ann").await["state"], "disabled");
}

#[tokio::test]
async fn the_first_recovery_codes_need_no_step_up_right_after_the_enrolment_and_only_they() {
    for (seconds, is_free) in [(0, true), (599, true), (600, false)] {
        let app = TestApp::with_settings(json!({"require_step_up": true})).await;
        let authenticator = app.enrolled("ann").await;
        let ask = || app.recovery_codes("ann");
        app.advance(seconds);
        if is_free {
            ask().await.expect(200);
        }
        ask().await.fails(403, "step_up_required");

        // Neither a new device nor a set that is used up makes them free again.
        app.advance(30);
        let renew = json!({"user_id": "ann", "code": authenticator.code(app.now())});
        let renewed = app.post("/mfa/renew", renew).await.expect(200);
        let new = Authenticator::of(&renewed);
        app.guess_right("ann", &new).await.expect(200);
        ask().await.fails(403, "step_up_required");
    }
    // Turned off and on again is a first time again.
    let app = TestApp::with_settings(json!({"require_step_up": true})).await;
    let first = app.enrolled("ann").await;
    app.advance(900);
    let disable = json!({"user_id": "ann", "code": first.code(app.now())});
    app.post("/mfa/disable", disable).await.expect(200);
    app.enrolled("ann").await;
    app.recovery_codes("ann").await.expect(200);
}

#[tokio::test]
async fn deleting_with_step_up_takes_a_code_in_its_body() {
    let app = TestApp::with_settings(json!({"require_step_up": true})).await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let body = json!({"code": authenticator.code(app.now())}).to_string();
    app.send(TestApp::request(
        Method::DELETE,
        "/mfa/users/ann",
        Some(&app.token),
        &body,
    ))
    .await
    .expect(204);
    assert_eq!(
        app.events("ann").await,
        ["enrolled", "confirmed", "verified", "deleted"]
    );
}

#[tokio::test]
async fn a_wrong_proof_is_counted_by_the_lock_even_where_none_is_asked_for() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    for _ in 0..5 {
        let body = json!({"user_id": "ann", "code": authenticator.wrong(app.now())});
        app.post("/mfa/disable", body)
            .await
            .fails(400, "invalid_code");
    }
    let body = json!({"user_id": "ann", "code": authenticator.code(app.now())});
    app.post("/mfa/disable", body).await.fails(429, "locked");
    app.guess_right("ann", &authenticator)
        .await
        .fails(429, "locked");
}

#[tokio::test]
async fn atk_43_no_answer_to_anybody_holds_a_confirmed_secret() {
    let app = TestApp::new().await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let enrolment = app.post("/mfa/register", body).await.expect(200);
    let authenticator = Authenticator::of(&enrolment);
    app.guess_right("ann", &authenticator).await.expect(200);

    let user = json!({"user_id": "ann"});
    let mut answers = Vec::new();
    for path in [
        "/mfa/register",
        "/mfa/generate",
        "/mfa/sms",
        "/mfa/email",
        "/mfa/recovery-codes",
        "/mfa/contact",
    ] {
        answers.push(app.post(path, user.clone()).await);
    }
    answers.push(app.guess_right("ann", &authenticator).await);
    answers.push(app.verify("ann", &authenticator.wrong(app.now())).await);
    answers.push(app.get("/mfa/status?user_id=ann").await);
    for path in [
        "/admin/audit?limit=1000",
        "/admin/clients",
        "/admin/clients/shop",
    ] {
        answers.push(app.admin(Method::GET, path, Value::Null).await);
    }
    let link = enrolment["qr_code_url"]
        .as_str()
        .unwrap()
        .replace("https://mfa.example.com", "");
    for path in [link.clone(), format!("{link}&format=svg")] {
        answers.push(
            app.send(TestApp::request(Method::GET, &path, None, ""))
                .await,
        );
    }
    // A renewal shows its own new secret, and only that.
    answers.push(app.post("/mfa/renew", user.clone()).await);
    answers.push(app.post("/mfa/disable", user).await);

    let base32 = enrolment["secret"].as_str().unwrap();
    let hex = hex::encode(&authenticator.secret);
    for answer in answers {
        let text = format!(
            "{:?} {}",
            answer.headers,
            String::from_utf8_lossy(&answer.bytes)
        );
        assert!(!text.contains(base32) && !text.contains(&hex), "{text}");
    }
}

#[tokio::test]
async fn atk_83_there_is_no_code_header_or_parameter_for_tests() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(3600);
    let window = [-30, 0, 30]
        .map(|offset| authenticator.code(app.now().checked_add_signed(offset).unwrap()));
    for code in ["000000", "123456", "111111", "999999"] {
        if !window.contains(&code.to_owned()) {
            app.verify("ann", code).await.fails(400, "invalid_code");
        }
    }
    // An hour-old code, with everything that might turn the clock back or the check off.
    let old = authenticator.code(app.now() - 3600 + 60);
    for header in [
        "x-test",
        "x-debug",
        "x-test-clock",
        "x-now",
        "date",
        "x-candado-test",
        "x-bypass",
    ] {
        let body = json!({"user_id": "ann", "code": old}).to_string();
        let mut request =
            TestApp::request(Method::POST, "/mfa/verify", Some(&app.fresh_token()), &body);
        request
            .headers_mut()
            .insert(header, (app.now() - 3540).to_string().parse().unwrap());
        assert_ne!(app.send(request).await.status, 200, "{header}");
    }
    for field in ["now", "test", "debug", "skip"] {
        let mut body = json!({"user_id": "ann", "code": old});
        body[field] = json!(true);
        app.post("/mfa/verify", body)
            .await
            .fails(400, "invalid_request");
    }
}

#[tokio::test]
async fn the_status_says_since_when_a_user_is_known_and_when_it_last_verified() {
    let app = TestApp::new().await;
    let began = app.now();
    let user = json!({"user_id": "ann", "confirm": false});
    let enrolment = app.post("/mfa/register", user).await.expect(200);
    let authenticator = Authenticator::of(&enrolment);
    assert_eq!(app.status("ann").await["last_verified_at"], json!(null));
    app.advance(90);
    app.guess_right("ann", &authenticator).await.expect(200);
    let status = app.status("ann").await;
    assert_eq!(status["created_at"], began);
    assert_eq!(status["last_verified_at"], began + 90);
}

#[tokio::test]
async fn atk_01_a_deletion_whose_code_was_spent_meanwhile_deletes_nothing() {
    let app = TestApp::with_settings(json!({"require_step_up": true})).await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    // Another request uses the code after this one has judged it and before it deletes.
    let stored = app.db.rows("SELECT state FROM accounts").await;
    let mut state: Value = serde_json::from_str(stored[0]["state"].as_str().unwrap()).unwrap();
    state["factors"][0]["kind"]["totp"]["last_step"] = json!(1_000_000_000_000_u64);
    let used = format!("UPDATE accounts SET version = version + 1, state = '{state}'");
    app.db.before(1, &used);
    let body = json!({"code": authenticator.code(app.now())}).to_string();
    let delete = TestApp::request(Method::DELETE, "/mfa/users/ann", Some(&app.token), &body);
    app.send(delete).await.fails(400, "code_already_used");
    assert_eq!(app.status("ann").await["mfa_enabled"], true);
}
