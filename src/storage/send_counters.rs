//! `send_counters`: how many messages went where, exactly. They are counted in the transaction that
//! reserves a message, and each limit is a condition of it, so parallel requests cannot pass it (SMS-08).

use serde::Deserialize;

use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement, Value};

/// One counted scope and its limits.
#[derive(Debug, Clone)]
pub struct Quota {
    scope: String,
    window_start: UnixTime,
    limits: Vec<Limit>,
}

#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Windows from here on are counted.
    since: UnixTime,
    most: u32,
    /// When at the latest the oldest counted window has passed, after its start.
    period: u64,
}

/// Sliding limits are counted by the minute; a message counts until it is surely past the limit's period.
const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

impl Quota {
    /// At most so many in each of the periods (in seconds), wherever they begin.
    pub fn sliding(scope: String, limits: &[(u64, u32)], now: UnixTime) -> Self {
        let window_start = start_of(MINUTE, now);
        let limits = limits
            .iter()
            .map(|&(period, most)| Limit {
                since: window_start.minus(period),
                most,
                period: period + MINUTE,
            })
            .collect();
        Self {
            scope,
            window_start,
            limits,
        }
    }

    /// At most so many in a day of UTC.
    pub fn daily(scope: String, most: u32, now: UnixTime) -> Self {
        let window_start = start_of(DAY, now);
        Self {
            scope,
            window_start,
            limits: vec![Limit {
                since: window_start,
                most,
                period: DAY,
            }],
        }
    }

    /// Adds the condition that every limit has room left.
    pub fn guard(&self, sql: &mut String, params: &mut Vec<Value>) {
        for limit in &self.limits {
            let first = params.len() + 1;
            params.extend([
                self.scope.as_str().into(),
                limit.since.into(),
                limit.most.into(),
            ]);
            sql.push_str(" AND (SELECT COALESCE(SUM(count), 0) FROM send_counters");
            let (since, most) = (first + 1, first + 2);
            let condition =
                format!(" WHERE scope = ?{first} AND window_start >= ?{since}) < ?{most}");
            sql.push_str(&condition);
        }
    }

    /// Counts one more, if the statement before it changed one row.
    pub fn count_if_changed(&self) -> Statement {
        let sql = "INSERT INTO send_counters (scope, window_start, count) SELECT ?1, ?2, 1 WHERE changes() = 1
             ON CONFLICT (scope, window_start) DO UPDATE SET count = count + 1";
        Statement::new(sql, [self.scope.as_str().into(), self.window_start.into()])
    }

    /// Takes one back, for a message that was surely not sent.
    pub fn give_back(&self) -> Statement {
        let sql = "UPDATE send_counters SET count = count - 1 WHERE scope = ?1 AND window_start = ?2 AND count > 0";
        Statement::new(sql, [self.scope.as_str().into(), self.window_start.into()])
    }

    fn usage(&self, limit: Limit) -> Statement {
        let sql = "SELECT COALESCE(SUM(count), 0) AS count, MIN(window_start) AS oldest FROM send_counters
             WHERE scope = ?1 AND window_start >= ?2 AND count > 0";
        Statement::new(sql, [self.scope.as_str().into(), limit.since.into()])
    }
}

fn start_of(window: u64, now: UnixTime) -> UnixTime {
    UnixTime::from_secs(now.as_secs() - now.as_secs() % window)
}

/// When the used-up ones among the limits have room again, `None` if all have room now.
pub async fn used_up_until(
    db: &dyn Database,
    quotas: &[Quota],
) -> Result<Option<UnixTime>, DatabaseError> {
    #[derive(Deserialize)]
    struct Usage {
        count: u64,
        oldest: Option<u64>,
    }
    let limits: Vec<(&Quota, Limit)> = quotas
        .iter()
        .flat_map(|quota| quota.limits.iter().map(move |&limit| (quota, limit)))
        .collect();
    let statements = limits
        .iter()
        .map(|(quota, limit)| quota.usage(*limit))
        .collect();
    let mut until = None;
    for (outcome, (quota, limit)) in db.batch(statements).await?.into_iter().zip(limits) {
        let Some(usage) = outcome.into_first::<Usage>()? else {
            continue;
        };
        if usage.count >= u64::from(limit.most) {
            let oldest = usage.oldest.map_or(quota.window_start, UnixTime::from_secs);
            until = until.max(Some(oldest.plus(limit.period)));
        }
    }
    Ok(until)
}

/// Counts one event of `scope` in the present minute and says how many it makes.
pub async fn count_in_minute(
    db: &dyn Database,
    scope: &str,
    now: UnixTime,
) -> Result<u64, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        count: u64,
    }
    let sql = "INSERT INTO send_counters (scope, window_start, count) VALUES (?1, ?2, 1)
         ON CONFLICT (scope, window_start) DO UPDATE SET count = count + 1 RETURNING count";
    let row = db
        .run(Statement::new(
            sql,
            [scope.into(), start_of(MINUTE, now).into()],
        ))
        .await?
        .into_first::<Row>()?;
    Ok(row.map_or(0, |row| row.count))
}

/// Seconds until the present minute is over.
pub fn rest_of_minute(now: UnixTime) -> u64 {
    start_of(MINUTE, now).plus(MINUTE).seconds_from(now)
}

/// Forgets windows no limit looks back to.
pub fn purge(now: UnixTime) -> Statement {
    Statement::new(
        "DELETE FROM send_counters WHERE window_start < ?1",
        [now.minus(2 * DAY).into()],
    )
}
