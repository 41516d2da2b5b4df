//! A request with an `Idempotency-Key` takes effect once, however often it is sent.
//!
//! The key is claimed first. What the request decides is not stored then and there, as it is without a key, but held
//! until the answer is made; both are stored by one batch, so that no moment has the one without the other. What acts
//! on the outside in between, a message that is sent, is stored before it does (`Decision::at_once`): cut off then, its
//! outcome is unknown, and nothing is sent again.

use std::sync::Arc;

use super::asked::{Asked, Caller, Credential};
use crate::call::{Call, Held, Once, Progress};
use crate::domain::crypto::sealing::{ClientVault, Place, Sealed};
use crate::domain::idempotency::{Claim, Fingerprint, KeyName, LONGEST_ANSWER, Standing};
use crate::error::{Error, TokenProblem};
use crate::platform::{Batch, Statement};
use crate::storage::clients::Admitted;
use crate::storage::idempotency_keys::{self, When};

/// What a claim on a key came to.
pub enum Begun {
    /// Nobody else has it: go on.
    First(Arc<Once>),
    /// What the first request was answered.
    Answered(String),
}

/// What is to be kept of an answer.
pub enum Outcome {
    Answer(String),
    /// Nothing: the same request is to be looked at anew.
    Nothing,
}

pub enum Settled {
    Done,
    /// Decided on what is not so any more: nothing was stored, and the answer is void.
    Again,
}

/// Claims the key for `request`, which is method, address and body. Whoever is not admitted learns nothing of it.
pub async fn begin(
    call: &Call,
    caller: &Caller,
    name: KeyName,
    request: &[&[u8]],
) -> Result<Begun, Error> {
    let (app, now) = (&call.app, call.real_now());
    let admitted = admitted(call, caller)?;
    let claim = Claim {
        client: caller.client.clone(),
        name,
        holder: call.request_id.clone(),
    };
    let fingerprint = Fingerprint::of(app.keys(), request);
    let claimed = idempotency_keys::claim(&*app.db, &claim, &fingerprint, admitted, now).await;
    let record = claimed
        .inspect_err(|_| release_later(call, &claim))?
        .ok_or_else(|| refused(caller))?;
    if record.holder == claim.holder.as_str() {
        return Ok(Begun::First(Arc::new(Once::new(claim))));
    }
    match record.standing(app.keys(), request, now) {
        Standing::Reused => Err(Error::IdempotencyKeyReused),
        Standing::UnderWay => Err(Error::RequestInProgress),
        Standing::Unknown => Err(Error::OutcomeUnknown),
        Standing::Answered(answer) => opened(call, &claim, answer).map(Begun::Answered),
    }
}

/// What a caller showed, as its row is to have it. A backup knows nothing of what was revoked after it was made, so a
/// token from before it was restored is over (CRY-15).
pub(super) fn admitted<'a>(call: &Call, caller: &'a Caller) -> Result<Admitted<'a>, Error> {
    match &caller.credential {
        Credential::Key { key, .. } => Ok(Admitted::Key {
            id: &key.id,
            digest: &key.digest,
        }),
        Credential::Token {
            epoch,
            jti,
            issued_at,
        } => {
            let restored = call.app.config.restored_at;
            if restored.is_some_and(|restored| *issued_at < restored) {
                return Err(refused(caller));
            }
            Ok(Admitted::Token { epoch, jti })
        }
    }
}

/// What a caller is told whose token or key does not hold.
pub(super) fn refused(caller: &Caller) -> Error {
    Error::InvalidToken(match caller.credential {
        Credential::Token { .. } => TokenProblem::Refused,
        Credential::Key { .. } => TokenProblem::RefusedKey,
    })
}

/// Stores what the request decided, with its answer.
pub async fn settle(call: &Call, once: &Once, outcome: Outcome) -> Result<Settled, Error> {
    let claim = &once.claim;
    match once.take() {
        Progress::Undecided | Progress::Stored => {
            let last = last(call, claim, outcome, When::Always)?;
            if let Err(error) = call.app.db.run(last).await {
                // It is right all the same. Where something was done the key stays taken, so that it is not done twice.
                log::warn!("an answer was not kept: {error}");
                release_later(call, claim);
            }
            Ok(Settled::Done)
        }
        Progress::Missed => Ok(void(call)),
        Progress::Held(Held {
            mut batch,
            obstacle,
            after,
        }) => {
            let when = when(&batch);
            batch.follow(last(call, claim, outcome, when)?);
            let stored = batch.run(&*call.app.db).await;
            if stored.inspect_err(|_| release_later(call, claim))? {
                call.later.extend(after);
                return Ok(Settled::Done);
            }
            if let Err(error) = obstacle.await {
                release_later(call, claim);
                return Err(error);
            }
            Ok(void(call))
        }
    }
}

