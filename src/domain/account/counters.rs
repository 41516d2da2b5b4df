//! Wrong guesses, counted for each class: in a row, and over 24 hours whatever succeeded between.

use serde::{Deserialize, Serialize};

use crate::domain::method::{Class, Classes};
use crate::domain::time::UnixTime;

/// The failure in a row that locks first.
pub const FREE_TRIES: u32 = 5;
/// NIST SP 800-63B-4 §3.2.2: no more than 100 consecutive failures, then the authenticator is disabled.
pub const LIFETIME_TRIES: u32 = 100;
/// How long the first lock lasts, in seconds. Each further one lasts twice as long.
pub const FIRST_DELAY: u64 = 60;
/// No lock of a row lasts longer, in seconds.
pub const LONGEST_DELAY: u64 = 3600;
/// Wrong guesses of one class that are evaluated in `DAY` seconds, whatever its holder can make succeed.
pub const DAILY_TRIES: usize = 50;
const DAY: u64 = 86_400;

/// The counters of an account, one for each class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Counters {
    #[serde(skip_serializing_if = "Counter::is_new")]
    totp: Counter,
    #[serde(skip_serializing_if = "Counter::is_new")]
    delivered: Counter,
    #[serde(skip_serializing_if = "Counter::is_new")]
    recovery: Counter,
}

/// The counter of one class. A success of the class ends a row of failures; the failures of a day
/// are forgotten with time only, or by an operator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Counter {
    /// In a row.
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    locked_until: Option<UnixTime>,
    /// When the failures of the last `DAY` happened, oldest first: `DAILY_TRIES` at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    of_today: Vec<UnixTime>,
}

/// Until when each class is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Locks {
    #[serde(skip_serializing_if = "Option::is_none")]
    totp: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery: Option<UnixTime>,
}

/// A wrong guess as it was counted against one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub class: Class,
    /// The how manieth in a row.
    pub in_a_row: u32,
    /// The how manieth of 24 hours.
    pub of_today: usize,
    pub consequence: Consequence,
}

/// What a failure led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Tries left before the lock.
    TriesLeft(u32),
    LockedUntil(UnixTime),
    /// The hundredth in a row: what was guessed at must be bound again.
    Disabled,
}

impl Counters {
    pub(super) fn of(&self, class: Class) -> &Counter {
        match class {
            Class::Totp => &self.totp,
            Class::Delivered => &self.delivered,
            Class::Recovery => &self.recovery,
        }
    }

    pub(super) fn of_mut(&mut self, class: Class) -> &mut Counter {
        match class {
            Class::Totp => &mut self.totp,
            Class::Delivered => &mut self.delivered,
            Class::Recovery => &mut self.recovery,
        }
    }

    pub(super) fn locks(&self, now: UnixTime) -> Locks {
        let of = |class| self.of(class).locked_until(now);
        Locks {
            totp: of(Class::Totp),
            delivered: of(Class::Delivered),
            recovery: of(Class::Recovery),
        }
    }

    /// The least of what `classes` have left, locked ones having nothing.
    pub(super) fn tries_left(&self, classes: Classes, now: UnixTime) -> Option<u32> {
        classes
            .iter()
            .map(|class| self.of(class).tries_left(now))
            .min()
    }

    /// The operator's: everything counted is forgotten.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Counter {
    fn is_new(&self) -> bool {
        *self == Self::default()
    }

    /// The end of the lock, if one holds at `now`.
    pub(super) fn locked_until(&self, now: UnixTime) -> Option<UnixTime> {
        let in_a_row = self.locked_until.filter(|until| *until > now);
        in_a_row.max(self.day_ends(now))
    }

    /// When fewer than `DAILY_TRIES` lie within a day again, if that many do at `now`.
    fn day_ends(&self, now: UnixTime) -> Option<UnixTime> {
        let last = self.of_today.len().checked_sub(DAILY_TRIES)?;
        let end = self.of_today.get(last)?.plus(DAY);
        (end > now).then_some(end)
    }

    /// Wrong guesses that may follow before the next lock.
    fn tries_left(&self, now: UnixTime) -> u32 {
        if self.locked_until(now).is_some() {
            return 0;
        }
        let today = self.within_a_day(now).count();
        let of_today = u32::try_from(DAILY_TRIES.saturating_sub(today)).unwrap_or(0);
        // After a lock each further failure is the next one.
        FREE_TRIES
            .saturating_sub(self.failures)
            .max(1)
            .min(of_today)
    }

