//! What somebody was asked and has not answered yet. Codes that are delivered: asking for one, taking it back when it
//! could not be sent, spending it.

use serde::{Deserialize, Serialize};

use super::Account;
use super::passkey::PasskeyChallenge;
use crate::domain::codes::numeric::{CodeBinding, NumericCode};
use crate::domain::crypto::random::RandomError;
use crate::domain::crypto::sealing::Vault;
use crate::domain::ids::ChallengeId;
use crate::domain::method::{Channel, Class, Method, Purpose};
use crate::domain::time::UnixTime;

/// Tries at one delivered code; with the last one it is dead (OOB-06).
const TRIES_PER_CODE: u32 = 5;
/// Spent codes an account remembers, the latest: more than a user can have typed twice.
const SPENT_KEPT: usize = 10;
/// Messages of the last hour make the next one wait longer.
const COOLDOWN_MEMORY: u64 = 3600;
const LONGEST_COOLDOWN: u64 = 3600;

/// What waits for an answer. Of each kind, and for each channel and purpose of it, at most one lives.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Challenge {
    Delivered(Delivered),
    Passkey(PasskeyChallenge),
}

/// A delivered code that may still be used. The code's digest lies in KV under the id; whether it
/// is alive, and how often it was tried, is said here only.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    pub(super) id: ChallengeId,
    pub(super) channel: Channel,
    pub(super) purpose: Purpose,
    pub(super) expires_at: UnixTime,
    pub(super) tries: u32,
}

/// A delivered code that was used, for the rest of its life: typed again, it is told apart from a
/// wrong one, which a second press of a button is not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spent {
    pub(super) code: Delivered,
    /// As KV held it.
    pub(super) digest: String,
}

/// Times of the last messages, for the cooldown.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sends {
    sms: Vec<UnixTime>,
    email: Vec<UnixTime>,
}

/// A code just drawn: what to send, and what KV keeps of it.
pub struct Dispatch {
    pub code: NumericCode,
    pub challenge: ChallengeId,
    /// For KV, under the challenge's id.
    pub stored_digest: String,
    pub lifetime: u64,
    sent_at: UnixTime,
    channel: Channel,
}

/// Too soon after the last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    pub until: UnixTime,
}

impl Dispatch {
    pub fn draw(
        vault: Vault<'_>,
        channel: Channel,
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<(Self, Delivered), RandomError> {
        let code = NumericCode::draw(purpose.digits())?;
        let challenge = Delivered {
            id: ChallengeId::draw()?,
            channel,
            purpose,
            expires_at: now.plus(purpose.lifetime()),
            tries: 0,
        };
        let stored_digest = challenge.binding(vault).stored_digest(&code);
        let lifetime = purpose.lifetime();
        let dispatch = Self {
            code,
            challenge: challenge.id.clone(),
            stored_digest,
            lifetime,
            sent_at: now,
            channel,
        };
        Ok((dispatch, challenge))
    }
}

impl Challenge {
    pub(super) const fn delivered(&self) -> Option<&Delivered> {
        match self {
            Self::Delivered(code) => Some(code),
            Self::Passkey(_) => None,
        }
    }

    pub(super) const fn passkey(&self) -> Option<&PasskeyChallenge> {
        match self {
            Self::Passkey(ceremony) => Some(ceremony),
            Self::Delivered(_) => None,
        }
    }

    fn id(&self) -> &ChallengeId {
        match self {
            Self::Delivered(code) => &code.id,
            Self::Passkey(ceremony) => &ceremony.id,
        }
    }

    fn expires_at(&self) -> UnixTime {
        match self {
            Self::Delivered(code) => code.expires_at,
            Self::Passkey(ceremony) => ceremony.expires_at,
        }
    }

