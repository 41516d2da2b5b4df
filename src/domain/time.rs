//! Points in time as whole seconds. Nothing here reads a clock.

use serde::{Deserialize, Serialize};

/// Seconds since the Unix epoch, 64-bit on every target (RFC 6238 §4.2: T is larger than 32 bits after 2038).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixTime(u64);

impl UnixTime {
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    pub const fn as_secs(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    #[must_use]
    pub const fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Whole seconds from `now` until this time, 0 if it has passed.
    pub const fn seconds_from(self, now: Self) -> u64 {
        self.0.saturating_sub(now.0)
    }

    /// As SQL stores it. Times beyond `i64` do not occur before the year 292 billion.
    pub fn as_sql(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}
