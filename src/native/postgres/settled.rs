//! Up to which id a table is complete.
//!
//! PostgreSQL gives an id when a row is written and shows the row when its transaction commits, which may be in
//! another order. Whoever reads on from the greatest id would miss a row that came later with a smaller one.

use std::time::Duration;

use tokio::time::sleep;

use super::Postgres;
use crate::platform::{Database, DatabaseError, Statement, Value};

/// Between two looks at who is still writing, and the most of them: longer than a statement may take.
const PAUSE: Duration = Duration::from_millis(5);
const LOOKS: u32 = 1200;

/// The id given last, once everybody who wrote to the table when that was asked has ended. A transaction locks the
/// table before it is given an id, so it is among those or has its id later, and then a greater one.
pub(super) async fn id(database: &Postgres, table: &'static str) -> Result<i64, DatabaseError> {
    let sql = "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence(?1, 'id')::regclass), 0) AS id";
    let outcome = database.run(Statement::new(sql, [table.into()])).await?;
    let last = match outcome.rows.first().and_then(|row| row.get("id")) {
        Some(Value::Integer(last)) => *last,
        _ => 0,
    };
    let before = writers(database, table).await?;
    let mut left = before.clone();
    for _ in 0..LOOKS {
        if !before.iter().any(|writer| left.contains(writer)) {
            return Ok(last);
        }
        sleep(PAUSE).await;
        left = writers(database, table).await?;
    }
    let text = format!("somebody has been writing to {table} for long");
    Err(DatabaseError::Unavailable(text))
}

/// The transactions that hold the lock of those that write to the table.
async fn writers(database: &Postgres, table: &'static str) -> Result<Vec<Value>, DatabaseError> {
    let sql =
        "SELECT virtualtransaction AS writer FROM pg_locks WHERE locktype = 'relation' AND granted
         AND mode = 'RowExclusiveLock' AND relation = ?1::text::regclass
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let rows = database
        .run(Statement::new(sql, [table.into()]))
        .await?
        .rows;
    let writer = |row: crate::platform::Row| row.get("writer").cloned();
    Ok(rows.into_iter().filter_map(writer).collect())
}
