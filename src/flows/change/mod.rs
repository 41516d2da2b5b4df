//! Load, decide, compare-and-swap: the one way an account changes, whoever asks. Nothing else in the
//! product writes one.

mod ceremony;
mod decision;
mod load;
mod proof;
mod store;

use futures_util::future::{join, join_all};

pub(super) use self::ceremony::{Answered, Outcome};
pub(super) use self::decision::{After, Conditions, Decision, Effects, Write};
pub(super) use self::load::load;
use self::load::report_unreadable;
pub(super) use self::proof::Proof;
use self::proof::Typed;
use self::store::store;
pub(super) use self::store::{record_later, reseal};
use super::asked::Asked;
use super::notices::notice_later;
use super::once;
use crate::app::App;
use crate::call::Guess;
use crate::domain::account::{Accept, Account, Digests, Locks};
use crate::domain::client::ClientState;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::ClientId;
use crate::domain::method::Method;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::storage::accounts::{Loaded, PasskeyNote, Stored};
use crate::storage::counters::{self, Counted, Quota};
use crate::storage::{codes, lock_marks, passkeys, provider_pauses};

/// How often a decision is made again after somebody else changed the account first.
pub(super) const ROUNDS: u32 = 4;

/// What a decision is made on, beside the account.
pub(super) struct Facts<'a> {
    pub asked: &'a Asked,
    pub client: &'a ClientState,
    /// The code that came with the request, if one did.
    pub guess: Option<Presented<'a>>,
    /// What the passkey's answer that came with it came to.
    pub answered: Option<Answered<'a>>,
}

/// A code somebody typed, with what it may match.
#[derive(Clone, Copy)]
pub(super) struct Presented<'a> {
    pub code: &'a GuessedCode,
    pub accept: &'a Accept,
    pub digests: &'a Digests,
    /// The method the caller says it is of.
    pub named: Option<Method>,
}

/// Loads the account, lets `decide` make its next value, and stores that by compare-and-swap. Lost
/// against another request, the decision is made again on what is there now (RATE-04).
///
/// With a `proof`, the digests of the codes it could match are fetched first, and the lock mark in
/// KV may refuse before anything is evaluated.
pub(super) async fn change<T: Send>(
    asked: &Asked,
    proof: Option<Proof<'_>>,
    decide: impl Fn(Option<Account>, &Facts<'_>) -> Result<Decision<T>, Error> + Send + Sync,
) -> Result<T, Error> {
    let mut outcome = None;
    let mut keep_outcome = |account, facts: &Facts<'_>| {
        let decision = decide(account, facts)?;
        outcome = Some(decision.outcome);
        Ok(decision.effects)
    };
    let done = rounds(asked, proof, &mut keep_outcome).await;
    if let (Some(proof), Err(error)) = (proof, &done) {
        let (method, outcome) = (proof.named(), error.code().name());
        asked.call.trace.set_guess(Guess { method, outcome });
    }
    done?;
    outcome.ok_or_else(|| Error::internal("a change without an outcome"))
}

type Decide<'a> = dyn FnMut(Option<Account>, &Facts<'_>) -> Result<Effects, Error> + Send + 'a;

/// The same for every kind of outcome, so that the wasm holds it once.
async fn rounds(
    asked: &Asked,
    proof: Option<Proof<'_>>,
    decide: &mut Decide<'_>,
) -> Result<(), Error> {
    // A change before this one is what this one begins with.
    once::store_held(asked).await?;
    let (loaded, marks) = join(load(asked), marked(asked, proof)).await;
    let mut loaded = loaded?;
    for left in (0..ROUNDS).rev() {
        if round(asked, loaded, proof, &marks, decide).await? {
            return Ok(());
        }
        if left == 0 {
            break;
        }
        loaded = load(asked).await?;
    }
    Err(Error::RateLimited { retry_after: 1 })
}

