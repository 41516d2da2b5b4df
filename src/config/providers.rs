//! Who carries messages: their accounts, and in which order they are tried.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;

use super::{ConfigError, Origin, Reader, Secret, invalid};
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::method::Channel;
use crate::domain::provider::{Chain, Provider};
use crate::domain::settings::{Label, Settings};

/// Every provider that is set up, and the order in which they are tried for clients that name none.
pub struct Providers {
    pub twilio: Option<TwilioConfig>,
    pub sendgrid: Option<SendGridConfig>,
    pub smtp: Option<SmtpConfig>,
    pub hook: Option<HookConfig>,
    sms: Vec<Provider>,
    email: Vec<Provider>,
}

/// Twilio's account, and as whom it sends what. Each of the three ways is there if its sender is.
pub struct TwilioConfig {
    pub account_sid: String,
    pub auth_token: Secret,
    pub sms: Option<TwilioSender>,
    pub whatsapp: Option<WhatsappConfig>,
    /// The number that calls.
    pub voice: Option<Phone>,
    pub base: Origin,
}

pub enum TwilioSender {
    From(Phone),
    MessagingService(String),
}

/// A business's first message on WhatsApp has to be a template that was approved, in one language each.
pub struct WhatsappConfig {
    pub from: Phone,
    pub template: String,
    pub spanish_template: Option<String>,
}

/// Who sends e-mail, and as whom.
pub struct SendGridConfig {
    pub api_key: Secret,
    pub from: Email,
    pub from_name: Option<Label>,
    pub base: Origin,
}

/// A mail server that takes messages by SMTP, and as whom it gets them.
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    /// A name and its password, where the server asks for them.
    pub login: Option<(String, Secret)>,
    pub from: Email,
    pub from_name: Option<Label>,
}

/// There is no third: a code does not go in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Port 465 (RFC 8314).
    FromTheStart,
    /// Port 587 (RFC 3207).
    StartTls,
}

/// A gateway of the operator's, which gets messages as signed JSON.
pub struct HookConfig {
    pub url: Uri,
    /// Each signs: the new one, and while the gateway changes over, the old one.
    pub keys: Vec<HookKey>,
}

/// The key of a hook's signatures: 24 to 64 bytes, as Standard Webhooks has them.
pub struct HookKey(Vec<u8>);

impl HookKey {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }
}

impl Providers {
    pub(super) fn read<L: Fn(&str) -> Option<String>>(
        read: &Reader<L>,
        development: bool,
    ) -> Result<Self, ConfigError> {
        let mut providers = Self {
            twilio: twilio(read, development)?,
            sendgrid: sendgrid(read, development)?,
            smtp: smtp(read)?,
            hook: hook(read, development)?,
            sms: Vec::new(),
            email: Vec::new(),
        };
        providers.sms = providers.order(read, "SMS_PROVIDERS", Channel::Sms)?;
        providers.email = providers.order(read, "EMAIL_PROVIDERS", Channel::Email)?;
        Ok(providers)
    }

    pub fn is_empty(&self) -> bool {
        Provider::ALL.into_iter().all(|one| !self.has(one))
    }

    /// Whether it is set up.
    pub fn has(&self, provider: Provider) -> bool {
        let twilio = self.twilio.as_ref();
        match provider {
            Provider::Twilio => twilio.is_some_and(|twilio| twilio.sms.is_some()),
            Provider::Whatsapp => twilio.is_some_and(|twilio| twilio.whatsapp.is_some()),
            Provider::Voice => twilio.is_some_and(|twilio| twilio.voice.is_some()),
            Provider::Sendgrid => self.sendgrid.is_some(),
            Provider::Smtp => self.smtp.is_some(),
            Provider::SmsHook | Provider::EmailHook => self.hook.is_some(),
        }
    }

    /// Who is tried for a client, in this order. One that it names and that is not set up any more is left out.
    pub fn chain(&self, channel: Channel, settings: &Settings) -> Vec<Provider> {
        let of_all = match channel {
            Channel::Sms => &self.sms,
            Channel::Email => &self.email,
            Channel::Api => return Vec::new(),
        };
        let chain = settings.chain(channel).map_or(&**of_all, Chain::providers);
        let chain = chain.iter().copied();
        chain.filter(|provider| self.has(*provider)).collect()
    }

