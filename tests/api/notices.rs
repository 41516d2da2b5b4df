//! Notices: telling a user what was done to the ways to sign in.

use candado_testkit::{Answer, TestApp};
use http::Method;
use serde_json::{Value, json};

const SHOP: &str = "ann@example.com";

async fn service(settings: Value) -> TestApp {
    let mut all = json!({
        "notify_users": true, "support_url": "https://shop.example/help", "brand": {"name": "The Shop"},
    });
    let more = settings.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    TestApp::with_settings(all).await
}

/// Subject and recipient of every e-mail.
fn mails(app: &TestApp) -> Vec<(String, String)> {
    let sent = app.outbox.sent();
    let mail = |body: Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&body["subject"]),
            text(&body["personalizations"][0]["to"][0]["email"]),
        )
    };
    let bodies = sent
        .iter()
        .filter_map(|sent| serde_json::from_str(&sent.body).ok());
    bodies.map(mail).collect()
}

fn subjects(app: &TestApp) -> Vec<String> {
    mails(app).into_iter().map(|(subject, _)| subject).collect()
}

const ADDED: &str = "A way to sign in was added to The Shop";
const REMOVED: &str = "A way to sign in was removed from The Shop";
const OFF: &str = "Two-step verification is off for The Shop";

async fn add(app: &TestApp, user: &str, name: &str) -> String {
    let body = json!({"user_id": user, "type": "totp", "name": name, "confirm": false});
    let added = app.post("/mfa/factors", body).await.expect(200);
    added["factor_id"].as_str().unwrap().to_owned()
}

async fn remove(app: &TestApp, user: &str, factor: &str) {
    let at = format!("/mfa/factors/{factor}");
    let body = json!({"user_id": user}).to_string();
    let token = app.fresh_token();
    app.send(TestApp::request(Method::DELETE, &at, Some(&token), &body))
        .await
        .expect(200);
}

#[tokio::test]
async fn adding_renewing_removing_and_turning_off_are_told_in_the_brand_with_where_help_is() {
    let app = service(json!({})).await;
    let body = json!({"user_id": "ann", "email": SHOP});
    // Nothing is added before its first code.
    app.post("/mfa/register", body.clone()).await.expect(200);
    assert!(mails(&app).is_empty());
    let ann = app.enrolled_with(body).await;
    assert_eq!(mails(&app), [(ADDED.to_owned(), SHOP.to_owned())]);
    app.advance(30);
    // A login says nothing.
    app.guess_right("ann", &ann).await.expect(200);
    let tablet = add(&app, "ann", "Tablet").await;
    remove(&app, "ann", &tablet).await;
    let sent = app.outbox.last();
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    let text = body["content"][0]["value"].as_str().unwrap();
    assert!(
        text.contains("Tablet") && text.contains("https://shop.example/help"),
        "{text}"
    );
    // A renewal is told once its code came, as what is there now.
    app.renew("ann").await.expect(200);
    assert_eq!(subjects(&app), [ADDED, ADDED, REMOVED]);
    let renewed = candado_testkit::Authenticator::of(&app.renew("ann").await.expect(200));
    app.advance(30);
    app.guess_right("ann", &renewed).await.expect(200);
    app.disable("ann").await.expect(200);
    assert_eq!(subjects(&app), [ADDED, ADDED, REMOVED, ADDED, OFF]);
    // Off already: there is nothing to tell.
    app.disable("ann").await.expect(200);
    assert_eq!(subjects(&app).len(), 5);
    let events = app.events("ann").await;
    assert_eq!(
        events
            .iter()
            .filter(|event| *event == "notice_sent")
            .count(),
        5
    );
}

#[tokio::test]
async fn without_the_setting_or_an_address_or_for_an_import_nobody_is_written_to() {
    let app = TestApp::new().await;
    app.reachable("ann").await;
    app.disable("ann").await.expect(200);
    let app_with = service(json!({})).await;
    app_with.enrolled("bob").await;
    let body =
        json!({"user_id": "eve", "email": SHOP, "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"});
    app_with.post("/mfa/import", body).await.expect(200);
    assert!(mails(&app).is_empty() && mails(&app_with).is_empty());
}

