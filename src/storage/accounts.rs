//! `accounts`: one row a user, changed by compare-and-swap only.

use serde::Deserialize;

use super::audit_log;
use super::clients;
use super::counters::Quota;
use super::idempotency_keys;
use super::passkeys;
use super::provider_pauses;
use super::statistics;
use super::webhook_deliveries;
use super::{first_version, turns};
use crate::domain::account::{Account, StateError};
use crate::domain::api_key::{ApiKey, KeyId};
use crate::domain::client::ClientState;
use crate::domain::crypto::digest::Digest;
use crate::domain::crypto::sealing::Vault;
use crate::domain::event::{Event, Scene};
use crate::domain::idempotency::Claim;
use crate::domain::ids::{ClientId, Owner, TokenEpoch, UserId};
use crate::domain::provider::Provider;
use crate::domain::scope::Scopes;
use crate::domain::statistics::Counted;
use crate::domain::time::UnixTime;
use crate::domain::webhook::Delivery;
use crate::error::Error;
use crate::platform::{Batch, Database, DatabaseError, Statement, Value};

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
    /// The API key that was shown, if the client has one of that id.
    pub key: Option<ApiKey>,
    pub stored: Option<Stored>,
}

/// What whoever asks showed, by the id it is stored under.
#[derive(Clone, Copy)]
pub enum Shown<'a> {
    Nothing,
    /// An access token's `jti`.
    Token(&'a str),
    Key(&'a KeyId),
}

/// Loads the client's state, whether that token was revoked or which key that is, and the account. `None`: no such
/// client.
pub async fn load(
    db: &dyn Database,
    owner: &Owner,
    shown: Shown<'_>,
) -> Result<Option<Loaded>, Error> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        settings: String,
        disabled_at: Option<i64>,
        token_epoch: TokenEpoch,
        accounts: u32,
        test_clock_ahead: Option<u64>,
        webhook: Option<String>,
        revoked: i64,
        version: Option<i64>,
        key_id: Option<String>,
        state: Option<String>,
        api_key: Option<KeyId>,
        api_key_name: Option<String>,
        digest: Option<String>,
        scopes: Option<String>,
        created_at: Option<UnixTime>,
        expires_at: Option<UnixTime>,
        last_used_at: Option<UnixTime>,
    }
    let sql = "SELECT c.name, c.settings, c.disabled_at, c.token_epoch, c.accounts, c.test_clock_ahead, c.webhook,
         EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?3) AS revoked, a.version, a.key_id, a.state,
         k.id AS api_key, k.name AS api_key_name, k.digest, k.scopes, k.created_at, k.expires_at, k.last_used_at
         FROM clients c LEFT JOIN accounts a ON a.client_id = c.client_id AND a.user_id = ?2
         LEFT JOIN api_keys k ON k.client_id = c.client_id AND k.id = ?4
         WHERE c.client_id = ?1 AND c.deleted_at IS NULL";
    let (jti, key) = match shown {
        Shown::Nothing => (None, None),
        Shown::Token(jti) => (Some(jti), None),
        Shown::Key(id) => (None, Some(id.as_str())),
    };
    let (client, user) = (owner.client.as_str(), owner.user.as_str());
    let params = [client.into(), user.into(), jti.into(), key.into()];
    let outcome = db.run(Statement::new(sql, params)).await?;
    let Some(row) = outcome.into_first::<Row>()? else {
        return Ok(None);
    };
    let stored = match (row.version, row.key_id, row.state) {
        (Some(version), Some(key_id), Some(state)) => Some(Stored {
            account: Account::from_stored(&state)?,
            read: Read { version, key_id },
        }),
        _ => None,
    };
    let key = match (row.api_key, row.digest, row.scopes, row.created_at) {
        (Some(id), Some(digest), Some(scopes), Some(created_at)) => Some(ApiKey {
            id,
            name: row.api_key_name.unwrap_or_default(),
            scopes: Scopes::from_stored(&scopes),
            digest: Digest::from_stored(digest),
            created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }),
        _ => None,
    };
    Ok(Some(Loaded {
        client: clients::state(
            row.name,
            &row.settings,
            row.disabled_at,
            row.token_epoch,
            row.accounts,
            row.test_clock_ahead,
            row.webhook.as_deref(),
        )?,
        token_revoked: row.revoked != 0,
        key,
        stored,
    }))
}

/// What one write of an account is made of.
pub struct Write<'a> {
    pub vault: Vault<'a>,
    /// The row it was decided on; `None` where there was none.
    pub read: Option<&'a Read>,
    pub account: Account,
    pub events: &'a [Noted],
    /// What the events do not say of it, for the statistics.
    pub counts: &'a [Counted],
    pub scene: Scene<'a>,
    /// Counted with it, and each a condition of it.
    pub quotas: &'a [Quota],
    /// Only while one of these, if there are any, has not asked for a pause.
    pub providers: &'a [Provider],
    /// What becomes of the notes whose passkeys are whose.
    pub passkeys: &'a PasskeyNote,
    pub by: Admission<'a>,
    /// Only while this request has its idempotency key.
    pub claim: Option<&'a Claim>,
}

