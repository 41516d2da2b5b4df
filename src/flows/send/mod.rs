//! Codes by SMS, by e-mail and to the application itself.
//!
//! The order matters: limits and the new challenge are stored first, exactly and together; then the
//! digest goes to KV, then the message to the provider. So no parallel request sends a second one, and
//! a code that was not sent is taken back.

mod chain;
mod deliver;
mod notice;
mod quotas;
mod reserve;

use self::deliver::{Undelivered, deliver, tell_others, withdraw};
pub(super) use self::notice::hand_over as hand_over_notice;
pub(super) use self::quotas::notice_quotas;
pub(super) use self::reserve::{
    LinkLetter, Reserved, refuse_if_locked, reserve_on, reserved, reserved_link,
};
use self::reserve::{reserve, sendable};
use super::asked::Asked;
use super::change::{Decision, change, per_minute};
use crate::call::{Call, Message};
use crate::domain::account::Dispatch;
use crate::domain::event::{Event, Kind};
use crate::domain::method::{Channel, Method, Purpose};
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::storage::codes;

/// A message that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub channel: Channel,
    pub purpose: Purpose,
    /// The client's language if it is missing.
    pub locale: Option<Locale>,
    /// Whether the hosted page asked: an SMS is then bound to this service's host, where its code is typed.
    pub on_the_page: bool,
}

impl Wanted {
    fn method(self) -> Method {
        self.channel.method(self.purpose)
    }
}

/// A code on its way.
pub struct Sent {
    /// Masked.
    pub destination: String,
    /// Seconds.
    pub expires_in: u64,
}

/// A code for the application to hand over itself.
pub struct Generated {
    pub code: String,
    /// Seconds.
    pub expires_in: u64,
}

/// Sends a code to the user's phone or e-mail address.
pub async fn send(asked: &Asked, wanted: Wanted) -> Result<Sent, Error> {
    let reserved = reserve(asked, wanted).await;
    let reserved = reserved.inspect_err(|error| note(&asked.call, wanted.channel, Some(error)))?;
    hand_over(asked, &reserved).await?;
    Ok(Sent {
        destination: reserved.destination.masked(),
        expires_in: reserved.dispatch.lifetime,
    })
}

/// Hands a reserved message to its provider, and takes its code back where that fails.
pub(super) async fn hand_over(asked: &Asked, reserved: &Reserved) -> Result<(), Error> {
    let handed_over = deliver_or_withdraw(asked, reserved).await;
    let failure = handed_over.as_ref().err();
    note(&asked.call, reserved.wanted.channel, failure);
    handed_over
}

/// For the metrics: what became of the message.
pub(super) fn note(call: &Call, channel: Channel, failure: Option<&Error>) {
    let outcome = failure.map_or("success", |error| error.code().name());
    call.trace.set_message(Message { channel, outcome });
}

async fn deliver_or_withdraw(asked: &Asked, reserved: &Reserved) -> Result<(), Error> {
    let Err(error) = deliver(asked, reserved).await else {
        tell_others(asked, reserved).await;
        return Ok(());
    };
    log::warn!("a message was not sent: {error}");
    // Should this fail too, the code dies unsent when it expires, and the cooldown stands.
    if let Err(error) = withdraw(asked, reserved, &error).await {
        log::warn!("an unsent code was not taken back: {error}");
    }
    Err(told(&error, reserved.wanted.channel))
}

fn told(error: &Undelivered, channel: Channel) -> Error {
    match error {
        Undelivered::NotStored => Error::Unavailable("the code could not be stored in KV".into()),
        Undelivered::NotSent(failures) => failures.error(channel),
    }
}

/// Draws a code and gives it to the application.
pub async fn generate(asked: &Asked) -> Result<Generated, Error> {
    let dispatch = change(asked, None, |account, facts| {
        let mut account = sendable(account, facts, Method::Generated)?;
        refuse_if_locked(&account, Purpose::Verify, asked.now())?;
        let (dispatch, challenge) =
            Dispatch::draw(asked.vault(), Channel::Api, Purpose::Verify, asked.now())?;
        // The application's own channel has no cooldown: it costs nobody anything.
        account
            .open_challenge(challenge, 0, asked.now())
            .map_err(|_| Error::SendLimited { retry_after: 1 })?;
        let event = Event::new(Kind::CodeGenerated).by(Method::Generated);
        let most = facts.client.settings.generated_codes_per_minute.get();
        Ok(Decision::store(account, event, dispatch).on(per_minute(facts, "generate", most)))
    })
    .await?;
    let (id, digest) = (&dispatch.challenge, &dispatch.stored_digest);
    let stored = codes::insert(&*asked.app().kv, id, digest, dispatch.lifetime).await;
    stored.map_err(|error| Error::Unavailable(error.into()))?;
    Ok(Generated {
        code: dispatch.code.as_str().to_owned(),
        expires_in: dispatch.lifetime,
    })
}