/// Decides once and stores that. `false`: somebody else changed the account first.
async fn round(
    asked: &Asked,
    loaded: Loaded,
    proof: Option<Proof<'_>>,
    marks: &Locks,
    decide: &mut Decide<'_>,
) -> Result<bool, Error> {
    let Loaded { client, stored, .. } = loaded;
    let typed = proof.and_then(Proof::typed);
    let accept = typed.map(|typed| typed.accept(&client.settings));
    let guess = typed.map(|typed| typed.code).zip(accept.as_ref());
    if let Some((code, accept)) = guess {
        refuse_if_marked(asked, marks, code, accept)?;
    }
    let (digests, unread) = digests(asked, stored.as_ref(), guess).await;
    let account = stored.as_ref().map(|stored| &stored.account);
    let outcome = ceremony::judge(asked, &client, account, proof).await;
    let outcome = outcome.inspect_err(|error| report_unreadable(asked, error))?;
    let challenge = proof.and_then(Proof::challenge);
    let facts = Facts {
        asked,
        client: &client,
        guess: guess.map(|(code, accept)| Presented {
            code,
            accept,
            digests: &digests,
            named: proof.and_then(Proof::named),
        }),
        answered: challenge
            .zip(outcome.as_ref())
            .map(|(challenge, outcome)| Answered { challenge, outcome }),
    };
    let tells = client.settings.notify_users;
    let before = stored
        .as_ref()
        .filter(|_| tells)
        .map(|stored| stored.account.clone());
    let (account, read) = stored.map(|stored| (stored.account, stored.read)).unzip();
    let effects = decide(account, &facts).inspect_err(|error| report_unreadable(asked, error))?;
    // The guess may be right for a code whose digest KV did not give: what it was compared with is
    // counted all the same, and the caller is told to try again.
    let undecided = unread && effects.counts_a_failure;
    let (conditions, passkeys) = (effects.conditions.clone(), effects.passkeys.clone());
    let notice = tells.then(|| notice_later(asked, &client, before.as_ref(), &effects));
    if !store(asked, &client, read.as_ref(), effects, notice.flatten()).await? {
        refuse_if_used_up(asked.app(), asked.now(), &conditions).await?;
        refuse_if_taken(asked.app(), &asked.owner.client, &passkeys).await?;
        return Ok(false);
    }
    if undecided {
        return Err(Error::Unavailable("KV did not give a code".into()));
    }
    Ok(true)
}

/// The locks KV knows of. A mark that cannot be read refuses nothing; the account says the same.
async fn marked(asked: &Asked, proof: Option<Proof<'_>>) -> Locks {
    // A passkey is guessed at by nobody, and no lock is one of it.
    let typed = proof.and_then(Proof::typed);
    if !typed.is_some_and(Typed::heeds_marks) {
        return Locks::default();
    }
    let mark = lock_marks::find(&*asked.app().kv, &asked.owner).await;
    mark.ok().flatten().unwrap_or_default()
}

/// Refuses early where every class the guess could concern is marked as locked.
fn refuse_if_marked(
    asked: &Asked,
    marks: &Locks,
    code: &GuessedCode,
    accept: &Accept,
) -> Result<(), Error> {
    match marks.all_closed(accept.classes(code), asked.now()) {
        Some(until) => Err(Error::Locked {
            retry_after: until.seconds_from(asked.now()),
        }),
        None => Ok(()),
    }
}

/// Why nothing was stored, where it was not another request.
async fn refuse_if_used_up(app: &App, now: UnixTime, conditions: &Conditions) -> Result<(), Error> {
    let db = &*app.db;
    if let Some(until) = provider_pauses::all_until(db, &conditions.providers, now).await? {
        return Err(Error::DeliveryUnavailable {
            retry_after: until.seconds_from(now),
        });
    }
    if conditions.quotas.is_empty() {
        return Ok(());
    }
    let Some((until, counted)) = counters::used_up_until(db, &conditions.quotas).await? else {
        return Ok(());
    };
    let retry_after = until.seconds_from(now).max(1);
    Err(match counted {
        Counted::Messages | Counted::Tries => Error::SendLimited { retry_after },
        Counted::Requests => Error::RateLimited { retry_after },
    })
}

/// Why a passkey was not added, where it was not another request.
async fn refuse_if_taken(
    app: &App,
    client: &ClientId,
    passkeys: &PasskeyNote,
) -> Result<(), Error> {
    if let PasskeyNote::Added(digest) = passkeys
        && passkeys::is_taken(&*app.db, client, digest).await?
    {
        return Err(Error::PasskeyTaken);
    }
    Ok(())
}

/// The digests of the challenges the guess could match, read side by side; and whether any could not
/// be read, which is not the same as there being none.
async fn digests(
    asked: &Asked,
    stored: Option<&Stored>,
    guess: Option<(&GuessedCode, &Accept)>,
) -> (Digests, bool) {
    let (Some(stored), Some((code, accept))) = (stored, guess) else {
        return (Digests::new(), false);
    };
    let kv = &*asked.app().kv;
    let ids = stored.account.challenges_for(code, accept, asked.now());
    let found = join_all(ids.iter().map(|id| codes::find(kv, id))).await;
    let unread = found.iter().any(Result::is_err);
    let read = ids
        .into_iter()
        .zip(found)
        .filter_map(|(id, digest)| Some((id, digest.ok()??)));
    (read.collect(), unread)
}

/// At most so many requests of one kind and client in a minute.
pub(super) fn per_minute(facts: &Facts<'_>, kind: &str, most: u32) -> Conditions {
    let asked = facts.asked;
    let scope = format!("{kind}:{}", asked.owner.client.as_str());
    let quota = Quota::minutely(scope, most, asked.now()).of(Counted::Requests);
    Conditions {
        quotas: vec![quota],
        providers: Vec::new(),
    }
}
