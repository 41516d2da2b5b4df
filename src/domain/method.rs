//! The ways to prove a second factor, and the channels and purposes of delivered codes.

use serde::{Deserialize, Serialize};

use crate::domain::codes::numeric::Digits;

/// How a code was proved. Named in the answer, so that an application can refuse to treat them
/// as equal (decision 26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Totp,
    Passkey,
    Sms,
    Email,
    /// A code the application asked for and handed over itself.
    Generated,
    RecoveryCode,
    /// A recovery message: it proves the right to bind anew, nothing more (REC-15).
    #[serde(rename = "recovery")]
    RecoveryMessage,
}

impl Method {
    pub const ALL: [Self; 7] = [
        Self::Totp,
        Self::Passkey,
        Self::Sms,
        Self::Email,
        Self::Generated,
        Self::RecoveryCode,
        Self::RecoveryMessage,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Generated => "generated",
            Self::RecoveryCode => "recovery_code",
            Self::RecoveryMessage => "recovery",
        }
    }

    /// The more a method proves about its user, the greater. Of several a guess is right for, the least
    /// counts: a code that somebody holds must not be a free guess at a better one.
    pub const fn strength(self) -> u8 {
        match self {
            Self::Generated => 0,
            Self::Email => 1,
            Self::Sms => 2,
            Self::RecoveryMessage => 3,
            Self::RecoveryCode => 4,
            Self::Totp => 5,
            Self::Passkey => 6,
        }
    }

    /// Which failures count against this method. A lock of one class leaves the others usable (REC-07).
    ///
    /// `None`: it cannot be guessed at, so there is nothing to count. A lock would serve only somebody who wants to
    /// keep its user out (decision 72).
    pub const fn class(self) -> Option<Class> {
        match self {
            Self::Totp => Some(Class::Totp),
            Self::Sms | Self::Email | Self::Generated => Some(Class::Delivered),
            Self::RecoveryCode | Self::RecoveryMessage => Some(Class::Recovery),
            Self::Passkey => None,
        }
    }

    /// Whether it proves only the right to set up another method.
    pub const fn is_recovery(self) -> bool {
        matches!(self, Self::RecoveryCode | Self::RecoveryMessage)
    }
}

/// A kind of proof with a failure counter, a lock and a cap of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Codes of an authenticator app.
    Totp,
    /// Codes that were sent or generated for a login.
    Delivered,
    /// Recovery codes and recovery messages.
    Recovery,
}

impl Class {
    pub const ALL: [Self; 3] = [Self::Totp, Self::Delivered, Self::Recovery];
}

/// Some of the classes: those a guess concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes {
    totp: bool,
    delivered: bool,
    recovery: bool,
}

impl Classes {
    pub fn contains(self, class: Class) -> bool {
        match class {
            Class::Totp => self.totp,
            Class::Delivered => self.delivered,
            Class::Recovery => self.recovery,
        }
    }

    /// Those of them that `keep` lets through.
    #[must_use]
    pub fn filter(self, keep: impl Fn(Class) -> bool) -> Self {
        self.iter().filter(|class| keep(*class)).collect()
    }

    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL
            .into_iter()
            .filter(move |class| self.contains(*class))
    }

    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl FromIterator<Class> for Classes {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Self {
        let mut these = Self::default();
        for class in classes {
            match class {
                Class::Totp => these.totp = true,
                Class::Delivered => these.delivered = true,
                Class::Recovery => these.recovery = true,
            }
        }
        these
    }
}

/// Where a delivered code goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Sms,
    Email,
    /// Back to the application, which hands it over.
    Api,
}

impl Channel {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Api => "api",
        }
    }
}

/// What a delivered code is for. A code of one purpose never serves another (OOB-04).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Verify,
    Recovery,
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessagePurpose {
    Verify,
    Recovery,
    /// Nothing its user does by it: it says what happened.
    Notice,
}

impl From<Purpose> for MessagePurpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Verify => Self::Verify,
            Purpose::Recovery => Self::Recovery,
        }
    }
}

impl Purpose {
    /// Codes to recover with are longer, so that one is never taken for the other.
    pub const fn digits(self) -> Digits {
        match self {
            Self::Verify => Digits::SIX,
            Self::Recovery => Digits::EIGHT,
        }
    }

    /// Which failures count against a code of this purpose.
    pub const fn class(self) -> Class {
        match self {
            Self::Verify => Class::Delivered,
            Self::Recovery => Class::Recovery,
        }
    }

    /// How long a code lives, in seconds: never beyond 10 minutes (OOB-02).
    pub const fn lifetime(self) -> u64 {
        match self {
            Self::Verify => 300,
            Self::Recovery => 600,
        }
    }
}

impl Channel {
    /// Channel and purpose as one word, for digests.
    pub const fn kind(self, purpose: Purpose) -> &'static str {
        match (self, purpose) {
            (Self::Sms, Purpose::Verify) => "sms verify",
            (Self::Sms, Purpose::Recovery) => "sms recovery",
            (Self::Email, Purpose::Verify) => "email verify",
            (Self::Email, Purpose::Recovery) => "email recovery",
            (Self::Api, Purpose::Verify) => "api verify",
            (Self::Api, Purpose::Recovery) => "api recovery",
        }
    }

    /// What a code delivered here proves.
    pub const fn method(self, purpose: Purpose) -> Method {
        match (self, purpose) {
            (_, Purpose::Recovery) => Method::RecoveryMessage,
            (Self::Sms, Purpose::Verify) => Method::Sms,
            (Self::Email, Purpose::Verify) => Method::Email,
            (Self::Api, Purpose::Verify) => Method::Generated,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_method_has_one_name_in_answers_settings_and_texts() {
        for method in Method::ALL {
            assert_eq!(serde_json::json!(method), method.name());
        }
    }

    #[test]
    fn a_code_counts_against_the_class_of_what_it_proves() {
        for purpose in [Purpose::Verify, Purpose::Recovery] {
            for channel in [Channel::Sms, Channel::Email, Channel::Api] {
                let method = channel.method(purpose);
                assert_eq!(method.class(), Some(purpose.class()));
                assert_eq!(method.is_recovery(), purpose == Purpose::Recovery);
            }
        }
    }

    #[test]
    fn oob_04_no_two_kinds_of_code_share_a_name() {
        let channels = [Channel::Sms, Channel::Email, Channel::Api];
        let purposes = [Purpose::Verify, Purpose::Recovery];
        let kinds = channels.map(|channel| purposes.map(|purpose| channel.kind(purpose)));
        assert_eq!(kinds.concat().into_iter().collect::<HashSet<_>>().len(), 6);
    }
}
