//! The operator's routes.

use http::Method;
use serde_json::{Value, json};

use candado_testkit::TestApp;

#[tokio::test]
async fn without_an_admin_token_there_is_nothing_to_find() {
    let app = TestApp::new().await.redeployed(&[("ADMIN_TOKEN", "")]);
    for path in ["/admin/clients", "/admin/audit", "/admin/clients/shop"] {
        app.admin(Method::GET, path, Value::Null)
            .await
            .fails(404, "not_found");
    }
}

#[tokio::test]
async fn a_client_is_made_with_a_secret_that_is_shown_once() {
    let app = TestApp::new().await;
    let reply = app
        .admin(Method::POST, "/admin/clients", json!({"name": "Bank"}))
        .await
        .expect(201);
    let id = reply["client_id"].as_str().unwrap();
    let secret = reply["client_secret"].as_str().unwrap();
    assert!(
        secret.starts_with("cnd_") && secret.len() == 4 + 43,
        "{secret}"
    );
    assert_eq!(reply["settings"]["cooldown_seconds"], 60);
    app.token_for(id, secret).await;
    for path in ["/admin/clients".to_owned(), format!("/admin/clients/{id}")] {
        let body = app
            .admin(Method::GET, &path, Value::Null)
            .await
            .expect(200)
            .to_string();
        assert!(body.contains(id) && !body.contains("secret"), "{body}");
    }
    let stored = format!("{:?}", app.db.rows("SELECT * FROM clients").await);
    assert!(!stored.contains(secret));
    app.admin(
        Method::POST,
        "/admin/clients",
        json!({"name": "B", "client_id": id}),
    )
    .await
    .fails(409, "client_exists");
}

#[tokio::test]
async fn settings_are_merged_and_checked() {
    let app = TestApp::new().await;
    let patch = |settings: Value| {
        app.admin(
            Method::PATCH,
            "/admin/clients/shop",
            json!({"settings": settings}),
        )
    };
    let reply =
        patch(json!({"issuer": "ACME", "sms_countries": ["ES", "PT"], "cooldown_seconds": 90}))
            .await
            .expect(200);
    assert_eq!(reply["settings"]["sms_countries"], json!(["ES", "PT"]));
    let reply = patch(json!({"issuer": null, "locale": "es"}))
        .await
        .expect(200);
    assert_eq!(reply["settings"]["issuer"], Value::Null);
    assert_eq!(reply["settings"]["cooldown_seconds"], 90);
    for (settings, field) in [
        (json!({"cooldown_seconds": 5}), "settings.cooldown_seconds"),
        (json!({"sms_countries": ["XX"]}), "settings.sms_countries"),
        (json!({"nonsense": 1}), "settings.nonsense"),
        (json!({"methods": ["totp", "fax"]}), "settings.methods"),
    ] {
        let failure = patch(settings).await.fails(400, "invalid_request");
        assert_eq!(failure["field"], field);
    }
    let reply = app
        .admin(Method::GET, "/admin/clients/shop", Value::Null)
        .await
        .expect(200);
    assert_eq!(
        (
            reply["settings"]["locale"].as_str(),
            reply["disabled"].as_bool()
        ),
        (Some("es"), Some(false))
    );
    app.admin(Method::PATCH, "/admin/clients/nobody", json!({"name": "x"}))
        .await
        .fails(404, "not_found");
    app.admin(
        Method::PATCH,
        "/admin/clients/shop",
        json!({"client_id": "x"}),
    )
    .await
    .fails(400, "invalid_request");
}

