//! `webhook_deliveries`: what clients are told, from the moment it happened until a week after. A row is written in the
//! transaction of what it tells of; who delivers it holds it by a lease, so that no two do at the same time.

use serde::Deserialize;

use super::audit_log;
use super::clients::webhook;
use crate::domain::event::{Event, Scene};
use crate::domain::ids::ClientId;
use crate::domain::time::UnixTime;
use crate::domain::webhook::{Delivery, DeliveryId, Webhook};
use crate::platform::{Database, DatabaseError, Statement, Value};

const COLUMNS: &str = "INSERT INTO webhook_deliveries
     (id, client_id, event, body, created_at, give_up_at, next_at, lease_until, attempts) ";

fn params(client: &ClientId, delivery: &Delivery) -> Vec<Value> {
    vec![
        delivery.id.as_str().into(),
        client.as_str().into(),
        delivery.event.as_str().into(),
        delivery.body.as_str().into(),
        delivery.created_at.into(),
        delivery.give_up_at.into(),
    ]
}

/// To be told, whatever else the batch does.
pub fn insert(client: &ClientId, delivery: &Delivery) -> Statement {
    let sql = format!("{COLUMNS} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, 0, 0)");
    Statement::new(sql, params(client, delivery))
}

/// To be told if the statement before it in the batch changed one row: nobody hears of a change that was not made.
pub(super) fn insert_if_changed(client: &ClientId, delivery: &Delivery) -> Statement {
    let sql = format!("{COLUMNS} SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?5, 0, 0 WHERE changes() = 1");
    Statement::new(sql, params(client, delivery))
}

/// Something to be told now, and to whom.
pub struct Due {
    pub client: ClientId,
    pub id: DeliveryId,
    pub body: String,
    pub attempts: u32,
    pub give_up_at: UnixTime,
    /// `None`: the client has none any more, or is gone.
    pub webhook: Option<Webhook>,
}

/// What is due, the longest due first, of no client that is left out.
pub async fn due(
    db: &dyn Database,
    now: UnixTime,
    without: &[ClientId],
    most: u32,
) -> Result<Vec<Due>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        client_id: ClientId,
        id: DeliveryId,
        body: String,
        attempts: u32,
        give_up_at: UnixTime,
        webhook: Option<String>,
    }
    let sql = "SELECT d.client_id, d.id, d.body, d.attempts, d.give_up_at, c.webhook FROM webhook_deliveries d
         LEFT JOIN clients c ON c.client_id = d.client_id AND c.deleted_at IS NULL
         WHERE d.next_at <= ?1 AND d.lease_until <= ?1";
    let mut statement = Statement::new(sql, [now.into()]);
    for client in without {
        statement.bind(" AND d.client_id <> ", client.as_str());
    }
    statement.bind(" ORDER BY d.next_at LIMIT ", most);
    let rows: Vec<Row> = db.run(statement).await?.into_rows()?;
    let due = |row: Row| Due {
        client: row.client_id,
        id: row.id,
        body: row.body,
        attempts: row.attempts,
        give_up_at: row.give_up_at,
        webhook: row.webhook.as_deref().and_then(webhook),
    };
    Ok(rows.into_iter().map(due).collect())
}

/// Takes what is due until `until`, which is later than any lease before it: whoever took it earlier does not hold it
/// any more. `false`: somebody else has it, or it needs no telling.
pub async fn claim(
    db: &dyn Database,
    id: &DeliveryId,
    now: UnixTime,
    until: UnixTime,
) -> Result<bool, DatabaseError> {
    let sql =
        "UPDATE webhook_deliveries SET lease_until = ?3, attempts = attempts + 1, attempted_at = ?2
         WHERE id = ?1 AND next_at <= ?2 AND lease_until <= ?2";
    let params = [id.as_str().into(), now.into(), until.into()];
    let outcome = db.run(Statement::new(sql, params)).await?;
    Ok(outcome.changes == 1)
}

/// What a try came to.
pub struct Tried<'a> {
    pub delivered_at: Option<UnixTime>,
    /// `None`: delivered, or given up.
    pub next_at: Option<UnixTime>,
    pub status: Option<u16>,
    pub problem: Option<&'a str>,
}

