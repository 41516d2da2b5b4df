//! Test clients: their messages are kept and not sent, and their clock goes on when they say so. A client is one from
//! the moment it is made, or never.

use serde::{Deserialize, Serialize};

use super::asked::{Asked, Caller};
use super::change::load;
use super::once;
use crate::call::Call;
use crate::domain::crypto::sealing::{Place, Vault};
use crate::domain::ids::{ClientId, Owner, UserId};
use crate::domain::method::{Channel, MessagePurpose};
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::platform::Batch;
use crate::storage::clients;
use crate::storage::test_messages;

/// How far ahead a clock can be, in seconds: ten years.
pub const FURTHEST_AHEAD: u64 = 10 * 365 * 86_400;

/// For how many seconds messages are kept: a day.
pub(super) const MESSAGES_KEPT: u64 = 86_400;

/// A message that nobody sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    pub channel: Channel,
    pub purpose: MessagePurpose,
    /// The number or address it would have gone to.
    pub to: String,
    pub subject: Option<String>,
    pub text: String,
    /// Nothing where there is a link in its place, and in a notice.
    pub code: Option<String>,
    /// By the client's clock.
    pub sent_at: UnixTime,
}

/// The call by the clock of the client that asks, which is ahead for some test clients. What begins with `test_` may
/// be one; all others are not asked about.
pub async fn on_clock_of(call: Call, caller: &Caller) -> Result<Call, Error> {
    if !caller.client.may_be_for_tests() {
        return Ok(call);
    }
    let admitted = Some(once::admitted(&call, caller)?);
    let ahead = clients::clock_ahead(&*call.app.db, &caller.client, admitted, call.now).await?;
    let ahead = ahead.ok_or_else(|| once::refused(caller))?;
    Ok(call.ahead_by(ahead))
}

/// The same for whoever holds a link of the client's.
pub(super) async fn on_clock_of_client(call: &Call, client: &ClientId) -> Result<Call, Error> {
    if !client.may_be_for_tests() {
        return Ok(call.clone());
    }
    let ahead = clients::clock_ahead(&*call.app.db, client, None, call.now).await?;
    Ok(call.clone().ahead_by(ahead.flatten()))
}

/// A test client's time, and how many seconds it is ahead of the server's.
pub struct Clock {
    pub now: UnixTime,
    pub ahead: u64,
}

/// How far the clock of whoever asks is ahead. What they showed has to be good for what they ask; for a client that is
/// no test client there is nothing here.
async fn ahead_of_tester(call: &Call, caller: &Caller) -> Result<u64, Error> {
    let nobody = UserId::try_from("-".to_owned());
    let nobody = nobody.map_err(|error| Error::internal(error.to_string()))?;
    load(&Asked::by_client(call.clone(), caller.clone(), nobody)).await?;
    call.clock_ahead.ok_or(Error::NotFound)
}

/// Puts the clock of a test client forward. For every other client there is nothing here.
pub async fn advance(call: &Call, caller: &Caller, seconds: u64) -> Result<Clock, Error> {
    let present = ahead_of_tester(call, caller).await?;
    let ahead = present.saturating_add(seconds);
    if ahead > FURTHEST_AHEAD {
        return Err(Error::invalid(
            "advance_seconds",
            "A clock can be ten years ahead at most; make a new test client",
        ));
    }
    if seconds > 0 {
        let batch = Batch {
            statements: vec![clients::advance_clock(&caller.client, present, ahead)],
            decided_by: Some(0),
        };
        if !once::store(call, batch).await? {
            // Another request put it forward at the same time.
            return Err(Error::RateLimited { retry_after: 1 });
        }
    }
    let now = call.now.plus(seconds);
    Ok(Clock { now, ahead })
}

/// What would have been sent, oldest first: to one user or to all.
pub async fn messages(
    call: &Call,
    caller: &Caller,
    user: Option<&UserId>,
) -> Result<Vec<(UserId, Message)>, Error> {
    ahead_of_tester(call, caller).await?;
    let stored = test_messages::list(&*call.app.db, &caller.client, user).await?;
    let opened = stored.into_iter().map(|stored| {
        let owner = Owner {
            client: caller.client.clone(),
            user: stored.user,
        };
        let vault = Vault {
            keys: call.app.keys(),
            owner: &owner,
        };
        let text = vault.open(PLACE, &stored.message)?;
        let message = serde_json::from_slice(&text).map_err(Error::internal)?;
        Ok((owner.user, message))
    });
    opened.collect()
}

const PLACE: Place<'_> = Place {
    object: "test message",
    field: "message",
};

/// Keeps a message in the place of sending it.
pub(super) async fn keep(asked: &Asked, message: &Message) -> Result<(), Error> {
    let text = serde_json::to_vec(message).map_err(Error::internal)?;
    let sealed = asked.vault().seal(PLACE, &text)?;
    let (db, now) = (&*asked.app().db, asked.call.real_now());
    test_messages::insert(db, &asked.owner, &sealed, now).await?;
    Ok(())
}
