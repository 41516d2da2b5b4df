//! Is the service fit to serve?

use crate::app::App;
use crate::domain::crypto::sealing::Vault;
use crate::error::Error;
use crate::storage::{accounts, schema};

/// Accounts of each key that are looked at.
const SAMPLE: u32 = 5;

/// Only if the database answers with the schema of this version, and `MASTER_KEYS` opens what is stored. That
/// the keys load is shown by there being an answer at all.
pub async fn check_health(app: &App) -> Result<(), Error> {
    schema::check(&*app.db)
        .await
        .map_err(|error| Error::Unavailable(error.into()))?;
    if opens_what_is_stored(app).await? {
        Ok(())
    } else {
        Err(Error::Unavailable(FOREIGN_KEYS.into()))
    }
}

const FOREIGN_KEYS: &str =
    "MASTER_KEYS does not open the accounts in this database: it was sealed with another key ring";

/// Whether the ring is the one the database was sealed with, as far as the oldest accounts of each key tell.
/// An account that nobody can read is a fault of its own; that none of a key can be read is the ring's.
async fn opens_what_is_stored(app: &App) -> Result<bool, Error> {
    let (db, keys) = (&*app.db, app.keys());
    let mut seen = false;
    for set in keys.iter() {
        let found = accounts::sealed_with(db, &set.id, 0, SAMPLE).await?;
        seen |= !found.is_empty();
        let opened: Vec<bool> = found
            .into_iter()
            .filter_map(|found| {
                let owner = &found.owner;
                found.stored.ok()?.account.opens(Vault { keys, owner })
            })
            .collect();
        if !opened.is_empty() && !opened.contains(&true) {
            return Ok(false);
        }
    }
    Ok(seen || !accounts::any(db).await?)
}
