//! `api_keys`: what applications may show in the place of a token. A key that was revoked is not there.

use serde::Deserialize;

use super::{audit_log, turns};
use crate::domain::api_key::{ApiKey, KeyId};
use crate::domain::crypto::digest::Digest;
use crate::domain::event::{Event, Scene};
use crate::domain::ids::ClientId;
use crate::domain::scope::Scopes;
use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement};

/// The keys of a client, the oldest first.
pub async fn list(db: &dyn Database, client: &ClientId) -> Result<Vec<ApiKey>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        id: KeyId,
        name: String,
        digest: String,
        scopes: String,
        created_at: UnixTime,
        expires_at: Option<UnixTime>,
        last_used_at: Option<UnixTime>,
    }
    let sql = "SELECT id, name, digest, scopes, created_at, expires_at, last_used_at FROM api_keys
         WHERE client_id = ?1 ORDER BY created_at, id";
    let statement = Statement::new(sql, [client.as_str().into()]);
    let rows: Vec<Row> = db.run(statement).await?.into_rows()?;
    let key = |row: Row| ApiKey {
        id: row.id,
        name: row.name,
        scopes: Scopes::from_stored(&row.scopes),
        digest: Digest::from_stored(row.digest),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
    };
    Ok(rows.into_iter().map(key).collect())
}

/// `false`: there is no such client, or it has as many keys as `most`.
pub async fn insert(
    db: &dyn Database,
    key: &ApiKey,
    most: u32,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO api_keys (client_id, id, name, digest, scopes, created_at, expires_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
         WHERE EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND deleted_at IS NULL)
         AND (SELECT COUNT(*) FROM api_keys WHERE client_id = ?1) < ?8";
    let params = [
        scene.client.as_str().into(),
        key.id.as_str().into(),
        key.name.as_str().into(),
        key.digest.as_hex().into(),
        key.scopes.to_string().into(),
        key.created_at.into(),
        key.expires_at.into(),
        most.into(),
    ];
    write(db, Statement::new(sql, params), scene, event).await
}

/// `false`: the client has no such key.
pub async fn delete(
    db: &dyn Database,
    id: &KeyId,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let sql = "DELETE FROM api_keys WHERE client_id = ?1 AND id = ?2";
    let params = [scene.client.as_str().into(), id.as_str().into()];
    write(db, Statement::new(sql, params), scene, event).await
}

/// In turn with whatever adds or takes away the client: a key must not outlive it.
async fn write(
    db: &dyn Database,
    statement: Statement,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let mut batch = Vec::from_iter(turns::take(db, [turns::of_client(scene.client)]));
    let place = batch.len();
    batch.extend([statement, audit_log::record_if_changed(scene, event)]);
    let outcomes = db.batch(batch).await?;
    Ok(outcomes
        .get(place)
        .is_some_and(|outcome| outcome.changes == 1))
}

/// Every key of a client that is being deleted: nobody who is given its id later is to find them.
pub(super) fn delete_all(client: &ClientId) -> Statement {
    let sql = "DELETE FROM api_keys WHERE client_id = ?1
         AND EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL)";
    Statement::new(sql, [client.as_str().into()])
}

/// Notes the day of a use, unless a later one stands there.
pub fn note_use(client: &ClientId, id: &KeyId, day: UnixTime) -> Statement {
    let sql = "UPDATE api_keys SET last_used_at = ?3 WHERE client_id = ?1 AND id = ?2
         AND (last_used_at IS NULL OR last_used_at < ?3)";
    Statement::new(
        sql,
        [client.as_str().into(), id.as_str().into(), day.into()],
    )
}
