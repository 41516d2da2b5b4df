//! Renewing: the old secret and its twin.

use candado_testkit::{Authenticator, TestApp};
use serde_json::json;

#[tokio::test]
async fn atk_33_renewing_keeps_the_old_secret_until_the_new_one_is_confirmed() {
    let app = TestApp::new().await;
    let old = app.enrolled("ann").await;
    app.advance(30);
    let reply = app.renew("ann").await.expect(200);
    let new = Authenticator::of(&reply);
    assert_ne!(old.secret, new.secret);
    assert_eq!(app.status("ann").await["mfa_enabled"], true);
    app.guess_right("ann", &old).await.expect(200);
    app.guess_right("ann", &new).await.expect(200);
    app.advance(30);
    app.guess_right("ann", &old)
        .await
        .fails(400, "invalid_code");
    app.guess_right("ann", &new).await.expect(200);
    assert_eq!(
        app.events("ann").await,
        [
            "enrolled",
            "confirmed",
            "renewed",
            "verified",
            "confirmed",
            "failed",
            "verified"
        ]
    );
}

#[tokio::test]
async fn revoke_current_kills_the_old_secret_at_once() {
    let app = TestApp::new().await;
    let old = app.enrolled("ann").await;
    app.advance(30);
    let reply = app
        .post(
            "/mfa/renew",
            json!({"user_id": "ann", "revoke_current": true}),
        )
        .await
        .expect(200);
    let status = app.status("ann").await;
    assert_eq!(
        (status["mfa_enabled"].as_bool(), status["state"].as_str()),
        (Some(true), Some("disabled"))
    );
    app.guess_right("ann", &old)
        .await
        .fails(400, "invalid_code");
    app.verify("ann", &Authenticator::of(&reply).code(app.now()))
        .await
        .expect(200);
    assert_eq!(app.status("ann").await["state"], "active");
}

#[tokio::test]
async fn an_abandoned_renewal_leaves_the_old_secret_working() {
    let app = TestApp::new().await;
    let old = app.enrolled("ann").await;
    let new = Authenticator::of(&app.renew("ann").await.expect(200));
    app.advance(630);
    app.guess_right("ann", &new)
        .await
        .fails(400, "invalid_code");
    app.guess_right("ann", &old).await.expect(200);
}

#[tokio::test]
async fn only_a_user_with_a_factor_is_renewed() {
    let app = TestApp::new().await;
    app.renew("ann").await.fails(404, "user_not_found");
    app.register("ann").await.expect(200);
    app.renew("ann").await.fails(409, "mfa_not_enabled");
}

#[tokio::test]
async fn a_renewed_app_keeps_its_name_and_its_parameters() {
    let app = TestApp::new().await;
    let choices = json!({
        "user_id": "ann", "account_name": "ann@example.com", "algorithm": "SHA512", "digits": 8, "period": 60,
        "confirm": false,
    });
    app.post("/mfa/register", choices).await.expect(200);
    for _ in 0..2 {
        let reply = app.renew("ann").await.expect(200);
        let uri = reply["otpauth_url"].as_str().unwrap();
        assert!(
            uri.starts_with("otpauth://totp/Shop:ann%40example.com?secret="),
            "{uri}"
        );
        assert!(
            uri.ends_with("&algorithm=SHA512&digits=8&period=60"),
            "{uri}"
        );
    }
}
