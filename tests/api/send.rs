//! Codes by SMS, by e-mail and to the application: what is sent, to whom, how often.

use candado_testkit::{Mood, TestApp, wrong_code};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[tokio::test]
async fn a_code_by_sms_is_sent_and_verifies_once() {
    let app = TestApp::with_ann().await;
    let reply = app.sms("ann").await.expect(200);
    let expected = json!({"status": "success", "message": "Code sent by SMS", "expires_in": 300, "destination": "+34•••••••22"});
    assert_eq!(reply, expected);
    let sent = app.outbox.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0].uri,
        "https://api.twilio.com/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json"
    );
    let code = sent[0].code();
    let fields: Vec<(String, String)> = form_urlencoded::parse(sent[0].body.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(fields[0], ("To".into(), "+34600111222".into()));
    assert_eq!(
        fields[2].1,
        format!(
            "{code} is your Shop code. It expires in 5 minutes. Never share it.\n\n@mfa.example.com #{code}"
        )
    );
    let verified = app.verify("ann", &code).await.expect(200);
    assert_eq!(verified["method"], "sms");
    let again = app.verify("ann", &code).await;
    let again = again.fails(400, "code_already_used");
    assert_eq!(again.get("retry_after"), None);
    assert_eq!(
        app.events("ann").await,
        ["enrolled", "code_sent", "verified", "replayed"]
    );
}

#[tokio::test]
async fn a_code_by_email_is_sent_and_verifies_once() {
    let app = TestApp::with_ann().await;
    let reply = app
        .post(
            "/mfa/email",
            json!({"user_id": "ann", "client_id": "shop", "locale": "es"}),
        )
        .await
        .expect(200);
    let expected = json!({"status": "success", "message": "Code sent by email", "expires_in": 300, "destination": "a•••@example.com"});
    assert_eq!(reply, expected);
    let sent = app.outbox.last();
    assert_eq!(sent.uri, "https://api.sendgrid.com/v3/mail/send");
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(
        body["personalizations"],
        json!([{"to": [{"email": "ann@example.com"}]}])
    );
    assert_eq!(
        body["from"],
        json!({"email": "mfa@example.com", "name": "Shop"})
    );
    assert_eq!(body["subject"], "Tu código para Shop");
    assert_eq!(body["tracking_settings"]["click_tracking"]["enable"], false);
    assert_eq!(
        app.verify("ann", &sent.code()).await.expect(200)["method"],
        "email"
    );
    app.verify("ann", &sent.code())
        .await
        .fails(400, "code_already_used");
}

#[tokio::test]
async fn a_generated_code_is_given_to_the_application_and_verifies_once() {
    let app = TestApp::with_ann().await;
    let reply = app.generate("ann").await.expect(200);
    assert_eq!(reply["expires_in"], 300);
    let code = reply["code"].as_str().unwrap();
    assert!(app.outbox.sent().is_empty());
    assert_eq!(
        app.verify("ann", code).await.expect(200)["method"],
        "generated"
    );
    app.verify("ann", code)
        .await
        .fails(400, "code_already_used");
}

#[tokio::test]
async fn oob_09_a_sent_code_is_in_no_answer_and_no_record() {
    let app = TestApp::with_ann().await;
    let answers = [app.sms("ann").await, app.email("ann").await];
    let codes: Vec<String> = app
        .outbox
        .sent()
        .iter()
        .map(candado_testkit::Sent::code)
        .collect();
    let stored = format!(
        "{:?} {:?}",
        app.db.rows("SELECT * FROM accounts").await,
        app.db.rows("SELECT * FROM audit_log").await
    );
    let kept = format!("{:?}", app.kv.written.lock().unwrap());
    for code in codes {
        for reply in &answers {
            let text = format!(
                "{:?} {}",
                reply.headers,
                String::from_utf8_lossy(&reply.bytes)
            );
            assert!(!text.contains(&code));
        }
        assert!(!stored.contains(&code) && !kept.contains(&code));
    }
    assert!(!stored.contains("600111222") && !stored.contains("ann@example.com"));
}

