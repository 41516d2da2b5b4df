//! `idempotency_keys`: what a client named its requests by, and what they were answered. A row is claimed before its
//! request is looked at, and its answer is stored in the transaction of what the request changes.

use serde::Deserialize;

use super::clients::Admitted;
use super::turns;
use crate::domain::idempotency::{Claim, Fingerprint, KEPT, LONGEST_REQUEST, Record};
use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement};

/// Takes the key, if nobody has it, if it was kept for long enough, or if its request was cut off before it changed
/// anything; and says what stands under it. `None`: the client, or its token, is not admitted.
pub async fn claim(
    db: &dyn Database,
    claim: &Claim,
    fingerprint: &Fingerprint,
    admitted: Admitted<'_>,
    now: UnixTime,
) -> Result<Option<Record>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        fingerprint: Option<String>,
        holder: Option<String>,
        started_at: Option<UnixTime>,
        acted: Option<i64>,
        answer: Option<String>,
    }
    let (client, name) = (claim.client.as_str(), claim.name.as_str());
    let sql = "INSERT INTO idempotency_keys (client_id, name, fingerprint, holder, started_at, acted)
         SELECT ?1, ?2, ?3, ?4, ?5, 0 FROM clients c WHERE c.client_id = ?1 AND c.deleted_at IS NULL";
    let params = [
        client.into(),
        name.into(),
        fingerprint.as_str().into(),
        claim.holder.as_str().into(),
        now.into(),
    ];
    let mut take = Statement::new(sql, params);
    admitted.guard(&mut take, now);
    let sql = " ON CONFLICT (client_id, name) DO UPDATE
         SET fingerprint = ?3, holder = ?4, started_at = ?5, acted = 0, answer = NULL
         WHERE idempotency_keys.started_at <= ";
    take.bind(sql, now.minus(KEPT));
    let sql = " OR (idempotency_keys.acted = 0 AND idempotency_keys.answer IS NULL
         AND idempotency_keys.started_at <= ";
    take.bind(sql, now.minus(LONGEST_REQUEST));
    take.add(")");
    let sql = "SELECT k.fingerprint, k.holder, k.started_at, k.acted, k.answer FROM
         (SELECT c.client_id FROM clients c WHERE c.client_id = ?1 AND c.deleted_at IS NULL";
    let mut look = Statement::new(sql, [client.into()]);
    admitted.guard(&mut look, now);
    let sql =
        ") admitted LEFT JOIN idempotency_keys k ON k.client_id = admitted.client_id AND k.name = ";
    look.bind(sql, name);
    let mut statements = Vec::from_iter(turns::take(db, [scope(claim)]));
    statements.extend([take, look]);
    let row = db.batch(statements).await?.pop().unwrap_or_default();
    let Some(row) = row.into_first::<Row>()? else {
        return Ok(None);
    };
    let record = match (row.fingerprint, row.holder, row.started_at) {
        (Some(fingerprint), Some(holder), Some(started_at)) => Some(Record {
            fingerprint,
            holder,
            started_at,
            acted: row.acted != Some(0),
            answer: row.answer,
        }),
        _ => None,
    };
    Ok(record)
}

/// What everybody takes turns in who takes this key, or stores something under it.
pub(super) fn scope(claim: &Claim) -> String {
    format!("key:{}:{}", claim.client.as_str(), claim.name.as_str())
}

/// Adds the condition that nobody took the key meanwhile.
pub fn guard(claim: &Claim, statement: &mut Statement) {
    let sql = " AND EXISTS (SELECT 1 FROM idempotency_keys WHERE client_id = ";
    statement.bind(sql, claim.client.as_str());
    statement.bind(" AND name = ", claim.name.as_str());
    statement.bind(" AND holder = ", claim.holder.as_str());
    statement.add(")");
}

/// When a statement takes place: always, or only if the one before it in its batch changed a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    IfChanged,
}

fn of_holder(sql: String, claim: &Claim, when: When) -> Statement {
    let params = [
        claim.client.as_str().into(),
        claim.name.as_str().into(),
        claim.holder.as_str().into(),
    ];
    let mut statement = Statement::new(sql, params);
    statement.add(" WHERE client_id = ?1 AND name = ?2 AND holder = ?3");
    if when == When::IfChanged {
        statement.add(" AND changes() = 1");
    }
    statement
}

/// Keeps the answer, which is sealed.
pub fn keep(claim: &Claim, answer: &str, when: When) -> Statement {
    let sql = "UPDATE idempotency_keys SET acted = 1, answer = ?4".to_owned();
    let mut statement = of_holder(sql, claim, when);
    statement.params.push(answer.into());
    statement
}

/// Keeps that something was done, before anybody knows how it ends.
pub fn mark(claim: &Claim, when: When) -> Statement {
    let sql = "UPDATE idempotency_keys SET acted = 1".to_owned();
    of_holder(sql, claim, when)
}

/// Gives the key back: the request may be sent again.
pub fn release(claim: &Claim, when: When) -> Statement {
    of_holder("DELETE FROM idempotency_keys".to_owned(), claim, when)
}

/// Gives the key back, unless something was stored under it.
pub fn release_unacted(claim: &Claim) -> Statement {
    let mut statement = release(claim, When::Always);
    statement.add(" AND acted = 0");
    statement
}

/// Forgets keys that were kept for long enough, at most so many.
pub fn purge(now: UnixTime, most: u32) -> Statement {
    let sql = "DELETE FROM idempotency_keys WHERE (client_id, name) IN
         (SELECT client_id, name FROM idempotency_keys WHERE started_at <= ?1 LIMIT ?2)";
    Statement::new(sql, [now.minus(KEPT).into(), most.into()])
}
