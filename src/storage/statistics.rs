//! `statistics`: how often something happened, in buckets. What the record says is counted from there, behind a mark
//! that says how far: no login writes a row for it (decision 97).

use serde::Deserialize;

use super::audit_log;
use crate::domain::account::{Account, Locks};
use crate::domain::ids::ClientId;
use crate::domain::statistics::{Counted, Row, Step};
use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement, Value};

/// Events that are counted in one transaction.
pub const EVENTS_AT_ONCE: i64 = 10_000;
/// Users whose locks are read.
const LOCKED_AT_MOST: u32 = 1000;

const COLUMNS: &str =
    "INSERT INTO statistics (step, start, client_id, what, method, outcome, place, count)";
const ADD_ONE: &str = "ON CONFLICT (step, start, client_id, what, method, outcome, place)
     DO UPDATE SET count = statistics.count + 1";
const ADD: &str = "ON CONFLICT (step, start, client_id, what, method, outcome, place)
     DO UPDATE SET count = statistics.count + excluded.count";

fn params(counted: &Counted) -> Vec<Value> {
    vec![
        counted.start.into(),
        counted.client.as_str().into(),
        counted.what.into(),
        counted.method.into(),
        counted.outcome.into(),
        counted.place.as_str().into(),
    ]
}

/// Counts one more, if the statement before it changed one row.
pub fn count_if_changed(counted: &Counted) -> Statement {
    let sql =
        format!("{COLUMNS} SELECT 300, ?1, ?2, ?3, ?4, ?5, ?6, 1 WHERE changes() = 1 {ADD_ONE}");
    Statement::new(sql, params(counted))
}

/// Counts one more.
pub fn count(counted: &Counted) -> Statement {
    let sql = format!("{COLUMNS} VALUES (300, ?1, ?2, ?3, ?4, ?5, ?6, 1) {ADD_ONE}");
    Statement::new(sql, params(counted))
}

/// Counts the next events of the record, each once, whoever else does so at the same time. Whether some may be left.
pub async fn count_events(db: &dyn Database) -> Result<bool, DatabaseError> {
    #[derive(Deserialize)]
    struct Marks {
        mark: i64,
        last: i64,
    }
    let settled = db.settled("audit_log").await?;
    let sql =
        "SELECT COALESCE((SELECT mark FROM statistics_marks WHERE name = 'record'), 0) AS mark,
         COALESCE((SELECT MAX(id) FROM audit_log), 0) AS last";
    let marks = db.run(Statement::new(sql, [])).await?;
    let Some(Marks { mark, last }) = marks.into_first()? else {
        return Ok(false);
    };
    let last = settled.map_or(last, |settled| settled.min(last));
    let end = last.min(mark.saturating_add(EVENTS_AT_ONCE));
    if end <= mark {
        return Ok(false);
    }
    let go_on = "INSERT INTO statistics_marks (name, mark) VALUES ('record', ?1)
         ON CONFLICT (name) DO UPDATE SET mark = excluded.mark WHERE statistics_marks.mark = ?2";
    let go_on = Statement::new(go_on, [end.into(), mark.into()]);
    db.batch(vec![go_on, count_between(mark, end)]).await?;
    Ok(end < last)
}

