//! The e-mails, made of the templates in web/emails/, whose README has the rules. web/dev/emails/render.ts is the
//! reference: a test compares what the two make.

mod colours;
pub(in crate::domain) mod moment;
mod pieces;
mod values;

use serde_json::Value;

use self::values::Values;
use super::message::EmailText;
use crate::domain::settings::Locale;
use crate::domain::time::UnixTime;

const EN: &str = include_str!("../../../../web/emails/en.json");
const ES: &str = include_str!("../../../../web/emails/es.json");

/// How an application's e-mails look.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub app: &'a str,
    /// `#rrggbb`.
    pub colour: Option<&'a str>,
    /// `https:` or `mailto:`.
    pub support: Option<&'a str>,
}

/// Which e-mail. A notice, from `WayAdded` on, holds no link but the application's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mail {
    Code,
    RecoveryCode,
    RecoveryLink,
    RecoveryLinkDelayed,
    RecoveryStarted,
    WayAdded,
    WayRemoved,
    Recovered,
    CodesReplaced,
    MfaOff,
}

impl Mail {
    pub const ALL: [Self; 10] = [
        Self::Code,
        Self::RecoveryCode,
        Self::RecoveryLink,
        Self::RecoveryLinkDelayed,
        Self::RecoveryStarted,
        Self::WayAdded,
        Self::WayRemoved,
        Self::Recovered,
        Self::CodesReplaced,
        Self::MfaOff,
    ];

    /// Its name in the templates.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::RecoveryCode => "recovery_code",
            Self::RecoveryLink => "recovery_link",
            Self::RecoveryLinkDelayed => "recovery_link_delayed",
            Self::RecoveryStarted => "recovery_started",
            Self::WayAdded => "way_added",
            Self::WayRemoved => "way_removed",
            Self::Recovered => "recovered",
            Self::CodesReplaced => "codes_replaced",
            Self::MfaOff => "mfa_off",
        }
    }
}

/// What a mail is about, before it is put into words.
#[derive(Debug, Clone, Default)]
pub struct About<'a> {
    pub at: UnixTime,
    pub browser: Option<&'a str>,
    pub opens_at: Option<UnixTime>,
    pub minutes: Option<u64>,
    pub code: Option<&'a str>,
    pub url: Option<&'a str>,
    pub stop_url: Option<&'a str>,
    /// Masked.
    pub destination: Option<&'a str>,
    /// The type of a way: with its name it is how the way is called.
    pub way: Option<&'a str>,
    pub name: Option<&'a str>,
    /// Names of the ways that are left.
    pub ways: &'a [String],
}

/// Puts a mail into words. Words that are missing, which a test rules out, are left out.
pub fn render(mail: Mail, locale: Locale, look: Look<'_>, about: &About<'_>) -> EmailText {
    let text = match locale {
        Locale::En => EN,
        Locale::Es => ES,
    };
    let words: Value = serde_json::from_slice(text.as_bytes()).unwrap_or_default();
    let sentences = words.pointer(&format!("/mails/{}", mail.name()));
    let sentences = sentences.unwrap_or(&Value::Null);
    let values = Values::of(&words, look, about);
    let letter = pieces::Letter {
        words: &words,
        sentences,
        values: &values,
        look,
    };
    EmailText {
        subject: letter.subject(),
        text: letter.text(),
        html: letter.html(),
    }
}

/// The text message that tells a phone of a recovery which has to wait. It holds no code, so it is bound to no host.
pub fn warning_sms(app: &str, opens_at: UnixTime, stop_url: &str, locale: Locale) -> String {
    let app = super::message::gsm7_name(app);
    let at = moment::Moment::of(opens_at).in_digits();
    match locale {
        Locale::En => {
            format!("{app}: recovery asked for, possible from {at} UTC. Not you? {stop_url}")
        }
        // Without the accents that would leave GSM-7.
        Locale::Es => format!(
            "{app}: se ha pedido recuperar el acceso; posible desde {at} UTC. Si no lo has pedido: {stop_url}"
        ),
    }
}

#[cfg(test)]
mod tests;