    /// What the variable says, if all of it is set up; or the one provider there is.
    fn order<L: Fn(&str) -> Option<String>>(
        &self,
        read: &Reader<L>,
        name: &'static str,
        channel: Channel,
    ) -> Result<Vec<Provider>, ConfigError> {
        let chain = read.parsed(name, |text| Chain::parse(text, channel))?;
        if let Some(chain) = chain {
            let missing = chain.providers().iter().find(|one| !self.has(**one));
            return match missing {
                Some(missing) => Err(invalid(name, &not_set_up(*missing))),
                None => Ok(chain.providers().to_vec()),
            };
        }
        let ready = Provider::ALL.into_iter();
        let ready: Vec<Provider> = ready
            .filter(|one| one.channel() == channel && self.has(*one))
            .collect();
        if ready.len() > 1 {
            let names: Vec<&str> = ready.iter().map(|one| one.name()).collect();
            let names = names.join(",");
            let reason = format!(
                "several providers are set up, so it has to say in which order they are tried, such as {names}"
            );
            return Err(invalid(name, &reason));
        }
        Ok(ready)
    }
}

fn not_set_up(provider: Provider) -> String {
    let needs = match provider {
        Provider::Twilio => "TWILIO_ACCOUNT_SID, and TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID",
        Provider::Whatsapp => "TWILIO_ACCOUNT_SID and TWILIO_WHATSAPP_FROM",
        Provider::Voice => "TWILIO_ACCOUNT_SID and TWILIO_VOICE_FROM",
        Provider::Sendgrid => "SENDGRID_API_KEY",
        Provider::Smtp => "SMTP_URL",
        Provider::SmsHook | Provider::EmailHook => "HOOK_URL",
    };
    let name = provider.name();
    format!("it names {name}, which is not set up: that needs {needs}")
}

/// Twilio is set up once its account is named; then the rest must be there too.
fn twilio<L: Fn(&str) -> Option<String>>(
    read: &Reader<L>,
    development: bool,
) -> Result<Option<TwilioConfig>, ConfigError> {
    let Some(account_sid) = read.optional("TWILIO_ACCOUNT_SID") else {
        return Ok(None);
    };
    if !account_sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let reason = "it is letters and digits only";
        return Err(invalid("TWILIO_ACCOUNT_SID", reason));
    }
    let service = read
        .optional("TWILIO_MESSAGING_SERVICE_SID")
        .map(TwilioSender::MessagingService);
    let from = read
        .parsed("TWILIO_FROM", Phone::parse)?
        .map(TwilioSender::From);
    let twilio = TwilioConfig {
        account_sid,
        auth_token: Secret(read.required("TWILIO_AUTH_TOKEN")?),
        sms: service.or(from),
        whatsapp: whatsapp(read)?,
        voice: read.parsed("TWILIO_VOICE_FROM", Phone::parse)?,
        base: read.origin(
            "TWILIO_BASE_URL",
            Some("https://api.twilio.com"),
            development,
        )?,
    };
    if twilio.sms.is_none() && twilio.whatsapp.is_none() && twilio.voice.is_none() {
        return Err(ConfigError::Missing("TWILIO_FROM"));
    }
    Ok(Some(twilio))
}

fn whatsapp<L: Fn(&str) -> Option<String>>(
    read: &Reader<L>,
) -> Result<Option<WhatsappConfig>, ConfigError> {
    let Some(from) = read.parsed("TWILIO_WHATSAPP_FROM", Phone::parse)? else {
        return Ok(None);
    };
    let template = read.required("TWILIO_WHATSAPP_CONTENT_SID")?;
    Ok(Some(WhatsappConfig {
        from,
        template,
        spanish_template: read.optional("TWILIO_WHATSAPP_CONTENT_SID_ES"),
    }))
}

fn sendgrid<L: Fn(&str) -> Option<String>>(
    read: &Reader<L>,
    development: bool,
) -> Result<Option<SendGridConfig>, ConfigError> {
    let Some(api_key) = read.optional("SENDGRID_API_KEY") else {
        return Ok(None);
    };
    Ok(Some(SendGridConfig {
        api_key: Secret(api_key),
        from: read
            .parsed("SENDGRID_FROM", Email::parse)?
            .ok_or(ConfigError::Missing("SENDGRID_FROM"))?,
        from_name: read.parsed("SENDGRID_FROM_NAME", |text| {
            Label::try_from(text.to_owned())
        })?,
        base: read.origin(
            "SENDGRID_BASE_URL",
            Some("https://api.sendgrid.com"),
            development,
        )?,
    }))
}

