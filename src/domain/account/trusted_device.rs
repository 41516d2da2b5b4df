//! Browsers that are remembered, so that a login there need not be confirmed for some days.
//!
//! A browser holds a value that is good once, and gets the next one for it. Somebody who copied it is therefore behind
//! or ahead of the browser: whoever comes second with a value that was used ends the series for both.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Account;
use crate::domain::browser::BrowserName;
use crate::domain::crypto::digest::{self, Digest};
use crate::domain::crypto::random::{self, RandomError};
use crate::domain::ids::{Owner, TrustedDeviceId};
use crate::domain::method::Method;
use crate::domain::time::UnixTime;

/// Browsers a user has remembered at most; the one that was used longest ago makes room.
pub const MOST_TRUSTED: usize = 10;

/// Seconds for which a value that was replaced is taken for a second press of one button, and not for a thief's.
pub const GRACE: u64 = 60;

/// Values that are good at a time: one, and what a second request at once got for the one before.
const MOST_LIVE: usize = 2;

const DAY: u64 = 86_400;

/// One remembered browser. Of its values only digests are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustedDevice {
    id: TrustedDeviceId,
    /// Of the part that all its values have in common.
    series: Digest,
    /// Of the values that are good.
    live: Vec<Digest>,
    /// Of those that were, until one of them was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<Digest>,
    created_at: UnixTime,
    /// When a value was last replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_at: Option<UnixTime>,
    expires_at: UnixTime,
    #[serde(default, skip_serializing_if = "BrowserName::is_unknown")]
    name: BrowserName,
}

/// What a browser holds: 16 bytes that name the series, and 32 that are new each time.
#[derive(Clone)]
pub struct TrustedValue {
    series: [u8; 16],
    secret: [u8; 32],
}

/// A value for a browser to keep.
#[derive(Clone)]
pub struct Remembered {
    pub value: String,
    pub expires_at: UnixTime,
}

/// What is said of a remembered browser.
#[derive(Debug, Clone)]
pub struct TrustedDeviceView {
    pub id: TrustedDeviceId,
    pub created_at: UnixTime,
    pub last_used_at: Option<UnixTime>,
    pub expires_at: UnixTime,
    /// Known of those that were remembered on the hosted page.
    pub name: BrowserName,
}

/// What a value came to.
pub enum Trust {
    /// Good: the next value.
    Trusted(Remembered),
    /// No browser that is remembered.
    Unknown,
    /// It was used before, so there are two who hold it: the series has ended.
    Reused(TrustedDeviceId),
}

impl TrustedValue {
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (series, secret) = bytes.split_first_chunk::<16>()?;
        let (series, secret) = (*series, secret.try_into().ok()?);
        Some(Self { series, secret })
    }

    fn draw(series: [u8; 16]) -> Result<Self, RandomError> {
        let secret = random::bytes()?;
        Ok(Self { series, secret })
    }

    fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode([&self.series[..], &self.secret].concat())
    }

    fn series_digest(&self, owner: &Owner) -> Digest {
        of(owner, "candado/trusted-series/v1", &self.series, &[])
    }

    fn digest(&self, owner: &Owner) -> Digest {
        of(
            owner,
            "candado/trusted-device/v1",
            &self.series,
            &self.secret,
        )
    }
}

/// Plain SHA-256: both parts have more than 112 bits of their own (decision 15).
fn of(owner: &Owner, label: &str, series: &[u8], secret: &[u8]) -> Digest {
    let (client, user) = (owner.client.as_str(), owner.user.as_str());
    digest::plain(label, &[client.as_bytes(), user.as_bytes(), series, secret])
}

impl TrustedDevice {
    /// When it ends: a client that remembers for fewer days now means those of before as well.
    fn ends_at(&self, days: u32) -> UnixTime {
        let at_most = self.created_at.plus(u64::from(days) * DAY);
        self.expires_at.min(at_most)
    }

