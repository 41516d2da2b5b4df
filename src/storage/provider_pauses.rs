//! `provider_pauses`: providers that asked to be left alone, and until when. Nobody's message goes to one
//! before.

use serde::Deserialize;

use crate::domain::provider::Provider;
use crate::domain::time::UnixTime;
use crate::platform::{Database, DatabaseError, Statement};

/// Notes a pause; of two the longer one holds.
pub async fn insert(
    db: &dyn Database,
    provider: Provider,
    until: UnixTime,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO provider_pauses (provider, until) VALUES (?1, ?2)
         ON CONFLICT (provider) DO UPDATE SET until = excluded.until WHERE excluded.until > provider_pauses.until";
    db.run(Statement::new(sql, [provider.name().into(), until.into()]))
        .await
        .map(drop)
}

/// One provider's pause.
#[derive(Deserialize)]
pub struct Pause {
    /// Its name.
    pub provider: String,
    pub until: UnixTime,
}

/// Those of these providers that have a pause at `now`, the one that ends first at the head.
pub async fn list(
    db: &dyn Database,
    providers: &[Provider],
    now: UnixTime,
) -> Result<Vec<Pause>, DatabaseError> {
    let mut statement =
        Statement::new("SELECT provider, until FROM provider_pauses WHERE TRUE", []);
    among(providers, now, &mut statement);
    statement.add(" ORDER BY until");
    db.run(statement).await?.into_rows()
}

/// When the first of the providers may be asked again, if all of them have a pause at `now`.
pub async fn all_until(
    db: &dyn Database,
    providers: &[Provider],
    now: UnixTime,
) -> Result<Option<UnixTime>, DatabaseError> {
    if providers.is_empty() {
        return Ok(None);
    }
    let pauses = list(db, providers, now).await?;
    let first = pauses.first().map(|pause| pause.until);
    Ok(first.filter(|_| pauses.len() == providers.len()))
}

/// Adds the condition that one of the providers has no pause, if there are any.
pub fn guard(providers: &[Provider], now: UnixTime, statement: &mut Statement) {
    if providers.is_empty() {
        return;
    }
    statement.add(" AND (SELECT COUNT(*) FROM provider_pauses WHERE TRUE");
    among(providers, now, statement);
    let count = i64::try_from(providers.len()).unwrap_or(i64::MAX);
    statement.bind(") < ", count);
}

fn among(providers: &[Provider], now: UnixTime, statement: &mut Statement) {
    statement.bind(" AND until > ", now);
    for (place, provider) in providers.iter().enumerate() {
        let sql = if place == 0 {
            " AND provider IN ("
        } else {
            ", "
        };
        statement.bind(sql, provider.name());
    }
    statement.add(")");
}
