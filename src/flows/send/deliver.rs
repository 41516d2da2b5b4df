//! Handing a reserved message to its provider, and undoing the reservation where that fails.

use serde_json::json;

use super::reserve::{Destination, Reserved};
use crate::app::Call;
use crate::domain::ids::UserId;
use crate::domain::message::Notice;
use crate::domain::method::{Channel, Purpose};
use crate::error::Error;
use crate::flows::Caller;
use crate::flows::change::change;
use crate::flows::decision::Decision;
use crate::providers::{SendError, sendgrid, twilio};
use crate::storage::audit_log::{Event, Kind};
use crate::storage::codes;
use crate::storage::send_counters::Quota;

/// Why a message is not on its way.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undelivered {
    #[error("KV did not take the digest")]
    NotStored,
    #[error(transparent)]
    Provider(#[from] SendError),
}

pub(super) async fn deliver(
    call: &Call,
    reserved: &Reserved,
    purpose: Purpose,
) -> Result<(), Undelivered> {
    let Reserved {
        dispatch,
        destination,
        issuer,
        domain,
        locale,
        ..
    } = reserved;
    let app = &call.app;
    let stored = codes::insert(
        &*app.kv,
        &dispatch.challenge,
        &dispatch.stored_digest,
        dispatch.lifetime,
    )
    .await;
    stored.map_err(|_| Undelivered::NotStored)?;
    let notice = Notice {
        issuer,
        purpose,
        locale: *locale,
        code: &dispatch.code,
    };
    match destination {
        Destination::Phone(phone) => {
            let config = app.config.twilio.as_ref().ok_or(SendError::NotConfigured)?;
            twilio::send(
                &*app.http,
                config,
                phone,
                &notice.sms(domain),
                &dispatch.challenge,
            )
            .await?;
        }
        Destination::Email(email) => {
            let config = app
                .config
                .sendgrid
                .as_ref()
                .ok_or(SendError::NotConfigured)?;
            sendgrid::send(
                &*app.http,
                config,
                issuer,
                email,
                &notice.email(),
                &dispatch.challenge,
            )
            .await?;
        }
    }
    Ok(())
}

/// Takes the code back and gives the cooldown back; the counters too, if it is certain that nothing
/// was sent (REL-03).
pub(super) async fn withdraw(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    reserved: &Reserved,
    channel: Channel,
    reason: &Undelivered,
) -> Result<(), Error> {
    let (status, code, nothing_sent) = match reason {
        Undelivered::NotStored => (None, None, true),
        Undelivered::Provider(error) => (
            error.provider_status(),
            error.provider_code(),
            error.nothing_sent(),
        ),
    };
    let detail = json!({"channel": channel, "provider_status": status, "provider_code": code});
    change(call, caller, user, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        account.withdraw(&reserved.dispatch);
        Ok(Decision::store(
            account,
            Event::new(Kind::DeliveryFailed).with(detail.clone()),
            (),
        ))
    })
    .await?;
    if nothing_sent {
        call.app
            .db
            .batch(reserved.quotas.iter().map(Quota::give_back).collect())
            .await?;
    }
    Ok(())
}
