//! Registering: a pending factor, and the first code that makes it count.

use candado_testkit::{Authenticator, TestApp};
use serde_json::json;

#[tokio::test]
async fn a_registered_factor_counts_once_a_first_code_was_verified() {
    let app = TestApp::new().await;
    let reply = app
        .post(
            "/mfa/register",
            json!({"user_id": "ann", "client_id": "shop"}),
        )
        .await
        .expect(200);
    assert_eq!(reply["state"], "pending");
    assert_eq!(reply["expires_at"], app.now() + 600);
    let secret = reply["secret"].as_str().unwrap();
    assert_eq!(
        reply["otpauth_url"],
        format!(
            "otpauth://totp/Shop:ann?secret={secret}&issuer=Shop&algorithm=SHA1&digits=6&period=30"
        )
    );
    assert!(
        reply["qr_code_url"]
            .as_str()
            .unwrap()
            .starts_with("https://mfa.example.com/qrcode/ann?t=")
    );
    assert_eq!(app.status("ann").await["state"], "pending");
    assert_eq!(app.status("ann").await["mfa_enabled"], false);

    let code = Authenticator::of(&reply).code(app.now());
    let verified = app.verify("ann", &code).await.expect(200);
    assert_eq!(
        verified,
        json!({"status": "success", "message": "Code verified successfully", "method": "totp"})
    );
    let status = app.status("ann").await;
    assert_eq!(status["state"], "active");
    assert_eq!(status["mfa_enabled"], true);
    assert_eq!(status["methods"], json!(["totp"]));
    assert_eq!(status["last_verified_at"], app.now());
    assert_eq!(app.events("ann").await, ["enrolled", "confirmed"]);
    assert!(
        app.outbox.sent().is_empty(),
        "ATK-45: nothing leaves during enrolment"
    );
}

#[tokio::test]
async fn a_factor_may_be_active_at_once() {
    let app = TestApp::new().await;
    let reply = app
        .post("/mfa/register", json!({"user_id": "ann", "confirm": false}))
        .await
        .expect(200);
    assert_eq!(
        (reply["state"].as_str(), reply["expires_at"].is_null()),
        (Some("active"), true)
    );
    assert_eq!(app.status("ann").await["mfa_enabled"], true);
    app.verify("ann", &Authenticator::of(&reply).code(app.now()))
        .await
        .expect(200);
}

#[tokio::test]
async fn the_choices_of_a_registration_are_kept() {
    let app = TestApp::with_settings(json!({"issuer": "ACME & Co"})).await;
    let body = json!({
        "user_id": "ann", "account_name": "ann@example.com", "algorithm": "SHA256", "digits": 8, "period": 60,
        "email": "Ann@EXAMPLE.com", "phone": "+34600111222",
    });
    let reply = app.post("/mfa/register", body).await.expect(200);
    let uri = reply["otpauth_url"].as_str().unwrap();
    assert!(
        uri.starts_with("otpauth://totp/ACME%20%26%20Co:ann%40example.com?secret="),
        "{uri}"
    );
    assert!(
        uri.ends_with("&algorithm=SHA256&digits=8&period=60"),
        "{uri}"
    );
    assert_eq!(Authenticator::of(&reply).secret.len(), 32);
    assert_eq!(app.status("ann").await["methods"], json!(["sms", "email"]));
}

#[tokio::test]
async fn totp_19_other_parameters_are_refused_by_name() {
    let app = TestApp::new().await;
    for (field, value) in [
        ("digits", json!(7)),
        ("digits", json!("6")),
        ("digits", json!(0)),
        ("period", json!(0)),
        ("period", json!(45)),
        ("algorithm", json!("MD5")),
        ("algorithm", json!("sha1")),
        ("phone", json!("600111222")),
        ("phone", json!(34)),
        ("email", json!("ann")),
        ("email", json!("a@b.c\r\nBcc: x@y.z")),
        ("account_name", json!("")),
        ("confirm", json!("no")),
        ("account_name", json!("x".repeat(65))),
        ("user_id", json!("a b")),
        ("user_id", json!(7)),
        ("user_id", json!("")),
    ] {
        let mut body = json!({"user_id": "ann"});
        body[field] = value.clone();
        let failure = app
            .post("/mfa/register", body)
            .await
            .fails(400, "invalid_request");
        assert_eq!(failure["field"], field, "{value}");
    }
    assert_eq!(app.status("ann").await["state"], "none");
}

#[tokio::test]
async fn atk_57_fields_that_are_ours_are_refused() {
    let app = TestApp::new().await;
    for field in [
        "secret",
        "state",
        "confirmed",
        "last_step",
        "failures",
        "locked_until",
        "created_at",
        "tenant_id",
        "version",
    ] {
        let mut body = json!({"user_id": "ann"});
        body[field] = json!(1);
        assert_eq!(
            app.post("/mfa/register", body)
                .await
                .fails(400, "invalid_request")["field"],
            field
        );
    }
}

#[tokio::test]
async fn an_active_factor_is_not_registered_over() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.register("ann").await.fails(409, "already_registered");
    app.advance(30);
    app.guess_right("ann", &authenticator).await.expect(200);
}

#[tokio::test]
async fn registering_again_replaces_the_pending_secret() {
    let app = TestApp::new().await;
    let first = app.register("ann").await.expect(200);
    let second = app.register("ann").await.expect(200);
    assert_ne!(first["secret"], second["secret"]);
    app.verify("ann", &Authenticator::of(&first).code(app.now()))
        .await
        .fails(400, "invalid_code");
    app.verify("ann", &Authenticator::of(&second).code(app.now()))
        .await
        .expect(200);
}

#[tokio::test]
async fn totp_15_an_enrolment_not_confirmed_in_ten_minutes_is_gone() {
    let app = TestApp::new().await;
    let reply = app.register("ann").await.expect(200);
    app.advance(600);
    app.verify("ann", &Authenticator::of(&reply).code(app.now()))
        .await
        .fails(400, "invalid_code");
    assert_eq!(app.status("ann").await["state"], "none");
}

#[tokio::test]
async fn atk_11_of_parallel_registrations_one_secret_survives() {
    let app = TestApp::new().await;
    let replies = futures_util::future::join_all((0..3).map(|_| app.register("ann"))).await;
    let mut confirmed = 0;
    for reply in &replies {
        if reply.status == 200 {
            let code = Authenticator::of(&reply.json()).code(app.now());
            confirmed += u32::from(app.verify("ann", &code).await.status == 200);
        }
    }
    assert_eq!(confirmed, 1);
}
