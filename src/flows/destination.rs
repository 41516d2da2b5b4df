//! Where a user's messages can go now, and why not where they cannot.

use super::asked::Asked;
use crate::config::Config;
use crate::domain::account::{Account, TypedContact};
use crate::domain::client::ClientState;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::method::Channel;
use crate::domain::provider::Provider;
use crate::error::{Error, NotAllowed};

/// A number or address that messages may go to.
pub(super) enum Destination {
    Phone(Phone),
    Email(Email),
}

impl Destination {
    pub(super) fn masked(&self) -> String {
        match self {
            Self::Phone(phone) => phone.masked(),
            Self::Email(email) => email.masked(),
        }
    }
}

/// The destination of a channel: there is a provider, a number or address is on file, and it is allowed.
pub(super) fn destination(
    asked: &Asked,
    client: &ClientState,
    account: &Account,
    channel: Channel,
) -> Result<Destination, Error> {
    let config = &asked.app().config;
    if !is_configured(config, client, channel) {
        return Err(Error::ChannelNotConfigured(channel));
    }
    let missing = Error::DestinationMissing(channel);
    match channel {
        Channel::Sms => {
            let phone = account.phone(asked.vault())?.ok_or(missing)?;
            allowed(config, client, &phone)?;
            Ok(Destination::Phone(phone))
        }
        Channel::Email => {
            let email = account.email(asked.vault())?;
            email.map(Destination::Email).ok_or(missing)
        }
        Channel::Api => Err(missing),
    }
}

/// A destination that was typed, if messages may go there.
pub(super) fn typed_destination(
    asked: &Asked,
    client: &ClientState,
    typed: &TypedContact,
) -> Result<Destination, Error> {
    let config = &asked.app().config;
    let channel = typed.channel();
    if !is_configured(config, client, channel) {
        return Err(Error::ChannelNotConfigured(channel));
    }
    Ok(match typed {
        TypedContact::Phone(phone) => {
            allowed(config, client, phone)?;
            Destination::Phone(phone.clone())
        }
        TypedContact::Email(email) => Destination::Email(email.clone()),
    })
}

/// For a test client nothing is sent, so it needs no provider.
pub(super) fn is_configured(config: &Config, client: &ClientState, channel: Channel) -> bool {
    if client.is_for_tests {
        return true;
    }
    match channel {
        Channel::Sms | Channel::Email => {
            !config.providers.chain(channel, &client.settings).is_empty()
        }
        Channel::Api => true,
    }
}

/// Who carries a client's messages on a channel, in the order in which they are tried. A test client's: nobody.
pub(super) fn providers_of(asked: &Asked, client: &ClientState, channel: Channel) -> Vec<Provider> {
    if client.is_for_tests {
        return Vec::new();
    }
    let providers = &asked.app().config.providers;
    providers.chain(channel, &client.settings)
}

fn allowed(config: &Config, client: &ClientState, phone: &Phone) -> Result<(), Error> {
    let countries = client.settings.sms_countries.as_ref();
    let countries = countries.unwrap_or(&config.sms_countries);
    let country = phone.country();
    if countries.allows(country) {
        return Ok(());
    }
    Err(Error::DestinationNotAllowed(match country {
        None => NotAllowed::Range,
        Some(_) if countries.is_empty() => NotAllowed::NoCountry,
        Some(_) => NotAllowed::Country,
    }))
}