/// Whoever changes the address with the factor does not get the notice in the owner's place.
#[tokio::test]
async fn a_notice_goes_to_the_address_from_before_the_change() {
    let app = service(json!({})).await;
    app.reachable("ann").await;
    let body = json!({
        "user_id": "ann", "type": "totp", "name": "x", "confirm": false, "email": "mallory@example.net",
    });
    app.post("/mfa/factors", body).await.expect(200);
    let to: Vec<String> = mails(&app).into_iter().map(|(_, to)| to).collect();
    assert_eq!(to, [SHOP, SHOP]);
}

/// Neither by asking for codes, nor by bringing about notices.
#[tokio::test]
async fn atk_70_notices_have_limits_of_their_own_and_keep_no_code_from_its_user() {
    let app = service(json!({})).await;
    app.reachable("ann").await;
    // All the messages one address gets in ten minutes are codes: the notice comes all the same.
    for n in 0..5 {
        let user = format!("u{n}");
        let body = json!({"user_id": user, "email": SHOP});
        app.post("/mfa/register", body).await.expect(200);
        app.email(&user).await.expect(200);
    }
    app.email("ann").await.fails(429, "send_limited");
    let before = mails(&app).len();
    let mut factor = add(&app, "ann", "Tablet").await;
    assert_eq!(mails(&app).len(), before + 1);
    // Over and over: a few in ten minutes, and no answer fails for it.
    for _ in 0..6 {
        remove(&app, "ann", &factor).await;
        factor = add(&app, "ann", "Tablet").await;
    }
    assert_eq!(mails(&app).len(), before + 4, "five with the first of all");
    assert!(app.events("ann").await.contains(&"send_refused".to_owned()));
    // And then the codes come as if there had been no notice.
    app.advance(700);
    app.email("ann").await.expect(200);
}

#[tokio::test]
async fn atk_70_notices_take_a_fifth_of_the_days_budget_at_most_and_count_in_it() {
    let app = service(json!({"daily_email_budget": 10})).await;
    for n in 0..5 {
        let body = json!({"user_id": format!("u{n}"), "email": format!("u{n}@example.com"), "confirm": false});
        app.post("/mfa/register", body).await.expect(200);
    }
    assert_eq!(subjects(&app), [ADDED, ADDED]);
    for n in 0..8 {
        let user = format!("v{n}");
        let body = json!({"user_id": user, "email": format!("{user}@example.com")});
        app.post("/mfa/register", body).await.expect(200);
        app.email(&user).await.expect(200);
    }
    app.email("u0").await.fails(429, "send_limited");
}

#[tokio::test]
async fn a_notice_that_fails_changes_no_answer_and_gives_its_place_back() {
    let app = service(json!({})).await;
    app.outbox.answer([
        Answer::Status(400, &[], "{}"),
        Answer::Timeout,
        Answer::Status(429, &[("retry-after", "20")], ""),
    ]);
    for user in ["ann", "bob", "eve"] {
        app.reachable(user).await;
    }
    let failed = |events: Vec<String>| events.contains(&"delivery_failed".to_owned());
    for user in ["ann", "bob", "eve"] {
        assert!(failed(app.events(user).await), "{user}");
    }
    // What may have been sent counts; what was surely not does not.
    let counted = "SELECT SUM(count) AS count FROM send_counters WHERE scope LIKE 'notice-day:%'";
    assert_eq!(app.db.rows(counted).await[0]["count"], 1);
    // While the provider asked to be left alone nothing goes there.
    app.reachable("kim").await;
    assert_eq!(app.outbox.sent().len(), 3);
    // Nor does the database's failure reach the answer.
    app.advance(60);
    app.db.fail_at(2, false);
    app.reachable("lee").await;
}

#[tokio::test]
async fn a_test_client_finds_its_notices() {
    let app = TestApp::new().await;
    let token = {
        let body = json!({"name": "Tests", "client_id": "test_shop", "test": true, "settings": {"notify_users": true}});
        let made = app
            .admin(Method::POST, "/admin/clients", body)
            .await
            .expect(201);
        app.token_for("test_shop", made["client_secret"].as_str().unwrap())
            .await
    };
    let body = json!({"user_id": "ann", "email": SHOP, "confirm": false});
    app.post_as(&token, "/mfa/register", body).await.expect(200);
    let request = TestApp::request(Method::GET, "/mfa/test/messages", Some(&token), "");
    let messages = app.send(request).await.expect(200);
    let one = &messages["messages"][0];
    assert_eq!(
        (&one["purpose"], &one["code"]),
        (&json!("notice"), &Value::Null)
    );
    assert_eq!(one["to"], SHOP);
    assert!(app.outbox.sent().is_empty());
}
