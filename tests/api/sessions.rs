//! The hosted page: whose a session is, what it asks for, and what the application is told of it.

use candado_testkit::page::{Page, RETURN_URL};
use candado_testkit::{Answer, Authenticator, ISSUER, Reply, TestApp};
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::results::{keys, verified};

fn settings() -> Value {
    json!({"return_urls": [RETURN_URL, "http://localhost:3000/done"], "brand": {"name": "Meadow", "colour": "#1F6F4A"},
        "support_url": "https://shop.example/help"})
}

/// A service whose client may use the page, with the user `ann` who has an app, a phone and an address.
async fn service() -> (TestApp, Authenticator) {
    let app = TestApp::with_settings(settings()).await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let authenticator = app.enrolled_with(body).await;
    app.advance(60);
    (app, authenticator)
}

async fn result(app: &TestApp, code: &str) -> Reply {
    app.post("/mfa/sessions/result", json!({"code": code}))
        .await
}

#[tokio::test]
async fn a_login_on_the_page_ends_in_a_result_that_names_its_user() {
    let (app, ann) = service().await;
    let body = json!({"user_id": "ann", "purpose": "verify", "return_url": RETURN_URL, "state": "s-123",
        "nonce": "n-1", "locale": "es", "account_name": "Ann"});
    let page = Page::with(&app, body).await;
    let view = page.open().await.expect(200);
    assert_eq!(view["stage"], "verify");
    assert_eq!(view["purpose"], "verify");
    assert_eq!(view["locale"], "es");
    assert_eq!(view["account_name"], "Ann");
    assert_eq!(view["return_host"], "shop.example");
    assert_eq!(view["support_url"], "https://shop.example/help");
    assert_eq!(
        view["brand"],
        json!({"name": "Meadow", "logo_url": null, "colour": "#1f6f4a"})
    );
    assert_eq!(view["expires_at"], app.now() + 600);
    assert_eq!(view["expires_at_most"], app.now() + 3600);
    let types: Vec<_> = view["methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["type"].clone())
        .collect();
    assert_eq!(types, ["totp", "sms", "email"]);
    assert_eq!(view["methods"][0]["digits"], json!([6]));
    assert_eq!(view["factors"], json!([]));

    let view = page.verify("totp", &ann.code(app.now())).await.expect(200);
    assert_eq!(view["stage"], "done");
    assert_eq!(view["verified_by"], "totp");
    assert_eq!(view["verified_at"], app.now());
    let proved_at = app.now();
    app.advance(20);
    let code = page.finish().await;
    let told = result(&app, &code).await.expect(200);
    let token = told["result_token"].as_str().unwrap();
    assert_eq!(
        told,
        json!({"status": "success", "user_id": "ann", "purpose": "verify", "method": "totp", "amr": ["otp"],
            "auth_time": proved_at, "nonce": "n-1", "result_token": token})
    );
    let claims = verified(token, &keys(&app).await, "shop", app.now()).unwrap();
    assert_eq!(
        claims,
        json!({"iss": ISSUER, "aud": "shop", "sub": "ann", "iat": app.now(), "exp": app.now() + 300,
            "auth_time": proved_at, "jti": claims["jti"], "amr": ["otp"], "nonce": "n-1"})
    );
    page.get("state").await.fails(410, "session_ended");
    let events = app.events("ann").await;
    assert!(
        events.ends_with(&[
            "session_begun".into(),
            "verified".into(),
            "session_ended".into()
        ]),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_code_by_sms_is_bound_to_this_host_and_verifies_on_the_page() {
    let (app, _) = service().await;
    let changed = json!({"settings": {"sms_domain": "shop.example"}});
    app.admin(Method::PATCH, "/admin/clients/shop", changed)
        .await
        .expect(200);
    let page = Page::opened(&app, "verify").await;
    assert_eq!(page.state().await["auto_send"], true);
    let view = page
        .post("send", json!({"method": "sms"}))
        .await
        .expect(200);
    assert_eq!(view["auto_send"], false);
    let sms = &view["methods"][1];
    assert_eq!(sms["destination"], "+34•••••••22");
    assert_eq!(
        sms["sent"],
        json!({"digits": 6, "sent_at": app.now(), "expires_at": app.now() + 300, "send_again_at": app.now() + 60})
    );
    let sent = app.outbox.last();
    assert!(
        sent.body.contains("%40mfa.example.com+%23"),
        "{}",
        sent.body
    );
    page.post("send", json!({"method": "sms"}))
        .await
        .fails(429, "send_limited");
    let view = page
        .verify("sms", &app.outbox.last().code())
        .await
        .expect(200);
    assert_eq!(
        (view["stage"].as_str(), view["verified_by"].as_str()),
        (Some("done"), Some("sms"))
    );
    let told = result(&app, &page.finish().await).await.expect(200);
    assert_eq!(
        (&told["method"], &told["amr"]),
        (&json!("sms"), &json!(["sms"]))
    );
}

#[tokio::test]
async fn a_message_that_was_not_sent_may_be_asked_for_again_under_the_same_name() {
    let (app, _) = service().await;
    let page = Page::opened(&app, "verify").await;
    app.outbox.answer([Answer::Status(400, &[], "{}")]);
    let body = json!({"method": "sms"});
    let failed = page
        .press_as("once", Method::POST, "send", body.clone())
        .await
        .fails(502, "delivery_failed");
    assert_eq!(failed["view"]["methods"][1]["sent"], Value::Null);
    page.press_as("once", Method::POST, "send", body.clone())
        .await
        .expect(200);
    let again = page.press_as("once", Method::POST, "send", body).await;
    again.expect(200);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(
        app.outbox.sent().len(),
        2,
        "one was refused, one sent, and none for the repetition"
    );
}

#[tokio::test]
async fn wrong_codes_on_the_page_count_where_all_others_do() {
    let (app, ann) = service().await;
    let page = Page::opened(&app, "verify").await;
    let wrong = ann.wrong(app.now());
    for left in [4, 3] {
        let failed = page.verify("totp", &wrong).await.fails(400, "invalid_code");
        assert_eq!(failed["attempts_remaining"], left);
        assert_eq!(failed["view"]["stage"], "verify");
    }
    page.verify("totp", "no code")
        .await
        .fails(400, "invalid_code");
    app.guess_wrong("ann", &ann, 2).await;
    let failed = page.verify("totp", &wrong).await.fails(400, "invalid_code");
    assert_eq!(failed["attempts_remaining"], 0);
    assert_eq!(failed["view"]["methods"][0]["locked_until"], app.now() + 60);
    page.verify("totp", &ann.code(app.now()))
        .await
        .fails(429, "locked");
    app.guess_right("ann", &ann).await.fails(429, "locked");
}

#[tokio::test]
async fn a_request_that_comes_twice_costs_one_try_and_a_name_stands_for_one_request() {
    let (app, ann) = service().await;
    let page = Page::opened(&app, "verify").await;
    let wrong = json!({"method": "totp", "code": ann.wrong(app.now())});
    let replies =
        join_all((0..5).map(|_| page.press_as("a", Method::POST, "verify", wrong.clone()))).await;
    for reply in replies {
        assert_eq!(reply.fails(400, "invalid_code")["attempts_remaining"], 4);
    }
    let right = json!({"method": "totp", "code": ann.code(app.now())});
    page.press_as("a", Method::POST, "verify", right.clone())
        .await
        .fails(422, "idempotency_key_reused");
    page.press_as("b", Method::POST, "verify", right.clone())
        .await
        .expect(200);
    let again = page.press_as("b", Method::POST, "verify", right).await;
    assert_eq!(again.expect(200)["stage"], "done");
    assert_eq!(again.header("idempotent-replayed"), "true");
    let missing = page
        .send(page.request(Method::POST, "keep-open", "", None))
        .await;
    assert_eq!(
        missing.fails(400, "invalid_request")["field"],
        "Idempotency-Key"
    );
}

#[tokio::test]
async fn atk_97_the_first_browser_keeps_a_session_and_every_other_one_is_refused() {
    let (app, ann) = service().await;
    let page = Page::new(&app, "verify").await;
    let id = page.session_id.clone();
    // Not with another secret, nor with another session's.
    let other = Page::new(&app, "verify").await;
    Page::of(&app, &id, &other.secret)
        .open()
        .await
        .fails(404, "session_not_found");
    Page::of(&app, &id, "")
        .open()
        .await
        .fails(404, "session_not_found");
    page.open().await.expect(200);
    page.open().await.expect(200);
    let late = Page::of(&app, &id, &page.secret);
    let refused = late.open().await.fails(403, "other_browser");
    assert_eq!(refused["ended"]["brand"]["name"], "Meadow");
    assert_eq!(refused["ended"]["redirect"], Value::Null);
    assert!(!format!("{refused}").contains("s-123") && refused.get("view").is_none());
    // A cookie of another session opens nothing, under its name or this one's.
    other.open().await.expect(200);
    let value = other.cookies.borrow().values().next().unwrap().clone();
    late.cookies
        .borrow_mut()
        .insert(format!("__Host-candado-{id}"), value);
    for reply in [
        late.get("state").await,
        late.verify("totp", &ann.code(app.now())).await,
        late.verify("totp", "no code").await,
        late.post("verify", json!({"method": "fax"})).await,
        late.post("finish", Value::Null).await,
        late.post("cancel", Value::Null).await,
    ] {
        let refused = reply.fails(403, "other_browser");
        assert!(refused.get("view").is_none(), "{refused}");
    }
    // The guess was not looked at.
    page.verify("totp", &ann.code(app.now())).await.expect(200);
    let told = result(&app, &page.finish().await).await.expect(200);
    assert_eq!(told["user_id"], "ann");
}

#[tokio::test]
async fn atk_97_of_browsers_that_open_a_session_at_once_one_keeps_it() {
    let (app, _) = service().await;
    let page = Page::new(&app, "verify").await;
    let browsers: Vec<_> = (0..8)
        .map(|_| Page::of(&app, &page.session_id, &page.secret))
        .collect();
    let replies = join_all(browsers.iter().map(Page::open)).await;
    let kept = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(kept, 1);
    for (browser, reply) in browsers.iter().zip(&replies) {
        let status = browser.get("state").await.status;
        assert_eq!(status, if reply.status == 200 { 200 } else { 403 });
    }
}

#[tokio::test]
async fn atk_97_whoever_has_no_cookie_is_told_nothing_of_the_person() {
    let (app, ann) = service().await;
    let page = Page::opened(&app, "verify").await;
    app.guess_wrong("ann", &ann, 5).await;
    let stranger = Page::of(&app, &page.session_id, "x");
    let refused = stranger
        .verify("totp", "123456")
        .await
        .fails(403, "other_browser");
    let text = refused.to_string();
    for told in ["ann", "600", "locked", "s-123", "totp"] {
        assert!(!text.contains(told), "{told}: {text}");
    }
    app.advance(600);
    let expired = stranger.get("state").await.fails(410, "session_expired");
    assert_eq!(expired["ended"]["redirect"], Value::Null);
    let expired = page.get("state").await.fails(410, "session_expired");
    assert_eq!(
        expired["ended"]["redirect"],
        format!("{RETURN_URL}?error=expired&state=s-123")
    );
    let late = Page::of(&app, &page.session_id, &page.secret);
    let expired = late.open().await.fails(410, "session_expired");
    assert_eq!(
        expired["ended"]["redirect"],
        format!("{RETURN_URL}?error=expired&state=s-123")
    );
}

#[tokio::test]
async fn atk_98_a_return_url_is_one_of_the_clients_byte_for_byte() {
    let (app, _) = service().await;
    for bad in [
        "https://shop.example/mfa/done/",
        "https://shop.example/mfa/done?x=1",
        "https://shop.example/mfa/done#x",
        "https://shop.example/mfa",
        "https://SHOP.example/mfa/done",
        "https://shop.example:443/mfa/done",
        "https://shop.example@evil.example/mfa/done",
        "https://shop.example.evil.example/mfa/done",
        "https://evil.example/?https://shop.example/mfa/done",
        "//shop.example/mfa/done",
        "javascript:alert(1)",
        " https://shop.example/mfa/done",
        "https://shop.example/mfa/done\n",
        // Of the setting, and plain http: not outside of development.
        "http://localhost:3000/done",
        "",
    ] {
        let body = json!({"user_id": "ann", "purpose": "verify", "return_url": bad});
        let refused = app
            .post("/mfa/sessions", body)
            .await
            .fails(400, "invalid_request");
        assert_eq!(refused["field"], "return_url", "{bad}");
    }
    for bad in ["", "a\u{0}b", "a\nb", "a\u{7f}", &"x".repeat(1025)] {
        let body =
            json!({"user_id": "ann", "purpose": "verify", "return_url": RETURN_URL, "state": bad});
        let refused = app
            .post("/mfa/sessions", body)
            .await
            .fails(400, "invalid_request");
        assert_eq!(refused["field"], "state", "{bad:?}");
    }
    let state = "&error=x#<y>\"'ä".repeat(60);
    let body =
        json!({"user_id": "ann", "purpose": "verify", "return_url": RETURN_URL, "state": state});
    let page = Page::with(&app, body).await;
    page.open().await.expect(200);
    let leaving = page.post("cancel", Value::Null).await.expect(200);
    let url = url::Url::parse(leaving["redirect"].as_str().unwrap()).unwrap();
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    assert_eq!(
        pairs,
        [
            ("error".into(), "access_denied".into()),
            ("state".into(), state)
        ]
    );
    assert_eq!(url.fragment(), None);
}

#[tokio::test]
async fn atk_98_without_the_setting_there_is_nowhere_to_go_back_to() {
    let app = TestApp::new().await;
    app.enrolled("ann").await;
    let body = json!({"user_id": "ann", "purpose": "verify", "return_url": RETURN_URL});
    let refused = app
        .post("/mfa/sessions", body)
        .await
        .fails(400, "invalid_request");
    assert_eq!(refused["field"], "return_url");
}

#[tokio::test]
async fn atk_99_requests_of_other_origins_are_refused_before_anything_is_read() {
    let (app, _) = service().await;
    let page = Page::opened(&app, "verify").await;
    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some("https://mfa.example.com.evil.example"),
        Some("http://mfa.example.com"),
        Some("https://mfa.example.com:443"),
        Some("https://mfa.example.com/"),
    ] {
        let mut request = page.request(Method::POST, "cancel", "", Some("k"));
        request.headers_mut().remove("origin");
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        let refused = page.send(request).await.fails(403, "wrong_origin");
        assert!(refused.get("view").is_none());
    }
    for site in ["cross-site", "same-site", "none"] {
        let mut request = page.request(Method::POST, "cancel", "", Some("k"));
        request
            .headers_mut()
            .insert("sec-fetch-site", site.parse().unwrap());
        page.send(request).await.fails(403, "wrong_origin");
    }
    let mut twice = page.request(Method::POST, "cancel", "", Some("k"));
    twice
        .headers_mut()
        .append("origin", "https://evil.example".parse().unwrap());
    page.send(twice).await.fails(403, "wrong_origin");
    // Nor does a link to the page carry the name a script has to send.
    let mut nameless = page.request(Method::GET, "state", "", None);
    nameless.headers_mut().remove("candado-session");
    page.send(nameless).await.fails(404, "session_not_found");
    assert_eq!(page.state().await["stage"], "verify");
}

#[tokio::test]
async fn atk_100_a_result_is_told_once_within_a_minute_to_the_client_that_asked() {
    let (app, ann) = service().await;
    let other = app.new_client("other", settings()).await;
    let page = Page::opened(&app, "verify").await;
    page.post("finish", Value::Null).await.fails(409, "not_now");
    page.verify("totp", &ann.code(app.now())).await.expect(200);
    let void = page.finish().await;
    let code = page.finish().await;
    result(&app, &void).await.fails(400, "invalid_code");
    app.post_as(&other, "/mfa/sessions/result", json!({"code": code}))
        .await
        .fails(400, "invalid_code");
    for bad in [
        "",
        "x",
        &code[1..],
        &format!("{code}x"),
        &code.to_uppercase(),
    ] {
        result(&app, bad).await.fails(400, "invalid_code");
    }
    let stored = format!("{:?}", app.db.rows("SELECT * FROM accounts").await);
    assert!(!stored.contains(&code[22..]) && !stored.contains(&page.secret));
    let replies = join_all((0..20).map(|_| result(&app, &code))).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    result(&app, &code).await.fails(400, "code_already_used");
    assert!(
        app.events("ann")
            .await
            .contains(&"result_replayed".to_owned())
    );

    app.advance(60);
    let page = Page::opened(&app, "verify").await;
    page.verify("totp", &ann.code(app.now())).await.expect(200);
    let code = page.finish().await;
    app.advance(60);
    result(&app, &code).await.fails(400, "invalid_code");
    let code = page.finish().await;
    app.advance(59);
    result(&app, &code).await.expect(200);
}

#[tokio::test]
async fn a_session_ends_after_ten_minutes_without_a_press_and_after_an_hour() {
    let (app, _) = service().await;
    let page = Page::opened(&app, "verify").await;
    app.advance(599);
    let before = page.state().await["expires_at"].clone();
    assert_eq!(
        page.state().await["expires_at"],
        before,
        "looking moves nothing"
    );
    for _ in 0..6 {
        let view = page.post("keep-open", Value::Null).await.expect(200);
        assert_eq!(
            view["expires_at"],
            (app.now() + 600).min(view["expires_at_most"].as_u64().unwrap())
        );
        app.advance(500);
    }
    app.advance(1);
    page.post("keep-open", Value::Null)
        .await
        .fails(410, "session_expired");
    assert!(app.housekeep().await.purged < 10);
    app.advance(2 * 3600);
    page.get("state").await.fails(404, "session_not_found");
    app.housekeep().await;
    assert_eq!(
        app.db.rows("SELECT session_id FROM sessions").await.len(),
        0
    );
}

#[tokio::test]
async fn cancelling_ends_a_session_and_says_so_again_to_the_same_request() {
    let (app, _) = service().await;
    let page = Page::opened(&app, "verify").await;
    let first = page
        .press_as("c", Method::POST, "cancel", Value::Null)
        .await
        .expect(200);
    assert_eq!(
        first["redirect"],
        format!("{RETURN_URL}?error=access_denied&state=s-123")
    );
    let again = page
        .press_as("c", Method::POST, "cancel", Value::Null)
        .await;
    assert_eq!(again.expect(200), first);
    let ended = page
        .post("keep-open", Value::Null)
        .await
        .fails(410, "session_ended");
    assert_eq!(ended["ended"]["redirect"], Value::Null);
}

#[tokio::test]
async fn what_ends_a_clients_tokens_ends_its_sessions() {
    let (app, _) = service().await;
    let page = Page::opened(&app, "verify").await;
    let off = json!({"disabled": true});
    app.admin(Method::PATCH, "/admin/clients/shop", off)
        .await
        .expect(200);
    page.get("state").await.fails(404, "session_not_found");
    app.admin(
        Method::PATCH,
        "/admin/clients/shop",
        json!({"disabled": false}),
    )
    .await
    .expect(200);
    page.post("keep-open", Value::Null)
        .await
        .fails(404, "session_not_found");
}

#[tokio::test]
async fn a_deleted_user_has_no_session() {
    let (app, _) = service().await;
    let page = Page::opened(&app, "verify").await;
    let gone = TestApp::request(
        Method::DELETE,
        "/mfa/users/ann",
        Some(&app.fresh_token()),
        "",
    );
    app.send(gone).await.expect(204);
    page.get("state").await.fails(404, "session_not_found");
    page.verify("totp", "123456")
        .await
        .fails(404, "session_not_found");
}

#[tokio::test]
async fn purposes_need_a_user_they_can_serve() {
    let app = TestApp::with_settings(settings()).await;
    let begin = async |user: &str, purpose: &str| {
        let body = json!({"user_id": user, "purpose": purpose, "return_url": RETURN_URL});
        app.post("/mfa/sessions", body).await
    };
    for purpose in ["verify", "manage", "recover"] {
        begin("bob", purpose).await.fails(404, "user_not_found");
    }
    app.register("bob").await.expect(200);
    begin("bob", "verify").await.fails(409, "mfa_not_enabled");
    begin("bob", "recover").await.fails(409, "mfa_not_enabled");
    begin("carol", "enrol").await.expect(201);
    begin("bob", "nothing").await.fails(400, "invalid_request");
    let body = json!({"user_id": "bob", "purpose": "enrol", "return_url": RETURN_URL, "client_id": "other"});
    app.post("/mfa/sessions", body)
        .await
        .fails(403, "client_mismatch");
}

#[tokio::test]
async fn a_page_that_waits_for_news_is_answered_when_there_is_some() {
    let (app, ann) = service().await;
    let page = Page::opened(&app, "verify").await;
    let revision = page.state().await["revision"].as_str().unwrap().to_owned();
    let at = app.now();
    let same = page
        .get(&format!("state?since={revision}&wait=1"))
        .await
        .expect(200);
    assert_eq!(same["revision"], revision);
    page.verify("totp", &ann.code(at)).await.expect(200);
    let news = page
        .get(&format!("state?since={revision}&wait=20"))
        .await
        .expect(200);
    assert_eq!(news["stage"], "done");
    assert_ne!(news["revision"], revision);
    page.get("state?wait=21")
        .await
        .fails(400, "invalid_request");
    page.get("state?x=1").await.fails(400, "invalid_request");
}

#[tokio::test]
async fn the_browser_is_told_how_it_got_in_last_and_of_no_other_user() {
    let (app, ann) = service().await;
    let page = Page::opened(&app, "verify").await;
    assert_eq!(page.state().await["last_method"], Value::Null);
    page.verify("totp", &ann.code(app.now())).await.expect(200);
    let cookies = page.cookies.borrow().clone();
    let ways = cookies["__Host-candado-ways"].clone();
    assert!(!ways.contains("ann") && !ways.contains("shop"), "{ways}");
    let next = Page::new(&app, "verify").await;
    next.cookies
        .borrow_mut()
        .insert("__Host-candado-ways".into(), ways.clone());
    assert_eq!(next.open().await.expect(200)["last_method"], "totp");
    app.reachable("bob").await;
    let body = json!({"user_id": "bob", "purpose": "verify", "return_url": RETURN_URL});
    let bobs = Page::with(&app, body).await;
    bobs.cookies
        .borrow_mut()
        .insert("__Host-candado-ways".into(), ways);
    assert_eq!(bobs.open().await.expect(200)["last_method"], Value::Null);
}

#[tokio::test]
async fn the_state_is_the_same_host_the_application_was_given() {
    let (app, _) = service().await;
    let page = Page::new(&app, "verify").await;
    assert_eq!(page.session_id.len(), 22);
    assert_eq!(page.secret.len(), 43);
    assert!(ISSUER.starts_with("https://"));
    let rows = format!("{:?}", app.db.rows("SELECT * FROM sessions").await);
    for kept in [RETURN_URL, "s-123", &page.secret] {
        assert!(!rows.contains(kept), "{kept}");
    }
}
