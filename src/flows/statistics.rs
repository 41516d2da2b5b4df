//! Numbers for the operator: what happened in a period, and how it stands now. Never whose.

use std::collections::BTreeMap;
use std::time::Duration;

use super::asked::Asked;
use super::change::Facts;
use crate::app::App;
use crate::call::Call;
use crate::domain::account::Locks;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::ClientId;
use crate::domain::method::{Channel, Class};
use crate::domain::provider::Provider;
use crate::domain::statistics::{Counted, Fate, Report, Step};
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::platform::DatabaseError;
use crate::providers::SendError;
use crate::storage::statistics::{self, Found, Wanted};

/// Buckets of one answer, where clients are not told apart.
const BUCKETS_AT_MOST: u64 = 1000;
/// Different numbers of one answer.
const NUMBERS_AT_MOST: u32 = 50_000;
/// How often a reader counts the next events itself. The scheduled job counts what is left.
const TIMES_COUNTED: u32 = 10;

/// What is asked for. The period is made whole buckets.
pub struct Period {
    pub client: Option<ClientId>,
    pub from: UnixTime,
    pub to: UnixTime,
    pub step: Step,
    pub by_client: bool,
}

/// What is known of a period and of now.
pub struct Statistics {
    pub from: UnixTime,
    pub to: UnixTime,
    /// Whether every event so far is counted.
    pub is_complete: bool,
    pub report: Report,
    /// Users, and how many of them have each class locked.
    pub now: Standing,
    /// By client, where they are told apart.
    pub clients: BTreeMap<String, Standing>,
}

/// How it stands at this moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    pub users: u64,
    pub totp_locked: u64,
    pub delivered_locked: u64,
    pub recovery_locked: u64,
}

impl Standing {
    fn add(&mut self, locks: &Locks) {
        let count = |class| u64::from(locks.of(class).is_some());
        self.totp_locked += count(Class::Totp);
        self.delivered_locked += count(Class::Delivered);
        self.recovery_locked += count(Class::Recovery);
    }
}

/// What happened in a period. Events that are not counted yet are counted first.
pub async fn read(call: &Call, period: &Period) -> Result<Statistics, Error> {
    let step = period.step;
    let from = step.start_of(period.from);
    let to = step.start_of(period.to.plus(step.seconds() - 1));
    check(call.now, from, to, step)?;
    let db = &*call.app.db;
    let mut left = true;
    for _ in 0..TIMES_COUNTED {
        left = statistics::count_events(db).await?;
        if !left {
            break;
        }
    }
    let wanted = Wanted {
        client: period.client.as_ref(),
        from,
        to,
        step,
        by_client: period.by_client,
        most: NUMBERS_AT_MOST,
    };
    let found = statistics::find(db, &wanted, call.now).await?;
    if u32::try_from(found.rows.len()).is_ok_and(|rows| rows >= NUMBERS_AT_MOST) {
        return Err(Error::invalid(
            "step",
            "Too many numbers for one answer: ask for a shorter period, a longer step or one client_id",
        ));
    }
    let (now, clients) = standing(&found, period.by_client);
    Ok(Statistics {
        from,
        to,
        is_complete: !left,
        report: Report::of(found.rows, step, period.by_client),
        now,
        clients,
    })
}

fn check(now: UnixTime, from: UnixTime, to: UnixTime, step: Step) -> Result<(), Error> {
    if from >= to {
        return Err(Error::invalid("to", "Expected a time after from"));
    }
    if to.seconds_from(from) / step.seconds() > BUCKETS_AT_MOST {
        let text = format!(
            "More than {BUCKETS_AT_MOST} buckets: ask for a shorter period or a longer step"
        );
        return Err(Error::invalid("from", text));
    }
    if step != Step::Day && from < step.whole_since(now) {
        let (seconds, days) = (step.seconds(), step.kept() / 86_400);
        let text = format!(
            "Buckets of {seconds} seconds are kept for {days} days: ask for a longer step, or from a later time on"
        );
        return Err(Error::invalid("from", text));
    }
    Ok(())
}

fn standing(found: &Found, by_client: bool) -> (Standing, BTreeMap<String, Standing>) {
    let mut now = Standing::default();
    let mut clients: BTreeMap<String, Standing> = BTreeMap::new();
    for (client, users) in &found.users {
        now.users += users;
        if by_client {
            clients.entry(client.clone()).or_default().users = *users;
        }
    }
    for (client, locks) in &found.locked {
        now.add(locks);
        if let Some(standing) = clients.get_mut(client) {
            standing.add(locks);
        }
    }
    (now, clients)
}

/// Counts what the record has that is not counted, puts old buckets together, while `go_on` allows three statements.
pub(super) async fn keep(
    app: &App,
    mut go_on: impl FnMut() -> bool + Send,
) -> Result<(), DatabaseError> {
    let db = &*app.db;
    while go_on() && statistics::count_events(db).await? {}
    for step in [Step::FiveMinutes, Step::Hour] {
        while go_on() && statistics::fold(db, step, app.now()).await? {}
    }
    Ok(())
}

/// A message of which what was sent came back.
pub(super) fn used(
    facts: &Facts<'_>,
    channel: Channel,
    phone: Option<Phone>,
    sent_at: UnixTime,
) -> Option<Counted> {
    // The application's own channel sends nothing, and test clients never count.
    let counts = channel != Channel::Api && !facts.client.is_for_tests;
    let phone = phone.filter(|_| channel == Channel::Sms);
    let client = &facts.asked.owner.client;
    counts.then(|| Counted::message(client, channel, phone.as_ref(), sent_at, Fate::Verified))
}

/// Notes how long a provider took, and what it answered: after the answer to the caller.
/// A number that is lost is worth no message.
pub(super) fn count_call(
    asked: &Asked,
    provider: Provider,
    took: Duration,
    answer: Result<&(), &SendError>,
) {
    if matches!(answer, Err(SendError::NotConfigured)) {
        return;
    }
    let app = asked.app();
    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let client = &asked.owner.client;
    let counted = Counted::call(client, provider, answer.is_ok(), took, app.now());
    let (db, statement) = (app.db.clone(), statistics::count(&counted));
    asked.call.later.push(async move {
        if let Err(error) = db.run(statement).await {
            log::warn!("a provider's answer was not counted: {error}");
        }
    });
}