    /// Whether it and `other` cannot both be answered.
    fn is_replaced_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Delivered(one), Self::Delivered(other)) => {
                (one.channel, one.purpose) == (other.channel, other.purpose)
            }
            (Self::Passkey(one), Self::Passkey(other)) => one.ceremony == other.ceremony,
            _ => false,
        }
    }

    pub(super) fn was_opened_since(&self, time: UnixTime) -> bool {
        let lifetime = match self {
            Self::Delivered(code) => code.purpose.lifetime(),
            Self::Passkey(_) => PasskeyChallenge::LIFETIME.into(),
        };
        self.expires_at().minus(lifetime) >= time
    }
}

impl Delivered {
    pub(super) fn method(&self) -> Method {
        self.channel.method(self.purpose)
    }

    pub(super) fn class(&self) -> Class {
        self.purpose.class()
    }

    pub(super) fn sent_at(&self) -> UnixTime {
        self.expires_at.minus(self.purpose.lifetime())
    }

    pub(super) fn binding<'a>(&'a self, vault: Vault<'a>) -> CodeBinding<'a> {
        CodeBinding {
            vault,
            challenge: &self.id,
            kind: self.channel.kind(self.purpose),
        }
    }

    pub(super) fn is_live(&self, now: UnixTime) -> bool {
        self.expires_at > now && self.tries < TRIES_PER_CODE
    }
}

impl Spent {
    pub(super) fn method(&self) -> Method {
        self.code.method()
    }

    pub(super) fn class(&self) -> Class {
        self.code.class()
    }

    /// Whether `code` is the one that was used, while it would have lived on.
    pub(super) fn is(&self, code: &NumericCode, vault: Vault<'_>, now: UnixTime) -> bool {
        let binding = self.code.binding(vault);
        binding.matches(code, &self.digest) && self.code.expires_at > now
    }
}

/// Seconds between two messages, after so many of an hour.
fn distance(cooldown: u64, messages: u32) -> u64 {
    let doublings = messages.saturating_sub(1).min(32);
    cooldown
        .checked_shl(doublings)
        .map_or(LONGEST_COOLDOWN, |wait| wait.min(LONGEST_COOLDOWN))
}

impl Account {
    /// Makes `challenge` the only live one of its channel and purpose (OOB-05). No counter of
    /// failures is touched (OOB-07).
    ///
    /// A message must keep its distance from the last one on its channel: `cooldown` seconds, twice
    /// as many after the second message of an hour, and so on.
    pub fn open_challenge(
        &mut self,
        challenge: Delivered,
        cooldown: u64,
        now: UnixTime,
    ) -> Result<(), Cooldown> {
        self.count_message(challenge.channel, cooldown, now)?;
        self.await_answer(Challenge::Delivered(challenge), now);
        Ok(())
    }

    /// Counts a message on that channel, if it keeps its distance from the last one.
    pub fn count_message(
        &mut self,
        channel: Channel,
        cooldown: u64,
        now: UnixTime,
    ) -> Result<(), Cooldown> {
        let next = self.next_message_at(channel, cooldown, now);
        if let Some(until) = next {
            return Err(Cooldown { until });
        }
        if let Some(sends) = self.sends_mut(channel) {
            sends.retain(|sent| now.seconds_from(*sent) < COOLDOWN_MEMORY);
            sends.push(now);
        }
        Ok(())
    }

    /// Until when a code that was sent on that channel may be used.
    pub fn delivered_until(
        &self,
        channel: Channel,
        purpose: Purpose,
        now: UnixTime,
    ) -> Option<UnixTime> {
        let mut live = self.delivered();
        let live =
            live.find(|one| one.channel == channel && one.purpose == purpose && one.is_live(now))?;
        Some(live.expires_at)
    }

    /// When the last message went out on that channel, within the last hour.
    pub fn last_message_at(&self, channel: Channel) -> Option<UnixTime> {
        match channel {
            Channel::Sms => self.sends.sms.last().copied(),
            Channel::Email => self.sends.email.last().copied(),
            Channel::Api => None,
        }
    }

