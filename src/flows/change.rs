//! Load, decide, compare-and-swap: the one way an account changes.

use futures_util::future::{join, join_all};

use super::Caller;
use super::decision::{After, Conditions, Decision, Effects, Write};
use super::proof::Proof;
use crate::call::Call;
use crate::domain::account::{Accept, Account, Digests, Locks};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::{ClientId, Owner, UserId};
use crate::error::{Error, TokenProblem};
use crate::storage::accounts::{self, Admission, Change, Loaded, Read, Stored};
use crate::storage::audit_log::{self, Event, Kind, Scene};
use crate::storage::clients::ClientState;
use crate::storage::send_counters::{self, Counted, Quota};
use crate::storage::{codes, lock_marks, provider_pauses};

/// How often a decision is made again after somebody else changed the account first.
pub(super) const ROUNDS: u32 = 4;

/// What a decision is made on.
pub(super) struct Present<'a> {
    pub call: &'a Call,
    pub owner: Owner<'a>,
    pub client: &'a ClientState,
    /// The code that came with the request, if one did.
    pub guess: Option<Presented<'a>>,
}

/// A code somebody typed, with what it may match.
#[derive(Clone, Copy)]
pub(super) struct Presented<'a> {
    pub code: &'a GuessedCode,
    pub accept: &'a Accept,
    pub digests: &'a Digests,
}

/// Loads the account, lets `decide` make its next value, and stores that by compare-and-swap. Lost
/// against another request, the decision is made again on what is there now (RATE-04).
///
/// With a `proof`, the digests of the codes it could match are fetched first, and the lock mark in
/// KV may refuse before anything is evaluated.
pub(super) async fn change<T: Send>(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    proof: Option<Proof<'_>>,
    decide: impl Fn(Option<Account>, &Present<'_>) -> Result<Decision<T>, Error> + Send + Sync,
) -> Result<T, Error> {
    let mut outcome = None;
    let mut keep_outcome = |account, present: &Present<'_>| {
        let decision = decide(account, present)?;
        outcome = Some(decision.outcome);
        Ok(decision.effects)
    };
    rounds(call, caller, user, proof, &mut keep_outcome).await?;
    outcome.ok_or_else(|| Error::internal("a change without an outcome"))
}

type Decide<'a> = dyn FnMut(Option<Account>, &Present<'_>) -> Result<Effects, Error> + Send + 'a;

/// The same for every kind of outcome, so that the wasm holds it once.
async fn rounds(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    proof: Option<Proof<'_>>,
    decide: &mut Decide<'_>,
) -> Result<(), Error> {
    let owner = caller.owner(user);
    let (first, locks) = join(load(call, caller, user), marked(call, owner, proof)).await;
    let mut loaded = Some(first?);
    for _ in 0..ROUNDS {
        let Loaded { client, stored, .. } = match loaded.take() {
            Some(first) => first,
            None => load(call, caller, user).await?,
        };
        let accept = proof.map(|proof| proof.accept(&client.settings));
        let guess = proof.map(|proof| proof.code).zip(accept.as_ref());
        if let Some((code, accept)) = guess {
            refuse_if_marked(call, &locks, code, accept)?;
        }
        let (digests, unread) = digests(call, stored.as_ref(), guess).await;
        let present = Present {
            call,
            owner,
            client: &client,
            guess: guess.map(|(code, accept)| Presented {
                code,
                accept,
                digests: &digests,
            }),
        };
        let (account, read) = stored.map(|stored| (stored.account, stored.read)).unzip();
        let effects =
            decide(account, &present).inspect_err(|error| report_unreadable(call, owner, error))?;
        // The guess may be right for a code whose digest KV did not give: what it was compared with is
        // counted all the same, and the caller is told to try again.
        let undecided = unread && effects.counts_a_failure;
        let conditions = effects.conditions.clone();
        let by = Admission::Client {
            epoch: &caller.epoch,
            most: client.settings.max_accounts.get(),
        };
        if store(call, owner, read.as_ref(), by, effects).await? {
            return if undecided {
                Err(Error::Unavailable("KV did not give a code".into()))
            } else {
                Ok(())
            };
        }
        refuse_if_used_up(call, &conditions).await?;
    }
    Err(Error::RateLimited { retry_after: 1 })
}

/// The locks KV knows of. A mark that cannot be read refuses nothing; the account says the same.
async fn marked(call: &Call, owner: Owner<'_>, proof: Option<Proof<'_>>) -> Locks {
    if proof.is_none() {
        return Locks::default();
    }
    let mark = lock_marks::find(&*call.app.kv, owner).await;
    mark.ok().flatten().unwrap_or_default()
}

