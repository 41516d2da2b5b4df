//! `audit_log`: what happened to whom, in the transaction that made it happen.

use serde::Deserialize;
use serde_json::Value as Json;

use super::counters::Quota;
use super::{provider_pauses, turns};
use crate::domain::event::{Event, Kind, Scene};
use crate::domain::ids::UserId;
use crate::domain::method::Method;
use crate::domain::provider::Provider;
use crate::domain::time::UnixTime;
use crate::platform::{Batch, Database, DatabaseError, Statement, Value};

const COLUMNS: &str = "INSERT INTO audit_log (at, client_id, user_id, event, outcome, method, request_id, detail, operator) ";

fn params(scene: Scene<'_>, event: &Event) -> Vec<Value> {
    vec![
        scene.recorded_at.into(),
        scene.client.as_str().into(),
        scene.user.map(UserId::as_str).into(),
        event.kind.name().into(),
        event.kind.outcome().into(),
        event.method.map(Method::name).into(),
        scene.request_id.as_str().into(),
        event.detail.to_string().into(),
        scene.operator.into(),
    ]
}

/// Recorded whatever else the batch does. What a user can bring about without end is recorded once a minute.
pub fn record(scene: Scene<'_>, event: &Event) -> Statement {
    if event.kind.is_rationed() {
        return record_once_a_minute(scene, event);
    }
    Statement::new(
        format!("{COLUMNS} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        params(scene, event),
    )
}

/// Recorded unless the user's latest events have one of its kind within the last minute: what a user can
/// bring about without end must not fill the log.
fn record_once_a_minute(scene: Scene<'_>, event: &Event) -> Statement {
    let mut params = params(scene, event);
    params.push(scene.recorded_at.minus(60).into());
    // Of the latest only, so that a user of many years costs no more to look at.
    let sql = format!(
        "{COLUMNS} SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (SELECT 1 FROM
         (SELECT event, at FROM audit_log WHERE client_id = ?2 AND user_id = ?3 ORDER BY id DESC LIMIT 20) latest
         WHERE event = ?4 AND at > ?10)"
    );
    Statement::new(sql, params)
}

/// Recorded only if the statement before it in the batch changed one row: a lost compare-and-swap
/// leaves no event behind.
pub fn record_if_changed(scene: Scene<'_>, event: &Event) -> Statement {
    Statement::new(
        format!("{COLUMNS} SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE changes() = 1"),
        params(scene, event),
    )
}

/// Recorded and counted if each of these has room for one more and a provider has no pause, or not at all.
pub async fn record_within(
    db: &dyn Database,
    scene: Scene<'_>,
    event: &Event,
    quotas: &[Quota],
    providers: &[Provider],
) -> Result<bool, DatabaseError> {
    let sql = format!("{COLUMNS} SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE 1 = 1");
    let mut record = Statement::new(sql, params(scene, event));
    for quota in quotas {
        quota.guard(&mut record);
    }
    provider_pauses::guard(providers, scene.now, &mut record);
    let scopes = quotas.iter().map(|quota| quota.scope().to_owned());
    let mut statements = Vec::from_iter(turns::take(db, scopes));
    let decided_by = Some(statements.len());
    statements.push(record);
    statements.extend(quotas.iter().map(Quota::count_if_changed));
    let batch = Batch {
        statements,
        decided_by,
    };
    batch.run(db).await
}

/// A recorded event, as the operator reads it.
pub struct Entry {
    pub id: i64,
    pub at: i64,
    pub client_id: Option<String>,
    pub user_id: Option<String>,
    pub event: String,
    pub outcome: String,
    pub method: Option<String>,
    pub operator: Option<String>,
    pub request_id: String,
    pub detail: Json,
}

/// In which order, and where to go on.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// Oldest first, those with a greater id.
    After(i64),
    /// Newest first, those with a smaller id.
    Before(i64),
}

/// Which events to list.
#[derive(Debug)]
pub struct Filter {
    pub client_id: Option<String>,
    pub user_id: Option<String>,
    pub event: Option<String>,
    pub operator: Option<String>,
    /// From this second on.
    pub from: Option<UnixTime>,
    /// Before this second.
    pub to: Option<UnixTime>,
    pub order: Order,
    pub limit: u32,
}

/// The kinds that make up nearly all of a record. The others have an index, which costs a login nothing. The index
/// says them in these words too.
const FREQUENT: [Kind; 4] = [
    Kind::Verified,
    Kind::Failed,
    Kind::CodeSent,
    Kind::CodeGenerated,
];
pub(super) const IS_RARE: &str =
    " AND event NOT IN ('verified', 'failed', 'code_sent', 'code_generated')";

/// Seconds by which the times of events may be out of the order of their ids: an event has the time its request came
/// in, and its id when it was stored; two machines' clocks differ.
const OUT_OF_ORDER: u64 = 600;

