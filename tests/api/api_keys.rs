//! API keys: what they open, and what they do not.

use std::collections::BTreeSet;

use base32::Alphabet::Rfc4648Lower;
use candado::api::document;
use crc::{CRC_32_ISO_HDLC, Crc};
use http::Method;
use serde_json::{Value, json};

use candado_testkit::{Reply, TestApp};

const SCOPES: [&str; 5] = ["verify", "send", "enrol", "manage", "read"];

/// Makes a key of a client: its id and its text.
async fn make(app: &TestApp, client: &str, body: Value) -> (String, String) {
    let at = format!("/admin/clients/{client}/keys");
    let made = app.admin(Method::POST, &at, body).await.expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("key_id"), text("api_key"))
}

async fn key_with(app: &TestApp, scopes: &[&str]) -> String {
    let body = json!({"name": "Login", "scopes": scopes});
    make(app, "shop", body).await.1
}

/// A route for clients, with a request the document gives as an example.
struct Route {
    method: Method,
    path: String,
    body: String,
    scope: String,
}

impl Route {
    async fn ask(&self, app: &TestApp, key: &str) -> Reply {
        let request = TestApp::request(self.method.clone(), &self.path, Some(key), &self.body);
        app.send(request).await
    }
}

/// Every route for clients, from the list that router and document are made of.
fn routes() -> Vec<Route> {
    let document = serde_json::to_value(document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(securities) = operation["security"].as_array() else {
                continue;
            };
            let scope = securities.iter().find_map(|one| one["apiKey"][0].as_str());
            let Some(scope) = scope else { continue };
            routes.push(Route {
                method: method.to_uppercase().parse().unwrap(),
                path: example_path(path, operation),
                body: example_body(operation),
                scope: scope.to_owned(),
            });
        }
    }
    routes
}

fn example_path(path: &str, operation: &Value) -> String {
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = &parameter["example"];
        let example = example.as_str().map_or(example.to_string(), str::to_owned);
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
            Some("query") if parameter["required"] == true => {
                query.push(format!("{name}={example}"));
            }
            _ => {}
        }
    }
    if query.is_empty() {
        return path;
    }
    format!("{path}?{}", query.join("&"))
}

fn example_body(operation: &Value) -> String {
    let examples = &operation["requestBody"]["content"]["application/json"]["examples"];
    let first = examples.as_object().and_then(|all| all.values().next());
    first.map_or(String::new(), |example| example["value"].to_string())
}

fn is_refused_for_its_scope(reply: &Reply) -> bool {
    reply.status == 403 && reply.json()["error"] == "insufficient_scope"
}

#[tokio::test]
async fn atk_106_on_every_route_a_key_is_refused_that_has_every_scope_but_the_routes_own() {
    let app = TestApp::new().await;
    let routes = routes();
    assert!(routes.len() >= 13, "{}", routes.len());
    let scopes: BTreeSet<&str> = routes.iter().map(|route| route.scope.as_str()).collect();
    assert_eq!(scopes, BTreeSet::from(SCOPES), "each scope is of use");
    for route in &routes {
        let others: Vec<&str> = SCOPES.into_iter().filter(|it| *it != route.scope).collect();
        let key = key_with(&app, &others).await;
        let failure = route.ask(&app, &key).await;
        let told = failure.fails(403, "insufficient_scope");
        let message = told["message"].as_str().unwrap();
        assert!(message.contains(&format!("`{}`", route.scope)), "{message}");
        let challenge = format!(
            r#"Bearer realm="candado", error="insufficient_scope", scope="{}""#,
            route.scope
        );
        assert_eq!(failure.header("www-authenticate"), challenge);

        let key = key_with(&app, &[&route.scope]).await;
        let reply = route.ask(&app, &key).await;
        let path = &route.path;
        assert!(
            reply.status != 401 && !is_refused_for_its_scope(&reply),
            "{path}"
        );
        app.db.execute("DELETE FROM api_keys".to_owned()).await;
    }
    assert!(app.outbox.sent().is_empty());
}

