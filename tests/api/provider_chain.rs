//! Several providers of a channel: who is tried after whom, and what a message that goes twice is.

use std::time::Duration;

use candado_testkit::{Answer, Sent, TestApp};
use http::Method;
use serde_json::{Value, json};

/// Two for each channel.
const TWO: [(&str, &str); 4] = [
    ("SMS_PROVIDERS", "twilio,sms_hook"),
    ("EMAIL_PROVIDERS", "sendgrid,email_hook"),
    HOOK[0],
    HOOK[1],
];
const HOOK: [(&str, &str); 2] = [
    ("HOOK_URL", "https://gateway.example/messages"),
    ("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
];
const WHATSAPP: [(&str, &str); 2] = [
    ("TWILIO_WHATSAPP_FROM", "+15005550007"),
    ("TWILIO_WHATSAPP_CONTENT_SID", "HX01"),
];
const VOICE: (&str, &str) = ("TWILIO_VOICE_FROM", "+15005550008");
const OK: Answer = Answer::Status(202, &[], "");
const REFUSED: Answer = Answer::Status(400, &[], r#"{"code":21211}"#);

/// Each way a provider can fail.
const FAULTS: [Answer; 9] = [
    REFUSED,
    Answer::Status(401, &[], ""),
    Answer::Status(404, &[], ""),
    Answer::Status(429, &[("retry-after", "120")], ""),
    Answer::Status(429, &[], ""),
    Answer::Status(500, &[], ""),
    Answer::Status(302, &[("location", "https://evil.example")], ""),
    Answer::Timeout,
    Answer::Reset,
];

async fn with_ann(changed: &[(&str, &str)]) -> TestApp {
    let app = TestApp::configured(changed).await;
    app.reachable("ann").await;
    app
}

fn is_hook(sent: &Sent) -> bool {
    sent.uri == HOOK[0].1
}

/// How many messages each scope counts.
async fn counted(app: &TestApp, of: &str) -> Vec<i64> {
    let counters = app.db.rows("SELECT scope, count FROM send_counters").await;
    let of_these = counters.iter().filter(|row| {
        let scope = row["scope"].as_str().unwrap();
        scope.starts_with(of)
    });
    of_these.map(|row| row["count"].as_i64().unwrap()).collect()
}

async fn detail(app: &TestApp, event: &'static str) -> Value {
    let rows = app.db.rows("SELECT event, detail FROM audit_log").await;
    let row = rows.iter().find(|row| row["event"] == event);
    let detail = row.unwrap()["detail"].as_str();
    serde_json::from_str(detail.unwrap()).unwrap()
}

#[tokio::test]
async fn atk_79_where_one_provider_fails_the_next_carries_the_same_code_which_is_good_once() {
    for (path, kind) in [("/mfa/sms", "sms"), ("/mfa/email", "email")] {
        for fault in FAULTS {
            let app = with_ann(&TWO).await;
            app.outbox.answer([fault.clone(), OK]);
            app.of_user(path, "ann").await.expect(200);
            let sent = app.outbox.sent();
            assert_eq!(sent.len(), 2, "{fault:?}: nobody is asked twice");
            assert!(!is_hook(&sent[0]) && is_hook(&sent[1]), "{fault:?}");
            assert_eq!(sent[0].code(), sent[1].code(), "{fault:?}");
            assert!(app.outbox.waits().is_empty(), "{fault:?}");
            // Whichever of the two comes: it is one code, and one message for every limit.
            for counter in [
                "sms:",
                "sms-day:",
                "prefix:",
                "email:",
                "email-day:",
                "tries:",
            ] {
                for count in counted(&app, counter).await {
                    assert_eq!(count, 1, "{counter} {fault:?}");
                }
            }
            let again = app.of_user(path, "ann").await;
            again.fails(429, "send_limited");
            let code = sent[0].code();
            let proved = app.verify("ann", &code).await.expect(200);
            assert_eq!(proved["method"], kind);
            let again = app.verify("ann", &code).await;
            again.fails(400, "code_already_used");
            let fell_back = detail(&app, "delivery_fell_back").await;
            assert_eq!(fell_back["provider"], format!("{kind}_hook"));
            let tried = fell_back["tried"].as_array().unwrap();
            assert_eq!(tried.len(), 1, "{tried:?}");
        }
    }
}

#[tokio::test]
async fn atk_79_all_providers_of_a_chain_share_five_seconds() {
    let three = [
        &TWO[2..],
        &WHATSAPP,
        &[
            ("SMS_PROVIDERS", "twilio,whatsapp,sms_hook"),
            ("EMAIL_PROVIDERS", "sendgrid"),
        ],
    ];
    let app = with_ann(&three.concat()).await;
    app.outbox
        .answer([Answer::Timeout, Answer::Timeout, Answer::Timeout]);
    let failure = app.sms("ann").await.fails(503, "delivery_unavailable");
    assert_eq!(failure["retry_after"], 5);
    let given: Vec<Duration> = app.outbox.sent().iter().map(|sent| sent.timeout).collect();
    assert_eq!(given.len(), 3);
    assert!(
        given.iter().sum::<Duration>() <= Duration::from_secs(5),
        "{given:?}"
    );
    assert!(
        given.iter().all(|one| one.as_millis() >= 1_666),
        "{given:?}"
    );
    // One that answers at once leaves its part to the others.
    let app = with_ann(&TWO).await;
    app.outbox.answer([REFUSED, OK]);
    app.sms("ann").await.expect(200);
    let given: Vec<u64> = app
        .outbox
        .sent()
        .iter()
        .map(|sent| sent.timeout.as_secs())
        .collect();
    assert_eq!(given, [2, 5]);
}

#[tokio::test]
async fn rel_03_what_is_given_back_and_said_where_every_provider_fails() {
    let busy = |seconds: &'static [(&str, &str)]| Answer::Status(429, seconds, "");
    let (minute, hour) = (&[("retry-after", "60")], &[("retry-after", "3600")]);
    let server_error = Answer::Status(500, &[], "");
    for (answers, status, retry_after, given_back) in [
        ([REFUSED, REFUSED], 502, None, true),
        ([REFUSED, server_error.clone()], 503, Some(5), false),
        ([Answer::Timeout, REFUSED], 503, Some(5), false),
        ([Answer::Reset, busy(minute)], 503, Some(5), false),
        ([busy(minute), REFUSED], 503, Some(60), true),
        ([REFUSED, busy(minute)], 503, Some(60), true),
        ([busy(hour), busy(minute)], 503, Some(60), true),
    ] {
        let app = with_ann(&TWO).await;
        app.outbox.answer(answers.clone());
        let code = if status == 502 {
            "delivery_failed"
        } else {
            "delivery_unavailable"
        };
        let failure = app.sms("ann").await.fails(status, code);
        assert_eq!(failure["retry_after"].as_u64(), retry_after, "{answers:?}");
        assert_eq!(app.outbox.sent().len(), 2, "{answers:?}");
        let dead = app.outbox.last().code();
        app.verify("ann", &dead).await.fails(400, "invalid_code");
        let left = i64::from(!given_back);
        assert_eq!(counted(&app, "sms:").await, [left], "{answers:?}");
        assert_eq!(counted(&app, "tries:").await, [1], "{answers:?}");
        let failed = detail(&app, "delivery_failed").await;
        assert_eq!(failed["provider"], "sms_hook");
        assert_eq!(failed["tried"].as_array().unwrap().len(), 2, "{failed}");
        assert!(!failed.to_string().contains("600111222"), "{failed}");
    }
}

#[tokio::test]
async fn atk_89_a_provider_that_is_busy_is_passed_over_by_everybody_until_its_time() {
    let app = with_ann(&TWO).await;
    let bank = app.new_client("bank", json!({})).await;
    let other = json!({"user_id": "bob", "phone": "+34600111299", "email": "bob@example.com"});
    app.post_as(&bank, "/mfa/register", other).await.expect(200);
    app.outbox
        .answer([Answer::Status(429, &[("retry-after", "120")], ""), OK]);
    app.sms("ann").await.expect(200);
    app.advance(119);
    let (bob, token) = (json!({"user_id": "bob"}), &app.renewed_token("bank").await);
    app.post_as(token, "/mfa/sms", bob.clone())
        .await
        .expect(200);
    app.sms("ann").await.expect(200);
    let by_hook: Vec<bool> = app.outbox.sent().iter().map(is_hook).collect();
    assert_eq!(by_hook, [false, true, true, true]);
    // The other channel knows nothing of it.
    app.email("ann").await.expect(200);
    assert!(app.outbox.last().uri.contains("sendgrid"));
    app.advance(121);
    app.sms("ann").await.expect(200);
    assert!(!is_hook(&app.outbox.last()), "the first again");
}

#[tokio::test]
async fn atk_89_while_all_providers_have_a_pause_nothing_is_reserved_until_the_first_ends() {
    let app = with_ann(&TWO).await;
    app.outbox.answer([
        Answer::Status(429, &[("retry-after", "300")], ""),
        Answer::Status(429, &[("retry-after", "90")], ""),
    ]);
    app.sms("ann").await.fails(503, "delivery_unavailable");
    app.advance(50);
    let failure = app.sms("ann").await.fails(503, "delivery_unavailable");
    assert_eq!(failure["retry_after"], 40);
    assert_eq!(app.outbox.sent().len(), 2);
    app.advance(40);
    app.sms("ann").await.expect(200);
    assert!(is_hook(&app.outbox.last()));
}

#[tokio::test]
async fn a_client_names_its_own_order_among_those_that_are_set_up() {
    let app = with_ann(&TWO).await;
    let patch = |settings: Value| {
        app.admin(
            Method::PATCH,
            "/admin/clients/shop",
            json!({"settings": settings}),
        )
    };
    let reply = patch(json!({"sms_providers": ["sms_hook", "twilio"]}))
        .await
        .expect(200);
    assert_eq!(
        reply["settings"]["sms_providers"],
        json!(["sms_hook", "twilio"])
    );
    assert_eq!(reply["settings"]["email_providers"], Value::Null);
    app.sms("ann").await.expect(200);
    assert!(is_hook(&app.outbox.last()));
    app.email("ann").await.expect(200);
    assert!(app.outbox.last().uri.contains("sendgrid"));
    for (settings, field) in [
        (
            json!({"sms_providers": ["whatsapp"]}),
            "settings.sms_providers",
        ),
        (
            json!({"sms_providers": ["sendgrid"]}),
            "settings.sms_providers",
        ),
        (json!({"sms_providers": []}), "settings.sms_providers"),
        (
            json!({"email_providers": ["email_hook", "email_hook"]}),
            "settings.email_providers",
        ),
    ] {
        let failure = patch(settings.clone()).await.fails(400, "invalid_request");
        assert_eq!(failure["field"], field, "{settings}");
    }
    let failure = patch(json!({"sms_providers": ["whatsapp"]})).await;
    let failure = failure.fails(400, "invalid_request")["message"].to_string();
    assert!(failure.contains("whatsapp is none"), "{failure}");
}

#[tokio::test]
async fn rel_08_an_order_of_which_nothing_is_set_up_any_more_sends_nothing_by_another_way() {
    let app = with_ann(&TWO).await;
    let patch = json!({"settings": {"sms_providers": ["sms_hook"]}});
    let shop = "/admin/clients/shop";
    app.admin(Method::PATCH, shop, patch).await.expect(200);
    let later = app.redeployed(&[("SMS_PROVIDERS", ""), ("EMAIL_PROVIDERS", "")]);
    let failure = later.sms("ann").await;
    failure.fails(503, "channel_not_configured");
    assert!(later.outbox.sent().is_empty());
    // What else the client is set to can be changed, though.
    let budget = json!({"settings": {"daily_sms_budget": 0}});
    later.admin(Method::PATCH, shop, budget).await.expect(200);
}

#[tokio::test]
async fn a_code_goes_by_whatsapp_and_where_that_fails_by_a_call() {
    let ways = [&WHATSAPP[..], &[VOICE, ("SMS_PROVIDERS", "whatsapp,voice")]];
    let app = with_ann(&ways.concat()).await;
    app.outbox.answer([REFUSED, OK]);
    let body = json!({"user_id": "ann", "locale": "es"});
    app.post("/mfa/sms", body).await.expect(200);
    let sent = app.outbox.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].field("To").unwrap(), "whatsapp:+34600111222");
    assert_eq!(sent[0].field("ContentSid").unwrap(), "HX01");
    assert!(sent[1].uri.ends_with("/Calls.json"));
    assert!(sent[1].field("Twiml").unwrap().contains("es-ES"));
    assert_eq!(sent[0].code(), sent[1].code());
    let proved = app.verify("ann", &sent[1].code()).await.expect(200);
    assert_eq!(proved["method"], "sms");
}

