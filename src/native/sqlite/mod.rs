//! `Database` on SQLite, with the migrations D1 gets.
//!
//! A file has one connection that writes, on a thread of its own, and others that read. What several
//! requests write at the same time reaches the disk in one commit: see `writer`.

mod connection;
mod execute;
mod readers;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;

pub(super) use connection::make_private;
pub use connection::{Durability, OpenError};
use readers::Readers;
pub(super) use writer::Commits;
use writer::Writer;

use crate::platform::{Database, DatabaseError, Outcome, Statement};

/// A database in a file, or one that ends with the process.
#[derive(Clone)]
pub struct Sqlite(Place);

#[derive(Clone)]
enum Place {
    File(Arc<File>),
    /// One connection, for one caller or where nothing waits for a disk: nobody waits long for a turn.
    Alone(Arc<Mutex<Connection>>),
}

struct File {
    writer: Writer,
    readers: Readers,
}

impl Sqlite {
    /// Opens a file, or makes it, and brings its schema up to date. An answer follows the disk: a used
    /// code stays used when the power fails.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, Durability::Full, |connection| {
            if connection::is_half_copied(connection)? {
                return Err(OpenError::HalfCopied);
            }
            Ok(connection::migrate(connection)?)
        })
    }

    /// Opens a file that nobody else has open, and keeps others from it. With `write` it is made where there is
    /// none, and its schema brought up to date; else it stays as it is.
    pub(super) fn open_alone(path: &Path, write: bool) -> Result<Self, OpenError> {
        let mut connection = if write {
            connection::alone_to_write(path)?
        } else {
            connection::alone(path)?
        };
        if write {
            connection::migrate(&mut connection)?;
        }
        Ok(Self::alone(connection))
    }

    fn alone(connection: Connection) -> Self {
        Self(Place::Alone(Arc::new(Mutex::new(connection))))
    }

    /// Opens a file, or makes it, with a schema of its own.
    pub(super) fn open_with(
        path: &Path,
        durability: Durability,
        schema: impl FnOnce(&mut Connection) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let mut connection = connection::to_write(path, durability)?;
        schema(&mut connection)?;
        Ok(Self(Place::File(Arc::new(File {
            writer: Writer::start(connection)?,
            readers: Readers::new(path),
        }))))
    }

    /// What a file's writer counts; `None` where there is none.
    pub(super) fn commits(&self) -> Option<Arc<Commits>> {
        match &self.0 {
            Place::File(file) => Some(file.writer.commits.clone()),
            Place::Alone(_) => None,
        }
    }

    /// A database that ends with the process.
    pub fn in_memory() -> rusqlite::Result<Self> {
        Self::in_memory_with(connection::migrate)
    }

    pub(super) fn in_memory_with(
        schema: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Self> {
        let mut connection = connection::in_memory()?;
        schema(&mut connection)?;
        Ok(Self::alone(connection))
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError> {
        let file = match &self.0 {
            Place::File(file) => file,
            Place::Alone(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                return execute::alone(&connection, &statements).map_err(unavailable);
            }
        };
        // What only reads never waits for a commit, its own or anybody else's.
        match file.readers.read(&statements).map_err(unavailable)? {
            Some(outcomes) => Ok(outcomes),
            None => file.writer.write(statements).await,
        }
    }
}

fn unavailable(error: impl std::fmt::Display) -> DatabaseError {
    DatabaseError::Unavailable(error.to_string())
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