    fn last_seen(&self) -> UnixTime {
        self.used_at.unwrap_or(self.created_at)
    }

    /// Lets `next` take the place of the value that came. `false`: it was used, and not just now.
    fn rotate(&mut self, came: &Digest, next: Digest, now: UnixTime) -> bool {
        let is_among = |digests: &[Digest]| {
            let compared = digests.iter().map(|one| one.matches(came));
            compared.fold(false, |found, one| found | one)
        };
        if is_among(&self.live) {
            self.before = std::mem::replace(&mut self.live, vec![next]);
            self.used_at = Some(now);
            return true;
        }
        // Two requests of one browser, at once: whichever answer it keeps is good.
        let just_now = now.seconds_from(self.last_seen()) < GRACE;
        let room = self.live.len() < MOST_LIVE;
        let twice = is_among(&self.before) && just_now && room;
        if twice {
            self.live.push(next);
        }
        twice
    }
}

impl Account {
    /// Remembers the browser a user just proved themselves in. `None` where the method does not serve for that: whoever
    /// reads mail, or has a code of the application's own, has not shown anything that a browser could stand for.
    pub fn remember_browser(
        &mut self,
        owner: &Owner,
        proved: (Method, BrowserName),
        days: u32,
        now: UnixTime,
    ) -> Result<Option<Remembered>, RandomError> {
        let (method, name) = proved;
        let serves = match method {
            Method::Totp | Method::Passkey | Method::Sms => true,
            Method::Email | Method::Generated | Method::RecoveryCode | Method::RecoveryMessage => {
                false
            }
        };
        if days == 0 || !serves {
            return Ok(None);
        }
        let value = TrustedValue::draw(random::bytes()?)?;
        let expires_at = now.plus(u64::from(days) * DAY);
        self.trusted.retain(|device| device.expires_at > now);
        while self.trusted.len() >= MOST_TRUSTED {
            let oldest = self.trusted.iter().map(TrustedDevice::last_seen).min();
            let mut devices = self.trusted.iter();
            let Some(place) = devices.position(|device| Some(device.last_seen()) == oldest) else {
                break;
            };
            self.trusted.remove(place);
        }
        self.trusted.push(TrustedDevice {
            id: TrustedDeviceId::draw()?,
            series: value.series_digest(owner),
            live: vec![value.digest(owner)],
            before: Vec::new(),
            created_at: now,
            used_at: None,
            expires_at,
            name,
        });
        let value = value.text();
        Ok(Some(Remembered { value, expires_at }))
    }

    /// Whether a browser with that value is remembered, and the next value if it is.
    pub fn check_browser(
        &mut self,
        owner: &Owner,
        value: &TrustedValue,
        days: u32,
        now: UnixTime,
    ) -> Result<Trust, RandomError> {
        let (series, came) = (value.series_digest(owner), value.digest(owner));
        let mut devices = self.trusted.iter_mut();
        let found = devices.find(|device| device.series.matches(&series));
        let Some(device) = found.filter(|device| device.ends_at(days) > now) else {
            return Ok(Trust::Unknown);
        };
        let next = TrustedValue::draw(value.series)?;
        if device.rotate(&came, next.digest(owner), now) {
            return Ok(Trust::Trusted(Remembered {
                value: next.text(),
                expires_at: device.ends_at(days),
            }));
        }
        // Who knows the series has held a value of it: it was used already, by them or by somebody else.
        let id = device.id.clone();
        self.trusted.retain(|device| device.id != id);
        Ok(Trust::Reused(id))
    }

    pub fn trusted_devices(&self, days: u32, now: UnixTime) -> Vec<TrustedDeviceView> {
        let live = self.trusted.iter().filter(|one| one.ends_at(days) > now);
        let view = |device: &TrustedDevice| TrustedDeviceView {
            id: device.id.clone(),
            created_at: device.created_at,
            last_used_at: device.used_at,
            expires_at: device.ends_at(days),
            name: device.name,
        };
        live.map(view).collect()
    }