#[tokio::test]
async fn atk_68_no_way_to_a_phone_goes_where_the_client_may_not_send() {
    let order = ("SMS_PROVIDERS", "voice,whatsapp,sms_hook");
    let ways = [
        &WHATSAPP[..],
        &HOOK,
        &[VOICE, order, ("EMAIL_PROVIDERS", "sendgrid")],
    ];
    let app = TestApp::configured(&ways.concat()).await;
    let user = json!({"user_id": "ann", "phone": "+33612345678"});
    app.post("/mfa/register", user).await.expect(200);
    app.sms("ann").await.fails(422, "destination_not_allowed");
    assert!(app.outbox.sent().is_empty());
}

#[tokio::test]
async fn what_goes_to_a_gateway_is_signed_and_says_no_more_than_it_needs() {
    let app = with_ann(&[
        HOOK[0],
        HOOK[1],
        ("SMS_PROVIDERS", "sms_hook"),
        ("EMAIL_PROVIDERS", "email_hook"),
    ])
    .await;
    app.outbox
        .answer([Answer::Status(429, &[("retry-after", "1")], ""), OK, OK]);
    app.sms("ann").await.expect(200);
    app.email("ann").await.expect(200);
    let sent = app.outbox.sent();
    let header = |place: usize, name: &str| sent[place].headers[name].to_str().unwrap();
    assert_eq!(
        header(0, "webhook-id"),
        header(1, "webhook-id"),
        "a message tried again"
    );
    assert_ne!(header(1, "webhook-id"), header(2, "webhook-id"));
    assert!(header(0, "webhook-signature").starts_with("v1,"));
    let body: Value = serde_json::from_str(&sent[2].body).unwrap();
    assert_eq!(body["channel"], "email");
    assert_eq!(body["destination"], "ann@example.com");
    assert_eq!(body["code"], sent[2].code());
    assert!(body["html"].as_str().unwrap().contains('<'));
    assert!(body.get("user_id").is_none());
}

