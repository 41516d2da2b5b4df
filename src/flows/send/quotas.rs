//! What one message is counted by.

use crate::domain::client::ClientState;
use crate::domain::contact::email::Email;
use crate::domain::crypto::digest;
use crate::domain::crypto::keys::KeyRing;
use crate::flows::asked::Asked;
use crate::flows::destination::Destination;
use crate::storage::counters::{Counted, Quota};

/// Tries to send to one destination in 10 minutes, refused ones included.
const TRIES: [(u64, u32); 1] = [(600, 10)];

/// Notices to one address, in 10 minutes and in 24 hours.
const NOTICES: [(u64, u32); 2] = [(600, 5), (86_400, 10)];

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

/// What a notice is counted by. To one address there go a few, whatever messages go there besides; of the day's e-mails
/// they are never more than a fifth, so that whoever brings them about leaves the rest to the codes.
pub(in crate::flows) fn notice_quotas(
    asked: &Asked,
    client: &ClientState,
    to: &Email,
) -> Vec<Quota> {
    let (now, id) = (asked.now(), asked.owner.client.as_str());
    let budget = client.settings.daily_email_budget.get();
    let pseudonym = pseudonym(asked.app().keys(), "notice", &to.mailbox());
    vec![
        Quota::sliding(format!("notice:{id}:{pseudonym}"), &NOTICES, now),
        Quota::daily(format!("notice-day:{id}"), budget.div_ceil(5), now),
        Quota::daily(format!("email-day:{id}"), budget, now),
    ]
}

fn pseudonym(keys: &KeyRing, kind: &str, text: &str) -> String {
    digest::keyed(
        &keys.current().pseudonyms,
        &[kind.as_bytes(), text.as_bytes()],
    )
    .as_hex()
    .to_owned()
}