    /// Forgets a browser, or all. Whether there was one.
    pub fn forget_browsers(&mut self, id: Option<&TrustedDeviceId>) -> bool {
        let before = self.trusted.len();
        self.trusted
            .retain(|device| id.is_some_and(|id| device.id != *id));
        self.trusted.len() < before
    }

    /// What the user logs in with has changed, or somebody came back without it: each browser has to show it again.
    pub(super) fn end_trust(&mut self) {
        self.trusted.clear();
    }

    /// A backup knows values that were replaced since, and none of those that were given out: nobody could tell
    /// which is which.
    pub(super) fn end_trust_before(&mut self, restored: UnixTime) {
        self.trusted.retain(|device| device.created_at >= restored);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixture, NOW};
    use super::*;

    fn remember(fixture: &mut Fixture, now: UnixTime) -> String {
        let owner = fixture.owner.clone();
        let remembered = fixture.account.remember_browser(
            &owner,
            (Method::Totp, BrowserName::default()),
            30,
            now,
        );
        remembered.unwrap().unwrap().value
    }

    fn check(fixture: &mut Fixture, value: &str, now: UnixTime) -> Trust {
        let owner = fixture.owner.clone();
        let value = TrustedValue::parse(value).unwrap();
        fixture
            .account
            .check_browser(&owner, &value, 30, now)
            .unwrap()
    }

    fn next(fixture: &mut Fixture, value: &str, now: UnixTime) -> String {
        match check(fixture, value, now) {
            Trust::Trusted(remembered) => remembered.value,
            Trust::Unknown => panic!("unknown"),
            Trust::Reused(_) => panic!("reused"),
        }
    }

    #[test]
    fn a_value_is_good_once_and_gives_the_next() {
        let mut fixture = Fixture::active();
        let first = remember(&mut fixture, NOW);
        let second = next(&mut fixture, &first, NOW.plus(100));
        let third = next(&mut fixture, &second, NOW.plus(200));
        assert!(first != second && second != third);
        let stored = fixture
            .account
            .clone()
            .into_stored(fixture.vault())
            .unwrap();
        for value in [&first, &second, &third] {
            assert!(!stored.contains(value.as_str()));
        }
    }

    #[test]
    fn a_value_that_was_used_ends_its_series_and_no_other() {
        for (uses, age) in [(1, GRACE), (2, 1), (5, 1)] {
            let mut fixture = Fixture::active();
            let (first, other) = (remember(&mut fixture, NOW), remember(&mut fixture, NOW));
            let (mut value, mut now) = (first.clone(), NOW);
            for _ in 0..uses {
                now = now.plus(1);
                value = next(&mut fixture, &value, now);
            }
            let stolen = check(&mut fixture, &first, now.plus(age));
            assert!(matches!(stolen, Trust::Reused(_)), "{uses} {age}");
            let gone = check(&mut fixture, &value, now.plus(age));
            assert!(
                matches!(gone, Trust::Unknown),
                "whoever holds the newest has lost it too"
            );
            next(&mut fixture, &other, now);
        }
    }

    #[test]
    fn two_requests_at_once_both_go_on_and_a_third_ends_it() {
        let mut fixture = Fixture::active();
        let first = remember(&mut fixture, NOW);
        let one = next(&mut fixture, &first, NOW);
        let two = next(&mut fixture, &first, NOW.plus(GRACE - 1));
        // Whichever the browser kept is good; the others are used up with it.
        let mut kept = Fixture {
            account: fixture.account.clone(),
            ..Fixture::empty()
        };
        next(&mut kept, &two, NOW.plus(500));
        assert!(matches!(
            check(&mut kept, &one, NOW.plus(600)),
            Trust::Reused(_)
        ));
        assert!(matches!(
            check(&mut fixture, &first, NOW.plus(GRACE - 1)),
            Trust::Reused(_)
        ));
    }

