//! What an operator may set for one client. Everything has a safe default; a stored row holds
//! only what was set.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::address::{ReturnUrl, SupportUrl};
use crate::domain::brand::Brand;
use crate::domain::contact::country::CountryList;
use crate::domain::fields::{self, FieldError, Fields};
use crate::domain::method::{Channel, Method};
use crate::domain::provider::{Chain, Provider};
use crate::domain::relying_party::{PageOrigin, RpId, stray_origin};
use crate::domain::webauthn::UserVerification;

/// A name shown to people, in an app or a message: 1 to 64 characters, all of which can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(String);

impl Label {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let trimmed = !text.trim().is_empty() && text.trim() == text;
        (trimmed && !text.chars().any(is_invisible) && text.chars().count() <= 64)
            .then_some(Self(text))
            .ok_or("1 to 64 visible characters, with no space at either end")
    }
}

/// Control characters, and those of Unicode's category Cf: they turn the direction of what follows, or make
/// two names that look alike differ.
fn is_invisible(character: char) -> bool {
    const FORMAT: [RangeInclusive<char>; 20] = [
        '\u{ad}'..='\u{ad}',
        '\u{600}'..='\u{605}',
        '\u{61c}'..='\u{61c}',
        '\u{6dd}'..='\u{6dd}',
        '\u{70f}'..='\u{70f}',
        '\u{890}'..='\u{891}',
        '\u{8e2}'..='\u{8e2}',
        '\u{180e}'..='\u{180e}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{2064}',
        '\u{2066}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff9}'..='\u{fffb}',
        '\u{110bd}'..='\u{110bd}',
        '\u{110cd}'..='\u{110cd}',
        '\u{13430}'..='\u{1343f}',
        '\u{1bca0}'..='\u{1bca3}',
        '\u{1d173}'..='\u{1d17a}',
        '\u{e0001}'..='\u{e007f}',
    ];
    character.is_control() || FORMAT.iter().any(|range| range.contains(&character))
}

/// The application's domain, for the last line of an SMS (OOB-13): a host name, no port and no path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Domain(String);

