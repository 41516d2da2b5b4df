//! What holds for every route: shapes, methods, media types, sizes, https.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use candado::domain::method::Method as Proved;
use candado_testkit::{K1, K2, TestApp};

/// Every route that takes a JSON body from a client, with a body it accepts.
fn bodies() -> Vec<(&'static str, Value)> {
    vec![
        ("/mfa/register", json!({"user_id": "ann"})),
        ("/mfa/generate", json!({"user_id": "ann"})),
        ("/mfa/sms", json!({"user_id": "ann"})),
        ("/mfa/email", json!({"user_id": "ann"})),
        ("/mfa/verify", json!({"user_id": "ann", "code": "123456"})),
        ("/mfa/disable", json!({"user_id": "ann"})),
        (
            "/mfa/recovery",
            json!({"user_id": "ann", "recovery_method": "email"}),
        ),
        ("/mfa/renew", json!({"user_id": "ann"})),
        ("/mfa/recovery-codes", json!({"user_id": "ann"})),
        ("/mfa/contact", json!({"user_id": "ann"})),
    ]
}

/// Routes with the methods they answer.
const ROUTES: [(&str, &str); 18] = [
    ("/auth", "POST"),
    ("/auth/revoke", "POST"),
    ("/mfa/register", "POST"),
    ("/mfa/generate", "POST"),
    ("/mfa/sms", "POST"),
    ("/mfa/email", "POST"),
    ("/mfa/verify", "POST"),
    ("/mfa/disable", "POST"),
    ("/mfa/recovery", "POST"),
    ("/mfa/renew", "POST"),
    ("/mfa/recovery-codes", "POST"),
    ("/mfa/contact", "POST"),
    ("/mfa/status", "GET, HEAD"),
    ("/mfa/users/ann", "DELETE"),
    ("/qrcode/ann", "GET, HEAD"),
    ("/health", "GET, HEAD"),
    ("/health/live", "GET, HEAD"),
    ("/admin/audit", "GET, HEAD"),
];

#[tokio::test]
async fn api_03_another_method_is_answered_with_those_there_are() {
    let app = TestApp::new().await;
    for (path, allowed) in ROUTES {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
            if allowed.contains(method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let reply = app
                .send(TestApp::request(method.clone(), path, Some(&app.token), ""))
                .await;
            reply.fails(405, "method_not_allowed");
            let mut methods: Vec<&str> = reply.header("allow").split(", ").collect();
            methods.sort_unstable();
            let mut expected: Vec<&str> = allowed.split(", ").chain(["OPTIONS"]).collect();
            expected.sort_unstable();
            assert_eq!(methods, expected, "{method} {path}");
        }
        let options = app
            .send(TestApp::request(Method::OPTIONS, path, None, ""))
            .await;
        assert_eq!((options.status, options.bytes.len()), (204, 0), "{path}");
        assert!(options.header("allow").contains("OPTIONS"));
    }
}

#[tokio::test]
async fn an_unknown_path_is_not_found_whatever_the_method() {
    let app = TestApp::new().await;
    for path in [
        "/",
        "/mfa",
        "/mfa/verify/",
        "//mfa/verify",
        "/v1/mfa/verify",
        "/MFA/verify",
        "/mfa/unknown",
        "/debug",
        "/__scheduled",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            app.send(TestApp::request(method, path, Some(&app.token), ""))
                .await
                .fails(404, "not_found");
        }
    }
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let app = TestApp::new().await;
    let reply = app
        .send(TestApp::request(Method::HEAD, "/health", None, ""))
        .await;
    assert_eq!((reply.status, reply.bytes.len()), (200, 0));
    assert_eq!(reply.header("content-type"), "application/json");
}

#[tokio::test]
async fn api_02_a_body_must_be_json_and_say_so() {
    let app = TestApp::new().await;
    for (path, body) in bodies() {
        for media_type in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "application/json; charset=latin1",
        ] {
            let mut request = Request::post(format!("https://mfa.example.com{path}"))
                .header("authorization", format!("Bearer {}", app.token));
            if !media_type.is_empty() {
                request = request.header("content-type", media_type);
            }
            let request = request.body(Bytes::from(body.to_string())).unwrap();
            app.send(request).await.fails(415, "unsupported_media_type");
        }
        for broken in [
            "",
            "{",
            "null",
            "[]",
            "\"x\"",
            "{\"user_id\":",
            "{\"user_id\":\"ann\"}{}",
            "\u{0}",
        ] {
            let request = Request::post(format!("https://mfa.example.com{path}"))
                .header("authorization", format!("Bearer {}", app.token))
                .header("content-type", "Application/JSON; charset=UTF-8")
                .body(Bytes::from(broken.to_owned()));
            app.send(request.unwrap())
                .await
                .fails(400, "invalid_request");
        }
    }
}

