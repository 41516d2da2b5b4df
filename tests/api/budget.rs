//! How many guesses a caller has, whatever it can make succeed between (ATK-86, ATK-87).

use http::Method;
use serde_json::{Value, json};

use candado_testkit::{Authenticator, Reply, TestApp};

use crate::passkeys::{Passkey, login, registration};

const DAY: u64 = 86_400;

/// A client as a careful operator makes it, and a user with everything. The limits on messages are the defaults.
async fn careful() -> (TestApp, Authenticator) {
    let app = TestApp::with_settings(json!({"require_step_up": true})).await;
    let user = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let authenticator = app.enrolled_with(user).await;
    app.advance(30);
    let proof = json!({"user_id": "ann", "code": authenticator.code(app.now())});
    let opened = app.post("/mfa/passkeys/options", proof).await.expect(200);
    let made = registration(&opened, &Passkey::new(7), "ann");
    app.post("/mfa/passkeys", made).await.expect(200);
    (app, authenticator)
}

/// One request that carries a guess at a factor, to one of the ways that take one.
async fn guess(app: &TestApp, way: usize, code: &str) -> Reply {
    let body = json!({"user_id": "ann", "code": code});
    match way % 9 {
        0 => app.post("/mfa/verify", body).await,
        1 => app.post("/mfa/disable", body).await,
        2 => app.post("/mfa/renew", body).await,
        3 => app.post("/mfa/recovery-codes", body).await,
        4 => {
            let mut body = body;
            body["phone"] = Value::Null;
            app.post("/mfa/contact", body).await
        }
        5 => {
            let mut body = body;
            body["type"] = json!("totp");
            app.post("/mfa/factors", body).await
        }
        6 => app.post("/mfa/passkeys/options", body).await,
        7 => {
            let token = app.fresh_token();
            let delete = TestApp::request(
                Method::DELETE,
                "/mfa/factors/x",
                Some(&token),
                &body.to_string(),
            );
            app.send(delete).await
        }
        _ => {
            let token = app.fresh_token();
            let body = json!({"code": code}).to_string();
            let delete = TestApp::request(Method::DELETE, "/mfa/users/ann", Some(&token), &body);
            app.send(delete).await
        }
    }
}

/// Something the caller can make succeed by itself, as far as the service lets it.
async fn success(app: &TestApp, kind: &str) {
    match kind {
        "generated" => {
            let generated = app.generate("ann").await;
            if generated.status == 200 {
                let code = generated.json()["code"].as_str().unwrap().to_owned();
                app.verify("ann", &code).await.expect(200);
            }
        }
        "email" | "sms" => {
            let sent = app
                .post(&format!("/mfa/{kind}"), json!({"user_id": "ann"}))
                .await;
            if sent.status == 200 {
                app.verify("ann", &app.outbox.last().code())
                    .await
                    .expect(200);
            }
        }
        "passkey" => {
            let passkey = Passkey::new(7);
            login(app, "ann", &passkey).await.expect(200);
        }
        _ => {}
    }
}

#[tokio::test]
async fn atk_86_no_success_a_caller_can_make_itself_buys_more_than_fifty_guesses_a_day() {
    for kind in ["generated", "email", "sms", "passkey", "none"] {
        let (app, authenticator) = careful().await;
        app.advance(600);
        let (mut evaluated, mut locks) = (0, 0);
        for round in 0..2000_usize {
            let wrong = authenticator.wrong(app.now());
            let reply = guess(&app, round, &wrong).await;
            match reply.status {
                400 => {
                    reply.fails(400, "invalid_code");
                    evaluated += 1;
                }
                429 => {
                    reply.fails(429, "locked");
                    locks += 1;
                    app.advance(40);
                }
                _ => panic!("{kind}: {:?}", reply.bytes),
            }
            if round % 4 == 3 {
                success(&app, kind).await;
            }
        }
        assert!(
            app.now() - candado_testkit::START < DAY,
            "all of it happened in a day"
        );
        assert!(evaluated <= 50, "{kind}: {evaluated}");
        assert!(locks > 0, "{kind}");
        let failed = "SELECT id FROM audit_log WHERE event = 'failed'";
        assert_eq!(app.db.rows(failed).await.len(), evaluated, "{kind}");
        let locked = "SELECT id FROM audit_log WHERE event = 'locked'";
        assert!(!app.db.rows(locked).await.is_empty(), "{kind}");
        // A right code is refused too, and told in nothing.
        app.guess_right("ann", &authenticator)
            .await
            .fails(429, "locked");
    }
}

