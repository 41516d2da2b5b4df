//! Configuration from variables and secrets, read and checked once. An unsafe one is refused at
//! start, with the name of the variable (CFG-04).

mod operators;
mod providers;

use http::Uri;

pub use self::operators::{OperatorName, Operators};
pub use self::providers::{
    HookConfig, HookKey, Providers, SendGridConfig, SmtpConfig, SmtpTls, TwilioConfig,
    TwilioSender, WhatsappConfig,
};
use crate::domain::contact::country::CountryList;
use crate::domain::crypto::keys::KeyRing;
use crate::domain::time::UnixTime;

/// Text that must not be shown: it has no `Display`, and its `Debug` says nothing.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("{name} is not valid: {reason}")]
    Invalid { name: &'static str, reason: String },
}

/// The origin of a URL: scheme, host and port, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    host: String,
}

impl Origin {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn parse(text: &str, plain_http_allowed: bool) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| "not a URL".to_owned())?;
        let authority = uri.authority().ok_or("it needs a scheme and a host")?;
        if authority.as_str().contains('@')
            || !matches!(uri.path(), "" | "/")
            || uri.query().is_some()
        {
            return Err("only scheme, host and port belong in it".to_owned());
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if plain_http_allowed => {}
            _ => return Err("it must begin with https://".to_owned()),
        }
        Ok(Self {
            text: text.trim_end_matches('/').to_owned(),
            host: authority.host().to_owned(),
        })
    }
}

pub struct Config {
    /// Plain http to this very machine is let through, and so are http providers.
    pub development: bool,
    pub public_url: Origin,
    pub keys: KeyRing,
    /// Whose tokens open `/admin`; without any there is none.
    pub operators: Option<Operators>,
    /// When the database was last restored from a backup: nothing short-lived from before it holds.
    pub restored_at: Option<UnixTime>,
    /// Seconds audit events are kept.
    pub audit_retention: u64,
    /// Where SMS may go for clients that say nothing else; nowhere while it is not set.
    pub sms_countries: CountryList,
    /// Who carries messages, and in which order they are tried.
    pub providers: Providers,
}

impl Config {
    /// Reads every variable through `lookup`; an empty one counts as not set.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let read = Reader::new(lookup);
        let development = match read.optional("ENVIRONMENT").as_deref() {
            None | Some("production") => false,
            Some("development") => true,
            Some(_) => return Err(invalid("ENVIRONMENT", "it is production or development")),
        };
        let keys = read.required("MASTER_KEYS")?;
        let operators = read.optional("ADMIN_TOKEN");
        let operators = operators.map(|text| Operators::parse(&text)).transpose();
        Ok(Self {
            development,
            public_url: read.origin("PUBLIC_URL", None, development)?,
            keys: KeyRing::parse(&keys).map_err(|error| invalid("MASTER_KEYS", &error))?,
            operators: operators.map_err(|error| invalid("ADMIN_TOKEN", &error))?,
            restored_at: read.parsed("RESTORED_AT", |text| {
                text.parse()
                    .map(UnixTime::from_secs)
                    .map_err(|_| "a time in Unix seconds")
            })?,
            audit_retention: read
                .parsed("AUDIT_RETENTION_DAYS", days)?
                .unwrap_or(AUDIT_RETENTION),
            sms_countries: read
                .parsed("SMS_COUNTRIES", CountryList::parse)?
                .unwrap_or_else(|| CountryList::Only(Vec::new())),
            providers: Providers::read(&read, development)?,
        })
    }
}

const DAY: u64 = 86_400;
/// What is kept of audit events while `AUDIT_RETENTION_DAYS` is not set.
const AUDIT_RETENTION: u64 = 365 * DAY;

fn days(text: &str) -> Result<u64, &'static str> {
    let days = text.parse().ok().filter(|days| (1..=3650).contains(days));
    days.map(|days: u64| days * DAY)
        .ok_or("a number of days from 1 to 3650")
}

pub(crate) fn invalid(name: &'static str, reason: &(impl ToString + ?Sized)) -> ConfigError {
    ConfigError::Invalid {
        name,
        reason: reason.to_string(),
    }
}

pub(crate) struct Reader<L> {
    lookup: L,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    pub(crate) fn new(lookup: L) -> Self {
        Self { lookup }
    }

