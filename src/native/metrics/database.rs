//! How long the database takes, and how often it fails.

use std::sync::Arc;

use async_trait::async_trait;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::{Durations, Metrics, durations};
use crate::platform::{Database, DatabaseError, Outcome, Statement};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    /// `read` or `write`.
    operation: &'static str,
}

pub(super) struct Counts {
    durations: Durations<Operation>,
    errors: Family<Operation, Counter>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            durations: durations(),
            errors: Family::default(),
        }
    }
}

impl Counts {
    pub(super) fn register(&self, to: &mut Registry) {
        let help = "From handing a batch to the database until it is done, waiting for a turn or a connection included";
        let name = "candado_database_duration_seconds";
        to.register(name, help, self.durations.clone());
        let help = "Batches that were not carried out, or may not have been";
        to.register("candado_database_errors", help, self.errors.clone());
        // There from the start, so that the first one shows as an increase.
        for operation in ["read", "write"] {
            drop(self.errors.get_or_create(&Operation { operation }));
        }
    }
}

/// A database under a stop-watch.
pub(in crate::native) struct Measured {
    db: Arc<dyn Database>,
    metrics: Arc<Metrics>,
}

impl Measured {
    pub(in crate::native) fn new(db: Arc<dyn Database>, metrics: Arc<Metrics>) -> Self {
        Self { db, metrics }
    }
}

#[async_trait]
impl Database for Measured {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Outcome>, DatabaseError> {
        let operation = if statements.iter().all(reads) {
            "read"
        } else {
            "write"
        };
        let started = Instant::now();
        let done = self.db.batch(statements).await;
        let counts = &self.metrics.database;
        let operation = Operation { operation };
        counts
            .durations
            .get_or_create(&operation)
            .observe(started.elapsed().as_secs_f64());
        if done.is_err() {
            counts.errors.get_or_create(&operation).inc();
        }
        done
    }

    fn is_serial(&self) -> bool {
        self.db.is_serial()
    }

    async fn settled(&self, table: &'static str) -> Result<Option<i64>, DatabaseError> {
        self.db.settled(table).await
    }
}

fn reads(statement: &Statement) -> bool {
    statement.sql.trim_start().starts_with("SELECT")
}

#[cfg(test)]
mod tests {
    use super::super::Watched;
    use super::*;
    use crate::native::sqlite::Sqlite;

    #[tokio::test]
    async fn what_is_measured_answers_as_what_is_not_and_its_faults_are_counted() {
        let metrics = Arc::new(Metrics::new(Watched::Nothing, 1));
        let db = Arc::new(Sqlite::in_memory().unwrap());
        let measured = Measured::new(db.clone(), metrics.clone());
        assert_eq!(measured.is_serial(), db.is_serial());
        let insert = || Statement::new("INSERT INTO revoked_tokens VALUES ('a', 1)", []);
        assert_eq!(measured.run(insert()).await.unwrap().changes, 1);
        assert!(measured.run(insert()).await.is_err());
        let select = Statement::new("\n  SELECT jti FROM revoked_tokens", []);
        assert_eq!(measured.run(select).await.unwrap().rows.len(), 1);
        let text = metrics.text().unwrap();
        for line in [
            r#"candado_database_duration_seconds_count{operation="read"} 1"#,
            r#"candado_database_duration_seconds_count{operation="write"} 2"#,
            r#"candado_database_errors_total{operation="read"} 0"#,
            r#"candado_database_errors_total{operation="write"} 1"#,
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
}
