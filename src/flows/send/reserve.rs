//! May this message go out? Everything that limits it is stored with it, or nothing is.

use serde_json::json;

use super::Wanted;
use super::quotas::quotas;
use crate::domain::account::{Account, Dispatch};
use crate::domain::client::ClientState;
use crate::domain::event::{Event, Kind};
use crate::domain::method::{Method, Purpose};
use crate::domain::provider::Provider;
use crate::domain::session::{AFTER_DELAY, LinkName, RECOVERY_LINK_LIFETIME};
use crate::domain::statistics::{Counted, Fate};
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::asked::Asked;
use crate::flows::change::{Conditions, Decision, Facts, change, record_later};
use crate::flows::destination::{Destination, destination, providers_of};
use crate::storage::counters::Quota;

/// A message that may go out: stored, counted, not yet sent.
pub(in crate::flows) struct Reserved {
    pub wanted: Wanted,
    pub dispatch: Dispatch,
    pub destination: Destination,
    /// Who is to carry it, in the order in which they are tried; nobody for a test client.
    pub chain: Vec<Provider>,
    /// As it was when the message was reserved: its names are in the text.
    pub client: ClientState,
    pub quotas: Vec<Quota>,
    pub sent_at: UnixTime,
    /// In the place of a code.
    pub link: Option<LinkLetter>,
    /// Another channel that is told of a link which has to wait.
    pub others: Option<Destination>,
}

/// A recovery link on its way.
pub(in crate::flows) struct LinkLetter {
    pub name: LinkName,
    pub url: String,
    pub stop_url: String,
    pub opens_at: Option<UnixTime>,
}

impl Reserved {
    /// As the statistics have it. Test clients never count.
    pub(super) fn counted(&self, asked: &Asked, fate: Fate) -> Option<Counted> {
        let phone = match &self.destination {
            Destination::Phone(phone) => Some(phone),
            Destination::Email(_) => None,
        };
        let (client, channel) = (&asked.owner.client, self.wanted.channel);
        (!self.client.is_for_tests)
            .then(|| Counted::message(client, channel, phone, self.sent_at, fate))
    }

    /// Seconds until what was sent is of no use any more.
    pub(in crate::flows) fn lifetime(&self, now: UnixTime) -> u64 {
        match &self.link {
            None => self.dispatch.lifetime,
            Some(letter) => match letter.opens_at {
                None => RECOVERY_LINK_LIFETIME,
                Some(opens_at) => opens_at.seconds_from(now) + AFTER_DELAY,
            },
        }
    }
}

/// Stores the new challenge together with every counter, or says which limit is in the way.
pub(super) async fn reserve(asked: &Asked, wanted: Wanted) -> Result<Reserved, Error> {
    let reserved = change(asked, None, |account, facts| {
        let account = account.ok_or(Error::UserNotFound)?;
        prepare(account, facts, wanted)
    })
    .await;
    reserved.inspect_err(|error| record_refusal(asked, wanted, error))
}

/// The decision to reserve one, for a change that does more. A refusal is recorded as any other.
pub(in crate::flows) fn reserve_on(
    account: Account,
    facts: &Facts<'_>,
    wanted: Wanted,
) -> Result<Decision<Reserved>, Error> {
    let decision = prepare(account, facts, wanted);
    decision.inspect_err(|error| record_refusal(facts.asked, wanted, error))
}

fn prepare(
    account: Account,
    facts: &Facts<'_>,
    wanted: Wanted,
) -> Result<Decision<Reserved>, Error> {
    let account = sendable(Some(account), facts, wanted.method())?;
    let destination = reachable(&account, facts, wanted)?;
    decide(account, facts, wanted, destination)
}

/// The account, if codes may be sent for it by this method.
pub(super) fn sendable(
    account: Option<Account>,
    facts: &Facts<'_>,
    method: Method,
) -> Result<Account, Error> {
    let account = account.ok_or(Error::UserNotFound)?;
    if account.is_off() {
        return Err(Error::MfaNotEnabled);
    }
    if !facts.client.settings.allows(method) {
        return Err(Error::MethodNotUsed(method));
    }
    Ok(account)
}

