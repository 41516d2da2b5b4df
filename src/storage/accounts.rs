//! `accounts`: one row a user, changed by compare-and-swap only.

use serde::Deserialize;

use super::audit_log::{self, Event, Scene};
use super::clients::ClientState;
use super::first_version;
use super::send_counters::Quota;
use crate::domain::account::{Account, StateError};
use crate::domain::ids::{ClientId, Owner, TokenEpoch, UserId};
use crate::domain::keys::KeyRing;
use crate::error::Error;
use crate::platform::{Database, DatabaseError, Statement, Value};

/// An account as it was read. Its version is what `swap` compares.
pub struct Stored {
    pub account: Account,
    version: i64,
}

/// All one request needs to know, read by one statement.
pub struct Loaded {
    pub client: ClientState,
    pub token_revoked: bool,
    pub stored: Option<Stored>,
}

/// Loads the client's state, whether the token was revoked, and the account. `None`: no such client.
pub async fn load(
    db: &dyn Database,
    client: &ClientId,
    user: &UserId,
    jti: &str,
) -> Result<Option<Loaded>, Error> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        settings: String,
        disabled_at: Option<i64>,
        token_epoch: TokenEpoch,
        revoked: i64,
        version: Option<i64>,
        state: Option<String>,
    }
    let sql = "SELECT c.name, c.settings, c.disabled_at, c.token_epoch,
         EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?3) AS revoked, a.version, a.state
         FROM clients c LEFT JOIN accounts a ON a.client_id = c.client_id AND a.user_id = ?2
         WHERE c.client_id = ?1";
    let params = [client.as_str().into(), user.as_str().into(), jti.into()];
    let Some(row) = db
        .run(Statement::new(sql, params))
        .await?
        .into_first::<Row>()?
    else {
        return Ok(None);
    };
    let stored = match (row.version, row.state) {
        (Some(version), Some(state)) => Some(Stored {
            account: Account::from_stored(&state)?,
            version,
        }),
        _ => None,
    };
    Ok(Some(Loaded {
        client: ClientState::from_columns(
            row.name,
            &row.settings,
            row.disabled_at,
            row.token_epoch,
        )?,
        token_revoked: row.revoked != 0,
        stored,
    }))
}

/// The account and its client, for a caller that has no token: the QR link and the operator.
pub async fn find(db: &dyn Database, owner: Owner<'_>) -> Result<Option<Loaded>, Error> {
    load(db, owner.client, owner.user, "").await
}

/// What one write is made of.
pub struct Change<'a> {
    pub owner: Owner<'a>,
    pub keys: &'a KeyRing,
    /// The version it was decided on; `None` where there was no account.
    pub version: Option<i64>,
    pub account: Account,
    pub events: &'a [Event],
    pub scene: Scene<'a>,
    /// Counted with it, and each a condition of it.
    pub quotas: &'a [Quota],
}

impl Stored {
    pub fn version(&self) -> i64 {
        self.version
    }
}

/// Stores the account, its events and its counters, or nothing at all: one batch. `false` means that
/// another request changed the account first, or that a quota is used up.
///
/// This is what makes parallel guesses count one by one, and a code, a message or a recovery code be
/// spent once: of all requests that decided on one version, one UPDATE hits.
pub async fn swap(db: &dyn Database, change: Change<'_>) -> Result<bool, Error> {
    let mut statements = vec![account_statement(&change)?];
    statements.extend(change.quotas.iter().map(Quota::count_if_changed));
    statements.extend(
        change
            .events
            .iter()
            .map(|event| audit_log::record_if_changed(change.scene, event)),
    );
    let outcomes = db.batch(statements).await?;
    Ok(outcomes.first().is_some_and(|outcome| outcome.changes == 1))
}

fn account_statement(change: &Change<'_>) -> Result<Statement, Error> {
    let (account, owner, now) = (&change.account, change.owner, change.scene.now);
    let mut params: Vec<Value> = vec![
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        i64::from(account.mfa_enabled()).into(),
        account.locked_until(now).into(),
        change.keys.current().id.as_str().into(),
        account.clone().into_stored(change.keys, owner)?.into(),
        now.into(),
    ];
    let sql = match change.version {
        None => {
            params.push(first_version()?.into());
            "INSERT INTO accounts (client_id, user_id, mfa_enabled, locked_until, key_id, state, created_at, updated_at, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8) ON CONFLICT DO NOTHING"
                .to_owned()
        }
        Some(version) => {
            params.push(version.into());
            let mut sql =
                "UPDATE accounts SET mfa_enabled = ?3, locked_until = ?4, key_id = ?5, state = ?6,
                 updated_at = ?7, version = version + 1
                 WHERE client_id = ?1 AND user_id = ?2 AND version = ?8"
                    .to_owned();
            for quota in change.quotas {
                quota.guard(&mut sql, &mut params);
            }
            sql
        }
    };
    Ok(Statement::new(sql, params))
}

/// Deletes the user and everything about it but the record that it happened.
pub async fn delete(
    db: &dyn Database,
    owner: Owner<'_>,
    version: i64,
    scene: Scene<'_>,
    events: &[Event],
) -> Result<bool, DatabaseError> {
    let sql = "DELETE FROM accounts WHERE client_id = ?1 AND user_id = ?2 AND version = ?3";
    let params = [
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        version.into(),
    ];
    let mut statements = vec![Statement::new(sql, params)];
    statements.extend(
        events
            .iter()
            .map(|event| audit_log::record_if_changed(scene, event)),
    );
    let outcomes = db.batch(statements).await?;
    Ok(outcomes.first().is_some_and(|outcome| outcome.changes == 1))
}

/// Some accounts whose values are sealed with another key than the current one. One that cannot be
/// read is said to be so, and keeps no other back.
pub async fn sealed_with_other_keys(
    db: &dyn Database,
    key_id: &str,
    most: u32,
) -> Result<Vec<(ClientId, UserId, Result<Stored, StateError>)>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        client_id: ClientId,
        user_id: UserId,
        version: i64,
        state: String,
    }
    // Two ranges of the index on key_id; `<>` would read every account at every run.
    let sql = "SELECT client_id, user_id, version, state FROM accounts WHERE key_id < ?1
         UNION ALL
         SELECT client_id, user_id, version, state FROM accounts WHERE key_id > ?1
         LIMIT ?2";
    let rows: Vec<Row> = db
        .run(Statement::new(sql, [key_id.into(), most.into()]))
        .await?
        .into_rows()?;
    let read = |row: Row| {
        let stored = Account::from_stored(&row.state).map(|account| Stored {
            account,
            version: row.version,
        });
        (row.client_id, row.user_id, stored)
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Fails unless the database answers and has the columns this version works with.
pub async fn check_schema(db: &dyn Database) -> Result<(), DatabaseError> {
    let probe = |sql: &'static str| Statement::new(sql, []);
    let tables = vec![
        probe("SELECT version, key_id, state FROM accounts LIMIT 0"),
        probe("SELECT previous_secret_digest, settings, token_epoch, version FROM clients LIMIT 0"),
        probe("SELECT scope, window_start, count FROM send_counters LIMIT 0"),
        probe("SELECT jti, expires_at FROM revoked_tokens LIMIT 0"),
        probe("SELECT event, outcome, detail FROM audit_log LIMIT 0"),
    ];
    db.batch(tables).await.map(drop)
}
