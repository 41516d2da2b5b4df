//! Every outcome a caller can see that is not a success: its text, and its code with all that is said of it.

use serde::Serialize;

use crate::domain::account::{FactorError, FactorType, StateError};
use crate::domain::crypto::random::RandomError;
use crate::domain::crypto::sealing::SealError;
use crate::domain::method::{Channel, Method};
use crate::domain::scope::Scope;
use crate::domain::webauthn::Refusal;
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
    /// Of a ceremony with a passkey.
    #[error("The passkey's answer was not accepted: {0}.")]
    InvalidCredential(Refusal),
    #[error("This browser is not remembered. Ask for a second factor.")]
    NotTrusted,
    #[error("Only grant_type=client_credentials is supported.")]
    UnsupportedGrantType,
    #[error("Scopes are not supported. Leave scope out.")]
    InvalidScope,
    #[error("Unknown client or wrong secret. Check client_id and client_secret.")]
    InvalidClient,
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
    #[error(
        "This API key has not the scope `{}`, which this needs. The operator can make one that has.", .0.name()
    )]
    InsufficientScope(Scope),
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
    #[error("There is no such session, or its address is not complete.")]
    SessionNotFound,
    #[error("This session is over. Go back to the application to begin another.")]
    SessionEnded,
    #[error("This session has expired. Go back to the application to begin another.")]
    SessionExpired,
    #[error("This session belongs to the browser that opened it first.")]
    OtherBrowser,
    #[error("This request did not come from this service's own page.")]
    WrongOrigin,
    #[error("The session does not wait for this now. `view` says what it waits for.")]
    NotNow,
    #[error("Another of this user's factors has this name. Choose another one.")]
    NameTaken,
    #[error("There is nothing at this address. GET /docs lists what there is.")]
    NotFound,
    #[error("This user has no such factor. GET /mfa/factors lists those there are.")]
    FactorNotFound,
    #[error("No such browser is remembered. GET /mfa/trusted-devices lists those that are.")]
    TrustedDeviceNotFound,
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
    #[error(
        "This passkey is registered already, for this user or another. Use it, or make another one."
    )]
    PasskeyTaken,
    #[error("This user has as many factors of type {} as there is room for. Remove one first, with DELETE /mfa/factors/{{id}}.", .0.name())]
    FactorLimitReached(FactorType),
    #[error("This is the last factor the user can log in with. POST /mfa/disable turns MFA off.")]
    LastFactor,
    #[error("A client {0} exists already. Choose another client_id.")]
    ClientExists(String),
    #[error(
        "The client {0} is still being deleted. Try again in a few minutes, or choose another client_id."
    )]
    ClientBeingDeleted(String),
    #[error(
        "This client has {most} API keys, which is as many as there may be. Remove one that is not used."
    )]
    KeyLimitReached { most: u32 },
    #[error("MFA is not turned on for this user. Register, and verify a first code.")]
    MfaNotEnabled,
    #[error("This user has no passkey. POST /mfa/passkeys/options begins to make one.")]
    NoPasskey,
    #[error("No {} is on file for this user. Set one with POST /mfa/contact.", match .0 { Channel::Sms => "phone number", _ => "e-mail address" })]
    DestinationMissing(Channel),
    #[error("{0}")]
    DestinationNotAllowed(NotAllowed),
    #[error("This Idempotency-Key was used for another request. Draw a new one for each request.")]
    IdempotencyKeyReused,
    #[error(
        "The first request with this Idempotency-Key is still under way. Send it again in a second."
    )]
    RequestInProgress,
    #[error(
        "The first request with this Idempotency-Key was cut off after it took effect. Look at what it did, and use a new key to do it again."
    )]
    OutcomeUnknown,
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
    #[error(
        "The API key is not as it was given out: its last characters do not fit. Copy it again."
    )]
    MistypedKey,
    #[error("The API key is unknown, expired or revoked. The operator can make another.")]
    RefusedKey,
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

/// The codes of the contract, a row each: name, HTTP status, an error that has it, and what it means to the
/// developer who meets it. Two may share a name, since programs rely on names.
macro_rules! error_codes {
    ($($code:ident $name:literal $status:literal $example:expr, $meaning:literal;)*) => {
        /// What went wrong, for programs. These names are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorCode {
            $($code),*
        }

        impl ErrorCode {
            /// In the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name),*
                }
            }

            /// The HTTP status of an answer with this code.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$code => $status),*
                }
            }

            /// When it happens and what to do, in one line.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$code => $meaning),*
                }
            }

            /// An error as it may look.
            pub fn example(self) -> Error {
                match self {
                    $(Self::$code => $example),*
                }
            }
        }
    };
}

