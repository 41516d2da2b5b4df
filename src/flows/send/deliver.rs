//! Handing a reserved message to its provider, and undoing the reservation where that fails.

use std::time::Duration;

use serde_json::json;

use super::reserve::Reserved;
use crate::call::Call;
use crate::domain::contact::message::Notice;
use crate::domain::crypto::random;
use crate::domain::ids::UserId;
use crate::domain::method::{Channel, Purpose};
use crate::error::Error;
use crate::flows::Caller;
use crate::flows::change::change;
use crate::flows::decision::Decision;
use crate::flows::destination::Destination;
use crate::providers::{SendError, sendgrid, twilio};
use crate::storage::audit_log::{Event, Kind};
use crate::storage::send_counters::Quota;
use crate::storage::{codes, provider_pauses};

/// One message, all tries together.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After a 429, which was never processed and is safe to send again (Twilio 20429).
const RETRIES: u32 = 2;
/// Seconds a provider is left alone that does not say for how long; and at most.
const PAUSE: u64 = 30;
const LONGEST_PAUSE: u64 = 3600;

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
    let dispatch = &reserved.dispatch;
    let stored = codes::insert(
        &*call.app.kv,
        &dispatch.challenge,
        &dispatch.stored_digest,
        dispatch.lifetime,
    )
    .await;
    stored.map_err(|_| Undelivered::NotStored)?;
    let notice = Notice {
        issuer: &reserved.issuer,
        purpose,
        locale: reserved.locale,
        code: &dispatch.code,
    };
    let (mut left, mut retry) = (TIMEOUT, 0);
    loop {
        let error = match send_once(call, reserved, &notice, left).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let SendError::Busy { retry_after } = error else {
            return Err(error.into());
        };
        let wait = back_off(retry_after, retry);
        let gives_up = retry == RETRIES || wait >= left;
        // Noted first: while this request waits, nobody else's goes there either.
        let pause = if gives_up {
            pause_seconds(retry_after)
        } else {
            wait.as_secs() + 1
        };
        leave_alone(call, reserved, pause).await;
        if gives_up {
            return Err(error.into());
        }
        call.app.http.wait(wait).await;
        left = left.saturating_sub(wait);
        retry += 1;
    }
}

async fn send_once(
    call: &Call,
    reserved: &Reserved,
    notice: &Notice<'_>,
    left: Duration,
) -> Result<(), SendError> {
    let app = &call.app;
    let http = &*app.http;
    match &reserved.destination {
        Destination::Phone(phone) => {
            let config = app.config.twilio.as_ref().ok_or(SendError::NotConfigured)?;
            twilio::send(http, config, phone, &notice.sms(&reserved.domain), left).await
        }
        Destination::Email(email) => {
            let config = app.config.sendgrid.as_ref();
            let config = config.ok_or(SendError::NotConfigured)?;
            sendgrid::send(http, config, &reserved.issuer, email, &notice.email(), left).await
        }
    }
}

/// Seconds until a provider that is busy may be asked again.
pub(super) fn pause_seconds(retry_after: Option<u64>) -> u64 {
    retry_after.unwrap_or(PAUSE).clamp(1, LONGEST_PAUSE)
}

async fn leave_alone(call: &Call, reserved: &Reserved, seconds: u64) {
    let until = call.app.now().plus(seconds);
    let provider = reserved.destination.provider();
    if let Err(error) = provider_pauses::insert(&*call.app.db, provider, until).await {
        log::warn!("the pause a provider asked for was not noted: {error}");
    }
}

/// What `Retry-After` says, else half a second and then a second; and up to a quarter more, so that
/// requests that were refused together do not come again together.
fn back_off(retry_after: Option<u64>, retry: u32) -> Duration {
    let wait = retry_after.map_or(Duration::from_millis(500 << retry), |seconds| {
        Duration::from_secs(seconds.max(1))
    });
    wait + wait * random::below(256).unwrap_or(0) / 1024
}

/// Takes the code back and gives the cooldown back; the counters too, if it is certain that nothing
/// was sent (REL-03). Tries stay counted, so that this has an end.
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
        let event = Event::new(Kind::DeliveryFailed).with(detail.clone());
        Ok(Decision::store(account, event, ()))
    })
    .await?;
    if nothing_sent {
        let refunds = reserved.quotas.iter().filter_map(Quota::give_back);
        call.app.db.batch(refunds.collect()).await?;
    }
    Ok(())
}
