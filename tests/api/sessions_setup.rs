//! Setting up, changing and recovering on the hosted page.

use candado_testkit::page::{Page, RETURN_URL};
use candado_testkit::{Authenticator, TestApp};
use http::Method;
use serde_json::{Value, json};

fn settings() -> Value {
    json!({"return_urls": [RETURN_URL]})
}

async fn service() -> TestApp {
    TestApp::with_settings(settings()).await
}

/// A service with the user `ann`, who has an app, a phone and an address.
async fn with_ann() -> (TestApp, Authenticator) {
    let app = service().await;
    let body = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let authenticator = app.enrolled_with(body).await;
    app.advance(60);
    (app, authenticator)
}

/// A page where the person has confirmed who they are.
async fn proved<'a>(app: &'a TestApp, ann: &Authenticator, purpose: &str) -> Page<'a> {
    let page = Page::opened(app, purpose).await;
    assert_eq!(page.state().await["stage"], "verify");
    page.verify("totp", &ann.code(app.now())).await.expect(200);
    app.advance(30);
    page
}

fn ids(view: &Value) -> Vec<&str> {
    let factors = view["factors"].as_array().unwrap();
    factors
        .iter()
        .map(|factor| factor["id"].as_str().unwrap())
        .collect()
}

async fn sets_up_app(app: &TestApp, page: &Page<'_>) -> (Authenticator, Value) {
    let view = page
        .post("factors", json!({"type": "totp"}))
        .await
        .expect(200);
    let pending = &view["pending_enrolment"];
    assert_eq!(pending["type"], "totp");
    assert!(
        pending["qr_image"]
            .as_str()
            .unwrap()
            .starts_with("data:image/png;base64,")
    );
    let authenticator = Authenticator::of(pending);
    let code = authenticator.code(app.now());
    let view = page
        .post("factors/totp/confirm", json!({"code": code}))
        .await
        .expect(200);
    (authenticator, view)
}

#[tokio::test]
async fn a_new_user_sets_up_an_app_and_is_shown_recovery_codes_until_they_are_kept() {
    let app = service().await;
    let page = Page::opened(&app, "enrol").await;
    let view = page.state().await;
    assert_eq!(view["stage"], "enrol");
    assert_eq!(view["enrolment"]["recovered"], false);
    assert!(
        view["enrolment"]["types"]
            .as_array()
            .unwrap()
            .contains(&json!("totp"))
    );
    page.post("finish", Value::Null).await.fails(409, "not_now");

    let first = page
        .post("factors", json!({"type": "totp"}))
        .await
        .expect(200);
    let again = page
        .post("factors", json!({"type": "totp"}))
        .await
        .expect(200);
    assert_eq!(first["pending_enrolment"], again["pending_enrolment"]);
    assert_eq!(
        page.state().await["pending_enrolment"],
        first["pending_enrolment"]
    );
    let fresh = page
        .post("factors", json!({"type": "totp", "fresh": true}))
        .await
        .expect(200);
    assert_ne!(
        fresh["pending_enrolment"]["secret"],
        first["pending_enrolment"]["secret"]
    );
    let dead = Authenticator::of(&first["pending_enrolment"]);
    page.post(
        "factors/totp/confirm",
        json!({"code": dead.code(app.now())}),
    )
    .await
    .fails(400, "invalid_code");
    let authenticator = Authenticator::of(&fresh["pending_enrolment"]);
    let body = json!({"code": authenticator.code(app.now())});
    let view = page
        .press_as("c", Method::POST, "factors/totp/confirm", body.clone())
        .await
        .expect(200);
    let codes = view["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(view["added"], ids(&view)[0]);
    assert_eq!(view["factors"][0]["added_here"], true);
    assert_eq!(view["pending_enrolment"], Value::Null);
    let again = page
        .press_as("c", Method::POST, "factors/totp/confirm", body)
        .await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["added"], view["added"]);

    assert_eq!(page.state().await["recovery_codes"], view["recovery_codes"]);
    let stored = format!("{:?}", app.db.rows("SELECT * FROM accounts").await);
    assert!(!stored.contains(codes[0].as_str().unwrap()));
    page.post("recovery-codes/done", Value::Null)
        .await
        .expect(200);
    assert_eq!(page.state().await["recovery_codes"], Value::Null);
    let told = app
        .post("/mfa/sessions/result", json!({"code": page.finish().await}))
        .await
        .expect(200);
    assert_eq!(
        (&told["purpose"], &told["method"]),
        (&json!("enrol"), &Value::Null)
    );
    assert_eq!(told["result_token"], Value::Null);
    assert_eq!(app.status("ann").await["mfa_enabled"], true);
    app.verify("ann", codes[0].as_str().unwrap())
        .await
        .expect(200);
}