#[tokio::test]
async fn atk_106_a_key_without_the_scope_changes_nothing() {
    let app = TestApp::with_ann().await;
    let key = key_with(&app, &["verify", "send", "enrol", "read"]).await;
    let before = app.db.rows("SELECT * FROM accounts").await;
    app.post_as(&key, "/mfa/disable", json!({"user_id": "ann"}))
        .await
        .fails(403, "insufficient_scope");
    let delete = TestApp::request(Method::DELETE, "/mfa/users/ann", Some(&key), "");
    app.send(delete).await.fails(403, "insufficient_scope");
    assert_eq!(app.db.rows("SELECT * FROM accounts").await, before);
}

#[tokio::test]
async fn atk_106_on_every_route_a_key_is_refused_that_was_revoked_has_expired_or_whose_client_is_disabled()
 {
    let app = TestApp::new().await;
    let (id, revoked) = make(&app, "shop", json!({"name": "A", "scopes": SCOPES})).await;
    let at = format!("/admin/clients/shop/keys/{id}");
    app.admin(Method::DELETE, &at, Value::Null)
        .await
        .expect(204);
    let body = json!({"name": "B", "scopes": SCOPES, "expires_in_days": 1});
    let (_, expired) = make(&app, "shop", body).await;
    app.advance(86_400);
    app.new_client("bank", json!({})).await;
    let (_, disabled) = make(&app, "bank", json!({"name": "C", "scopes": SCOPES})).await;
    let disable = json!({"disabled": true});
    app.admin(Method::PATCH, "/admin/clients/bank", disable)
        .await
        .expect(200);
    for route in routes() {
        for key in [&revoked, &expired, &disabled] {
            route.ask(&app, key).await.fails(401, "invalid_token");
        }
    }
}

#[tokio::test]
async fn a_key_works_until_its_last_second_and_one_that_was_revoked_never_again() {
    let app = TestApp::new().await;
    let body = json!({"name": "Login", "scopes": ["read"], "expires_in_days": 30});
    let (id, key) = make(&app, "shop", body).await;
    let ask = || {
        let path = "/mfa/status?user_id=ann";
        app.send(TestApp::request(Method::GET, path, Some(&key), ""))
    };
    app.advance(30 * 86_400 - 1);
    ask().await.expect(200);
    app.advance(1);
    ask().await.fails(401, "invalid_token");
    app.set_back(1);
    ask().await.expect(200);
    let at = format!("/admin/clients/shop/keys/{id}");
    app.admin(Method::DELETE, &at, Value::Null)
        .await
        .expect(204);
    ask().await.fails(401, "invalid_token");
    app.admin(Method::DELETE, &at, Value::Null)
        .await
        .fails(404, "not_found");
}

/// The text with the checksum that belongs to it.
fn sealed(text: &str) -> String {
    let sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(text.as_bytes());
    let sum = base32::encode(Rfc4648Lower { padding: false }, &sum.to_be_bytes());
    format!("{text}{sum}")
}

#[tokio::test]
async fn atk_106_a_key_opens_its_own_client_alone_and_its_digest_nothing() {
    let app = TestApp::with_ann().await;
    app.new_client("bank", json!({})).await;
    let key = key_with(&app, &SCOPES).await;
    let (theirs, _) = make(&app, "bank", json!({"name": "B", "scopes": SCOPES})).await;
    let (head, tail) = key.rsplit_once('_').unwrap();
    let ours = head.rsplit_once('.').unwrap().1;
    let secret = &tail[..52];
    let digest = app
        .db
        .rows("SELECT digest FROM api_keys WHERE client_id = 'shop'")
        .await;
    let digest = digest[0]["digest"].as_str().unwrap();
    let status = |key: String| {
        let app = &app;
        async move {
            let path = "/mfa/status?user_id=ann";
            app.send(TestApp::request(Method::GET, path, Some(&key), ""))
                .await
        }
    };
    assert_eq!(status(key.clone()).await.expect(200)["state"], "active");
    for forged in [
        sealed(&format!("cdo_bank.{ours}_{secret}")),
        sealed(&format!("cdo_bank.{theirs}_{secret}")),
        sealed(&format!("cdo_shop.{theirs}_{secret}")),
        sealed(&format!("cdo_nobody.{ours}_{secret}")),
        sealed(&format!("cdo_shop.{ours}_{}", &digest[..52])),
        sealed(&format!("cdo_shop.{ours}_{digest}")),
        digest.to_owned(),
        format!("cdo_shop.{ours}_{digest}"),
    ] {
        status(forged).await.fails(401, "invalid_token");
    }
    let body = json!({"user_id": "ann", "client_id": "bank", "code": "123456"});
    app.post_as(&key, "/mfa/verify", body)
        .await
        .fails(403, "client_mismatch");
}

