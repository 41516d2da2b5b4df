//! /auth and /auth/revoke, and what a token is good for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;

use candado_testkit::{Reply, TestApp};

async fn with_secret() -> (TestApp, String) {
    let app = TestApp::new().await;
    let secret = app.new_secret("bank", json!({})).await;
    (app, secret)
}

async fn form(app: &TestApp, path: &str, basic: Option<(&str, &str)>, body: &str) -> Reply {
    let mut request = Request::post(format!("https://mfa.example.com{path}"))
        .header("content-type", "application/x-www-form-urlencoded");
    if let Some((id, secret)) = basic {
        request = request.header(
            "authorization",
            format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
        );
    }
    app.send(request.body(Bytes::from(body.to_owned())).unwrap())
        .await
}

async fn json_auth(app: &TestApp, body: serde_json::Value) -> Reply {
    app.send(TestApp::request(
        Method::POST,
        "/auth",
        None,
        &body.to_string(),
    ))
    .await
}

#[tokio::test]
async fn tok_05_credentials_as_json_give_a_token_for_an_hour() {
    let (app, secret) = with_secret().await;
    let reply = json_auth(&app, json!({"client_id": "bank", "client_secret": secret})).await;
    let body = reply.expect(200);
    assert_eq!(
        (body["token_type"].as_str(), body["expires_in"].as_u64()),
        (Some("Bearer"), Some(3600))
    );
    assert!(body.get("refresh_token").is_none());
    assert_eq!(reply.header("pragma"), "no-cache");
    let token = body["access_token"].as_str().unwrap();
    app.post_as(token, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.advance(3599);
    app.post_as(token, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.advance(1);
    let failure = app
        .post_as(token, "/mfa/register", json!({"user_id": "ann"}))
        .await;
    failure.fails(401, "invalid_token");
    assert_eq!(
        failure.header("www-authenticate"),
        r#"Bearer realm="candado", error="invalid_token""#
    );
}

#[tokio::test]
async fn tok_03_credentials_as_a_form_and_by_basic_give_a_token() {
    let (app, secret) = with_secret().await;
    let grant = "grant_type=client_credentials";
    form(
        &app,
        "/auth",
        None,
        &format!("{grant}&client_id=bank&client_secret={secret}&x=1&scope="),
    )
    .await
    .expect(200);
    form(&app, "/auth", Some(("bank", &secret)), grant)
        .await
        .expect(200);
    // Both parts are form-encoded before they are joined.
    form(&app, "/auth", Some(("b%61nk", &secret)), grant)
        .await
        .expect(200);
}

#[tokio::test]
async fn atk_63_grants_are_as_rfc_6749_says() {
    let (app, secret) = with_secret().await;
    let credentials = format!("client_id=bank&client_secret={secret}");
    let grant = "grant_type=client_credentials";
    for other in ["password", "authorization_code", "refresh_token", "x"] {
        let failure = form(
            &app,
            "/auth",
            None,
            &format!("grant_type={other}&{credentials}"),
        )
        .await;
        let body = failure.fails(400, "unsupported_grant_type");
        assert_eq!(body["error_description"], body["message"]);
    }
    form(&app, "/auth", None, &credentials)
        .await
        .fails(400, "invalid_request");
    form(
        &app,
        "/auth",
        None,
        &format!("{grant}&{grant}&{credentials}"),
    )
    .await
    .fails(400, "invalid_request");
    form(
        &app,
        "/auth",
        None,
        &format!("{grant}&{credentials}&scope=admin"),
    )
    .await
    .fails(400, "invalid_scope");
    form(
        &app,
        "/auth",
        Some(("bank", &secret)),
        &format!("{grant}&{credentials}"),
    )
    .await
    .fails(400, "invalid_request");
    form(&app, "/auth", None, grant)
        .await
        .fails(401, "invalid_client");
    form(&app, &format!("/auth?{credentials}"), None, grant)
        .await
        .fails(400, "invalid_request");
    app.send(TestApp::request(Method::GET, "/auth", None, ""))
        .await
        .fails(405, "method_not_allowed");
    let basic_and_json = Request::post("https://mfa.example.com/auth")
        .header("authorization", "Basic YmFuazp4")
        .header("content-type", "application/json")
        .body(Bytes::from(
            json!({"client_id": "bank", "client_secret": secret}).to_string(),
        ));
    app.send(basic_and_json.unwrap())
        .await
        .fails(400, "invalid_request");
}

#[tokio::test]
async fn tok_04_every_refused_client_gets_the_same_answer() {
    let (app, secret) = with_secret().await;
    app.admin(
        Method::POST,
        "/admin/clients",
        json!({"name": "Off", "client_id": "off"}),
    )
    .await
    .expect(201);
    app.admin(
        Method::PATCH,
        "/admin/clients/off",
        json!({"disabled": true}),
    )
    .await
    .expect(200);
    let mut answers = Vec::new();
    for (id, secret) in [
        ("bank", "wrong"),
        ("nobody", secret.as_str()),
        ("no such id", "x"),
        ("off", &secret),
        ("bank", ""),
    ] {
        answers.push(
            json_auth(&app, json!({"client_id": id, "client_secret": secret}))
                .await
                .fails(401, "invalid_client"),
        );
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    let basic = form(
        &app,
        "/auth",
        Some(("bank", "wrong")),
        "grant_type=client_credentials",
    )
    .await;
    basic.fails(401, "invalid_client");
    assert!(basic.header("www-authenticate").starts_with("Basic "));
    for malformed in ["!!!", "YmFuaw=="] {
        let request = Request::post("https://mfa.example.com/auth")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {malformed}"))
            .body(Bytes::from("grant_type=client_credentials"));
        app.send(request.unwrap())
            .await
            .fails(401, "invalid_client");
    }
}

#[tokio::test]
async fn atk_29_guessing_a_secret_is_slowed_and_locks_nobody_out() {
    let (app, secret) = with_secret().await;
    let guess = || json_auth(&app, json!({"client_id": "bank", "client_secret": "guess"}));
    for _ in 0..30 {
        guess().await.fails(401, "invalid_client");
    }
    guess().await.fails(429, "rate_limited");
    json_auth(&app, json!({"client_id": "bank", "client_secret": secret}))
        .await
        .expect(200);
    app.advance(60);
    guess().await.fails(401, "invalid_client");
}

#[tokio::test]
async fn atk_88_strangers_make_a_bounded_number_of_rows_and_over_the_limit_write_nothing() {
    let (app, secret) = with_secret().await;
    let guess = async |id: String| {
        let body = json!({"client_id": id, "client_secret": "guess"});
        json_auth(&app, body).await
    };
    let mut refused = 0;
    for n in 0..10_000 {
        let reply = guess(format!("invented-{n}")).await;
        refused += usize::from(reply.status == 401);
    }
    let rows = app.db.rows("SELECT bucket FROM auth_failures").await.len();
    assert!(rows <= 1024, "{rows}");
    // Ten for each bucket on average, which hardly one in a thousand exceeds by thrice as much.
    assert!(refused > 9_900, "{refused}");
    for table in ["send_counters", "audit_log WHERE event LIKE 'auth%'"] {
        let sql: &'static str = format!("SELECT * FROM {table}").leak();
        assert_eq!(app.db.rows(sql).await.len(), 0, "{table}");
    }

    app.advance(60);
    for _ in 0..30 {
        guess("bank".to_owned()).await.fails(401, "invalid_client");
    }
    for _ in 0..100 {
        app.db.trips();
        guess("bank".to_owned()).await.fails(429, "rate_limited");
        assert_eq!(app.db.trips(), 1);
        let read = app.db.last_batch();
        assert!(
            read.iter()
                .all(|statement| statement.sql.starts_with("SELECT"))
        );
    }
    let right = json!({"client_id": "bank", "client_secret": secret});
    json_auth(&app, right).await.expect(200);
}

#[tokio::test]
async fn atk_88_an_id_that_exists_is_limited_like_one_that_does_not() {
    let (app, _) = with_secret().await;
    let answers = async |id: &str| {
        let mut answers = Vec::new();
        for _ in 0..33 {
            let body = json!({"client_id": id, "client_secret": "guess"});
            let mut reply = json_auth(&app, body).await;
            app.db.trips();
            reply.headers.remove("x-request-id");
            answers.push((reply.status, reply.headers, reply.bytes));
        }
        answers
    };
    assert_eq!(answers("bank").await, answers("no-such-bank").await);
}

#[tokio::test]
async fn atk_61_a_revoked_token_is_refused_at_once_and_everywhere() {
    let app = TestApp::new().await;
    let token = app.token.clone();
    app.post_as(&token, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let revoke =
        |body: String| app.send(TestApp::request(Method::POST, "/auth/revoke", None, &body));
    let body = json!({"access_token": token}).to_string();
    for _ in 0..2 {
        let reply = revoke(body.clone()).await.expect(200);
        assert_eq!(
            reply,
            json!({"status": "success", "message": "Token revoked"})
        );
    }
    for path in [
        "/mfa/register",
        "/mfa/verify",
        "/mfa/generate",
        "/mfa/sms",
        "/mfa/email",
        "/mfa/disable",
        "/mfa/renew",
        "/mfa/recovery-codes",
        "/mfa/contact",
    ] {
        let mut request = json!({"user_id": "ann"});
        if path == "/mfa/verify" {
            request["code"] = json!("123456");
        }
        app.post_as(&token, path, request)
            .await
            .fails(401, "invalid_token");
    }
    let recovery = json!({"user_id": "ann", "recovery_method": "email"});
    app.post_as(&token, "/mfa/recovery", recovery)
        .await
        .fails(401, "invalid_token");
    let request = |method, path| TestApp::request(method, path, Some(&token), "");
    app.send(request(Method::GET, "/mfa/status?user_id=ann"))
        .await
        .fails(401, "invalid_token");
    app.send(request(Method::DELETE, "/mfa/users/ann"))
        .await
        .fails(401, "invalid_token");
    app.redeployed(&[])
        .post_as(&token, "/mfa/generate", json!({"user_id": "ann"}))
        .await
        .fails(401, "invalid_token");
    // Another token of the same client is untouched.
    app.generate("ann").await.expect(200);
}

#[tokio::test]
async fn tok_12_revoking_what_is_no_token_is_answered_like_a_revocation() {
    let app = TestApp::new().await;
    for token in ["", "garbage", "a.b.c", &"x".repeat(9_000)] {
        let body = json!({"access_token": token}).to_string();
        app.send(TestApp::request(Method::POST, "/auth/revoke", None, &body))
            .await
            .expect(200);
    }
    form(
        &app,
        "/auth/revoke",
        None,
        "token=garbage&token_type_hint=nonsense",
    )
    .await
    .expect(200);
    form(&app, "/auth/revoke", None, "token_type_hint=access_token")
        .await
        .fails(400, "invalid_request");
    form(&app, "/auth/revoke", None, &format!("token={}", app.token))
        .await
        .expect(200);
    app.post_as(&app.token, "/mfa/generate", json!({"user_id": "ann"}))
        .await
        .fails(401, "invalid_token");
}

#[tokio::test]
async fn atk_60_a_token_is_accepted_in_the_header_and_nowhere_else() {
    let app = TestApp::new().await;
    let token = &app.token;
    let none = app
        .send(TestApp::request(
            Method::POST,
            "/mfa/generate",
            None,
            r#"{"user_id":"ann"}"#,
        ))
        .await;
    none.fails(401, "invalid_token");
    assert_eq!(none.header("www-authenticate"), r#"Bearer realm="candado""#);
    let path = format!("/mfa/status?user_id=ann&access_token={token}");
    app.send(TestApp::request(Method::GET, &path, None, ""))
        .await
        .fails(401, "invalid_token");
    let body = json!({"user_id": "ann", "access_token": token}).to_string();
    app.send(TestApp::request(Method::POST, "/mfa/generate", None, &body))
        .await
        .fails(401, "invalid_token");
    for (name, value) in [
        ("cookie", format!("access_token={token}")),
        (
            "authorization",
            format!("Basic {}", STANDARD.encode(format!("shop:{token}"))),
        ),
        ("authorization", token.clone()),
        ("authorization", format!("Bearer {token} x")),
        ("authorization", format!("Bearer  {token}")),
        ("authorization", "Bearer ".to_owned()),
        ("x-access-token", token.clone()),
    ] {
        let request = Request::post("https://mfa.example.com/mfa/generate")
            .header("content-type", "application/json")
            .header(name, &value)
            .body(Bytes::from(r#"{"user_id":"ann"}"#));
        app.send(request.unwrap()).await.fails(401, "invalid_token");
    }
    let twice = Request::post("https://mfa.example.com/mfa/generate")
        .header("authorization", format!("Bearer {token}"))
        .header("authorization", format!("Bearer {token}"))
        .body(Bytes::new());
    app.send(twice.unwrap()).await.fails(401, "invalid_token");
}

#[tokio::test]
async fn tok_15_disabling_or_deleting_a_client_kills_its_tokens_at_once() {
    let (app, secret) = with_secret().await;
    let disable = |disabled: bool| {
        app.admin(
            Method::PATCH,
            "/admin/clients/bank",
            json!({"disabled": disabled}),
        )
    };
    let old = app.token_for("bank", &secret).await;
    let register = |token: String| {
        let app = &app;
        async move {
            app.post_as(&token, "/mfa/register", json!({"user_id": "ann"}))
                .await
        }
    };
    register(old.clone()).await.expect(200);
    disable(true).await.expect(200);
    register(old.clone()).await.fails(401, "invalid_token");
    // Enabled again, even at once, the client has no token but those it gets from then on.
    disable(false).await.expect(200);
    register(old).await.fails(401, "invalid_token");
    let new = app.token_for("bank", &secret).await;
    register(new.clone()).await.expect(200);
    // Changing something else, or enabling what is enabled, ends none.
    disable(false).await.expect(200);
    app.admin(Method::PATCH, "/admin/clients/bank", json!({"name": "B"}))
        .await
        .expect(200);
    register(new.clone()).await.expect(200);
    app.admin(
        Method::DELETE,
        "/admin/clients/bank",
        serde_json::Value::Null,
    )
    .await
    .expect(204);
    register(new.clone()).await.fails(401, "invalid_token");
    // Whoever is given the id next has nothing to do with the tokens of before.
    app.new_client("bank", json!({})).await;
    register(new).await.fails(401, "invalid_token");
}

#[tokio::test]
async fn tok_08_a_rotation_without_overlap_ends_the_tokens_and_one_with_overlap_does_not() {
    let (app, secret) = with_secret().await;
    let token = app.token_for("bank", &secret).await;
    let rotate = |overlap: u64| {
        app.admin(
            Method::POST,
            "/admin/clients/bank/rotate-secret",
            json!({"overlap_seconds": overlap}),
        )
    };
    let status = || {
        let request = TestApp::request(Method::GET, "/mfa/status?user_id=u", Some(&token), "");
        app.send(request)
    };
    rotate(60).await.expect(200);
    status().await.expect(200);
    rotate(0).await.expect(200);
    status().await.fails(401, "invalid_token");
}
