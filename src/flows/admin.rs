//! What the operator does: clients, unlocking, reading the record.

use serde_json::json;

use super::asked::{Asked, operator};
use super::change::{Decision, ROUNDS, change};
use super::housekeeping::forget_client;
use crate::call::Call;
use crate::domain::client::{Client, ClientSecret};
use crate::domain::event::{Event, Kind, Scene};
use crate::domain::fields::FieldError;
use crate::domain::ids::ClientId;
use crate::domain::settings::{ClientSettings, Label, SettingsPatch};
use crate::error::Error;
use crate::storage::{audit_log, clients, lock_marks};

pub use crate::storage::audit_log::{Entry, Filter, Order};

/// The longest both secrets of a client may work, in seconds: 30 days.
pub const LONGEST_OVERLAP: u64 = 30 * 86_400;

/// What the operator changes of a client. `None` leaves a part as it is.
#[derive(Default)]
pub struct ClientPatch {
    pub name: Option<Label>,
    pub disabled: Option<bool>,
    pub settings: SettingsPatch,
}

/// What an application's client is made for, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Real,
    /// Nothing is sent for it, and its clock goes on when it says so. Its id begins with `test_`.
    Tests,
}

/// Makes a client. Its secret is in this answer and nowhere else.
pub async fn create_client(
    call: &Call,
    id: Option<ClientId>,
    name: Label,
    settings: &SettingsPatch,
    serves: Use,
) -> Result<(Client, String), Error> {
    let id = match (id, serves) {
        (Some(id), _) => named(id, serves)?,
        (None, Use::Real) => ClientId::draw()?,
        (None, Use::Tests) => ClientId::draw_for_tests()?,
    };
    create(call, id, name, settings, ClientSecret::draw()?, serves).await
}

/// The id, if it says what the client is for.
fn named(id: ClientId, serves: Use) -> Result<ClientId, Error> {
    match (serves, id.may_be_for_tests()) {
        (Use::Tests, true) | (Use::Real, false) => Ok(id),
        (Use::Tests, false) => Err(Error::invalid(
            "client_id",
            "The id of a test client begins with test_",
        )),
        (Use::Real, true) => Err(Error::invalid(
            "client_id",
            "An id that begins with test_ is a test client's; send \"test\": true for one",
        )),
    }
}

/// The same with a secret that is there already.
pub async fn create_client_with(
    call: &Call,
    id: ClientId,
    name: Label,
    settings: &SettingsPatch,
    secret: ClientSecret,
) -> Result<(Client, String), Error> {
    create(call, id, name, settings, secret, Use::Real).await
}

async fn create(
    call: &Call,
    id: ClientId,
    name: Label,
    settings: &SettingsPatch,
    secret: ClientSecret,
    serves: Use,
) -> Result<(Client, String), Error> {
    let settings = merged(call, &ClientSettings::default(), settings)?;
    let mut client = Client::new(id, name.as_str().to_owned(), settings, &secret, call.now)?;
    if serves == Use::Tests {
        client = client.for_tests();
    }
    let detail = json!({
        "name": client.name, "settings": client.settings.fields(), "test": serves == Use::Tests,
    });
    let event = Event::new(Kind::ClientCreated).with(detail);
    if clients::insert(
        &*call.app.db,
        &client,
        client_scene(call, &client.id),
        &event,
    )
    .await?
    {
        return Ok((client, secret.reveal()));
    }
    let id = client.id.as_str().to_owned();
    Err(match clients::find(&*call.app.db, &client.id).await? {
        Some(_) => Error::ClientExists(id),
        None => Error::ClientBeingDeleted(id),
    })
}

pub async fn list_clients(call: &Call) -> Result<Vec<Client>, Error> {
    clients::list(&*call.app.db).await
}

pub async fn find_client(call: &Call, id: &ClientId) -> Result<Client, Error> {
    Ok(load(call, id).await?.client)
}

async fn load(call: &Call, id: &ClientId) -> Result<clients::Stored, Error> {
    let stored = clients::find(&*call.app.db, id).await?;
    stored.ok_or(Error::NotFound)
}

