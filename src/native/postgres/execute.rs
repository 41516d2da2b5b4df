//! A batch on one connection: everything is sent at once, then the answers are read.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use deadpool_postgres::ClientWrapper;
use futures_util::TryStreamExt;
use futures_util::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, RowStream, Statement};

use super::dialect::{Group, Kind};
use super::value;
use crate::native::causes::with_causes;
use crate::platform::{Outcome, Value};

/// Why a batch was not carried out, or may not have been.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{}", describe(.0))]
    Server(#[from] Error),
    #[error("a parameter is not of the type that {0} takes")]
    Parameter(String),
}

impl Failure {
    /// Whether the server undid it because another transaction was in its way: it may be run again, and the
    /// connection is as good as before.
    pub(super) fn is_conflict(&self) -> bool {
        let Self::Server(error) = self else {
            return false;
        };
        error.code().is_some_and(|code| {
            *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
        })
    }
}

/// Without the details, which may hold a row.
pub(super) fn describe(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    with_causes(error)
}

type Answer<'a> = BoxFuture<'a, Result<Vec<Outcome>, Error>>;

/// Runs the groups as one transaction. One group is a transaction by itself; several stand between BEGIN and
/// COMMIT, and the server gets them all in one flight.
pub(super) async fn run(client: &ClientWrapper, groups: &[Group]) -> Result<Vec<Outcome>, Failure> {
    let mut prepared = Vec::with_capacity(groups.len());
    for group in groups {
        let statement = client.prepare_cached(&group.sql).await?;
        check(&group.params, &statement, &group.sql)?;
        prepared.push((statement, group));
    }
    let alone = prepared.len() == 1;
    let mut flight: Vec<MaybeDone<Answer<'_>>> = Vec::new();
    let control = |sql: &'static str| {
        let done = async move { client.batch_execute(sql).await.map(|()| Vec::new()) };
        maybe_done(done.boxed())
    };
    if !alone {
        flight.push(control("BEGIN"));
    }
    for (statement, group) in &prepared {
        flight.push(maybe_done(one(client, statement, group).boxed()));
    }
    if !alone {
        flight.push(control("COMMIT"));
    }
    // A request is sent when it is polled for the first time. After one that fails the server carries out none
    // but the COMMIT, which then is a ROLLBACK and reported as a success: so each answer counts.
    poll_fn(|context| {
        for request in &mut flight {
            let _ = request.poll_unpin(context);
        }
        Poll::Ready(())
    })
    .await;
    let mut outcomes = Vec::new();
    let mut failure = None;
    for mut request in flight {
        (&mut request).await;
        match Pin::new(&mut request).take_output() {
            Some(Ok(done)) => outcomes.extend(done),
            // The first says why; those after it, that the transaction was aborted.
            Some(Err(error)) => _ = failure.get_or_insert(error),
            None => {}
        }
    }
    failure.map_or(Ok(outcomes), |error| Err(error.into()))
}

/// A parameter that cannot be encoded would be noticed on this side only, and the rest of its batch carried out.
fn check(params: &[Value], statement: &Statement, sql: &str) -> Result<(), Failure> {
    let wanted = statement.params();
    let fits = |(value, wanted)| value::fits(value, wanted);
    if params.len() == wanted.len() && params.iter().zip(wanted).all(fits) {
        return Ok(());
    }
    Err(Failure::Parameter(sql.chars().take(60).collect()))
}

async fn one(
    client: &ClientWrapper,
    statement: &Statement,
    group: &Group,
) -> Result<Vec<Outcome>, Error> {
    let stream = client.query_raw(statement, &group.params).await?;
    let mut stream = pin!(stream);
    let names = value::names(statement.columns());
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    match group.kind {
        Kind::Read => {
            let rows = rows.iter().map(|row| value::row(&names, row));
            Ok(vec![Outcome {
                rows: rows.collect::<Result<_, _>>()?,
                changes: 0,
            }])
        }
        Kind::Write => Ok(vec![changed(affected(&stream))]),
        Kind::Writes(count) => {
            let mut outcomes = Vec::with_capacity(count);
            for row in rows.iter().take(1) {
                for place in 0..count {
                    let changes: i64 = row.try_get(place)?;
                    outcomes.push(changed(u64::try_from(changes).unwrap_or_default()));
                }
            }
            Ok(outcomes)
        }
    }
}

fn affected(stream: &RowStream) -> u64 {
    stream.rows_affected().unwrap_or_default()
}

fn changed(changes: u64) -> Outcome {
    Outcome {
        rows: Vec::new(),
        changes,
    }
}
