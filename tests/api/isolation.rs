//! Tenants do not meet.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use candado_testkit::{Authenticator, TestApp};

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
    let codes = app.recovery_codes("ann").await.expect(200)["recovery_codes"].clone();
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
    app.sms("ann").await.expect(200);
    app.post_as(&bank, "/mfa/sms", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.advance(61);
    app.sms("ann").await.fails(429, "send_limited");
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

#[tokio::test]
async fn atk_90_what_is_in_flight_for_a_client_that_ends_takes_no_effect() {
    let ends = [
        (
            "disabled",
            "UPDATE clients SET disabled_at = 1, token_epoch = 'x' WHERE client_id = 'shop'",
        ),
        (
            "rotated",
            "UPDATE clients SET token_epoch = 'x' WHERE client_id = 'shop'",
        ),
        (
            "being deleted",
            "UPDATE clients SET deleted_at = 1, token_epoch = 'x' WHERE client_id = 'shop'",
        ),
        ("deleted", "DELETE FROM clients WHERE client_id = 'shop'"),
        (
            "deleted and made again",
            "UPDATE clients SET token_epoch = 'of another tenant' WHERE client_id = 'shop'",
        ),
    ];
    for (end, sql) in ends {
        for (path, body) in [
            ("/mfa/register", json!({"user_id": "new"})),
            (
                "/mfa/import",
                json!({"user_id": "new", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}),
            ),
            ("/mfa/disable", json!({"user_id": "ann"})),
            ("/mfa/renew", json!({"user_id": "ann"})),
            ("/mfa/sms", json!({"user_id": "ann"})),
            ("/mfa/recovery-codes", json!({"user_id": "ann"})),
        ] {
            let app = TestApp::new().await;
            let user = json!({"user_id": "ann", "phone": "+34600111222"});
            app.enrolled_with(user).await;
            let stored = "SELECT user_id, version, state FROM accounts";
            let before = app.db.rows(stored).await;
            // Between what the request read and what it writes.
            app.db.before(1, sql);
            app.post(path, body).await.fails(401, "invalid_token");
            assert_eq!(app.db.rows(stored).await, before, "{path} while {end}");
            assert!(app.outbox.sent().is_empty());
        }
        let app = TestApp::new().await;
        app.enrolled("ann").await;
        app.db.before(1, sql);
        let token = app.fresh_token();
        let delete = TestApp::request(Method::DELETE, "/mfa/users/ann", Some(&token), "");
        app.send(delete).await.fails(401, "invalid_token");
        assert_eq!(app.db.rows("SELECT id FROM accounts").await.len(), 1);
    }
}

#[tokio::test]
async fn ten_06_a_client_has_as_many_users_as_it_may_and_no_more() {
    let app = TestApp::with_settings(json!({"max_accounts": 3})).await;
    let register = async |user: String| app.post("/mfa/register", json!({"user_id": user})).await;
    let replies = join_all((0..8).map(|n| register(format!("u{n}")))).await;
    let made = replies.iter().filter(|reply| reply.status == 200).count();
    assert!(made <= 3, "{made}");
    for n in made..3 {
        register(format!("more-{n}")).await.expect(200);
    }
    let failure = register("one-more".to_owned()).await;
    let failure = failure.fails(403, "account_limit_reached");
    assert!(
        failure["message"]
            .as_str()
            .unwrap()
            .contains("max_accounts")
    );
    let known = app.db.rows("SELECT user_id FROM accounts").await;
    let known = known[0]["user_id"].as_str().unwrap().to_owned();
    register(known.clone()).await.expect(200);

    // One that goes makes room for another.
    let token = app.fresh_token();
    let path = format!("/mfa/users/{known}");
    app.send(TestApp::request(Method::DELETE, &path, Some(&token), ""))
        .await
        .expect(204);
    register("one-more".to_owned()).await.expect(200);
    register("and-another".to_owned())
        .await
        .fails(403, "account_limit_reached");
    let counted = app.db.rows("SELECT accounts FROM clients").await;
    assert_eq!(counted[0]["accounts"], 3);
    let other = app.new_client("bank", json!({})).await;
    app.post_as(&other, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn ten_06_what_makes_rows_has_a_rate_of_each_client() {
    let settings = json!({"registrations_per_minute": 2, "generated_codes_per_minute": 3});
    let app = TestApp::with_settings(settings).await;
    app.advance(20);
    let post = |path: &'static str, user: &str| app.post(path, json!({"user_id": user}));
    post("/mfa/register", "ann").await.expect(200);
    post("/mfa/register", "bob").await.expect(200);
    let failure = post("/mfa/register", "eve").await;
    let failure = failure.fails(429, "rate_limited");
    assert_eq!(failure["retry_after"], 60 - app.now() % 60);
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    app.post("/mfa/import", json!({"user_id": "eve", "secret": secret}))
        .await
        .fails(429, "rate_limited");
    for _ in 0..3 {
        post("/mfa/generate", "ann").await.expect(200);
    }
    post("/mfa/generate", "bob")
        .await
        .fails(429, "rate_limited");
    let other = app.new_client("bank", json!({})).await;
    app.post_as(&other, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.advance(60 - app.now() % 60);
    post("/mfa/register", "eve").await.expect(200);
    post("/mfa/generate", "ann").await.expect(200);
}
