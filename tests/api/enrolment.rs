//! Register, confirm, renew, and the QR code.

use http::{Method, Request};
use serde_json::json;

use crate::harness::{Authenticator, TestApp};

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
    app.post("/mfa/register", json!({"user_id": "ann"}))
        .await
        .fails(409, "already_registered");
    app.advance(30);
    app.guess_right("ann", &authenticator).await.expect(200);
}

#[tokio::test]
async fn registering_again_replaces_the_pending_secret() {
    let app = TestApp::new().await;
    let first = app
        .post("/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let second = app
        .post("/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
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
    let reply = app
        .post("/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.advance(600);
    app.verify("ann", &Authenticator::of(&reply).code(app.now()))
        .await
        .fails(400, "invalid_code");
    assert_eq!(app.status("ann").await["state"], "none");
}

#[tokio::test]
async fn atk_11_of_parallel_registrations_one_secret_survives() {
    let app = TestApp::new().await;
    let replies = futures_util::future::join_all(
        (0..3).map(|_| app.post("/mfa/register", json!({"user_id": "ann"}))),
    )
    .await;
    let mut confirmed = 0;
    for reply in &replies {
        if reply.status == 200 {
            let code = Authenticator::of(&reply.json()).code(app.now());
            confirmed += u32::from(app.verify("ann", &code).await.status == 200);
        }
    }
    assert_eq!(confirmed, 1);
}

#[tokio::test]
async fn atk_33_renewing_keeps_the_old_secret_until_the_new_one_is_confirmed() {
    let app = TestApp::new().await;
    let old = app.enrolled("ann").await;
    app.advance(30);
    let reply = app
        .post("/mfa/renew", json!({"user_id": "ann"}))
        .await
        .expect(200);
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
    let new = Authenticator::of(
        &app.post("/mfa/renew", json!({"user_id": "ann"}))
            .await
            .expect(200),
    );
    app.advance(630);
    app.guess_right("ann", &new)
        .await
        .fails(400, "invalid_code");
    app.guess_right("ann", &old).await.expect(200);
}

#[tokio::test]
async fn only_a_user_with_a_factor_is_renewed() {
    let app = TestApp::new().await;
    app.post("/mfa/renew", json!({"user_id": "ann"}))
        .await
        .fails(404, "user_not_found");
    app.post("/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.post("/mfa/renew", json!({"user_id": "ann"}))
        .await
        .fails(409, "mfa_not_enabled");
}

async fn fetch_qr(app: &TestApp, url: &str) -> crate::harness::Reply {
    let path = url.strip_prefix("https://mfa.example.com").unwrap();
    app.send(TestApp::request(Method::GET, path, None, ""))
        .await
}

#[tokio::test]
async fn atk_44_a_qr_link_shows_one_pending_secret_and_dies_with_it() {
    let app = TestApp::new().await;
    let reply = app
        .post("/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let url = reply["qr_code_url"].as_str().unwrap();
    assert!(!url.contains(reply["secret"].as_str().unwrap()));
    for _ in 0..2 {
        let image = fetch_qr(&app, url).await;
        assert_eq!(
            (image.status, image.header("content-type")),
            (200, "image/png")
        );
        assert_eq!(image.header("referrer-policy"), "no-referrer");
        assert_eq!(image.bytes[..8], *b"\x89PNG\r\n\x1a\n");
    }
    let svg = fetch_qr(&app, &format!("{url}&format=svg")).await;
    assert_eq!(
        (svg.status, svg.header("content-type")),
        (200, "image/svg+xml; charset=utf-8")
    );
    assert_eq!(svg.header("content-security-policy"), "default-src 'none'");

    fetch_qr(&app, &url.replace("/ann?", "/bob?"))
        .await
        .fails(404, "not_found");
    fetch_qr(&app, "https://mfa.example.com/qrcode/ann")
        .await
        .fails(404, "not_found");
    fetch_qr(&app, "https://mfa.example.com/qrcode/ann?t=guess")
        .await
        .fails(404, "not_found");
    fetch_qr(&app, &format!("{url}&format=gif"))
        .await
        .fails(400, "invalid_request");
    fetch_qr(&app, &url.replace("?t=", &format!("?t={}.", app.token)))
        .await
        .fails(404, "not_found");

    app.verify("ann", &Authenticator::of(&reply).code(app.now()))
        .await
        .expect(200);
    fetch_qr(&app, url).await.fails(404, "not_found");
}

#[tokio::test]
async fn a_qr_link_dies_by_time_by_renewal_by_disabling_and_with_the_client() {
    let app = TestApp::new().await;
    let url_of = |reply: serde_json::Value| reply["qr_code_url"].as_str().unwrap().to_owned();
    let register = || app.post("/mfa/register", json!({"user_id": "ann"}));

    let replaced = url_of(register().await.expect(200));
    let expired = url_of(register().await.expect(200));
    fetch_qr(&app, &replaced).await.fails(404, "not_found");
    app.advance(600);
    fetch_qr(&app, &expired).await.fails(404, "not_found");

    let disabled = url_of(register().await.expect(200));
    app.post("/mfa/disable", json!({"user_id": "ann"}))
        .await
        .expect(200);
    fetch_qr(&app, &disabled).await.fails(404, "not_found");

    let url = url_of(register().await.expect(200));
    app.admin(
        Method::PATCH,
        "/admin/clients/shop",
        json!({"disabled": true}),
    )
    .await
    .expect(200);
    fetch_qr(&app, &url).await.fails(404, "not_found");

    // What ends the tokens it was made with ends the link for good (a thief may have made it).
    let enable = json!({"disabled": false});
    app.admin(Method::PATCH, "/admin/clients/shop", enable)
        .await
        .expect(200);
    fetch_qr(&app, &url).await.fails(404, "not_found");
    let app = TestApp::new().await;
    let registered = app.post("/mfa/register", json!({"user_id": "ann"})).await;
    let url = url_of(registered.expect(200));
    assert_eq!(fetch_qr(&app, &url).await.status, 200);
    let rotate = |overlap: u64| {
        let body = json!({"overlap_seconds": overlap});
        app.admin(Method::POST, "/admin/clients/shop/rotate-secret", body)
    };
    rotate(60).await.expect(200);
    assert_eq!(fetch_qr(&app, &url).await.status, 200);
    rotate(0).await.expect(200);
    fetch_qr(&app, &url).await.fails(404, "not_found");
}

#[tokio::test]
async fn an_access_token_opens_no_qr_code_and_a_user_id_may_hold_a_slash() {
    let app = TestApp::new().await;
    let reply = app
        .post("/mfa/register", json!({"user_id": "a/b?c#d"}))
        .await
        .expect(200);
    let url = reply["qr_code_url"].as_str().unwrap();
    assert!(url.contains("/qrcode/a%2Fb%3Fc%23d?t="), "{url}");
    assert_eq!(fetch_qr(&app, url).await.status, 200);
    let request = Request::get("https://mfa.example.com/qrcode/a%2Fb%3Fc%23d")
        .header("authorization", format!("Bearer {}", app.token));
    app.send(request.body(bytes::Bytes::new()).unwrap())
        .await
        .fails(404, "not_found");
}

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

#[tokio::test]
async fn a_renewed_app_keeps_its_name_and_its_parameters() {
    let app = TestApp::new().await;
    let choices = json!({
        "user_id": "ann", "account_name": "ann@example.com", "algorithm": "SHA512", "digits": 8, "period": 60,
        "confirm": false,
    });
    app.post("/mfa/register", choices).await.expect(200);
    for _ in 0..2 {
        let reply = app
            .post("/mfa/renew", json!({"user_id": "ann"}))
            .await
            .expect(200);
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
