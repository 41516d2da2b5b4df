//! Ids, checked once where they enter. Past that, an id cannot be malformed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::crypto::random::{self, RandomError};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("a user id of 1 to 128 printable ASCII characters without spaces, and not . or ..")]
    User,
    #[error("a client id of 1 to 64 characters out of A-Z a-z 0-9 . _ - and not . or ..")]
    Client,
}

/// The application's own id of its user, compared byte for byte: `Bob` and `bob` are two users (RATE-08).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct UserId(String);

impl UserId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        (printable && (1..=128).contains(&text.len()) && !is_path_step(&text))
            .then_some(Self(text))
            .ok_or(IdError::User)
    }
}

/// The id of a client application, which is the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ClientId(String);

impl ClientId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new id for a client the operator did not name.
    pub fn draw() -> Result<Self, RandomError> {
        Ok(Self(format!("app_{}", random::id()?)))
    }

    /// The same for a test client.
    pub fn draw_for_tests() -> Result<Self, RandomError> {
        Ok(Self(format!("test_{}", random::id()?)))
    }

    /// Whether it is an id that test clients have. What it says, its row has to say as well: ids of other clients
    /// could once begin so.
    pub fn may_be_for_tests(&self) -> bool {
        self.0.starts_with("test_")
    }
}

impl TryFrom<String> for ClientId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        (text.bytes().all(allowed) && (1..=64).contains(&text.len()) && !is_path_step(&text))
            .then_some(Self(text))
            .ok_or(IdError::Client)
    }
}

/// `.` and `..` mean something else wherever they stand in a path, also when they are percent-encoded: such
/// a user could be made and never deleted.
fn is_path_step(text: &str) -> bool {
    matches!(text, "." | "..")
}

/// Whose something is: what is stored, sealed or digested for one user is bound to both ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    pub client: ClientId,
    pub user: UserId,
}

/// A random id of 128 bits, drawn here and never taken from a caller.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn draw() -> Result<Self, RandomError> {
                Ok(Self(random::id()?))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

random_id!(
    /// One enrolment of one authenticator.
    FactorId
);
random_id!(
    /// One delivered code. Also the key it lies under in KV, so it is written once and never reused.
    ChallengeId
);
random_id!(
    /// One browser that is remembered.
    TrustedDeviceId
);
random_id!(
    /// Which access tokens of a client hold: those that carry its present one.
    TokenEpoch
);
random_id!(
    /// One request, in its answer, its log line and its audit events.
    RequestId
);

impl FactorId {
    /// One that a caller named. It is only ever compared with those there are.
    pub fn named(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_are_printable_ascii_of_at_most_128_bytes() {
        for good in [
            "u",
            "user123",
            "a/b?c#d",
            "x:y",
            "../",
            "...",
            &"u".repeat(128),
        ] {
            assert_eq!(UserId::try_from(good.to_owned()).unwrap().as_str(), good);
        }
        for bad in [
            "",
            " ",
            ".",
            "..",
            "bob ",
            "b ob",
            "é",
            "bob\u{200b}",
            "a\u{0}b",
            "a\nb",
            &"u".repeat(129),
        ] {
            assert_eq!(
                UserId::try_from(bad.to_owned()),
                Err(IdError::User),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn client_ids_hold_no_separator() {
        assert!(ClientId::try_from("app123.live_eu-1".to_owned()).is_ok());
        for bad in ["", ".", "..", "a:b", "a/b", "a b", "ä", &"c".repeat(65)] {
            assert_eq!(
                ClientId::try_from(bad.to_owned()),
                Err(IdError::Client),
                "{bad:?}"
            );
        }
    }
}
