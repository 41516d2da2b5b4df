//! Several factors: adding, listing, naming, renewing and removing them.

use candado_testkit::{Authenticator, Reply, TestApp};
use http::Method;
use serde_json::{Value, json};

async fn factors(app: &TestApp, user: &str) -> Vec<Value> {
    let listed = app.get(&format!("/mfa/factors?user_id={user}")).await;
    listed.expect(200)["factors"].as_array().unwrap().clone()
}

async fn change(app: &TestApp, method: Method, id: &Value, body: Value) -> Reply {
    let path = format!("/mfa/factors/{}", id.as_str().unwrap());
    let token = app.fresh_token();
    app.send(TestApp::request(
        method,
        &path,
        Some(&token),
        &body.to_string(),
    ))
    .await
}

async fn remove(app: &TestApp, user: &str, id: &Value) -> Reply {
    change(app, Method::DELETE, id, json!({"user_id": user})).await
}

/// Another app, which counts at once.
async fn add(app: &TestApp, user: &str, name: &str) -> (Value, Authenticator) {
    let body = json!({"user_id": user, "type": "totp", "name": name, "confirm": false});
    let added = app.post("/mfa/factors", body).await.expect(200);
    (added["factor_id"].clone(), Authenticator::of(&added))
}

#[tokio::test]
async fn every_app_logs_in_and_each_code_once() {
    let app = TestApp::new().await;
    let first = app.enrolled("ann").await;
    let body = json!({"user_id": "ann", "type": "totp", "name": "Tablet", "account_name": "ann@example.com"});
    let added = app.post("/mfa/factors", body).await.expect(200);
    assert_eq!(added["state"], "pending");
    assert!(
        added["otpauth_url"]
            .as_str()
            .unwrap()
            .contains("ann%40example.com")
    );
    let second = Authenticator::of(&added);
    app.advance(30);
    // Until its first code nothing changes, and the first app goes on working after.
    app.guess_right("ann", &first).await.expect(200);
    app.guess_right("ann", &second).await.expect(200);
    app.guess_right("ann", &second)
        .await
        .fails(400, "code_already_used");
    app.advance(30);
    app.guess_right("ann", &second).await.expect(200);
    app.guess_right("ann", &first).await.expect(200);
    app.guess_right("ann", &first)
        .await
        .fails(400, "code_already_used");

    let listed = factors(&app, "ann").await;
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["name"], &listed[1]["name"]),
        (&Value::Null, &json!("Tablet"))
    );
    assert_eq!(listed[1]["id"], added["factor_id"]);
    for factor in &listed {
        assert_eq!(
            (&factor["type"], &factor["state"]),
            (&json!("totp"), &json!("active"))
        );
        assert_eq!(factor["last_used_at"], app.now());
        assert_eq!(
            factor.as_object().unwrap().len(),
            7,
            "nothing secret is listed: {factor}"
        );
    }
    let events = app.events("ann").await;
    assert_eq!(
        events[..5],
        [
            "enrolled",
            "confirmed",
            "factor_added",
            "verified",
            "confirmed"
        ]
    );
}

#[tokio::test]
async fn atk_86_a_guess_is_compared_with_every_app_and_counted_once() {
    let app = TestApp::new().await;
    let first = app.enrolled("ann").await;
    let (_, second) = add(&app, "ann", "Tablet").await;
    let (_, third) = add(&app, "ann", "Watch").await;
    app.advance(30);
    let right: Vec<String> = [&first, &second, &third]
        .iter()
        .flat_map(|one| {
            [-30_i64, 0, 30].map(|offset| one.code(app.now().saturating_add_signed(offset)))
        })
        .collect();
    let wrong = candado_testkit::wrong_code(&right);
    for left in [4, 3, 2, 1] {
        let reply = app.verify("ann", &wrong).await;
        assert_eq!(reply.fails(400, "invalid_code")["attempts_remaining"], left);
    }
    app.guess_right("ann", &third).await.expect(200);
    let reply = app.verify("ann", &wrong).await;
    assert_eq!(reply.fails(400, "invalid_code")["attempts_remaining"], 4);
}

#[tokio::test]
async fn the_first_factor_may_come_by_either_way_and_an_unknown_user_is_registered() {
    let app = TestApp::new().await;
    let body = json!({"user_id": "ann", "type": "totp", "phone": "+34600111222"});
    let added = app.post("/mfa/factors", body).await.expect(200);
    assert_eq!(app.status("ann").await["state"], "pending");
    let code = Authenticator::of(&added).code(app.now());
    app.verify("ann", &code).await.expect(200);
    app.register("ann").await.fails(409, "already_registered");
    let listed = app.get("/mfa/factors?user_id=ann").await.expect(200);
    assert_eq!(
        (&listed["phone"], &listed["email"]),
        (&json!("+34•••••••22"), &Value::Null)
    );
    app.get("/mfa/factors?user_id=bob")
        .await
        .fails(404, "user_not_found");
}