#[tokio::test]
async fn atk_106_a_key_is_no_operators_token_and_is_taken_from_the_header_alone() {
    let app = TestApp::new().await;
    let key = key_with(&app, &SCOPES).await;
    let ask =
        |path: &str, token: Option<&str>| app.send(TestApp::request(Method::GET, path, token, ""));
    for path in ["/admin/clients", "/admin/clients/shop/keys", "/admin/audit"] {
        ask(path, Some(&key)).await.fails(401, "invalid_token");
    }
    ask(&format!("/mfa/status?user_id=ann&access_token={key}"), None)
        .await
        .fails(401, "invalid_token");
    let revoke = json!({"access_token": key}).to_string();
    let revoke = TestApp::request(Method::POST, "/auth/revoke", None, &revoke);
    app.send(revoke).await.expect(200);
    ask("/mfa/status?user_id=ann", Some(&key)).await.expect(200);
}

#[tokio::test]
async fn a_key_that_was_mistyped_is_refused_without_a_query_and_said_to_be_so() {
    let app = TestApp::new().await;
    let key = key_with(&app, &SCOPES).await;
    let last = if key.ends_with('a') { "b" } else { "a" };
    let mistyped = format!("{}{last}", &key[..key.len() - 1]);
    app.db.trips();
    let path = "/mfa/status?user_id=ann";
    let reply = app
        .send(TestApp::request(Method::GET, path, Some(&mistyped), ""))
        .await;
    let told = reply.fails(401, "invalid_token");
    assert!(
        told["message"].as_str().unwrap().contains("Copy it again"),
        "{told}"
    );
    assert_eq!(app.db.trips(), 0);
}

#[tokio::test]
async fn with_a_key_a_verification_is_two_round_trips_as_with_a_token_and_the_day_is_noted_after_it()
 {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    let (_, key) = make(&app, "shop", json!({"name": "Login", "scopes": ["verify"]})).await;
    let last_use = async || {
        let rows = app.db.rows("SELECT last_used_at FROM api_keys").await;
        rows[0]["last_used_at"].clone()
    };
    let verify = async || {
        app.advance(30);
        let body = json!({"user_id": "ann", "code": authenticator.code(app.now())});
        let request = TestApp::request(Method::POST, "/mfa/verify", Some(&key), &body.to_string());
        app.db.trips();
        let (reply, later) = app.send_and_leave(request).await;
        reply.expect(200);
        assert_eq!(app.db.trips(), 2);
        for task in later {
            task.await;
        }
        app.db.trips()
    };
    assert_eq!(last_use().await, Value::Null);
    assert_eq!(verify().await, 1, "the day");
    assert_eq!(last_use().await, app.now() - app.now() % 86_400);
    assert_eq!(verify().await, 0, "once a day");
    app.advance(86_400);
    assert_eq!(verify().await, 1, "the next day");
}

