//! A connection, its settings and its schema.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use include_dir::{Dir, include_dir};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

/// The same files, in the same order, as `wrangler d1 migrations apply`.
static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Longest wait for another process that writes the same file: as long as one for D1.
const BUSY: Duration = Duration::from_secs(5);

/// The same for whoever wants a file for itself: one that was just closed is free in no time.
const BRIEF: Duration = Duration::from_millis(500);

/// Statements kept prepared, more than the product has.
const PREPARED: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("a copy into it has not ended: run the same `candado copy` again")]
    HalfCopied,
}

impl OpenError {
    /// Whether somebody else has the file open.
    pub(in crate::native) fn is_busy(&self) -> bool {
        let Self::Sqlite(error) = self else {
            return false;
        };
        error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
    }
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy)]
pub enum Durability {
    /// It is on the disk when it is told.
    Full,
    /// A power failure may cost the last commits.
    Normal,
}

/// The one connection that writes a file; a new file is made.
pub(super) fn to_write(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    make_private(path)?;
    let connection = Connection::open(path)?;
    set_up(&connection)?;
    make_durable(&connection, durability)?;
    Ok(connection)
}

fn make_durable(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)
}

/// Another one to the same file, which cannot write. It sees a commit once its sync is done.
pub(super) fn to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    set_up(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A connection beside which there is none, in this process or another: a program that serves holds its file even
/// when it does nothing, and could not open one that is held like this.
pub(super) fn alone(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    set_up(&connection)?;
    connection.busy_timeout(BRIEF)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
    Ok(connection)
}

/// The same for a file that is to be written; a new one is made.
pub(super) fn alone_to_write(path: &Path) -> Result<Connection, OpenError> {
    make_private(path)?;
    let connection = alone(path)?;
    make_durable(&connection, Durability::Full)?;
    Ok(connection)
}

pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    set_up(&connection)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.pragma_update(None, "foreign_keys", true)?;
    // Without it a plan may depend on a bound value, and SQLite parses the statement again each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// A new file is its owner's alone; SQLite gives the files beside it the same mode.
pub(in crate::native) fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Whether the file has a part only of what is being copied into it.
pub(super) fn is_half_copied(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(None, "candado_copy")
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

/// Applies the migrations that the file has not seen.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
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
