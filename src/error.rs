//! Every outcome a caller can see that is not a success. Status and code of each are in `api::error`.

use crate::domain::account::StateError;
use crate::domain::crypto::random::RandomError;
use crate::domain::crypto::sealing::SealError;
use crate::domain::method::{Channel, Method};
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
    /// `retry_after`: until the next code of the app; a code that was sent or kept has none after it.
    #[error("{}", if .retry_after.is_some() { "This code was already used. Wait for the app's next one." } else { "This code was already used. Ask for a new one." })]
    CodeAlreadyUsed { retry_after: Option<u64> },
    #[error("Only grant_type=client_credentials is supported.")]
    UnsupportedGrantType,
    #[error("Scopes are not supported. Leave scope out.")]
    InvalidScope,
    #[error("Unknown client or wrong secret. Check client_id and client_secret.")]
    InvalidClient { basic: bool },
    #[error("{0}")]
    InvalidToken(TokenProblem),
    #[error("Plain http is refused. Use https.")]
    HttpsRequired,
    #[error(
        "client_id is not the client this access token was issued to. Leave it out, or use that client's token."
    )]
    ClientMismatch,
    #[error(
        "Too many wrong codes in a row disabled this authenticator. Bind it anew with POST /mfa/renew."
    )]
    FactorDisabled,
    #[error("Too many wrong codes in a row disabled codes {}. Set it again with POST /mfa/contact.", match .0 { Channel::Sms => "to this phone number", _ => "to this e-mail address" })]
    DestinationDisabled(Channel),
    #[error("This needs a fresh code of the user. Send it as `code`.")]
    StepUpRequired,
    #[error("This client's setting `methods` leaves {} out.", .0.name())]
    MethodNotUsed(Method),
    #[error(
        "This client may have {most} users and has them. The operator can raise its setting `max_accounts`."
    )]
    AccountLimitReached { most: u32 },
    #[error("Unknown user. Register the user first, with POST /mfa/register.")]
    UserNotFound,
    #[error("There is nothing at this address. GET /docs lists what there is.")]
    NotFound,
    #[error("This path does not take this HTTP method. The Allow header lists those it takes.")]
    MethodNotAllowed,
    #[error("The request body is larger than 16 KiB.")]
    PayloadTooLarge,
    #[error("The request body must be JSON in UTF-8, sent with Content-Type: application/json.")]
    UnsupportedMediaType,
    #[error(
        "MFA is already set up for this user. Renew it with POST /mfa/renew, or turn it off first with POST /mfa/disable."
    )]
    AlreadyRegistered,
    #[error("A client {0} exists already. Choose another client_id.")]
    ClientExists(String),
    #[error(
        "The client {0} is still being deleted. Try again in a few minutes, or choose another client_id."
    )]
    ClientBeingDeleted(String),
    #[error("MFA is not turned on for this user. Register, and verify a first code.")]
    MfaNotEnabled,
    #[error("No {} is on file for this user. Set one with POST /mfa/contact.", match .0 { Channel::Sms => "phone number", _ => "e-mail address" })]
    DestinationMissing(Channel),
    #[error("{0}")]
    DestinationNotAllowed(NotAllowed),
    #[error("Too many wrong codes. Wait `retry_after` seconds, then try again.")]
    Locked { retry_after: u64 },
    #[error("Too many messages. Wait `retry_after` seconds before asking for another.")]
    SendLimited { retry_after: u64 },
    #[error("Too many requests. Wait `retry_after` seconds, then try again.")]
    RateLimited { retry_after: u64 },
    #[error(
        "The provider refused this message, so nothing was sent. Check the number or the address."
    )]
    DeliveryFailed,
    #[error(
        "The provider cannot take messages now. Wait `retry_after` seconds, or use another channel."
    )]
    DeliveryUnavailable { retry_after: u64 },
    #[error("This service sends no {}. Its operator sets that up with the variables that begin with {}.", match .0 { Channel::Sms => "SMS", _ => "e-mail" }, match .0 { Channel::Sms => "TWILIO_", _ => "SENDGRID_" })]
    ChannelNotConfigured(Channel),
    #[error("The service is unavailable for a moment. Try again.")]
    Unavailable(#[source] Cause),
    #[error(
        "Something went wrong in the service. Its log says what, under this answer's X-Request-Id."
    )]
    Internal(#[source] Cause),
}

/// What is wrong with the credentials of a request. Only `Missing` is answered without an error code in
/// `WWW-Authenticate` (RFC 6750 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    #[error(
        "An access token is required. POST /auth issues one; send it as `Authorization: Bearer <token>`."
    )]
    Missing,
    #[error(
        "The Authorization header must be `Bearer <token>`, with an access token from POST /auth."
    )]
    NotBearer,
    #[error("The access token is invalid, expired or revoked. POST /auth issues a new one.")]
    Refused,
    #[error("This is not the operator's token. The /admin routes take ADMIN_TOKEN.")]
    NotTheOperators,
}

/// Why no SMS goes to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    #[error(
        "SMS may go to no country yet. The operator sets SMS_COUNTRIES, or this client's setting `sms_countries`."
    )]
    NoCountry,
    #[error(
        "SMS to this number's country is not allowed. The operator can add it to `sms_countries`."
    )]
    Country,
    #[error(
        "No SMS is sent to satellite, premium or unassigned numbers. Use an ordinary mobile number."
    )]
    Range,
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
