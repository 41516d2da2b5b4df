//! Where a user's messages go.

use serde::{Deserialize, Serialize};

use super::Account;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::crypto::sealing::{Place, SealError, Sealed, Vault};
use crate::domain::method::Channel;
use crate::domain::time::UnixTime;

const PHONE: Place<'_> = Place {
    object: "contact",
    field: "phone",
};
const EMAIL: Place<'_> = Place {
    object: "contact",
    field: "email",
};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Contact {
    phone: Option<Destination>,
    email: Option<Destination>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Destination {
    sealed: Sealed,
    set_at: UnixTime,
    /// When the hundredth failure in a row at delivered codes was made: none is sent for a login until
    /// the destination is set again. It still serves to recover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled_at: Option<UnixTime>,
}

impl Contact {
    fn get(&self, channel: Channel) -> Option<&Destination> {
        match channel {
            Channel::Sms => self.phone.as_ref(),
            Channel::Email => self.email.as_ref(),
            Channel::Api => None,
        }
    }

    fn get_mut(&mut self, channel: Channel) -> Option<&mut Option<Destination>> {
        match channel {
            Channel::Sms => Some(&mut self.phone),
            Channel::Email => Some(&mut self.email),
            Channel::Api => None,
        }
    }

    pub(super) fn set_at(&self, channel: Channel) -> Option<UnixTime> {
        self.get(channel).map(|destination| destination.set_at)
    }

    /// With every sealed value under the current key.
    pub(super) fn reseal(&mut self, vault: Vault<'_>) -> Result<(), SealError> {
        for (destination, place) in [(&mut self.phone, PHONE), (&mut self.email, EMAIL)] {
            if let Some(destination) = destination {
                destination.sealed = vault.reseal(place, destination.sealed.clone())?;
            }
        }
        Ok(())
    }

    pub(super) fn opens(&self, vault: Vault<'_>) -> Option<bool> {
        let mut sealed = [(&self.phone, PHONE), (&self.email, EMAIL)].into_iter();
        sealed.find_map(|(destination, place)| {
            let sealed = &destination.as_ref()?.sealed;
            Some(vault.open(place, sealed).is_ok())
        })
    }

    /// What a hundred wrong codes in a row were sent to must be set again (NIST SP 800-63B-4 §3.2.2).
    pub(super) fn disable(&mut self, now: UnixTime) {
        for destination in [&mut self.phone, &mut self.email].into_iter().flatten() {
            destination.disabled_at = Some(now);
        }
    }
}

impl Destination {
    fn open<T>(
        &self,
        vault: Vault<'_>,
        place: Place<'_>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, SealError> {
        let bytes = vault.open(place, &self.sealed)?;
        str::from_utf8(&bytes)
            .ok()
            .and_then(parse)
            .ok_or(SealError::Malformed)
    }
}

impl Account {
    pub fn phone(&self, vault: Vault<'_>) -> Result<Option<Phone>, SealError> {
        let open = |destination: &Destination| {
            destination.open(vault, PHONE, |text| Phone::parse(text).ok())
        };
        self.contact.phone.as_ref().map(open).transpose()
    }

    pub fn email(&self, vault: Vault<'_>) -> Result<Option<Email>, SealError> {
        let open = |destination: &Destination| {
            destination.open(vault, EMAIL, |text| Email::parse(text).ok())
        };
        self.contact.email.as_ref().map(open).transpose()
    }

    /// Whether failures disabled login codes to this channel's destination.
    pub fn is_disabled(&self, channel: Channel) -> bool {
        self.contact
            .get(channel)
            .is_some_and(|destination| destination.disabled_at.is_some())
    }

    /// Sets or removes the phone number. Codes on their way to the former one die (OOB-11).
    pub fn set_phone(
        &mut self,
        vault: Vault<'_>,
        phone: Option<&Phone>,
        now: UnixTime,
    ) -> Result<(), SealError> {
        if self.phone(vault)?.as_ref() == phone && !self.is_disabled(Channel::Sms) {
            return Ok(());
        }
        self.set_destination(vault, Channel::Sms, PHONE, phone.map(Phone::as_str), now)
    }

    /// Sets or removes the e-mail address. Codes on their way to the former one die (OOB-11).
    pub fn set_email(
        &mut self,
        vault: Vault<'_>,
        email: Option<&Email>,
        now: UnixTime,
    ) -> Result<(), SealError> {
        if self.email(vault)?.as_ref() == email && !self.is_disabled(Channel::Email) {
            return Ok(());
        }
        self.set_destination(vault, Channel::Email, EMAIL, email.map(Email::as_str), now)
    }

    fn set_destination(
        &mut self,
        vault: Vault<'_>,
        channel: Channel,
        place: Place<'_>,
        text: Option<&str>,
        now: UnixTime,
    ) -> Result<(), SealError> {
        let sealed = text.map(|text| vault.seal(place, text.as_bytes()));
        let sealed = sealed.transpose()?;
        if let Some(destination) = self.contact.get_mut(channel) {
            *destination = sealed.map(|sealed| Destination {
                sealed,
                set_at: now,
                disabled_at: None,
            });
        }
        self.challenges.retain(|challenge| {
            let delivered = challenge.delivered();
            delivered.is_none_or(|code| code.channel != channel)
        });
        // Who had the former number may have had a browser remembered by it.
        self.end_trust();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixture, NOW};
    use super::*;
    use crate::domain::method::Purpose;

    fn live(fixture: &Fixture) -> Vec<Channel> {
        let codes = fixture.account.delivered();
        codes.map(|code| code.channel).collect()
    }

    fn set_phone(fixture: &mut Fixture, phone: &str) {
        let phone = Phone::parse(phone).unwrap();
        let (account, vault) = fixture.account_and_vault();
        account.set_phone(vault, Some(&phone), NOW).unwrap();
    }

    fn set_email(fixture: &mut Fixture, email: Option<&str>) {
        let email = email.map(|email| Email::parse(email).unwrap());
        let (account, vault) = fixture.account_and_vault();
        account.set_email(vault, email.as_ref(), NOW).unwrap();
    }

    #[test]
    fn oob_11_a_changed_address_kills_the_codes_on_their_way_to_it_and_no_others() {
        let mut fixture = Fixture::active();
        fixture.open(Channel::Sms, Purpose::Verify, NOW).unwrap();
        fixture.open(Channel::Email, Purpose::Verify, NOW).unwrap();
        set_email(&mut fixture, Some("ann@example.com"));
        assert_eq!(live(&fixture), [Channel::Sms]);
    }

    #[test]
    fn oob_11_a_changed_number_kills_the_codes_on_their_way_to_it_and_the_same_one_none() {
        let mut fixture = Fixture::active();
        set_phone(&mut fixture, "+34600111222");
        fixture.open(Channel::Sms, Purpose::Verify, NOW).unwrap();
        fixture.open(Channel::Email, Purpose::Verify, NOW).unwrap();
        set_phone(&mut fixture, "+34600111222");
        assert_eq!(live(&fixture).len(), 2, "the same number is no change");
        set_phone(&mut fixture, "+34600111223");
        assert_eq!(live(&fixture), [Channel::Email]);
        set_email(&mut fixture, None);
        assert_eq!(live(&fixture).len(), 1, "there was no address to change");
    }

    #[test]
    fn rate_02_a_disabled_destination_is_usable_once_it_is_set_again() {
        let mut fixture = Fixture::active();
        set_phone(&mut fixture, "+34600111222");
        set_email(&mut fixture, Some("ann@example.com"));
        fixture.account.contact.disable(NOW);
        assert!(fixture.account.is_disabled(Channel::Sms));
        assert!(fixture.account.is_disabled(Channel::Email));
        assert!(!fixture.account.is_disabled(Channel::Api));
        set_phone(&mut fixture, "+34600111222");
        assert!(!fixture.account.is_disabled(Channel::Sms));
        assert!(fixture.account.is_disabled(Channel::Email));
        set_email(&mut fixture, Some("ann@example.com"));
        assert!(!fixture.account.is_disabled(Channel::Email));
    }
}