/// Refuses early where every class the guess could concern is marked as locked.
fn refuse_if_marked(
    call: &Call,
    locks: &Locks,
    code: &GuessedCode,
    accept: &Accept,
) -> Result<(), Error> {
    match locks.all_closed(accept.classes(code), call.now) {
        Some(until) => Err(Error::Locked {
            retry_after: until.seconds_from(call.now),
        }),
        None => Ok(()),
    }
}

/// Why nothing was stored, where it was not another request.
async fn refuse_if_used_up(call: &Call, conditions: &Conditions) -> Result<(), Error> {
    let (db, now) = (&*call.app.db, call.now);
    if let Some(provider) = conditions.provider
        && let Some(until) = provider_pauses::find(db, provider, now).await?
    {
        return Err(Error::DeliveryUnavailable {
            retry_after: until.seconds_from(now),
        });
    }
    if conditions.quotas.is_empty() {
        return Ok(());
    }
    let Some((until, counted)) = send_counters::used_up_until(db, &conditions.quotas).await? else {
        return Ok(());
    };
    let retry_after = until.seconds_from(now).max(1);
    Err(match counted {
        Counted::Messages | Counted::Tries => Error::SendLimited { retry_after },
        Counted::Requests => Error::RateLimited { retry_after },
    })
}

/// The account, for a caller that may see it: the client exists and is enabled, the token not revoked.
pub(super) async fn load(call: &Call, caller: &Caller, user: &UserId) -> Result<Loaded, Error> {
    let loaded = accounts::load(&*call.app.db, &caller.client, user, &caller.jti).await;
    let loaded = loaded.inspect_err(|error| report_unreadable(call, caller.owner(user), error))?;
    let mut loaded = loaded
        .filter(|loaded| admits(loaded, caller))
        .ok_or(Error::InvalidToken(TokenProblem::Refused))?;
    if let (Some(restored), Some(stored)) = (call.app.config.restored_at, &mut loaded.stored) {
        stored.account.forget_before(restored);
    }
    Ok(loaded)
}

fn admits(loaded: &Loaded, caller: &Caller) -> bool {
    let client = &loaded.client;
    !client.disabled && !loaded.token_revoked && client.token_epoch == caller.epoch
}

/// Stores what was decided. `false`: lost against another request, or a condition does not hold.
async fn store(
    call: &Call,
    owner: Owner<'_>,
    read: Option<&Read>,
    by: Admission<'_>,
    effects: Effects,
) -> Result<bool, Error> {
    let db = &*call.app.db;
    let scene = scene(call, owner);
    let events = &effects.events;
    let stored = match (effects.write, read) {
        (Write::Store(account), read) => {
            let change = Change {
                owner,
                keys: call.app.keys(),
                read,
                account: *account,
                events,
                scene,
                quotas: &effects.conditions.quotas,
                provider: effects.conditions.provider,
                by,
            };
            accounts::swap(db, change).await?
        }
        (Write::Delete, Some(read)) => accounts::delete(db, owner, read, by, scene, events).await?,
        (Write::Delete, None) | (Write::Nothing, _) => {
            if !events.is_empty() {
                let events = events.iter().map(|event| audit_log::record(scene, event));
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
    guess: Option<(&GuessedCode, &Accept)>,
) -> (Digests, bool) {
    let (Some(stored), Some((code, accept))) = (stored, guess) else {
        return (Digests::new(), false);
    };
    let ids = stored.account.challenges_for(code, accept, call.now);
    let found = join_all(ids.iter().map(|id| codes::find(&*call.app.kv, id))).await;
    let unread = found.iter().any(Result::is_err);
    let read = ids
        .into_iter()
        .zip(found)
        .filter_map(|(id, digest)| Some((id, digest.ok()??)));
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
            After::MarkLocks(locks) => lock_marks::insert(&*kv, owner, &locks, now).await,
            After::ForgetLocks => lock_marks::delete(&*kv, owner).await,
            After::ForgetCode(id) => codes::delete(&*kv, &id).await,
        };
        if let Err(error) = done {
            log::warn!("{error}");
        }
    });
}

/// At most so many requests of one kind and client in a minute.
pub(super) fn per_minute(present: &Present<'_>, kind: &str, most: u32) -> Conditions {
    let scope = format!("{kind}:{}", present.owner.client.as_str());
    let quota = Quota::minutely(scope, most, present.call.now).of(Counted::Requests);
    Conditions {
        quotas: vec![quota],
        provider: None,
    }
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
