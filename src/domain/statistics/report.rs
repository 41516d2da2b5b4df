//! Counts as they are told: put together by bucket, and as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CALL, Fate, MESSAGE, Step};
use crate::domain::time::UnixTime;

/// A range of numbers is told where a day has at least so many messages to it.
const FEWEST_OF_A_RANGE: u64 = 10;

/// A number that is stored, of a bucket that is asked for.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub at: UnixTime,
    /// Empty where clients are not told apart.
    pub client_id: String,
    pub what: String,
    pub method: String,
    pub outcome: String,
    pub place: String,
    pub count: u64,
}

/// Which row's number it is, but for its bucket.
type Key = (String, String, String, String);

/// What is answered of a period.
#[derive(Debug, Default)]
pub struct Report {
    pub buckets: Vec<Bucket>,
    /// Of the whole period.
    pub total: Counts,
}

/// A bucket in which something happened.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = StatisticsBucket)]
pub struct Bucket {
    /// When it begins.
    pub at: u64,
    /// Null where clients are not told apart.
    pub client_id: Option<String>,
    #[serde(flatten)]
    pub counts: Counts,
}

/// What happened, in numbers.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = Counts)]
pub struct Counts {
    pub enrolments: Enrolments,
    pub verifications: Vec<Verifications>,
    pub locks: Vec<ClassCount>,
    pub messages: Vec<Messages>,
    pub provider_calls: Vec<Calls>,
}

