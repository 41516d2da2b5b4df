//! Keys that rotate, rows that were tampered with, the scheduled job, and a restored backup.

use candado::flows::housekeeping::{self, Allowance, Report};
use http::Method;
use serde_json::{Value, json};

use candado_testkit::{Authenticator, K1, K2, TestApp};

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
    let codes = old.recovery_codes("ann").await.expect(200);
    old.email("ann").await.expect(200);
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
    let report = Report {
        resealed: 1,
        ..Report::default()
    };
    assert_eq!(both.housekeep().await, report);
    assert_eq!(both.housekeep().await, Report::default());

    // The old key is gone: accounts and recovery codes work, its tokens do not.
    let new = old.redeployed(&[("MASTER_KEYS", K2)]);
    old.advance(30);
    new.guess_right("ann", &ann).await.expect(200);
    new.guess_right("bob", &bob).await.expect(200);
    new.verify("ann", codes["recovery_codes"][0].as_str().unwrap())
        .await
        .expect(200);
    new.sms("bob").await.expect(200);
    new.post_as(&token, "/mfa/generate", json!({"user_id": "ann"}))
        .await
        .fails(401, "invalid_token");
}

#[tokio::test]
async fn atk_77_resealing_goes_on_where_it_was_cut_off() {
    let app = TestApp::new().await;
    for n in 0..120 {
        app.post("/mfa/register", json!({"user_id": format!("u{n}")}))
            .await
            .expect(200);
    }
    let both = app.redeployed(&[("MASTER_KEYS", &ring(&[K2, K1]))]);
    // Two calls for the statistics and one for each length of their buckets, eight purges, the list of deletions, what
    // webhooks are to be told and their secrets, then 25 accounts are read and stored, then the database is gone.
    both.db.fail_at(18, false);
    let endless = || Allowance {
        milliseconds: 1,
        statements: u32::MAX,
    };
    assert!(housekeeping::run(&both.app, endless()).await.is_err());
    let left = "SELECT user_id FROM accounts WHERE key_id = 'k1'";
    assert_eq!(both.db.rows(left).await.len(), 95);
    // What is allowed is not exceeded: twenty statements for what comes before, and 26 for 25 accounts.
    let allowance = Allowance {
        statements: 76,
        ..endless()
    };
    let report = housekeeping::run(&both.app, allowance).await.unwrap();
    assert_eq!((report.resealed, report.left_to_reseal), (50, 45));
    let out_of_time = Allowance {
        milliseconds: 0,
        ..endless()
    };
    let report = housekeeping::run(&both.app, out_of_time).await.unwrap();
    assert_eq!((report.resealed, report.left_to_reseal), (0, 45));
    let report = both.housekeep().await;
    assert_eq!((report.resealed, report.left_to_reseal), (45, 0));
}

#[tokio::test]
async fn atk_91_accounts_nobody_can_read_keep_none_of_the_others_back() {
    let app = TestApp::new().await;
    for n in 0..103 {
        app.post("/mfa/register", json!({"user_id": format!("u{n}")}))
            .await
            .expect(200);
    }
    // A hundred by a key that is gone, whose id comes before the others, and one of the old key that was tampered with.
    let unreadable = "UPDATE accounts SET key_id = 'a1', state = replace(state, 'v1.k1.', 'v1.a1.') WHERE id <= 100";
    app.db.execute(unreadable.to_owned()).await;
    let tampered = "UPDATE accounts SET state = '{}' WHERE id = 101";
    app.db.execute(tampered.to_owned()).await;
    let both = app.redeployed(&[("MASTER_KEYS", &ring(&[K2, K1]))]);
    for (resealed, run) in [(2, "the first"), (0, "the second")] {
        let report = Report {
            resealed,
            unreadable: 1,
            left_to_reseal: 1,
            of_keys_not_in_ring: 100,
            ..Report::default()
        };
        assert_eq!(both.housekeep().await, report, "{run}");
    }
    let sealed = both
        .db
        .rows("SELECT id FROM accounts WHERE key_id = 'k2'")
        .await;
    assert_eq!(sealed.len(), 2);
}

