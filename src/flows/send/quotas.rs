//! What one message is counted by.

use crate::domain::client::ClientState;
use crate::domain::crypto::digest;
use crate::domain::crypto::keys::KeyRing;
use crate::flows::asked::Asked;
use crate::flows::destination::Destination;
use crate::storage::counters::{Counted, Quota};

/// Tries to send to one destination in 10 minutes, refused ones included.
const TRIES: [(u64, u32); 1] = [(600, 10)];

/// Everything one message is counted by. Numbers and addresses are counted under a keyed digest,
/// apart for each client: one tenant uses up nothing of another's (TEN-06).
pub(super) fn quotas(asked: &Asked, client: &ClientState, destination: &Destination) -> Vec<Quota> {
    let (now, settings) = (asked.now(), &client.settings);
    let id = asked.owner.client.as_str();
    let per_destination = [
        (600, settings.sends_per_ten_minutes.get()),
        (86_400, settings.sends_per_day.get()),
    ];
    let scope = |kind: &str, text: &str| {
        let pseudonym = pseudonym(asked.app().keys(), kind, text);
        format!("{kind}:{id}:{pseudonym}")
    };
    let tries = |text: &str| Quota::sliding(scope("tries", text), &TRIES, now).of(Counted::Tries);
    match destination {
        Destination::Phone(phone) => {
            let (number, prefix) = (phone.as_str(), phone.prefix());
            let per_prefix = [(3600, settings.sms_per_prefix_and_hour.get())];
            let day = format!("sms-day:{id}");
            vec![
                Quota::sliding(scope("sms", number), &per_destination, now),
                tries(number),
                Quota::sliding(scope("prefix", prefix), &per_prefix, now),
                Quota::daily(day, settings.daily_sms_budget.get(), now),
            ]
        }
        Destination::Email(email) => {
            let mailbox = email.mailbox();
            let day = format!("email-day:{id}");
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
