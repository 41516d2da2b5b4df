//! `candado copy`, as somebody types it: what it takes along, what it refuses, and what a kill in the middle leaves.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use crate::program::{Directory, PRODUCTION, Program};
use crate::{code, enrolled, verify};

const COPY: [&str; 6] = [
    "copy",
    "--json",
    "--from",
    "old.sqlite",
    "--to",
    "new.sqlite",
];
/// Enough for a copy to be in their middle for a while.
const EVENTS: u32 = 60_000;

fn served(file: &str) -> Vec<(&'static str, &str)> {
    let mut variables = PRODUCTION.to_vec();
    variables.push(("DATABASE", file));
    variables
}

/// A client's user `ann` whose code was just used, among many events, in `old.sqlite`. Secret of the client, and the
/// used code.
fn old(directory: &Directory) -> (String, String) {
    let program = Program::start(directory, &served("old.sqlite"));
    let (secret, token) = program.client();
    let ann = enrolled(&program, &token, "ann");
    let used = code(&ann);
    verify(&program, &token, "ann", &used).expect(200);
    program.terminate();
    let events = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM n WHERE n < 999 + {EVENTS})
         INSERT INTO audit_log (id, at, client_id, user_id, event, outcome, request_id, detail)
         SELECT n, n, 'shop', 'it''s; ' || n, 'verified', 'success', 'r' || n, '{{\"n\":' || n || '}}' FROM n;
         INSERT INTO send_counters (scope, window_start, count) VALUES ('b', 1, 1), ('a', 2, 3), ('a', 1, 2), ('é', 1, 1);"
    );
    open(directory, "old.sqlite")
        .execute_batch(&events)
        .unwrap();
    (secret, used)
}

fn open(directory: &Directory, file: &str) -> Connection {
    Connection::open(directory.file(file)).unwrap()
}

fn run(directory: &Directory, arguments: &[&str]) -> Output {
    Program::command(directory, &[])
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn refused(directory: &Directory, arguments: &[&str]) -> String {
    let output = run(directory, arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[track_caller]
fn copied(directory: &Directory, arguments: &[&str]) -> Value {
    let output = run(directory, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(lines.lines().last().unwrap()).unwrap()
}

/// Everything a file holds, as lines.
fn contents(directory: &Directory, file: &str) -> String {
    let connection = open(directory, file);
    let mut text = String::new();
    for (table, columns) in tables(&connection) {
        let sql = format!("SELECT {columns} FROM {table} ORDER BY {columns}");
        let mut select = connection.prepare(&sql).unwrap();
        let count = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..count).map(|place| literal(row.get_ref(place).unwrap()));
            let values: Vec<String> = values.collect();
            writeln!(text, "{table} ({columns}) {}", values.join(",")).unwrap();
        }
    }
    text
}

fn tables(connection: &Connection) -> Vec<(String, String)> {
    let sql =
        "SELECT t.name, (SELECT group_concat('\"' || name || '\"') FROM pragma_table_info(t.name))
         FROM sqlite_master t WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1";
    let mut select = connection.prepare(sql).unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        value => format!("'{}'", value.as_str().unwrap().replace('\'', "''")),
    }
}

/// The file as D1 exports it: the schema of each table, its rows, and the indexes last.
fn export(directory: &Directory) -> String {
    let connection = open(directory, "old.sqlite");
    let mut text = "PRAGMA defer_foreign_keys=TRUE;\n".to_owned();
    for (table, columns) in tables(&connection) {
        let sql = "SELECT sql FROM sqlite_master WHERE name = ?1";
        let schema: String = connection
            .query_row(sql, [&table], |row| row.get(0))
            .unwrap();
        writeln!(text, "{schema};").unwrap();
        let mut select = connection
            .prepare(&format!("SELECT {columns} FROM {table}"))
            .unwrap();
        let count = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..count).map(|place| literal(row.get_ref(place).unwrap()));
            let values: Vec<String> = values.collect();
            writeln!(
                text,
                "INSERT INTO \"{table}\" ({columns}) VALUES({});",
                values.join(",")
            )
            .unwrap();
        }
    }
    text + "CREATE INDEX accounts_by_key ON accounts (key_id);\n"
}

/// A copy that has ended with the accounts and is among the events.
fn begun(directory: &Directory) -> Child {
    let mut child = Program::command(directory, &[])
        .args(COPY)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let accounts = lines.find(|line| line.as_ref().unwrap().contains("\"accounts\""));
    assert!(accounts.is_some());
    child
}

fn half_copied(directory: &Directory) -> u32 {
    let mut child = begun(directory);
    child.kill().unwrap();
    child.wait().unwrap();
    let sql = "SELECT COUNT(*) FROM audit_log";
    let events = open(directory, "new.sqlite").query_row(sql, [], |row| row.get(0));
    events.unwrap()
}

