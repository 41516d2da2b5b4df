//! What is copied: every table of this version's schema, as the migrations themselves make it.

use std::collections::{BTreeMap, BTreeSet};

use crate::native::cli::Problem;
use crate::native::sqlite::Sqlite;
use crate::platform::{Database, Outcome, Statement, Value};

/// Notes of a copy under way, in its target.
pub(super) const NOTES: &str = "candado_copy";

/// What belongs to the engine or the service it comes from: no data of the product's. `key_values` holds digests of
/// codes that were sent within the last minutes and marks of locks, which the account says as well.
const NOT_COPIED: [&str; 5] = [
    NOTES,
    "candado_migrations",
    "d1_migrations",
    "key_values",
    "turns",
];

/// Whether the table is one of these, or one that D1 keeps for itself.
fn is_left_behind(table: &str) -> bool {
    NOT_COPIED.contains(&table) || table.starts_with("_cf_")
}

/// A table, its columns, and those of them that are its primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<String>,
    pub key: Vec<String>,
    /// Whether the key is a number that the database draws.
    pub is_numbered: bool,
}

const SQLITE: &str =
    "SELECT t.name AS table_name, c.name AS column_name, c.pk AS place, c.type AS type
     FROM sqlite_master t JOIN pragma_table_info(t.name) c
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid";

const POSTGRESQL: &str = "SELECT table_name::text AS table_name, column_name::text AS column_name
     FROM information_schema.columns WHERE table_schema = current_schema()";

/// The tables in the order they are copied in: clients last.
pub(super) fn of_this_version() -> Result<Vec<Table>, Problem> {
    let schema = Sqlite::in_memory().map_err(|error| error.to_string())?;
    let outcome = futures_util::FutureExt::now_or_never(schema.run(Statement::new(SQLITE, [])))
        .ok_or("a database in memory does not answer at once")?;
    let mut tables: Vec<Table> = Vec::new();
    let mut keys: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    for row in rows(&outcome.map_err(|error| error.to_string())?) {
        let Column {
            table,
            name: column,
            place,
            is_number,
        } = row;
        if tables.last().is_none_or(|last| last.name != table) {
            tables.push(Table {
                name: table.clone(),
                columns: Vec::new(),
                key: Vec::new(),
                is_numbered: false,
            });
        }
        let is_numbered = place == 1 && column == "id" && is_number;
        if place > 0 {
            let key = keys.entry(table).or_default();
            key.insert(place, column.clone());
        }
        if let Some(last) = tables.last_mut() {
            last.columns.push(column);
            last.is_numbered |= is_numbered;
        }
    }
    for table in &mut tables {
        let key = keys.remove(&table.name).unwrap_or_default();
        table.key = key.into_values().collect();
        table.is_numbered &= table.key.len() == 1;
    }
    tables.sort_by_key(|table| table.name == "clients");
    Ok(tables)
}

struct Column {
    table: String,
    name: String,
    /// In the primary key, from 1 on; or 0.
    place: i64,
    is_number: bool,
}

fn rows(outcome: &Outcome) -> impl Iterator<Item = Column> {
    outcome.rows.iter().filter_map(|row| {
        let text = |name| match row.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let place = match row.get("place") {
            Some(Value::Integer(place)) => *place,
            _ => 0,
        };
        Some(Column {
            table: text("table_name")?,
            name: text("column_name")?,
            place,
            is_number: text("type").is_some_and(|name| name == "INTEGER"),
        })
    })
}

/// Fails unless the database has these tables with these columns and no others, so that nothing is left behind.
pub(super) async fn check(
    which: &str,
    database: &dyn Database,
    tables: &[Table],
) -> Result<(), Problem> {
    let sql = if database.is_serial() {
        SQLITE
    } else {
        POSTGRESQL
    };
    let found = database.run(Statement::new(sql, [])).await;
    let found = found.map_err(|error| format!("{which} cannot be read: {error}"))?;
    let found: BTreeSet<String> = rows(&found)
        .filter(|column| !is_left_behind(&column.table))
        .map(|Column { table, name, .. }| format!("{table}.{name}"))
        .collect();
    let columns = |table: &Table| {
        let name = table.name.clone();
        let named = move |column: &String| format!("{name}.{column}");
        table.columns.iter().map(named).collect::<Vec<_>>()
    };
    let wanted: BTreeSet<String> = tables.iter().flat_map(columns).collect();
    let list = |set: BTreeSet<&String>| {
        let names: Vec<&str> = set.into_iter().map(String::as_str).collect();
        names.join(", ")
    };
    let (missing, more) = (
        list(wanted.difference(&found).collect()),
        list(found.difference(&wanted).collect()),
    );
    if missing.is_empty() && more.is_empty() {
        return Ok(());
    }
    let version = env!("CARGO_PKG_VERSION");
    if found.is_disjoint(&wanted) {
        return Err(format!(
            "{which} is no database of Candado: it has none of its tables"
        ));
    }
    if more.is_empty() {
        return Err(format!(
            "{which} was made by an older version: it lacks {missing}\n\
             start candado {version} on it once, or apply D1's migrations, and copy then"
        ));
    }
    Err(format!(
        "{which} has what candado {version} does not know: {more}\n\
         copy with the version that the data was served by last"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_key_to_go_on_from_and_clients_come_last() {
        let tables = of_this_version().unwrap();
        assert!(tables.len() >= 7, "{tables:?}");
        for table in &tables {
            assert!(!table.key.is_empty(), "{table:?}");
            assert!(table.key.iter().all(|key| table.columns.contains(key)));
        }
        assert_eq!(tables.last().unwrap().name, "clients");
        let numbered = tables.iter().filter(|table| table.is_numbered);
        let numbered: Vec<&str> = numbered.map(|table| &*table.name).collect();
        assert_eq!(numbered, ["accounts", "audit_log", "test_messages"]);
        let counters = tables.iter().find(|table| table.name == "send_counters");
        assert_eq!(counters.unwrap().key, ["scope", "window_start"]);
    }

    async fn said(sql: &'static str) -> String {
        let database = Sqlite::in_memory().unwrap();
        database.run(Statement::new(sql, [])).await.unwrap();
        let tables = of_this_version().unwrap();
        check("--from", &database, &tables).await.unwrap_err()
    }

    #[tokio::test]
    async fn what_another_version_made_is_refused_by_the_names_that_differ() {
        let older = said("ALTER TABLE clients DROP COLUMN accounts").await;
        assert!(older.contains("lacks clients.accounts"), "{older}");
        let newer = said("ALTER TABLE accounts ADD COLUMN colour TEXT").await;
        assert!(newer.contains("accounts.colour"), "{newer}");
        let newer = said("CREATE TABLE colours (id INTEGER PRIMARY KEY)").await;
        assert!(newer.contains("colours.id"), "{newer}");
    }

    #[tokio::test]
    async fn what_the_service_it_comes_from_keeps_for_itself_is_no_difference() {
        let database = Sqlite::in_memory().unwrap();
        for table in NOT_COPIED.into_iter().chain(["_cf_KV"]) {
            let sql = format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY)");
            database.run(Statement::new(sql, [])).await.unwrap();
        }
        let tables = of_this_version().unwrap();
        check("--from", &database, &tables).await.unwrap();
    }
}