/// Changes a client. Disabling one kills its tokens at once and for good (TOK-15).
pub async fn change_client(
    call: &Call,
    id: &ClientId,
    patch: ClientPatch,
) -> Result<Client, Error> {
    let detail =
        json!({"name": patch.name, "disabled": patch.disabled, "settings": patch.settings});
    let event = Event::new(Kind::ClientChanged).with(detail);
    edit(call, id, &event, &|client| {
        if let Some(name) = &patch.name {
            name.as_str().clone_into(&mut client.name);
        }
        if let Some(disabled) = patch.disabled {
            client.set_disabled(disabled, call.now)?;
        }
        client.settings = merged(call, &client.settings, &patch.settings)?;
        Ok(())
    })
    .await
}

/// Gives a client a new secret; the present one works for `overlap` seconds more. With none, the tokens
/// it was good for are dead too: that is what an operator asks for who fears that it was stolen.
pub async fn rotate_secret(
    call: &Call,
    id: &ClientId,
    overlap: u64,
) -> Result<(Client, String), Error> {
    let secret = ClientSecret::draw()?;
    let event = Event::new(Kind::ClientSecretRotated).with(json!({"overlap_seconds": overlap}));
    let client = edit(call, id, &event, &|client| {
        Ok(client.rotate_secret(&secret, overlap, call.now)?)
    })
    .await?;
    Ok((client, secret.reveal()))
}

/// Batches of users a deletion may take before it leaves the rest to the scheduled job.
const DELETION_STEPS: u32 = 20;

/// Deletes a client with all its users. From here on there is no such client; where it has very many users, the
/// scheduled job deletes the last of them, and its id is free then.
pub async fn delete_client(call: &Call, id: &ClientId) -> Result<(), Error> {
    let event = Event::new(Kind::ClientDeleted);
    if !clients::mark_deleted(&*call.app.db, id, client_scene(call, id), &event).await? {
        return Err(Error::NotFound);
    }
    let mut steps = 0..DELETION_STEPS;
    let go_on = || steps.next().is_some();
    if let Err(error) = forget_client(&call.app, id, go_on).await {
        // It is deleted already; what is left goes with the scheduled job.
        log::warn!("a deletion goes on later: {error}");
    }
    Ok(())
}

/// Clears a user's counters and locks. A factor that failures disabled stays disabled: it must be renewed.
pub async fn unlock(asked: &Asked) -> Result<(), Error> {
    change(asked, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        account.unlock();
        Ok(Decision::store(account, Event::new(Kind::Unlocked), ()))
    })
    .await?;
    // Before the answer, so that the user can try at once. A stale copy of the mark may refuse for a minute
    // more; it never allows.
    if let Err(error) = lock_marks::delete(&*asked.app().kv, &asked.owner).await {
        log::warn!("{error}");
    }
    Ok(())
}

pub async fn audit(call: &Call, filter: Filter) -> Result<Vec<Entry>, Error> {
    Ok(audit_log::list(&*call.app.db, filter).await?)
}

/// Loads the client, edits it and stores it by compare-and-swap, as accounts are: of two operators at
/// once neither undoes what the other did.
pub(super) async fn edit(
    call: &Call,
    id: &ClientId,
    event: &Event,
    change: &(dyn Fn(&mut Client) -> Result<(), Error> + Sync),
) -> Result<Client, Error> {
    for _ in 0..ROUNDS {
        let mut stored = load(call, id).await?;
        change(&mut stored.client)?;
        if clients::swap(&*call.app.db, &stored, client_scene(call, id), event).await? {
            return Ok(stored.client);
        }
    }
    Err(Error::RateLimited { retry_after: 1 })
}

pub(super) fn client_scene<'a>(call: &'a Call, client: &'a ClientId) -> Scene<'a> {
    Scene {
        client,
        user: None,
        operator: operator(call),
        request_id: &call.request_id,
        now: call.now,
        recorded_at: call.now,
    }
}

/// The settings after a patch, if they make sense together and with this service's host.
fn merged(
    call: &Call,
    settings: &ClientSettings,
    patch: &SettingsPatch,
) -> Result<ClientSettings, Error> {
    let (before, config) = (settings, &call.app.config);
    let settings = before.merged(patch).map_err(invalid_setting)?;
    let own = config.public_url.host();
    settings.check_origins(own).map_err(invalid_setting)?;
    let checked = settings.check_providers(before, |provider| config.providers.has(provider));
    checked.map_err(invalid_setting)?;
    Ok(settings)
}

fn invalid_setting(error: FieldError) -> Error {
    let (field, message) = error.told();
    let field = field.map_or_else(
        || "settings".to_owned(),
        |field| format!("settings.{field}"),
    );
    Error::invalid(field, message)
}
