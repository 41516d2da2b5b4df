//! `clients`: the applications, which are the tenants.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::audit_log::{self, Event, Scene};
use super::auth_failures;
use super::first_version;
use crate::config::Origin;
use crate::domain::crypto::digest::{self, Digest};
use crate::domain::crypto::random::{self, RandomError};
use crate::domain::ids::{ClientId, TokenEpoch};
use crate::domain::settings::Settings;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::platform::{Database, DatabaseError, Statement, Value};

/// What a request needs to know of its client.
#[derive(Debug, Clone)]
pub struct ClientState {
    pub name: String,
    pub settings: Settings,
    pub disabled: bool,
    /// Tokens that carry another one are dead.
    pub token_epoch: TokenEpoch,
    /// How many users it has.
    pub accounts: u32,
}

impl ClientState {
    pub(super) fn from_columns(
        name: String,
        settings: &str,
        disabled_at: Option<i64>,
        token_epoch: TokenEpoch,
        accounts: u32,
    ) -> Result<Self, Error> {
        let fields = serde_json::from_slice(settings.as_bytes()).map_err(Error::internal)?;
        let settings = Settings::from_stored(fields).map_err(Error::internal)?;
        Ok(Self {
            name,
            settings,
            disabled: disabled_at.is_some(),
            token_epoch,
            accounts,
        })
    }

    /// The name people see: in their authenticator app and in messages.
    pub fn issuer(&self) -> &str {
        self.settings
            .issuer
            .as_ref()
            .map_or(&self.name, |issuer| issuer.as_str())
    }

    /// The host SMS codes are bound to.
    pub fn sms_domain<'a>(&'a self, own: &'a Origin) -> &'a str {
        self.settings
            .sms_domain
            .as_ref()
            .map_or(own.host(), |domain| domain.as_str())
    }
}

/// A client as the operator sees and changes it.
#[derive(Debug, Clone)]
pub struct Client {
    pub id: ClientId,
    pub name: String,
    /// What was set, and only that.
    pub settings: serde_json::Map<String, serde_json::Value>,
    pub created_at: UnixTime,
    pub disabled_at: Option<UnixTime>,
    secret: Digest,
    previous_secret: Option<(Digest, UnixTime)>,
    token_epoch: TokenEpoch,
    version: i64,
}

/// A client secret, in the one moment it is known: 256 bits, with a prefix secret scanners find.
pub struct ClientSecret(String);

impl ClientSecret {
    pub fn draw() -> Result<Self, RandomError> {
        let bytes: [u8; 32] = random::bytes()?;
        Ok(Self(format!("cnd_{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    pub fn reveal(self) -> String {
        self.0
    }

    fn digest(&self, id: &ClientId) -> Digest {
        digest_of(id, &self.0)
    }
}

fn digest_of(id: &ClientId, secret: &str) -> Digest {
    digest::plain(
        "candado/client-secret/v1",
        &[id.as_str().as_bytes(), secret.as_bytes()],
    )
}

impl Client {
    pub fn new(
        id: ClientId,
        name: String,
        settings: serde_json::Map<String, serde_json::Value>,
        secret: &ClientSecret,
        now: UnixTime,
    ) -> Result<Self, RandomError> {
        let secret = secret.digest(&id);
        Ok(Self {
            id,
            name,
            settings,
            created_at: now,
            disabled_at: None,
            secret,
            previous_secret: None,
            token_epoch: TokenEpoch::draw()?,
            version: first_version()?,
        })
    }

    /// Disabled or not. Disabling ends every token for good, not only while it lasts (TOK-15).
    pub fn set_disabled(&mut self, disabled: bool, now: UnixTime) -> Result<(), RandomError> {
        if !disabled {
            self.disabled_at = None;
        } else if self.disabled_at.is_none() {
            self.disabled_at = Some(now);
            self.token_epoch = TokenEpoch::draw()?;
        }
        Ok(())
    }

    /// Gives the client a new secret; the present one works for `overlap` seconds more (TOK-08).
    /// Without overlap it dies now, and the tokens it was good for with it.
    pub fn rotate_secret(
        &mut self,
        secret: &ClientSecret,
        overlap: u64,
        now: UnixTime,
    ) -> Result<(), RandomError> {
        let present = std::mem::replace(&mut self.secret, secret.digest(&self.id));
        if overlap == 0 {
            self.previous_secret = None;
            self.token_epoch = TokenEpoch::draw()?;
        } else {
            self.previous_secret = Some((present, now.plus(overlap)));
        }
        Ok(())
    }

    /// Both digests are compared, whichever matches.
    fn accepts(&self, presented: &Digest, now: UnixTime) -> bool {
        let current = self.secret.matches(presented);
        let previous = self.previous_secret.as_ref();
        let overlapping =
            previous.is_some_and(|(digest, until)| digest.matches(presented) && now < *until);
        current || overlapping
    }
}

/// Whether `secret` is the client's, and what its tokens then carry; and how many wrong ones there were of
/// the bucket in this minute. The digest is made before it is known whether there is such a client, so that
/// one that does not exist takes as long (TOK-04).
pub async fn authenticate(
    db: &dyn Database,
    id: &ClientId,
    secret: &str,
    bucket: u32,
    now: UnixTime,
) -> Result<(Option<TokenEpoch>, u32), Error> {
    let presented = digest_of(id, secret);
    let batch = vec![find_statement(id), auth_failures::count(bucket, now)];
    let mut outcomes = db.batch(batch).await?.into_iter();
    let found = outcomes.next().unwrap_or_default();
    let wrong = auth_failures::counted(outcomes.next().unwrap_or_default())?;
    let client = found
        .into_first::<Row>()?
        .map(Client::try_from)
        .transpose()?;
    let epoch = client
        .filter(|client| client.accepts(&presented, now) & client.disabled_at.is_none())
        .map(|client| client.token_epoch);
    Ok((epoch, wrong))
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
}

impl TryFrom<Row> for Client {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.client_id,
            name: row.name,
            settings: serde_json::from_slice(row.settings.as_bytes()).map_err(Error::internal)?,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            secret: Digest::from_stored(row.secret_digest),
            previous_secret: row
                .previous_secret_digest
                .map(Digest::from_stored)
                .zip(row.previous_secret_expires_at),
            token_epoch: row.token_epoch,
            version: row.version,
        })
    }
}