/// Something that happened, and what the client's webhook is told of it.
pub struct Noted {
    pub event: Event,
    pub delivery: Option<Delivery>,
}

/// Records what happened, and puts into the outbox what is told of it, if the statement before changed one row. Each
/// of them changes one, which the next one goes by.
fn note_if_changed(scene: Scene<'_>, events: &[Noted]) -> impl Iterator<Item = Statement> {
    events.iter().flat_map(move |noted| {
        let record = audit_log::record_if_changed(scene, &noted.event);
        let delivery = noted.delivery.as_ref();
        let told = delivery.map(|it| webhook_deliveries::insert_if_changed(scene.client, it));
        [Some(record), told].into_iter().flatten()
    })
}

/// The same where nothing else is stored.
pub fn note(scene: Scene<'_>, events: &[Noted]) -> Vec<Statement> {
    let statements = events.iter().flat_map(|noted| {
        let record = audit_log::record(scene, &noted.event);
        let delivery = noted.delivery.as_ref();
        let told = delivery.map(|it| webhook_deliveries::insert(scene.client, it));
        [Some(record), told].into_iter().flatten()
    });
    statements.collect()
}

/// A change of whose passkey a credential is, by the digest of its id.
#[derive(Debug, Clone, Default)]
pub enum PasskeyNote {
    #[default]
    Unchanged,
    /// Only if nobody has it.
    Added(Digest),
    Removed(Digest),
    AllRemoved,
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

/// Stores the account, its events and its counters, or nothing at all: one batch. That it did not take place means that
/// another request changed the account first, or that a condition does not hold.
///
/// This is what makes parallel guesses count one by one, and a code, a message or a recovery code be
/// spent once: of all requests that decided on one version, one UPDATE hits.
pub fn swap(db: &dyn Database, write: &Write<'_>) -> Result<Batch, Error> {
    let new = write.read.is_none();
    let client = new.then(|| turns::of_client(&write.vault.owner.client));
    let scopes = write.quotas.iter().map(|quota| quota.scope().to_owned());
    let passkey = match write.passkeys {
        PasskeyNote::Added(digest) => Some(passkeys::scope(digest)),
        _ => None,
    };
    let key = write.claim.map(idempotency_keys::scope);
    let scopes = client.into_iter().chain(scopes).chain(passkey).chain(key);
    let turn = turns::take(db, scopes);
    let mut statements = vec![match write.read {
        None => insert(write)?,
        Some(read) => update(write, read)?,
    }];
    if new {
        statements.push(count_account(&write.vault.owner.client, 1));
    }
    let owner = write.vault.owner;
    if let PasskeyNote::Added(digest) = write.passkeys {
        statements.push(passkeys::insert_if_changed(owner, digest));
    }
    statements.extend(write.quotas.iter().map(Quota::count_if_changed));
    statements.extend(write.counts.iter().map(statistics::count_if_changed));
    statements.extend(note_if_changed(write.scene, write.events));
    match write.passkeys {
        PasskeyNote::Removed(digest) => {
            statements.push(passkeys::delete_if_changed(owner, Some(digest)));
        }
        PasskeyNote::AllRemoved => statements.push(passkeys::delete_if_changed(owner, None)),
        PasskeyNote::Unchanged | PasskeyNote::Added(_) => {}
    }
    Ok(after_turn(turn, statements))
}

/// A batch that took place if the first of the statements that follow the turn changed a row.
fn after_turn(turn: Option<Statement>, statements: Vec<Statement>) -> Batch {
    Batch {
        decided_by: Some(usize::from(turn.is_some())),
        statements: turn.into_iter().chain(statements).collect(),
    }
}

fn insert(write: &Write<'_>) -> Result<Statement, Error> {
    let sql = "INSERT INTO accounts (client_id, user_id, mfa_enabled, locked_until, state, key_id, created_at, updated_at, version)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8 WHERE 1 = 1";
    let (mut params, now) = (row(write)?, write.scene.now);
    params.extend([
        write.vault.keys.current().id.as_str().into(),
        now.into(),
        first_version()?.into(),
    ]);
    let mut statement = Statement::new(sql, params);
    conditions(write, &mut statement, true);
    statement.add(" ON CONFLICT DO NOTHING");
    Ok(statement)
}

/// The swap of an account that was there. It fails where one of its values does not open.
pub fn update(write: &Write<'_>, read: &Read) -> Result<Statement, Error> {
    let sql = "UPDATE accounts SET mfa_enabled = ?3, locked_until = ?4, state = ?5, version = version + 1";
    let mut statement = Statement::new(sql, row(write)?);
    statement.bind(", updated_at = ", write.scene.now);
    let key = &write.vault.keys.current().id;
    // Else the index on it would be written with every verification.
    if read.key_id != *key {
        statement.bind(", key_id = ", key.as_str());
    }
    let sql = " WHERE client_id = ?1 AND user_id = ?2 AND version = ";
    statement.bind(sql, read.version);
    conditions(write, &mut statement, false);
    Ok(statement)
}

/// The columns of a row that every write sets: ?1 to ?5.
fn row(write: &Write<'_>) -> Result<Vec<Value>, Error> {
    let (account, owner) = (&write.account, write.vault.owner);
    Ok(vec![
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        i64::from(account.mfa_enabled()).into(),
        account.locked_until(write.scene.now).into(),
        account.clone().into_stored(write.vault)?.into(),
    ])
}

fn conditions(write: &Write<'_>, statement: &mut Statement, new: bool) {
    write.by.guard(statement, new);
    for quota in write.quotas {
        quota.guard(statement);
    }
    provider_pauses::guard(write.providers, write.scene.now, statement);
    if let PasskeyNote::Added(digest) = write.passkeys {
        passkeys::guard(digest, statement);
    }
    if let Some(claim) = write.claim {
        idempotency_keys::guard(claim, statement);
    }
}

/// Counts the users of a client, if the statement before it changed one row.
fn count_account(client: &ClientId, by: i64) -> Statement {
    let sql = "UPDATE clients SET accounts = accounts + ?2 WHERE client_id = ?1 AND changes() = 1";
    Statement::new(sql, [client.as_str().into(), by.into()])
}

/// Deletes the user and everything about it but the record that it happened.
pub fn delete(
    db: &dyn Database,
    owner: &Owner,
    read: &Read,
    by: Admission<'_>,
    scene: Scene<'_>,
    events: &[Noted],
    claim: Option<&Claim>,
) -> Batch {
    let sql = "DELETE FROM accounts WHERE client_id = ?1 AND user_id = ?2 AND version = ?3";
    let params = [
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        read.version.into(),
    ];
    let mut account = Statement::new(sql, params);
    by.guard(&mut account, false);
    if let Some(claim) = claim {
        idempotency_keys::guard(claim, &mut account);
    }
    let mut statements = vec![account, count_account(&owner.client, -1)];
    statements.extend(note_if_changed(scene, events));
    statements.push(passkeys::delete_if_changed(owner, None));
    let key = claim.map(idempotency_keys::scope);
    let scopes = [turns::of_client(&owner.client)].into_iter().chain(key);
    after_turn(turns::take(db, scopes), statements)
}

/// An account found by its place among all, for whoever goes through them.
pub struct Found {
    pub id: i64,
    pub owner: Owner,
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
        owner: Owner {
            client: row.client_id,
            user: row.user_id,
        },
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

/// Carries out swaps of different accounts, each if nobody changed it first. How many were.
pub async fn swap_each(db: &dyn Database, swaps: Vec<Statement>) -> Result<u64, DatabaseError> {
    let outcomes = db.batch(swaps).await?;
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

/// How many accounts each key sealed, by key.
pub async fn count_by_key(db: &dyn Database) -> Result<Vec<(String, u64)>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        key_id: String,
        count: u64,
    }
    let sql = "SELECT key_id, COUNT(*) AS count FROM accounts GROUP BY key_id ORDER BY key_id";
    let rows: Vec<Row> = db.run(Statement::new(sql, [])).await?.into_rows()?;
    Ok(rows
        .into_iter()
        .map(|row| (row.key_id, row.count))
        .collect())
}

/// What the list of users says of one.
#[derive(Debug, Deserialize)]
pub struct Listed {
    pub user_id: UserId,
    pub mfa_enabled: i64,
    pub created_at: UnixTime,
    pub updated_at: UnixTime,
}

/// The next users of a client after that one, by id, of those whose id begins with `prefix`.
pub async fn list(
    db: &dyn Database,
    client: &ClientId,
    prefix: &str,
    after: &str,
    most: u32,
) -> Result<Vec<Listed>, DatabaseError> {
    let sql =
        "SELECT user_id, mfa_enabled, created_at, updated_at FROM accounts WHERE client_id = ?1";
    let mut statement = Statement::new(sql, [client.as_str().into()]);
    statement.bind(" AND user_id > ", after);
    if !prefix.is_empty() {
        statement.bind(" AND user_id >= ", prefix);
        // Ids are printable ASCII, all of which comes before DEL.
        statement.bind(" AND user_id < ", format!("{prefix}\u{7f}"));
    }
    statement.bind(" ORDER BY user_id LIMIT ", most);
    db.run(statement).await?.into_rows()
}

/// Whether there is any account at all.
pub async fn any(db: &dyn Database) -> Result<bool, DatabaseError> {
    let one = Statement::new("SELECT id FROM accounts LIMIT 1", []);
    Ok(!db.run(one).await?.rows.is_empty())
}
