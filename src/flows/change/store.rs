//! The one way an account is written: only while what it was decided on still holds.

use super::decision::{After, Effects, Write};
use super::load::revive;
use super::{refuse_if_taken, refuse_if_used_up};
use crate::app::App;
use crate::call::{Held, Progress, Task};
use crate::domain::client::ClientState;
use crate::domain::crypto::sealing::Vault;
use crate::domain::event::{Event, Scene};
use crate::domain::ids::RequestId;
use crate::error::Error;
use crate::flows::asked::{Asked, By};
use crate::flows::once::mark;
use crate::flows::webhooks::{deliver_later, noted};
use crate::platform::{Batch, Statement};
use crate::storage::accounts::{self, Admission, Found, PasskeyNote, Read};
use crate::storage::{audit_log, codes, lock_marks};

/// Stores what was decided. `false`: lost against another request, or a condition does not hold. What is to be stored
/// with its answer is held until there is one, and counts as stored until then.
pub(super) async fn store(
    asked: &Asked,
    client: &ClientState,
    read: Option<&Read>,
    effects: Effects,
    notice: Option<Task>,
) -> Result<bool, Error> {
    let db = &*asked.app().db;
    let (scene, by) = (asked.scene(), admission(&asked.by, client));
    let events = &noted(scene, client, effects.events)?;
    let once = asked.call.once.as_deref();
    let claim = once.map(|once| &once.claim);
    let mut batch = match (effects.write, read) {
        (Write::Store(account), read) => {
            let write = accounts::Write {
                vault: asked.vault(),
                read,
                account: *account,
                events,
                counts: &effects.counts,
                scene,
                quotas: &effects.conditions.quotas,
                providers: &effects.conditions.providers,
                passkeys: &effects.passkeys,
                by,
                claim,
            };
            accounts::swap(db, &write)?
        }
        (Write::Delete, Some(read)) => {
            accounts::delete(db, &asked.owner, read, by, scene, events, claim)
        }
        (Write::Delete, None) | (Write::Nothing, _) => Batch {
            statements: accounts::note(scene, events),
            decided_by: None,
        },
    };
    let after = effects.after.into_iter();
    let mut after: Vec<Task> = after.map(|after| tidying(asked, after)).collect();
    after.extend(notice);
    // Last: who is told may be slow.
    let (app, id) = (&asked.call.app, &asked.owner.client);
    after.extend(deliver_later(app, id, client.webhook.as_ref(), events));
    let Some(once) = once else {
        return carry_out(asked, batch, after).await;
    };
    if effects.at_once || once.is_stored() {
        let marks = !once.is_stored();
        if marks {
            batch.follow(mark(once, &batch));
        }
        let stored = carry_out(asked, batch, after).await?;
        if stored {
            once.set(Progress::Stored);
        }
        return Ok(stored);
    }
    let (app, now, client) = (
        asked.call.app.clone(),
        asked.now(),
        asked.owner.client.clone(),
    );
    let (conditions, passkeys) = (effects.conditions, effects.passkeys);
    let obstacle = async move {
        refuse_if_used_up(&app, now, &conditions).await?;
        refuse_if_taken(&app, &client, &passkeys).await
    };
    once.set(Progress::Held(Held {
        batch,
        obstacle: Box::pin(obstacle),
        after,
    }));
    Ok(true)
}

async fn carry_out(asked: &Asked, batch: Batch, after: Vec<Task>) -> Result<bool, Error> {
    let stored = batch.run(&*asked.app().db).await?;
    if stored {
        asked.call.later.extend(after);
    }
    Ok(stored)
}

/// What was decided for a client must not take effect once it is disabled, deleted or made anew.
fn admission<'a>(by: &By, client: &'a ClientState) -> Admission<'a> {
    let most = client.settings.max_accounts.get();
    match by {
        // What it showed was of this epoch, or of none.
        By::Client(_) | By::Link { .. } => Admission::Client {
            epoch: &client.token_epoch,
            most,
        },
        By::Operator => Admission::Operator,
    }
}

/// What sealing accounts again came to.
pub(in crate::flows) struct Resealed {
    pub resealed: u64,
    pub unreadable: u64,
}

/// Stores accounts as they are, which seals them with the current key: each if nobody changed it first, and
/// if what is sealed in it opens.
pub(in crate::flows) async fn reseal(app: &App, found: Vec<Found>) -> Result<Resealed, Error> {
    // It belongs to no request, and leaves no event.
    let request_id = RequestId::draw()?;
    let (mut swaps, mut unreadable) = (Vec::new(), 0);
    for found in found {
        match swap(app, found, &request_id) {
            Ok(swap) => swaps.push(swap),
            Err(error) => {
                unreadable += 1;
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let cause = cause.unwrap_or_default();
                log::error!("an account could not be sealed again: {cause}");
            }
        }
    }
    let resealed = if swaps.is_empty() {
        0
    } else {
        accounts::swap_each(&*app.db, swaps).await?
    };
    Ok(Resealed {
        resealed,
        unreadable,
    })
}

fn swap(app: &App, found: Found, request_id: &RequestId) -> Result<Statement, Error> {
    let mut stored = found.stored?;
    revive(app, &mut stored.account);
    let write = accounts::Write {
        vault: Vault {
            keys: app.keys(),
            owner: &found.owner,
        },
        read: Some(&stored.read),
        account: stored.account,
        events: &[],
        counts: &[],
        scene: Scene {
            client: &found.owner.client,
            user: Some(&found.owner.user),
            operator: None,
            request_id,
            now: app.now(),
            recorded_at: app.now(),
        },
        quotas: &[],
        providers: &[],
        passkeys: &PasskeyNote::Unchanged,
        by: Admission::Operator,
        claim: None,
    };
    accounts::update(&write, &stored.read)
}

fn tidying(asked: &Asked, after: After) -> Task {
    let kv = asked.app().kv.clone();
    let (owner, now) = (asked.owner.clone(), asked.now());
    Box::pin(async move {
        let done = match after {
            After::MarkLocks(locks) => lock_marks::insert(&*kv, &owner, &locks, now).await,
            After::ForgetLocks => lock_marks::delete(&*kv, &owner).await,
            After::ForgetCode(id) => codes::delete(&*kv, &id).await,
        };
        if let Err(error) = done {
            log::warn!("{error}");
        }
    })
}

/// Records an event that goes with no change, after the answer.
pub(in crate::flows) fn record_later(asked: &Asked, event: &Event) {
    let statement = audit_log::record(asked.scene(), event);
    let db = asked.app().db.clone();
    asked.call.later.push(async move {
        if let Err(error) = db.run(statement).await {
            log::warn!("an audit event was lost: {error}");
        }
    });
}
