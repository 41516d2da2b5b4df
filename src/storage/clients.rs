//! `clients`: the applications, which are the tenants.

use serde::Deserialize;

use super::api_keys;
use super::audit_log;
use super::auth_failures;
use super::passkeys;
use super::webhook_deliveries;
use super::{first_version, turns};
use crate::domain::api_key::KeyId;
use crate::domain::client::{Client, ClientState};
use crate::domain::crypto::digest::Digest;
use crate::domain::event::{Event, Scene};
use crate::domain::ids::{ClientId, TokenEpoch};
use crate::domain::settings::ClientSettings;
use crate::domain::time::UnixTime;
use crate::domain::webhook::Webhook;
use crate::error::Error;
use crate::platform::{Database, DatabaseError, Statement, Value};

/// A client as it was read. Its version is what `swap` compares.
pub struct Stored {
    pub client: Client,
    version: i64,
}

#[derive(Deserialize)]
struct Row {
    client_id: ClientId,
    name: String,
    settings: String,
    created_at: UnixTime,
    disabled_at: Option<UnixTime>,
    secret_digest: String,
    previous_secret_digest: Option<String>,
    previous_secret_expires_at: Option<UnixTime>,
    token_epoch: TokenEpoch,
    version: i64,
    test_clock_ahead: Option<u64>,
    webhook: Option<String>,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let client = Client {
            id: row.client_id,
            name: row.name,
            settings: settings(&row.settings)?,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            secret: Digest::from_stored(row.secret_digest),
            previous_secret: row
                .previous_secret_digest
                .map(Digest::from_stored)
                .zip(row.previous_secret_expires_at),
            token_epoch: row.token_epoch,
            test_clock_ahead: row.test_clock_ahead,
            webhook: row.webhook.as_deref().and_then(webhook),
        };
        let version = row.version;
        Ok(Self { client, version })
    }
}

fn settings(text: &str) -> Result<ClientSettings, Error> {
    let fields = serde_json::from_slice(text.as_bytes()).map_err(Error::internal)?;
    ClientSettings::from_stored(fields).map_err(Error::internal)
}

/// One that cannot be read keeps no user out: the client is told of nothing until it is set again.
pub(super) fn webhook(text: &str) -> Option<Webhook> {
    Webhook::from_stored(text)
        .inspect_err(|error| log::error!("a webhook cannot be read: {error}"))
        .ok()
}

/// What a request needs of its client, from the columns read with an account.
pub(super) fn state(
    name: String,
    settings_text: &str,
    disabled_at: Option<i64>,
    token_epoch: TokenEpoch,
    accounts: u32,
    test_clock_ahead: Option<u64>,
    webhook_text: Option<&str>,
) -> Result<ClientState, Error> {
    Ok(ClientState {
        name,
        settings: settings(settings_text)?.into_effective(),
        disabled: disabled_at.is_some(),
        token_epoch,
        accounts,
        is_for_tests: test_clock_ahead.is_some(),
        webhook: webhook_text.and_then(webhook),
    })
}

const SELECT: &str = "SELECT client_id, name, settings, created_at, disabled_at, secret_digest,
     previous_secret_digest, previous_secret_expires_at, token_epoch, version, test_clock_ahead, webhook FROM clients";

fn find_statement(id: &ClientId) -> Statement {
    let sql = format!("{SELECT} WHERE client_id = ?1 AND deleted_at IS NULL");
    Statement::new(sql, [id.as_str().into()])
}

/// The client; and how many wrong secrets there were of the bucket in this minute.
pub async fn find_with_failures(
    db: &dyn Database,
    id: &ClientId,
    bucket: u32,
    now: UnixTime,
) -> Result<(Option<Client>, u32), Error> {
    let batch = vec![find_statement(id), auth_failures::count(bucket, now)];
    let mut outcomes = db.batch(batch).await?.into_iter();
    let found = outcomes.next().unwrap_or_default().into_first::<Row>()?;
    let failures = auth_failures::counted(outcomes.next().unwrap_or_default())?;
    let stored = found.map(Stored::try_from).transpose()?;
    Ok((stored.map(|stored| stored.client), failures))
}

pub async fn find(db: &dyn Database, id: &ClientId) -> Result<Option<Stored>, Error> {
    db.run(find_statement(id))
        .await?
        .into_first::<Row>()?
        .map(TryInto::try_into)
        .transpose()
}