    #[test]
    fn a_browser_is_remembered_for_so_many_days_and_for_fewer_if_the_client_says_so_later() {
        let mut fixture = Fixture::active();
        let value = remember(&mut fixture, NOW);
        let owner = fixture.owner.clone();
        let parsed = TrustedValue::parse(&value).unwrap();
        for days in [0, 10] {
            let later = NOW.plus(10 * DAY);
            let trust = fixture.account.check_browser(&owner, &parsed, days, later);
            assert!(matches!(trust, Ok(Trust::Unknown)), "{days}");
        }
        let value = next(&mut fixture, &value, NOW.plus(30 * DAY - 1));
        assert!(matches!(
            check(&mut fixture, &value, NOW.plus(30 * DAY)),
            Trust::Unknown
        ));
    }

    #[test]
    fn ten_browsers_are_remembered_and_the_one_longest_unused_makes_room() {
        let mut fixture = Fixture::active();
        let mut values: Vec<String> = (0..10)
            .map(|number| remember(&mut fixture, NOW.plus(number)))
            .collect();
        values[0] = next(&mut fixture, &values[0].clone(), NOW.plus(100));
        remember(&mut fixture, NOW.plus(200));
        assert!(matches!(
            check(&mut fixture, &values[1], NOW.plus(300)),
            Trust::Unknown
        ));
        next(&mut fixture, &values[0], NOW.plus(300));
        assert_eq!(fixture.account.trusted_devices(30, NOW.plus(300)).len(), 10);
    }

    #[test]
    fn what_proves_little_remembers_nothing() {
        let owner = Fixture::empty().owner;
        for method in Method::ALL {
            let mut fixture = Fixture::active();
            let remembered =
                fixture
                    .account
                    .remember_browser(&owner, (method, BrowserName::default()), 30, NOW);
            let serves = matches!(method, Method::Totp | Method::Passkey | Method::Sms);
            assert_eq!(remembered.unwrap().is_some(), serves, "{method:?}");
            let never =
                fixture
                    .account
                    .remember_browser(&owner, (method, BrowserName::default()), 0, NOW);
            assert!(never.unwrap().is_none());
        }
    }

    #[test]
    fn rec_14_every_change_of_factors_ends_them_all() {
        type Change = fn(&mut Fixture);
        let changes: [Change; 6] = [
            |fixture| fixture.account.disable(NOW),
            |fixture| {
                let app = fixture.enrolment(false);
                fixture.account.add_app(app, NOW).unwrap();
            },
            |fixture| fixture.account.confirmed(false, None, NOW),
            |fixture| {
                let app = fixture.enrolment(true);
                fixture.account.renew(app, None, true, NOW).unwrap();
            },
            |fixture| fixture.account.succeed(Method::RecoveryCode, NOW),
            |fixture| fixture.account.succeed(Method::RecoveryMessage, NOW),
        ];
        for change in changes {
            let mut fixture = Fixture::active();
            remember(&mut fixture, NOW);
            change(&mut fixture);
            assert!(fixture.account.trusted.is_empty());
        }
        let mut fixture = Fixture::active();
        let value = remember(&mut fixture, NOW);
        fixture.account.succeed(Method::Totp, NOW);
        fixture.account.forget_before(NOW);
        next(&mut fixture, &value, NOW);
        fixture.account.forget_before(NOW.plus(1));
        assert!(fixture.account.trusted.is_empty(), "CRY-15");
    }

    #[test]
    fn a_value_has_one_form() {
        let good = remember(&mut Fixture::active(), NOW);
        assert!(TrustedValue::parse(&good).is_some());
        for bad in [
            "",
            "AAAA",
            &format!("{good}AAAA"),
            &good[1..],
            &format!("{good}="),
            &"-".repeat(63),
        ] {
            assert!(TrustedValue::parse(bad).is_none(), "{bad}");
        }
    }
}
