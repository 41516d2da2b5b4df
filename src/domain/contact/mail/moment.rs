//! A point in time as a date, in UTC.

use crate::domain::time::UnixTime;

#[derive(Debug, PartialEq, Eq)]
pub(in crate::domain) struct Moment {
    pub year: u64,
    /// From 0.
    pub month: usize,
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
}

impl Moment {
    /// The proleptic Gregorian calendar, by eras of 400 years that begin with March (Hinnant,
    /// "chrono-Compatible Low-Level Date Algorithms").
    pub(in crate::domain) fn of(time: UnixTime) -> Self {
        let seconds = time.as_secs();
        let days = seconds / 86_400 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let leaps = day_of_era / 1460 + day_of_era / 146_096 - day_of_era / 36_524;
        let year_of_era = (day_of_era - leaps) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = (from_march + 2) % 12;
        Self {
            year: era * 400 + year_of_era + u64::from(month < 2),
            month: usize::try_from(month).unwrap_or_default(),
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
        }
    }
}

impl Moment {
    /// As `2026-11-25 15:04`.
    pub(super) fn in_digits(&self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
        } = self;
        let month = month + 1;
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}

/// As `2026-11-25T15:04:00Z` (RFC 3339).
pub(in crate::domain) fn timestamp(time: UnixTime) -> String {
    let minute = Moment::of(time).in_digits().replace(' ', "T");
    format!("{minute}:{:02}Z", time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, year, month, day, hour, minute) in [
            (0, 1970, 0, 1, 0, 0),
            (951_782_399, 2000, 1, 28, 23, 59),
            (951_782_400, 2000, 1, 29, 0, 0),
            (951_868_800, 2000, 2, 1, 0, 0),
            (1_795_532_640, 2026, 10, 24, 15, 4),
            (4_107_542_399, 2100, 1, 28, 23, 59),
            (4_107_542_400, 2100, 2, 1, 0, 0),
        ] {
            let moment = Moment {
                year,
                month,
                day,
                hour,
                minute,
            };
            assert_eq!(Moment::of(UnixTime::from_secs(seconds)), moment);
        }
    }
}
