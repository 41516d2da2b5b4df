//! Which database the program works with.

use std::path::PathBuf;
use std::sync::Arc;

use super::kv::{Clock, SqliteKeyValue};
use super::metrics::Watched;
use super::postgres::{DatabaseUrl, Postgres, PostgresKeyValue};
use super::sqlite::Sqlite;
use crate::platform::{Database, KeyValue};

/// Where the data is.
#[derive(Debug)]
pub(super) enum Engine {
    /// SQLite, in a file and one beside it.
    File(PathBuf),
    /// PostgreSQL, by so many connections at most.
    Server(Box<DatabaseUrl>, usize),
}

/// Both stores, open.
pub(super) struct Stores {
    pub db: Arc<dyn Database>,
    pub kv: Arc<dyn KeyValue>,
    /// What the metrics say of the engine.
    pub watched: Watched,
}

impl Engine {
    /// Opens both stores, with their schema up to date. The error names the variable at fault.
    pub(super) async fn open(&self, clock: Clock) -> Result<Stores, String> {
        match self {
            Self::File(path) => {
                let unusable = |error| {
                    let file = path.display();
                    format!("DATABASE is not usable: {file}: {error}")
                };
                let db = Sqlite::open(path).map_err(unusable)?;
                let kv = SqliteKeyValue::open(&key_values(path), clock).map_err(unusable)?;
                Ok(Stores {
                    watched: Watched::Sqlite(db.commits().unwrap_or_default()),
                    db: Arc::new(db),
                    kv: Arc::new(kv),
                })
            }
            Self::Server(url, connections) => {
                let unusable = |error| format!("DATABASE_URL is not usable: {error}");
                let db = Postgres::open(url, *connections).await.map_err(unusable)?;
                let kv = PostgresKeyValue::new(db.clone(), clock);
                Ok(Stores {
                    watched: Watched::Postgres(db.clone()),
                    db: Arc::new(db),
                    kv: Arc::new(kv),
                })
            }
        }
    }
}

/// The file of the key-value store, beside the database's own `-wal` and `-shm`.
fn key_values(database: &std::path::Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-kv");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_file_is_beside_the_database() {
        let path = key_values("data/candado.sqlite".as_ref());
        assert_eq!(path.to_str(), Some("data/candado.sqlite-kv"));
    }
}
