//! What each engine has of its own: PostgreSQL's connections, SQLite's shared commits.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::native::postgres::Postgres;
use crate::native::sqlite::Commits;

/// The engine to ask, at each reading.
pub(in crate::native) enum Watched {
    Sqlite(Arc<Commits>),
    Postgres(Postgres),
    #[cfg(test)]
    Nothing,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Collector for Watched {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(commits) => {
                let (commits, batches) = commits.counts();
                let help = "Commits: each waits for the disk once";
                counter(&mut to, "candado_sqlite_commits", help, commits)?;
                let help = "Batches that were committed, several in one commit";
                counter(&mut to, "candado_sqlite_committed_batches", help, batches)
            }
            Self::Postgres(postgres) => {
                let pool = postgres.connections();
                let help = "Connections that are lent to a request";
                gauge(
                    &mut to,
                    "candado_postgres_connections_in_use",
                    help,
                    pool.in_use,
                )?;
                let help = "Connections that are open and free";
                gauge(
                    &mut to,
                    "candado_postgres_connections_idle",
                    help,
                    pool.idle,
                )?;
                let help = "The most connections there may be";
                gauge(
                    &mut to,
                    "candado_postgres_connections_limit",
                    help,
                    pool.most,
                )?;
                let help = "Batches that wait for a connection";
                gauge(&mut to, "candado_postgres_waiting", help, pool.waiting)
            }
            #[cfg(test)]
            Self::Nothing => Ok(()),
        }
    }
}

fn counter(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, count: u64) -> fmt::Result {
    let counter = ConstCounter::new(count);
    counter.encode(to.encode_descriptor(name, help, None, counter.metric_type())?)
}

fn gauge(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, count: usize) -> fmt::Result {
    let gauge = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
    gauge.encode(to.encode_descriptor(name, help, None, gauge.metric_type())?)
}
