//! A connection that is cut off, lost or asked for too much.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use candado::native::postgres::{DatabaseUrl, Postgres, PostgresKeyValue};
use candado::platform::{Database, DatabaseError, KeyValue, Statement, Value};
use candado_testkit::engine::{new_schema_url, server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::{database, value};

const BACKEND: &str = "SELECT pg_backend_pid() AS pid";

fn insert(jti: &str) -> Statement {
    let sql = "INSERT INTO revoked_tokens (jti, expires_at) VALUES (?1, 1)";
    Statement::new(sql, [jti.into()])
}

fn wait(seconds: &str) -> Statement {
    let sql = format!("SELECT 1 AS one FROM (SELECT pg_sleep({seconds})) s");
    Statement::new(sql, [])
}

async fn revoked(database: &Postgres) -> Value {
    value(database, "SELECT COUNT(*) AS count FROM revoked_tokens").await
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_batch_is_all_or_nothing_and_its_failure_leaves_the_next_one_alone() {
    let database = database(1).await;
    let twice = vec![insert("a"), insert("b"), insert("a"), insert("c")];
    let error = database.batch(twice).await.unwrap_err().to_string();
    assert!(error.contains("23505") && !error.contains("(a)"), "{error}");
    assert_eq!(revoked(&database).await, Value::Integer(0));
    let changes = database
        .batch(vec![insert("a"), insert("b")])
        .await
        .unwrap();
    assert_eq!((changes[0].changes, changes[1].changes), (1, 1));
    assert_eq!(revoked(&database).await, Value::Integer(2));
}

/// What this side cannot encode must not be noticed after the rest of its batch was sent.
#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_parameter_of_another_type_stops_its_whole_batch() {
    let database = database(1).await;
    let sql = "INSERT INTO revoked_tokens (jti, expires_at) VALUES (?1, ?2)";
    for params in [
        vec!["b".into(), "soon".into()],
        vec![Value::Integer(1), Value::Integer(1)],
        vec!["b".into()],
    ] {
        let batch = vec![insert("a"), Statement::new(sql, params), insert("c")];
        assert!(database.batch(batch).await.is_err());
        assert_eq!(revoked(&database).await, Value::Integer(0));
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_connection_whose_batch_was_cut_off_is_not_used_again() {
    let database = database(1).await;
    let before = value(&database, BACKEND).await;
    assert_eq!(
        value(&database, BACKEND).await,
        before,
        "kept while all is well"
    );
    let cut = database.batch(vec![insert("a"), wait("3"), insert("b")]);
    assert!(timeout(Duration::from_millis(300), cut).await.is_err());
    let next = timeout(Duration::from_secs(1), value(&database, BACKEND)).await;
    assert_ne!(next.expect("it does not wait for the other"), before);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_statement_that_takes_too_long_is_given_up() {
    let database = database(1).await;
    let began = tokio::time::Instant::now();
    let error = database
        .batch(vec![insert("a"), wait("30")])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("57014"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(7));
    assert_eq!(revoked(&database).await, Value::Integer(0));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn who_finds_no_connection_free_is_told_in_time() {
    let database = database(1).await;
    let busy = database.clone();
    let batch = vec![wait("3.5"), wait("3.5")];
    let busy = tokio::spawn(async move { busy.batch(batch).await.map(drop) });
    sleep(Duration::from_millis(100)).await;
    let began = tokio::time::Instant::now();
    let refused = database.run(insert("a")).await;
    assert!(
        matches!(refused, Err(DatabaseError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(6));
    busy.await.unwrap().unwrap();
    assert_eq!(revoked(&database).await, Value::Integer(0));
}

/// Hands on to the server; once it is told to, no longer what the server answers.
async fn deaf_proxy(server: String) -> (u16, Arc<AtomicBool>) {
    let deaf = Arc::new(AtomicBool::new(false));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = deaf.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            let told = told.clone();
            tokio::spawn(async move {
                let mut chunk = [0; 4096];
                while let Ok(length @ 1..) = from_server.read(&mut chunk).await {
                    if told.load(Ordering::SeqCst) {
                        // The server does its work to the end, and its answers are lost with the connection.
                        let mut nowhere = tokio::io::sink();
                        let rest = tokio::io::copy(&mut from_server, &mut nowhere);
                        let _ = timeout(Duration::from_millis(500), rest).await;
                        break;
                    }
                    if to_client.write_all(&chunk[..length]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, deaf)
}

/// The host and port of the test's server, of a URL such as `postgres://user@127.0.0.1:5432/database?…`.
fn address(url: &str) -> String {
    let after_user = url.split('@').nth(1).unwrap();
    after_user.split('/').next().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_commit_whose_answer_is_lost_is_no_success() {
    let direct = new_schema_url(&server()).await;
    let (port, deaf) = deaf_proxy(address(&direct)).await;
    let proxied = direct.replace(&address(&direct), &format!("127.0.0.1:{port}"));
    let database = Postgres::open(&DatabaseUrl::parse(&proxied).unwrap(), 1)
        .await
        .unwrap();
    for batch in [vec![insert("a")], vec![insert("b"), insert("c")]] {
        // Prepared before, so that what is lost is the answer to the batch itself.
        let sql = batch[0].sql.clone();
        database
            .run(Statement::new(sql, ["prepared".into()]))
            .await
            .unwrap();
        deaf.store(true, Ordering::SeqCst);
        let answer = database.batch(batch).await;
        assert!(
            matches!(answer, Err(DatabaseError::Unavailable(_))),
            "{answer:?}"
        );
        deaf.store(false, Ordering::SeqCst);
        let delete = "DELETE FROM revoked_tokens WHERE jti = 'prepared'";
        database.run(Statement::new(delete, [])).await.unwrap();
    }
    let database = Postgres::open(&DatabaseUrl::parse(&direct).unwrap(), 1)
        .await
        .unwrap();
    assert_eq!(
        revoked(&database).await,
        Value::Integer(3),
        "and all of it was carried out"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_server_that_is_not_there_is_out_of_reach_and_no_password_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("postgres://u:secret@127.0.0.1:{port}/d?sslmode=disable");
    let opened = Postgres::open(&DatabaseUrl::parse(&url).unwrap(), 1).await;
    let error = opened.err().unwrap();
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_key_expires_is_written_anew_and_deleted() {
    let now = Arc::new(AtomicU64::new(1_000_000));
    let clock = now.clone();
    let database = database(1).await;
    let clock = Arc::new(move || clock.load(Ordering::SeqCst));
    let kv = PostgresKeyValue::new(database.clone(), clock);
    kv.put("k", "v", 90).await.unwrap();
    now.fetch_add(89_999, Ordering::SeqCst);
    assert_eq!(kv.get("k").await.unwrap().as_deref(), Some("v"));
    now.fetch_add(1, Ordering::SeqCst);
    assert_eq!(kv.get("k").await.unwrap(), None);
    // The expired one is written anew; another goes with it.
    kv.put("other", "v", 60).await.unwrap();
    now.fetch_add(61_000, Ordering::SeqCst);
    kv.put("k", "w", 60).await.unwrap();
    assert_eq!(kv.get("k").await.unwrap().as_deref(), Some("w"));
    let rows = value(&database, "SELECT COUNT(*) AS count FROM key_values").await;
    assert_eq!(rows, Value::Integer(1));
    kv.delete("k").await.unwrap();
    assert_eq!(kv.get("k").await.unwrap(), None);
}
