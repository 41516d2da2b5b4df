//! Consecutive failures: none is free after the fourth, and the hundredth ends the factor.

use serde::{Deserialize, Serialize};

use super::time::UnixTime;

/// The failure that locks first.
const FREE_TRIES: u32 = 5;
/// NIST SP 800-63B-4 §3.2.2: no more than 100 consecutive failures, then the authenticator is disabled.
const LIFETIME_TRIES: u32 = 100;
const FIRST_DELAY: u64 = 60;
const LONGEST_DELAY: u64 = 3600;

/// The counter of one kind of proof. Only a success of that kind, or an operator, resets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Throttle {
    failures: u32,
    locked_until: Option<UnixTime>,
}

/// What a failure led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Tries left before the lock.
    TriesLeft(u32),
    LockedUntil(UnixTime),
    /// The hundredth: what was guessed at must be bound again.
    Disabled,
}

impl Throttle {
    /// The end of the lock, if one holds at `now`.
    pub fn locked_until(&self, now: UnixTime) -> Option<UnixTime> {
        self.locked_until.filter(|&until| until > now)
    }

    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts one wrong guess. Not called while locked: a locked try neither counts nor extends (RATE-10).
    pub fn fail(&mut self, now: UnixTime) -> Consequence {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= LIFETIME_TRIES {
            // What was guessed at is gone, so whatever is bound next starts its own count.
            *self = Self::default();
            return Consequence::Disabled;
        }
        match delay_after(self.failures) {
            None => Consequence::TriesLeft(FREE_TRIES.saturating_sub(self.failures)),
            Some(delay) => {
                let until = now.plus(delay);
                self.locked_until = Some(until);
                Consequence::LockedUntil(until)
            }
        }
    }

    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Seconds to wait after so many consecutive failures: 60, then 2, 4, 8, 16, 32 and at most 60 minutes.
fn delay_after(failures: u32) -> Option<u64> {
    let doublings = failures.checked_sub(FREE_TRIES)?;
    let delay = 1_u64
        .checked_shl(doublings)
        .and_then(|factor| FIRST_DELAY.checked_mul(factor));
    Some(delay.unwrap_or(LONGEST_DELAY).min(LONGEST_DELAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_03_the_schedule_is_a_minute_then_doubles_up_to_an_hour() {
        let delays: Vec<Option<u64>> = (1..=13).map(delay_after).collect();
        let minutes = [1, 2, 4, 8, 16, 32, 60, 60, 60].map(|minutes| Some(minutes * 60));
        assert_eq!(delays[..4], [None; 4]);
        assert_eq!(delays[4..], minutes);
        assert_eq!(delay_after(u32::MAX), Some(3600));
    }

    #[test]
    fn rate_02_the_hundredth_consecutive_failure_disables() {
        let mut throttle = Throttle::default();
        let mut now = UnixTime::from_secs(1_000);
        for failure in 1..100 {
            assert_eq!(throttle.locked_until(now), None);
            match throttle.fail(now) {
                Consequence::TriesLeft(left) => assert_eq!(left, 5 - failure),
                Consequence::LockedUntil(until) => {
                    assert_eq!(throttle.locked_until(until.minus(1)), Some(until));
                    now = until;
                }
                Consequence::Disabled => panic!("disabled after {failure}"),
            }
        }
        assert_eq!(throttle.fail(now), Consequence::Disabled);
        assert_eq!(throttle, Throttle::default());
        // 95 locks take this long: guessing on costs days, not seconds.
        assert!(now.as_secs() > 3 * 86_400);
    }

    #[test]
    fn rate_11_a_success_starts_the_count_again() {
        let mut throttle = Throttle::default();
        for _ in 0..4 {
            throttle.fail(UnixTime::from_secs(1));
        }
        throttle.reset();
        assert_eq!(
            throttle.fail(UnixTime::from_secs(2)),
            Consequence::TriesLeft(4)
        );
    }
}
