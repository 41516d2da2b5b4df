//! Handing a reserved message to its provider, and undoing the reservation where that fails.

use std::time::Duration;

use serde_json::json;

use super::reserve::{LinkLetter, Reserved};
use crate::app::App;
use crate::domain::contact::mail::{self, About, Mail};
use crate::domain::contact::message::{EmailText, Notice};
use crate::domain::crypto::random;
use crate::domain::event::{Event, Kind};
use crate::domain::method::Channel;
use crate::domain::session::RECOVERY_LINK_LIFETIME;
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::flows::asked::Asked;
use crate::flows::change::{Decision, change};
use crate::flows::destination::Destination;
use crate::flows::test_clients;
use crate::providers::{SendError, sendgrid, twilio};
use crate::storage::counters::Quota;
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

/// Stores the code's digest and hands the message to its provider, again after a pause while that is busy
/// and time is left.
pub(super) async fn deliver(asked: &Asked, reserved: &Reserved) -> Result<(), Undelivered> {
    if reserved.link.is_none() {
        let dispatch = &reserved.dispatch;
        let (id, digest) = (&dispatch.challenge, &dispatch.stored_digest);
        let stored = codes::insert(&*asked.app().kv, id, digest, dispatch.lifetime).await;
        stored.map_err(|_| Undelivered::NotStored)?;
    }
    if reserved.client.is_for_tests {
        return keep(asked, reserved).await;
    }
    let mut left = TIMEOUT;
    for retry in 0..=RETRIES {
        let retry_after = match send_once(asked, reserved, left).await {
            Ok(()) => return Ok(()),
            Err(SendError::Busy { retry_after }) => retry_after,
            Err(error) => return Err(error.into()),
        };
        let wait = back_off(retry_after, retry);
        if retry == RETRIES || wait >= left {
            leave_alone(asked.app(), reserved, pause_seconds(retry_after)).await;
            return Err(SendError::Busy { retry_after }.into());
        }
        // Noted first: while this request waits, nobody else's goes there either.
        leave_alone(asked.app(), reserved, wait.as_secs() + 1).await;
        asked.app().http.wait(wait).await;
        left = left.saturating_sub(wait);
    }
    Err(SendError::Busy { retry_after: None }.into())
}

/// What a test client finds in the place of a message.
async fn keep(asked: &Asked, reserved: &Reserved) -> Result<(), Undelivered> {
    let (to, subject, text) = match &reserved.destination {
        Destination::Phone(phone) => (phone.as_str(), None, sms(asked.app(), reserved)),
        Destination::Email(address) => {
            let email = email(reserved);
            (address.as_str(), Some(email.subject), email.text)
        }
    };
    let code = reserved.dispatch.code.as_str();
    let message = test_clients::Message {
        channel: reserved.wanted.channel,
        purpose: reserved.wanted.purpose,
        to: to.to_owned(),
        subject,
        text,
        code: reserved.link.is_none().then(|| code.to_owned()),
        sent_at: asked.now(),
    };
    let kept = test_clients::keep(asked, &message).await;
    kept.map_err(|_| Undelivered::NotStored)
}

fn notice(reserved: &Reserved) -> Notice<'_> {
    let client = &reserved.client;
    Notice {
        issuer: client.issuer(),
        purpose: reserved.wanted.purpose,
        locale: reserved.wanted.locale.unwrap_or(client.settings.locale),
        code: &reserved.dispatch.code,
    }
}

/// A code that is asked for on the page is bound to this service's own host.
fn sms(app: &App, reserved: &Reserved) -> String {
    let own = app.config.public_url.host();
    let domain = if reserved.wanted.on_the_page {
        own
    } else {
        reserved.client.sms_domain(own)
    };
    notice(reserved).sms(domain)
}

fn email(reserved: &Reserved) -> EmailText {
    let notice = notice(reserved);
    match &reserved.link {
        Some(letter) => link_mail(reserved, letter, notice.locale),
        None => notice.email(reserved.client.look(), reserved.sent_at, None),
    }
}

