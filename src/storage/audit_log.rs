//! `audit_log`: what happened to whom, in the transaction that made it happen.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::domain::event::{Event, Scene};
use crate::domain::ids::UserId;
use crate::domain::method::Method;
use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement, Value};

const COLUMNS: &str =
    "INSERT INTO audit_log (at, client_id, user_id, event, outcome, method, request_id, detail) ";

fn params(scene: Scene<'_>, event: &Event) -> Vec<Value> {
    vec![
        scene.now.into(),
        scene.client.as_str().into(),
        scene.user.map(UserId::as_str).into(),
        event.kind.name().into(),
        event.kind.outcome().into(),
        event.method.map(Method::name).into(),
        scene.request_id.as_str().into(),
        event.detail.to_string().into(),
    ]
}

/// Recorded whatever else the batch does. What a user can bring about without end is recorded once a minute.
pub fn record(scene: Scene<'_>, event: &Event) -> Statement {
    if event.kind.is_rationed() {
        return record_once_a_minute(scene, event);
    }
    Statement::new(
        format!("{COLUMNS} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
        params(scene, event),
    )
}

/// Recorded unless the user's latest events have one of its kind within the last minute: what a user can
/// bring about without end must not fill the log.
fn record_once_a_minute(scene: Scene<'_>, event: &Event) -> Statement {
    let mut params = params(scene, event);
    params.push(scene.now.minus(60).into());
    // Of the latest only, so that a user of many years costs no more to look at.
    let sql = format!(
        "{COLUMNS} SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM
         (SELECT event, at FROM audit_log WHERE client_id = ?2 AND user_id = ?3 ORDER BY id DESC LIMIT 20) latest
         WHERE event = ?4 AND at > ?9)"
    );
    Statement::new(sql, params)
}

/// Recorded only if the statement before it in the batch changed one row: a lost compare-and-swap
/// leaves no event behind.
pub fn record_if_changed(scene: Scene<'_>, event: &Event) -> Statement {
    Statement::new(
        format!("{COLUMNS} SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE changes() = 1"),
        params(scene, event),
    )
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
    pub request_id: String,
    pub detail: Json,
}

/// Which events to list, oldest first.
#[derive(Debug, Default)]
pub struct Filter {
    pub client_id: Option<String>,
    pub user_id: Option<String>,
    pub event: Option<String>,
    /// Only events with a greater id.
    pub after: i64,
    pub limit: u32,
}

pub async fn list(db: &dyn Database, filter: Filter) -> Result<Vec<Entry>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        id: i64,
        at: i64,
        client_id: Option<String>,
        user_id: Option<String>,
        event: String,
        outcome: String,
        method: Option<String>,
        request_id: String,
        detail: String,
    }
    let sql = "SELECT id, at, client_id, user_id, event, outcome, method, request_id, detail FROM audit_log
         WHERE id > ?1";
    let mut statement = Statement::new(sql, [filter.after.into()]);
    if let Some(last) = db.settled("audit_log").await? {
        statement.bind(" AND id <= ", last);
    }
    // Only the conditions that are asked for: the others would keep the index from being used.
    for (condition, value) in [
        (" AND client_id = ", filter.client_id),
        (" AND user_id = ", filter.user_id),
        (" AND event = ", filter.event),
    ] {
        if let Some(value) = value {
            statement.bind(condition, value);
        }
    }
    statement.bind(" ORDER BY id LIMIT ", filter.limit);
    let rows: Vec<Row> = db.run(statement).await?.into_rows()?;
    let entry = |row: Row| Entry {
        id: row.id,
        at: row.at,
        client_id: row.client_id,
        user_id: row.user_id,
        event: row.event,
        outcome: row.outcome,
        method: row.method,
        request_id: row.request_id,
        detail: serde_json::from_slice(row.detail.as_bytes()).unwrap_or(Json::Null),
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// Deletes events before `until`, at most so many. Ids are in order of time, so the oldest are the first;
/// the last event of all stays, for the next one to get a greater id than any reader has seen.
pub fn purge(until: UnixTime, most: u32) -> Statement {
    let sql = "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log ORDER BY id LIMIT ?2)
         AND at < ?1 AND id < (SELECT MAX(id) FROM audit_log)";
    Statement::new(sql, [until.into(), most.into()])
}
