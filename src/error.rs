//! Every outcome a caller can see that is not a success. Status and code of each are in `api::error`.

use crate::domain::account::StateError;
use crate::domain::method::{Channel, Method};
use crate::domain::random::RandomError;
use crate::domain::sealing::SealError;
use crate::platform::DatabaseError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{message}")]
    InvalidRequest {
        field: Option<String>,
        message: String,
    },
    /// Wrong and expired codes alike. `attempts_remaining` until the lock; `retry_after` if this one locked.
    #[error("Invalid code")]
    InvalidCode {
        attempts_remaining: Option<u32>,
        retry_after: Option<u64>,
    },
    #[error("Code already used; wait for the next one")]
    CodeAlreadyUsed { retry_after: u64 },
    #[error("Only grant_type=client_credentials is supported")]
    UnsupportedGrantType,
    #[error("No scope can be asked for")]
    InvalidScope,
    #[error("Unknown client or wrong secret")]
    InvalidClient { basic: bool },
    /// `presented` is false where no credentials were sent at all (RFC 6750 §3).
    #[error("{}", if *.presented { "The access token is invalid, expired or revoked" } else { "An access token is required" })]
    InvalidToken { presented: bool },
    #[error("Plain http is refused; use https")]
    HttpsRequired,
    #[error("client_id is not the one the access token was issued to")]
    ClientMismatch,
    #[error("Too many failures in a row disabled this factor; renew it")]
    FactorDisabled,
    #[error("A fresh code is required for this")]
    StepUpRequired,
    #[error("Unknown user")]
    UserNotFound,
    #[error("Not found")]
    NotFound,
    #[error("Method not allowed")]
    MethodNotAllowed,
    #[error("The request body is larger than 16 KiB")]
    PayloadTooLarge,
    #[error("The request body must be application/json")]
    UnsupportedMediaType,
    #[error("MFA is already set up for this user; renew it, or disable it first")]
    AlreadyRegistered,
    #[error("{0} exists already")]
    ClientExists(String),
    #[error("MFA is not enabled for this user")]
    MfaNotEnabled,
    #[error("{}", match .0 { Channel::Sms => "No phone number on file", _ => "No e-mail address on file" })]
    DestinationMissing(Channel),
    #[error("{0}")]
    DestinationNotAllowed(&'static str),
    #[error("Too many failures; try again later")]
    Locked { retry_after: u64 },
    #[error("Too many messages; try again later")]
    SendLimited { retry_after: u64 },
    #[error("Too many requests; try again later")]
    RateLimited { retry_after: u64 },
    #[error("The provider refused the message; nothing was sent")]
    DeliveryFailed,
    #[error("{0}")]
    DeliveryUnavailable(&'static str),
    #[error("The service is unavailable; try again")]
    Unavailable(#[source] Cause),
    #[error("Internal error")]
    Internal(#[source] Cause),
}

/// What went wrong underneath. Logged once, never shown to a caller.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidRequest {
            field: Some(field.into()),
            message: message.into(),
        }
    }

    /// The client's settings leave this method out.
    pub fn method_not_used(method: Method) -> Self {
        let message = format!("This client does not use the method {}", method.name());
        Self::InvalidRequest {
            field: None,
            message,
        }
    }

    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(_) => Self::Unavailable(error.into()),
            DatabaseError::Row(_) => Self::Internal(error.into()),
        }
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<RandomError> for Error {
    fn from(error: RandomError) -> Self {
        Self::Internal(error.into())
    }
}