#[tokio::test]
async fn atk_64_both_secrets_work_during_the_overlap() {
    let app = TestApp::new().await;
    let old = app.new_secret("bank", json!({})).await;
    let rotate = |overlap: u64| {
        app.admin(
            Method::POST,
            "/admin/clients/bank/rotate-secret",
            json!({"overlap_seconds": overlap}),
        )
    };
    let new = rotate(100).await.expect(200)["client_secret"]
        .as_str()
        .unwrap()
        .to_owned();
    app.token_for("bank", &old).await;
    app.token_for("bank", &new).await;
    app.advance(100);
    let body = json!({"client_id": "bank", "client_secret": old}).to_string();
    app.send(TestApp::request(Method::POST, "/auth", None, &body))
        .await
        .fails(401, "invalid_client");
    app.token_for("bank", &new).await;
    let newest = rotate(0).await.expect(200)["client_secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({"client_id": "bank", "client_secret": new}).to_string();
    app.send(TestApp::request(Method::POST, "/auth", None, &body))
        .await
        .fails(401, "invalid_client");
    app.token_for("bank", &newest).await;
    rotate(30 * 86_400).await.expect(200);
    rotate(30 * 86_400 + 1).await.fails(400, "invalid_request");
}

#[tokio::test]
async fn of_two_operators_at_once_neither_undoes_what_the_other_did() {
    let app = TestApp::new().await;
    let patch = |body: Value| app.admin(Method::PATCH, "/admin/clients/shop", body);
    let rotate = app.admin(
        Method::POST,
        "/admin/clients/shop/rotate-secret",
        json!({"overlap_seconds": 60}),
    );
    let (disabled, renamed, rotated) = tokio::join!(
        patch(json!({"disabled": true, "settings": {"daily_sms_budget": 0}})),
        patch(json!({"name": "Renamed"})),
        rotate,
    );
    for reply in [disabled, renamed] {
        reply.expect(200);
    }
    let client = app
        .admin(Method::GET, "/admin/clients/shop", Value::Null)
        .await
        .expect(200);
    assert_eq!(
        (client["name"].as_str(), client["disabled"].as_bool()),
        (Some("Renamed"), Some(true))
    );
    assert_eq!(client["settings"]["daily_sms_budget"], 0);
    let secret = rotated.expect(200)["client_secret"].clone();
    app.admin(
        Method::PATCH,
        "/admin/clients/shop",
        json!({"disabled": false}),
    )
    .await
    .expect(200);
    app.token_for("shop", secret.as_str().unwrap()).await;
}

#[tokio::test]
async fn a_client_that_changes_all_the_while_is_to_be_tried_again() {
    // There the six go on in step.
    let app = TestApp::on_sqlite().await;
    let names = (0..6).map(|n| {
        let body = json!({"name": format!("Shop {n}")});
        app.admin(Method::PATCH, "/admin/clients/shop", body)
    });
    let replies = futures_util::future::join_all(names).await;
    let lost: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
    for reply in &lost {
        reply.fails(429, "rate_limited");
    }
    // One of those that are left wins each round, and there are four rounds.
    assert_eq!(lost.len(), 2);
}

#[tokio::test]
async fn a_deleted_client_takes_its_users_along() {
    let app = TestApp::new().await;
    let bank = app.new_client("bank", json!({})).await;
    app.post_as(&bank, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.enrolled("ann").await;
    app.admin(Method::DELETE, "/admin/clients/bank", Value::Null)
        .await
        .expect(204);
    app.admin(Method::DELETE, "/admin/clients/bank", Value::Null)
        .await
        .fails(404, "not_found");
    let rows = app.db.rows("SELECT client_id FROM accounts").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(app.status("ann").await["state"], "active");
}

#[tokio::test]
async fn an_unlocked_user_may_try_again() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.guess_wrong("ann", &authenticator, 5).await;
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
    app.advance(30);
    app.guess_right("ann", &authenticator).await.expect(200);
    assert!(app.events("ann").await.contains(&"unlocked".to_owned()));
    app.admin(
        Method::POST,
        "/admin/unlock",
        json!({"client_id": "shop", "user_id": "bob"}),
    )
    .await
    .fails(404, "user_not_found");
}

#[tokio::test]
async fn log_01_the_record_says_what_happened_and_can_be_paged() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    let wrong = app.verify("ann", &authenticator.wrong(app.now())).await;
    wrong.fails(400, "invalid_code");
    let all = app
        .admin(
            Method::GET,
            "/admin/audit?user_id=ann&client_id=shop",
            Value::Null,
        )
        .await
        .expect(200);
    let failed = &all["events"][2];
    assert_eq!(
        (failed["event"].as_str(), failed["outcome"].as_str()),
        (Some("failed"), Some("failure"))
    );
    assert_eq!(failed["request_id"], wrong.header("x-request-id"));
    assert_eq!(
        failed["detail"],
        json!({"class": "totp", "failures": 1, "failures_in_24_hours": 1})
    );
    assert_eq!(all["next"], Value::Null);

    let mut seen = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let page = app
            .admin(
                Method::GET,
                &format!("/admin/audit?limit=2&after={after}"),
                Value::Null,
            )
            .await
            .expect(200);
        seen.extend(
            page["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["id"].as_i64().unwrap()),
        );
        after = page["next"].clone();
    }
    assert!(seen.len() >= 4 && seen.windows(2).all(|pair| pair[0] < pair[1]));
    let failures = app
        .admin(Method::GET, "/admin/audit?event=failed", Value::Null)
        .await
        .expect(200);
    assert_eq!(failures["events"].as_array().unwrap().len(), 1);
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "after=-x",
        "nonsense=1",
        "limit=1&limit=2",
    ] {
        app.admin(Method::GET, &format!("/admin/audit?{query}"), Value::Null)
            .await
            .fails(400, "invalid_request");
    }
}