/// Counts the events after `mark` up to `end`, if the statement before it changed one row. Of details, which some
/// events have from callers, only what this service writes itself is looked at. Test clients never count; a real one
/// from before there were any may have an id like theirs.
fn count_between(mark: i64, end: i64) -> Statement {
    let sql = format!(
        "{COLUMNS}
         SELECT 300, l.at / 300 * 300, l.client_id, l.event, COALESCE(l.method, ''), '',
         CASE WHEN l.event IN ('failed', 'locked') AND l.detail LIKE '%\"class\":\"totp\"%' THEN 'totp'
              WHEN l.event IN ('failed', 'locked') AND l.detail LIKE '%\"class\":\"delivered\"%' THEN 'delivered'
              WHEN l.event IN ('failed', 'locked') AND l.detail LIKE '%\"class\":\"recovery\"%' THEN 'recovery'
              WHEN l.event = 'send_refused' AND l.detail LIKE '%\"channel\":\"sms\"%' THEN 'sms'
              WHEN l.event = 'send_refused' AND l.detail LIKE '%\"channel\":\"email\"%' THEN 'email'
              WHEN l.event = 'enrolled' AND l.detail LIKE '%\"confirm\":false%' THEN 'at_once'
              ELSE '' END,
         COUNT(*) FROM audit_log l WHERE changes() = 1 AND l.id > ?1 AND l.id <= ?2
         AND l.event IN ('enrolled', 'imported', 'renewed', 'factor_added', 'confirmed', 'verified', 'recovered',
             'failed', 'replayed', 'locked', 'send_refused')
         AND l.client_id IS NOT NULL AND (l.client_id < 'test_' OR l.client_id >= 'test`'
             OR EXISTS (SELECT 1 FROM clients c WHERE c.client_id = l.client_id AND c.test_clock_ahead IS NULL))
         GROUP BY 2, 3, 4, 5, 7 {ADD}"
    );
    Statement::new(sql, [mark.into(), end.into()])
}

/// Puts the oldest buckets of `step` that are from before `whole_since` together into one of the next length. Whether
/// some may be left.
pub async fn fold(db: &dyn Database, step: Step, now: UnixTime) -> Result<bool, DatabaseError> {
    #[derive(Deserialize)]
    struct Marks {
        mark: i64,
        oldest: Option<UnixTime>,
    }
    let Some(next) = step.next() else {
        return Ok(false);
    };
    let (fine, coarse) = (step.seconds(), next.seconds());
    let sql = format!(
        "SELECT COALESCE((SELECT mark FROM statistics_marks WHERE name = 'fold'), 0) AS mark,
         (SELECT MIN(start) FROM statistics WHERE step = {fine}) AS oldest"
    );
    let marks = db.run(Statement::new(sql, [])).await?;
    let Some(Marks {
        mark,
        oldest: Some(oldest),
    }) = marks.into_first()?
    else {
        return Ok(false);
    };
    let end = next.start_of(oldest).plus(coarse);
    if end > step.whole_since(now) {
        return Ok(false);
    }
    // Of two that do so at once the second finds the mark changed, and does nothing.
    let turn = "INSERT INTO statistics_marks (name, mark) VALUES ('fold', 1)
         ON CONFLICT (name) DO UPDATE SET mark = statistics_marks.mark + 1 WHERE statistics_marks.mark = ?1";
    let put_together = format!(
        "{COLUMNS} SELECT {coarse}, start / {coarse} * {coarse}, client_id, what, method, outcome, place, SUM(count)
         FROM statistics WHERE changes() = 1 AND step = {fine} AND start < ?1 GROUP BY 2, 3, 4, 5, 6, 7 {ADD}"
    );
    let take_away =
        format!("DELETE FROM statistics WHERE changes() > 0 AND step = {fine} AND start < ?1");
    let batch = vec![
        Statement::new(turn, [mark.into()]),
        Statement::new(put_together, [end.into()]),
        Statement::new(take_away, [end.into()]),
    ];
    db.batch(batch).await?;
    Ok(true)
}

/// Deletes what has been kept for long enough.
pub fn purge(until: UnixTime) -> Statement {
    let day = Step::Day.seconds();
    let sql = format!("DELETE FROM statistics WHERE step = {day} AND start < ?1");
    Statement::new(sql, [until.into()])
}

/// Which counts to read.
pub struct Wanted<'a> {
    pub client: Option<&'a ClientId>,
    pub from: UnixTime,
    pub to: UnixTime,
    pub step: Step,
    /// Whether clients are told apart.
    pub by_client: bool,
    pub most: u32,
}