    /// When the next message may go out on that channel, if not now.
    pub fn next_message_at(
        &self,
        channel: Channel,
        cooldown: u64,
        now: UnixTime,
    ) -> Option<UnixTime> {
        let sends = match channel {
            Channel::Sms => &self.sends.sms,
            Channel::Email => &self.sends.email,
            Channel::Api => return None,
        };
        let recent = sends
            .iter()
            .filter(|sent| now.seconds_from(**sent) < COOLDOWN_MEMORY);
        let (count, last) = recent.fold((0_u32, None), |(count, _), sent| (count + 1, Some(*sent)));
        let until = last?.plus(distance(cooldown, count));
        (until > now).then_some(until)
    }

    /// Adds a challenge in the place of the one it replaces, and forgets those that expired.
    pub(super) fn await_answer(&mut self, challenge: Challenge, now: UnixTime) {
        self.challenges
            .retain(|live| live.expires_at() > now && !live.is_replaced_by(&challenge));
        self.challenges.push(challenge);
    }

    /// Undoes `open_challenge` for a message that was not sent: no live code stays behind, and the
    /// user may ask again at once.
    pub fn withdraw(&mut self, dispatch: &Dispatch) {
        self.challenges
            .retain(|challenge| *challenge.id() != dispatch.challenge);
        for session in &mut self.sessions {
            session.contact = session.contact.take().filter(|new| !new.is_of(dispatch));
        }
        if let Some(sends) = self.sends_mut(dispatch.channel) {
            sends.retain(|sent| *sent != dispatch.sent_at);
        }
    }

    /// Uses the challenge up: it is the method it proves, or nothing if it is not there.
    pub(super) fn spend_challenge(
        &mut self,
        id: &ChallengeId,
        digest: &str,
        now: UnixTime,
    ) -> Option<Method> {
        let Challenge::Delivered(code) = self.take_challenge(id)? else {
            return None;
        };
        let method = code.method();
        self.spent.retain(|spent| spent.code.expires_at > now);
        let surplus = (self.spent.len() + 1).saturating_sub(SPENT_KEPT);
        self.spent.drain(..surplus);
        let digest = digest.to_owned();
        self.spent.push(Spent { code, digest });
        Some(method)
    }

    /// How the message went out whose code was just spent, and when.
    pub fn spent_message(&self, id: &ChallengeId) -> Option<(Channel, UnixTime)> {
        let mut spent = self.spent.iter().map(|spent| &spent.code);
        let code = spent.find(|code| code.id == *id)?;
        Some((code.channel, code.sent_at()))
    }

    /// Takes the challenge of that id away: nobody can answer it any more.
    pub(super) fn take_challenge(&mut self, id: &ChallengeId) -> Option<Challenge> {
        let mut challenges = self.challenges.iter();
        let place = challenges.position(|challenge| challenge.id() == id)?;
        Some(self.challenges.remove(place))
    }

    /// The delivered codes that may still be used.
    pub(super) fn delivered(&self) -> impl Iterator<Item = &Delivered> {
        self.challenges.iter().filter_map(Challenge::delivered)
    }

