//! Handing a reserved message to its provider, and undoing the reservation where that fails.

use serde_json::json;

use super::chain::{Failures, carry};
use super::reserve::{LinkLetter, Reserved};
use crate::app::App;
use crate::domain::codes::numeric::NumericCode;
use crate::domain::contact::mail::{self, About, Mail};
use crate::domain::contact::message::{EmailText, Notice};
use crate::domain::event::{Event, Kind};
use crate::domain::method::Channel;
use crate::domain::provider::Provider;
use crate::domain::session::RECOVERY_LINK_LIFETIME;
use crate::domain::settings::Locale;
use crate::domain::statistics::Fate;
use crate::error::Error;
use crate::flows::asked::Asked;
use crate::flows::change::{Decision, change};
use crate::flows::destination::{Destination, providers_of};
use crate::flows::test_clients;
use crate::providers::{Content, Message};
use crate::storage::codes;
use crate::storage::counters::Quota;

/// Why a message is not on its way.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undelivered {
    #[error("KV did not take the digest")]
    NotStored,
    #[error(transparent)]
    NotSent(#[from] Failures),
}

/// Stores the code's digest and hands the message to the providers of its chain.
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
    let (text, spoken, email);
    let content = match &reserved.destination {
        Destination::Phone(to) => {
            text = sms(asked.app(), reserved);
            spoken = notice(reserved).spoken();
            let (text, spoken) = (&*text, Some(&spoken));
            Content::ToPhone { to, text, spoken }
        }
        Destination::Email(to) => {
            email = self::email(reserved);
            Content::ToMailbox { to, text: &email }
        }
    };
    let code = &reserved.dispatch.code;
    let code = reserved.link.is_none().then_some(code);
    let message = message(asked, reserved, code, content);
    carry(asked, &reserved.chain, &message).await?;
    Ok(())
}

fn message<'a>(
    asked: &'a Asked,
    reserved: &'a Reserved,
    code: Option<&'a NumericCode>,
    content: Content<'a>,
) -> Message<'a> {
    Message {
        id: format!("msg_{}", asked.call.request_id.as_str()),
        client: &asked.owner.client,
        sender: reserved.client.brand_name(),
        purpose: reserved.wanted.purpose.into(),
        locale: locale(reserved),
        code,
        content,
    }
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
        purpose: reserved.wanted.purpose.into(),
        to: to.to_owned(),
        subject,
        text,
        code: reserved.link.is_none().then(|| code.to_owned()),
        sent_at: asked.now(),
    };
    let kept = test_clients::keep(asked, &message).await;
    kept.map_err(|_| Undelivered::NotStored)
}

fn locale(reserved: &Reserved) -> Locale {
    let wanted = reserved.wanted.locale;
    wanted.unwrap_or(reserved.client.settings.locale)
}

fn notice(reserved: &Reserved) -> Notice<'_> {
    let client = &reserved.client;
    Notice {
        issuer: client.issuer(),
        purpose: reserved.wanted.purpose,
        locale: locale(reserved),
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
    let locale = locale(reserved);
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
            purpose: reserved.wanted.purpose.into(),
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
    let chain = providers_of(asked, &reserved.client, Channel::Sms);
    let chain: Vec<Provider> = chain
        .into_iter()
        .filter(|provider| provider.carries_text())
        .collect();
    let content = Content::ToPhone {
        to: phone,
        text: &text,
        spoken: None,
    };
    let mut message = message(asked, reserved, None, content);
    message.id.push_str("_warning");
    if let Err(failures) = carry(asked, &chain, &message).await {
        log::warn!("a phone was not told of a recovery: {failures}");
    }
}

/// Takes the code back and gives the cooldown back; the counters too, if it is certain that nothing
/// was sent (REL-03). Tries stay counted, so that this has an end.
pub(super) async fn withdraw(
    asked: &Asked,
    reserved: &Reserved,
    reason: &Undelivered,
) -> Result<(), Error> {
    let nothing_sent = match reason {
        Undelivered::NotStored => true,
        Undelivered::NotSent(failures) => failures.nothing_sent(),
    };
    let detail = match reason {
        Undelivered::NotStored => json!({"channel": reserved.wanted.channel}),
        Undelivered::NotSent(failures) => failures.detail(reserved.wanted.channel),
    };
    change(asked, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        account.withdraw(&reserved.dispatch);
        if let Some(letter) = &reserved.link {
            account.withdraw_link(&letter.name);
        }
        let event = Event::new(Kind::DeliveryFailed).with(detail.clone());
        let counted = reserved.counted(asked, Fate::Failed);
        Ok(Decision::store(account, event, ()).counting(counted))
    })
    .await?;
    if nothing_sent {
        let refunds = reserved.quotas.iter().filter_map(Quota::give_back);
        asked.app().db.batch(refunds.collect()).await?;
    }
    Ok(())
}