#[tokio::test]
async fn a_sixth_app_is_refused_until_one_is_removed() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let mut last = Value::Null;
    for number in 2..=5 {
        (last, _) = add(&app, "ann", &format!("App {number}")).await;
    }
    let body = json!({"user_id": "ann", "type": "totp"});
    app.post("/mfa/factors", body.clone())
        .await
        .fails(409, "factor_limit_reached");
    assert_eq!(
        remove(&app, "ann", &last).await.expect(200)["message"],
        "Factor removed"
    );
    app.post("/mfa/factors", body).await.expect(200);
}

#[tokio::test]
async fn a_removed_app_verifies_nothing_and_the_last_one_stays() {
    let app = TestApp::new().await;
    let first = app.enrolled("ann").await;
    let (id, second) = add(&app, "ann", "Tablet").await;
    app.advance(30);
    let listed = factors(&app, "ann").await;
    remove(&app, "ann", &listed[0]["id"]).await.expect(200);
    app.guess_right("ann", &first)
        .await
        .fails(400, "invalid_code");
    app.guess_right("ann", &second).await.expect(200);
    remove(&app, "ann", &id).await.fails(409, "last_factor");
    remove(&app, "ann", &listed[0]["id"])
        .await
        .fails(404, "not_found");
    remove(&app, "bob", &id).await.fails(404, "user_not_found");
    assert_eq!(app.status("ann").await["mfa_enabled"], true);
    assert!(
        app.events("ann")
            .await
            .contains(&"factor_removed".to_owned())
    );
}

#[tokio::test]
async fn a_factor_is_no_other_users_and_no_other_clients() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    app.enrolled("bob").await;
    let (id, _) = add(&app, "ann", "Tablet").await;
    for method in [Method::DELETE, Method::PATCH] {
        let mut body = json!({"user_id": "bob"});
        if method == Method::PATCH {
            body["name"] = json!("Mine");
        }
        change(&app, method, &id, body)
            .await
            .fails(404, "not_found");
    }
    assert_eq!(factors(&app, "ann").await.len(), 2);
    let bank = app.new_client("bank", json!({})).await;
    let path = format!("/mfa/factors/{}", id.as_str().unwrap());
    let request = TestApp::request(Method::DELETE, &path, Some(&bank), r#"{"user_id":"ann"}"#);
    app.send(request).await.fails(404, "user_not_found");
}

#[tokio::test]
async fn a_factor_is_renamed_and_its_name_is_nowhere_in_the_clear() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let id = factors(&app, "ann").await[0]["id"].clone();
    let body = json!({"user_id": "ann", "name": "Ann's phone"});
    let renamed = change(&app, Method::PATCH, &id, body).await.expect(200);
    assert_eq!(
        (&renamed["id"], &renamed["name"]),
        (&id, &json!("Ann's phone"))
    );
    assert_eq!(factors(&app, "ann").await[0], renamed);
    let rows = app.db.rows("SELECT state FROM accounts").await;
    assert!(
        !rows[0]["state"].as_str().unwrap().contains("Ann's phone"),
        "CRY-01"
    );
    for name in [json!(""), json!(" x"), json!("x\u{202e}y"), Value::Null] {
        let body = json!({"user_id": "ann", "name": name});
        let reply = change(&app, Method::PATCH, &id, body).await;
        assert_eq!(reply.fails(400, "invalid_request")["field"], "name");
    }
}

#[tokio::test]
async fn totp_14_with_several_apps_a_renewal_names_one_and_replaces_that_one_alone() {
    let app = TestApp::new().await;
    let first = app.enrolled("ann").await;
    let (second_id, second) = add(&app, "ann", "Tablet").await;
    app.advance(30);
    let reply = app.renew("ann").await;
    assert_eq!(reply.fails(400, "invalid_request")["field"], "factor_id");
    let unknown = json!({"user_id": "ann", "factor_id": "nobody's"});
    app.post("/mfa/renew", unknown)
        .await
        .fails(404, "not_found");
    let body = json!({"user_id": "ann", "factor_id": second_id});
    let twin = Authenticator::of(&app.post("/mfa/renew", body).await.expect(200));
    app.guess_right("ann", &twin).await.expect(200);
    app.guess_right("ann", &second)
        .await
        .fails(400, "invalid_code");
    app.guess_right("ann", &first).await.expect(200);
    let listed = factors(&app, "ann").await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1]["name"], "Tablet", "the successor keeps the name");
}

#[tokio::test]
async fn atk_21_a_hundred_wrong_codes_disable_every_app() {
    let app = TestApp::new().await;
    let first = app.enrolled("ann").await;
    add(&app, "ann", "Tablet").await;
    let state = "UPDATE accounts SET state = replace(state, '\"counters\":{}', '\"counters\":{\"totp\":{\"failures\":99}}')";
    app.db.execute(state.to_owned()).await;
    app.advance(30);
    app.guess_wrong("ann", &first, 1).await;
    let listed = factors(&app, "ann").await;
    assert!(
        listed.iter().all(|factor| factor["state"] == "disabled"),
        "{listed:?}"
    );
    app.guess_right("ann", &first)
        .await
        .fails(403, "factor_disabled");
    assert_eq!(app.status("ann").await["mfa_enabled"], true);
}