/// Every client, by id.
pub async fn list(db: &dyn Database) -> Result<Vec<Client>, Error> {
    let statement = Statement::new(
        format!("{SELECT} WHERE deleted_at IS NULL ORDER BY client_id LIMIT 1000"),
        [],
    );
    db.run(statement)
        .await?
        .into_rows::<Row>()?
        .into_iter()
        .map(|row| Stored::try_from(row).map(|stored| stored.client))
        .collect()
}

fn row_params(client: &Client, version: i64) -> Result<Vec<Value>, Error> {
    let webhook = client.webhook.as_ref().map(serde_json::to_string);
    let webhook = webhook.transpose().map_err(Error::internal)?;
    let (previous, previous_until) = match &client.previous_secret {
        Some((digest, until)) => (digest.as_hex().into(), (*until).into()),
        None => (Value::Null, Value::Null),
    };
    Ok(vec![
        client.id.as_str().into(),
        client.name.as_str().into(),
        serde_json::Value::Object(client.settings.fields().clone())
            .to_string()
            .into(),
        client.disabled_at.into(),
        client.secret.as_hex().into(),
        previous,
        previous_until,
        client.token_epoch.as_str().into(),
        version.into(),
        webhook.into(),
    ])
}

/// Seconds as SQL stores them.
fn seconds(seconds: u64) -> i64 {
    UnixTime::from_secs(seconds).as_sql()
}

/// Whose request is heard: a client's that is not disabled, by what it showed.
pub enum Admitted<'a> {
    /// A token of this epoch that is not revoked.
    Token { epoch: &'a TokenEpoch, jti: &'a str },
    /// An API key that is there and has not expired.
    Key { id: &'a KeyId, digest: &'a Digest },
}

impl Admitted<'_> {
    /// Adds the condition to a statement that reads `clients c`.
    pub(super) fn guard(&self, statement: &mut Statement, now: UnixTime) {
        statement.add(" AND c.disabled_at IS NULL AND ");
        match self {
            Self::Token { epoch, jti } => {
                statement.bind("c.token_epoch = ", epoch.as_str());
                let sql = " AND NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ";
                statement.bind(sql, *jti);
            }
            Self::Key { id, digest } => {
                let sql = "EXISTS (SELECT 1 FROM api_keys WHERE client_id = c.client_id AND id = ";
                statement.bind(sql, id.as_str());
                statement.bind(" AND digest = ", digest.as_hex());
                statement.bind(" AND (expires_at IS NULL OR expires_at > ", now);
                statement.add(")");
            }
        }
        statement.add(")");
    }
}

/// How many seconds the clock of a client is ahead, if it is a test client. `None`: there is no such client, or it is
/// not admitted.
pub async fn clock_ahead(
    db: &dyn Database,
    id: &ClientId,
    admitted: Option<Admitted<'_>>,
    now: UnixTime,
) -> Result<Option<Option<u64>>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        test_clock_ahead: Option<u64>,
    }
    let sql =
        "SELECT c.test_clock_ahead FROM clients c WHERE c.client_id = ?1 AND c.deleted_at IS NULL";
    let mut statement = Statement::new(sql, [id.as_str().into()]);
    if let Some(admitted) = admitted {
        admitted.guard(&mut statement, now);
    }
    let row: Option<Row> = db.run(statement).await?.into_first()?;
    Ok(row.map(|row| row.test_clock_ahead))
}

/// Puts the clock of a test client forward, if nobody did so first.
pub fn advance_clock(id: &ClientId, present: u64, next: u64) -> Statement {
    let sql = "UPDATE clients SET test_clock_ahead = ?3
         WHERE client_id = ?1 AND test_clock_ahead = ?2 AND deleted_at IS NULL";
    let params = [
        id.as_str().into(),
        seconds(present).into(),
        seconds(next).into(),
    ];
    Statement::new(sql, params)
}

/// `false` if a client of that id exists already.
pub async fn insert(
    db: &dyn Database,
    client: &Client,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, Error> {
    let sql = "INSERT INTO clients (client_id, name, settings, disabled_at, secret_digest,
         previous_secret_digest, previous_secret_expires_at, token_epoch, version, webhook, created_at, test_clock_ahead)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING";
    let mut params = row_params(client, first_version()?)?;
    params.push(client.created_at.into());
    params.push(client.test_clock_ahead.map(seconds).into());
    Ok(write(db, Statement::new(sql, params), scene, event).await?)
}