error_codes! {
    InvalidRequest "invalid_request" 400 Error::invalid("user_id", "This field is missing"),
        "The request is malformed; `field` names the culprit. Fix the program, do not retry.";
    InvalidCode "invalid_code" 400 Error::InvalidCode { attempts_remaining: Some(3), retry_after: None },
        "The code is wrong or has expired, or what was typed is no code at all, which is not counted. Let the user try again; `attempts_remaining` counts down to the lock, and the one that locks has `retry_after`.";
    CodeAlreadyUsed "code_already_used" 400 Error::CodeAlreadyUsed { retry_after: Some(12) },
        "The right code, but used before; nothing is counted. The app shows its next one in `retry_after` seconds; without `retry_after` it was a code that was sent or kept, and another one is needed.";
    InvalidCredential "invalid_credential" 400 Error::InvalidCredential(Refusal::Challenge),
        "A passkey's answer was not accepted; `reason` says why. Nothing is counted; ask for a new challenge and let the user try again, or offer another method.";
    NotTrusted "not_trusted" 400 Error::NotTrusted,
        "This browser is not remembered, or no more. Ask for a second factor, and delete the cookie.";
    UnsupportedGrantType "unsupported_grant_type" 400 Error::UnsupportedGrantType,
        "Only `client_credentials` is supported.";
    InvalidScope "invalid_scope" 400 Error::InvalidScope,
        "No scope can be asked for; leave `scope` out.";
    InvalidClient "invalid_client" 401 Error::InvalidClient,
        "Unknown client, wrong secret, or a disabled client: one answer for all.";
    InvalidToken "invalid_token" 401 Error::InvalidToken(TokenProblem::Refused),
        "The token is missing, malformed, expired or revoked. Get a new one and retry once.";
    HttpsRequired "https_required" 403 Error::HttpsRequired,
        "The request came over plain http.";
    ClientMismatch "client_mismatch" 403 Error::ClientMismatch,
        "`client_id` is not the one the token was issued to. Leave it out.";
    FactorDisabled "factor_disabled" 403 Error::FactorDisabled,
        "100 wrong codes in a row disabled the authenticator, or codes to this number or address. Let the user recover and renew, or set the destination again with /mfa/contact.";
    InsufficientScope "insufficient_scope" 403 Error::InsufficientScope(Scope::Send),
        "The API key has not the scope that this needs, which `message` names. Use another key, or a token.";
    StepUpRequired "step_up_required" 403 Error::StepUpRequired,
        "The client's policy wants a fresh `code` of the user for this.";
    MethodNotUsed "method_not_allowed" 403 Error::MethodNotUsed(Method::Sms),
        "The client's setting `methods` leaves this method out. Offer what `methods` of /mfa/status lists.";
    AccountLimitReached "account_limit_reached" 403 Error::AccountLimitReached { most: 1_000_000 },
        "The client has as many users as its setting `max_accounts` allows. The operator can raise it.";
    UserNotFound "user_not_found" 404 Error::UserNotFound,
        "This client has no such user; register first.";
    NotFound "not_found" 404 Error::NotFound,
        "There is nothing here.";
    SessionNotFound "session_not_found" 404 Error::SessionNotFound,
        "On the hosted page: its address names no session, or is not complete.";
    WrongOrigin "wrong_origin" 403 Error::WrongOrigin,
        "On the hosted page: the request came from another site, and was not looked at.";
    OtherBrowser "other_browser" 403 Error::OtherBrowser,
        "On the hosted page: another browser opened the session first and keeps it.";
    NotNow "not_now" 409 Error::NotNow,
        "On the hosted page: the session waits for something else, which `view` says.";
    NameTaken "name_taken" 409 Error::NameTaken,
        "On the hosted page: another way of this user has that name.";
    SessionEnded "session_ended" 410 Error::SessionEnded,
        "On the hosted page: the session was cancelled, or its result was fetched.";
    SessionExpired "session_expired" 410 Error::SessionExpired,
        "On the hosted page: ten minutes passed without a press, or an hour in all.";
    MethodNotAllowed "method_not_allowed" 405 Error::MethodNotAllowed,
        "`Allow` lists the methods of this path.";
    AlreadyRegistered "already_registered" 409 Error::AlreadyRegistered,
        "MFA is on already. Renew it, or disable it first.";
    FactorLimitReached "factor_limit_reached" 409 Error::FactorLimitReached(FactorType::Totp),
        "The user has as many factors of this type as there is room for. Let the user remove one.";
    LastFactor "last_factor" 409 Error::LastFactor,
        "The last factor that works is not removed; /mfa/disable turns MFA off.";
    ClientExists "client_exists" 409 Error::ClientExists("shop".to_owned()),
        "A client of this id exists already, or is still being deleted.";
    KeyLimitReached "key_limit_reached" 409 Error::KeyLimitReached { most: 50 },
        "The client has as many API keys as there may be. Remove one that is not used.";
    MfaNotEnabled "mfa_not_enabled" 409 Error::MfaNotEnabled,
        "This needs a user with MFA turned on.";
    RequestInProgress "request_in_progress" 409 Error::RequestInProgress,
        "The first request with this `Idempotency-Key` is still under way. Send it again in a second.";
    OutcomeUnknown "outcome_unknown" 409 Error::OutcomeUnknown,
        "The first request with this `Idempotency-Key` took effect, and its answer is not known. A message may have been sent: let the user try its code. A new key does it again.";
    PayloadTooLarge "payload_too_large" 413 Error::PayloadTooLarge,
        "The body is larger than 16 KiB.";
    UnsupportedMediaType "unsupported_media_type" 415 Error::UnsupportedMediaType,
        "The body's `Content-Type` is not one that is read here, or its charset is not UTF-8.";
    DestinationMissing "destination_missing" 422 Error::DestinationMissing(Channel::Sms),
        "No phone number or e-mail address is on file; set it with /mfa/contact.";
    DestinationNotAllowed "destination_not_allowed" 422 Error::DestinationNotAllowed(NotAllowed::Country),
        "SMS to this country is not allowed for this client, or none can be sent to such a number. Offer another channel.";
    IdempotencyKeyReused "idempotency_key_reused" 422 Error::IdempotencyKeyReused,
        "This `Idempotency-Key` was used for another request. Draw a new one for each request.";
    Locked "locked" 429 Error::Locked { retry_after: 60 },
        "Too many wrong codes. Says nothing about this code; wait `retry_after` seconds.";
    SendLimited "send_limited" 429 Error::SendLimited { retry_after: 57 },
        "Too many messages. The last code may still be good; wait `retry_after` seconds.";
    RateLimited "rate_limited" 429 Error::RateLimited { retry_after: 1 },
        "Too many requests at once. Wait `retry_after` seconds.";
    Internal "internal" 500 Error::internal(""),
        "A fault of the service. Quote `X-Request-Id` to its operator.";
    DeliveryFailed "delivery_failed" 502 Error::DeliveryFailed,
        "The provider refused the message; nothing was sent and no code is live.";
    DeliveryUnavailable "delivery_unavailable" 503 Error::DeliveryUnavailable { retry_after: 30 },
        "The provider is out of reach, or asked for a pause. Wait `retry_after` seconds, or offer another channel.";
    ChannelNotConfigured "channel_not_configured" 503 Error::ChannelNotConfigured(Channel::Sms),
        "This service has no provider for the channel. Waiting does not help: its operator sets one up.";
    Unavailable "unavailable" 503 Error::Unavailable("".into()),
        "The database is out of reach. Try again.";
}

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

    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidRequest { .. } => ErrorCode::InvalidRequest,
            Self::InvalidCode { .. } => ErrorCode::InvalidCode,
            Self::CodeAlreadyUsed { .. } => ErrorCode::CodeAlreadyUsed,
            Self::InvalidCredential(_) => ErrorCode::InvalidCredential,
            Self::NotTrusted => ErrorCode::NotTrusted,
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::InvalidScope => ErrorCode::InvalidScope,
            Self::InvalidClient => ErrorCode::InvalidClient,
            Self::InvalidToken(_) => ErrorCode::InvalidToken,
            Self::HttpsRequired => ErrorCode::HttpsRequired,
            Self::ClientMismatch => ErrorCode::ClientMismatch,
            Self::FactorDisabled | Self::DestinationDisabled(_) => ErrorCode::FactorDisabled,
            Self::InsufficientScope(_) => ErrorCode::InsufficientScope,
            Self::StepUpRequired => ErrorCode::StepUpRequired,
            Self::MethodNotUsed(_) => ErrorCode::MethodNotUsed,
            Self::AccountLimitReached { .. } => ErrorCode::AccountLimitReached,
            Self::UserNotFound => ErrorCode::UserNotFound,
            Self::SessionNotFound => ErrorCode::SessionNotFound,
            Self::SessionEnded => ErrorCode::SessionEnded,
            Self::SessionExpired => ErrorCode::SessionExpired,
            Self::OtherBrowser => ErrorCode::OtherBrowser,
            Self::WrongOrigin => ErrorCode::WrongOrigin,
            Self::NotNow => ErrorCode::NotNow,
            Self::NameTaken => ErrorCode::NameTaken,
            Self::NotFound | Self::FactorNotFound | Self::TrustedDeviceNotFound => {
                ErrorCode::NotFound
            }
            Self::MethodNotAllowed => ErrorCode::MethodNotAllowed,
            Self::AlreadyRegistered | Self::PasskeyTaken => ErrorCode::AlreadyRegistered,
            Self::FactorLimitReached(_) => ErrorCode::FactorLimitReached,
            Self::LastFactor => ErrorCode::LastFactor,
            Self::ClientExists(_) | Self::ClientBeingDeleted(_) => ErrorCode::ClientExists,
            Self::KeyLimitReached { .. } => ErrorCode::KeyLimitReached,
            Self::MfaNotEnabled | Self::NoPasskey => ErrorCode::MfaNotEnabled,
            Self::PayloadTooLarge => ErrorCode::PayloadTooLarge,
            Self::UnsupportedMediaType => ErrorCode::UnsupportedMediaType,
            Self::DestinationMissing(_) => ErrorCode::DestinationMissing,
            Self::DestinationNotAllowed(_) => ErrorCode::DestinationNotAllowed,
            Self::IdempotencyKeyReused => ErrorCode::IdempotencyKeyReused,
            Self::RequestInProgress => ErrorCode::RequestInProgress,
            Self::OutcomeUnknown => ErrorCode::OutcomeUnknown,
            Self::Locked { .. } => ErrorCode::Locked,
            Self::SendLimited { .. } => ErrorCode::SendLimited,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Internal(_) => ErrorCode::Internal,
            Self::DeliveryFailed => ErrorCode::DeliveryFailed,
            Self::DeliveryUnavailable { .. } => ErrorCode::DeliveryUnavailable,
            Self::ChannelNotConfigured(_) => ErrorCode::ChannelNotConfigured,
            Self::Unavailable(_) => ErrorCode::Unavailable,
        }
    }

    /// Seconds to wait, where the error has an end.
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Locked { retry_after }
            | Self::SendLimited { retry_after }
            | Self::RateLimited { retry_after }
            | Self::DeliveryUnavailable { retry_after } => Some(*retry_after),
            Self::InvalidCode { retry_after, .. } | Self::CodeAlreadyUsed { retry_after } => {
                *retry_after
            }
            Self::Unavailable(_) => Some(5),
            Self::RequestInProgress => Some(1),
            _ => None,
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
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

impl From<FactorError> for Error {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::AlreadyRegistered => Self::AlreadyRegistered,
            FactorError::PasskeyTaken => Self::PasskeyTaken,
            FactorError::NotEnabled => Self::MfaNotEnabled,
            FactorError::TooMany(kind) => Self::FactorLimitReached(kind),
            FactorError::NoSuchFactor => Self::FactorNotFound,
            FactorError::NoApp => Self::invalid(
                "user_id",
                "This user has no authenticator app to renew. POST /mfa/factors adds one",
            ),
            FactorError::WhichApp => Self::invalid(
                "factor_id",
                "This user has several authenticator apps. Name one of GET /mfa/factors",
            ),
            FactorError::Last => Self::LastFactor,
            FactorError::Unreadable(error) => error.into(),
        }
    }
}

impl From<RandomError> for Error {
    fn from(error: RandomError) -> Self {
        Self::Internal(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_that_of_its_example() {
        for code in ErrorCode::ALL {
            assert_eq!(code.example().code(), *code);
        }
    }
}
