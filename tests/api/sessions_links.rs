//! Recovery links: nothing is spent without the button, and once.

use candado_testkit::page::{Page, RETURN_URL};
use candado_testkit::{Answer, Authenticator, Reply, TestApp};
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

async fn service(more: Value) -> (TestApp, Authenticator) {
    let mut settings = json!({"return_urls": [RETURN_URL], "recovery_return_url": "https://shop.example/recovered"});
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let app = TestApp::with_settings(settings).await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let ann = app.enrolled_with(body).await;
    app.advance(60);
    (app, ann)
}

/// The secret behind `#recover.` or `#stop.` in the last e-mail.
fn secret(app: &TestApp, kind: &str) -> String {
    let sent = app.outbox.sent();
    let mail = sent
        .iter()
        .rev()
        .find(|sent| sent.uri.contains("mail/send"))
        .unwrap();
    let body: Value = serde_json::from_str(&mail.body).unwrap();
    let text = body["content"][0]["value"].as_str().unwrap();
    let start = format!("https://mfa.example.com/session#{kind}.");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

async fn asked_for(app: &TestApp) -> Value {
    app.recover("ann", "link").await.expect(200)
}

/// A browser that holds a link: it names no session and has no cookie.
struct Mailbox<'a>(Page<'a>);

impl<'a> Mailbox<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self(Page::of(app, "", ""))
    }

    async fn ask(&self, path: &str, secret: &str) -> Reply {
        self.0.post(path, json!({"secret": secret})).await
    }
}

#[tokio::test]
async fn atk_101_looking_at_a_link_changes_nothing_and_a_press_works_once() {
    let (app, ann) = service(json!({})).await;
    assert_eq!(asked_for(&app).await["expires_in"], 900);
    let secret = secret(&app, "recover");
    let before = app.db.rows("SELECT * FROM accounts").await;
    let scanner = Mailbox::new(&app);
    for _ in 0..10 {
        let view = scanner.ask("link", &secret).await.expect(200);
        assert_eq!(
            (&view["kind"], &view["state"]),
            (&json!("recover"), &json!("ready"))
        );
        assert_eq!(view["return_host"], "shop.example");
        assert!(!view.to_string().contains("ann"), "{view}");
    }
    assert_eq!(app.db.rows("SELECT * FROM accounts").await, before);
    let stored = format!(
        "{before:?}{:?}",
        app.db.rows("SELECT * FROM sessions").await
    );
    assert!(!stored.contains(&secret));

    let browsers: Vec<_> = (0..5).map(|_| Mailbox::new(&app)).collect();
    let replies = join_all(browsers.iter().map(|one| one.ask("link/continue", &secret))).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    let (browser, reply) = browsers
        .into_iter()
        .zip(replies)
        .find(|(_, reply)| reply.status == 200)
        .unwrap();
    let view = reply.json();
    assert_eq!(
        (&view["stage"], &view["purpose"]),
        (&json!("enrol"), &json!("recover"))
    );
    assert_eq!(view["enrolment"]["recovered"], true);
    scanner
        .ask("link/continue", &secret)
        .await
        .fails(409, "not_now");
    assert_eq!(
        scanner.ask("link", &secret).await.expect(200)["state"],
        "used"
    );

    // Forwarded, it is worth nothing to whoever has not the cookie.
    let id = view["session_id"].as_str().unwrap();
    let other = Page::of(&app, id, &secret);
    other.get("state").await.fails(403, "other_browser");
    other.open().await.fails(404, "session_not_found");
    let page = Page::of(&app, id, "");
    page.cookies
        .borrow_mut()
        .clone_from(&browser.0.cookies.borrow());
    let view = page
        .post("factors", json!({"type": "totp"}))
        .await
        .expect(200);
    let new = Authenticator::of(&view["pending_enrolment"]);
    page.post("factors/totp/confirm", json!({"code": new.code(app.now())}))
        .await
        .expect(200);
    let view = page
        .post("lost", json!({"factor_ids": []}))
        .await
        .expect(200);
    assert_eq!(view["stage"], "done");
    let leaving = page.post("finish", Value::Null).await.expect(200);
    let redirect = leaving["redirect"].as_str().unwrap();
    let code = redirect
        .strip_prefix("https://shop.example/recovered?code=")
        .unwrap();
    let told = app
        .post("/mfa/sessions/result", json!({"code": code}))
        .await
        .expect(200);
    assert_eq!(
        (&told["user_id"], &told["purpose"]),
        (&json!("ann"), &json!("recover"))
    );
    app.guess_right("ann", &ann).await.expect(200);
}

