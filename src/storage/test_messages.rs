//! `test_messages`: what would have been sent for test clients.

use serde::Deserialize;

use crate::domain::crypto::sealing::Sealed;
use crate::domain::ids::{ClientId, Owner, UserId};
use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement};

/// So many of each client, the last ones.
const MOST: u32 = 100;

/// A message and whose it is.
pub struct Stored {
    pub user: UserId,
    pub message: Sealed,
}

/// Adds a message, and forgets the client's oldest ones over the most there may be. `now` is the server's time.
pub async fn insert(
    db: &dyn Database,
    owner: &Owner,
    message: &Sealed,
    now: UnixTime,
) -> Result<(), DatabaseError> {
    let (client, user) = (owner.client.as_str(), owner.user.as_str());
    let add = "INSERT INTO test_messages (client_id, user_id, stored_at, message) VALUES (?1, ?2, ?3, ?4)";
    let params = [
        client.into(),
        user.into(),
        now.into(),
        message.as_str().into(),
    ];
    let forget = "DELETE FROM test_messages WHERE client_id = ?1 AND id NOT IN
         (SELECT id FROM test_messages WHERE client_id = ?1 ORDER BY id DESC LIMIT ?2)";
    let statements = vec![
        Statement::new(add, params),
        Statement::new(forget, [client.into(), MOST.into()]),
    ];
    db.batch(statements).await.map(drop)
}

/// A client's messages, or those to one user of it, oldest first.
pub async fn list(
    db: &dyn Database,
    client: &ClientId,
    user: Option<&UserId>,
) -> Result<Vec<Stored>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        user_id: UserId,
        message: String,
    }
    let sql = "SELECT user_id, message FROM test_messages WHERE client_id = ?1";
    let mut statement = Statement::new(sql, [client.as_str().into()]);
    if let Some(user) = user {
        statement.bind(" AND user_id = ", user.as_str());
    }
    statement.add(" ORDER BY id");
    let rows: Vec<Row> = db.run(statement).await?.into_rows()?;
    let stored = |row: Row| Stored {
        user: row.user_id,
        message: Sealed::from_stored(row.message),
    };
    Ok(rows.into_iter().map(stored).collect())
}

/// Forgets messages from before `until`, at most so many.
pub fn purge(until: UnixTime, most: u32) -> Statement {
    let sql =
        "DELETE FROM test_messages WHERE id IN (SELECT id FROM test_messages ORDER BY id LIMIT ?2)
         AND stored_at < ?1";
    Statement::new(sql, [until.into(), most.into()])
}
