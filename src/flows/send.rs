//! Codes by SMS, by e-mail and to the application itself.
//!
//! The order matters: limits and the new challenge are stored first, exactly and together; then the
//! digest goes to KV, then the message to the provider. So no parallel request sends a second one, and
//! a code that was not sent is taken back.

use serde_json::json;

use super::Caller;
use super::change::{Decision, Present, change, record_later};
use crate::app::Call;
use crate::domain::account::{Account, Dispatch};
use crate::domain::digest;
use crate::domain::email::Email;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::keys::KeyRing;
use crate::domain::message::Notice;
use crate::domain::method::{Channel, Method, Purpose};
use crate::domain::phone::Phone;
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::providers::{SendError, sendgrid, twilio};
use crate::storage::audit_log::{Event, Kind};
use crate::storage::clients::ClientState;
use crate::storage::codes;
use crate::storage::send_counters::Quota;

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

enum Destination {
    Phone(Phone),
    Email(Email),
}

/// A message that may go out: stored, counted, not yet sent.
struct Reserved {
    dispatch: Dispatch,
    destination: Destination,
    issuer: String,
    domain: String,
    locale: Locale,
    quotas: Vec<Quota>,
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
            Undelivered::Provider(SendError::Refused { .. }) => Error::DeliveryFailed,
            Undelivered::Provider(SendError::NotConfigured) => {
                Error::DeliveryUnavailable("This channel is not configured")
            }
            Undelivered::Provider(SendError::Failed(_)) => {
                Error::DeliveryUnavailable("The provider is out of reach; try again")
            }
        });
    }
    let destination = match &reserved.destination {
        Destination::Phone(phone) => phone.masked(),
        Destination::Email(email) => email.masked(),
    };
    Ok(Sent {
        destination,
        expires_in: reserved.dispatch.lifetime,
    })
}

/// Draws a code and gives it to the application.
pub async fn generate(call: &Call, caller: &Caller, user: &UserId) -> Result<Generated, Error> {
    let dispatch = change(call, caller, user, None, |account, present| {
        let mut account = sendable(account, present, Method::Generated)?;
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
        Ok(Decision::store(
            account,
            Event::new(Kind::CodeGenerated).by(Method::Generated),
            dispatch,
        ))
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

/// Stores the new challenge together with every counter, or says which limit is in the way.
async fn reserve(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    channel: Channel,
    purpose: Purpose,
    locale: Option<Locale>,
) -> Result<Reserved, Error> {
    let owner = caller.owner(user);
    let reserved = change(call, caller, user, None, |account, present| {
        let mut account = sendable(account, present, channel.method(purpose))?;
        if purpose == Purpose::Recovery && !account.mfa_enabled() {
            return Err(Error::MfaNotEnabled);
        }
        let settings = &present.client.settings;
        let destination = destination(&account, present, channel)?;
        let (dispatch, challenge) =
            Dispatch::draw(call.app.keys(), owner, channel, purpose, call.now)?;
        account
            .open_challenge(challenge, settings.cooldown_seconds.get().into(), call.now)
            .map_err(|cooldown| Error::SendLimited {
                retry_after: cooldown.until.seconds_from(call.now),
            })?;
        let quotas = destination.quotas(call, owner.client, present.client);
        let reserved = Reserved {
            dispatch,
            destination,
            issuer: present.client.issuer().to_owned(),
            domain: present
                .client
                .sms_domain(&call.app.config.public_url)
                .to_owned(),
            locale: locale.unwrap_or(settings.locale),
            quotas: quotas.clone(),
        };
        let event = Event::new(Kind::CodeSent)
            .by(channel.method(purpose))
            .with(json!({"channel": channel, "purpose": purpose}));
        Ok(Decision {
            quotas,
            ..Decision::store(account, event, reserved)
        })
    })
    .await;
    reserved.inspect_err(|error| {
        let reason = match error {
            Error::SendLimited { .. } => "limit",
            Error::DestinationNotAllowed(_) => "destination",
            _ => return,
        };
        let event = Event::new(Kind::SendRefused).by(channel.method(purpose));
        record_later(
            call,
            owner,
            &event.with(json!({"channel": channel, "reason": reason})),
        );
    })
}

/// The account, if codes may be sent for it by this method.
fn sendable(
    account: Option<Account>,
    present: &Present<'_>,
    method: Method,
) -> Result<Account, Error> {
    let account = account.ok_or(Error::UserNotFound)?;
    if account.is_off() {
        return Err(Error::MfaNotEnabled);
    }
    if !present.client.settings.allows(method) {
        return Err(Error::method_not_used(method));
    }
    Ok(account)
}

fn destination(
    account: &Account,
    present: &Present<'_>,
    channel: Channel,
) -> Result<Destination, Error> {
    let (keys, owner) = (present.call.app.keys(), present.owner);
    let missing = Error::DestinationMissing(channel);
    match channel {
        Channel::Sms => {
            let phone = account.phone(keys, owner)?.ok_or(missing)?;
            let countries = present.client.settings.sms_countries.as_ref();
            if countries
                .unwrap_or(&present.call.app.config.sms_countries)
                .allows(&phone)
            {
                Ok(Destination::Phone(phone))
            } else {
                Err(Error::DestinationNotAllowed(
                    "SMS to this number is not allowed",
                ))
            }
        }
        Channel::Email => account
            .email(keys, owner)?
            .map(Destination::Email)
            .ok_or(missing),
        Channel::Api => Err(missing),
    }
}

impl Destination {
    /// Everything one message is counted by. Numbers and addresses are counted under a keyed digest,
    /// apart for each client: one tenant uses up nothing of another's (TEN-06).
    fn quotas(&self, call: &Call, client: &ClientId, state: &ClientState) -> Vec<Quota> {
        let (settings, now) = (&state.settings, call.now);
        let per_destination = [
            (600, settings.sends_per_ten_minutes.get()),
            (86_400, settings.sends_per_day.get()),
        ];
        let scope = |kind: &str, text: &str| {
            format!(
                "{kind}:{}:{}",
                client.as_str(),
                pseudonym(call.app.keys(), kind, text)
            )
        };
        match self {
            Self::Phone(phone) => vec![
                Quota::sliding(scope("sms", phone.as_str()), &per_destination, now),
                Quota::sliding(
                    scope("prefix", phone.prefix()),
                    &[(3600, settings.sms_per_prefix_and_hour.get())],
                    now,
                ),
                Quota::daily(
                    format!("sms-day:{}", client.as_str()),
                    settings.daily_sms_budget.get(),
                    now,
                ),
            ],
            Self::Email(email) => vec![
                Quota::sliding(
                    scope("email", &email.as_str().to_ascii_lowercase()),
                    &per_destination,
                    now,
                ),
                Quota::daily(
                    format!("email-day:{}", client.as_str()),
                    settings.daily_email_budget.get(),
                    now,
                ),
            ],
        }
    }
}

fn pseudonym(keys: &KeyRing, kind: &str, text: &str) -> String {
    digest::keyed(
        &keys.current().pseudonyms,
        &[kind.as_bytes(), text.as_bytes()],
    )
    .as_hex()
    .to_owned()
}

#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error("KV did not take the digest")]
    NotStored,
    #[error(transparent)]
    Provider(#[from] SendError),
}

async fn deliver(call: &Call, reserved: &Reserved, purpose: Purpose) -> Result<(), Undelivered> {
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
async fn withdraw(
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
