//! `send_counters`: how many messages went where, and how often a client asked for what makes rows. They are
//! counted in the transaction of the change they belong to, and each limit is a condition of it, so parallel
//! requests cannot pass it (SMS-08).

use serde::Deserialize;

use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement};

/// One counted scope and its limits.
#[derive(Debug, Clone)]
pub struct Quota {
    scope: String,
    window_start: UnixTime,
    limits: Vec<Limit>,
    pub of: Counted,
}

/// What a quota counts, which is what a caller over it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Messages: one that was surely not sent is given back.
    Messages,
    /// Tries to send: nothing gives one back, so that a destination its provider refuses has a limit too.
    Tries,
    /// Requests of one client.
    Requests,
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
    /// At most so many messages in each of the periods (in seconds), wherever they begin.
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
            of: Counted::Messages,
        }
    }

    /// At most so many messages in a day of UTC.
    pub fn daily(scope: String, most: u32, now: UnixTime) -> Self {
        Self::fixed(scope, DAY, most, now)
    }

    /// At most so many in each minute of the clock.
    pub fn minutely(scope: String, most: u32, now: UnixTime) -> Self {
        Self::fixed(scope, MINUTE, most, now)
    }

    fn fixed(scope: String, period: u64, most: u32, now: UnixTime) -> Self {
        let window_start = start_of(period, now);
        Self {
            scope,
            window_start,
            limits: vec![Limit {
                since: window_start,
                most,
                period,
            }],
            of: Counted::Messages,
        }
    }

    #[must_use]
    pub fn of(self, of: Counted) -> Self {
        Self { of, ..self }
    }

    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// Adds the condition that every limit has room left.
    pub fn guard(&self, statement: &mut Statement) {
        for limit in &self.limits {
            let sql = " AND (SELECT COALESCE(SUM(count), 0) FROM send_counters WHERE scope = ";
            statement.bind(sql, self.scope.as_str());
            statement.bind(" AND window_start >= ", limit.since);
            statement.bind(") < ", limit.most);
        }
    }

    /// Counts one more, if the statement before it changed one row.
    pub fn count_if_changed(&self) -> Statement {
        let sql = "INSERT INTO send_counters (scope, window_start, count) SELECT ?1, ?2, 1 WHERE changes() = 1
             ON CONFLICT (scope, window_start) DO UPDATE SET count = send_counters.count + 1";
        Statement::new(sql, [self.scope.as_str().into(), self.window_start.into()])
    }

    /// Takes one back, for a message that was surely not sent.
    pub fn give_back(&self) -> Option<Statement> {
        let sql = "UPDATE send_counters SET count = count - 1 WHERE scope = ?1 AND window_start = ?2 AND count > 0";
        let params = [self.scope.as_str().into(), self.window_start.into()];
        (self.of == Counted::Messages).then(|| Statement::new(sql, params))
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

/// When the used-up ones among the limits have room again and what the last of them counts; `None` if
/// all have room now.
pub async fn used_up_until(
    db: &dyn Database,
    quotas: &[Quota],
) -> Result<Option<(UnixTime, Counted)>, DatabaseError> {
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
    let mut until: Option<(UnixTime, Counted)> = None;
    for (outcome, (quota, limit)) in db.batch(statements).await?.into_iter().zip(limits) {
        let Some(usage) = outcome.into_first::<Usage>()? else {
            continue;
        };
        if usage.count >= u64::from(limit.most) {
            let oldest = usage.oldest.map_or(quota.window_start, UnixTime::from_secs);
            let end = oldest.plus(limit.period);
            if until.is_none_or(|(latest, _)| end > latest) {
                until = Some((end, quota.of));
            }
        }
    }
    Ok(until)
}

/// Forgets windows no limit looks back to, at most so many.
pub fn purge(now: UnixTime, most: u32) -> Statement {
    let sql = "DELETE FROM send_counters WHERE (scope, window_start) IN
         (SELECT scope, window_start FROM send_counters WHERE window_start < ?1 LIMIT ?2)";
    Statement::new(sql, [now.minus(2 * DAY).into(), most.into()])
}
