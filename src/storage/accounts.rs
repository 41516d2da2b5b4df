//! `accounts`: one row a user, changed by compare-and-swap only.

use serde::Deserialize;

use super::audit_log::{self, Event, Scene};
use super::clients::ClientState;
use super::first_version;
use super::provider_pauses;
use super::send_counters::Quota;
use crate::domain::account::{Account, StateError};
use crate::domain::crypto::keys::KeyRing;
use crate::domain::ids::{ClientId, Owner, TokenEpoch, UserId};
use crate::domain::method::Provider;
use crate::error::Error;
use crate::platform::{Database, DatabaseError, Statement, Value};

/// An account as it was read. Its version is what `swap` compares.
pub struct Stored {
    pub account: Account,
    pub read: Read,
}

/// What a row said beside its account.
#[derive(Debug, Clone)]
pub struct Read {
    version: i64,
    /// The key its values are sealed with.
    key_id: String,
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
        accounts: u32,
        version: Option<i64>,
        key_id: Option<String>,
        state: Option<String>,
    }
    let sql = "SELECT c.name, c.settings, c.disabled_at, c.token_epoch, c.accounts,
         EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?3) AS revoked, a.version, a.key_id, a.state
         FROM clients c LEFT JOIN accounts a ON a.client_id = c.client_id AND a.user_id = ?2
         WHERE c.client_id = ?1 AND c.deleted_at IS NULL";
    let params = [client.as_str().into(), user.as_str().into(), jti.into()];
    let Some(row) = db
        .run(Statement::new(sql, params))
        .await?
        .into_first::<Row>()?
    else {
        return Ok(None);
    };
    let stored = match (row.version, row.key_id, row.state) {
        (Some(version), Some(key_id), Some(state)) => Some(Stored {
            account: Account::from_stored(&state)?,
            read: Read { version, key_id },
        }),
        _ => None,
    };
    Ok(Some(Loaded {
        client: ClientState::from_columns(
            row.name,
            &row.settings,
            row.disabled_at,
            row.token_epoch,
            row.accounts,
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
    /// The row it was decided on; `None` where there was none.
    pub read: Option<&'a Read>,
    pub account: Account,
    pub events: &'a [Event],
    pub scene: Scene<'a>,
    /// Counted with it, and each a condition of it.
    pub quotas: &'a [Quota],
    /// Only while this provider has not asked for a pause.
    pub provider: Option<Provider>,
    pub by: Admission<'a>,
}

/// For whom a write is carried out, which is one more condition of it: what was decided for a client
/// must not take effect once that client is disabled, deleted, or made again under the same id.
#[derive(Clone, Copy)]
pub enum Admission<'a> {
    /// A client whose tokens are still of this epoch.
    Client {
        epoch: &'a TokenEpoch,
        /// How many accounts it may have.
        most: u32,
    },
    /// The operator.
    Operator,
}

impl Admission<'_> {
    /// Adds the condition to a statement whose ?1 is the client. `new`: whether it adds an account.
    fn guard(self, statement: &mut Statement, new: bool) {
        let Self::Client { epoch, most } = self else {
            return;
        };
        let sql = " AND EXISTS (SELECT 1 FROM clients c WHERE c.client_id = ?1
             AND c.disabled_at IS NULL AND c.deleted_at IS NULL AND c.token_epoch = ";
        statement.bind(sql, epoch.as_str());
        if new {
            statement.bind(" AND c.accounts < ", most);
        }
        statement.add(")");
    }
}

/// Stores the account, its events and its counters, or nothing at all: one batch. `false` means that
/// another request changed the account first, or that a condition does not hold.
///
/// This is what makes parallel guesses count one by one, and a code, a message or a recovery code be
/// spent once: of all requests that decided on one version, one UPDATE hits.
pub async fn swap(db: &dyn Database, change: Change<'_>) -> Result<bool, Error> {
    let mut statements = vec![match change.read {
        None => insert(&change)?,
        Some(read) => update(&change, read)?,
    }];
    if change.read.is_none() {
        statements.push(count_account(change.owner.client, 1));
    }
    statements.extend(change.quotas.iter().map(Quota::count_if_changed));
    statements.extend(
        change
            .events
            .iter()
            .map(|event| audit_log::record_if_changed(change.scene, event)),
    );
    hit(db, statements).await.map_err(Error::from)
}

/// Whether the first statement of the batch changed a row.
async fn hit(db: &dyn Database, statements: Vec<Statement>) -> Result<bool, DatabaseError> {
    let outcomes = db.batch(statements).await?;
    Ok(outcomes.first().is_some_and(|outcome| outcome.changes == 1))
}

fn insert(change: &Change<'_>) -> Result<Statement, Error> {
    let sql = "INSERT INTO accounts (client_id, user_id, mfa_enabled, locked_until, state, key_id, created_at, updated_at, version)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8 WHERE 1 = 1";
    let (mut params, now) = (row(change)?, change.scene.now);
    params.extend([
        change.keys.current().id.as_str().into(),
        now.into(),
        first_version()?.into(),
    ]);
    let mut statement = Statement::new(sql, params);
    conditions(change, &mut statement, true);
    statement.add(" ON CONFLICT DO NOTHING");
    Ok(statement)
}

fn update(change: &Change<'_>, read: &Read) -> Result<Statement, Error> {
    let sql = "UPDATE accounts SET mfa_enabled = ?3, locked_until = ?4, state = ?5, version = version + 1";
    let mut statement = Statement::new(sql, row(change)?);
    statement.bind(", updated_at = ", change.scene.now);
    let key = &change.keys.current().id;
    // Else the index on it would be written with every verification.
    if read.key_id != *key {
        statement.bind(", key_id = ", key.as_str());
    }
    let sql = " WHERE client_id = ?1 AND user_id = ?2 AND version = ";
    statement.bind(sql, read.version);
    conditions(change, &mut statement, false);
    Ok(statement)
}

/// The columns of a row that every write sets: ?1 to ?5.
fn row(change: &Change<'_>) -> Result<Vec<Value>, Error> {
    let (account, owner) = (&change.account, change.owner);
    Ok(vec![
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        i64::from(account.mfa_enabled()).into(),
        account.locked_until(change.scene.now).into(),
        account.clone().into_stored(change.keys, owner)?.into(),
    ])
}

fn conditions(change: &Change<'_>, statement: &mut Statement, new: bool) {
    change.by.guard(statement, new);
    for quota in change.quotas {
        quota.guard(statement);
    }
    if let Some(provider) = change.provider {
        provider_pauses::guard(provider, change.scene.now, statement);
    }
}

/// Counts the users of a client, if the statement before it changed one row.
fn count_account(client: &ClientId, by: i64) -> Statement {
    let sql = "UPDATE clients SET accounts = accounts + ?2 WHERE client_id = ?1 AND changes() = 1";
    Statement::new(sql, [client.as_str().into(), by.into()])
}

/// Deletes the user and everything about it but the record that it happened.
pub async fn delete(
    db: &dyn Database,
    owner: Owner<'_>,
    read: &Read,
    by: Admission<'_>,
    scene: Scene<'_>,
    events: &[Event],
) -> Result<bool, DatabaseError> {
    let sql = "DELETE FROM accounts WHERE client_id = ?1 AND user_id = ?2 AND version = ?3";
    let params = [
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        read.version.into(),
    ];
    let mut account = Statement::new(sql, params);
    by.guard(&mut account, false);
    let mut statements = vec![account, count_account(owner.client, -1)];
    statements.extend(
        events
            .iter()
            .map(|event| audit_log::record_if_changed(scene, event)),
    );
    hit(db, statements).await
}

/// An account found by its place among all, for whoever goes through them.
pub struct Found {
    pub id: i64,
    pub client: ClientId,
    pub user: UserId,
    /// One that cannot be read is said to be so, and keeps no other back.
    pub stored: Result<Stored, StateError>,
}

/// The next accounts after the place `after` whose values are sealed with that key.
pub async fn sealed_with(
    db: &dyn Database,
    key_id: &str,
    after: i64,
    most: u32,
) -> Result<Vec<Found>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        id: i64,
        client_id: ClientId,
        user_id: UserId,
        version: i64,
        state: String,
    }
    let sql = "SELECT id, client_id, user_id, version, state FROM accounts
         WHERE key_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let params = [key_id.into(), after.into(), most.into()];
    let rows: Vec<Row> = db.run(Statement::new(sql, params)).await?.into_rows()?;
    let found = |row: Row| Found {
        id: row.id,
        client: row.client_id,
        user: row.user_id,
        stored: Account::from_stored(&row.state).map(|account| Stored {
            account,
            read: Read {
                version: row.version,
                key_id: key_id.to_owned(),
            },
        }),
    };
    Ok(rows.into_iter().map(found).collect())
}

