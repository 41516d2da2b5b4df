//! `Database` on SQLite, with the migrations D1 gets.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use include_dir::{Dir, include_dir};
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, ToSql, TransactionBehavior, params_from_iter};
use serde_json::Value as Json;

use crate::platform::{Database, DatabaseError, Outcome, Row, Statement, Value};

/// The same files, in the same order, as `wrangler d1 migrations apply`.
static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Longest wait for another process that writes the same file: as long as one for D1.
const BUSY: Duration = Duration::from_secs(5);

/// Statements kept prepared, more than the product has.
const PREPARED: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// One connection: SQLite has one writer, as D1 has.
#[derive(Clone)]
pub struct Sqlite {
    connection: Arc<Mutex<Connection>>,
    /// A file is used on a thread that may block, and whoever waits for the turn holds none. In memory
    /// nothing waits for a disk.
    turn: Option<Arc<tokio::sync::Mutex<()>>>,
}

impl Sqlite {
    /// Opens a file, or makes it, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let mut connection = connect(path)?;
        // On the disk before it is told: a used code stays used when the power fails.
        connection.pragma_update(None, "synchronous", "FULL")?;
        migrate(&mut connection)?;
        Ok(Self::of_file(connection))
    }

    /// A database that ends with the process.
    pub fn in_memory() -> rusqlite::Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            turn: None,
        })
    }

    pub(super) fn of_file(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Self {
            connection: Arc::new(Mutex::new(connection)),
            turn: Some(Arc::default()),
        }
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.connection)
    }

    /// The turn lasts until the work is done, also when nobody waits for its outcome any more.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let Some(turn) = self.turn.clone() else {
            return work(&mut self.connection()).map_err(|error| error.to_string());
        };
        let turn = turn.lock_owned().await;
        let connection = self.connection.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&mut lock(&connection))
        });
        match done.await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn connect(path: &Path) -> Result<Connection, OpenError> {
    make_private(path)?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(connection)
}

/// A new file is its owner's alone; SQLite gives the files beside it the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// What the folder holds, by name: names begin with a number.
fn migrations() -> Vec<&'static str> {
    let mut files: Vec<_> = MIGRATIONS.files().collect();
    files.sort_by_key(|file| file.path());
    files
        .into_iter()
        .filter_map(include_dir::File::contents_utf8)
        .collect()
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    for (version, migration) in (1..).zip(migrations()) {
        // Immediate, so that of two processes that start at once one applies it.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let present: i64 =
            transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if present < version {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", version)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            Self::Null => SqlValue::Null,
            Self::Integer(number) => SqlValue::Integer(*number),
            Self::Text(text) => SqlValue::Text(text.clone()),
        }))
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError> {
        self.in_turn(move |connection| run(connection, &statements))
            .await
            .map_err(DatabaseError::Unavailable)
    }
}

fn run(connection: &mut Connection, statements: &[Statement]) -> rusqlite::Result<Vec<Outcome>> {
    let mut behavior = TransactionBehavior::Deferred;
    for statement in statements {
        if !connection.prepare_cached(&statement.sql)?.readonly() {
            // The lock is taken before anything is read: what a compare-and-swap compared with stays so
            // until it swapped, whichever process writes beside this one.
            behavior = TransactionBehavior::Immediate;
        }
    }
    let transaction = connection.transaction_with_behavior(behavior)?;
    let outcomes = statements
        .iter()
        .map(|statement| execute(&transaction, statement))
        .collect::<rusqlite::Result<_>>()?;
    transaction.commit()?;
    Ok(outcomes)
}

fn execute(connection: &Connection, statement: &Statement) -> rusqlite::Result<Outcome> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let writes = !prepared.readonly();
    let mut rows = Vec::new();
    let mut found = prepared.query(params_from_iter(&statement.params))?;
    while let Some(row) = found.next()? {
        let column =
            |(index, name): (usize, &String)| Ok((name.clone(), json(row.get_ref(index)?)));
        rows.push(
            names
                .iter()
                .enumerate()
                .map(column)
                .collect::<rusqlite::Result<Row>>()?,
        );
    }
    drop(found);
    let changes = if writes { connection.changes() } else { 0 };
    Ok(Outcome { rows, changes })
}

fn json(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            String::from_utf8_lossy(text).into_owned().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_batch_is_one_transaction() {
        let db = Sqlite::in_memory().unwrap();
        let good = Statement::new("INSERT INTO revoked_tokens VALUES ('a', 1)", []);
        let bad = Statement::new("INSERT INTO revoked_tokens VALUES ('b', 'x')", []);
        assert!(db.batch(vec![good, bad]).await.is_err());
        let rows = db
            .run(Statement::new("SELECT * FROM revoked_tokens", []))
            .await
            .unwrap()
            .rows;
        assert!(rows.is_empty());
    }

    #[tokio::test]
    async fn opening_a_file_again_keeps_what_it_holds() {
        let directory = std::env::temp_dir().join(format!("candado-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("test.sqlite");
        let insert = Statement::new("INSERT INTO revoked_tokens VALUES (?1, 1)", ["a".into()]);
        assert_eq!(
            Sqlite::open(&file)
                .unwrap()
                .run(insert)
                .await
                .unwrap()
                .changes,
            1
        );
        let found = Sqlite::open(&file)
            .unwrap()
            .run(Statement::new("SELECT jti FROM revoked_tokens", []))
            .await
            .unwrap();
        assert_eq!(found.rows.len(), 1);
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_swaps_through_two_connections_to_one_file_one_hits() {
        let directory = std::env::temp_dir().join(format!("candado-two-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("test.sqlite");
        let processes = [Sqlite::open(&file).unwrap(), Sqlite::open(&file).unwrap()];
        let insert = Statement::new("INSERT INTO revoked_tokens VALUES ('a', 0)", []);
        processes[0].run(insert).await.unwrap();
        for round in 0..20_i64 {
            let swaps = processes.iter().cycle().take(8).cloned().map(|process| {
                tokio::spawn(async move {
                    let read = Statement::new("SELECT * FROM revoked_tokens", []);
                    let swap = Statement::new(
                        "UPDATE revoked_tokens SET expires_at = ?1 + 1 WHERE expires_at = ?1",
                        [round.into()],
                    );
                    process.batch(vec![read, swap]).await.unwrap()[1].changes
                })
            });
            let mut hits = 0;
            for swap in swaps.collect::<Vec<_>>() {
                hits += swap.await.unwrap();
            }
            assert_eq!(hits, 1);
        }
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_new_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = std::env::temp_dir().join(format!("candado-mode-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let db = Sqlite::open(&directory.join("test.sqlite")).unwrap();
        let insert = Statement::new("INSERT INTO revoked_tokens VALUES ('a', 1)", []);
        db.run(insert).await.unwrap();
        let mut files = 0;
        for file in std::fs::read_dir(&directory).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            files += 1;
        }
        assert_eq!(files, 3, "the database, its log and its index");
        drop(db);
        std::fs::remove_dir_all(directory).unwrap();
    }
}