/// A Worker speaks none: nothing of it is in its wasm.
#[cfg(target_arch = "wasm32")]
fn smtp<L: Fn(&str) -> Option<String>>(
    read: &Reader<L>,
) -> Result<Option<SmtpConfig>, ConfigError> {
    match read.optional("SMTP_URL") {
        Some(_) => Err(invalid("SMTP_URL", "a Worker speaks no SMTP")),
        None => Ok(None),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn smtp<L: Fn(&str) -> Option<String>>(
    read: &Reader<L>,
) -> Result<Option<SmtpConfig>, ConfigError> {
    let Some((tls, host, port)) = read.parsed("SMTP_URL", mail_server)? else {
        return Ok(None);
    };
    let login = match read.optional("SMTP_USERNAME") {
        Some(username) => Some((username, Secret(read.required("SMTP_PASSWORD")?))),
        None => None,
    };
    Ok(Some(SmtpConfig {
        host,
        port,
        tls,
        login,
        from: read
            .parsed("SMTP_FROM", Email::parse)?
            .ok_or(ConfigError::Missing("SMTP_FROM"))?,
        from_name: read.parsed("SMTP_FROM_NAME", |text| Label::try_from(text.to_owned()))?,
    }))
}

#[cfg(not(target_arch = "wasm32"))]
fn mail_server(text: &str) -> Result<(SmtpTls, String, u16), &'static str> {
    let expected = "smtps://mail.example.com (TLS from the start) or smtp://mail.example.com (STARTTLS), with a port if \
                    it is not 465 or 587, and nothing else in it";
    let uri: Uri = text.parse().map_err(|_| expected)?;
    let (tls, port) = match uri.scheme_str() {
        Some("smtps") => (SmtpTls::FromTheStart, 465),
        Some("smtp") => (SmtpTls::StartTls, 587),
        _ => return Err(expected),
    };
    let authority = uri.authority().ok_or(expected)?;
    let plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
    if !plain || authority.as_str().contains('@') || text.contains('#') {
        return Err(expected);
    }
    let port = authority.port_u16().unwrap_or(port);
    Ok((tls, authority.host().to_owned(), port))
}

fn hook<L: Fn(&str) -> Option<String>>(
    read: &Reader<L>,
    development: bool,
) -> Result<Option<HookConfig>, ConfigError> {
    let Some(url) = read.parsed("HOOK_URL", |text| address(text, development))? else {
        return Ok(None);
    };
    let keys = read.required("HOOK_SECRET")?;
    let keys: Option<Vec<HookKey>> = keys.split(',').map(HookKey::parse).collect();
    let keys = keys.ok_or_else(|| {
        let reason = "expected whsec_ and 24 to 64 random bytes in base64; while it changes, the new one, a comma \
                      and the old one";
        invalid("HOOK_SECRET", reason)
    })?;
    Ok(Some(HookConfig { url, keys }))
}

/// Where a gateway is. What goes there are codes, so it goes there by TLS.
fn address(text: &str, plain_http_allowed: bool) -> Result<Uri, &'static str> {
    let expected =
        "an address that begins with https://, without a name, a password or a fragment in it";
    let uri: Uri = text.parse().map_err(|_| expected)?;
    let by = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => plain_http_allowed,
        _ => false,
    };
    let authority = uri.authority().map_or("@", |authority| authority.as_str());
    if by && !authority.contains('@') && !text.contains('#') {
        Ok(uri)
    } else {
        Err(expected)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    const TWILIO: [(&str, &str); 3] = [
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_AUTH_TOKEN", "t"),
        ("TWILIO_FROM", "+15005550006"),
    ];
    const HOOK: [(&str, &str); 2] = [
        ("HOOK_URL", "https://gateway.example/messages?of=candado"),
        ("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ];

    fn read(variables: &[&[(&str, &str)]]) -> Result<Providers, String> {
        let all: Vec<(&str, &str)> = variables.concat();
        let lookup = |name: &str| {
            let found = match name {
                "MASTER_KEYS" => Some("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
                "PUBLIC_URL" => Some("https://mfa.example.com"),
                _ => all.iter().find(|(key, _)| *key == name).map(|(_, it)| *it),
            };
            found.map(str::to_owned)
        };
        let config = Config::from_lookup(lookup).map_err(|error| error.to_string());
        config.map(|config| config.providers)
    }

    fn error(variables: &[&[(&str, &str)]]) -> String {
        read(variables).err().unwrap()
    }

    fn sms(providers: &Providers, settings: serde_json::Value) -> Vec<&'static str> {
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let chain = providers.chain(Channel::Sms, &settings).into_iter();
        chain.map(Provider::name).collect()
    }

    #[test]
    fn the_one_provider_of_a_channel_needs_no_order() {
        let providers = read(&[&TWILIO]).unwrap();
        assert_eq!(sms(&providers, json!({})), ["twilio"]);
        assert!(
            providers
                .chain(Channel::Email, &Settings::default())
                .is_empty()
        );
        let hook = read(&[&HOOK]).unwrap();
        assert_eq!(sms(&hook, json!({})), ["sms_hook"]);
    }

    #[test]
    fn of_several_providers_the_order_has_to_be_said_and_each_has_to_be_set_up() {
        let several = error(&[&TWILIO, &HOOK]);
        assert!(
            several.starts_with("SMS_PROVIDERS is not valid"),
            "{several}"
        );
        assert!(several.ends_with("such as twilio,sms_hook"), "{several}");
        let order = [("SMS_PROVIDERS", "sms_hook,twilio")];
        let providers = read(&[&TWILIO, &HOOK, &order]).unwrap();
        assert_eq!(sms(&providers, json!({})), ["sms_hook", "twilio"]);
        let missing = error(&[&TWILIO, &order]);
        assert!(missing.contains("sms_hook, which is not set up: that needs HOOK_URL"));
        let whatsapp = error(&[&TWILIO, &[("SMS_PROVIDERS", "whatsapp")]]);
        assert!(whatsapp.contains("TWILIO_WHATSAPP_FROM"), "{whatsapp}");
        let unknown = error(&[&TWILIO, &[("SMS_PROVIDERS", "sendgrid")]]);
        assert!(unknown.contains("expected 1 to 3 of twilio,"), "{unknown}");
    }

    #[test]
    fn a_clients_order_goes_before_and_leaves_out_what_is_not_set_up_any_more() {
        let order = [("SMS_PROVIDERS", "twilio")];
        let providers = read(&[&TWILIO, &HOOK, &order]).unwrap();
        let own = json!({"sms_providers": ["sms_hook", "whatsapp", "twilio"]});
        assert_eq!(sms(&providers, own), ["sms_hook", "twilio"]);
        assert!(sms(&providers, json!({"sms_providers": ["voice"]})).is_empty());
    }

    #[test]
    fn each_way_by_twilio_is_there_if_its_sender_is() {
        let account = &TWILIO[..2];
        assert_eq!(error(&[account]), "TWILIO_FROM is not set");
        let voice = read(&[account, &[("TWILIO_VOICE_FROM", "+15005550006")]]).unwrap();
        assert_eq!(sms(&voice, json!({})), ["voice"]);
        let whatsapp = [("TWILIO_WHATSAPP_FROM", "+15005550006")];
        assert_eq!(
            error(&[account, &whatsapp]),
            "TWILIO_WHATSAPP_CONTENT_SID is not set"
        );
    }

    #[test]
    fn a_mail_server_is_spoken_to_by_tls_and_in_no_other_way() {
        let from = [("SMTP_FROM", "mfa@example.com")];
        let server = |url: &'static str| {
            let smtp = read(&[&[("SMTP_URL", url)], &from]).unwrap().smtp.unwrap();
            (smtp.tls, smtp.host, smtp.port)
        };
        let host = "mail.example.com".to_owned();
        let of = |url| server(url) == (SmtpTls::FromTheStart, host.clone(), 465);
        assert!(of("smtps://mail.example.com") && of("smtps://mail.example.com/"));
        let of = |url, port| server(url) == (SmtpTls::StartTls, host.clone(), port);
        assert!(of("smtp://mail.example.com", 587) && of("smtp://mail.example.com:2525", 2525));
        for bad in [
            "mail.example.com",
            "mail.example.com:587",
            "https://mail.example.com",
            "smtp://ann:secret@mail.example.com",
            "smtp://mail.example.com/?tls=none",
            "smtp://mail.example.com/#x",
            "smtp:mail.example.com",
        ] {
            let error = error(&[&[("SMTP_URL", bad)], &from]);
            assert!(error.starts_with("SMTP_URL is not valid"), "{bad}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let url = [("SMTP_URL", "smtps://mail.example.com")];
        assert_eq!(error(&[&url]), "SMTP_FROM is not set");
        let name = [("SMTP_USERNAME", "candado")];
        assert_eq!(error(&[&url, &from, &name]), "SMTP_PASSWORD is not set");
    }

    #[test]
    fn a_hook_is_reached_by_https_and_signed_with_a_key_of_at_least_24_bytes() {
        for bad in [
            "http://gateway.example/",
            "https://ann:secret@gateway.example/",
            "https://gateway.example/#x",
            "gateway.example",
            "/messages",
        ] {
            let error = error(&[&[("HOOK_URL", bad)], &HOOK[1..]]);
            assert!(error.starts_with("HOOK_URL is not valid"), "{bad}: {error}");
        }
        let local = [
            ("HOOK_URL", "http://localhost:8026/hook"),
            ("ENVIRONMENT", "development"),
        ];
        assert!(read(&[&local, &HOOK[1..]]).is_ok());
        assert_eq!(error(&[&HOOK[..1]]), "HOOK_SECRET is not set");
        for bad in [
            "secret",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,",
        ] {
            let error = error(&[&HOOK[..1], &[("HOOK_SECRET", bad)]]);
            assert!(
                error.starts_with("HOOK_SECRET is not valid"),
                "{bad}: {error}"
            );
            assert!(!error.contains("MfKQ"), "a secret is not shown");
        }
        let both = [(
            "HOOK_SECRET",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx",
        )];
        let hook = read(&[&HOOK[..1], &both]).unwrap().hook.unwrap();
        assert_eq!(hook.keys.len(), 2);
    }
}