#[tokio::test]
async fn the_record_of_a_user_is_found_by_its_index_and_paged_by_id() {
    let app = TestApp::on_sqlite().await;
    app.enrolled("ann").await;
    for (query, plan) in [
        (
            "?client_id=shop&user_id=ann",
            "USING INDEX audit_log_by_user (client_id=? AND user_id=? AND id>?)",
        ),
        (
            "?client_id=shop&user_id=ann&event=failed&after=1",
            "USING INDEX audit_log_by_user (client_id=? AND user_id=? AND id>?)",
        ),
        (
            "?event=failed&after=1",
            "USING INTEGER PRIMARY KEY (rowid>?)",
        ),
        ("", "USING INTEGER PRIMARY KEY (rowid>?)"),
    ] {
        let at = format!("/admin/audit{query}");
        app.admin(Method::GET, &at, Value::Null).await.expect(200);
        let steps = app.db.plan_of_last().await;
        assert!(steps.contains(plan), "{query}: {steps}");
        assert!(!steps.contains("TEMP B-TREE"), "{query}: {steps}");
    }
}

#[tokio::test]
async fn an_account_with_contact_and_recovery_codes_takes_about_two_kilobytes() {
    let app = TestApp::on_sqlite().await;
    let bytes = async || {
        let pages = app.db.rows("PRAGMA page_count").await[0]["page_count"].as_u64();
        let size = app.db.rows("PRAGMA page_size").await[0]["page_size"].as_u64();
        pages.unwrap() * size.unwrap()
    };
    let body = json!({"user_id": "0", "phone": "+34600111222", "email": "ann.smith@example.com"});
    app.enrolled_with(body).await;
    app.post("/mfa/recovery-codes", json!({"user_id": "0"}))
        .await
        .expect(200);
    let before = bytes().await;
    let many = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
         INSERT INTO accounts (client_id, user_id, version, mfa_enabled, key_id, state, created_at, updated_at)
         SELECT client_id, printf('7c2f1c1e-4a55-4c6e-9f5a-%012d', n), version, mfa_enabled, key_id, state, created_at, updated_at
         FROM accounts, n";
    app.db.execute(many.to_owned()).await;
    let each = (bytes().await - before) / 5000;
    assert!(each <= 2200, "{each} bytes an account");
}

#[tokio::test]
async fn ten_01_the_record_that_is_asked_for_one_client_shows_nothing_of_another() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let bank = app.new_client("bank", json!({})).await;
    app.post_as(&bank, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    for (query, expected) in [
        ("client_id=bank", &["client_created", "enrolled"][..]),
        ("client_id=bank&user_id=ann", &["enrolled"]),
        ("client_id=bank&event=confirmed", &[]),
        ("user_id=ann", &["enrolled", "confirmed", "enrolled"]),
    ] {
        let at = format!("/admin/audit?{query}");
        let record = app.admin(Method::GET, &at, Value::Null).await.expect(200);
        let events: Vec<&str> = record["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["event"].as_str().unwrap())
            .collect();
        assert_eq!(events, expected, "{query}");
    }
}
