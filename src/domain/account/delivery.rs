//! Codes that are delivered: asking for one, and taking it back when it could not be sent.

use super::{Account, Challenge, Destination, EMAIL, PHONE, contact_place};
use crate::domain::code::NumericCode;
use crate::domain::email::Email;
use crate::domain::ids::{ChallengeId, Owner};
use crate::domain::keys::KeyRing;
use crate::domain::method::{Channel, Purpose};
use crate::domain::phone::Phone;
use crate::domain::random::RandomError;
use crate::domain::sealing::{SealError, Sealed};
use crate::domain::time::UnixTime;

/// Messages of the last hour make the next one wait longer.
const COOLDOWN_MEMORY: u64 = 3600;
const LONGEST_COOLDOWN: u64 = 3600;

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
        keys: &KeyRing,
        owner: Owner<'_>,
        channel: Channel,
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<(Self, Challenge), RandomError> {
        let code = NumericCode::draw(purpose.digits())?;
        let challenge = Challenge {
            id: ChallengeId::draw()?,
            channel,
            purpose,
            expires_at: now.plus(purpose.lifetime()),
            tries: 0,
        };
        let stored_digest = challenge.binding(owner).stored_digest(keys, &code);
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

impl Account {
    /// Makes `challenge` the only live one of its channel and purpose (OOB-05). No counter of
    /// failures is touched (OOB-07).
    ///
    /// A message must keep its distance from the last one on its channel: `cooldown` seconds, twice
    /// as many after the second message of an hour, and so on.
    pub fn open_challenge(
        &mut self,
        challenge: Challenge,
        cooldown: u64,
        now: UnixTime,
    ) -> Result<(), Cooldown> {
        if let Some(sends) = self.sends_mut(challenge.channel) {
            sends.retain(|sent| now.seconds_from(*sent) < COOLDOWN_MEMORY);
            if let Some(last) = sends.last() {
                let doublings = u32::try_from(sends.len())
                    .unwrap_or(u32::MAX)
                    .saturating_sub(1);
                let wait = cooldown
                    .checked_shl(doublings.min(32))
                    .map_or(LONGEST_COOLDOWN, |wait| wait.min(LONGEST_COOLDOWN));
                let until = last.plus(wait);
                if until > now {
                    return Err(Cooldown { until });
                }
            }
            sends.push(now);
        }
        self.challenges.retain(|live| {
            live.expires_at > now
                && !(live.channel == challenge.channel && live.purpose == challenge.purpose)
        });
        self.challenges.push(challenge);
        Ok(())
    }

    /// Undoes `open_challenge` for a message that was not sent: no live code stays behind, and the
    /// user may ask again at once.
    pub fn withdraw(&mut self, dispatch: &Dispatch) {
        self.challenges
            .retain(|challenge| challenge.id != dispatch.challenge);
        if let Some(sends) = self.sends_mut(dispatch.channel) {
            sends.retain(|sent| *sent != dispatch.sent_at);
        }
    }

    /// Sets or removes the phone number. Codes on their way to the former one die (OOB-11).
    pub fn set_phone(
        &mut self,
        keys: &KeyRing,
        owner: Owner<'_>,
        phone: Option<&Phone>,
        now: UnixTime,
    ) -> Result<(), SealError> {
        if self.phone(keys, owner)?.as_ref() != phone {
            self.contact.phone =
                Destination::seal(keys, owner, PHONE, phone.map(Phone::as_str), now)?;
            self.challenges
                .retain(|challenge| challenge.channel != Channel::Sms);
        }
        Ok(())
    }

    /// Sets or removes the e-mail address. Codes on their way to the former one die (OOB-11).
    pub fn set_email(
        &mut self,
        keys: &KeyRing,
        owner: Owner<'_>,
        email: Option<&Email>,
        now: UnixTime,
    ) -> Result<(), SealError> {
        if self.email(keys, owner)?.as_ref() != email {
            self.contact.email =
                Destination::seal(keys, owner, EMAIL, email.map(Email::as_str), now)?;
            self.challenges
                .retain(|challenge| challenge.channel != Channel::Email);
        }
        Ok(())
    }

    fn sends_mut(&mut self, channel: Channel) -> Option<&mut Vec<UnixTime>> {
        match channel {
            Channel::Sms => Some(&mut self.sends.sms),
            Channel::Email => Some(&mut self.sends.email),
            Channel::Api => None,
        }
    }
}

impl Destination {
    fn seal(
        keys: &KeyRing,
        owner: Owner<'_>,
        field: &'static str,
        value: Option<&str>,
        now: UnixTime,
    ) -> Result<Option<Self>, SealError> {
        value
            .map(|value| {
                let sealed = Sealed::seal(keys, contact_place(owner, field), value.as_bytes())?;
                Ok(Self {
                    sealed,
                    set_at: now,
                })
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixture, NOW};
    use super::*;

    fn open(
        fixture: &mut Fixture,
        channel: Channel,
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<Dispatch, Cooldown> {
        let owner = Owner {
            client: &fixture.client,
            user: &fixture.user,
        };
        let (dispatch, challenge) =
            Dispatch::draw(&fixture.keys, owner, channel, purpose, now).unwrap();
        fixture
            .account
            .open_challenge(challenge, 60, now)
            .map(|()| dispatch)
    }

    #[test]
    fn sms_03_the_cooldown_is_a_minute_then_doubles_and_is_forgotten_after_an_hour() {
        let mut fixture = Fixture::active();
        let mut now = NOW;
        for wait in [60, 120, 240, 480] {
            assert!(open(&mut fixture, Channel::Sms, Purpose::Verify, now).is_ok());
            let refused = open(
                &mut fixture,
                Channel::Sms,
                Purpose::Verify,
                now.plus(wait - 1),
            )
            .err();
            assert_eq!(
                refused,
                Some(Cooldown {
                    until: now.plus(wait)
                })
            );
            now = now.plus(wait);
        }
        assert!(open(&mut fixture, Channel::Sms, Purpose::Verify, now.plus(3600)).is_ok());
        assert!(open(&mut fixture, Channel::Sms, Purpose::Verify, now.plus(3660)).is_ok());
    }

    #[test]
    fn a_message_counts_towards_the_distance_for_an_hour_and_not_a_second_longer() {
        for (later, allowed) in [(3599, false), (3600, true)] {
            let mut fixture = Fixture::active();
            open(&mut fixture, Channel::Sms, Purpose::Verify, NOW).unwrap();
            open(&mut fixture, Channel::Sms, Purpose::Verify, NOW.plus(3539)).unwrap();
            let third = open(&mut fixture, Channel::Sms, Purpose::Verify, NOW.plus(later));
            assert_eq!(third.is_ok(), allowed, "{later}");
        }
    }

    #[test]
    fn sms_03_a_message_of_an_hour_ago_makes_the_next_one_wait_no_longer() {
        for (age, wait) in [(3599, 120), (3600, 60)] {
            let mut fixture = Fixture::active();
            let second = NOW.plus(age - 50);
            open(&mut fixture, Channel::Sms, Purpose::Verify, NOW).unwrap();
            open(&mut fixture, Channel::Sms, Purpose::Verify, second).unwrap();
            let third = open(&mut fixture, Channel::Sms, Purpose::Verify, NOW.plus(age));
            let until = second.plus(wait);
            assert_eq!(third.err(), Some(Cooldown { until }), "{age}");
        }
    }

    #[test]
    fn each_channel_keeps_its_own_distance_and_both_purposes_share_it() {
        let mut fixture = Fixture::active();
        assert!(open(&mut fixture, Channel::Sms, Purpose::Verify, NOW).is_ok());
        assert!(open(&mut fixture, Channel::Email, Purpose::Verify, NOW).is_ok());
        assert!(open(&mut fixture, Channel::Sms, Purpose::Recovery, NOW).is_err());
        for _ in 0..10 {
            assert!(open(&mut fixture, Channel::Api, Purpose::Verify, NOW).is_ok());
        }
    }

    #[test]
    fn oob_05_one_code_lives_per_channel_and_purpose() {
        let mut fixture = Fixture::active();
        open(&mut fixture, Channel::Email, Purpose::Verify, NOW).unwrap();
        open(&mut fixture, Channel::Sms, Purpose::Verify, NOW).unwrap();
        let second = open(&mut fixture, Channel::Sms, Purpose::Recovery, NOW.plus(60)).unwrap();
        assert_eq!(fixture.account.challenges.len(), 3);
        let third = open(&mut fixture, Channel::Sms, Purpose::Recovery, NOW.plus(180)).unwrap();
        let live: Vec<&ChallengeId> = fixture
            .account
            .challenges
            .iter()
            .map(|challenge| &challenge.id)
            .collect();
        assert!(live.contains(&&third.challenge) && !live.contains(&&second.challenge));
        assert_eq!(live.len(), 3);
    }

    #[test]
    fn a_code_that_expired_is_forgotten_with_the_next_one() {
        for (age, left) in [(299, 2), (300, 1)] {
            let mut fixture = Fixture::active();
            open(&mut fixture, Channel::Email, Purpose::Verify, NOW).unwrap();
            open(&mut fixture, Channel::Sms, Purpose::Verify, NOW.plus(age)).unwrap();
            assert_eq!(fixture.account.challenges.len(), left, "{age}");
        }
    }

    #[test]
    fn oob_11_a_changed_address_kills_the_codes_on_their_way_to_it_and_no_others() {
        let mut fixture = Fixture::active();
        open(&mut fixture, Channel::Sms, Purpose::Verify, NOW).unwrap();
        open(&mut fixture, Channel::Email, Purpose::Verify, NOW).unwrap();
        let owner = Owner {
            client: &fixture.client,
            user: &fixture.user,
        };
        let email = Email::parse("ann@example.com").unwrap();
        fixture
            .account
            .set_email(&fixture.keys, owner, Some(&email), NOW)
            .unwrap();
        let left: Vec<Channel> = fixture
            .account
            .challenges
            .iter()
            .map(|challenge| challenge.channel)
            .collect();
        assert_eq!(left, [Channel::Sms]);
    }

    #[test]
    fn rel_03_a_withdrawn_message_leaves_no_code_and_no_cooldown() {
        let mut fixture = Fixture::active();
        let before = serde_json::to_value(&fixture.account).unwrap();
        let dispatch = open(&mut fixture, Channel::Sms, Purpose::Verify, NOW).unwrap();
        fixture.account.withdraw(&dispatch);
        assert_eq!(serde_json::to_value(&fixture.account).unwrap(), before);
        assert!(open(&mut fixture, Channel::Sms, Purpose::Verify, NOW).is_ok());
    }

    #[test]
    fn oob_11_a_changed_destination_kills_the_codes_on_their_way_to_it() {
        let mut fixture = Fixture::active();
        let phone = |text| Phone::parse(text).unwrap();
        let owner = Owner {
            client: &fixture.client,
            user: &fixture.user,
        };
        fixture
            .account
            .set_phone(&fixture.keys, owner, Some(&phone("+34600111222")), NOW)
            .unwrap();
        open(&mut fixture, Channel::Sms, Purpose::Verify, NOW).unwrap();
        open(&mut fixture, Channel::Email, Purpose::Verify, NOW).unwrap();
        let owner = Owner {
            client: &fixture.client,
            user: &fixture.user,
        };
        fixture
            .account
            .set_phone(&fixture.keys, owner, Some(&phone("+34600111222")), NOW)
            .unwrap();
        assert_eq!(
            fixture.account.challenges.len(),
            2,
            "the same number is no change"
        );
        fixture
            .account
            .set_phone(&fixture.keys, owner, Some(&phone("+34600111223")), NOW)
            .unwrap();
        assert_eq!(fixture.account.challenges.len(), 1);
        fixture
            .account
            .set_email(&fixture.keys, owner, None, NOW)
            .unwrap();
        assert_eq!(
            fixture.account.challenges.len(),
            1,
            "there was no address to change"
        );
    }
}
