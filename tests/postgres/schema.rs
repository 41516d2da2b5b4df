//! The two files of the schema say the same, and a program brings it up to date.

use std::collections::BTreeSet;

use candado::native::postgres::Postgres;
use candado::native::sqlite::Sqlite;
use candado::platform::{Database, Outcome, Statement, Value};
use candado_testkit::engine::{new_schema, server};

use crate::database;

/// Of PostgreSQL alone: what SQLite keeps elsewhere, has no need of, or says by `user_version`.
const OWN: [&str; 3] = ["key_values", "turns", "candado_migrations"];

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Rows as lines, without those of the tables above.
fn lines(outcome: &Outcome) -> BTreeSet<String> {
    let line = |row: &candado::platform::Row| {
        let columns: Vec<String> = row.iter().map(|(_, value)| text(Some(value))).collect();
        columns.join(" ")
    };
    let own = |line: &String| {
        OWN.iter()
            .any(|table| line.starts_with(&format!("{table} ")))
    };
    outcome
        .rows
        .iter()
        .map(line)
        .filter(|line| !own(line))
        .collect()
}

async fn asked(database: &dyn Database, sql: &'static str) -> BTreeSet<String> {
    lines(&database.run(Statement::new(sql, [])).await.unwrap())
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn both_schemas_have_the_same_tables_columns_and_keys() {
    let sqlite = Sqlite::in_memory().unwrap();
    let columns = asked(
        &sqlite,
        "SELECT t.name || ' ' || c.name, c.type, CASE WHEN c.\"notnull\" = 1 OR c.pk = 1 THEN 'not null' ELSE 'null' END,
         COALESCE(c.dflt_value, 'none')
         FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'",
    )
    .await;
    let database = database(1).await;
    let expected = asked(
        &database,
        "SELECT table_name::text || ' ' || column_name::text,
         CASE data_type::text WHEN 'text' THEN 'TEXT' ELSE 'INTEGER' END,
         CASE is_nullable::text WHEN 'NO' THEN 'not null' ELSE 'null' END,
         COALESCE(replace(column_default::text, '::text', ''), 'none')
         FROM information_schema.columns WHERE table_schema = current_schema()",
    )
    .await;
    assert!(columns.len() > 40, "{columns:?}");
    assert_eq!(columns, expected);

    // The places an index is by: the columns, whether each is there once, and no names.
    let indexes = asked(
        &sqlite,
        "SELECT t.name || ' ' || i.\"unique\", (SELECT group_concat(name) FROM pragma_index_info(i.name))
         FROM sqlite_master t JOIN pragma_index_list(t.name) i WHERE t.type = 'table'
         UNION SELECT t.name || ' 1', c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND c.pk = 1 AND c.type = 'INTEGER'
         AND NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE pk = 2)",
    )
    .await;
    let expected = asked(
        &database,
        "SELECT c.relname::text || ' ' || CASE WHEN i.indisunique THEN '1' ELSE '0' END,
         (SELECT string_agg(a.attname::text, ',' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY k(number, place)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number)
         FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = current_schema()::regnamespace",
    )
    .await;
    assert!(indexes.len() > 8, "{indexes:?}");
    assert_eq!(indexes, expected);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn text_that_is_compared_is_compared_by_bytes() {
    let database = database(1).await;
    let insert = "INSERT INTO provider_pauses (provider, until) VALUES ('a', 0), ('B', 0), ('é', 0), ('Z', 0), ('_', 0)";
    database.run(Statement::new(insert, [])).await.unwrap();
    let select = "SELECT provider FROM provider_pauses ORDER BY provider";
    let rows = database.run(Statement::new(select, [])).await.unwrap().rows;
    let names: Vec<String> = rows.iter().map(|row| text(row.get("provider"))).collect();
    assert_eq!(names, ["B", "Z", "_", "a", "é"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn of_programs_that_start_at_once_one_makes_the_schema() {
    let url = new_schema(&server()).await;
    let starts = (0..8).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { Postgres::open(&url, 1).await })
    });
    let mut last = None;
    for start in starts.collect::<Vec<_>>() {
        last = Some(start.await.unwrap().unwrap());
    }
    let applied = "SELECT name FROM candado_migrations";
    let applied = asked(&last.unwrap(), applied).await;
    let files = std::fs::read_dir("migrations/postgres").unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(applied, files.collect());
}
