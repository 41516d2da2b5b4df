//! What must stay exact though transactions run beside each other, each on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use candado::native::postgres::Postgres;
use candado::platform::{Database, Statement, Value as SqlValue};
use candado_testkit::{Reply, TestApp};
use futures_util::future::join_all;
use serde_json::json;

use crate::database;

const AT_ONCE: usize = 32;

/// Runs the requests at the same time, on both threads.
async fn at_once<R>(requests: impl Iterator<Item = R>) -> Vec<Reply>
where
    R: Future<Output = Reply> + Send + 'static,
{
    let tasks: Vec<_> = requests.map(tokio::spawn).collect();
    join_all(tasks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// Lets what adds events take its time between what it looked at and its commit, as it does on a busy machine.
async fn slow_down(app: &TestApp) {
    for sql in [
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END'",
        "CREATE TRIGGER slow BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION slow()",
    ] {
        app.db.execute(sql.to_owned()).await;
    }
}

fn succeeded(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| reply.status == 200).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn atk_05_of_32_uses_of_one_code_at_once_one_is_accepted() {
    let app = Arc::new(TestApp::new().await);
    slow_down(&app).await;
    for round in 0..20 {
        let user = format!("u{round}");
        let authenticator = app.enrolled(&user).await;
        app.advance(30);
        let code = authenticator.code(app.now());
        let attempts = (0..AT_ONCE).map(|_| {
            let (app, user, code) = (app.clone(), user.clone(), code.clone());
            async move { app.verify(&user, &code).await }
        });
        let replies = at_once(attempts).await;
        assert_eq!(succeeded(&replies), 1, "{replies:?}");
        let events = app.events(&user).await;
        assert_eq!(
            events.iter().filter(|event| *event == "verified").count(),
            1
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn of_32_wrong_codes_at_once_each_evaluated_one_is_counted() {
    let app = Arc::new(TestApp::new().await);
    let authenticator = app.enrolled("ann").await;
    let wrong = authenticator.wrong(app.now());
    let guesses = (0..AT_ONCE).map(|_| {
        let (app, wrong) = (app.clone(), wrong.clone());
        async move { app.verify("ann", &wrong).await }
    });
    let replies = at_once(guesses).await;
    let evaluated = replies.iter().filter(|reply| reply.status == 400).count();
    assert!((1..=5).contains(&evaluated), "{replies:?}");
    let events = app.events("ann").await;
    let failed = events.iter().filter(|event| *event == "failed").count();
    assert_eq!(failed, evaluated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn of_32_messages_at_once_to_one_number_no_more_than_the_limit_go_out() {
    let limits = json!({"sends_per_ten_minutes": 5, "sms_per_prefix_and_hour": 1000});
    let app = Arc::new(TestApp::with_settings(limits).await);
    slow_down(&app).await;
    for round in 0..3 {
        let phone = format!("+3460011122{round}");
        for user in 0..AT_ONCE {
            let body =
                json!({"user_id": format!("u{round}-{user}"), "phone": phone, "confirm": false});
            app.post("/mfa/register", body).await.expect(200);
        }
        app.advance(60);
        let before = app.outbox.sent().len();
        let sends = (0..AT_ONCE).map(|user| {
            let app = app.clone();
            async move { app.sms(&format!("u{round}-{user}")).await }
        });
        let replies = at_once(sends).await;
        let sent = app.outbox.sent().len() - before;
        assert_eq!((succeeded(&replies), sent), (5, 5), "{replies:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn of_32_registrations_at_once_no_more_than_the_client_may_have_are_made() {
    for _ in 0..5 {
        let app = Arc::new(TestApp::with_settings(json!({"max_accounts": 5})).await);
        slow_down(&app).await;
        let registrations = (0..AT_ONCE).map(|user| {
            let app = app.clone();
            async move { app.register(&format!("u{user}")).await }
        });
        let replies = at_once(registrations).await;
        let made = app.db.rows("SELECT id FROM accounts").await.len();
        assert_eq!((succeeded(&replies), made), (5, 5), "{replies:?}");
        let counted = app.db.rows("SELECT accounts FROM clients").await;
        assert_eq!(counted[0]["accounts"], 5);
    }
}

/// An account left behind would be the next client's of that id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn ten_09_a_client_deleted_while_users_come_leaves_none_behind() {
    let app = Arc::new(TestApp::new().await);
    slow_down(&app).await;
    for round in 0..10 {
        let client = format!("c{round}");
        let token = app.new_client(&client, json!({})).await;
        let registrations = (0..16).map(|user| {
            let (app, token) = (app.clone(), token.clone());
            tokio::spawn(async move {
                let body = json!({"user_id": format!("u{user}")});
                app.post_as(&token, "/mfa/register", body).await
            })
        });
        let registrations: Vec<_> = registrations.collect();
        let at = format!("/admin/clients/{client}");
        let gone = app.admin(http::Method::DELETE, &at, serde_json::Value::Null);
        assert_eq!(gone.await.status, 204);
        join_all(registrations).await;
        app.housekeep().await;
        let left = "SELECT user_id FROM accounts";
        assert!(app.db.rows(left).await.is_empty(), "round {round}");
    }
}

/// Two that take the same rows in another order are in each other's way; the server undoes one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_batch_undone_for_another_is_run_again() {
    let database = database(2).await;
    let insert = "INSERT INTO auth_failures (bucket, minute, count) VALUES (1, 0, 0), (2, 0, 0)";
    database.run(Statement::new(insert, [])).await.unwrap();
    let both = |first: i64, second: i64| {
        let add = "UPDATE auth_failures SET count = count + 1 WHERE bucket = ?1";
        let wait = "SELECT 1 AS one FROM (SELECT pg_sleep(0.3)) s";
        let database: Postgres = database.clone();
        tokio::spawn(async move {
            let batch = vec![
                Statement::new(add, [first.into()]),
                Statement::new(wait, []),
                Statement::new(add, [second.into()]),
            ];
            database
                .batch(batch)
                .await
                .map(|outcomes| outcomes[2].changes)
        })
    };
    let (one, other) = (both(1, 2), both(2, 1));
    assert_eq!(one.await.unwrap().unwrap(), 1);
    assert_eq!(other.await.unwrap().unwrap(), 1);
    let sum = crate::value(&database, "SELECT SUM(count) AS sum FROM auth_failures").await;
    assert_eq!(sum, SqlValue::Integer(4), "each of the four once");
}

/// Ids are given before a transaction is seen: 2 may be there while 1 is still to come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn who_reads_the_record_on_from_an_id_misses_no_event() {
    let app = Arc::new(TestApp::new().await);
    app.db.execute("DELETE FROM audit_log".to_owned()).await;
    let insert = |event: &str| {
        let sql = format!(
            "INSERT INTO audit_log (at, event, outcome, request_id) VALUES (0, '{event}', 'success', 'x')"
        );
        Statement::new(sql, [])
    };
    let slow = app.db.clone();
    let batch = vec![
        insert("early"),
        Statement::new("SELECT 1 AS one FROM (SELECT pg_sleep(0.5)) s", []),
    ];
    let early = tokio::spawn(async move { slow.batch(batch).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    app.db.run(insert("late")).await.unwrap();
    let listed = app.admin(http::Method::GET, "/admin/audit", serde_json::Value::Null);
    let listed = listed.await.expect(200);
    let events = listed["events"].as_array().unwrap().iter();
    let events: Vec<_> = events
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["early", "late"]);
    early.await.unwrap().unwrap();
}