impl Domain {
    /// Longer ones leave no room in a single SMS.
    const LONGEST: usize = 50;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Domain {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let label_ok = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        (text.len() <= Self::LONGEST && text.split('.').all(label_ok))
            .then(|| Self(text.to_ascii_lowercase()))
            .ok_or("a host name of at most 50 characters, without scheme, port or path, such as shop.example")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    #[default]
    En,
    Es,
}

/// A number within bounds that are part of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Bounded<const LEAST: u32, const DEFAULT: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const DEFAULT: u32, const MOST: u32> Bounded<LEAST, DEFAULT, MOST> {
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const LEAST: u32, const DEFAULT: u32, const MOST: u32> Default
    for Bounded<LEAST, DEFAULT, MOST>
{
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<const LEAST: u32, const DEFAULT: u32, const MOST: u32> TryFrom<u32>
    for Bounded<LEAST, DEFAULT, MOST>
{
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        (LEAST..=MOST)
            .contains(&number)
            .then_some(Self(number))
            .ok_or_else(|| format!("a number from {LEAST} to {MOST}"))
    }
}

impl<const LEAST: u32, const DEFAULT: u32, const MOST: u32> From<Bounded<LEAST, DEFAULT, MOST>>
    for u32
{
    fn from(number: Bounded<LEAST, DEFAULT, MOST>) -> Self {
        number.0
    }
}

/// Limits may be tightened, never loosened past what SECURITY.md gives as the bound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name in authenticator apps and messages; the client's name while it is not set.
    pub issuer: Option<Label>,
    /// The domain SMS codes are bound to; this service's own while it is not set.
    pub sms_domain: Option<Domain>,
    /// The methods the client may use; all while it is not set.
    pub methods: Option<Vec<Method>>,
    /// The domain passkeys are bound to; this service's host while it is not set.
    pub passkey_rp_id: Option<RpId>,
    /// The origins of the pages that use passkeys; `https://` and that domain while it is not set.
    pub passkey_origins: Option<Vec<PageOrigin>>,
    /// Whether an authenticator is to check who uses it.
    pub passkey_user_verification: UserVerification,
    /// Days a browser is remembered where a login asks for it; 0 for never.
    pub remember_days: Bounded<0, 0, 90>,
    /// The countries SMS may go to; what `SMS_COUNTRIES` says while it is not set.
    pub sms_countries: Option<CountryList>,
    /// Who is tried for codes to a phone, in this order; what `SMS_PROVIDERS` says while it is not set.
    pub sms_providers: Option<Chain>,
    /// Who is tried for e-mails, in this order; what `EMAIL_PROVIDERS` says while it is not set.
    pub email_providers: Option<Chain>,
    /// The language of messages, where a request names none.
    pub locale: Locale,
    /// Seconds between two messages to one user on one channel; doubles with each further one.
    pub cooldown_seconds: Bounded<60, 60, 3600>,
    /// Messages to one destination in 10 minutes, whichever users it belongs to.
    pub sends_per_ten_minutes: Bounded<1, 5, 5>,
    /// Messages to one destination in 24 hours.
    pub sends_per_day: Bounded<1, 10, 10>,
    /// SMS per hour to numbers that differ in their last four digits only (SMS-04).
    pub sms_per_prefix_and_hour: Bounded<1, 20, 1000>,
    /// SMS per day (UTC) of the whole client.
    pub daily_sms_budget: Bounded<0, 1000, 1_000_000>,
    /// E-mails per day (UTC) of the whole client.
    pub daily_email_budget: Bounded<0, 5000, 1_000_000>,
    /// Users the client may have.
    pub max_accounts: Bounded<1, 1_000_000, 1_000_000_000>,
    /// Registrations and imports a minute.
    pub registrations_per_minute: Bounded<1, 1200, 1_000_000>,
    /// Codes a minute that the application hands over itself.
    pub generated_codes_per_minute: Bounded<1, 1200, 1_000_000>,
    /// Whether disable, renew, recovery-codes, contact and delete need a fresh code (decision 7).
    pub require_step_up: bool,
    /// Whether users are told by e-mail that a way to sign in was added, replaced or removed, or MFA turned off.
    pub notify_users: bool,
    /// Where the hosted page may send a browser back to; nowhere while it is not set.
    pub return_urls: Option<ReturnUrls>,
    /// How the hosted page and the e-mails look.
    #[serde(deserialize_with = "fields::object")]
    pub brand: Brand,
    /// Where the page and the e-mails say that help is.
    pub support_url: Option<SupportUrl>,
    /// Where a recovery that began with a link ends; where the page says so itself while it is not set.
    pub recovery_return_url: Option<ReturnUrl>,
    /// Hours a recovery link waits before it works, while whoever it is about can stop it.
    pub recovery_delay_hours: Bounded<0, 0, 72>,
}

/// At most 20 addresses, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<ReturnUrl>")]
pub struct ReturnUrls(Vec<ReturnUrl>);

impl ReturnUrls {
    pub const MOST: usize = 20;

    pub fn first(&self) -> Option<&ReturnUrl> {
        self.0.first()
    }

    /// The one that is `text`, byte for byte (ATK-98).
    pub fn find(&self, text: &str) -> Option<&ReturnUrl> {
        self.0.iter().find(|url| url.as_str() == text)
    }
}

impl TryFrom<Vec<ReturnUrl>> for ReturnUrls {
    type Error = &'static str;

    fn try_from(urls: Vec<ReturnUrl>) -> Result<Self, &'static str> {
        let first = |(place, url): (usize, &ReturnUrl)| {
            urls.iter().position(|one| one == url) == Some(place)
        };
        (urls.len() <= Self::MOST && urls.iter().enumerate().all(first))
            .then_some(Self(urls))
            .ok_or("at most 20 addresses, each once")
    }
}

impl Settings {
    /// Whether there is anywhere a browser may be sent back to.
    pub fn has_return_url(&self) -> bool {
        let urls = self.return_urls.as_ref();
        self.recovery_return_url.is_some() || urls.is_some_and(|urls| urls.first().is_some())
    }

    /// The client's own order of a channel, if it has one.
    pub fn chain(&self, channel: Channel) -> Option<&Chain> {
        match channel {
            Channel::Sms => self.sms_providers.as_ref(),
            Channel::Email => self.email_providers.as_ref(),
            Channel::Api => None,
        }
    }

    pub fn allows(&self, method: Method) -> bool {
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.contains(&method))
    }
}

