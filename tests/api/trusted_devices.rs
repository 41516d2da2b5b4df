//! Remembered browsers.

use candado_testkit::{Authenticator, Reply, TestApp};
use http::Method;
use serde_json::{Value, json};

async fn app() -> (TestApp, Authenticator) {
    let app = TestApp::with_settings(json!({"remember_days": 30})).await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let authenticator = app.enrolled_with(body).await;
    app.advance(30);
    (app, authenticator)
}

async fn remember(app: &TestApp, code: &str) -> Value {
    let body = json!({"user_id": "ann", "code": code, "remember": true});
    app.post("/mfa/verify", body).await.expect(200)
}

async fn remembered(app: &TestApp, authenticator: &Authenticator) -> Value {
    remember(app, &authenticator.code(app.now())).await["trusted_device"].clone()
}

async fn check(app: &TestApp, value: &Value) -> Reply {
    let body = json!({"user_id": "ann", "trusted_device": value});
    app.post("/mfa/trusted-devices/check", body).await
}

async fn next(app: &TestApp, value: &Value) -> Value {
    check(app, value).await.expect(200)["trusted_device"].clone()
}

async fn forget(app: &TestApp, body: Value) -> Reply {
    let token = app.fresh_token();
    let path = "/mfa/trusted-devices";
    app.send(TestApp::request(
        Method::DELETE,
        path,
        Some(&token),
        &body.to_string(),
    ))
    .await
}

#[tokio::test]
async fn a_remembered_browser_is_known_by_a_value_that_changes_each_time() {
    let (app, authenticator) = app().await;
    let first = remembered(&app, &authenticator).await;
    let expires_at = app.now() + 30 * 86_400;
    app.advance(100);
    let reply = check(&app, &first).await.expect(200);
    assert_eq!(
        (&reply["status"], &reply["expires_at"]),
        (&json!("success"), &json!(expires_at))
    );
    let second = reply["trusted_device"].clone();
    assert_ne!(first, second);
    app.advance(100);
    next(&app, &second).await;
    let rows = app.db.rows("SELECT state FROM accounts").await;
    for value in [&first, &second] {
        assert!(
            !rows[0]["state"]
                .as_str()
                .unwrap()
                .contains(value.as_str().unwrap())
        );
    }
    let events = app.events("ann").await;
    assert_eq!(
        events[2..],
        [
            "verified",
            "browser_remembered",
            "trusted_device_used",
            "trusted_device_used"
        ]
    );
}

#[tokio::test]
async fn a_value_used_before_ends_its_series_and_is_an_event() {
    let (app, authenticator) = app().await;
    let stolen = remembered(&app, &authenticator).await;
    let of_the_owner = next(&app, &stolen).await;
    app.advance(60);
    check(&app, &stolen).await.fails(400, "not_trusted");
    check(&app, &of_the_owner).await.fails(400, "not_trusted");
    assert!(
        app.events("ann")
            .await
            .contains(&"trusted_device_reused".to_owned())
    );
    let listed = app
        .get("/mfa/trusted-devices?user_id=ann")
        .await
        .expect(200);
    assert_eq!(listed["trusted_devices"], json!([]));
}

#[tokio::test]
async fn a_double_submit_is_no_theft() {
    let (app, authenticator) = app().await;
    let value = remembered(&app, &authenticator).await;
    let (one, two) = tokio::join!(check(&app, &value), check(&app, &value));
    let (one, two) = (one.expect(200), two.expect(200));
    assert_ne!(one["trusted_device"], two["trusted_device"]);
    app.advance(3600);
    // Whichever answer the browser kept.
    next(&app, &one["trusted_device"]).await;
}

#[tokio::test]
async fn only_what_proves_enough_is_remembered_and_only_where_the_client_says_so() {
    let (app, _) = app().await;
    app.sms("ann").await.expect(200);
    assert!(remember(&app, &app.outbox.last().code()).await["trusted_device"].is_string());
    app.email("ann").await.expect(200);
    let by_mail = remember(&app, &app.outbox.last().code()).await;
    assert_eq!(
        (&by_mail["method"], by_mail.get("trusted_device")),
        (&json!("email"), None)
    );
    let generated = app.generate("ann").await.expect(200)["code"].clone();
    let generated = remember(&app, generated.as_str().unwrap()).await;
    assert!(generated.get("trusted_device").is_none());

    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let off = remember(&app, &authenticator.code(app.now())).await;
    assert!(off.get("trusted_device").is_none());
}

#[tokio::test]
async fn what_ends_the_factors_ends_the_remembered_browsers() {
    for end in ["disable", "renew", "add", "recovery"] {
        let (app, authenticator) = app().await;
        let codes = app.recovery_codes("ann").await.expect(200);
        let value = remembered(&app, &authenticator).await;
        let body = json!({"user_id": "ann"});
        match end {
            "disable" => drop(app.post("/mfa/disable", body).await.expect(200)),
            "renew" => {
                let twin = Authenticator::of(&app.post("/mfa/renew", body).await.expect(200));
                app.guess_right("ann", &twin).await.expect(200);
            }
            "add" => {
                let body = json!({"user_id": "ann", "type": "totp", "confirm": false});
                app.post("/mfa/factors", body).await.expect(200);
            }
            _ => {
                let code = codes["recovery_codes"][0].as_str().unwrap();
                app.verify("ann", code).await.expect(200);
            }
        }
        check(&app, &value).await.fails(400, "not_trusted");
    }
}

#[tokio::test]
async fn browsers_are_listed_and_forgotten() {
    let (app, authenticator) = app().await;
    let first = remembered(&app, &authenticator).await;
    app.advance(30);
    let second = remembered(&app, &authenticator).await;
    let listed = app
        .get("/mfa/trusted-devices?user_id=ann")
        .await
        .expect(200);
    let listed = listed["trusted_devices"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 2);
    assert!(
        !first
            .as_str()
            .unwrap()
            .contains(listed[0]["id"].as_str().unwrap())
    );
    let one = json!({"user_id": "ann", "id": listed[0]["id"]});
    forget(&app, one.clone()).await.expect(200);
    forget(&app, one).await.fails(404, "not_found");
    check(&app, &first).await.fails(400, "not_trusted");
    let second = next(&app, &second).await;
    forget(&app, json!({"user_id": "ann"})).await.expect(200);
    forget(&app, json!({"user_id": "ann"})).await.expect(200);
    check(&app, &second).await.fails(400, "not_trusted");
    forget(&app, json!({"user_id": "bob"}))
        .await
        .fails(404, "user_not_found");
}

#[tokio::test]
async fn a_value_is_its_users_alone() {
    let (app, authenticator) = app().await;
    app.enrolled("bob").await;
    let value = remembered(&app, &authenticator).await;
    for (user, error, status) in [
        ("bob", "not_trusted", 400),
        ("carol", "user_not_found", 404),
    ] {
        for value in [value.clone(), json!("no value at all")] {
            let body = json!({"user_id": user, "trusted_device": value});
            let reply = app.post("/mfa/trusted-devices/check", body).await;
            reply.fails(status, error);
        }
    }
    next(&app, &value).await;
}
