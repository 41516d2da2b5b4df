//! What is counted: how often something happened, never to whom.

mod report;

pub use self::report::{
    Bucket, Calls, ClassCount, Counts, Enrolments, Messages, Report, Row, Verifications,
};

use super::contact::country::Country;
use super::contact::phone::Phone;
use super::ids::ClientId;
use super::method::Channel;
use super::provider::Provider;
use super::time::UnixTime;

/// A message, under `what`.
pub const MESSAGE: &str = "message";
/// A request to a provider, under `what`.
pub const CALL: &str = "call";

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    FiveMinutes,
    Hour,
    Day,
}

impl Step {
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::Hour, Self::Day];

    pub const fn seconds(self) -> u64 {
        match self {
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }

    /// How long buckets of that length are kept, in seconds. Then they are put together into those of the next.
    pub const fn kept(self) -> u64 {
        match self {
            Self::FiveMinutes => 3 * 86_400,
            Self::Hour => 60 * 86_400,
            Self::Day => 800 * 86_400,
        }
    }

    /// What they are put together into.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::FiveMinutes => Some(Self::Hour),
            Self::Hour => Some(Self::Day),
            Self::Day => None,
        }
    }

    /// When the bucket that `time` lies in begins.
    #[must_use]
    pub const fn start_of(self, time: UnixTime) -> UnixTime {
        time.minus(time.as_secs() % self.seconds())
    }

    /// All buckets of this length from here on are there at `now`: none has been put together into longer ones.
    #[must_use]
    pub const fn whole_since(self, now: UnixTime) -> UnixTime {
        let oldest = now.minus(self.kept());
        match self.next() {
            Some(next) => next.start_of(oldest),
            None => self.start_of(oldest),
        }
    }
}

/// One thing that happened, as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub client: ClientId,
    /// When its bucket begins.
    pub start: UnixTime,
    pub what: &'static str,
    /// A method, a channel, or a provider.
    pub method: &'static str,
    pub outcome: &'static str,
    /// Where a message went, or how long a provider took.
    pub place: String,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Stored, and on its way to the provider.
    Asked,
    /// The provider did not take it.
    Failed,
    /// Its code came back.
    Verified,
}

impl Fate {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Failed => "failed",
            Self::Verified => "verified",
        }
    }
}

impl Counted {
    /// A message that was asked for at `sent_at`, and went to `phone` where it is one by SMS. Whatever becomes of it
    /// counts where it was sent: of a bucket's messages no more are verified than were sent.
    pub fn message(
        client: &ClientId,
        channel: Channel,
        phone: Option<&Phone>,
        sent_at: UnixTime,
        fate: Fate,
    ) -> Self {
        Self {
            client: client.clone(),
            start: Step::FiveMinutes.start_of(sent_at),
            what: MESSAGE,
            method: channel.name(),
            outcome: fate.name(),
            place: phone.map(place).unwrap_or_default(),
        }
    }

    /// A request to a provider that took so long.
    pub fn call(
        client: &ClientId,
        provider: Provider,
        succeeded: bool,
        milliseconds: u64,
        now: UnixTime,
    ) -> Self {
        Self {
            client: client.clone(),
            start: Step::FiveMinutes.start_of(now),
            what: CALL,
            method: provider.name(),
            outcome: if succeeded { "success" } else { "failure" },
            place: bound(milliseconds).to_string(),
        }
    }
}

/// Country and range of a number, as `ES 34600`.
fn place(phone: &Phone) -> String {
    let country = phone.country();
    let country = country.as_ref().map(Country::as_str);
    format!("{} {}", country.unwrap_or_default(), phone.range())
}

/// Upper bounds of how long a call took, in milliseconds: each is at most 1.3 times the one before, so a percentile
/// read off them is never too small, and at most that much too large. What took longer counts as the last.
pub const BOUNDS: [u64; 31] = [
    10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 125, 160, 200, 250, 320, 400, 500, 630, 800, 1000,
    1250, 1600, 2000, 2500, 3200, 4000, 5000, 6300, 8000, 10_000,
];

fn bound(milliseconds: u64) -> u64 {
    let mut bounds = BOUNDS.into_iter();
    let last = *BOUNDS.last().unwrap_or(&0);
    bounds.find(|bound| milliseconds <= *bound).unwrap_or(last)
}

#[cfg(test)]
mod tests;