#[tokio::test]
async fn over_an_existing_way_nothing_is_set_up_or_shown_before_a_proof() {
    let (app, ann) = with_ann().await;
    for purpose in ["enrol", "manage"] {
        let page = Page::opened(&app, purpose).await;
        let view = page.state().await;
        assert_eq!(
            (&view["stage"], &view["enrolment"], &view["factors"]),
            (&json!("verify"), &Value::Null, &json!([]))
        );
        for (method, path, body) in [
            (Method::POST, "factors", json!({"type": "totp"})),
            (
                Method::POST,
                "factors/totp/confirm",
                json!({"code": "123456"}),
            ),
            (Method::POST, "contact", json!({"phone": "+34600111333"})),
            (Method::POST, "contact/send", Value::Null),
            (Method::POST, "contact/confirm", json!({"code": "123456"})),
            (Method::DELETE, "pending", Value::Null),
            (Method::PATCH, "factors/x", json!({"name": "x"})),
            (Method::DELETE, "factors/x", Value::Null),
            (Method::DELETE, "factors/sms", Value::Null),
            (Method::POST, "recovery-codes", Value::Null),
            (Method::POST, "disable", Value::Null),
            (Method::POST, "lost", json!({"factor_ids": []})),
            (Method::POST, "finish", Value::Null),
        ] {
            let refused = page.press(method, path, body).await.fails(409, "not_now");
            assert_eq!(refused["view"]["stage"], "verify", "{path}");
        }
    }
    assert_eq!(app.outbox.sent().len(), 0);
    proved(&app, &ann, "manage").await;
}

#[tokio::test]
async fn a_number_is_on_file_only_once_its_code_came_back_and_that_code_signs_nobody_in() {
    let app = service().await;
    let page = Page::opened(&app, "enrol").await;
    page.post("contact", json!({"phone": "600111222"}))
        .await
        .fails(400, "invalid_request");
    page.post("contact", json!({}))
        .await
        .fails(400, "invalid_request");
    page.post("contact", json!({"phone": "+99900111222"}))
        .await
        .fails(422, "destination_not_allowed");
    let view = page
        .post("contact", json!({"phone": "+34600111222"}))
        .await
        .expect(200);
    assert_eq!(view["pending_enrolment"]["destination"], "+34•••••••22");
    assert_eq!(view["factors"], json!([]));
    let code = app.outbox.last().code();
    assert!(app.outbox.last().body.contains("%40mfa.example.com"));
    let stored = format!("{:?}", app.db.rows("SELECT * FROM accounts").await);
    assert!(!stored.contains("600111222") && !stored.contains(&code));
    let refused = app.verify("ann", &code).await;
    assert!(refused.status >= 400, "{refused:?}");
    page.post("contact/send", Value::Null)
        .await
        .fails(429, "send_limited");
    page.post("contact/confirm", json!({"code": "000000"}))
        .await
        .fails(400, "invalid_code");
    let view = page
        .post("contact/confirm", json!({"code": code}))
        .await
        .expect(200);
    assert_eq!(
        (&view["added"], &view["pending_enrolment"]),
        (&json!("sms"), &Value::Null)
    );
    assert_eq!(ids(&view), ["sms"]);
    page.post("contact/confirm", json!({"code": code}))
        .await
        .fails(409, "not_now");
    page.finish().await;
}

#[tokio::test]
async fn wrong_codes_of_a_new_number_count_with_those_of_every_other_code_that_is_sent() {
    let (app, ann) = with_ann().await;
    let page = proved(&app, &ann, "manage").await;
    page.post("contact", json!({"email": "new@example.com"}))
        .await
        .expect(200);
    for left in [4, 3, 2, 1, 0] {
        let failed = page
            .post("contact/confirm", json!({"code": "000000"}))
            .await
            .fails(400, "invalid_code");
        assert_eq!(failed["attempts_remaining"], left);
    }
    let code = app.outbox.last().code();
    page.post("contact/confirm", json!({"code": code}))
        .await
        .fails(429, "locked");
    app.advance(61);
    // Five tries were made at it.
    page.post("contact/confirm", json!({"code": code}))
        .await
        .fails(400, "invalid_code");
    let view = page
        .press(Method::DELETE, "pending", Value::Null)
        .await
        .expect(200);
    assert_eq!(view["pending_enrolment"], Value::Null);
    assert!(
        !view["factors"].to_string().contains("n•"),
        "{}",
        view["factors"]
    );
}

