//! Secrets another service made.

use candado_testkit::{Authenticator, TestApp};
use serde_json::json;

#[tokio::test]
async fn an_imported_factor_is_active_at_once_and_its_app_goes_on_working() {
    let app = TestApp::new().await;
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let url = format!("otpauth://totp/Old:bob?secret={secret}&issuer=Old&digits=6&algorithm=SHA1");
    for (user, body) in [
        (
            "ann",
            json!({"user_id": "ann", "client_id": "shop", "secret": secret.to_lowercase(), "email": "ann@example.com"}),
        ),
        ("bob", json!({"user_id": "bob", "otpauth_url": url})),
    ] {
        let reply = app.post("/mfa/import", body.clone()).await.expect(200);
        assert_eq!(
            reply,
            json!({"status": "success", "message": "Factor imported", "state": "active"})
        );
        assert_eq!(app.status(user).await["mfa_enabled"], true);
        let authenticator = Authenticator {
            secret: b"12345678901234567890".to_vec(),
        };
        app.guess_right(user, &authenticator).await.expect(200);
        app.guess_right(user, &authenticator)
            .await
            .fails(400, "code_already_used");
        app.post("/mfa/import", body)
            .await
            .fails(409, "already_registered");
        assert_eq!(app.events(user).await[0], "imported");
    }
    let stored = format!("{:?}", app.db.rows("SELECT * FROM accounts").await);
    assert!(!stored.contains(secret));
}

#[tokio::test]
async fn enr_11_secrets_that_are_too_short_or_unreadable_are_not_imported() {
    let app = TestApp::new().await;
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    for (body, field) in [
        (json!({"user_id": "ann"}), "secret"),
        (json!({"user_id": "ann", "secret": "GEZDGNBV"}), "secret"),
        (json!({"user_id": "ann", "secret": "0189"}), "secret"),
        (
            json!({"user_id": "ann", "secret": secret, "digits": 7}),
            "digits",
        ),
        (
            json!({"user_id": "ann", "otpauth_url": "otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}),
            "otpauth_url",
        ),
        (
            json!({"user_id": "ann", "secret": secret, "otpauth_url": format!("otpauth://totp/a?secret={secret}")}),
            "otpauth_url",
        ),
        (
            json!({"user_id": "ann", "digits": 6, "otpauth_url": format!("otpauth://totp/a?secret={secret}")}),
            "otpauth_url",
        ),
    ] {
        let failure = app
            .post("/mfa/import", body.clone())
            .await
            .fails(400, "invalid_request");
        assert_eq!(failure["field"], field, "{body}");
        assert!(
            !failure.to_string().contains(secret),
            "a secret is not repeated"
        );
    }
    assert_eq!(app.status("ann").await["state"], "none");
}
