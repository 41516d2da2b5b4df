//! `revoked_tokens`: the deny list, by token id and in D1, so that a revocation holds at once (TOK-12, TOK-13).

use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement};

/// Revoking twice is revoking once.
pub async fn insert(
    db: &dyn Database,
    jti: &str,
    expires_at: UnixTime,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO revoked_tokens (jti, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    db.run(Statement::new(sql, [jti.into(), expires_at.into()]))
        .await
        .map(drop)
}

/// Forgets tokens that expired, at most so many: they are refused without the list.
pub fn purge(now: UnixTime, most: u32) -> Statement {
    let sql = "DELETE FROM revoked_tokens WHERE jti IN
         (SELECT jti FROM revoked_tokens WHERE expires_at <= ?1 LIMIT ?2)";
    Statement::new(sql, [now.into(), most.into()])
}