    fn sends_mut(&mut self, channel: Channel) -> Option<&mut Vec<UnixTime>> {
        match channel {
            Channel::Sms => Some(&mut self.sends.sms),
            Channel::Email => Some(&mut self.sends.email),
            Channel::Api => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixture, NOW};
    use super::*;

    #[test]
    fn sms_03_the_cooldown_is_a_minute_then_doubles_and_is_forgotten_after_an_hour() {
        let mut fixture = Fixture::active();
        let mut now = NOW;
        for wait in [60, 120, 240, 480] {
            assert!(fixture.open(Channel::Sms, Purpose::Verify, now).is_ok());
            let refused = fixture
                .open(Channel::Sms, Purpose::Verify, now.plus(wait - 1))
                .err();
            assert_eq!(
                refused,
                Some(Cooldown {
                    until: now.plus(wait)
                })
            );
            now = now.plus(wait);
        }
        assert!(
            fixture
                .open(Channel::Sms, Purpose::Verify, now.plus(3600))
                .is_ok()
        );
        assert!(
            fixture
                .open(Channel::Sms, Purpose::Verify, now.plus(3660))
                .is_ok()
        );
    }

    #[test]
    fn a_message_counts_towards_the_distance_for_an_hour_and_not_a_second_longer() {
        for (later, allowed) in [(3599, false), (3600, true)] {
            let mut fixture = Fixture::active();
            fixture.open(Channel::Sms, Purpose::Verify, NOW).unwrap();
            fixture
                .open(Channel::Sms, Purpose::Verify, NOW.plus(3539))
                .unwrap();
            let third = fixture.open(Channel::Sms, Purpose::Verify, NOW.plus(later));
            assert_eq!(third.is_ok(), allowed, "{later}");
        }
    }

    #[test]
    fn sms_03_a_message_of_an_hour_ago_makes_the_next_one_wait_no_longer() {
        for (age, wait) in [(3599, 120), (3600, 60)] {
            let mut fixture = Fixture::active();
            let second = NOW.plus(age - 50);
            fixture.open(Channel::Sms, Purpose::Verify, NOW).unwrap();
            fixture.open(Channel::Sms, Purpose::Verify, second).unwrap();
            let third = fixture.open(Channel::Sms, Purpose::Verify, NOW.plus(age));
            let until = second.plus(wait);
            assert_eq!(third.err(), Some(Cooldown { until }), "{age}");
        }
    }

    #[test]
    fn each_channel_keeps_its_own_distance_and_both_purposes_share_it() {
        let mut fixture = Fixture::active();
        assert!(fixture.open(Channel::Sms, Purpose::Verify, NOW).is_ok());
        assert!(fixture.open(Channel::Email, Purpose::Verify, NOW).is_ok());
        assert!(fixture.open(Channel::Sms, Purpose::Recovery, NOW).is_err());
        for _ in 0..10 {
            assert!(fixture.open(Channel::Api, Purpose::Verify, NOW).is_ok());
        }
    }

    #[test]
    fn oob_05_one_code_lives_per_channel_and_purpose() {
        let mut fixture = Fixture::active();
        fixture.open(Channel::Email, Purpose::Verify, NOW).unwrap();
        fixture.open(Channel::Sms, Purpose::Verify, NOW).unwrap();
        let second = fixture
            .open(Channel::Sms, Purpose::Recovery, NOW.plus(60))
            .unwrap();
        assert_eq!(fixture.account.challenges.len(), 3);
        let third = fixture
            .open(Channel::Sms, Purpose::Recovery, NOW.plus(180))
            .unwrap();
        let live: Vec<&ChallengeId> = fixture
            .account
            .challenges
            .iter()
            .map(Challenge::id)
            .collect();
        assert!(live.contains(&&third.challenge) && !live.contains(&&second.challenge));
        assert_eq!(live.len(), 3);
    }

    #[test]
    fn a_code_that_expired_is_forgotten_with_the_next_one() {
        for (age, left) in [(299, 2), (300, 1)] {
            let mut fixture = Fixture::active();
            fixture.open(Channel::Email, Purpose::Verify, NOW).unwrap();
            fixture
                .open(Channel::Sms, Purpose::Verify, NOW.plus(age))
                .unwrap();
            assert_eq!(fixture.account.challenges.len(), left, "{age}");
        }
    }

    #[test]
    fn rel_03_a_withdrawn_message_leaves_no_code_and_no_cooldown() {
        let mut fixture = Fixture::active();
        let before = serde_json::to_value(&fixture.account).unwrap();
        let dispatch = fixture.open(Channel::Sms, Purpose::Verify, NOW).unwrap();
        fixture.account.withdraw(&dispatch);
        assert_eq!(serde_json::to_value(&fixture.account).unwrap(), before);
        assert!(fixture.open(Channel::Sms, Purpose::Verify, NOW).is_ok());
    }
}
