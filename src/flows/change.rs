//! Load, decide, compare-and-swap: the one way an account changes.

use futures_util::future::{join, join_all};

use super::Caller;
use super::decision::{After, Decision, Effects, Write};
use crate::app::Call;
use crate::domain::account::{Account, Digests};
use crate::domain::guess::GuessedCode;
use crate::domain::ids::{ChallengeId, ClientId, Owner, UserId};
use crate::error::Error;
use crate::storage::accounts::{self, Change, Loaded, Stored};
use crate::storage::audit_log::{self, Event, Kind, Scene};
use crate::storage::clients::ClientState;
use crate::storage::send_counters;
use crate::storage::{codes, lock_marks};

/// How often a decision is made again after somebody else changed the account first.
pub(super) const ROUNDS: u32 = 4;

/// What a decision is made on.
pub(super) struct Present<'a> {
    pub call: &'a Call,
    pub owner: Owner<'a>,
    pub client: &'a ClientState,
    pub digests: &'a Digests,
}

/// Loads the account, lets `decide` make its next value, and stores that by compare-and-swap. Lost
/// against another request, the decision is made again on what is there now (RATE-04).
///
/// With a `guess`, the digests of the codes it could match are fetched first, and the lock mark in
/// KV may refuse before anything is evaluated.
pub(super) async fn change<T: Send>(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    guess: Option<&GuessedCode>,
    decide: impl Fn(Option<Account>, &Present<'_>) -> Result<Decision<T>, Error> + Send + Sync,
) -> Result<T, Error> {
    let mut outcome = None;
    let mut keep_outcome = |account, present: &Present<'_>| {
        let decision = decide(account, present)?;
        outcome = Some(decision.outcome);
        Ok(decision.effects)
    };
    rounds(call, caller, user, guess, &mut keep_outcome).await?;
    outcome.ok_or_else(|| Error::internal("a change without an outcome"))
}

type Decide<'a> = dyn FnMut(Option<Account>, &Present<'_>) -> Result<Effects, Error> + Send + 'a;

/// The same for every kind of outcome, so that the wasm holds it once.
async fn rounds(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    guess: Option<&GuessedCode>,
    decide: &mut Decide<'_>,
) -> Result<(), Error> {
    let owner = caller.owner(user);
    let mut marked = guess.is_some_and(GuessedCode::is_for_authenticators_only);
    for _ in 0..ROUNDS {
        let loaded = if std::mem::take(&mut marked) {
            let (loaded, mark) = join(
                load(call, caller, user),
                lock_marks::find(&*call.app.kv, owner),
            )
            .await;
            let loaded = loaded?;
            // A mark that cannot be read refuses nothing; the account says the same.
            if let Some(until) = mark.ok().flatten().filter(|until| *until > call.now) {
                return Err(Error::Locked {
                    retry_after: until.seconds_from(call.now),
                });
            }
            loaded
        } else {
            load(call, caller, user).await?
        };
        let Loaded { client, stored, .. } = loaded;
        let (digests, unread) = digests(call, stored.as_ref(), guess).await;
        let version = stored.as_ref().map(Stored::version);
        let present = Present {
            call,
            owner,
            client: &client,
            digests: &digests,
        };
        let effects = decide(stored.map(|stored| stored.account), &present)
            .inspect_err(|error| report_unreadable(call, owner, error))?;
        // The guess may be right for a code whose digest KV did not give: what it was compared with is
        // counted all the same, and the caller is told to try again.
        let undecided = unread && effects.count_a_failure();
        let quotas = effects.quotas.clone();
        if store(call, owner, version, effects).await? {
            return if undecided {
                Err(Error::Unavailable("KV did not give a code".into()))
            } else {
                Ok(())
            };
        }
        if !quotas.is_empty()
            && let Some(until) = send_counters::used_up_until(&*call.app.db, &quotas).await?
        {
            return Err(Error::SendLimited {
                retry_after: until.seconds_from(call.now).max(1),
            });
        }
    }
    Err(Error::RateLimited { retry_after: 1 })
}