#[tokio::test]
async fn oob_02_a_code_lives_five_minutes() {
    for (seconds, accepted) in [(299, true), (300, false)] {
        let app = TestApp::with_ann().await;
        app.sms("ann").await.expect(200);
        app.advance(seconds);
        assert_eq!(
            app.verify("ann", &app.outbox.last().code()).await.status == 200,
            accepted,
            "{seconds}"
        );
    }
}

#[tokio::test]
async fn atk_31_a_replaced_code_is_dead_though_kv_may_hold_it() {
    let app = TestApp::with_ann().await;
    app.kv.set(Mood::Stale);
    app.sms("ann").await.expect(200);
    app.advance(60);
    app.sms("ann").await.expect(200);
    let [old, new] = [0, 1].map(|at| app.outbox.sent()[at].code());
    if old != new {
        app.verify("ann", &old).await.fails(400, "invalid_code");
    }
    app.verify("ann", &new).await.expect(200);
    app.verify("ann", &new)
        .await
        .fails(400, "code_already_used");
}

#[tokio::test]
async fn atk_31_a_code_dies_with_its_destination() {
    let app = TestApp::with_ann().await;
    app.sms("ann").await.expect(200);
    app.email("ann").await.expect(200);
    app.post(
        "/mfa/contact",
        json!({"user_id": "ann", "phone": "+34600111223"}),
    )
    .await
    .expect(200);
    let [sms, email] = [0, 1].map(|at| app.outbox.sent()[at].code());
    app.verify("ann", &sms).await.fails(400, "invalid_code");
    app.verify("ann", &email).await.expect(200);
}

#[tokio::test]
async fn atk_32_the_right_code_is_refused_after_five_wrong_ones() {
    let app = TestApp::with_ann().await;
    app.email("ann").await.expect(200);
    let right = app.outbox.last().code();
    for _ in 0..5 {
        let body = json!({"user_id": "ann", "code": wrong_code(std::slice::from_ref(&right)), "method": "email"});
        app.post("/mfa/verify", body)
            .await
            .fails(400, "invalid_code");
    }
    app.advance(60);
    app.verify("ann", &right).await.fails(400, "invalid_code");
}

#[tokio::test]
async fn atk_02_of_parallel_uses_of_a_delivered_code_one_succeeds() {
    for _ in 0..20 {
        let app = TestApp::with_ann().await;
        app.sms("ann").await.expect(200);
        let code = app.outbox.last().code();
        let replies = join_all((0..50).map(|_| app.verify("ann", &code))).await;
        assert_eq!(
            replies.iter().filter(|reply| reply.status == 200).count(),
            1
        );
    }
}

#[tokio::test]
async fn atk_66_of_parallel_requests_one_message_goes_out() {
    for path in ["/mfa/sms", "/mfa/email"] {
        let app = TestApp::with_ann().await;
        let replies = join_all((0..50).map(|_| app.of_user(path, "ann"))).await;
        assert_eq!(
            replies.iter().filter(|reply| reply.status == 200).count(),
            1
        );
        assert!(
            replies
                .iter()
                .all(|reply| matches!(reply.status, 200 | 429))
        );
        assert_eq!(app.outbox.sent().len(), 1);
        let limited = app.of_user(path, "ann").await.fails(429, "send_limited");
        assert_eq!(limited["retry_after"], 60);
    }
}

#[tokio::test]
async fn atk_66_a_destination_gets_five_messages_in_ten_minutes_whoever_asks() {
    let app = TestApp::new().await;
    for n in 0..6 {
        app.reachable(&format!("user{n}")).await;
    }
    for n in 0..5 {
        app.post("/mfa/sms", json!({"user_id": format!("user{n}")}))
            .await
            .expect(200);
    }
    let limited = app
        .post("/mfa/sms", json!({"user_id": "user5"}))
        .await
        .fails(429, "send_limited");
    assert_eq!(app.outbox.sent().len(), 5);
    app.advance(limited["retry_after"].as_u64().unwrap());
    app.post("/mfa/sms", json!({"user_id": "user5"}))
        .await
        .expect(200);
    assert_eq!(
        app.events("user5").await,
        ["enrolled", "send_refused", "code_sent"]
    );
}

