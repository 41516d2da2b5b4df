//! `sessions`: whose a hosted session is, by its public name. Written once, and never changed.

use serde::Deserialize;

use crate::domain::crypto::sealing::Sealed;
use crate::domain::ids::{ClientId, Owner, TokenEpoch, UserId};
use crate::domain::session::SessionId;
use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement};

/// What the row of a session says.
pub struct Named {
    pub owner: Owner,
    /// The client's when it began: what ends its tokens ends its sessions.
    pub epoch: TokenEpoch,
    /// What the application asked for.
    pub request: Sealed,
    pub created_at: UnixTime,
}

pub async fn find(
    db: &dyn Database,
    id: &SessionId,
    now: UnixTime,
) -> Result<Option<Named>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        client_id: ClientId,
        user_id: UserId,
        token_epoch: TokenEpoch,
        request: Sealed,
        created_at: UnixTime,
    }
    let sql = "SELECT client_id, user_id, token_epoch, request, created_at FROM sessions
         WHERE session_id = ?1 AND expires_at > ?2";
    let statement = Statement::new(sql, [id.as_str().into(), now.into()]);
    let row: Option<Row> = db.run(statement).await?.into_first()?;
    Ok(row.map(|row| Named {
        owner: Owner {
            client: row.client_id,
            user: row.user_id,
        },
        epoch: row.token_epoch,
        request: row.request,
        created_at: row.created_at,
    }))
}

pub async fn insert(
    db: &dyn Database,
    id: &SessionId,
    named: &Named,
    expires_at: UnixTime,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO sessions (session_id, client_id, user_id, token_epoch, request, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let params = [
        id.as_str().into(),
        named.owner.client.as_str().into(),
        named.owner.user.as_str().into(),
        named.epoch.as_str().into(),
        named.request.as_str().into(),
        named.created_at.into(),
        expires_at.into(),
    ];
    db.run(Statement::new(sql, params)).await.map(drop)
}

/// Forgets sessions that nobody is told about any more, at most so many.
pub fn purge(now: UnixTime, most: u32) -> Statement {
    let sql = "DELETE FROM sessions WHERE session_id IN
         (SELECT session_id FROM sessions WHERE expires_at <= ?1 LIMIT ?2)";
    Statement::new(sql, [now.into(), most.into()])
}
