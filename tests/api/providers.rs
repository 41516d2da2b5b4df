//! Providers and KV that fail while a message is sent.

use candado_testkit::{Answer, Mood, TestApp};
use serde_json::{Value, json};

/// ATK-79: what each provider fault gives, how many requests it takes, and that the user may try again.
#[tokio::test]
async fn atk_79_provider_faults_are_bounded_and_leave_no_code_behind() {
    let refused = |status| {
        vec![Answer::Status(
            status,
            &[],
            r#"{"code":21211,"message":"The 'To' number +34600111222 is not valid"}"#,
        )]
    };
    let faults: Vec<(Vec<Answer>, u16, &str, usize)> = vec![
        (refused(400), 502, "delivery_failed", 1),
        (refused(401), 502, "delivery_failed", 1),
        (refused(403), 502, "delivery_failed", 1),
        (refused(404), 502, "delivery_failed", 1),
        (refused(413), 502, "delivery_failed", 1),
        (
            [429; 3].into_iter().flat_map(refused).collect(),
            503,
            "delivery_unavailable",
            3,
        ),
        (
            vec![Answer::Status(429, &[("retry-after", "3600")], "")],
            503,
            "delivery_unavailable",
            1,
        ),
        (
            vec![Answer::Status(500, &[], "")],
            503,
            "delivery_unavailable",
            1,
        ),
        (
            vec![Answer::Status(503, &[], "<html>")],
            503,
            "delivery_unavailable",
            1,
        ),
        (
            vec![Answer::Status(
                302,
                &[("location", "https://evil.example")],
                "",
            )],
            503,
            "delivery_unavailable",
            1,
        ),
        (vec![Answer::Timeout], 503, "delivery_unavailable", 1),
        (vec![Answer::Reset], 503, "delivery_unavailable", 1),
    ];
    for path in ["/mfa/sms", "/mfa/email"] {
        for (answers, status, code, requests) in &faults {
            let app = TestApp::with_ann().await;
            app.outbox.answer(answers.clone());
            let failure = app.of_user(path, "ann").await.fails(*status, code);
            assert!(
                !failure.to_string().contains("600111222"),
                "the provider's words stay here"
            );
            assert_eq!(app.outbox.sent().len(), *requests, "{answers:?}");
            let dead = app.outbox.last().code();
            app.verify("ann", &dead).await.fails(400, "invalid_code");
            assert_eq!(
                app.events("ann").await[..3],
                ["enrolled", "code_sent", "delivery_failed"]
            );
            if matches!(answers[0], Answer::Status(429, ..)) {
                // ATK-89: nobody's message goes there before.
                let pause = failure["retry_after"].as_u64().unwrap();
                app.advance(pause - 1);
                let early = app
                    .of_user(path, "ann")
                    .await
                    .fails(503, "delivery_unavailable");
                assert_eq!(early["retry_after"], 1);
                assert_eq!(app.outbox.sent().len(), *requests);
                app.advance(1);
            }
            app.of_user(path, "ann").await.expect(200);
            app.verify("ann", &app.outbox.last().code())
                .await
                .expect(200);
        }
    }
}

#[tokio::test]
async fn atk_89_a_provider_that_is_busy_is_left_alone_by_everybody_until_its_time() {
    let app = TestApp::with_ann().await;
    let bank = app.new_client("bank", json!({})).await;
    let other = json!({"user_id": "bob", "phone": "+34600111299", "email": "bob@example.com"});
    app.post_as(&bank, "/mfa/register", other).await.expect(200);
    app.outbox
        .answer([Answer::Status(429, &[("retry-after", "120")], "")]);
    let failure = app.sms("ann").await.fails(503, "delivery_unavailable");
    assert_eq!(failure["retry_after"], 120);
    app.advance(119);
    let bob = json!({"user_id": "bob"});
    let token = &app.renewed_token("bank").await;
    for _ in 0..20 {
        app.post_as(token, "/mfa/sms", bob.clone())
            .await
            .fails(503, "delivery_unavailable");
        app.sms("ann").await.fails(503, "delivery_unavailable");
    }
    assert_eq!(app.outbox.sent().len(), 1, "one call of the provider");
    // The other provider goes on.
    app.post_as(token, "/mfa/email", bob.clone())
        .await
        .expect(200);
    app.advance(1);
    app.post_as(token, "/mfa/sms", bob).await.expect(200);
    app.sms("ann").await.expect(200);
}

#[tokio::test]
async fn atk_89_a_destination_the_provider_refuses_is_tried_ten_times_in_ten_minutes() {
    for (path, limited_after) in [("/mfa/sms", 10), ("/mfa/email", 10)] {
        let app = TestApp::with_ann().await;
        let mut refused = 0;
        for _ in 0..60 {
            app.outbox.answer([Answer::Status(400, &[], "")]);
            let reply = app.of_user(path, "ann").await;
            refused += usize::from(reply.status == 502);
            if reply.status != 502 {
                reply.fails(429, "send_limited");
            }
        }
        assert_eq!((refused, app.outbox.sent().len()), (limited_after, 10));
        // An event for each try, and one a minute that no more were made.
        let events = app.events("ann").await;
        let count = |kind: &str| events.iter().filter(|event| *event == kind).count();
        assert_eq!((count("delivery_failed"), count("send_refused")), (10, 1));
        app.advance(660);
        app.outbox.forget_answers();
        app.of_user(path, "ann").await.expect(200);
    }
}

