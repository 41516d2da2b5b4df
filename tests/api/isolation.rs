//! Tenants do not meet.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Authenticator, TestApp};

#[tokio::test]
async fn atk_54_the_same_user_id_of_two_clients_is_two_users() {
    let app = TestApp::new().await;
    let bank = app.new_client("bank", json!({})).await;
    let ours = app.enrolled("ann").await;
    let theirs = Authenticator::of(
        &app.post_as(&bank, "/mfa/register", json!({"user_id": "ann"}))
            .await
            .expect(200),
    );
    app.guess_wrong("ann", &ours, 5).await;
    app.guess_right("ann", &ours).await.fails(429, "locked");
    let body = json!({"user_id": "ann", "code": theirs.code(app.now())});
    app.post_as(&bank, "/mfa/verify", body).await.expect(200);
}

#[tokio::test]
async fn atk_52_another_clients_user_is_like_one_that_does_not_exist() {
    let app = TestApp::new().await;
    let bank = app.new_client("bank", json!({})).await;
    let authenticator = app
        .enrolled_with(
            json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"}),
        )
        .await;
    for (path, body) in [
        (
            "/mfa/verify",
            json!({"user_id": "ann", "code": authenticator.code(app.now() + 30)}),
        ),
        ("/mfa/generate", json!({"user_id": "ann"})),
        ("/mfa/sms", json!({"user_id": "ann"})),
        ("/mfa/email", json!({"user_id": "ann"})),
        (
            "/mfa/recovery",
            json!({"user_id": "ann", "recovery_method": "sms"}),
        ),
        ("/mfa/renew", json!({"user_id": "ann"})),
        ("/mfa/disable", json!({"user_id": "ann"})),
        ("/mfa/recovery-codes", json!({"user_id": "ann"})),
        ("/mfa/contact", json!({"user_id": "ann", "phone": null})),
    ] {
        let foreign = app
            .post_as(&bank, path, body.clone())
            .await
            .fails(404, "user_not_found");
        let mut missing = body;
        missing["user_id"] = json!("nobody");
        assert_eq!(
            foreign,
            app.post_as(&bank, path, missing)
                .await
                .fails(404, "user_not_found"),
            "{path}"
        );
    }
    let status = |user: &str| {
        app.send(TestApp::request(
            Method::GET,
            &format!("/mfa/status?user_id={user}"),
            Some(&bank),
            "",
        ))
    };
    assert_eq!(
        status("ann").await.expect(200),
        status("nobody").await.expect(200)
    );
    app.send(TestApp::request(
        Method::DELETE,
        "/mfa/users/ann",
        Some(&bank),
        "",
    ))
    .await
    .fails(404, "user_not_found");
    assert!(app.outbox.sent().is_empty());
    assert_eq!(app.status("ann").await["state"], "active");
}

#[tokio::test]
async fn atk_39_a_recovery_code_belongs_to_one_user_of_one_client() {
    let app = TestApp::new().await;
    let bank = app.new_client("bank", json!({})).await;
    for user in ["ann", "bob"] {
        app.enrolled(user).await;
        app.post("/mfa/recovery-codes", json!({"user_id": user}))
            .await
            .expect(200);
    }
    app.post_as(
        &bank,
        "/mfa/register",
        json!({"user_id": "ann", "confirm": false}),
    )
    .await
    .expect(200);
    app.post_as(&bank, "/mfa/recovery-codes", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let codes = app
        .post("/mfa/recovery-codes", json!({"user_id": "ann"}))
        .await
        .expect(200)["recovery_codes"]
        .clone();
    let code = codes[0].as_str().unwrap();
    app.verify("bob", code).await.fails(400, "invalid_code");
    let body = json!({"user_id": "ann", "code": code});
    app.post_as(&bank, "/mfa/verify", body)
        .await
        .fails(400, "invalid_code");
    assert_eq!(
        app.verify("ann", code).await.expect(200)["method"],
        "recovery_code"
    );
}

#[tokio::test]
async fn ten_06_one_client_uses_up_nothing_of_anothers() {
    let app = TestApp::with_settings(json!({"sends_per_ten_minutes": 1})).await;
    let bank = app
        .new_client("bank", json!({"sends_per_ten_minutes": 1}))
        .await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "confirm": false});
    app.post("/mfa/register", body.clone()).await.expect(200);
    app.post_as(&bank, "/mfa/register", body).await.expect(200);
    app.post("/mfa/sms", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.post_as(&bank, "/mfa/sms", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.advance(61);
    app.post("/mfa/sms", json!({"user_id": "ann"}))
        .await
        .fails(429, "send_limited");
}

#[tokio::test]
async fn ten_07_a_client_reaches_no_route_of_the_operator() {
    let app = TestApp::new().await;
    for (method, path) in [
        (Method::GET, "/admin/clients"),
        (Method::POST, "/admin/clients"),
        (Method::PATCH, "/admin/clients/shop"),
        (Method::DELETE, "/admin/clients/shop"),
        (Method::POST, "/admin/clients/shop/rotate-secret"),
        (Method::POST, "/admin/unlock"),
        (Method::GET, "/admin/audit"),
    ] {
        app.send(TestApp::request(
            method.clone(),
            path,
            Some(&app.token),
            "{}",
        ))
        .await
        .fails(401, "invalid_token");
        app.send(TestApp::request(method, path, None, "{}"))
            .await
            .fails(401, "invalid_token");
    }
    assert_eq!(app.status("ann").await["mfa_enabled"], Value::Bool(false));
}
