//! Delivering what is in the outbox: a try is claimed, made, and noted. Whoever is cut off in between leaves a lease
//! that ends, so that each is told at least once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;

use crate::app::App;
use crate::call::Task;
use crate::domain::crypto::sealing::ClientVault;
use crate::domain::ids::ClientId;
use crate::domain::time::UnixTime;
use crate::domain::webhook::{Delivery, DeliveryId, Webhook, next_try};
use crate::error::Error;
use crate::flows::housekeeping::Left;
use crate::providers::webhook::{self, Answer, Message};
use crate::storage::accounts::Noted;
use crate::storage::webhook_deliveries::{self as deliveries, Due, Tried};

/// Seconds for which a try is its taker's alone: longer than one can take.
const LEASE: u64 = 60;
/// Tries of one program or isolate that may be under way after answers. What is beyond waits for the scheduled job, so
/// that a receiver that is slow takes up no more than this.
const MOST_AT_ONCE: u32 = 32;
/// Of the scheduled job.
const IN_ONE_WAVE: u32 = 6;
/// Clients that one run of it leaves out, at most: D1 takes a hundred parameters.
const MOST_LEFT_OUT: usize = 80;
/// SQL statements and requests of a try.
const STEPS: u32 = 3;

static UNDER_WAY: AtomicU32 = AtomicU32::new(0);

/// Something to deliver.
pub(super) struct Lot {
    pub client: ClientId,
    pub id: DeliveryId,
    pub body: String,
    /// Tries before this one.
    pub attempts: u32,
    pub give_up_at: UnixTime,
}

impl Lot {
    pub(super) fn new(client: &ClientId, delivery: &Delivery) -> Self {
        Self {
            client: client.clone(),
            id: delivery.id.clone(),
            body: delivery.body.clone(),
            attempts: 0,
            give_up_at: delivery.give_up_at,
        }
    }
}

/// A place among those that may be under way.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let before = UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        // Given back by its end.
        let place = Self;
        (before < MOST_AT_ONCE).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is to be delivered once the change is stored, if anything.
pub(in crate::flows) fn deliver_later(
    app: &Arc<App>,
    client: &ClientId,
    webhook: Option<&Webhook>,
    noted: &[Noted],
) -> Option<Task> {
    let told = noted.iter().filter_map(|it| it.delivery.as_ref());
    let lots: Vec<Lot> = told.map(|delivery| Lot::new(client, delivery)).collect();
    let webhook = webhook.filter(|_| !lots.is_empty())?.clone();
    let app = app.clone();
    Some(Box::pin(async move {
        // One after the other: a change tells of two or three things at most.
        for lot in lots {
            let Some(_place) = Place::take() else { return };
            if let Err(error) = deliver(&app, &webhook, &lot).await {
                log::warn!("an event waits for the scheduled job: {error}");
            }
        }
    }))
}

/// Tries once, unless somebody else does. Whether it was taken; `None`: it was not tried.
pub(super) async fn deliver(
    app: &App,
    webhook: &Webhook,
    lot: &Lot,
) -> Result<Option<bool>, Error> {
    let now = app.now();
    let lease = now.plus(LEASE);
    if !deliveries::claim(&*app.db, &lot.id, now, lease).await? {
        return Ok(None);
    }
    let answer = send(app, webhook, lot, now).await;
    let now = app.now();
    let (came_to, status, problem) = match &answer {
        Ok((came_to, status)) => (*came_to, Some(*status), None),
        Err(problem) => (Answer::Refused, None, Some(problem.as_str())),
    };
    let taken = came_to == Answer::Taken;
    let next_at = match came_to {
        Answer::Taken | Answer::Gone => None,
        Answer::Refused => next_try(lot.attempts + 1, now, lot.give_up_at),
    };
    let tried = Tried {
        delivered_at: taken.then_some(now),
        next_at,
        status,
        problem,
    };
    deliveries::settle(&*app.db, &lot.id, lease, tried).await?;
    Ok(Some(taken))
}

async fn send(
    app: &App,
    webhook: &Webhook,
    lot: &Lot,
    now: UnixTime,
) -> Result<(Answer, u16), String> {
    // Also where a service that was in development is not any more.
    if webhook.url.is_local() && !app.config.development {
        return Err("plain http is for a service in development alone".to_owned());
    }
    let vault = ClientVault {
        keys: app.keys(),
        client: &lot.client,
    };
    let signature = webhook.sign((vault, now), &lot.id, &lot.body);
    let signature = signature.map_err(|error| {
        log::error!("an event cannot be signed: {error}");
        "it cannot be signed: set the webhook again".to_owned()
    })?;
    let message = Message {
        url: &webhook.url,
        id: &lot.id,
        at: now,
        signature: &signature,
        body: &lot.body,
    };
    webhook::post(&*app.outside, message).await
}

/// What a run of the scheduled job delivered.
#[derive(Default)]
pub(in crate::flows) struct Delivered {
    pub taken: u64,
    pub failed: u64,
}

/// Delivers what is due, in waves of a few. A client has one wave, and then another once all others had theirs, so that
/// one with very much, or slow, keeps nobody back; one that fails is asked again in the next run.
pub(in crate::flows) async fn deliver_due(
    app: &App,
    left: &mut Left<'_>,
) -> Result<Delivered, Error> {
    let (mut failed, mut served) = (Vec::new(), Vec::new());
    let mut delivered = Delivered::default();
    if !left.take(1) {
        return Ok(delivered);
    }
    app.db.run(deliveries::give_up(app.now())).await?;
    while failed.len() + served.len() < MOST_LEFT_OUT && left.take(1) {
        let without: Vec<ClientId> = failed.iter().chain(&served).cloned().collect();
        let due = deliveries::due(&*app.db, app.now(), &without, IN_ONE_WAVE).await?;
        if due.is_empty() {
            if served.is_empty() {
                break;
            }
            served.clear();
            continue;
        }
        let tries = u32::try_from(due.len()).unwrap_or(IN_ONE_WAVE);
        if !left.take(STEPS * tries) {
            break;
        }
        let came_to = join_all(due.iter().map(|due| deliver_one(app, due))).await;
        for (due, taken) in due.into_iter().zip(came_to) {
            let taken = taken?;
            delivered.taken += u64::from(taken == Some(true));
            delivered.failed += u64::from(taken == Some(false));
            let list = if taken == Some(false) {
                &mut failed
            } else {
                &mut served
            };
            if !list.contains(&due.client) {
                list.push(due.client);
            }
        }
    }
    Ok(delivered)
}

async fn deliver_one(app: &App, due: &Due) -> Result<Option<bool>, Error> {
    let Some(webhook) = &due.webhook else {
        return give_up(app, &due.id).await;
    };
    let lot = Lot {
        client: due.client.clone(),
        id: due.id.clone(),
        body: due.body.clone(),
        attempts: due.attempts,
        give_up_at: due.give_up_at,
    };
    deliver(app, webhook, &lot).await
}

/// Of a client that has no webhook any more.
async fn give_up(app: &App, id: &DeliveryId) -> Result<Option<bool>, Error> {
    let now = app.now();
    let lease = now.plus(LEASE);
    if deliveries::claim(&*app.db, id, now, lease).await? {
        let tried = Tried {
            delivered_at: None,
            next_at: None,
            status: None,
            problem: Some("the client has no webhook any more"),
        };
        deliveries::settle(&*app.db, id, lease, tried).await?;
    }
    Ok(None)
}
