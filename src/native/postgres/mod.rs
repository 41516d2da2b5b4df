//! `Database` on PostgreSQL: for more than one program, and for what outgrows one machine.

mod dialect;
mod execute;
mod key_values;
mod migrations;
mod pool;
mod settled;
mod tls;
mod url;
mod value;

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use tokio::time::timeout;

use dialect::Group;
pub use key_values::PostgresKeyValue;
use pool::{Lent, Sharing};
pub use url::DatabaseUrl;

use crate::platform::{Database, DatabaseError, Outcome, Statement};

const HALF_COPIED: &str = "a copy into it has not ended: run the same `candado copy` again";

/// How often a batch runs again that the server undid because another was in its way.
const AGAIN: usize = 3;
/// Longest wait for a batch's answers, more than the server lets a statement take.
const ANSWER: Duration = Duration::from_secs(8);

/// The pool's connections, and who waits for one.
pub(super) struct Connections {
    pub in_use: usize,
    pub idle: usize,
    pub most: usize,
    pub waiting: usize,
}

/// A database on a server, by a pool of connections.
#[derive(Clone)]
pub struct Postgres(Pool);

impl Postgres {
    /// Connects, and brings the schema up to date. `most`: connections at a time.
    pub async fn open(url: &DatabaseUrl, most: usize) -> Result<Self, String> {
        let pool = pool::pool(url, most, Sharing::WithPrograms)?;
        let mut lent = Lent::from(&pool).await?;
        migrations::apply(lent.client()?).await?;
        if migrations::is_half_copied(lent.client()?).await? {
            return Err(HALF_COPIED.to_owned());
        }
        lent.give_back();
        Ok(Self(pool))
    }

    /// Connects once, if no program is connected, and keeps programs out. With `write` the schema is brought up to
    /// date; else it stays as it is.
    pub(super) async fn open_alone(url: &DatabaseUrl, write: bool) -> Result<Self, String> {
        let pool = pool::pool(url, 1, Sharing::WithNobody)?;
        let mut lent = Lent::from(&pool).await?;
        if write {
            migrations::apply(lent.client()?).await?;
        }
        lent.give_back();
        Ok(Self(pool))
    }

    /// Its connections as they are now.
    pub(super) fn connections(&self) -> Connections {
        let status = self.0.status();
        Connections {
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            most: status.max_size,
            waiting: status.waiting,
        }
    }

    /// `None` if another transaction was in its way; what is wrong otherwise.
    async fn attempt(&self, groups: &[Group]) -> Result<Option<Vec<Outcome>>, String> {
        let mut lent = Lent::from(&self.0).await?;
        let done = timeout(ANSWER, execute::run(lent.client()?, groups)).await;
        match done.map_err(|_| "no answer in time")? {
            Ok(outcomes) => {
                lent.give_back();
                Ok(Some(outcomes))
            }
            Err(failure) if failure.is_conflict() => {
                lent.give_back();
                Ok(None)
            }
            Err(failure) => Err(failure.to_string()),
        }
    }
}

#[async_trait]
impl Database for Postgres {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let groups = dialect::groups(statements).map_err(unavailable)?;
        for _ in 0..=AGAIN {
            if let Some(outcomes) = self.attempt(&groups).await.map_err(unavailable)? {
                return Ok(outcomes);
            }
        }
        Err(unavailable("too many transactions at the same rows"))
    }

    fn is_serial(&self) -> bool {
        false
    }

    async fn settled(&self, table: &'static str) -> Result<Option<i64>, DatabaseError> {
        settled::id(self, table).await.map(Some)
    }
}

fn unavailable(error: impl std::fmt::Display) -> DatabaseError {
    DatabaseError::Unavailable(error.to_string())
}
