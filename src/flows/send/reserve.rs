//! May this message go out? Everything that limits it is stored with it, or nothing is.

use serde_json::json;

use crate::call::Call;
use crate::domain::account::{Account, Dispatch};
use crate::domain::crypto::digest;
use crate::domain::crypto::keys::KeyRing;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::{Channel, Method, Purpose};
use crate::domain::settings::{Locale, Settings};
use crate::error::Error;
use crate::flows::Caller;
use crate::flows::change::{Present, change, record_later};
use crate::flows::decision::{Conditions, Decision};
use crate::flows::destination::{Destination, destination};
use crate::storage::audit_log::{Event, Kind};
use crate::storage::send_counters::{Counted, Quota};

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
    let method = channel.method(purpose);
    let reserved = change(call, caller, user, None, |account, present| {
        let mut account = sendable(account, present, method)?;
        if purpose == Purpose::Recovery && !account.mfa_enabled() {
            return Err(Error::MfaNotEnabled);
        }
        let client = present.client;
        let destination = destination(&call.app, client, &account, owner, channel)?;
        // Recovery stays reachable, whatever failures did to codes of a login.
        if purpose == Purpose::Verify && account.is_disabled(channel) {
            return Err(Error::DestinationDisabled(channel));
        }
        refuse_if_locked(&account, method, call)?;
        let (dispatch, challenge) =
            Dispatch::draw(call.app.keys(), owner, channel, purpose, call.now)?;
        let cooldown = client.settings.cooldown_seconds.get().into();
        account
            .open_challenge(challenge, cooldown, call.now)
            .map_err(|cooldown| Error::SendLimited {
                retry_after: cooldown.until.seconds_from(call.now),
            })?;
        let conditions = Conditions {
            quotas: quotas(&destination, call, owner.client, &client.settings),
            provider: Some(destination.provider()),
        };
        let reserved = Reserved {
            dispatch,
            destination,
            issuer: client.issuer().to_owned(),
            domain: client.sms_domain(&call.app.config.public_url).to_owned(),
            locale: locale.unwrap_or(client.settings.locale),
            quotas: conditions.quotas.clone(),
        };
        let event = Event::new(Kind::CodeSent)
            .by(method)
            .with(json!({"channel": channel, "purpose": purpose}));
        Ok(Decision::store(account, event, reserved).on(conditions))
    })
    .await;
    reserved.inspect_err(|error| {
        let reason = match error {
            Error::SendLimited { .. } => "limit",
            Error::DeliveryUnavailable { .. } => "pause",
            Error::DestinationNotAllowed(_) => "destination",
            _ => return,
        };
        let event = Event::new(Kind::SendRefused).by(method);
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
        return Err(Error::MethodNotUsed(method));
    }
    Ok(account)
}

/// A code that could not be tried is not sent: it would only cost money.
pub(super) fn refuse_if_locked(
    account: &Account,
    method: Method,
    call: &Call,
) -> Result<(), Error> {
    match account.locks(call.now).of(method.class()) {
        Some(until) => Err(Error::Locked {
            retry_after: until.seconds_from(call.now),
        }),
        None => Ok(()),
    }
}

/// Tries to send to one destination in 10 minutes, refused ones included.
const TRIES: [(u64, u32); 1] = [(600, 10)];

/// Everything one message is counted by. Numbers and addresses are counted under a keyed digest,
/// apart for each client: one tenant uses up nothing of another's (TEN-06).
fn quotas(
    destination: &Destination,
    call: &Call,
    client: &ClientId,
    settings: &Settings,
) -> Vec<Quota> {
    let now = call.now;
    let per_destination = [
        (600, settings.sends_per_ten_minutes.get()),
        (86_400, settings.sends_per_day.get()),
    ];
    let scope = |kind: &str, text: &str| {
        let pseudonym = pseudonym(call.app.keys(), kind, text);
        format!("{kind}:{}:{pseudonym}", client.as_str())
    };
    let tries = |text: &str| Quota::sliding(scope("tries", text), &TRIES, now).of(Counted::Tries);
    match destination {
        Destination::Phone(phone) => {
            let (number, prefix) = (phone.as_str(), phone.prefix());
            let per_prefix = [(3600, settings.sms_per_prefix_and_hour.get())];
            let day = format!("sms-day:{}", client.as_str());
            vec![
                Quota::sliding(scope("sms", number), &per_destination, now),
                tries(number),
                Quota::sliding(scope("prefix", prefix), &per_prefix, now),
                Quota::daily(day, settings.daily_sms_budget.get(), now),
            ]
        }
        Destination::Email(email) => {
            let mailbox = email.mailbox();
            let day = format!("email-day:{}", client.as_str());
            vec![
                Quota::sliding(scope("email", &mailbox), &per_destination, now),
                tries(&mailbox),
                Quota::daily(day, settings.daily_email_budget.get(), now),
            ]
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