#[tokio::test]
async fn ways_are_named_and_removed_and_the_last_one_stays() {
    let (app, ann) = with_ann().await;
    let page = proved(&app, &ann, "manage").await;
    let (_, view) = sets_up_app(&app, &page).await;
    assert_eq!(view["stage"], "manage");
    let listed: Vec<String> = ids(&view).into_iter().map(str::to_owned).collect();
    assert_eq!(listed.len(), 4, "two apps, a number, an address");
    let (old, new) = (&listed[0], &listed[1]);
    let at = |id: &str| format!("factors/{id}");
    let view = page
        .press(Method::PATCH, &at(new), json!({"name": "  Tablet "}))
        .await
        .expect(200);
    assert_eq!(view["factors"][1]["name"], "Tablet");
    page.press(Method::PATCH, &at(old), json!({"name": "Tablet"}))
        .await
        .fails(409, "name_taken");
    for bad in ["", " ", "a\nb", &"x".repeat(41)] {
        let refused = page
            .press(Method::PATCH, &at(old), json!({"name": bad}))
            .await
            .fails(400, "invalid_request");
        assert_eq!(refused["field"], "name");
    }
    page.press(Method::PATCH, &at("nothing"), json!({"name": "x"}))
        .await
        .fails(404, "not_found");
    page.press(Method::DELETE, &at("nothing"), Value::Null)
        .await
        .fails(404, "not_found");
    page.press(Method::DELETE, &at("sms"), Value::Null)
        .await
        .expect(200);
    page.press(Method::DELETE, &at("sms"), Value::Null)
        .await
        .fails(404, "not_found");
    page.press(Method::DELETE, &at(old), Value::Null)
        .await
        .expect(200);
    page.press(Method::DELETE, &at(new), Value::Null)
        .await
        .fails(409, "last_factor");
    let view = page
        .press(Method::DELETE, &at("email"), Value::Null)
        .await
        .expect(200);
    assert_eq!(ids(&view), [new.as_str()]);
    app.verify("ann", &ann.code(app.now()))
        .await
        .fails(400, "invalid_code");
}