    pub(crate) fn optional(&self, name: &'static str) -> Option<String> {
        (self.lookup)(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.optional(name).ok_or(ConfigError::Missing(name))
    }

    pub(crate) fn parsed<T, E: ToString>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        self.optional(name)
            .map(|text| {
                parse(&text)
                    .map_err(|error| invalid(name, &format!("expected {}", error.to_string())))
            })
            .transpose()
    }

    fn origin(
        &self,
        name: &'static str,
        default: Option<&str>,
        development: bool,
    ) -> Result<Origin, ConfigError> {
        let text = match (self.optional(name), default) {
            (Some(text), _) => text,
            (None, Some(default)) => default.to_owned(),
            (None, None) => return Err(ConfigError::Missing(name)),
        };
        Origin::parse(&text, development).map_err(|error| invalid(name, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::phone::Phone;

    const KEYS: (&str, &str) = (
        "MASTER_KEYS",
        "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    );
    const URL: (&str, &str) = ("PUBLIC_URL", "https://mfa.example.com");

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let lookup = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Config::from_lookup(lookup).map_err(|error| error.to_string())
    }

    fn error(variables: &[(&str, &str)]) -> String {
        read(variables).err().unwrap()
    }

    #[test]
    fn keys_and_address_are_enough_and_nothing_is_allowed_unasked() {
        let config = read(&[KEYS, URL]).unwrap();
        assert!(!config.development);
        assert!(config.operators.is_none() && config.providers.is_empty());
        assert!(
            !config
                .sms_countries
                .allows(Phone::parse("+34600111222").unwrap().country())
        );
    }

    #[test]
    fn cry_07_a_missing_or_bad_variable_is_named() {
        assert_eq!(error(&[URL]), "MASTER_KEYS is not set");
        assert_eq!(error(&[KEYS]), "PUBLIC_URL is not set");
        assert!(
            error(&[URL, ("MASTER_KEYS", "k1:AAAA")])
                .starts_with("MASTER_KEYS is not valid: key k1")
        );
        assert!(error(&[KEYS, ("PUBLIC_URL", "http://mfa.example.com")]).contains("PUBLIC_URL"));
        assert!(error(&[KEYS, ("PUBLIC_URL", "https://mfa.example.com/x")]).contains("PUBLIC_URL"));
        assert!(error(&[KEYS, URL, ("ADMIN_TOKEN", "short")]).contains("ADMIN_TOKEN"));
        assert!(error(&[KEYS, URL, ("SMS_COUNTRIES", "Spain")]).contains("SMS_COUNTRIES"));
        assert!(error(&[KEYS, URL, ("ENVIRONMENT", "test")]).contains("ENVIRONMENT"));
        assert_eq!(
            error(&[
                KEYS,
                URL,
                ("TWILIO_ACCOUNT_SID", "AC1"),
                ("TWILIO_AUTH_TOKEN", "t")
            ]),
            "TWILIO_FROM is not set"
        );
        assert_eq!(
            error(&[KEYS, URL, ("SENDGRID_API_KEY", "SG.x")]),
            "SENDGRID_FROM is not set"
        );
    }

    #[test]
    fn providers_are_reached_by_https_outside_development() {
        let sendgrid = [
            ("SENDGRID_API_KEY", "SG.x"),
            ("SENDGRID_FROM", "a@b.example"),
            ("SENDGRID_BASE_URL", "http://localhost:8026"),
        ];
        let production = [[KEYS, URL].as_slice(), &sendgrid].concat();
        assert!(error(&production).contains("SENDGRID_BASE_URL"));
        let development = [production.as_slice(), &[("ENVIRONMENT", "development")]].concat();
        assert_eq!(
            read(&development)
                .unwrap()
                .providers
                .sendgrid
                .unwrap()
                .base
                .as_str(),
            "http://localhost:8026"
        );
    }

    #[test]
    fn audit_events_are_kept_a_year_or_as_many_days_as_are_set() {
        let kept = |days: &[(&str, &str)]| {
            let config = read(&[&[KEYS, URL], days].concat());
            config.map(|config| config.audit_retention / 86_400)
        };
        assert_eq!(kept(&[]), Ok(365));
        assert_eq!(kept(&[("AUDIT_RETENTION_DAYS", "30")]), Ok(30));
        for bad in ["0", "3651", "-1", "a year"] {
            assert!(kept(&[("AUDIT_RETENTION_DAYS", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret("hunter2".into())), "Secret(…)");
    }
}