#[tokio::test]
async fn unknown_missing_and_mistyped_fields_are_named() {
    let app = TestApp::new().await;
    for (path, body) in bodies() {
        let mut unknown = body.clone();
        unknown["surprise"] = json!(1);
        assert_eq!(
            app.post(path, unknown).await.fails(400, "invalid_request")["field"],
            "surprise",
            "{path}"
        );
        for field in body.as_object().unwrap().keys() {
            let mut missing = body.clone();
            missing.as_object_mut().unwrap().remove(field);
            assert_eq!(
                app.post(path, missing).await.fails(400, "invalid_request")["field"],
                *field,
                "{path}"
            );
            for value in [
                json!(7),
                json!(null),
                json!([]),
                json!({}),
                json!(true),
                json!(1e300),
                json!("\u{0}"),
                json!("' OR 1=1 --"),
            ] {
                let mut mistyped = body.clone();
                mistyped[field] = value.clone();
                // Whatever text was typed for a code is a guess.
                if field == "code" && value.is_string() {
                    app.post(path, mistyped).await.fails(404, "user_not_found");
                    continue;
                }
                let failure = app.post(path, mistyped).await.fails(400, "invalid_request");
                assert_eq!(failure["field"], *field, "{path} {field} {value}");
            }
        }
        let text = body.to_string();
        let twice = format!("{{\"user_id\":\"bob\",{}", &text[1..]);
        let reply = app
            .send(TestApp::request(
                Method::POST,
                path,
                Some(&app.token),
                &twice,
            ))
            .await;
        reply.fails(400, "invalid_request");
        let query = format!("{path}?user_id=ann");
        app.post(&query, body).await.fails(400, "invalid_request");
    }
}

#[tokio::test]
async fn atk_53_the_client_is_the_tokens_and_no_other() {
    let app = TestApp::new().await;
    app.new_client("bank", json!({})).await;
    for (path, mut body) in bodies() {
        body["client_id"] = json!("bank");
        app.post(path, body.clone())
            .await
            .fails(403, "client_mismatch");
        body["client_id"] = json!("shop");
        assert_ne!(app.post(path, body.clone()).await.status, 403);
        body["client_id"] = json!("no such client");
        assert_eq!(
            app.post(path, body).await.fails(400, "invalid_request")["field"],
            "client_id"
        );
    }
    app.get("/mfa/status?user_id=ann&client_id=bank")
        .await
        .fails(403, "client_mismatch");
    app.get("/mfa/status?user_id=ann&client_id=shop")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_body_over_16_kib_is_refused() {
    let app = TestApp::new().await;
    for (path, _) in bodies() {
        let body = json!({"user_id": "ann", "x": "x".repeat(16 * 1024)});
        app.post(path, body).await.fails(413, "payload_too_large");
        let padded = format!("{}{}", " ".repeat(16 * 1024 - 2), "{}");
        app.send(TestApp::request(
            Method::POST,
            path,
            Some(&app.token),
            &padded,
        ))
        .await
        .fails(400, "invalid_request");
    }
}

#[tokio::test]
async fn api_06_plain_http_is_refused_and_not_redirected() {
    let app = TestApp::new().await;
    for host in ["mfa.example.com", "localhost", "127.0.0.1:8787"] {
        let reply = app
            .send(
                Request::get(format!("http://{host}/health"))
                    .body(Bytes::new())
                    .unwrap(),
            )
            .await;
        reply.fails(403, "https_required");
        assert_eq!(reply.header("location"), "");
    }
    let development = TestApp::configured(&[("ENVIRONMENT", "development")]).await;
    for host in ["localhost:8787", "127.0.0.1:8787"] {
        let request = Request::get(format!("http://{host}/health"))
            .body(Bytes::new())
            .unwrap();
        development.send(request).await.expect(200);
    }
    let request = Request::get("http://mfa.example.com/health")
        .body(Bytes::new())
        .unwrap();
    development.send(request).await.fails(403, "https_required");
}

#[tokio::test]
async fn the_token_is_looked_at_before_the_body() {
    let app = TestApp::new().await;
    for (path, _) in bodies() {
        app.send(TestApp::request(Method::POST, path, Some("forged"), "{"))
            .await
            .fails(401, "invalid_token");
        app.send(TestApp::request(Method::POST, path, None, "{"))
            .await
            .fails(401, "invalid_token");
    }
}

#[tokio::test]
async fn the_service_is_healthy_only_with_its_database_and_schema() {
    let app = TestApp::new().await;
    let health = || app.send(TestApp::request(Method::GET, "/health", None, ""));
    assert_eq!(
        health().await.expect(200),
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})
    );
    app.db.fail_at(0, false);
    health().await.fails(503, "unavailable");
    health().await.expect(200);
    app.db
        .execute("ALTER TABLE accounts DROP COLUMN version".to_owned())
        .await;
    health().await.fails(503, "unavailable");
}

/// Whoever starts it again because its database is down makes things worse.
#[tokio::test]
async fn it_is_alive_without_its_database_and_does_not_ask_for_it() {
    let app = TestApp::new().await;
    app.db
        .execute("ALTER TABLE accounts DROP COLUMN version".to_owned())
        .await;
    app.db.fail_at(0, false);
    let live = TestApp::request(Method::GET, "/health/live", None, "");
    assert_eq!(
        app.send(live).await.expect(200),
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})
    );
}