/// Stores a client that was changed. `false` if another request changed or deleted it first.
pub async fn swap(
    db: &dyn Database,
    stored: &Stored,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, Error> {
    let sql = "UPDATE clients SET name = ?2, settings = ?3, disabled_at = ?4, secret_digest = ?5,
         previous_secret_digest = ?6, previous_secret_expires_at = ?7, token_epoch = ?8,
         webhook = ?10, version = version + 1 WHERE client_id = ?1 AND version = ?9 AND deleted_at IS NULL";
    let params = row_params(&stored.client, stored.version)?;
    Ok(write(db, Statement::new(sql, params), scene, event).await?)
}

/// The clients that have a webhook.
pub async fn list_with_webhook(db: &dyn Database) -> Result<Vec<Stored>, Error> {
    let sql = format!("{SELECT} WHERE webhook IS NOT NULL AND deleted_at IS NULL");
    let rows: Vec<Row> = db.run(Statement::new(sql, [])).await?.into_rows()?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Stores the webhook of a client as it is but sealed anew, unless somebody changed the client first.
pub fn reseal_webhook(stored: &Stored, webhook: &Webhook) -> Result<Statement, Error> {
    let sql = "UPDATE clients SET webhook = ?3, version = version + 1
         WHERE client_id = ?1 AND version = ?2 AND deleted_at IS NULL";
    let text = serde_json::to_string(webhook).map_err(Error::internal)?;
    let params = [
        stored.client.id.as_str().into(),
        stored.version.into(),
        text.into(),
    ];
    Ok(Statement::new(sql, params))
}

async fn write(
    db: &dyn Database,
    statement: Statement,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let outcomes = db
        .batch(vec![statement, audit_log::record_if_changed(scene, event)])
        .await?;
    Ok(outcomes.first().is_some_and(|outcome| outcome.changes == 1))
}

/// Marks the client as one that is being deleted: from now on there is no such client, and nobody is given
/// its id, until `forget` found no user of it left. `false` if there was none.
pub async fn mark_deleted(
    db: &dyn Database,
    id: &ClientId,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, Error> {
    let sql = "UPDATE clients SET deleted_at = ?2, token_epoch = ?3, version = version + 1
         WHERE client_id = ?1 AND deleted_at IS NULL";
    // What is under way for the client carries the epoch that ends here, so it does not come after.
    let epoch = TokenEpoch::draw()?;
    let params = [id.as_str().into(), scene.now.into(), epoch.as_str().into()];
    Ok(write(db, Statement::new(sql, params), scene, event).await?)
}

/// Clients that are being deleted.
pub async fn list_deleted(db: &dyn Database) -> Result<Vec<ClientId>, DatabaseError> {
    #[derive(Deserialize)]
    struct Row {
        client_id: ClientId,
    }
    let sql = "SELECT client_id FROM clients WHERE deleted_at IS NOT NULL LIMIT 100";
    let rows: Vec<Row> = db.run(Statement::new(sql, [])).await?.into_rows()?;
    Ok(rows.into_iter().map(|row| row.client_id).collect())
}

/// Deletes at most so many users of a client that is being deleted, and as many of its idempotency keys, and the
/// client with the last of them (TEN-09). Whether it is gone.
pub async fn forget(db: &dyn Database, id: &ClientId, most: u32) -> Result<bool, DatabaseError> {
    let users =
        "DELETE FROM accounts WHERE id IN (SELECT id FROM accounts WHERE client_id = ?1 LIMIT ?2)
         AND EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL)";
    let keys = "DELETE FROM idempotency_keys WHERE (client_id, name) IN
         (SELECT client_id, name FROM idempotency_keys WHERE client_id = ?1 LIMIT ?2)
         AND EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL)";
    let messages = "DELETE FROM test_messages WHERE client_id = ?1
         AND EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL)";
    let client = "DELETE FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM accounts WHERE client_id = ?1)
         AND NOT EXISTS (SELECT 1 FROM passkeys WHERE client_id = ?1)
         AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE client_id = ?1)
         AND NOT EXISTS (SELECT 1 FROM idempotency_keys WHERE client_id = ?1)";
    // Else a user who is just being added would stay behind without a client.
    let mut statements = Vec::from_iter(turns::take(db, [turns::of_client(id)]));
    statements.push(Statement::new(users, [id.as_str().into(), most.into()]));
    statements.push(passkeys::forget(id, most));
    // While the client is there to be found deleted, and its turn is held.
    statements.push(api_keys::delete_all(id));
    statements.push(Statement::new(keys, [id.as_str().into(), most.into()]));
    statements.push(Statement::new(messages, [id.as_str().into()]));
    statements.push(webhook_deliveries::forget(id, most));
    statements.push(Statement::new(client, [id.as_str().into()]));
    let outcomes = db.batch(statements).await?;
    Ok(outcomes.last().is_some_and(|outcome| outcome.changes == 1))
}