/// What was set for a client, and only that; valid as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientSettings {
    set: Fields,
    effective: Settings,
}

/// Settings to change: a value sets one, `null` returns it to its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SettingsPatch(Fields);

impl ClientSettings {
    /// Those of a stored row. A name from before invisible characters were refused loses them: nobody
    /// could see them, and the client must not fail for it.
    pub fn from_stored(mut set: Fields) -> Result<Self, FieldError> {
        if let Some(Value::String(issuer)) = set.get_mut("issuer") {
            issuer.retain(|character| !is_invisible(character));
        }
        Self::of(set)
    }

    fn of(set: Fields) -> Result<Self, FieldError> {
        let effective = fields::read(set.clone())?;
        Ok(Self { set, effective })
    }

    /// These after a patch (RFC 7396), if they are valid together.
    pub fn merged(&self, patch: &SettingsPatch) -> Result<Self, FieldError> {
        let mut set = self.set.clone();
        for (name, value) in &patch.0 {
            if value.is_null() {
                set.remove(name);
            } else {
                set.insert(name.clone(), value.clone());
            }
        }
        let merged = Self::of(set)?;
        // What is in a picture is looked at when it is set, and not again with each request.
        if let Some(logo) = &merged.effective.brand.logo_url {
            logo.check().map_err(|expected| FieldError {
                field: Some("brand".to_owned()),
                text: expected.to_owned(),
            })?;
        }
        Ok(merged)
    }

    /// Refuses origins at which no browser would give out a passkey of this client. `own` is this service's host, so
    /// that a stored row never fails by it.
    pub fn check_origins(&self, own: &str) -> Result<(), FieldError> {
        let Some(stray) = stray_origin(&self.effective, own) else {
            return Ok(());
        };
        let id = self.effective.passkey_rp_id.as_ref();
        let id = id.map_or(own, RpId::as_str);
        Err(FieldError {
            field: Some("passkey_origins".to_owned()),
            text: format!(
                "origins of {id}, which is passkey_rp_id, or of hosts under it. {stray} is none"
            ),
        })
    }

    /// Refuses a provider that these name, that `before` did not, and that is not set up or of another channel.
    pub fn check_providers(
        &self,
        before: &Self,
        is_set_up: impl Fn(Provider) -> bool,
    ) -> Result<(), FieldError> {
        for channel in [Channel::Sms, Channel::Email] {
            let chain = self.effective.chain(channel);
            if chain == before.effective.chain(channel) {
                continue;
            }
            let fits = |one: &&Provider| one.channel() == channel && is_set_up(**one);
            let mut named = chain.iter().flat_map(|chain| chain.providers());
            if let Some(stray) = named.find(|one| !fits(one)) {
                let (channel, name) = (channel.name(), stray.name());
                return Err(FieldError {
                    field: Some(format!("{channel}_providers")),
                    text: format!(
                        "providers of this channel that this service has set up. {name} is none"
                    ),
                });
            }
        }
        Ok(())
    }

    /// What was set.
    pub fn fields(&self) -> &Fields {
        &self.set
    }

    /// Every setting as it applies, with defaults for those not set.
    pub fn effective(&self) -> &Settings {
        &self.effective
    }

    pub fn into_effective(self) -> Settings {
        self.effective
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_row_is_the_safe_default() {
        let settings: Settings = serde_json::from_value(json!({})).unwrap();
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.cooldown_seconds.get(), 60);
        assert_eq!(settings.sends_per_ten_minutes.get(), 5);
        assert!(
            Method::ALL
                .into_iter()
                .all(|method| settings.allows(method))
        );
    }