/// Notes what a try came to, for whoever still holds it.
pub async fn settle(
    db: &dyn Database,
    id: &DeliveryId,
    lease: UnixTime,
    tried: Tried<'_>,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE webhook_deliveries SET lease_until = 0, next_at = ?3, delivered_at = ?4, status = ?5, problem = ?6
         WHERE id = ?1 AND lease_until = ?2";
    let params = [
        id.as_str().into(),
        lease.into(),
        tried.next_at.into(),
        tried.delivered_at.into(),
        tried.status.map(u32::from).into(),
        tried.problem.into(),
    ];
    db.run(Statement::new(sql, params)).await.map(drop)
}

/// Gives up what nobody took within its time.
pub fn give_up(now: UnixTime) -> Statement {
    let sql = "UPDATE webhook_deliveries SET next_at = NULL
         WHERE next_at IS NOT NULL AND give_up_at < ?1 AND lease_until <= ?1";
    Statement::new(sql, [now.into()])
}

/// A delivery, as the operator sees it.
#[derive(Debug, Deserialize)]
pub struct Listed {
    pub id: DeliveryId,
    pub event: String,
    pub created_at: UnixTime,
    pub attempts: u32,
    pub next_at: Option<UnixTime>,
    pub attempted_at: Option<UnixTime>,
    pub delivered_at: Option<UnixTime>,
    pub status: Option<u16>,
    pub problem: Option<String>,
}

const LISTED: &str =
    "SELECT id, event, created_at, attempts, next_at, attempted_at, delivered_at, status, problem
     FROM webhook_deliveries WHERE client_id = ?1";

/// The newest of a client's first; after a page, those before its last.
pub async fn list(
    db: &dyn Database,
    client: &ClientId,
    before: Option<&DeliveryId>,
    most: u32,
) -> Result<Vec<Listed>, DatabaseError> {
    let mut statement = Statement::new(LISTED, [client.as_str().into()]);
    if let Some(before) = before {
        statement.bind(" AND id < ", before.as_str());
    }
    statement.bind(" ORDER BY id DESC LIMIT ", most);
    db.run(statement).await?.into_rows()
}

/// One of them.
pub async fn find(
    db: &dyn Database,
    client: &ClientId,
    id: &DeliveryId,
) -> Result<Option<Listed>, DatabaseError> {
    let mut statement = Statement::new(LISTED, [client.as_str().into()]);
    statement.bind(" AND id = ", id.as_str());
    db.run(statement).await?.into_first()
}

/// What it says; with it, it can be sent again.
pub async fn body(db: &dyn Database, id: &DeliveryId) -> Result<Option<String>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        body: String,
    }
    let sql = "SELECT body FROM webhook_deliveries WHERE id = ?1";
    let outcome = db.run(Statement::new(sql, [id.as_str().into()])).await?;
    Ok(outcome.into_first::<Row>()?.map(|row| row.body))
}

/// Makes it due again, as if it had just happened. `false`: there is none, or somebody is trying just now.
pub async fn make_due(
    db: &dyn Database,
    id: &DeliveryId,
    give_up_at: UnixTime,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let sql = "UPDATE webhook_deliveries SET next_at = ?3, give_up_at = ?4, attempts = 0, delivered_at = NULL
         WHERE client_id = ?1 AND id = ?2 AND lease_until <= ?3";
    let params = [
        scene.client.as_str().into(),
        id.as_str().into(),
        scene.now.into(),
        give_up_at.into(),
    ];
    let batch = vec![
        Statement::new(sql, params),
        audit_log::record_if_changed(scene, event),
    ];
    let outcomes = db.batch(batch).await?;
    Ok(outcomes.first().is_some_and(|outcome| outcome.changes == 1))
}

/// Everything of a client that has no webhook any more.
pub fn delete_all(client: &ClientId) -> Statement {
    let sql = "DELETE FROM webhook_deliveries WHERE client_id = ?1
         AND EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND webhook IS NULL)";
    Statement::new(sql, [client.as_str().into()])
}

/// At most so many of a client that is being deleted.
pub(super) fn forget(client: &ClientId, most: u32) -> Statement {
    let sql = "DELETE FROM webhook_deliveries WHERE id IN
         (SELECT id FROM webhook_deliveries WHERE client_id = ?1 LIMIT ?2)
         AND EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL)";
    Statement::new(sql, [client.as_str().into(), most.into()])
}

/// Forgets what happened before that time and is settled, at most so many.
pub fn purge(until: UnixTime, most: u32) -> Statement {
    let sql = "DELETE FROM webhook_deliveries WHERE next_at IS NULL AND id IN
         (SELECT id FROM webhook_deliveries WHERE id < ?1 ORDER BY id LIMIT ?2)";
    Statement::new(sql, [DeliveryId::first_at(until).into(), most.into()])
}