/// What is there of a period, and now.
pub struct Found {
    pub rows: Vec<Row>,
    /// Users of each client that is no test client.
    pub users: Vec<(String, u64)>,
    /// Locks of users with any, and whose they are.
    pub locked: Vec<(String, Locks)>,
}

pub async fn find(
    db: &dyn Database,
    wanted: &Wanted<'_>,
    now: UnixTime,
) -> Result<Found, DatabaseError> {
    let since = audit_log::first_since(db, now.minus(LOCKED_FOR)).await?;
    let statements = vec![
        counts(wanted),
        users(wanted.client),
        locked(since, wanted.client),
    ];
    let mut outcomes = db.batch(statements).await?.into_iter();
    let mut next = || outcomes.next().unwrap_or_default();
    let (rows, users, locked) = (next(), next(), next());
    let users = users.into_rows::<Users>()?.into_iter();
    let users: Vec<_> = users.map(|row| (row.client_id, row.accounts)).collect();
    let locked = locked.into_rows::<State>()?.into_iter().filter_map(|row| {
        // One that cannot be read is told of where it is used.
        let account = Account::from_stored(&row.state).ok()?;
        Some((row.client_id, account.locks(now)))
    });
    Ok(Found {
        rows: rows.into_rows()?,
        locked: locked
            .filter(|(client, _)| users.iter().any(|(id, _)| id == client))
            .collect(),
        users,
    })
}

/// No lock lasts longer, in seconds; and by how much times in the record may be out of order.
const LOCKED_FOR: u64 = 86_400 + 600;

#[derive(Deserialize)]
struct Users {
    client_id: String,
    accounts: u64,
}

#[derive(Deserialize)]
struct State {
    client_id: String,
    state: String,
}

fn counts(wanted: &Wanted<'_>) -> Statement {
    let step = wanted.step.seconds();
    let shorter = Step::ALL.into_iter().filter(|step| *step <= wanted.step);
    let shorter: Vec<String> = shorter.map(|step| step.seconds().to_string()).collect();
    let client = if wanted.by_client { "client_id" } else { "''" };
    let sql = format!(
        "SELECT start / {step} * {step} AS at, {client} AS client_id, what, method, outcome, place, SUM(count) AS count
         FROM statistics WHERE step IN ({})",
        shorter.join(", ")
    );
    let mut statement = Statement::new(sql, []);
    statement.bind(" AND start >= ", wanted.from);
    statement.bind(" AND start < ", wanted.to);
    if let Some(client) = wanted.client {
        statement.bind(" AND client_id = ", client.as_str());
    }
    statement.add(" GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6");
    statement.bind(" LIMIT ", wanted.most);
    statement
}

fn users(client: Option<&ClientId>) -> Statement {
    let sql = "SELECT client_id, accounts FROM clients WHERE deleted_at IS NULL AND test_clock_ahead IS NULL";
    let mut statement = Statement::new(sql, []);
    if let Some(client) = client {
        statement.bind(" AND client_id = ", client.as_str());
    }
    statement.add(" ORDER BY client_id");
    statement
}

/// Accounts of which the record says that a class was locked since then. Every lock begins with an event, so that no
/// index on accounts is needed.
fn locked(since: i64, client: Option<&ClientId>) -> Statement {
    let sql = format!(
        "SELECT a.client_id, a.state FROM accounts a JOIN
         (SELECT DISTINCT client_id, user_id FROM audit_log WHERE event = 'locked'{}",
        audit_log::IS_RARE
    );
    let mut statement = Statement::new(sql, []);
    statement.bind(" AND id >= ", since);
    if let Some(client) = client {
        statement.bind(" AND client_id = ", client.as_str());
    }
    statement.add(") l ON a.client_id = l.client_id AND a.user_id = l.user_id");
    statement.bind(" LIMIT ", LOCKED_AT_MOST);
    statement
}