#[tokio::test]
async fn sms_03_a_destination_gets_ten_messages_a_day() {
    let app = TestApp::new().await;
    for n in 0..12 {
        app.reachable(&format!("user{n}")).await;
    }
    for n in 0..10 {
        app.post("/mfa/email", json!({"user_id": format!("user{n}")}))
            .await
            .expect(200);
        app.advance(700);
    }
    let limited = app
        .post("/mfa/email", json!({"user_id": "user10"}))
        .await
        .fails(429, "send_limited");
    app.advance(limited["retry_after"].as_u64().unwrap());
    app.post("/mfa/email", json!({"user_id": "user10"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn atk_67_numbers_of_one_range_share_a_limit() {
    let app = TestApp::with_settings(json!({"sms_per_prefix_and_hour": 3})).await;
    for n in 0..4 {
        let body = json!({"user_id": format!("u{n}"), "phone": format!("+3460011122{n}"), "confirm": false});
        app.post("/mfa/register", body).await.expect(200);
        let reply = app
            .post("/mfa/sms", json!({"user_id": format!("u{n}")}))
            .await;
        assert_eq!(reply.status, if n < 3 { 200 } else { 429 });
    }
}

#[tokio::test]
async fn atk_69_a_used_up_budget_stops_messages_and_nothing_else() {
    let app = TestApp::with_settings(json!({"daily_sms_budget": 1})).await;
    let authenticator = app
        .enrolled_with(
            json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"}),
        )
        .await;
    app.post(
        "/mfa/register",
        json!({"user_id": "bob", "phone": "+34600333444", "confirm": false}),
    )
    .await
    .expect(200);
    app.sms("ann").await.expect(200);
    let limited = app.sms("bob").await.fails(429, "send_limited");
    assert_eq!(limited["retry_after"], 86_400 - app.now() % 86_400);
    app.email("ann").await.expect(200);
    app.verify("ann", &authenticator.code(app.now() + 30))
        .await
        .expect(200);
    app.advance(limited["retry_after"].as_u64().unwrap());
    app.sms("bob").await.expect(200);
}

#[tokio::test]
async fn atk_68_numbers_outside_the_allowed_countries_reach_no_provider() {
    let app = TestApp::new().await;
    for (n, phone) in [
        "+33612345678",
        "+351912345678",
        "+881612345678",
        "+88213123456",
        "+97912345678",
        "+34803111222",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("u{n}");
        app.post(
            "/mfa/register",
            json!({"user_id": name, "phone": phone, "confirm": false}),
        )
        .await
        .expect(200);
        app.post("/mfa/sms", json!({"user_id": name}))
            .await
            .fails(422, "destination_not_allowed");
        assert_eq!(app.events(&name).await, ["enrolled", "send_refused"]);
    }
    for bad in [
        "0034600111222",
        "+34 600 111 222",
        "+34600111222;ext=5",
        "+٣٤٦٠٠١١١٢٢٢",
        "tel:+34600111222",
        "+0346001112",
    ] {
        app.post("/mfa/register", json!({"user_id": "x", "phone": bad}))
            .await
            .fails(400, "invalid_request");
    }
    assert!(app.outbox.sent().is_empty());
    let unset = TestApp::configured(&[("SMS_COUNTRIES", "")]).await;
    unset.reachable("ann").await;
    unset.sms("ann").await.fails(422, "destination_not_allowed");
}

#[tokio::test]
async fn why_no_sms_goes_somewhere_is_told_and_what_cannot_work_is_not_offered() {
    let to = async |app: &TestApp, phone: &str| {
        let body = json!({"user_id": "ann", "phone": phone, "email": "ann@example.com"});
        app.enrolled_with(body).await;
        let failure = app.sms("ann").await;
        let failure = failure.fails(422, "destination_not_allowed");
        assert_eq!(app.status("ann").await["methods"], json!(["totp", "email"]));
        failure["message"].as_str().unwrap().to_owned()
    };
    let unset = TestApp::configured(&[("SMS_COUNTRIES", "")]).await;
    assert!(to(&unset, "+34600111222").await.contains("SMS_COUNTRIES"));
    let app = TestApp::new().await;
    assert!(
        to(&app, "+33612345678")
            .await
            .contains("country is not allowed")
    );
    let app = TestApp::with_settings(json!({"sms_countries": ["*"]})).await;
    assert!(to(&app, "+881612345678").await.contains("satellite"));

    let app = TestApp::with_settings(json!({"methods": ["totp", "email"]})).await;
    let body = json!({"user_id": "ann", "phone": "+34600111222"});
    app.enrolled_with(body).await;
    app.sms("ann").await.fails(403, "method_not_allowed");
    app.email("ann").await.fails(422, "destination_missing");
    assert_eq!(app.status("ann").await["methods"], json!(["totp"]));
}

#[tokio::test]
async fn atk_70_addresses_of_one_mailbox_share_its_limits() {
    let app = TestApp::new().await;
    for n in 0..9 {
        let user = format!("u{n}");
        let email = format!("{}+{n}@Example.com", if n % 2 == 0 { "vic" } else { "Vic" });
        let body = json!({"user_id": user, "email": email, "confirm": false});
        app.post("/mfa/register", body).await.expect(200);
        let reply = app.post("/mfa/email", json!({"user_id": user})).await;
        assert_eq!(reply.status, if n < 5 { 200 } else { 429 }, "{n}");
    }
    // Each went where it was asked to go.
    assert!(app.outbox.sent()[1].body.contains("Vic+1@example.com"));
}

#[tokio::test]
async fn a_user_without_a_destination_is_told_so() {
    let app = TestApp::new().await;
    app.post("/mfa/register", json!({"user_id": "ann", "confirm": false}))
        .await
        .expect(200);
    app.sms("ann").await.fails(422, "destination_missing");
    app.email("ann").await.fails(422, "destination_missing");
    app.sms("bob").await.fails(404, "user_not_found");
    app.post("/mfa/sms", json!({"user_id": "ann", "locale": "fr"}))
        .await
        .fails(400, "invalid_request");
}

#[tokio::test]
async fn atk_71_a_clients_name_adds_no_line_to_a_message() {
    let app = TestApp::with_settings(
        json!({"issuer": "Shop @evil.example #1 <b>", "sms_domain": "shop.example"}),
    )
    .await;
    app.reachable("ann").await;
    app.sms("ann").await.expect(200);
    let body = form_urlencoded::parse(app.outbox.last().body.as_bytes())
        .find(|(name, _)| name == "Body")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(body.matches('@').count(), 1);
    assert!(body.ends_with(&format!("\n@shop.example #{}", app.outbox.last().code())));
    app.email("ann").await.expect(200);
    let mail: Value = serde_json::from_str(&app.outbox.last().body).unwrap();
    assert!(
        !mail["content"][1]["value"]
            .as_str()
            .unwrap()
            .contains("<b>")
    );
}

#[tokio::test]
async fn a_message_is_two_round_trips_and_one_after_it_and_a_delivered_code_two_and_a_read() {
    let app = TestApp::with_ann().await;
    for path in ["/mfa/sms", "/mfa/email"] {
        app.db.trips();
        let token = app.fresh_token();
        let request = TestApp::request(
            http::Method::POST,
            path,
            Some(&token),
            r#"{"user_id":"ann"}"#,
        );
        let (reply, later) = app.send_and_leave(request).await;
        reply.expect(200);
        assert_eq!(app.db.trips(), 2);
        for task in later {
            task.await;
        }
        assert_eq!(app.db.trips(), 1, "how long the provider took");
    }
    app.kv.reads();
    app.db.trips();
    let body = json!({"user_id": "ann", "code": app.outbox.last().code(), "method": "email"});
    app.post("/mfa/verify", body).await.expect(200);
    assert_eq!(app.db.trips(), 2);
    assert!(
        app.kv.reads() <= 3,
        "the lock mark and the digests of two channels"
    );
}

#[tokio::test]
async fn rate_08_messages_to_one_number_use_up_nothing_of_another() {
    let app = TestApp::new().await;
    let send = async |user: String, phone: &str| {
        let user = json!({"user_id": user});
        let mut registration = user.clone();
        registration["phone"] = json!(phone);
        app.post("/mfa/register", registration).await.expect(200);
        app.post("/mfa/sms", user).await
    };
    for n in 0..5 {
        send(format!("one-{n}"), "+34600111222").await.expect(200);
    }
    send("one-5".to_owned(), "+34600111222")
        .await
        .fails(429, "send_limited");
    send("other".to_owned(), "+34600111223").await.expect(200);
}