#[tokio::test]
async fn turning_it_off_wants_a_proof_of_the_last_five_minutes() {
    let (app, ann) = with_ann().await;
    let page = proved(&app, &ann, "manage").await;
    app.advance(270);
    page.post("disable", Value::Null)
        .await
        .fails(403, "step_up_required");
    assert_eq!(app.status("ann").await["mfa_enabled"], true);
    let other = Page::opened(&app, "verify").await;
    page.verify("totp", &ann.code(app.now())).await.expect(200);
    let view = page.post("disable", Value::Null).await.expect(200);
    assert_eq!(
        (&view["factors"], &view["methods"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(app.status("ann").await["mfa_enabled"], false);
    other.get("state").await.fails(404, "session_not_found");
    assert!(app.events("ann").await.contains(&"disabled".to_owned()));
    page.finish().await;
}

#[tokio::test]
async fn a_recovery_goes_on_to_a_new_way_to_the_lost_ones_and_to_new_codes() {
    let (app, ann) = with_ann().await;
    let codes = app.recovery_codes("ann").await.expect(200)["recovery_codes"].clone();
    let thief = proved(&app, &ann, "manage").await;
    let page = Page::opened(&app, "recover").await;
    assert_eq!(page.state().await["stage"], "recover");
    // A login's code is no recovery.
    page.verify("totp", &ann.code(app.now()))
        .await
        .fails(409, "not_now");
    page.post(
        "recover/verify",
        json!({"method": "recovery_code", "code": "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"}),
    )
    .await
    .fails(400, "invalid_code");
    let view = page
        .post("recover", json!({"method": "email"}))
        .await
        .expect(200);
    assert_eq!(view["recovery"]["sent"]["type"], "email");
    let code = app.outbox.last().code();
    assert_eq!(code.len(), 8);
    let view = page
        .post("recover/verify", json!({"method": "email", "code": code}))
        .await
        .expect(200);
    assert_eq!(
        (&view["stage"], &view["enrolment"]["recovered"]),
        (&json!("enrol"), &json!(true))
    );
    let types = view["enrolment"]["types"].as_array().unwrap();
    assert!(
        !types.contains(&json!("sms")) && !types.contains(&json!("email")),
        "{types:?}"
    );
    page.post("finish", Value::Null).await.fails(409, "not_now");
    page.press(Method::DELETE, "factors/sms", Value::Null)
        .await
        .fails(409, "not_now");

    let (new, view) = sets_up_app(&app, &page).await;
    assert_eq!(view["stage"], "lost");
    let listed: Vec<String> = ids(&view).into_iter().map(str::to_owned).collect();
    let added = view["added"].as_str().unwrap().to_owned();
    let old = listed
        .iter()
        .find(|id| **id != added && id.len() > 5)
        .unwrap();
    page.post("lost", json!({"factor_ids": [added]}))
        .await
        .fails(404, "not_found");
    page.post("lost", json!({"factor_ids": [old, old]}))
        .await
        .fails(404, "not_found");
    let view = page
        .post("lost", json!({"factor_ids": [old, "sms"]}))
        .await
        .expect(200);
    assert_eq!(view["stage"], "done");
    assert_eq!(view["recovery_codes"].as_array().unwrap().len(), 10);
    app.verify("ann", codes[0].as_str().unwrap())
        .await
        .fails(400, "invalid_code");
    app.verify("ann", &ann.code(app.now()))
        .await
        .fails(400, "invalid_code");
    app.advance(30);
    app.verify("ann", &new.code(app.now())).await.expect(200);
    thief.get("state").await.fails(404, "session_not_found");
    let told = app
        .post("/mfa/sessions/result", json!({"code": page.finish().await}))
        .await
        .expect(200);
    assert_eq!(
        (&told["purpose"], &told["amr"]),
        (&json!("recover"), &json!([]))
    );
}

#[tokio::test]
async fn codes_are_made_anew_after_one_was_spent_and_never_without_a_proof() {
    let (app, ann) = with_ann().await;
    let codes = app.recovery_codes("ann").await.expect(200)["recovery_codes"].clone();
    let page = Page::opened(&app, "verify").await;
    page.post("recovery-codes", Value::Null)
        .await
        .fails(409, "not_now");
    page.verify("totp", &ann.code(app.now())).await.expect(200);
    page.post("recovery-codes", Value::Null)
        .await
        .fails(409, "not_now");
    let page = Page::opened(&app, "verify").await;
    let view = page
        .verify("recovery_code", codes[0].as_str().unwrap())
        .await
        .expect(200);
    assert_eq!(view["verified_by"], "recovery_code");
    let view = page.post("recovery-codes", Value::Null).await.expect(200);
    assert_eq!(view["recovery_codes"].as_array().unwrap().len(), 10);
    app.verify("ann", codes[1].as_str().unwrap())
        .await
        .fails(400, "invalid_code");
}

#[tokio::test]
async fn a_browser_is_remembered_where_its_user_asked_for_it_and_forgotten_with_the_next_way() {
    let settings = json!({"return_urls": [RETURN_URL], "remember_days": 30});
    let app = TestApp::with_settings(settings).await;
    let ann = app.enrolled("ann").await;
    app.advance(60);
    let asks = json!({"user_id": "ann", "purpose": "verify", "return_url": RETURN_URL, "state": "s-123", "remember": true});
    let page = Page::with(&app, asks).await;
    let view = page.open().await.expect(200);
    assert_eq!(view["remember"], json!({"offered": true, "days": 30}));
    let body = json!({"method": "totp", "code": ann.code(app.now()), "remember": true});
    let view = page.post("verify", body).await.expect(200);
    assert!(!view.to_string().contains("trusted_device\""), "{view}");
    let code = page.finish().await;
    let told = app
        .post("/mfa/sessions/result", json!({"code": code}))
        .await
        .expect(200);
    let value = told["trusted_device"].as_str().unwrap();
    let check = json!({"user_id": "ann", "trusted_device": value});
    app.post("/mfa/trusted-devices/check", check)
        .await
        .expect(200);

    app.advance(60);
    let page = proved(&app, &ann, "manage").await;
    let devices = page.state().await["trusted_devices"].clone();
    assert_eq!(devices.as_array().unwrap().len(), 1);
    assert_eq!(devices[0]["browser"], "Firefox, Linux");
    let at = format!("trusted-devices/{}", devices[0]["id"].as_str().unwrap());
    page.press(Method::DELETE, "trusted-devices/nothing", Value::Null)
        .await
        .fails(404, "not_found");
    let view = page
        .press(Method::DELETE, &at, Value::Null)
        .await
        .expect(200);
    assert_eq!(view["trusted_devices"], json!([]));

    // Not where the application did not ask for it, nor for what does not count.
    app.advance(60);
    let page = Page::opened(&app, "verify").await;
    assert_eq!(page.state().await["remember"]["offered"], false);
    let body = json!({"method": "totp", "code": ann.code(app.now()), "remember": true});
    page.post("verify", body).await.expect(200);
    let told = app
        .post("/mfa/sessions/result", json!({"code": page.finish().await}))
        .await
        .expect(200);
    assert!(told.get("trusted_device").is_none());
}
