//! May this message go out? Everything that limits it is stored with it, or nothing is.

use serde_json::json;

use crate::app::Call;
use crate::domain::account::{Account, Dispatch};
use crate::domain::digest;
use crate::domain::email::Email;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::keys::KeyRing;
use crate::domain::method::{Channel, Method, Purpose};
use crate::domain::phone::Phone;
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::flows::Caller;
use crate::flows::change::{Present, change, record_later};
use crate::flows::decision::Decision;
use crate::storage::audit_log::{Event, Kind};
use crate::storage::clients::ClientState;
use crate::storage::send_counters::Quota;

/// Where a message goes.
pub(super) enum Destination {
    Phone(Phone),
    Email(Email),
}

/// A message that may go out: stored, counted, not yet sent.
pub(super) struct Reserved {
    pub dispatch: Dispatch,
    pub destination: Destination,
    pub issuer: String,
    pub domain: String,
    pub locale: Locale,
    pub quotas: Vec<Quota>,
}

/// Stores the new challenge together with every counter, or says which limit is in the way.
pub(super) async fn reserve(
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
        Ok(Decision::store(account, event, reserved).counting(quotas))
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
pub(super) fn sendable(
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
                .allows(phone.country())
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
    pub(super) fn masked(&self) -> String {
        match self {
            Self::Phone(phone) => phone.masked(),
            Self::Email(email) => email.masked(),
        }
    }

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
