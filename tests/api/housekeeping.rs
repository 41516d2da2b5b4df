//! Keys that rotate, rows that were tampered with, the scheduled job, and a restored backup.

use candado::flows::housekeeping::{self, Report};
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Authenticator, K1, K2, TestApp};

fn ring(keys: &[&str]) -> String {
    keys.join(",")
}

#[tokio::test]
async fn atk_77_keys_rotate_without_a_failed_verification() {
    let old = TestApp::new().await;
    let body =
        |user: &str| json!({"user_id": user, "phone": "+34600111222", "email": "ann@example.com"});
    let ann = old.enrolled_with(body("ann")).await;
    let bob = old.enrolled_with(body("bob")).await;
    let codes = old
        .post("/mfa/recovery-codes", json!({"user_id": "ann"}))
        .await
        .expect(200);
    old.post("/mfa/email", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let emailed = old.outbox.last().code();
    let token = old.token.clone();

    // Both keys: everything of the old one still works.
    let both = old.redeployed(&[("MASTER_KEYS", &ring(&[K2, K1]))]);
    old.advance(30);
    let verify = json!({"user_id": "ann", "code": ann.code(both.now())});
    both.post_as(&token, "/mfa/verify", verify)
        .await
        .expect(200);
    both.verify("ann", &emailed).await.expect(200);
    let rows = both
        .db
        .rows("SELECT user_id, key_id FROM accounts ORDER BY user_id")
        .await;
    assert_eq!(
        (rows[0]["key_id"].as_str(), rows[1]["key_id"].as_str()),
        (Some("k2"), Some("k1")),
        "sealed again on write"
    );

    // The job does the rest, and running it again changes nothing.
    assert_eq!(
        housekeeping::run(&both.app).await.unwrap(),
        Report {
            purged: 0,
            resealed: 1,
            unreadable: 0
        }
    );
    assert_eq!(
        housekeeping::run(&both.app).await.unwrap(),
        Report::default()
    );

    // The old key is gone: accounts and recovery codes work, its tokens do not.
    let new = old.redeployed(&[("MASTER_KEYS", K2)]);
    old.advance(30);
    new.guess_right("ann", &ann).await.expect(200);
    new.guess_right("bob", &bob).await.expect(200);
    new.verify("ann", codes["recovery_codes"][0].as_str().unwrap())
        .await
        .expect(200);
    new.post("/mfa/sms", json!({"user_id": "bob"}))
        .await
        .expect(200);
    new.post_as(&token, "/mfa/generate", json!({"user_id": "ann"}))
        .await
        .fails(401, "invalid_token");
}

#[tokio::test]
async fn atk_77_resealing_goes_on_where_it_was_cut_off() {
    let app = TestApp::new().await;
    for n in 0..5 {
        app.post("/mfa/register", json!({"user_id": format!("u{n}")}))
            .await
            .expect(200);
    }
    let both = app.redeployed(&[("MASTER_KEYS", &ring(&[K2, K1]))]);
    // The purge and the list, then two accounts, then the database is gone.
    both.db.fail_at(4, false);
    assert!(housekeeping::run(&both.app).await.is_err());
    let left = both
        .db
        .rows("SELECT user_id FROM accounts WHERE key_id = 'k1'")
        .await
        .len();
    assert_eq!(left, 3);
    assert_eq!(housekeeping::run(&both.app).await.unwrap().resealed, 3);
}

#[tokio::test]
async fn cry_06_a_key_that_is_missing_fails_closed_and_is_recorded() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    let other = app.redeployed(&[("MASTER_KEYS", K2)]);
    app.advance(30);
    let reply = other.verify("ann", &authenticator.code(app.now())).await;
    let body = reply.fails(500, "internal");
    assert_eq!(body["message"], "Internal error");
    assert_eq!(
        other.events("ann").await.last().unwrap(),
        "crypt_decrypt_fail"
    );
    assert_eq!(
        other.status("ann").await["mfa_enabled"],
        true,
        "never \"no MFA\""
    );
    let report = housekeeping::run(&other.app).await.unwrap();
    assert_eq!((report.resealed, report.unreadable), (0, 1));
    app.guess_right("ann", &authenticator).await.expect(200);
}

#[tokio::test]
async fn atk_74_a_row_moved_to_another_user_or_client_verifies_nothing() {
    let app = TestApp::new().await;
    let ann = app.enrolled("ann").await;
    let bob = app.enrolled("bob").await;
    app.db
        .execute(
            "UPDATE accounts SET user_id = CASE user_id WHEN 'ann' THEN 'x' ELSE 'ann' END"
                .to_owned(),
        )
        .await;
    app.db
        .execute("UPDATE accounts SET user_id = 'bob' WHERE user_id = 'x'".to_owned())
        .await;
    app.advance(30);
    for (user, authenticator) in [("ann", &ann), ("ann", &bob), ("bob", &ann), ("bob", &bob)] {
        app.guess_right(user, authenticator)
            .await
            .fails(500, "internal");
    }
    app.db
        .execute("UPDATE accounts SET client_id = 'bank' WHERE user_id = 'ann'".to_owned())
        .await;
    let bank = app.new_client("bank", json!({})).await;
    for authenticator in [&ann, &bob] {
        let body = json!({"user_id": "ann", "code": authenticator.code(app.now())});
        app.post_as(&bank, "/mfa/verify", body)
            .await
            .fails(500, "internal");
    }
}