#[tokio::test]
async fn keys_are_listed_without_their_secrets_and_several_hold_at_once() {
    let app = TestApp::new().await;
    let (first, old) = make(&app, "shop", json!({"name": "Old", "scopes": ["read"]})).await;
    app.advance(60);
    let body = json!({"name": "New", "scopes": ["read", "verify"], "expires_in_days": 365});
    let (second, new) = make(&app, "shop", body).await;
    let at = "/admin/clients/shop/keys";
    let list = app.admin(Method::GET, at, Value::Null).await.expect(200);
    let ids: Vec<&str> = list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["key_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [&first, &second]);
    assert_eq!(list["keys"][1]["scopes"], json!(["verify", "read"]));
    assert_eq!(list["keys"][1]["expires_at"], app.now() + 365 * 86_400);
    let shown = list.to_string();
    let stored = format!("{:?}", app.db.rows("SELECT * FROM api_keys").await);
    let logged = format!("{:?}", app.db.rows("SELECT * FROM audit_log").await);
    for key in [&old, &new] {
        let secret = &key.rsplit_once('_').unwrap().1[..52];
        for text in [&shown, &stored, &logged] {
            assert!(!text.contains(secret), "{text}");
        }
        let path = "/mfa/status?user_id=ann";
        app.send(TestApp::request(Method::GET, path, Some(key), ""))
            .await
            .expect(200);
    }
    assert!(logged.contains("api_key_created"));
}

#[tokio::test]
async fn what_makes_no_key_is_said_by_its_field() {
    let app = TestApp::new().await;
    let at = "/admin/clients/shop/keys";
    for (body, field) in [
        (json!({"scopes": ["read"]}), "name"),
        (json!({"name": "A"}), "scopes"),
        (json!({"name": "A", "scopes": []}), "scopes"),
        (json!({"name": "A", "scopes": ["read", "read"]}), "scopes"),
        (json!({"name": "A", "scopes": ["everything"]}), "scopes"),
        (
            json!({"name": "A", "scopes": ["read"], "expires_in_days": 0}),
            "expires_in_days",
        ),
        (
            json!({"name": "A", "scopes": ["read"], "expires_in_days": 3651}),
            "expires_in_days",
        ),
        (
            json!({"name": "A", "scopes": ["read"], "key_id": "x"}),
            "key_id",
        ),
    ] {
        let failure = app.admin(Method::POST, at, body).await;
        assert_eq!(failure.fails(400, "invalid_request")["field"], field);
    }
    let body = json!({"name": "A", "scopes": ["read"]});
    app.admin(Method::POST, "/admin/clients/nobody/keys", body.clone())
        .await
        .fails(404, "not_found");
    app.admin(Method::GET, "/admin/clients/nobody/keys", Value::Null)
        .await
        .fails(404, "not_found");
    for _ in 0..50 {
        make(&app, "shop", body.clone()).await;
    }
    app.admin(Method::POST, at, body)
        .await
        .fails(409, "key_limit_reached");
}

#[tokio::test]
async fn ten_09_a_client_made_again_under_the_same_id_has_no_key_of_the_former() {
    let app = TestApp::new().await;
    app.new_client("bank", json!({})).await;
    let (_, key) = make(&app, "bank", json!({"name": "A", "scopes": SCOPES})).await;
    app.admin(Method::DELETE, "/admin/clients/bank", Value::Null)
        .await
        .expect(204);
    app.new_client("bank", json!({})).await;
    let path = "/mfa/status?user_id=ann";
    app.send(TestApp::request(Method::GET, path, Some(&key), ""))
        .await
        .fails(401, "invalid_token");
    assert!(app.db.rows("SELECT * FROM api_keys").await.is_empty());
}

#[tokio::test]
async fn atk_90_what_is_in_flight_with_a_key_of_a_client_that_ends_takes_no_effect() {
    let app = TestApp::new().await;
    let key = key_with(&app, &SCOPES).await;
    app.db.before(
        1,
        "UPDATE clients SET token_epoch = 'another' WHERE client_id = 'shop'",
    );
    // It is decided again for the client as it is now, whose key it still is.
    app.post_as(&key, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.db.before(
        1,
        "UPDATE clients SET disabled_at = 1 WHERE client_id = 'shop'",
    );
    app.post_as(&key, "/mfa/register", json!({"user_id": "bob"}))
        .await
        .fails(401, "invalid_token");
    assert_eq!(app.db.rows("SELECT user_id FROM accounts").await.len(), 1);
}

#[tokio::test]
async fn atk_106_a_session_of_the_page_needs_the_scope_of_its_purpose() {
    let app = TestApp::with_settings(json!({"return_urls": ["https://shop.example/done"]})).await;
    for (purpose, scope) in [
        ("verify", "verify"),
        ("enrol", "enrol"),
        ("recover", "enrol"),
        ("manage", "manage"),
    ] {
        let body = json!({"user_id": "ann", "purpose": purpose, "return_url": "https://shop.example/done"});
        let others: Vec<&str> = SCOPES.into_iter().filter(|it| *it != scope).collect();
        let key = key_with(&app, &others).await;
        let told = app.post_as(&key, "/mfa/sessions", body.clone()).await;
        let told = told.fails(403, "insufficient_scope");
        assert!(told["message"].as_str().unwrap().contains(scope), "{told}");
        let key = key_with(&app, &[scope]).await;
        let reply = app.post_as(&key, "/mfa/sessions", body).await;
        assert!(
            !is_refused_for_its_scope(&reply) && reply.status != 401,
            "{purpose}"
        );
    }
}
