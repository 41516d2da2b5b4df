//! Where a user's messages can go now, and why not where they cannot.

use crate::app::App;
use crate::config::Config;
use crate::domain::account::Account;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::Owner;
use crate::domain::method::{Channel, Provider};
use crate::error::{Error, NotAllowed};
use crate::storage::clients::ClientState;

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

    pub(super) fn provider(&self) -> Provider {
        match self {
            Self::Phone(_) => Provider::Twilio,
            Self::Email(_) => Provider::SendGrid,
        }
    }
}

/// The destination of a channel: there is a provider, a number or address is on file, and it is allowed.
pub(super) fn destination(
    app: &App,
    client: &ClientState,
    account: &Account,
    owner: Owner<'_>,
    channel: Channel,
) -> Result<Destination, Error> {
    if !is_configured(&app.config, channel) {
        return Err(Error::ChannelNotConfigured(channel));
    }
    let missing = Error::DestinationMissing(channel);
    match channel {
        Channel::Sms => {
            let phone = account.phone(app.keys(), owner)?.ok_or(missing)?;
            allowed(app, client, &phone)?;
            Ok(Destination::Phone(phone))
        }
        Channel::Email => {
            let email = account.email(app.keys(), owner)?;
            email.map(Destination::Email).ok_or(missing)
        }
        Channel::Api => Err(missing),
    }
}

fn is_configured(config: &Config, channel: Channel) -> bool {
    match channel {
        Channel::Sms => config.twilio.is_some(),
        Channel::Email => config.sendgrid.is_some(),
        Channel::Api => true,
    }
}

fn allowed(app: &App, client: &ClientState, phone: &Phone) -> Result<(), Error> {
    let countries = client.settings.sms_countries.as_ref();
    let countries = countries.unwrap_or(&app.config.sms_countries);
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
