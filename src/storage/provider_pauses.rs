//! `provider_pauses`: providers that asked to be left alone, and until when. Nobody's message goes to one
//! before.

use serde::Deserialize;

use crate::domain::method::Provider;
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

/// The end of the provider's pause, if it has one at `now`.
pub async fn find(
    db: &dyn Database,
    provider: Provider,
    now: UnixTime,
) -> Result<Option<UnixTime>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        until: UnixTime,
    }
    let sql = "SELECT until FROM provider_pauses WHERE provider = ?1 AND until > ?2";
    let params = [provider.name().into(), now.into()];
    let row = db.run(Statement::new(sql, params)).await?;
    Ok(row.into_first::<Row>()?.map(|row| row.until))
}

/// Adds the condition that the provider has no pause.
pub fn guard(provider: Provider, now: UnixTime, statement: &mut Statement) {
    let sql = " AND NOT EXISTS (SELECT 1 FROM provider_pauses WHERE provider = ";
    statement.bind(sql, provider.name());
    statement.bind(" AND until > ", now);
    statement.add(")");
}