pub async fn list(db: &dyn Database, filter: Filter) -> Result<Vec<Entry>, DatabaseError> {
    let mut statement = selection(db, &filter).await?;
    match filter.order {
        Order::After(_) => statement.bind(" ORDER BY id LIMIT ", filter.limit),
        Order::Before(_) => statement.bind(" ORDER BY id DESC LIMIT ", filter.limit),
    }
    let rows: Vec<Row> = db.run(statement).await?.into_rows()?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

#[derive(Deserialize)]
struct Row {
    id: i64,
    at: i64,
    client_id: Option<String>,
    user_id: Option<String>,
    event: String,
    outcome: String,
    method: Option<String>,
    operator: Option<String>,
    request_id: String,
    detail: String,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: row.at,
            client_id: row.client_id,
            user_id: row.user_id,
            event: row.event,
            outcome: row.outcome,
            method: row.method,
            operator: row.operator,
            request_id: row.request_id,
            detail: serde_json::from_slice(row.detail.as_bytes()).unwrap_or(Json::Null),
        }
    }
}

/// Only the conditions that are asked for: the others would keep an index from being used.
async fn selection(db: &dyn Database, filter: &Filter) -> Result<Statement, DatabaseError> {
    let sql = "SELECT id, at, client_id, user_id, event, outcome, method, operator, request_id, detail FROM audit_log
         WHERE 1 = 1";
    let mut statement = Statement::new(sql, []);
    // One bound on either side: of two, SQLite would go to the first and through all that lies before the second.
    let (mut after, mut before) = match filter.order {
        Order::After(id) => (Some(id), None),
        Order::Before(id) => (None, Some(id)),
    };
    let least = |one: Option<i64>, other: i64| Some(one.map_or(other, |one| one.min(other)));
    if let Some(last) = db.settled("audit_log").await? {
        before = least(before, last.saturating_add(1));
    }
    if let Some(from) = filter.from {
        let first = first_since(db, from.minus(OUT_OF_ORDER)).await?;
        after = after.max(Some(first.saturating_sub(1)));
        statement.bind(" AND at >= ", from);
    }
    if let Some(to) = filter.to {
        let end = first_since(db, to.plus(OUT_OF_ORDER)).await?;
        before = least(before, end);
        statement.bind(" AND at < ", to);
    }
    if let Some(id) = after {
        statement.bind(" AND id > ", id);
    }
    if let Some(id) = before {
        statement.bind(" AND id < ", id);
    }
    match (&filter.client_id, &filter.user_id) {
        (Some(client), Some(user)) => {
            statement.bind(" AND client_id = ", client.as_str());
            statement.bind(" AND user_id = ", user.as_str());
        }
        // Not by the index, whose order is that of users: all events of the client would be sorted.
        (Some(client), None) => statement.bind(" AND COALESCE(client_id, '') = ", client.as_str()),
        (None, Some(user)) => statement.bind(" AND user_id = ", user.as_str()),
        (None, None) => {}
    }
    if let Some(event) = &filter.event {
        let by_user = filter.client_id.is_some() && filter.user_id.is_some();
        if !by_user && FREQUENT.iter().all(|kind| kind.name() != event) {
            statement.add(IS_RARE);
        }
        statement.bind(" AND event = ", event.as_str());
    }
    if let Some(operator) = &filter.operator {
        statement.bind(" AND operator = ", operator.as_str());
    }
    Ok(statement)
}

/// The least id whose event is not from before `time`, or one past the last. Ids are in order of time, so it is found
/// by halving, in some twenty looks at the table's own order and without an index by time, which every event would pay
/// for (decision 22).
pub(super) async fn first_since(db: &dyn Database, time: UnixTime) -> Result<i64, DatabaseError> {
    #[derive(Deserialize)]
    struct Found {
        low: i64,
    }
    // Of ids that were deleted the next there is speaks.
    let sql = "SELECT low FROM (
         WITH RECURSIVE halves (low, high) AS (
           SELECT COALESCE((SELECT MIN(id) FROM audit_log), 0), COALESCE((SELECT MAX(id) FROM audit_log), 0) + 1
           UNION ALL
           SELECT CASE WHEN COALESCE((SELECT at FROM audit_log WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1), ?1) < ?1
                    THEN (low + high) / 2 + 1 ELSE low END,
                  CASE WHEN COALESCE((SELECT at FROM audit_log WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1), ?1) < ?1
                    THEN high ELSE (low + high) / 2 END
           FROM halves WHERE low < high
         ) SELECT low FROM halves WHERE low >= high) AS found";
    let outcome = db.run(Statement::new(sql, [time.into()])).await?;
    Ok(outcome.into_first::<Found>()?.map_or(0, |found| found.low))
}

/// Deletes events before `until`, at most so many. Ids are in order of time, so the oldest are the first;
/// the last event of all stays, for the next one to get a greater id than any reader has seen.
pub fn purge(until: UnixTime, most: u32) -> Statement {
    let sql = "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log ORDER BY id LIMIT ?2)
         AND at < ?1 AND id < (SELECT MAX(id) FROM audit_log)";
    Statement::new(sql, [until.into(), most.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_frequent_is_the_same_in_list_query_and_index() {
        let names: Vec<String> = FREQUENT
            .iter()
            .map(|kind| format!("'{}'", kind.name()))
            .collect();
        let condition = format!("event NOT IN ({})", names.join(", "));
        assert!(IS_RARE.ends_with(&condition));
        for schema in ["migrations", "migrations/postgres"] {
            let path = format!("{schema}/0008_operators.sql");
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(&format!("WHERE {condition};")), "{path}");
        }
    }
}