async fn send_once(asked: &Asked, reserved: &Reserved, left: Duration) -> Result<(), SendError> {
    let app = asked.app();
    let http = &asked.call.http();
    match &reserved.destination {
        Destination::Phone(phone) => {
            let config = app.config.twilio.as_ref().ok_or(SendError::NotConfigured)?;
            twilio::send(http, config, phone, &sms(app, reserved), left).await
        }
        Destination::Email(address) => {
            let config = app.config.sendgrid.as_ref();
            let config = config.ok_or(SendError::NotConfigured)?;
            let sender = reserved.client.brand_name();
            sendgrid::send(http, config, sender, address, &email(reserved), left).await
        }
    }
}

fn link_mail(reserved: &Reserved, letter: &LinkLetter, locale: Locale) -> EmailText {
    let about = About {
        at: reserved.sent_at,
        url: Some(&letter.url),
        stop_url: Some(&letter.stop_url),
        opens_at: letter.opens_at,
        minutes: Some(RECOVERY_LINK_LIFETIME / 60),
        ..About::default()
    };
    let mail = match letter.opens_at {
        Some(_) => Mail::RecoveryLinkDelayed,
        None => Mail::RecoveryLink,
    };
    mail::render(mail, locale, reserved.client.look(), &about)
}

/// Tells the other channel of a link that has to wait, so that whoever did not ask for it can stop it. That it did
/// not get there keeps nobody from getting in: the mail says the same.
pub(super) async fn tell_others(asked: &Asked, reserved: &Reserved) {
    let (Some(letter), Some(Destination::Phone(phone))) = (&reserved.link, &reserved.others) else {
        return;
    };
    let locale = reserved
        .wanted
        .locale
        .unwrap_or(reserved.client.settings.locale);
    let opens_at = letter.opens_at.unwrap_or(reserved.sent_at);
    let text = mail::warning_sms(
        reserved.client.brand_name(),
        opens_at,
        &letter.stop_url,
        locale,
    );
    if reserved.client.is_for_tests {
        let message = test_clients::Message {
            channel: Channel::Sms,
            purpose: reserved.wanted.purpose,
            to: phone.as_str().to_owned(),
            subject: None,
            text,
            code: None,
            sent_at: asked.now(),
        };
        if let Err(error) = test_clients::keep(asked, &message).await {
            log::warn!("a message of a test client was not kept: {error}");
        }
        return;
    }
    let app = asked.app();
    let Some(config) = &app.config.twilio else {
        return;
    };
    if let Err(error) = twilio::send(&*app.http, config, phone, &text, TIMEOUT).await {
        log::warn!("a phone was not told of a recovery: {error}");
    }
}

/// Seconds until a provider that is busy may be asked again.
pub(super) fn pause_seconds(retry_after: Option<u64>) -> u64 {
    retry_after.unwrap_or(PAUSE).clamp(1, LONGEST_PAUSE)
}

async fn leave_alone(app: &App, reserved: &Reserved, seconds: u64) {
    let until = app.now().plus(seconds);
    let provider = reserved.destination.provider();
    if let Err(error) = provider_pauses::insert(&*app.db, provider, until).await {
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
    asked: &Asked,
    reserved: &Reserved,
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
    let channel = reserved.wanted.channel;
    let detail = json!({"channel": channel, "provider_status": status, "provider_code": code});
    change(asked, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        account.withdraw(&reserved.dispatch);
        if let Some(letter) = &reserved.link {
            account.withdraw_link(&letter.name);
        }
        let event = Event::new(Kind::DeliveryFailed).with(detail.clone());
        Ok(Decision::store(account, event, ()))
    })
    .await?;
    if nothing_sent {
        let refunds = reserved.quotas.iter().filter_map(Quota::give_back);
        asked.app().db.batch(refunds.collect()).await?;
    }
    Ok(())
}