/// Apps and passkeys that were set up, the first ones of users and others.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Enrolments {
    pub begun: u64,
    /// They count from then on: an app's first code came, a passkey was stored, an app was taken over.
    pub finished: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verifications {
    /// What was proved; null where nothing was.
    pub method: Option<String>,
    /// Of a wrong guess the class that it counted in: `totp`, `delivered` or `recovery`.
    pub class: Option<String>,
    /// The event in the record: `verified`, `recovered`, `failed` or `replayed`.
    pub outcome: String,
    pub count: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClassCount {
    pub class: String,
    pub count: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Messages {
    pub channel: String,
    /// Of an SMS: where its number belongs to (ISO 3166-1 alpha-2).
    pub country: Option<String>,
    /// Of an SMS, with `step=86400`: the digits that its number and at least a million others begin with. Null where a
    /// day has fewer than ten messages to such numbers.
    pub range: Option<String>,
    /// The provider took them, or may have.
    pub sent: u64,
    /// The provider did not take them.
    pub failed: u64,
    /// A limit, a pause or a country was in the way. Each user counts once a minute.
    pub refused: u64,
    /// Of those sent: how many were used.
    pub verified: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Calls {
    pub provider: String,
    pub count: u64,
    pub failures: u64,
    /// Half of the calls took at most so many milliseconds. Never too small, and at most 30 % too large.
    pub p50_ms: u64,
    pub p95_ms: u64,
    /// How many took as long as each bound at most.
    #[serde(skip)]
    histogram: BTreeMap<u64, u64>,
}

impl Report {
    /// Of rows in the order of their buckets.
    pub fn of(rows: Vec<Row>, step: Step, by_client: bool) -> Self {
        let shown = ranges_to_show(&rows, step);
        let mut report = Self::default();
        let mut of_all: BTreeMap<Key, u64> = BTreeMap::new();
        for mut row in rows {
            if row.what == MESSAGE && !shown.contains(&range_of(&row)) {
                let country = row.place.find(' ').unwrap_or(row.place.len());
                row.place.truncate(country);
            }
            let (at, client) = (row.at.as_secs(), by_client.then_some(&row.client_id));
            let last = report.buckets.last();
            if last.is_none_or(|it| (it.at, it.client_id.as_ref()) != (at, client)) {
                report.buckets.push(Bucket {
                    at,
                    client_id: client.cloned(),
                    ..Bucket::default()
                });
            }
            if let Some(bucket) = report.buckets.last_mut() {
                bucket.counts.add(&row);
            }
            let key = (row.what, row.method, row.outcome, row.place);
            *of_all.entry(key).or_default() += row.count;
        }
        for ((what, method, outcome, place), count) in of_all {
            report.total.add(&Row {
                at: UnixTime::default(),
                client_id: String::new(),
                what,
                method,
                outcome,
                place,
                count,
            });
        }
        let buckets = report.buckets.iter_mut().map(|bucket| &mut bucket.counts);
        for counts in buckets.chain([&mut report.total]) {
            counts.finish();
        }
        report
    }
}

/// A range of numbers, and the bucket it has messages in.
type Range = (u64, String, String, String);

fn range_of(row: &Row) -> Range {
    let (client, channel) = (row.client_id.clone(), row.method.clone());
    (row.at.as_secs(), client, channel, row.place.clone())
}

/// By the day only, and where it is many: by the minute, a range of one message would be a part of somebody's number.
fn ranges_to_show(rows: &[Row], step: Step) -> BTreeSet<Range> {
    let many = |row: &&Row| {
        step == Step::Day
            && (&*row.what, &*row.outcome) == (MESSAGE, Fate::Asked.name())
            && row.count >= FEWEST_OF_A_RANGE
    };
    rows.iter().filter(many).map(range_of).collect()
}

/// The element that has these names, which is added where there is none.
fn found<T: Default>(
    list: &mut Vec<T>,
    is_it: impl Fn(&T) -> bool,
    name: impl FnOnce(&mut T),
) -> &mut T {
    let place = list.iter().position(is_it).unwrap_or_else(|| {
        let mut new = T::default();
        name(&mut new);
        list.push(new);
        list.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "found or added above")]
    &mut list[place]
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl Counts {
    fn add(&mut self, row: &Row) {
        let Row {
            what,
            method,
            outcome,
            place,
            count,
            ..
        } = row;
        let count = *count;
        match &**what {
            "enrolled" | "renewed" | "factor_added" | "imported" => {
                self.enrolments.begun += count;
                // Nothing is waited for.
                if what == "imported" || place == "at_once" || method == "passkey" {
                    self.enrolments.finished += count;
                }
            }
            "confirmed" => self.enrolments.finished += count,
            "verified" | "recovered" | "failed" | "replayed" => {
                let (method, class) = (some(method), some(place));
                self.verifications.push(Verifications {
                    method,
                    class,
                    outcome: what.clone(),
                    count,
                });
            }
            "locked" => self.locks.push(ClassCount {
                class: place.clone(),
                count,
            }),
            "send_refused" => self.messages(place, "").refused += count,
            MESSAGE => self.add_message(method, outcome, place, count),
            CALL => self.add_call(method, outcome, place, count),
            _ => {}
        }
    }

    fn messages(&mut self, channel: &str, place: &str) -> &mut Messages {
        let (country, range) = place.split_once(' ').unwrap_or((place, ""));
        let (country, range) = (some(country), some(range));
        let (is_country, is_range) = (country.clone(), range.clone());
        found(
            &mut self.messages,
            |it| it.channel == channel && it.country == is_country && it.range == is_range,
            |new| {
                channel.clone_into(&mut new.channel);
                (new.country, new.range) = (country, range);
            },
        )
    }

    /// Those that failed are among those that were asked for, whose row may come after theirs.
    fn add_message(&mut self, channel: &str, outcome: &str, place: &str, count: u64) {
        let messages = self.messages(channel, place);
        match outcome {
            "asked" => messages.sent += count,
            "failed" => messages.failed += count,
            _ => messages.verified += count,
        }
    }

    fn add_call(&mut self, provider: &str, outcome: &str, bound: &str, count: u64) {
        let calls = found(
            &mut self.provider_calls,
            |it| it.provider == provider,
            |new| provider.clone_into(&mut new.provider),
        );
        calls.count += count;
        if outcome != "success" {
            calls.failures += count;
        }
        let bound = bound.parse().unwrap_or_default();
        *calls.histogram.entry(bound).or_default() += count;
    }

    fn finish(&mut self) {
        for messages in &mut self.messages {
            messages.sent = messages.sent.saturating_sub(messages.failed);
        }
        for calls in &mut self.provider_calls {
            calls.p50_ms = calls.percentile(50);
            calls.p95_ms = calls.percentile(95);
        }
    }
}

impl Calls {
    /// The least bound that so many of a hundred calls stayed within.
    fn percentile(&self, percent: u64) -> u64 {
        let wanted = (self.count * percent).div_ceil(100);
        let mut seen = 0;
        let mut bounds = self.histogram.iter();
        let found = bounds.find(|(_, count)| {
            seen += **count;
            seen >= wanted
        });
        found.map_or(0, |(bound, _)| *bound)
    }
}