    /// Wrong guesses in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn failures_of_a_day(&self, now: UnixTime) -> usize {
        self.within_a_day(now).count()
    }

    fn within_a_day(&self, now: UnixTime) -> impl Iterator<Item = UnixTime> {
        let since = move |time: &UnixTime| now.seconds_from(*time) < DAY;
        self.of_today.iter().copied().filter(since)
    }

    /// Counts one wrong guess. Not called while locked: a locked try neither counts nor extends (RATE-10).
    pub(super) fn fail(&mut self, class: Class, now: UnixTime) -> Failure {
        self.failures = self.failures.saturating_add(1);
        self.of_today = self.within_a_day(now).collect();
        // In order, also when the clock went back.
        let at = self.of_today.last().map_or(now, |last| now.max(*last));
        self.of_today.push(at);
        let in_a_row = self.failures;
        let consequence = if self.failures >= LIFETIME_TRIES {
            // What was guessed at is gone, so whatever is bound next starts its own row.
            self.reset();
            Consequence::Disabled
        } else {
            self.locked_until = delay_after(self.failures).map(|delay| now.plus(delay));
            match self.locked_until(now) {
                Some(until) => Consequence::LockedUntil(until),
                None => Consequence::TriesLeft(self.tries_left(now)),
            }
        };
        Failure {
            class,
            in_a_row,
            of_today: self.of_today.len(),
            consequence,
        }
    }

    /// Ends the row of failures and its lock. What was counted today stays counted: else whoever can
    /// make one proof succeed could guess on at another for ever.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
        self.locked_until = None;
    }
}

impl Locks {
    pub fn of(&self, class: Class) -> Option<UnixTime> {
        match class {
            Class::Totp => self.totp,
            Class::Delivered => self.delivered,
            Class::Recovery => self.recovery,
        }
    }

    /// When the first of `classes` opens, if all of them are locked at `now`. No class at all is not locked.
    pub fn all_closed(&self, classes: Classes, now: UnixTime) -> Option<UnixTime> {
        let ends: Option<Vec<UnixTime>> = classes
            .iter()
            .map(|class| self.of(class).filter(|until| *until > now))
            .collect();
        ends?.into_iter().min()
    }

    /// When the last of the locks ends.
    pub fn last_end(&self) -> Option<UnixTime> {
        self.totp.max(self.delivered).max(self.recovery)
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
    use proptest::prelude::*;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_000_000);

