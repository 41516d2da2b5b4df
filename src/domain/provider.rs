//! The providers of a channel: who carries a message, and in which order they are tried (decision 98).

use serde::{Deserialize, Serialize};

use super::method::Channel;

/// One way a message can take. Each is paused on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// An SMS by Twilio.
    Twilio,
    /// A WhatsApp message by Twilio.
    Whatsapp,
    /// A call by Twilio, which reads the code out.
    Voice,
    /// A gateway of the operator's, for SMS.
    SmsHook,
    /// An e-mail by SendGrid.
    Sendgrid,
    /// A mail server, by SMTP: of the native program alone.
    Smtp,
    /// The same gateway, for e-mail.
    EmailHook,
}

impl Provider {
    pub const ALL: [Self; 7] = [
        Self::Twilio,
        Self::Whatsapp,
        Self::Voice,
        Self::SmsHook,
        Self::Sendgrid,
        Self::Smtp,
        Self::EmailHook,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Whatsapp => "whatsapp",
            Self::Voice => "voice",
            Self::SmsHook => "sms_hook",
            Self::Sendgrid => "sendgrid",
            Self::Smtp => "smtp",
            Self::EmailHook => "email_hook",
        }
    }

    pub const fn channel(self) -> Channel {
        match self {
            Self::Twilio | Self::Whatsapp | Self::Voice | Self::SmsHook => Channel::Sms,
            Self::Sendgrid | Self::Smtp | Self::EmailHook => Channel::Email,
        }
    }

    /// Whether it carries any text. A template and a call carry a code and nothing else.
    pub const fn carries_text(self) -> bool {
        !matches!(self, Self::Whatsapp | Self::Voice)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Who is tried first, and who next: one to three of one channel, each once. More would leave none of them the time
/// to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Provider>")]
pub struct Chain(Vec<Provider>);

impl Chain {
    pub const MOST: usize = 3;

    pub fn providers(&self) -> &[Provider] {
        &self.0
    }

    /// The order, as a list of names with commas between.
    pub fn parse(text: &str, channel: Channel) -> Result<Self, &'static str> {
        let named = |name: &str| Provider::named(name.trim());
        let providers: Option<Vec<_>> = text.split(',').map(named).collect();
        let chain = providers.and_then(|providers| Self::try_from(providers).ok());
        chain
            .filter(|chain| chain.is_of(channel))
            .ok_or(match channel {
                Channel::Sms => "1 to 3 of twilio, whatsapp, voice, sms_hook, each once",
                _ => "1 to 3 of sendgrid, smtp, email_hook, each once",
            })
    }

    pub fn is_of(&self, channel: Channel) -> bool {
        self.0.iter().all(|one| one.channel() == channel)
    }
}

impl TryFrom<Vec<Provider>> for Chain {
    type Error = &'static str;

    fn try_from(providers: Vec<Provider>) -> Result<Self, &'static str> {
        let first = |(place, provider): (usize, &Provider)| {
            providers.iter().position(|one| one == provider) == Some(place)
        };
        let fits =
            (1..=Self::MOST).contains(&providers.len()) && providers.iter().enumerate().all(first);
        fits.then_some(Self(providers))
            .ok_or("1 to 3 providers, each once")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_provider_reads_and_writes_by_its_name() {
        for provider in Provider::ALL {
            let name = serde_json::to_value(provider).unwrap();
            assert_eq!(name, provider.name());
            assert_eq!(serde_json::from_value::<Provider>(name).unwrap(), provider);
        }
    }

    #[test]
    fn a_chain_is_one_to_three_of_its_channel_each_once() {
        let sms = |text| Chain::parse(text, Channel::Sms);
        let order = sms("sms_hook, twilio,voice").unwrap();
        let expected = [Provider::SmsHook, Provider::Twilio, Provider::Voice];
        assert_eq!(order.providers(), expected);
        for bad in [
            "",
            ",",
            "twilio,",
            "twilio,twilio",
            "sendgrid",
            "twilio,email_hook",
            "Twilio",
            "twilio,whatsapp,voice,sms_hook",
        ] {
            assert_eq!(
                sms(bad).unwrap_err(),
                "1 to 3 of twilio, whatsapp, voice, sms_hook, each once",
                "{bad}"
            );
        }
        assert!(Chain::parse("sendgrid,email_hook", Channel::Email).is_ok());
    }

    #[test]
    fn a_clients_chain_is_held_to_the_same() {
        let read = |json: Value| serde_json::from_value::<Chain>(json);
        assert!(read(json!(["whatsapp", "twilio"])).is_ok());
        for bad in [
            json!([]),
            json!(["twilio", "twilio"]),
            json!(["twilio", "whatsapp", "voice", "sms_hook"]),
            json!(["fax"]),
            json!("twilio"),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        let mixed = read(json!(["twilio", "sendgrid"])).unwrap();
        assert!(!mixed.is_of(Channel::Sms) && !mixed.is_of(Channel::Email));
    }
}