    #[test]
    fn limits_cannot_be_loosened_and_typos_are_refused() {
        for bad in [
            json!({"cooldown_seconds": 59}),
            json!({"cooldown_seconds": -1}),
            json!({"sends_per_ten_minutes": 6}),
            json!({"sends_per_day": 0}),
            json!({"sms_countrys": ["ES"]}),
            json!({"sms_countries": ["Spain"]}),
            json!({"methods": ["fax"]}),
            json!({"issuer": ""}),
            json!({"issuer": "Shop\n@evil.example #1"}),
            json!({"issuer": "Sh\u{202e}op"}),
            json!({"issuer": "Sh\u{200b}op"}),
            json!({"max_accounts": 0}),
            json!({"sms_domain": "https://shop.example"}),
            json!({"sms_domain": "shop.example:443"}),
            json!({"require_step_up": "yes"}),
            json!({"return_urls": ["http://shop.example/"]}),
            json!({"return_urls": ["https://shop.example/", "https://shop.example/"]}),
            json!({"return_urls": "https://shop.example/"}),
            json!({"brand": {"name": ""}}),
            json!({"brand": {"colour": "red"}}),
            json!({"brand": {"css": "a{}"}}),
            json!({"brand": []}),
            json!({"brand": ["Shop"]}),
            json!({"brand": {"logo_url": "https://shop.example/logo.png"}}),
            json!({"support_url": "javascript:alert(1)"}),
            json!({"recovery_return_url": "/done"}),
            json!({"recovery_delay_hours": 73}),
            json!({"sms_providers": []}),
            json!({"email_providers": ["sendgrid", "sendgrid"]}),
        ] {
            assert!(
                serde_json::from_value::<Settings>(bad.clone()).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_invisible_characters_are_those_unicode_calls_format_or_control() {
        let invisible = regex::Regex::new(r"^[\p{Cf}\p{Cc}\u{2028}\u{2029}]$").unwrap();
        // Refused though they are assigned to nothing yet: the rest of the block of tags, of hieroglyphs' joiners.
        let reserved = |c: char| matches!(c, '\u{e0002}'..='\u{e001f}' | '\u{180e}');
        for character in ('\0'..=char::MAX).filter(|c| !reserved(*c)) {
            assert_eq!(
                is_invisible(character),
                invisible.is_match(&character.to_string()),
                "U+{:04X}",
                u32::from(character)
            );
        }
    }

    fn patch(json: Value) -> SettingsPatch {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_stored_issuer_with_invisible_characters_reads_as_it_looks_and_can_be_changed_further() {
        let mut fields = Fields::new();
        fields.insert("issuer".to_owned(), "Sh\u{202e}op".into());
        let settings = ClientSettings::from_stored(fields).unwrap();
        let issuer = settings.effective().issuer.as_ref();
        assert_eq!(issuer.unwrap().as_str(), "Shop");
        let further = settings.merged(&patch(json!({"locale": "es"}))).unwrap();
        assert_eq!(further.effective().locale, Locale::Es);
    }

    #[test]
    fn a_patch_sets_what_it_names_and_null_returns_to_the_default() {
        let none = ClientSettings::default();
        let first = none.merged(&patch(json!({"sends_per_day": 3, "locale": "es"})));
        let first = first.unwrap();
        let second = first
            .merged(&patch(json!({"sends_per_day": null})))
            .unwrap();
        assert_eq!(
            Value::Object(second.fields().clone()),
            json!({"locale": "es"})
        );
        assert_eq!(second.effective().sends_per_day.get(), 10);
        assert_eq!(second.effective().locale, Locale::Es);
    }

    #[test]
    fn a_picture_that_is_set_is_looked_into_and_the_field_is_named() {
        let none = ClientSettings::default();
        let of = |logo: &str| patch(json!({"brand": {"name": "Shop", "logo_url": logo}}));
        let script = "data:image/svg+xml;base64,PHN2Zz48c2NyaXB0Lz48L3N2Zz4=";
        let error = none.merged(&of(script)).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("brand"));
        assert!(
            none.merged(&of("data:image/svg+xml;base64,PHN2Zz48L3N2Zz4="))
                .is_ok()
        );
    }

    #[test]
    fn atk_98_a_return_url_is_found_byte_for_byte() {
        let settings =
            json!({"return_urls": ["https://shop.example/done", "https://shop.example/mfa"]});
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let urls = settings.return_urls.unwrap();
        assert!(urls.find("https://shop.example/done").is_some());
        for other in [
            "https://shop.example/done/",
            "https://shop.example/done?",
            "https://shop.example/DONE",
            "https://shop.example/d%6fne",
            "https://shop.example:443/done",
            "https://shop.example",
            "https://shop.example/done#",
            "https://shop.example/done\0",
            "",
        ] {
            assert!(urls.find(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_patch_that_is_not_valid_names_its_field() {
        let none = ClientSettings::default();
        let error = none.merged(&patch(json!({"sends_per_day": 11})));
        assert_eq!(error.unwrap_err().field.as_deref(), Some("sends_per_day"));
    }
}