/// Where the message can go.
fn reachable(account: &Account, facts: &Facts<'_>, wanted: Wanted) -> Result<Destination, Error> {
    let Wanted {
        channel, purpose, ..
    } = wanted;
    if purpose == Purpose::Recovery && !account.mfa_enabled() {
        return Err(Error::MfaNotEnabled);
    }
    let destination = destination(facts.asked, facts.client, account, channel)?;
    // Recovery stays reachable, whatever failures did to codes of a login.
    if purpose == Purpose::Verify && account.is_disabled(channel) {
        return Err(Error::DestinationDisabled(channel));
    }
    Ok(destination)
}

/// A code that could not be tried is not sent: it would only cost money.
pub(in crate::flows) fn refuse_if_locked(
    account: &Account,
    purpose: Purpose,
    now: UnixTime,
) -> Result<(), Error> {
    match account.locks(now).of(purpose.class()) {
        Some(until) => Err(Error::Locked {
            retry_after: until.seconds_from(now),
        }),
        None => Ok(()),
    }
}

fn decide(
    mut account: Account,
    facts: &Facts<'_>,
    wanted: Wanted,
    destination: Destination,
) -> Result<Decision<Reserved>, Error> {
    let (asked, client) = (facts.asked, facts.client);
    let Wanted {
        channel, purpose, ..
    } = wanted;
    refuse_if_locked(&account, purpose, asked.now())?;
    let (dispatch, challenge) = Dispatch::draw(asked.vault(), channel, purpose, asked.now())?;
    let cooldown = client.settings.cooldown_seconds.get().into();
    account
        .open_challenge(challenge, cooldown, asked.now())
        .map_err(|cooldown| Error::SendLimited {
            retry_after: cooldown.until.seconds_from(asked.now()),
        })?;
    let event = Event::new(Kind::CodeSent)
        .by(wanted.method())
        .with(json!({"channel": channel, "purpose": purpose}));
    let decision = Decision::store(account, event, dispatch);
    Ok(reserved(decision, facts, wanted, destination))
}

/// The decision with everything that limits the message.
pub(in crate::flows) fn reserved(
    decision: Decision<Dispatch>,
    facts: &Facts<'_>,
    wanted: Wanted,
    destination: Destination,
) -> Decision<Reserved> {
    limited(decision, facts, wanted, destination, (None, None))
}

/// The same for a link, of which another channel may be told: that is counted with it.
pub(in crate::flows) fn reserved_link(
    decision: Decision<Dispatch>,
    facts: &Facts<'_>,
    wanted: Wanted,
    destination: Destination,
    letter: LinkLetter,
    others: Option<Destination>,
) -> Decision<Reserved> {
    limited(decision, facts, wanted, destination, (Some(letter), others))
}

fn limited(
    decision: Decision<Dispatch>,
    facts: &Facts<'_>,
    wanted: Wanted,
    destination: Destination,
    (link, others): (Option<LinkLetter>, Option<Destination>),
) -> Decision<Reserved> {
    let (asked, client) = (facts.asked, facts.client);
    let mut quotas_of_all = quotas(asked, client, &destination);
    let of_others = others.iter().flat_map(|other| quotas(asked, client, other));
    quotas_of_all.extend(of_others);
    let chain = providers_of(asked, client, wanted.channel);
    let conditions = Conditions {
        quotas: quotas_of_all.clone(),
        providers: chain.clone(),
    };
    let reserved = |dispatch| Reserved {
        wanted,
        dispatch,
        destination,
        chain,
        client: client.clone(),
        quotas: quotas_of_all,
        sent_at: asked.now(),
        link,
        others,
    };
    // Before the provider gets it: of two requests one sends, and one that is cut off is not done again.
    let reserved = decision.map(reserved).on(conditions).at_once();
    let counted = reserved.outcome.counted(asked, Fate::Asked);
    reserved.counting(counted)
}

/// A refusal that its user brought about, or that costs somebody a message, is recorded.
fn record_refusal(asked: &Asked, wanted: Wanted, error: &Error) {
    let reason = match error {
        Error::SendLimited { .. } => "limit",
        Error::DeliveryUnavailable { .. } => "pause",
        Error::DestinationNotAllowed(_) => "destination",
        _ => return,
    };
    let detail = json!({"channel": wanted.channel, "reason": reason});
    let event = Event::new(Kind::SendRefused).by(wanted.method());
    record_later(asked, &event.with(detail));
}