#[tokio::test]
async fn cry_06_a_key_that_is_missing_fails_closed_and_is_recorded() {
    let app = TestApp::new().await;
    let authenticator = app.enrolled("ann").await;
    let other = app.redeployed(&[("MASTER_KEYS", K2)]);
    app.advance(30);
    let reply = other.verify("ann", &authenticator.code(app.now())).await;
    let body = reply.fails(500, "internal");
    let message = body["message"].as_str().unwrap();
    assert!(
        message.contains("X-Request-Id") && !message.contains("k1"),
        "{message}"
    );
    assert_eq!(
        other.events("ann").await.last().unwrap(),
        "crypt_decrypt_fail"
    );
    assert_eq!(
        other.status("ann").await["mfa_enabled"],
        true,
        "never \"no MFA\""
    );
    let report = other.housekeep().await;
    assert_eq!((report.resealed, report.of_keys_not_in_ring), (0, 1));
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
        &stored.replace(r#""format":3"#, r#""format":9"#),
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
    app.sms("ann").await.expect(200);
    let revoke = json!({"access_token": app.token}).to_string();
    app.send(TestApp::request(
        Method::POST,
        "/auth/revoke",
        None,
        &revoke,
    ))
    .await
    .expect(200);
    assert_eq!(app.housekeep().await, Report::default());
    app.post_as(&app.token, "/mfa/generate", json!({"user_id": "ann"}))
        .await
        .fails(401, "invalid_token");
    app.advance(3 * 86_400);
    let report = app.housekeep().await;
    assert_eq!(report.purged, 1 + 5, "a revoked token and five counters");
    let audit = u64::try_from(app.db.rows("SELECT * FROM audit_log").await.len()).unwrap();
    app.advance(361 * 86_400);
    assert_eq!(app.housekeep().await.purged, 0);
    app.advance(5 * 86_400);
    // The last one stays, so that the next one's id is greater than any a reader has seen.
    assert_eq!(app.housekeep().await.purged, audit - 1);
    assert_eq!(app.status("ann").await["state"], "active");
}

#[tokio::test]
async fn ten_thousand_old_events_are_purged_in_one_run_and_the_retention_can_be_set() {
    let app = TestApp::configured(&[("AUDIT_RETENTION_DAYS", "30")]).await;
    let now = app.now();
    let old = format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO audit_log (at, client_id, user_id, event, outcome, request_id)
         SELECT {now} - 31 * 86400 + n, 'shop', 'ann', 'verified', 'success', 'x' FROM n"
    );
    app.db.execute("DELETE FROM audit_log".to_owned()).await;
    app.db.execute(old).await;
    app.enrolled("ann").await;
    assert_eq!(app.housekeep().await.purged, 10_000);
    assert_eq!(app.events("ann").await, ["enrolled", "confirmed"]);
}

#[tokio::test]
async fn ten_09_a_large_client_is_gone_at_once_and_its_id_free_when_its_last_user_is() {
    let app = TestApp::new().await;
    let bank = app.new_client("bank", json!({})).await;
    app.post_as(&bank, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let many = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 21000)
         INSERT INTO accounts (client_id, user_id, version, mfa_enabled, key_id, state, created_at, updated_at)
         SELECT 'bank', 'u' || n, 1, 1, 'k1', '{}', 0, 0 FROM n";
    app.db.execute(many.to_owned()).await;
    let at = "/admin/clients/bank";
    app.admin(Method::DELETE, at, Value::Null).await.expect(204);
    app.admin(Method::DELETE, at, Value::Null)
        .await
        .fails(404, "not_found");
    app.admin(Method::GET, at, Value::Null)
        .await
        .fails(404, "not_found");
    let listed = app.admin(Method::GET, "/admin/clients", Value::Null).await;
    assert_eq!(listed.expect(200)["clients"].as_array().unwrap().len(), 1);
    app.post_as(&bank, "/mfa/register", json!({"user_id": "bob"}))
        .await
        .fails(401, "invalid_token");
    let again = json!({"name": "Bank", "client_id": "bank"});
    let refused = app
        .admin(Method::POST, "/admin/clients", again.clone())
        .await;
    let message = refused.fails(409, "client_exists")["message"].clone();
    assert!(
        message.as_str().unwrap().contains("still being deleted"),
        "{message}"
    );
    assert_eq!(app.housekeep().await.clients_deleted, 1);
    assert_eq!(app.db.rows("SELECT id FROM accounts").await.len(), 0);
    app.admin(Method::POST, "/admin/clients", again)
        .await
        .expect(201);
}

#[tokio::test]
async fn atk_78_a_restored_backup_revives_nothing_that_was_used() {
    let app = TestApp::new().await;
    let ann = app
        .enrolled_with(json!({"user_id": "ann", "email": "ann@example.com"}))
        .await;
    let codes = app.recovery_codes("ann").await.expect(200)["recovery_codes"].clone();
    app.email("ann").await.expect(200);
    let emailed = app.outbox.last().code();
    let pending = app.register("bob").await.expect(200);
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
    let again = restored.register("bob");
    assert_eq!(picture(&again.await.expect(200)).await.status, 200);
    app.advance(60);
    restored
        .verify("ann", &ann.code(app.now()))
        .await
        .expect(200);
    let codes = restored.recovery_codes("ann").await.expect(200);
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