#[tokio::test]
async fn atk_101_a_link_expires_and_a_new_one_ends_the_one_before() {
    let (app, _) = service(json!({})).await;
    asked_for(&app).await;
    let first = secret(&app, "recover");
    app.recover("ann", "link").await.fails(429, "send_limited");
    app.advance(60);
    asked_for(&app).await;
    let second = secret(&app, "recover");
    let mailbox = Mailbox::new(&app);
    mailbox
        .ask("link/continue", &first)
        .await
        .fails(409, "not_now");
    assert_eq!(
        mailbox.ask("link", &first).await.expect(200)["state"],
        "stopped"
    );
    app.advance(900);
    assert_eq!(
        mailbox.ask("link", &second).await.expect(200)["state"],
        "expired"
    );
    mailbox
        .ask("link/continue", &second)
        .await
        .fails(409, "not_now");
    for unknown in ["", "x", &"A".repeat(43)] {
        mailbox
            .ask("link", unknown)
            .await
            .fails(404, "session_not_found");
        mailbox
            .ask("link/continue", unknown)
            .await
            .fails(404, "session_not_found");
    }
}

#[tokio::test]
async fn atk_101_a_delayed_link_does_nothing_before_its_time_and_every_channel_can_stop_it() {
    let (app, _) = service(json!({"recovery_delay_hours": 24})).await;
    asked_for(&app).await;
    let (link, stop) = (secret(&app, "recover"), secret(&app, "stop"));
    let sms = app.outbox.last();
    assert!(sms.uri.contains("/Messages.json"));
    assert!(
        sms.body.contains(&format!("%23stop.{stop}")),
        "{}",
        sms.body
    );
    assert!(!sms.body.contains(&link));
    let mailbox = Mailbox::new(&app);
    let view = mailbox.ask("link", &link).await.expect(200);
    assert_eq!(
        (&view["state"], &view["opens_at"]),
        (&json!("early"), &json!(app.now() + 24 * 3600))
    );
    mailbox
        .ask("link/continue", &link)
        .await
        .fails(409, "not_now");
    mailbox.ask("link/stop", &link).await.fails(409, "not_now");
    mailbox
        .ask("link/continue", &stop)
        .await
        .fails(409, "not_now");
    app.advance(24 * 3600 - 1);
    mailbox
        .ask("link/continue", &link)
        .await
        .fails(409, "not_now");
    for _ in 0..2 {
        let view = mailbox.ask("link/stop", &stop).await.expect(200);
        assert_eq!(
            (&view["kind"], &view["state"]),
            (&json!("stop"), &json!("stopped"))
        );
    }
    app.advance(1);
    mailbox
        .ask("link/continue", &link)
        .await
        .fails(409, "not_now");
    assert!(
        app.events("ann")
            .await
            .contains(&"recovery_stopped".to_owned())
    );
}

#[tokio::test]
async fn a_delayed_link_works_once_it_opens() {
    let (app, _) = service(json!({"recovery_delay_hours": 1})).await;
    let page = Page::opened(&app, "recover").await;
    let view = page
        .post("recover", json!({"method": "link"}))
        .await
        .expect(200);
    let sent = &view["recovery"]["sent"];
    assert_eq!(
        (&sent["type"], &sent["opens_at"]),
        (&json!("link"), &json!(app.now() + 3600))
    );
    let link = secret(&app, "recover");
    app.advance(3600);
    let mailbox = Mailbox::new(&app);
    mailbox.ask("link/continue", &link).await.expect(200);
}

#[tokio::test]
async fn a_link_that_was_not_sent_does_not_work() {
    let (app, _) = service(json!({})).await;
    app.outbox.answer([Answer::Status(400, &[], "{}")]);
    app.recover("ann", "link")
        .await
        .fails(502, "delivery_failed");
    let link = secret(&app, "recover");
    Mailbox::new(&app)
        .ask("link/continue", &link)
        .await
        .fails(404, "session_not_found");
    asked_for(&app).await;
}

#[tokio::test]
async fn atk_99_a_link_is_followed_by_this_services_own_page_alone() {
    let (app, _) = service(json!({})).await;
    asked_for(&app).await;
    let link = secret(&app, "recover");
    let page = Page::of(&app, "", "");
    let body = json!({"secret": link}).to_string();
    for path in ["link", "link/continue", "link/stop"] {
        let mut request = page.request(Method::POST, path, &body, None);
        request
            .headers_mut()
            .insert("origin", "https://evil.example".parse().unwrap());
        page.send(request).await.fails(403, "wrong_origin");
    }
    Mailbox::new(&app)
        .ask("link/continue", &link)
        .await
        .expect(200);
}

#[tokio::test]
async fn without_somewhere_to_end_there_is_no_link() {
    let app = TestApp::with_ann().await;
    let refused = app
        .recover("ann", "link")
        .await
        .fails(400, "invalid_request");
    assert_eq!(refused["field"], "recovery_method");
    assert_eq!(app.outbox.sent().len(), 0);
}
