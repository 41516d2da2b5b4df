//! What the page sends.

use serde::Deserialize;

use crate::api::evidence::{MadeCredential, UsedCredential, evidence};
use crate::domain::account::TypedContact;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::ChallengeId;
use crate::domain::method::{Channel, Method};
use crate::domain::settings::Locale;
use crate::error::Error;
use crate::flows::Evidence;
use crate::flows::session::Presented;

/// An empty body, or an object with nothing in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    pub secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetLocale {
    pub locale: Locale,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sendable {
    Sms,
    Email,
}

impl From<Sendable> for Channel {
    fn from(sendable: Sendable) -> Self {
        match sendable {
            Sendable::Sms => Self::Sms,
            Sendable::Email => Self::Email,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Send {
    pub method: Sendable,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Typed {
    Totp,
    Sms,
    Email,
    RecoveryCode,
    Passkey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verify {
    method: Typed,
    code: Option<String>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
    #[serde(default)]
    remember: bool,
}

impl Verify {
    pub(super) fn presented(self) -> Result<Presented, Error> {
        let method = match self.method {
            Typed::Totp => Method::Totp,
            Typed::Sms => Method::Sms,
            Typed::Email => Method::Email,
            Typed::RecoveryCode => Method::RecoveryCode,
            Typed::Passkey => Method::Passkey,
        };
        let code = self.code.as_deref().map(typed);
        let evidence = evidence(code, self.challenge_id, self.credential)?;
        let fits = |evidence: &Evidence| {
            matches!(evidence, Evidence::Passkey(_)) == (method == Method::Passkey)
        };
        let evidence = evidence.filter(fits).ok_or_else(|| {
            let message = "Expected code, or with the method passkey challenge_id and credential";
            Error::invalid("method", message)
        })?;
        Ok(Presented {
            method,
            evidence,
            remember: self.remember,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddPasskey {
    pub challenge_id: ChallengeId,
    pub credential: MadeCredential,
    /// Proposed from browser and system.
    pub name: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FactorToBegin {
    Totp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BeginFactor {
    pub r#type: FactorToBegin,
    /// Ends the one under way and makes another secret.
    #[serde(default)]
    pub fresh: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    pub code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rename {
    pub name: String,
}

/// Exactly one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetContact {
    phone: Option<String>,
    email: Option<String>,
}

impl SetContact {
    pub(super) fn typed(&self) -> Result<TypedContact, Error> {
        match (&self.phone, &self.email) {
            (Some(phone), None) => Phone::parse(phone)
                .map(TypedContact::Phone)
                .map_err(|error| Error::invalid("phone", format!("Expected {error}"))),
            (None, Some(email)) => Email::parse(email)
                .map(TypedContact::Email)
                .map_err(|error| Error::invalid("email", format!("Expected {error}"))),
            _ => Err(Error::invalid("phone", "Expected either phone or email")),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recover {
    pub method: RecoveryWay,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RecoveryWay {
    Link,
    Email,
    Sms,
}

impl RecoveryWay {
    /// Of a code; a link has none.
    pub(super) const fn channel(self) -> Option<Channel> {
        match self {
            Self::Link => None,
            Self::Email => Some(Channel::Email),
            Self::Sms => Some(Channel::Sms),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RecoveryProof {
    RecoveryCode,
    Email,
    Sms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecoverVerify {
    method: RecoveryProof,
    code: String,
}

impl RecoverVerify {
    pub(super) fn presented(&self) -> (Method, GuessedCode) {
        let method = match self.method {
            RecoveryProof::RecoveryCode => Method::RecoveryCode,
            RecoveryProof::Email | RecoveryProof::Sms => Method::RecoveryMessage,
        };
        (method, typed(&self.code))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lost {
    pub factor_ids: Vec<String>,
}

/// A code as a person typed it: the digits of a Japanese keyboard are digits here, where people type.
pub(super) fn typed(text: &str) -> GuessedCode {
    let ascii = |character: char| match character {
        '０'..='９' => u32::from(character)
            .checked_sub(u32::from('０'))
            .and_then(|digit| char::from_digit(digit, 10))
            .unwrap_or(character),
        character => character,
    };
    GuessedCode::from(text.chars().map(ascii).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_digits_are_digits_where_people_type() {
        assert_eq!(
            typed("１２３ ４５６"),
            GuessedCode::from("123456".to_owned())
        );
        assert_eq!(typed("12345x"), GuessedCode::NoCode);
    }
}
