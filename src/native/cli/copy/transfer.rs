//! The rows' way: read from one side, stored on the other together with a note of how far they are.

use std::collections::BTreeMap;

use futures_util::future::join;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::progress::{Progress, Step};
use super::rows::{Page, Values, from_note, key, noted};
use super::tables::{NOTES, Table};
use crate::native::cli::Problem;
use crate::platform::{Database, Statement};

/// Notes by name: `source`, what is copied; and each table's name, the last key that is done.
async fn notes(target: &dyn Database) -> Result<BTreeMap<String, String>, Problem> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        value: String,
    }
    let sql = format!("SELECT name, value FROM {NOTES}");
    let rows: Vec<Row> = target
        .run(Statement::new(sql, []))
        .await
        .and_then(crate::platform::Outcome::into_rows)
        .map_err(|error| error.to_string())?;
    Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
}

fn note(name: &str, value: String) -> Statement {
    let sql = format!(
        "INSERT INTO {NOTES} (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    );
    Statement::new(sql, [name.into(), value.into()])
}

/// Makes sure that the target is empty, or that it holds a part of this very copy.
pub(super) async fn begin(
    source: &dyn Database,
    target: &dyn Database,
    tables: &[Table],
) -> Result<(), Problem> {
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {NOTES} (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"
    );
    let source = identity(source, tables).await?;
    let unusable = |error| format!("--to cannot be written: {error}");
    if !is_noted(target).await {
        empty(target, tables).await?;
        target
            .run(Statement::new(sql, []))
            .await
            .map_err(unusable)?;
    }
    match notes(target).await?.get("source") {
        None => {
            empty(target, tables).await?;
            target.run(note("source", source)).await.map_err(unusable)?;
            Ok(())
        }
        Some(noted) if *noted == source => Ok(()),
        Some(_) => Err(
            "--to holds part of a copy of something else, or --from was used after it was begun\n\
             make --to anew, empty, and copy again"
                .to_owned(),
        ),
    }
}

async fn is_noted(target: &dyn Database) -> bool {
    let probe = format!("SELECT name FROM {NOTES} LIMIT 0");
    target.run(Statement::new(probe, [])).await.is_ok()
}

/// What is copied, told by its clients: their secrets, epochs and numbers of users.
async fn identity(source: &dyn Database, tables: &[Table]) -> Result<String, Problem> {
    let mut digest = Sha256::new();
    for table in tables.iter().filter(|table| table.name == "clients") {
        let mut after = None;
        loop {
            let page = Page::read(source, table, after.as_ref()).await?;
            for row in &page.0 {
                digest.update(noted(row));
            }
            after = page.last(table);
            if after.is_none() {
                break;
            }
        }
    }
    Ok(hex::encode(digest.finalize()))
}

async fn empty(target: &dyn Database, tables: &[Table]) -> Result<(), Problem> {
    for table in tables {
        let sql = format!("SELECT 1 AS one FROM {} LIMIT 1", table.name);
        let found = target.run(Statement::new(sql, [])).await;
        if !found.map_err(|error| error.to_string())?.rows.is_empty() {
            return Err(format!(
                "--to is not empty: {} has rows. Nothing was copied; give it a new database",
                table.name
            ));
        }
    }
    Ok(())
}

/// Copies what is not there yet. While a page is being stored, the next one is read.
pub(super) async fn table(
    source: &dyn Database,
    target: &dyn Database,
    table: &Table,
    progress: &Progress,
) -> Result<(), Problem> {
    let noted_last = notes(target).await?.remove(&table.name);
    let mut after = noted_last.as_deref().map(from_note).transpose()?;
    let mut counted = progress.begin(Step::Copied, source, table).await;
    let mut page = Page::read(source, table, after.as_ref()).await?;
    while let Some(last) = page.0.last().map(|row| key(table, row)) {
        let rows = page.0.len();
        after = page.last(table);
        let stored = target.batch(vec![insert(table, page.0), note(&table.name, noted(&last))]);
        let next = async {
            match &after {
                Some(after) => Page::read(source, table, Some(after)).await,
                None => Ok(Page(Vec::new())),
            }
        };
        let (stored, next) = join(stored, next).await;
        stored.map_err(|error| format!("{} cannot be stored: {error}", table.name))?;
        counted.add(rows, &last);
        page = next?;
    }
    counted.end();
    Ok(())
}

fn insert(table: &Table, rows: Vec<Values>) -> Statement {
    let columns = table.columns.join(", ");
    let mut sql = format!("INSERT INTO {} ({columns}) VALUES ", table.name);
    let mut params = Vec::with_capacity(rows.len() * table.columns.len());
    for (place, row) in rows.into_iter().enumerate() {
        sql.push_str(if place == 0 { "(" } else { ", (" });
        for (place, value) in row.into_iter().enumerate() {
            params.push(value);
            sql.push_str(if place == 0 { "?" } else { ", ?" });
            sql.push_str(&params.len().to_string());
        }
        sql.push(')');
    }
    Statement::new(sql, params)
}

/// PostgreSQL draws ids from a sequence, which goes on after the greatest that was copied. SQLite does so by itself.
pub(super) async fn set_sequences(target: &dyn Database, tables: &[Table]) -> Result<(), Problem> {
    if target.is_serial() {
        return Ok(());
    }
    for table in tables.iter().filter(|table| table.is_numbered) {
        let name = &table.name;
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT COALESCE(MAX(id), 1) FROM {name}),
             EXISTS (SELECT 1 FROM {name})) AS last"
        );
        let set = target.run(Statement::new(sql, [])).await;
        set.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// From now on the target is a database like any other.
pub(super) async fn end(target: &dyn Database) -> Result<(), Problem> {
    let drop = Statement::new(format!("DROP TABLE {NOTES}"), []);
    let dropped = target.run(drop).await;
    dropped.map(|_| ()).map_err(|error| error.to_string())
}