#[tokio::test]
async fn what_became_of_code_and_message_is_noted_by_method_and_outcome() {
    let app = TestApp::new().await;
    let body = json!({"user_id": "ann", "phone": "+34600111222"});
    let wrong = app.enrolled_with(body).await.wrong(app.now());
    let noted = async |path: &str, body: Value| {
        let request = TestApp::request(Method::POST, path, Some(&app.token), &body.to_string());
        let trace = app.serve(request).await.trace;
        let guess = trace.guess().map(|guess| {
            let method = guess.method.map_or("unknown", Proved::name);
            (method, guess.outcome)
        });
        let message = trace.message();
        let message = message.map(|message| (message.channel.name(), message.outcome));
        (guess, message)
    };
    let ann = json!({"user_id": "ann"});
    let sent = noted("/mfa/sms", ann.clone()).await;
    assert_eq!(sent, (None, Some(("sms", "success"))));
    let again = noted("/mfa/sms", ann).await;
    assert_eq!(again, (None, Some(("sms", "send_limited"))));
    let right = json!({"user_id": "ann", "code": app.outbox.last().code()});
    let wrong = json!({"user_id": "ann", "code": wrong});
    let mut named = wrong.clone();
    named["method"] = json!("totp");
    for (path, body, expected) in [
        ("/mfa/verify", &right, ("sms", "success")),
        ("/mfa/verify", &right, ("unknown", "code_already_used")),
        ("/mfa/verify", &wrong, ("unknown", "invalid_code")),
        ("/mfa/verify", &named, ("totp", "invalid_code")),
        ("/mfa/renew", &wrong, ("unknown", "invalid_code")),
    ] {
        let noted = noted(path, body.clone()).await;
        assert_eq!(noted, (Some(expected), None), "{path} {body}");
    }
    app.db.fail_at(1, false);
    let unstored = noted("/mfa/verify", wrong).await;
    assert_eq!(unstored, (Some(("unknown", "unavailable")), None));
}

#[tokio::test]
async fn cry_07_a_database_sealed_with_another_key_ring_is_not_healthy() {
    let app = TestApp::new().await;
    let health = async |app: &TestApp| {
        app.send(TestApp::request(Method::GET, "/health", None, ""))
            .await
            .status
    };
    let other_bytes = K2.replace("k2:", "k1:");
    let rings = [K2.to_owned(), other_bytes.clone(), format!("{K2},{K1}")];
    for ring in &rings {
        let empty = app.redeployed(&[("MASTER_KEYS", ring)]);
        assert_eq!(health(&empty).await, 200, "nothing is stored yet");
    }
    app.enrolled("ann").await;
    for (ring, status) in rings.iter().zip([503, 503, 200]) {
        let other = app.redeployed(&[("MASTER_KEYS", ring)]);
        assert_eq!(health(&other).await, status, "{ring}");
    }
    // Users who have nothing sealed say nothing of a ring.
    app.disable("ann").await.expect(200);
    let other = app.redeployed(&[("MASTER_KEYS", &other_bytes)]);
    assert_eq!(health(&other).await, 200);
    // One account that nobody can read is a fault of its own.
    app.enrolled("bob").await;
    let broken = "UPDATE accounts SET state = '{}' WHERE user_id = 'ann'";
    app.db.execute(broken.to_owned()).await;
    assert_eq!(health(&app).await, 200);
}

#[tokio::test]
async fn the_original_get_with_a_json_body_is_understood() {
    let app = TestApp::new().await;
    let body = json!({"user_id": "ann", "client_id": "shop"}).to_string();
    let reply = app
        .send(TestApp::request(
            Method::GET,
            "/mfa/status",
            Some(&app.token),
            &body,
        ))
        .await;
    assert_eq!(
        reply.expect(200),
        json!({
            "mfa_enabled": false, "state": "none", "methods": [], "recovery_codes_remaining": 0,
            "locked_until": null, "created_at": null, "last_verified_at": null,
        })
    );
    for query in [
        "",
        "?user_id=",
        "?user_id=a&user_id=b",
        "?user_id=a&x=1",
        "?user=a",
        "?user_id=%00",
    ] {
        app.get(&format!("/mfa/status{query}"))
            .await
            .fails(400, "invalid_request");
    }
}

#[tokio::test]
async fn rate_19_headers_about_the_caller_change_nothing() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    for (n, header) in [
        "x-forwarded-for",
        "cf-connecting-ip",
        "true-client-ip",
        "forwarded",
        "x-real-ip",
        "date",
    ]
    .iter()
    .enumerate()
    {
        let body = json!({"user_id": "ann", "code": authenticator.wrong(app.now())}).to_string();
        let mut request = TestApp::request(Method::POST, "/mfa/verify", Some(&app.token), &body);
        request
            .headers_mut()
            .insert(*header, format!("10.0.0.{n}").parse().unwrap());
        let reply = app.send(request).await;
        assert_eq!(reply.status, if n < 5 { 400 } else { 429 });
    }
}