const SMTP: [(&str, &str); 2] = [
    ("SMTP_URL", "smtps://mail.example.com"),
    ("SMTP_FROM", "mfa@mail.example.com"),
];

#[tokio::test]
async fn a_mail_server_gets_the_message_under_the_clients_name() {
    let app = with_ann(&[SMTP[0], SMTP[1], ("EMAIL_PROVIDERS", "smtp")]).await;
    app.email("ann").await.expect(200);
    let sent = app.outbox.last();
    assert_eq!(sent.uri, "smtp");
    let letter: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(letter["from"], "mfa@mail.example.com");
    assert_eq!(letter["from_name"], "Shop");
    assert_eq!(letter["to"], "ann@example.com");
    app.verify("ann", &sent.code()).await.expect(200);
}

/// What each reply of a mail server means: 4xx and 5xx surely sent nothing, and 4xx says nothing of the mailbox.
#[tokio::test]
async fn atk_79_each_fault_of_a_mail_server_falls_back_or_says_what_is_certain() {
    for (answer, status, code, given_back) in [
        (Answer::Status(550, &[], ""), 502, "delivery_failed", true),
        (
            Answer::Status(451, &[], ""),
            503,
            "delivery_unavailable",
            true,
        ),
        (Answer::Timeout, 503, "delivery_unavailable", false),
        (Answer::Reset, 503, "delivery_unavailable", false),
    ] {
        let alone = with_ann(&[SMTP[0], SMTP[1], ("EMAIL_PROVIDERS", "smtp")]).await;
        alone.outbox.answer([answer.clone()]);
        alone.email("ann").await.fails(status, code);
        assert_eq!(alone.outbox.sent().len(), 1);
        assert_eq!(counted(&alone, "email:").await, [i64::from(!given_back)]);
        let dead = alone.outbox.last().code();
        alone.verify("ann", &dead).await.fails(400, "invalid_code");

        let order = ("EMAIL_PROVIDERS", "smtp,sendgrid");
        let two = with_ann(&[SMTP[0], SMTP[1], order]).await;
        two.outbox.answer([answer.clone(), OK]);
        two.email("ann").await.expect(200);
        let sent = two.outbox.sent();
        assert_eq!(sent.len(), 2, "{answer:?}");
        assert_eq!(sent[0].code(), sent[1].code());
        two.verify("ann", &sent[0].code()).await.expect(200);
    }
}
