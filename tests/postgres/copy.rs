//! `candado copy` to PostgreSQL and back: the same data, nobody beside it, and what a kill in the middle leaves.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use candado::native::postgres::{DatabaseUrl, Postgres};
use candado::native::sqlite::Sqlite;
use candado::platform::{Database, Statement, Value};
use candado_testkit::engine::{new_schema_url, server};
use rusqlite::Connection;
use tokio_postgres::NoTls;

/// Enough for a copy to be in their middle for a while.
const EVENTS: i64 = 30_000;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    /// With `old.sqlite`: rows in every table, some with all that text may hold.
    fn with_data(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("candado-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let file = path.join("old.sqlite");
        drop(Sqlite::open(&file).unwrap());
        let rows = format!(
            "INSERT INTO clients (client_id, name, secret_digest, created_at, token_epoch, version, accounts)
               VALUES ('shop', 'Ann''s \"shop\" \\ ñ', 'digest', 1, 'epoch', 9007199254740991, 2), ('Zoo', '', 'd', 2, 'e', 1, 0);
             INSERT INTO accounts (id, client_id, user_id, version, mfa_enabled, locked_until, key_id, state, created_at, updated_at)
               VALUES (3, 'shop', 'ann', 4294967295, 1, NULL, 'k1', '{{}}', 1, 2), (70, 'shop', 'Bob', 1, 0, 5, 'k1', '{{\"a\":\"\\n\"}}', 1, 2);
             INSERT INTO revoked_tokens VALUES ('b', 1), ('B', 2), ('a', 3);
             INSERT INTO send_counters VALUES ('é', 1, 2147483647), ('z', 2, 1), ('z', 1, 1), ('Z', 1, 1);
             INSERT INTO auth_failures VALUES (7, 1, 2);
             INSERT INTO provider_pauses VALUES ('twilio', 5);
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {EVENTS})
               INSERT INTO audit_log (id, at, client_id, user_id, event, outcome, request_id)
               SELECT 2 * n, n, NULL, 'user ' || n, 'verified', 'success', 'r' || n FROM n;"
        );
        Connection::open(&file)
            .unwrap()
            .execute_batch(&rows)
            .unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(from: &str, to: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_candado"));
    command
        .args(["copy", "--json"])
        .env_clear()
        .env("COPY_FROM", from)
        .env("COPY_TO", to);
    command
}

fn copied(from: &str, to: &str) {
    let Output { status, stderr, .. } = command(from, to).output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
}

fn refused(from: &str, to: &str) -> String {
    let Output { status, stderr, .. } = command(from, to).output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

/// Everything a file holds but the names of its pages.
fn contents(file: &str) -> Vec<String> {
    let connection = Connection::open(Path::new(file)).unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1";
    let mut select = connection.prepare(tables).unwrap();
    let tables = select.query_map([], |row| row.get(0)).unwrap();
    let mut lines = Vec::new();
    for table in tables {
        let table: String = table.unwrap();
        let mut select = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns).map(|place| format!("{:?}", row.get_ref(place).unwrap()));
            lines.push(format!("{table} {}", values.collect::<Vec<_>>().join(" ")));
        }
    }
    lines.sort();
    lines
}

/// A copy that has ended with the accounts and is among the events.
fn begun(from: &str, to: &str) -> Child {
    let mut command = command(from, to);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("\"accounts\"")));
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Somebody with a connection of their own.
async fn by_hand(url: &str, sql: &str) -> i64 {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client.query(sql, &[]).await.unwrap();
    row.first().map_or(0, |row| row.get(0))
}

/// Until the server has seen the end of a connection that was dropped.
async fn closed() {
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
}

async fn open(url: &str) -> Result<Postgres, String> {
    Postgres::open(&DatabaseUrl::parse(url).unwrap(), 1).await
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn what_is_copied_there_and_back_is_the_same_and_ids_go_on() {
    let folder = Folder::with_data("copy-back");
    let (old, new) = (folder.file("old.sqlite"), folder.file("new.sqlite"));
    let url = new_schema_url(&server()).await;
    copied(&old, &url);
    copied(&url, &new);
    assert_eq!(contents(&new), contents(&old));

    let postgres = open(&url).await.unwrap();
    let insert = "INSERT INTO audit_log (at, event, outcome, request_id) VALUES (1, 'e', 'o', 'r')";
    postgres.run(Statement::new(insert, [])).await.unwrap();
    let last = Statement::new("SELECT MAX(id) AS id FROM audit_log", []);
    let rows = postgres.run(last).await.unwrap().rows;
    assert_eq!(rows[0].get("id"), Some(&Value::Integer(2 * EVENTS + 1)));
    drop(postgres);
    closed().await;
    let said = refused(&old, &url);
    assert!(said.contains("--to is not empty"), "{said}");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_copy_that_is_killed_in_either_direction_goes_on_where_it_was() {
    let folder = Folder::with_data("copy-killed");
    let (old, new) = (folder.file("old.sqlite"), folder.file("new.sqlite"));
    let url = new_schema_url(&server()).await;
    kill(begun(&old, &url));
    let events = by_hand(&url, "SELECT count(*) FROM audit_log").await;
    assert!(events < EVENTS, "it was killed in the middle");
    assert_eq!(by_hand(&url, "SELECT count(*) FROM clients").await, 0);
    let error = open(&url).await.err().unwrap();
    assert!(error.contains("a copy into it has not ended"), "{error}");
    closed().await;
    copied(&old, &url);
    drop(open(&url).await.unwrap());
    closed().await;

    kill(begun(&url, &new));
    copied(&url, &new);
    assert_eq!(contents(&new), contents(&old));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_row_that_changed_on_the_server_is_noticed() {
    let folder = Folder::with_data("copy-changed");
    let old = folder.file("old.sqlite");
    for change in [
        "UPDATE accounts SET version = version + 1 WHERE id = 3",
        "DELETE FROM accounts WHERE id = 3",
        "UPDATE accounts SET id = 4 WHERE id = 3",
    ] {
        let url = new_schema_url(&server()).await;
        kill(begun(&old, &url));
        by_hand(&url, change).await;
        let said = refused(&old, &url);
        assert!(said.contains("accounts [3]: "), "{change}: {said}");
        assert_eq!(by_hand(&url, "SELECT count(*) FROM clients").await, 0);
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn programs_and_a_copy_keep_each_other_out() {
    let folder = Folder::with_data("copy-alone");
    let (old, new) = (folder.file("old.sqlite"), folder.file("new.sqlite"));
    let url = new_schema_url(&server()).await;
    let program = open(&url).await.unwrap();
    for (from, to) in [(&old, &url), (&url, &new)] {
        let said = refused(from, to);
        assert!(
            said.contains("a program is connected to the database"),
            "{said}"
        );
    }
    drop(program);
    closed().await;
    let child = begun(&old, &url);
    let line = format!("kill -STOP {}", child.id());
    let stopped = Command::new("sh").args(["-c", &line]).status();
    assert!(stopped.unwrap().success());
    let error = open(&url).await.err().unwrap();
    assert!(error.contains("being copied"), "{error}");
    kill(child);
}
