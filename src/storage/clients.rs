//! `clients`: the applications, which are the tenants.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::audit_log::{self, Event, Scene};
use crate::config::Origin;
use crate::domain::digest::{self, Digest};
use crate::domain::ids::ClientId;
use crate::domain::random::{self, RandomError};
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
}

impl ClientState {
    pub(super) fn from_columns(
        name: String,
        settings: &str,
        disabled_at: Option<i64>,
    ) -> Result<Self, Error> {
        let fields = serde_json::from_slice(settings.as_bytes()).map_err(Error::internal)?;
        let settings = Settings::from_fields(fields).map_err(Error::internal)?;
        Ok(Self {
            name,
            settings,
            disabled: disabled_at.is_some(),
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
    ) -> Self {
        let secret = secret.digest(&id);
        Self {
            id,
            name,
            settings,
            created_at: now,
            disabled_at: None,
            secret,
            previous_secret: None,
        }
    }

    /// Stands in for a client that does not exist. No secret has an empty digest.
    fn nobody(id: &ClientId, now: UnixTime) -> Self {
        let secret = Digest::from_stored("");
        let (name, settings) = (String::new(), serde_json::Map::new());
        Self {
            id: id.clone(),
            name,
            settings,
            created_at: now,
            disabled_at: None,
            secret,
            previous_secret: None,
        }
    }

    /// Gives the client a new secret; the present one works until `overlap_ends` (TOK-08).
    pub fn rotate_secret(&mut self, secret: &ClientSecret, overlap_ends: UnixTime) {
        let present = std::mem::replace(&mut self.secret, secret.digest(&self.id));
        self.previous_secret = Some((present, overlap_ends));
    }

    /// Both digests are compared, whichever matches.
    fn accepts(&self, secret: &str, now: UnixTime) -> bool {
        let presented = digest_of(&self.id, secret);
        let current = self.secret.matches(&presented);
        let previous = self.previous_secret.as_ref();
        let overlapping =
            previous.is_some_and(|(digest, until)| digest.matches(&presented) && now < *until);
        current || overlapping
    }
}

/// Whether `secret` is the client's. A client that does not exist is compared too, so that it takes
/// as long as one that does (TOK-04).
pub async fn authenticate(
    db: &dyn Database,
    id: &ClientId,
    secret: &str,
    now: UnixTime,
) -> Result<bool, Error> {
    let found = find(db, id).await?;
    let known = found.is_some();
    let client = found.unwrap_or_else(|| Client::nobody(id, now));
    Ok(client.accepts(secret, now) & known & client.disabled_at.is_none())
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
        })
    }
}

const SELECT: &str = "SELECT client_id, name, settings, created_at, disabled_at, secret_digest,
     previous_secret_digest, previous_secret_expires_at FROM clients";

pub async fn find(db: &dyn Database, id: &ClientId) -> Result<Option<Client>, Error> {
    let statement = Statement::new(
        format!("{SELECT} WHERE client_id = ?1"),
        [id.as_str().into()],
    );
    db.run(statement)
        .await?
        .into_first::<Row>()?
        .map(TryInto::try_into)
        .transpose()
}

/// Every client, by id.
pub async fn list(db: &dyn Database) -> Result<Vec<Client>, Error> {
    let statement = Statement::new(format!("{SELECT} ORDER BY client_id LIMIT 1000"), []);
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
         previous_secret_digest, previous_secret_expires_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    let mut params = row_params(client);
    params.push(client.created_at.into());
    write(db, Statement::new(sql, params), scene, event).await
}

/// `false` if the client is gone.
pub async fn update(
    db: &dyn Database,
    client: &Client,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let sql = "UPDATE clients SET name = ?2, settings = ?3, disabled_at = ?4, secret_digest = ?5,
         previous_secret_digest = ?6, previous_secret_expires_at = ?7 WHERE client_id = ?1";
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

/// Deletes the client with all its users (TEN-09). `false` if there was none.
pub async fn delete(
    db: &dyn Database,
    id: &ClientId,
    scene: Scene<'_>,
    event: &Event,
) -> Result<bool, DatabaseError> {
    let statement = |sql: &'static str| Statement::new(sql, [id.as_str().into()]);
    let outcomes = db
        .batch(vec![
            statement("DELETE FROM accounts WHERE client_id = ?1"),
            statement("DELETE FROM clients WHERE client_id = ?1"),
            audit_log::record_if_changed(scene, event),
        ])
        .await?;
    Ok(outcomes.get(1).is_some_and(|outcome| outcome.changes == 1))
}