    fn fail(counter: &mut Counter, now: UnixTime) -> Consequence {
        counter.fail(Class::Totp, now).consequence
    }

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
        let mut counter = Counter::default();
        let mut now = NOW;
        for failure in 1..100 {
            assert_eq!(counter.locked_until(now), None);
            match fail(&mut counter, now) {
                Consequence::TriesLeft(left) => assert_eq!(left, 5 - failure),
                Consequence::LockedUntil(until) => {
                    assert_eq!(counter.locked_until(until.minus(1)), Some(until));
                    now = until;
                }
                Consequence::Disabled => panic!("disabled after {failure}"),
            }
        }
        assert_eq!(fail(&mut counter, now), Consequence::Disabled);
        assert_eq!((counter.failures, counter.locked_until), (0, None));
        // 95 locks take this long: guessing on costs days, not seconds.
        assert!(now.seconds_from(NOW) > 3 * 86_400);
    }

    #[test]
    fn rate_11_a_success_starts_the_row_again() {
        let mut counter = Counter::default();
        for _ in 0..4 {
            fail(&mut counter, NOW);
        }
        counter.reset();
        assert_eq!(fail(&mut counter, NOW), Consequence::TriesLeft(4));
    }

    #[test]
    fn atk_86_fifty_failures_of_a_day_lock_whatever_succeeds_between() {
        let mut counter = Counter::default();
        for n in 0..49_u64 {
            assert_eq!(
                fail(&mut counter, NOW.plus(n)),
                Consequence::TriesLeft(if n < 46 {
                    4
                } else {
                    u32::try_from(49 - n).unwrap()
                }),
                "{n}"
            );
            counter.reset();
        }
        assert_eq!(counter.tries_left(NOW.plus(49)), 1);
        let until = NOW.plus(86_400);
        let last = counter.fail(Class::Totp, NOW.plus(49));
        assert_eq!(last.consequence, Consequence::LockedUntil(until));
        assert_eq!((last.in_a_row, last.of_today), (1, 50));
        counter.reset();
        assert_eq!(counter.tries_left(NOW.plus(50)), 0);
        assert_eq!(counter.locked_until(until.minus(1)), Some(until));
        assert_eq!(
            counter.locked_until(until),
            None,
            "the first is a day old: 49 are left"
        );
        // One second, one guess: the next one of yesterday is over then.
        assert_eq!(
            fail(&mut counter, until),
            Consequence::LockedUntil(until.plus(1))
        );
        assert_eq!(counter.of_today.len(), 50, "no more are kept");
    }

    #[test]
    fn atk_85_a_clock_set_back_makes_no_day_shorter() {
        let mut counter = Counter::default();
        for _ in 0..49 {
            fail(&mut counter, NOW);
            counter.reset();
        }
        let early = NOW.minus(3600);
        assert_eq!(
            fail(&mut counter, early),
            Consequence::LockedUntil(NOW.plus(86_400))
        );
    }

    #[test]
    fn classes_are_closed_when_each_of_them_is() {
        let locks = Locks {
            totp: Some(NOW.plus(60)),
            delivered: Some(NOW.plus(30)),
            recovery: None,
        };
        let closed =
            |classes: &[Class], now| locks.all_closed(classes.iter().copied().collect(), now);
        assert_eq!(closed(&[Class::Totp], NOW), Some(NOW.plus(60)));
        assert_eq!(
            closed(&[Class::Totp, Class::Delivered], NOW),
            Some(NOW.plus(30))
        );
        assert_eq!(closed(&[Class::Totp, Class::Delivered], NOW.plus(30)), None);
        assert_eq!(closed(&[Class::Totp, Class::Recovery], NOW), None);
        assert_eq!(closed(&[], NOW), None);
        assert_eq!(locks.last_end(), Some(NOW.plus(60)));
    }

    #[test]
    fn at_the_end_of_time_there_is_nothing_left_to_wait_for() {
        let mut counter = Counter::default();
        let end = UnixTime::from_secs(u64::MAX);
        for _ in 0..120 {
            fail(&mut counter, end);
            assert_eq!(counter.locked_until(end), None);
        }
    }

    #[test]
    fn counters_that_count_nothing_take_no_room() {
        assert_eq!(serde_json::to_string(&Counters::default()).unwrap(), "{}");
    }

    proptest! {
        #[test]
        fn rate_03_locks_never_shorten_within_a_row_and_pass_an_hour_only_after_fifty_in_a_day(
            waits in proptest::collection::vec(
                (prop_oneof![0_u64..10, 50_u64..4000, Just(90_000_u64)], any::<bool>()), 1..220
            ),
            start in 0_u64..u64::MAX / 2,
        ) {
            let mut counter = Counter::default();
            let mut now = UnixTime::from_secs(start);
            let (mut last, mut in_a_row) = (0, 0);
            for (wait, succeeds) in waits {
                now = now.plus(wait);
                if counter.locked_until(now).is_some() {
                    prop_assert_eq!(counter.tries_left(now), 0);
                    continue;
                }
                let left = counter.tries_left(now);
                prop_assert!((1..=5).contains(&left));
                if succeeds && wait % 3 == 0 {
                    counter.reset();
                    (last, in_a_row) = (0, 0);
                }
                in_a_row += 1;
                let failure = counter.fail(Class::Totp, now);
                prop_assert_eq!(failure.in_a_row, in_a_row);
                match failure.consequence {
                    Consequence::TriesLeft(left) => {
                        prop_assert!(left > 0 && left + in_a_row <= 5);
                        prop_assert_eq!(left, counter.tries_left(now));
                    }
                    Consequence::LockedUntil(until) => {
                        let lock = until.seconds_from(now);
                        prop_assert!((60..=3600).contains(&lock) || failure.of_today >= 50);
                        prop_assert!(lock >= last || failure.of_today >= 50, "{} after {}", lock, last);
                        prop_assert!(in_a_row < 100 && lock <= 86_400);
                        prop_assert_eq!(counter.locked_until(until), None);
                        last = lock.min(3600);
                    }
                    Consequence::Disabled => {
                        prop_assert_eq!(in_a_row, 100);
                        (last, in_a_row) = (0, 0);
                    }
                }
                prop_assert!(counter.of_today.len() <= 50);
            }
        }
    }
}
