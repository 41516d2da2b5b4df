//! Webhooks: an application is told of what happens to its users. What is told is stored with what happened
//! (`outbox`), and delivered after the answer or by the scheduled job (`deliver`); never before an answer.

mod deliver;
mod outbox;

use serde_json::json;

use self::deliver::{Lot, deliver};
pub(super) use self::deliver::{deliver_due, deliver_later};
pub(super) use self::outbox::noted;
use super::admin::{client_scene, edit, find_client};
use crate::call::Call;
use crate::domain::client::Client;
use crate::domain::crypto::sealing::ClientVault;
use crate::domain::event::{Event, Kind};
use crate::domain::ids::ClientId;
use crate::domain::webhook::{
    Delivery, DeliveryId, LIFETIME, Topics, Webhook, WebhookSecret, WebhookUrl,
};
use crate::error::Error;
use crate::storage::webhook_deliveries::{self as deliveries};

pub use crate::storage::webhook_deliveries::Listed;

/// For how many seconds it is kept what was told: a week.
pub(super) const DELIVERIES_KEPT: u64 = 7 * 86_400;

/// Sets a client's webhook, with a new secret, which is in this answer and nowhere else. That of one before goes on
/// signing for a day, beside the new one.
pub async fn put(
    call: &Call,
    client: &ClientId,
    url: WebhookUrl,
    topics: Option<Topics>,
) -> Result<(Webhook, String), Error> {
    if url.is_local() && !call.app.config.development {
        return Err(Error::invalid(
            "url",
            "Plain http, and this machine, are for a service in development alone; give an https address",
        ));
    }
    let secret = WebhookSecret::draw()?;
    // Not the whole address: what follows the host may be a secret of the receiver's.
    let event = Event::new(Kind::WebhookSet).with(json!({"host": url.host(), "events": topics}));
    let vault = ClientVault {
        keys: call.app.keys(),
        client,
    };
    let stored = edit(call, client, &event, &|stored: &mut Client| {
        let former = stored.webhook.as_ref();
        let at = (vault, call.now);
        let next = Webhook::new(url.clone(), topics.clone(), &secret, former, at)?;
        stored.webhook = Some(next);
        Ok(())
    })
    .await?;
    Ok((stored.webhook.ok_or(Error::NotFound)?, secret.reveal()))
}

pub async fn find(call: &Call, client: &ClientId) -> Result<Webhook, Error> {
    let webhook = find_client(call, client).await?.webhook;
    webhook.ok_or(Error::NotFound)
}

/// Ends it: nothing more is told, also of what happened before, and its secrets are gone.
pub async fn remove(call: &Call, client: &ClientId) -> Result<(), Error> {
    let event = Event::new(Kind::WebhookRemoved);
    edit(call, client, &event, &|stored: &mut Client| {
        stored.webhook.take().map(drop).ok_or(Error::NotFound)
    })
    .await?;
    call.app.db.run(deliveries::delete_all(client)).await?;
    Ok(())
}

/// Sends an event of nothing that happened, and says what came of it.
pub async fn test(call: &Call, client: &ClientId) -> Result<Listed, Error> {
    let webhook = find(call, client).await?;
    let delivery = Delivery::of_a_test(client_scene(call, client))?;
    let db = &*call.app.db;
    db.run(deliveries::insert(client, &delivery)).await?;
    deliver(&call.app, &webhook, &Lot::new(client, &delivery)).await?;
    listed(call, client, &delivery.id).await
}

/// The newest first.
pub async fn list(
    call: &Call,
    client: &ClientId,
    before: Option<&DeliveryId>,
    most: u32,
) -> Result<Vec<Listed>, Error> {
    find_client(call, client).await?;
    Ok(deliveries::list(&*call.app.db, client, before, most).await?)
}

/// Sends one again, whatever came of it, and says what came of it now. It is tried for a day again.
pub async fn redeliver(call: &Call, client: &ClientId, id: &DeliveryId) -> Result<Listed, Error> {
    let webhook = find(call, client).await?;
    let db = &*call.app.db;
    let found = listed(call, client, id).await?;
    let give_up_at = call.now.plus(LIFETIME);
    let event = Event::new(Kind::WebhookRedelivered).with(json!({"id": id, "event": found.event}));
    let scene = client_scene(call, client);
    // Else it is being sent just now, or is gone.
    if deliveries::make_due(db, id, give_up_at, scene, &event).await? {
        let lot = Lot {
            client: client.clone(),
            id: id.clone(),
            body: deliveries::body(db, id).await?.ok_or(Error::NotFound)?,
            attempts: 0,
            give_up_at,
        };
        deliver(&call.app, &webhook, &lot).await?;
    }
    listed(call, client, id).await
}

async fn listed(call: &Call, client: &ClientId, id: &DeliveryId) -> Result<Listed, Error> {
    let found = deliveries::find(&*call.app.db, client, id).await?;
    found.ok_or(Error::NotFound)
}