#[tokio::test]
async fn rel_02_a_429_is_tried_again_after_the_time_it_asks_for_and_with_the_same_code() {
    let app = TestApp::with_ann().await;
    app.outbox.answer([
        Answer::Status(429, &[("retry-after", "2")], ""),
        Answer::Status(429, &[], ""),
    ]);
    app.sms("ann").await.expect(200);
    let sent = app.outbox.sent();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|message| message.body == sent[0].body));
    let waits: Vec<u128> = app
        .outbox
        .waits()
        .iter()
        .map(std::time::Duration::as_millis)
        .collect();
    assert!(
        (2_000..=2_500).contains(&waits[0]) && (1_000..=1_250).contains(&waits[1]),
        "{waits:?}"
    );
}

#[tokio::test]
async fn the_providers_error_code_reaches_the_record_and_not_the_caller() {
    let app = TestApp::with_ann().await;
    app.outbox.answer([Answer::Status(
        400,
        &[],
        r#"{"code":21211,"message":"The 'To' number is not valid"}"#,
    )]);
    let failure = app.sms("ann").await.fails(502, "delivery_failed");
    assert!(!failure.to_string().contains("21211"));
    let log = app
        .db
        .rows("SELECT detail FROM audit_log WHERE event = 'delivery_failed'")
        .await;
    let detail: Value = serde_json::from_str(log[0]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(
        detail,
        json!({"channel": "sms", "provider": "twilio", "provider_status": 400, "provider_code": 21211,
            "tried": ["twilio: refused"]})
    );
}

#[tokio::test]
async fn rel_03_a_refused_message_gives_its_place_in_the_limits_back() {
    let app = TestApp::with_settings(json!({"sends_per_ten_minutes": 1})).await;
    app.reachable("ann").await;
    for _ in 0..3 {
        app.outbox.answer([Answer::Status(400, &[], "")]);
        app.sms("ann").await.fails(502, "delivery_failed");
    }
    app.sms("ann").await.expect(200);
    app.reachable("bob").await;
    app.sms("bob").await.fails(429, "send_limited");
}

#[tokio::test]
async fn a_message_that_may_have_been_sent_keeps_its_place_in_the_limits() {
    let app = TestApp::with_settings(json!({"sends_per_ten_minutes": 1})).await;
    app.reachable("ann").await;
    app.outbox.answer([Answer::Timeout]);
    app.sms("ann").await.fails(503, "delivery_unavailable");
    app.sms("ann").await.fails(429, "send_limited");
}

#[tokio::test]
async fn rel_08_a_channel_that_is_not_configured_says_so_and_totp_works() {
    let app = TestApp::configured(&[("TWILIO_ACCOUNT_SID", ""), ("SENDGRID_API_KEY", "")]).await;
    let authenticator = app
        .enrolled_with(
            json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"}),
        )
        .await;
    for path in ["/mfa/sms", "/mfa/email"] {
        let failure = app
            .of_user(path, "ann")
            .await
            .fails(503, "channel_not_configured");
        assert_eq!(failure.get("retry_after"), None, "waiting does not help");
    }
    assert_eq!(app.status("ann").await["methods"], json!(["totp"]));
    app.verify("ann", &authenticator.code(app.now() + 30))
        .await
        .expect(200);
}

#[tokio::test]
async fn atk_81_a_kv_that_fails_stops_messages_and_counts_guesses_all_the_same() {
    let app = TestApp::with_ann().await;
    app.kv.set(Mood::Failing);
    app.sms("ann").await.fails(503, "unavailable");
    app.generate("ann").await.fails(503, "unavailable");
    assert!(app.outbox.sent().is_empty());
    app.kv.set(Mood::Sound);
    app.email("ann").await.expect(200);
    app.kv.set(Mood::Failing);
    let right = app.outbox.last().code();
    for _ in 0..5 {
        app.verify("ann", &right).await.fails(503, "unavailable");
    }
    app.kv.set(Mood::Sound);
    app.verify("ann", &right).await.fails(429, "locked");
    app.advance(60);
    app.verify("ann", &right).await.expect(200);
}

#[tokio::test]
async fn atk_81_a_kv_that_finds_nothing_lets_nothing_in() {
    let app = TestApp::with_ann().await;
    app.sms("ann").await.expect(200);
    app.kv.set(Mood::Empty);
    app.verify("ann", &app.outbox.last().code())
        .await
        .fails(400, "invalid_code");
    app.kv.set(Mood::Sound);
    app.verify("ann", &app.outbox.last().code())
        .await
        .expect(200);
}

#[tokio::test]
async fn atk_81_a_right_code_of_the_app_is_good_though_kv_does_not_give_the_sent_one() {
    let app = TestApp::new().await;
    let user = json!({"user_id": "ann", "phone": "+34600111222"});
    let authenticator = app.enrolled_with(user).await;
    app.sms("ann").await.expect(200);
    app.advance(30);
    app.kv.set(Mood::Failing);
    app.guess_right("ann", &authenticator).await.expect(200);
}