#[tokio::test]
async fn atk_86_the_owners_own_logins_give_a_guesser_fifty_a_day_and_then_the_operator_hears_of_it()
{
    let (app, authenticator) = careful().await;
    let mut evaluated = 0;
    let begin = app.now();
    let mut locked_until = 0;
    while app.now() < begin + DAY {
        app.advance(1800);
        if app.guess_right("ann", &authenticator).await.status == 429 {
            locked_until = app.status("ann").await["locked_until"].as_u64().unwrap();
            break;
        }
        for _ in 0..4 {
            let reply = app.verify("ann", &authenticator.wrong(app.now())).await;
            evaluated += usize::from(reply.status == 400);
        }
    }
    assert_eq!(evaluated, 50);
    // Four fell off the day's edge with the first half hour: the day's lock ends when fewer than fifty lie in it.
    assert_eq!(locked_until, begin + 1800 + DAY);
    let log = app
        .db
        .rows("SELECT detail FROM audit_log WHERE event = 'locked'")
        .await;
    assert!(
        log.iter()
            .all(|row| row["detail"].as_str().unwrap().contains("totp"))
    );
    app.advance(locked_until - app.now() - 1);
    app.guess_right("ann", &authenticator)
        .await
        .fails(429, "locked");
    app.advance(1);
    app.guess_right("ann", &authenticator).await.expect(200);

    // And the operator can end it before.
    let (app, authenticator) = careful().await;
    for _ in 0..13 {
        app.advance(1800);
        app.guess_right("ann", &authenticator).await;
        for _ in 0..4 {
            app.verify("ann", &authenticator.wrong(app.now())).await;
        }
    }
    app.advance(60);
    app.guess_right("ann", &authenticator)
        .await
        .fails(429, "locked");
    app.admin(
        Method::POST,
        "/admin/unlock",
        json!({"client_id": "shop", "user_id": "ann"}),
    )
    .await
    .expect(200);
    app.guess_right("ann", &authenticator).await.expect(200);
}

#[tokio::test]
async fn atk_86_renewing_again_and_again_makes_no_day_start_anew() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let mut evaluated = 0;
    for _ in 0..40 {
        let renew = json!({"user_id": "ann", "revoke_current": true});
        let new = Authenticator::of(&app.post("/mfa/renew", renew).await.expect(200));
        for _ in 0..4 {
            let reply = app.verify("ann", &new.wrong(app.now())).await;
            evaluated += usize::from(reply.status == 400);
        }
    }
    assert_eq!(evaluated, 50);
}

#[tokio::test]
async fn atk_87_the_form_of_a_login_cannot_lock_recovery_nor_the_other_way_round() {
    let (app, authenticator) = careful().await;
    let codes = app.recovery_codes("ann").await.expect(200);
    let kept = codes["recovery_codes"][0].as_str().unwrap();
    let as_method = |code: &str, method: &str| {
        let body = json!({"user_id": "ann", "code": code, "method": method});
        app.post("/mfa/verify", body)
    };
    for n in 0..5 {
        let eight = format!("1234567{n}");
        as_method(&eight, "totp").await.fails(400, "invalid_code");
    }
    as_method("12345678", "totp").await.fails(429, "locked");
    as_method(kept, "recovery_code").await.expect(200);

    let (app, _) = (app, authenticator);
    for n in 0..5 {
        let six = format!("12345{n}");
        let body = json!({"user_id": "ann", "code": six, "method": "recovery_code"});
        app.post("/mfa/verify", body)
            .await
            .fails(400, "invalid_code");
    }
    app.advance(60);
    let authenticator = {
        let code = codes["recovery_codes"][1].as_str().unwrap();
        app.verify("ann", code).await.expect(200);
        let renew =
            json!({"user_id": "ann", "revoke_current": true, "code": codes["recovery_codes"][2]});
        Authenticator::of(&app.post("/mfa/renew", renew).await.expect(200))
    };
    for _ in 0..5 {
        let body = json!({"user_id": "ann", "code": "000000", "method": "recovery_code"});
        app.post("/mfa/verify", body).await;
    }
    app.guess_right("ann", &authenticator).await.expect(200);
}

#[tokio::test]
async fn atk_87_without_a_method_a_guess_of_eight_digits_is_one_at_what_has_eight() {
    let (app, _) = careful().await;
    for _ in 0..10 {
        let reply = app.verify("ann", "12345678").await;
        let failure = reply.fails(400, "invalid_code");
        assert_eq!(
            failure["attempts_remaining"], 5,
            "there is nothing it could be"
        );
    }
    let recovery = json!({"user_id": "ann", "recovery_method": "email"});
    app.post("/mfa/recovery", recovery).await.expect(200);
    let code = app.outbox.last().code();
    let wrong = if code == "12345678" {
        "12345679"
    } else {
        "12345678"
    };
    for left in [4, 3, 2, 1] {
        let failure = app.verify("ann", wrong).await.fails(400, "invalid_code");
        assert_eq!(failure["attempts_remaining"], left);
    }
    app.verify("ann", &code).await.expect(200);
}

