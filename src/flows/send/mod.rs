//! Codes by SMS, by e-mail and to the application itself.
//!
//! The order matters: limits and the new challenge are stored first, exactly and together; then the
//! digest goes to KV, then the message to the provider. So no parallel request sends a second one, and
//! a code that was not sent is taken back.

mod deliver;
mod reserve;

use self::deliver::{Undelivered, deliver, pause_seconds, withdraw};
use self::reserve::{refuse_if_locked, reserve, sendable};
use super::Caller;
use super::change::{change, per_minute};
use super::decision::Decision;
use crate::call::Call;
use crate::domain::account::Dispatch;
use crate::domain::ids::UserId;
use crate::domain::method::{Channel, Method, Purpose};
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::providers::SendError;
use crate::storage::audit_log::{Event, Kind};
use crate::storage::codes;

/// A code on its way.
pub struct Sent {
    pub destination: String,
    pub expires_in: u64,
}

/// A code for the application to hand over itself.
pub struct Generated {
    pub code: String,
    pub expires_in: u64,
}

/// Sends a code of `purpose` to the user's phone or e-mail address.
pub async fn send(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    channel: Channel,
    purpose: Purpose,
    locale: Option<Locale>,
) -> Result<Sent, Error> {
    let reserved = reserve(call, caller, user, channel, purpose, locale).await?;
    let delivered = deliver(call, &reserved, purpose).await;
    if let Err(error) = delivered {
        log::warn!("a message was not sent: {error}");
        // Should this fail too, the code dies unsent when it expires, and the cooldown stands.
        if let Err(error) = withdraw(call, caller, user, &reserved, channel, &error).await {
            log::warn!("an unsent code was not taken back: {error}");
        }
        return Err(match error {
            Undelivered::NotStored => {
                Error::Unavailable("the code could not be stored in KV".into())
            }
            Undelivered::Provider(SendError::NotConfigured) => Error::ChannelNotConfigured(channel),
            Undelivered::Provider(SendError::Refused { .. }) => Error::DeliveryFailed,
            Undelivered::Provider(SendError::Busy { retry_after }) => Error::DeliveryUnavailable {
                retry_after: pause_seconds(retry_after),
            },
            Undelivered::Provider(SendError::Failed(_)) => {
                Error::DeliveryUnavailable { retry_after: 5 }
            }
        });
    }
    Ok(Sent {
        destination: reserved.destination.masked(),
        expires_in: reserved.dispatch.lifetime,
    })
}

/// Draws a code and gives it to the application.
pub async fn generate(call: &Call, caller: &Caller, user: &UserId) -> Result<Generated, Error> {
    let dispatch = change(call, caller, user, None, |account, present| {
        let mut account = sendable(account, present, Method::Generated)?;
        refuse_if_locked(&account, Method::Generated, call)?;
        let (dispatch, challenge) = Dispatch::draw(
            call.app.keys(),
            present.owner,
            Channel::Api,
            Purpose::Verify,
            call.now,
        )?;
        // The application's own channel has no cooldown: it costs nobody anything.
        account
            .open_challenge(challenge, 0, call.now)
            .map_err(|_| Error::SendLimited { retry_after: 1 })?;
        let event = Event::new(Kind::CodeGenerated).by(Method::Generated);
        let most = present.client.settings.generated_codes_per_minute.get();
        Ok(Decision::store(account, event, dispatch).on(per_minute(present, "generate", most)))
    })
    .await?;
    let stored = codes::insert(
        &*call.app.kv,
        &dispatch.challenge,
        &dispatch.stored_digest,
        dispatch.lifetime,
    )
    .await;
    stored.map_err(|error| Error::Unavailable(error.into()))?;
    Ok(Generated {
        code: dispatch.code.as_str().to_owned(),
        expires_in: dispatch.lifetime,
    })
}