/// Stores accounts as they were read, sealed with the current key: each if nobody changed it first.
/// Nothing else of a row moves, so nobody can tell. How many were.
pub async fn store_resealed(
    db: &dyn Database,
    key_id: &str,
    accounts: Vec<(i64, Read, String)>,
) -> Result<u64, DatabaseError> {
    let sql = "UPDATE accounts SET state = ?3, key_id = ?4, version = version + 1 WHERE id = ?1 AND version = ?2";
    let statement = |(id, read, state): (i64, Read, String)| {
        let version = read.version;
        Statement::new(
            sql,
            [id.into(), version.into(), state.into(), key_id.into()],
        )
    };
    let outcomes = db
        .batch(accounts.into_iter().map(statement).collect())
        .await?;
    Ok(outcomes.iter().map(|outcome| outcome.changes).sum())
}

/// How many accounts are sealed with another key than that one, by key.
pub async fn count_sealed_with_others(
    db: &dyn Database,
    key_id: &str,
) -> Result<Vec<(String, u64)>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        key_id: String,
        count: u64,
    }
    // Two ranges of the index on key_id; `<>` would read every account at every run.
    let sql = "SELECT key_id, COUNT(*) AS count FROM accounts WHERE key_id < ?1 GROUP BY key_id
         UNION ALL
         SELECT key_id, COUNT(*) AS count FROM accounts WHERE key_id > ?1 GROUP BY key_id";
    let rows: Vec<Row> = db
        .run(Statement::new(sql, [key_id.into()]))
        .await?
        .into_rows()?;
    Ok(rows
        .into_iter()
        .map(|row| (row.key_id, row.count))
        .collect())
}

/// Whether there is any account at all.
pub async fn any(db: &dyn Database) -> Result<bool, DatabaseError> {
    let one = Statement::new("SELECT id FROM accounts LIMIT 1", []);
    Ok(!db.run(one).await?.rows.is_empty())
}

/// Fails unless the database answers and has the columns this version works with.
pub async fn check_schema(db: &dyn Database) -> Result<(), DatabaseError> {
    let probe = |sql: &'static str| Statement::new(sql, []);
    let tables = vec![
        probe("SELECT id, version, key_id, state FROM accounts LIMIT 0"),
        probe(
            "SELECT previous_secret_digest, token_epoch, accounts, deleted_at FROM clients LIMIT 0",
        ),
        probe("SELECT scope, window_start, count FROM send_counters LIMIT 0"),
        probe("SELECT jti, expires_at FROM revoked_tokens LIMIT 0"),
        probe("SELECT event, outcome, detail FROM audit_log LIMIT 0"),
        probe("SELECT bucket, minute, count FROM auth_failures LIMIT 0"),
        probe("SELECT provider, until FROM provider_pauses LIMIT 0"),
    ];
    db.batch(tables).await.map(drop)
}