/// Gives the key back: the request had no effect.
pub async fn give_up(call: &Call, once: &Once) {
    let release = idempotency_keys::release_unacted(&once.claim);
    if let Err(error) = call.app.db.run(release).await {
        log::warn!("an idempotency key was not given back: {error}");
    }
}

/// What was left for later belongs to an answer that nobody gets.
fn void(call: &Call) -> Settled {
    drop(call.later.take());
    Settled::Again
}

/// Stores what is held, before something else is decided on it. From then on nothing of the request is held.
pub(super) async fn store_held(asked: &Asked) -> Result<(), Error> {
    let Some(once) = asked.call.once.as_deref() else {
        return Ok(());
    };
    let Some(Held {
        mut batch, after, ..
    }) = once.take_held()
    else {
        return Ok(());
    };
    batch.follow(mark(once, &batch));
    if !batch.run(&*asked.app().db).await? {
        once.set(Progress::Missed);
        return Err(Error::RateLimited { retry_after: 1 });
    }
    once.set(Progress::Stored);
    asked.call.later.extend(after);
    Ok(())
}

/// Stores what a request decided that is about no account: at once, or with its answer. `false`: what it was decided on
/// is not so any more.
pub(super) async fn store(call: &Call, mut batch: Batch) -> Result<bool, Error> {
    let Some(once) = call.once.as_deref() else {
        return Ok(batch.run(&*call.app.db).await?);
    };
    if once.is_stored() {
        return Ok(batch.run(&*call.app.db).await?);
    }
    if let Some(decides) = batch
        .decided_by
        .and_then(|place| batch.statements.get_mut(place))
    {
        idempotency_keys::guard(&once.claim, decides);
    }
    once.set(Progress::Held(Held {
        batch,
        obstacle: Box::pin(async { Ok(()) }),
        after: Vec::new(),
    }));
    Ok(true)
}

/// Says in the batch that the request took effect, whatever becomes of it.
pub(super) fn mark(once: &Once, batch: &Batch) -> Statement {
    idempotency_keys::mark(&once.claim, when(batch))
}

/// What follows a batch takes place if the batch does.
fn when(batch: &Batch) -> When {
    if batch.decided_by.is_some() {
        When::IfChanged
    } else {
        When::Always
    }
}

fn last(call: &Call, claim: &Claim, outcome: Outcome, when: When) -> Result<Statement, Error> {
    match outcome {
        Outcome::Nothing => Ok(idempotency_keys::release(claim, when)),
        // That it took effect is known all the same.
        Outcome::Answer(answer) if answer.len() > LONGEST_ANSWER => {
            Ok(idempotency_keys::mark(claim, when))
        }
        Outcome::Answer(answer) => {
            let sealed = vault(call, claim).seal(place(claim), answer.as_bytes())?;
            Ok(idempotency_keys::keep(claim, sealed.as_str(), when))
        }
    }
}

/// An answer of a key that is not in the ring any more is one that nobody knows.
fn opened(call: &Call, claim: &Claim, answer: &str) -> Result<String, Error> {
    let opened = vault(call, claim).open(place(claim), &Sealed::from_stored(answer));
    let opened = opened.map_err(|_| Error::OutcomeUnknown)?;
    String::from_utf8(opened).map_err(Error::internal)
}

/// Every answer is sealed, since some hold a secret.
fn vault<'a>(call: &'a Call, claim: &'a Claim) -> ClientVault<'a> {
    ClientVault {
        keys: call.app.keys(),
        client: &claim.client,
    }
}

fn place(claim: &Claim) -> Place<'_> {
    Place {
        object: claim.name.as_str(),
        field: "answer",
    }
}

/// Gives the key back after the answer, unless something was stored under it.
fn release_later(call: &Call, claim: &Claim) {
    let (db, claim) = (call.app.db.clone(), claim.clone());
    call.later.push(async move {
        if let Err(error) = db.run(idempotency_keys::release_unacted(&claim)).await {
            log::warn!("an idempotency key was not given back: {error}");
        }
    });
}