#[tokio::test]
async fn atk_75_a_stored_account_that_was_tampered_with_verifies_nothing() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    let stored = app.db.rows("SELECT state FROM accounts").await[0]["state"]
        .as_str()
        .unwrap()
        .to_owned();
    app.advance(30);
    let sealed = stored
        .split(r#""secret":"v1.k1."#)
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    for (at, _) in sealed.char_indices() {
        let flipped = if &sealed[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{flipped}{}", &sealed[..at], &sealed[at + 1..]);
        let changed = stored.replace(sealed, &changed);
        app.db
            .execute(format!("UPDATE accounts SET state = '{changed}'"))
            .await;
        let reply = app.guess_right("ann", &authenticator).await;
        // The last character of base64 has spare bits, which are refused as well.
        reply.fails(500, "internal");
    }
    for broken in [
        "",
        "{",
        "{}x",
        &stored[..stored.len() / 2],
        &stored.replace(r#""format":1"#, r#""format":9"#),
        &stored.replace("v1.k1", "v2.k1"),
    ] {
        app.db
            .execute(format!("UPDATE accounts SET state = '{broken}'"))
            .await;
        app.guess_right("ann", &authenticator)
            .await
            .fails(500, "internal");
    }
    app.db
        .execute(format!("UPDATE accounts SET state = '{stored}'"))
        .await;
    app.guess_right("ann", &authenticator).await.expect(200);
}

#[tokio::test]
async fn rel_09_the_job_deletes_what_expired_and_nothing_alive() {
    let app = TestApp::new().await;
    app.enrolled_with(json!({"user_id": "ann", "phone": "+34600111222"}))
        .await;
    app.post("/mfa/sms", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let revoke = json!({"access_token": app.token}).to_string();
    app.send(TestApp::request(
        Method::POST,
        "/auth/revoke",
        None,
        &revoke,
    ))
    .await
    .expect(200);
    assert_eq!(
        housekeeping::run(&app.app).await.unwrap(),
        Report::default()
    );
    app.post_as(&app.token, "/mfa/generate", json!({"user_id": "ann"}))
        .await
        .fails(401, "invalid_token");
    app.advance(3 * 86_400);
    let report = housekeeping::run(&app.app).await.unwrap();
    assert_eq!(report.purged, 1 + 3, "a revoked token and three counters");
    let audit = app.db.rows("SELECT * FROM audit_log").await.len();
    app.advance(366 * 86_400);
    assert_eq!(
        housekeeping::run(&app.app).await.unwrap().purged,
        u64::try_from(audit).unwrap()
    );
    assert_eq!(app.status("ann").await["state"], "active");
}

#[tokio::test]
async fn atk_78_a_restored_backup_revives_nothing_that_was_used() {
    let app = TestApp::new().await;
    let ann = app
        .enrolled_with(json!({"user_id": "ann", "email": "ann@example.com"}))
        .await;
    let codes = app
        .post("/mfa/recovery-codes", json!({"user_id": "ann"}))
        .await
        .expect(200)["recovery_codes"]
        .clone();
    app.post("/mfa/email", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let emailed = app.outbox.last().code();
    let pending = app
        .post("/mfa/register", json!({"user_id": "bob"}))
        .await
        .expect(200);
    let backup = app
        .db
        .rows("SELECT state FROM accounts WHERE user_id = 'ann'")
        .await[0]["state"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = app.token.clone();

    // Used after the backup was made…
    app.advance(30);
    let code = ann.code(app.now());
    app.verify("ann", &code).await.expect(200);
    app.verify("ann", codes[0].as_str().unwrap())
        .await
        .expect(200);
    app.verify("ann", &emailed).await.expect(200);

    // …and tried again once it was restored.
    app.db
        .execute(format!(
            "UPDATE accounts SET state = '{backup}' WHERE user_id = 'ann'"
        ))
        .await;
    app.advance(1);
    let restored = app.redeployed(&[("RESTORED_AT", &app.now().to_string())]);
    restored
        .post_as(&token, "/mfa/generate", json!({"user_id": "ann"}))
        .await
        .fails(401, "invalid_token");
    restored
        .verify("ann", &code)
        .await
        .fails(400, "code_already_used");
    restored
        .verify("ann", codes[0].as_str().unwrap())
        .await
        .fails(400, "invalid_code");
    restored
        .verify("ann", &emailed)
        .await
        .fails(400, "invalid_code");
    let picture = |enrolment: &Value| {
        let url = enrolment["qr_code_url"].as_str().unwrap();
        let path = url.strip_prefix("https://mfa.example.com").unwrap();
        restored.send(TestApp::request(Method::GET, path, None, ""))
    };
    picture(&pending).await.fails(404, "not_found");
    restored
        .verify("bob", &Authenticator::of(&pending).code(app.now()))
        .await
        .fails(409, "mfa_not_enabled");

    // What is made from then on works, in that very second already.
    let again = restored.post("/mfa/register", json!({"user_id": "bob"}));
    assert_eq!(picture(&again.await.expect(200)).await.status, 200);
    app.advance(60);
    restored
        .verify("ann", &ann.code(app.now()))
        .await
        .expect(200);
    let codes = restored
        .post("/mfa/recovery-codes", json!({"user_id": "ann"}))
        .await
        .expect(200);
    restored
        .verify("ann", codes["recovery_codes"][0].as_str().unwrap())
        .await
        .expect(200);
    let bob = restored.enrolled("bob").await;
    restored
        .verify("bob", &bob.code(app.now() + 30))
        .await
        .expect(200);
    assert_eq!(restored.status("ann").await["locked_until"], Value::Null);
}