/// The account, for a caller that may see it: the client exists and is enabled, the token not revoked.
pub(super) async fn load(call: &Call, caller: &Caller, user: &UserId) -> Result<Loaded, Error> {
    let loaded = accounts::load(&*call.app.db, &caller.client, user, &caller.jti).await;
    let loaded = loaded.inspect_err(|error| report_unreadable(call, caller.owner(user), error))?;
    let mut loaded = loaded
        .filter(|loaded| admits(loaded, caller))
        .ok_or(Error::InvalidToken { presented: true })?;
    if let (Some(restored), Some(stored)) = (call.app.config.restored_at, &mut loaded.stored) {
        stored.account.forget_before(restored);
    }
    Ok(loaded)
}

fn admits(loaded: &Loaded, caller: &Caller) -> bool {
    let client = &loaded.client;
    !client.disabled && !loaded.token_revoked && client.token_epoch == caller.epoch
}

/// Stores what was decided. `false`: lost against another request, or a quota is used up.
async fn store(
    call: &Call,
    owner: Owner<'_>,
    version: Option<i64>,
    effects: Effects,
) -> Result<bool, Error> {
    let db = &*call.app.db;
    let scene = scene(call, owner);
    let stored = match (effects.write, version) {
        (Write::Store(account), version) => {
            let keys = call.app.keys();
            let (events, quotas) = (&effects.events, &effects.quotas);
            accounts::swap(
                db,
                Change {
                    owner,
                    keys,
                    version,
                    account: *account,
                    events,
                    scene,
                    quotas,
                },
            )
            .await?
        }
        (Write::Delete, Some(version)) => {
            accounts::delete(db, owner, version, scene, &effects.events).await?
        }
        (Write::Delete, None) | (Write::Nothing, _) => {
            if !effects.events.is_empty() {
                let events = effects
                    .events
                    .iter()
                    .map(|event| audit_log::record(scene, event));
                db.batch(events.collect()).await?;
            }
            true
        }
    };
    if stored {
        for after in effects.after {
            tidy(call, owner, after);
        }
    }
    Ok(stored)
}

/// The digests of the challenges the guess could match, read side by side; and whether any could not
/// be read, which is not the same as there being none.
async fn digests(
    call: &Call,
    stored: Option<&Stored>,
    guess: Option<&GuessedCode>,
) -> (Digests, bool) {
    let (Some(stored), Some(guess)) = (stored, guess) else {
        return (Digests::new(), false);
    };
    let ids: Vec<&ChallengeId> = stored.account.challenges_for(guess, call.now).collect();
    let found = join_all(ids.iter().map(|id| codes::find(&*call.app.kv, id))).await;
    let unread = found.iter().any(Result::is_err);
    let read = ids
        .into_iter()
        .zip(found)
        .filter_map(|(id, digest)| Some((id.clone(), digest.ok()??)));
    (read.collect(), unread)
}

fn tidy(call: &Call, owner: Owner<'_>, after: After) {
    let kv = call.app.kv.clone();
    let now = call.now;
    let (client, user): (ClientId, UserId) = (owner.client.clone(), owner.user.clone());
    call.later.push(async move {
        let owner = Owner {
            client: &client,
            user: &user,
        };
        let done = match after {
            After::MarkLock(until) => lock_marks::insert(&*kv, owner, until, now).await,
            After::ForgetLock => lock_marks::delete(&*kv, owner).await,
            After::ForgetCode(id) => codes::delete(&*kv, &id).await,
        };
        if let Err(error) = done {
            log::warn!("{error}");
        }
    });
}

pub(super) fn scene<'a>(call: &'a Call, owner: Owner<'a>) -> Scene<'a> {
    Scene {
        client: owner.client,
        user: Some(owner.user),
        request_id: &call.request_id,
        now: call.now,
    }
}

/// Records an event that goes with no change, after the answer.
pub(super) fn record_later(call: &Call, owner: Owner<'_>, event: &Event) {
    let statement = audit_log::record(scene(call, owner), event);
    let db = call.app.db.clone();
    call.later.push(async move {
        if let Err(error) = db.run(statement).await {
            log::warn!("an audit event was lost: {error}");
        }
    });
}

/// An account that cannot be opened fails closed and is an event of its own (CRY-06).
fn report_unreadable(call: &Call, owner: Owner<'_>, error: &Error) {
    if matches!(error, Error::Internal(_)) {
        record_later(call, owner, &Event::new(Kind::Unreadable));
    }
}