#[tokio::test]
async fn every_class_a_wrong_guess_locks_is_an_event_of_its_own() {
    let app = TestApp::new().await;
    let user = json!({"user_id": "ann", "phone": "+34600111222"});
    let authenticator = app.enrolled_with(user).await;
    app.sms("ann").await.expect(200);
    let sent = app.outbox.last().code();
    let wrong = (0..9)
        .map(|n| format!("00000{n}"))
        .find(|code| {
            *code != sent
                && authenticator.wrong(app.now()) <= *code
                && !(-2..=2).any(|steps: i64| {
                    authenticator.code(app.now().saturating_add_signed(steps * 30)) == *code
                })
        })
        .unwrap();
    for _ in 0..5 {
        app.verify("ann", &wrong).await.fails(400, "invalid_code");
    }
    let log = app
        .db
        .rows("SELECT event, detail FROM audit_log WHERE event IN ('failed', 'locked') ORDER BY id")
        .await;
    let class = |row: &Value| -> Value {
        serde_json::from_str::<Value>(row["detail"].as_str().unwrap()).unwrap()["class"].clone()
    };
    let of = |event: &str, wanted: &str| {
        log.iter()
            .filter(|row| row["event"] == event && class(row) == wanted)
            .count()
    };
    assert_eq!((of("failed", "totp"), of("failed", "delivered")), (5, 5));
    assert_eq!((of("locked", "totp"), of("locked", "delivered")), (1, 1));
}

#[tokio::test]
async fn atk_92_a_code_typed_twice_is_told_apart_and_costs_no_try() {
    let (app, _) = careful().await;
    let codes = app.recovery_codes("ann").await.expect(200);
    let kept = codes["recovery_codes"][0].as_str().unwrap().to_owned();
    let recovery = json!({"user_id": "ann", "recovery_method": "sms"});
    app.post("/mfa/recovery", recovery).await.expect(200);
    for code in [kept, app.outbox.last().code()] {
        app.verify("ann", &code).await.expect(200);
        for _ in 0..6 {
            let failure = app.verify("ann", &code).await;
            let failure = failure.fails(400, "code_already_used");
            assert_eq!(failure.get("attempts_remaining"), None);
            assert_eq!(failure.get("retry_after"), None);
        }
    }
    app.advance(600);
    let events = app.events("ann").await;
    assert!(!events.contains(&"failed".to_owned()), "{events:?}");
}

#[tokio::test]
async fn a_code_that_could_not_be_tried_is_not_sent() {
    let app = TestApp::new().await;
    let user = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    app.enrolled_with(user).await;
    for _ in 0..5 {
        let body = json!({"user_id": "ann", "code": "000000", "method": "sms"});
        app.post("/mfa/verify", body)
            .await
            .fails(400, "invalid_code");
    }
    for path in ["/mfa/sms", "/mfa/email", "/mfa/generate"] {
        let failure = app.post(path, json!({"user_id": "ann"})).await;
        assert_eq!(failure.fails(429, "locked")["retry_after"], 60, "{path}");
    }
    assert!(app.outbox.sent().is_empty());
    let recovery = json!({"user_id": "ann", "recovery_method": "email"});
    app.post("/mfa/recovery", recovery).await.expect(200);
    app.advance(60);
    app.sms("ann").await.expect(200);
}

#[tokio::test]
async fn rate_02_the_hundredth_wrong_code_that_was_sent_disables_the_number_until_it_is_set_again()
{
    let app = TestApp::new().await;
    let user = json!({"user_id": "ann", "phone": "+34600111222"});
    let authenticator = app.enrolled_with(user).await;
    for _ in 0..100 {
        let body = json!({"user_id": "ann", "code": "000000", "method": "sms"});
        app.post("/mfa/verify", body)
            .await
            .fails(400, "invalid_code");
        app.advance(3600);
    }
    let send = || app.sms("ann");
    let failure = send().await.fails(403, "factor_disabled");
    assert!(
        failure["message"]
            .as_str()
            .unwrap()
            .contains("/mfa/contact")
    );
    assert_eq!(app.status("ann").await["methods"], json!(["totp"]));
    app.guess_right("ann", &authenticator).await.expect(200);
    let recovery = json!({"user_id": "ann", "recovery_method": "sms"});
    app.post("/mfa/recovery", recovery).await.expect(200);
    app.advance(60);
    let contact = json!({"user_id": "ann", "phone": "+34600111222"});
    app.post("/mfa/contact", contact).await.expect(200);
    send().await.expect(200);
    app.verify("ann", &app.outbox.last().code())
        .await
        .expect(200);
}