#[test]
fn a_copy_that_is_killed_goes_on_where_it_was_and_a_used_code_stays_used() {
    let directory = Directory::new("copy-killed");
    let (secret, used) = old(&directory);
    assert!(
        half_copied(&directory) < EVENTS,
        "it was killed in the middle"
    );
    let clients = "SELECT COUNT(*) FROM clients";
    let clients: u32 = open(&directory, "new.sqlite")
        .query_row(clients, [], |row| row.get(0))
        .unwrap();
    assert_eq!(clients, 0, "nobody can ask for anything yet");
    let output = Program::command(&directory, &served("new.sqlite"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("a copy into it has not ended"),
        "{said}"
    );

    let result = copied(&directory, &COPY);
    assert_eq!(
        contents(&directory, "new.sqlite"),
        contents(&directory, "old.sqlite")
    );
    let rows = contents(&directory, "old.sqlite").lines().count();
    assert_eq!(
        (&result["copied"], &result["rows"]),
        (&json!(true), &json!(rows))
    );

    let program = Program::start(&directory, &served("new.sqlite"));
    let body = json!({"client_id": "shop", "client_secret": secret});
    let token = program.post("/auth", "", &body).expect(200);
    let token = token["access_token"].as_str().unwrap();
    verify(&program, token, "ann", &used).fails(400, "code_already_used");
}

#[test]
fn a_row_that_changed_on_either_side_is_noticed_and_nothing_serves_the_copy() {
    for (name, file) in [("copy-source", "old.sqlite"), ("copy-target", "new.sqlite")] {
        let directory = Directory::new(name);
        old(&directory);
        half_copied(&directory);
        let change = "UPDATE accounts SET version = version + 1";
        open(&directory, file).execute_batch(change).unwrap();
        let said = refused(&directory, &COPY);
        assert!(said.contains("accounts [1]: it differs"), "{said}");
        let output = Program::command(&directory, &served("new.sqlite")).output();
        assert!(!output.unwrap().status.success());
    }
}

#[test]
fn a_source_that_was_served_since_is_not_copied_on() {
    let directory = Directory::new("copy-served");
    old(&directory);
    half_copied(&directory);
    let change = "UPDATE clients SET token_epoch = 'another'";
    open(&directory, "old.sqlite")
        .execute_batch(change)
        .unwrap();
    let said = refused(&directory, &COPY);
    assert!(
        said.contains("--from was used after it was begun"),
        "{said}"
    );
}

#[test]
fn what_a_program_has_open_is_not_copied_and_not_copied_into() {
    let directory = Directory::new("copy-open");
    old(&directory);
    let program = Program::start(&directory, &served("old.sqlite"));
    let said = refused(&directory, &COPY);
    assert!(said.contains("--from is in use"), "{said}");
    let back = ["copy", "--from", "new.sqlite", "--to", "old.sqlite"];
    open(&directory, "new.sqlite")
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    let said = refused(&directory, &back);
    assert!(said.contains("--to is in use"), "{said}");
    program.terminate();
}

#[test]
fn a_program_does_not_start_on_what_is_being_copied() {
    let directory = Directory::new("copy-start");
    old(&directory);
    let mut child = begun(&directory);
    stop(&child);
    let output = Program::command(&directory, &served("old.sqlite")).output();
    child.kill().unwrap();
    child.wait().unwrap();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(
        said.contains("DATABASE is not usable") && said.contains("locked"),
        "{said}"
    );
}

/// Holds a process where it is.
fn stop(child: &Child) {
    let line = format!("kill -STOP {}", child.id());
    let status = Command::new("sh").args(["-c", &line]).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_target_that_is_not_empty_is_left_as_it_is() {
    let directory = Directory::new("copy-full");
    old(&directory);
    copied(&directory, &COPY);
    let before = contents(&directory, "new.sqlite");
    let said = refused(&directory, &COPY);
    assert!(
        said.contains("--to is not empty: accounts has rows"),
        "{said}"
    );
    assert_eq!(contents(&directory, "new.sqlite"), before);
}

#[test]
fn what_d1_exports_is_copied_and_a_part_of_it_is_not() {
    let directory = Directory::new("copy-export");
    old(&directory);
    let export = export(&directory);
    let file = directory.file("export.sql");
    let copy = [
        "copy",
        "--json",
        "--from",
        "export.sql",
        "--to",
        "new.sqlite",
    ];
    fs::write(&file, &export[..export.len() / 2]).unwrap();
    let said = refused(&directory, &copy);
    assert!(said.contains("is the export complete?"), "{said}");
    fs::write(&file, &export).unwrap();
    copied(&directory, &copy);
    assert_eq!(
        contents(&directory, "new.sqlite"),
        contents(&directory, "old.sqlite")
    );
    assert!(!directory.file("export.sql.candado-copy").exists());
}

#[test]
fn what_is_no_database_of_ours_is_said_to_be_so() {
    let directory = Directory::new("copy-other");
    for (name, text, expected) in [
        ("missing", None, "--from cannot be read"),
        (
            "letter",
            Some("Dear Ann, all is well."),
            "neither a SQLite file nor",
        ),
        ("empty", Some(""), "is no database of Candado"),
        (
            "other",
            Some("CREATE TABLE t (a);"),
            "is no database of Candado",
        ),
    ] {
        if let Some(text) = text {
            fs::write(directory.file(name), text).unwrap();
        }
        let said = refused(&directory, &["copy", "--from", name, "--to", "new.sqlite"]);
        assert!(said.contains(expected), "{said}");
    }
}