const SELECT: &str = "SELECT client_id, name, settings, created_at, disabled_at, secret_digest,
     previous_secret_digest, previous_secret_expires_at, token_epoch, version FROM clients";

fn find_statement(id: &ClientId) -> Statement {
    let sql = format!("{SELECT} WHERE client_id = ?1 AND deleted_at IS NULL");
    Statement::new(sql, [id.as_str().into()])
}

pub async fn find(db: &dyn Database, id: &ClientId) -> Result<Option<Client>, Error> {
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
        .map(TryInto::try_into)
        .collect()
}

fn row_params(client: &Client) -> Vec<Value> {
    let (previous, previous_until) = match &client.previous_secret {
        Some((digest, until)) => (digest.as_hex().into(), (*until).into()),
        None => (Value::Null, Value::Null),
    };
    vec![
        client.id.as_str().into(),
        client.name.as_str().into(),
        serde_json::Value::Object(client.settings.clone())
            .to_string()
            .into(),
        client.disabled_at.into(),
        client.secret.as_hex().into(),
        previous,
        previous_until,
        client.token_epoch.as_str().into(),
        client.version.into(),
    ]
}

/// `false` if a client of that id exists already.
pub async fn insert(
    db: &dyn Database,
    client: &Client,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO clients (client_id, name, settings, disabled_at, secret_digest,
         previous_secret_digest, previous_secret_expires_at, token_epoch, version, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
    let mut params = row_params(client);
    params.push(client.created_at.into());
    write(db, Statement::new(sql, params), scene, event).await
}

/// Stores a client that was changed. `false` if another request changed or deleted it first.
pub async fn swap(
    db: &dyn Database,
    client: &Client,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let sql = "UPDATE clients SET name = ?2, settings = ?3, disabled_at = ?4, secret_digest = ?5,
         previous_secret_digest = ?6, previous_secret_expires_at = ?7, token_epoch = ?8,
         version = version + 1 WHERE client_id = ?1 AND version = ?9 AND deleted_at IS NULL";
    write(db, Statement::new(sql, row_params(client)), scene, event).await
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

/// Deletes at most so many users of a client that is being deleted, and the client with the last of them
/// (TEN-09). Whether it is gone.
pub async fn forget(db: &dyn Database, id: &ClientId, most: u32) -> Result<bool, DatabaseError> {
    let users =
        "DELETE FROM accounts WHERE id IN (SELECT id FROM accounts WHERE client_id = ?1 LIMIT ?2)
         AND EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL)";
    let client = "DELETE FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM accounts WHERE client_id = ?1)";
    let outcomes = db
        .batch(vec![
            Statement::new(users, [id.as_str().into(), most.into()]),
            Statement::new(client, [id.as_str().into()]),
        ])
        .await?;
    Ok(outcomes.get(1).is_some_and(|outcome| outcome.changes == 1))
}
