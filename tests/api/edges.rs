//! What only a change of one comparison would break: the mark in KV, and a KV that does not answer.

use candado::platform::KeyValue as _;
use serde_json::json;

use crate::harness::{Authenticator, Mood, TestApp};

#[tokio::test]
async fn a_mark_in_kv_refuses_until_its_time_and_not_at_it() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    app.advance(30);
    let code = authenticator.code(app.now());
    let mark = async |until: u64| {
        let locks = json!({"totp": until, "delivered": until + 1}).to_string();
        app.kv.put("lock:shop:ann", &locks, 600).await.unwrap();
    };
    mark(app.now() + 7).await;
    let failure = app.verify("ann", &code).await.fails(429, "locked");
    assert_eq!(failure["retry_after"], 7);
    let named = |method: &str| json!({"user_id": "ann", "code": code, "method": method});
    let failure = app.post("/mfa/verify", named("sms")).await;
    assert_eq!(failure.fails(429, "locked")["retry_after"], 8);
    mark(app.now()).await;
    app.verify("ann", &code).await.expect(200);
}

#[tokio::test]
async fn atk_81_a_right_code_of_the_app_is_good_though_kv_does_not_give_the_sent_one() {
    let app = TestApp::new().await;
    let user = json!({"user_id": "ann", "phone": "+34600111222"});
    let authenticator = app.enrolled_with(user).await;
    app.post("/mfa/sms", json!({"user_id": "ann"}))
        .await
        .expect(200);
    app.advance(30);
    app.kv.set(Mood::Failing);
    app.guess_right("ann", &authenticator).await.expect(200);
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

#[tokio::test]
async fn the_status_says_since_when_a_user_is_known_and_when_it_last_verified() {
    let app = TestApp::new().await;
    let began = app.now();
    let user = json!({"user_id": "ann", "confirm": false});
    let enrolment = app.post("/mfa/register", user).await.expect(200);
    let authenticator = Authenticator::of(&enrolment);
    assert_eq!(app.status("ann").await["last_verified_at"], json!(null));
    app.advance(90);
    app.guess_right("ann", &authenticator).await.expect(200);
    let status = app.status("ann").await;
    assert_eq!(status["created_at"], began);
    assert_eq!(status["last_verified_at"], began + 90);
}
