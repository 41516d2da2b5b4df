//! `auth_failures`: wrong client secrets of the present minute, in a fixed number of buckets. Whoever asks for
//! a token without being a client makes no further row, and over the limit nothing is written at all.

use serde::Deserialize;

use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Outcome, Statement, Value};

const MINUTE: u64 = 60;

/// How many there were of `bucket` in the present minute.
pub fn count(bucket: u32, now: UnixTime) -> Statement {
    let sql = "SELECT count FROM auth_failures WHERE bucket = ?1 AND minute = ?2";
    Statement::new(sql, [bucket.into(), minute(now)])
}

/// What `count` gave.
pub fn counted(outcome: Outcome) -> Result<u32, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        count: u32,
    }
    Ok(outcome.into_first::<Row>()?.map_or(0, |row| row.count))
}

/// Counts one more, up to `most`; a row of an earlier minute starts anew.
pub async fn add(
    db: &dyn Database,
    bucket: u32,
    most: u32,
    now: UnixTime,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO auth_failures (bucket, minute, count) VALUES (?1, ?2, 1)
         ON CONFLICT (bucket) DO UPDATE SET minute = excluded.minute,
         count = CASE WHEN auth_failures.minute = excluded.minute THEN auth_failures.count + 1 ELSE 1 END
         WHERE auth_failures.minute <> excluded.minute OR auth_failures.count < ?3";
    let params = [bucket.into(), minute(now), most.into()];
    db.run(Statement::new(sql, params)).await.map(drop)
}

/// Seconds until the present minute is over.
pub fn rest_of_minute(now: UnixTime) -> u64 {
    MINUTE - now.as_secs() % MINUTE
}

fn minute(now: UnixTime) -> Value {
    UnixTime::from_secs(now.as_secs() / MINUTE).into()
}
