//! Every error once, and what it means to the developer who meets it.

use crate::domain::method::{Channel, Method};
use crate::error::{Error, NotAllowed, TokenProblem};

/// One of each, in the order of the contract.
pub(super) fn every() -> Vec<Error> {
    vec![
        invalid_request(),
        Error::InvalidCode {
            attempts_remaining: Some(3),
            retry_after: None,
        },
        Error::CodeAlreadyUsed {
            retry_after: Some(12),
        },
        Error::UnsupportedGrantType,
        Error::InvalidScope,
        Error::InvalidClient { basic: false },
        Error::InvalidToken(TokenProblem::Refused),
        Error::HttpsRequired,
        Error::ClientMismatch,
        Error::FactorDisabled,
        Error::StepUpRequired,
        Error::MethodNotUsed(Method::Sms),
        Error::AccountLimitReached { most: 1_000_000 },
        Error::UserNotFound,
        Error::NotFound,
        Error::MethodNotAllowed,
        Error::AlreadyRegistered,
        Error::ClientExists("shop".to_owned()),
        Error::MfaNotEnabled,
        Error::PayloadTooLarge,
        Error::UnsupportedMediaType,
        Error::DestinationMissing(Channel::Sms),
        Error::DestinationNotAllowed(NotAllowed::Country),
        Error::Locked { retry_after: 60 },
        Error::SendLimited { retry_after: 57 },
        Error::RateLimited { retry_after: 1 },
        Error::Internal("".into()),
        Error::DeliveryFailed,
        Error::DeliveryUnavailable { retry_after: 30 },
        Error::ChannelNotConfigured(Channel::Sms),
        Error::Unavailable("".into()),
    ]
}

pub(super) fn invalid_request() -> Error {
    Error::invalid("user_id", "This field is missing")
}

/// When it happens and what to do, in one line.
pub(super) fn meaning(error: &Error) -> &'static str {
    match error {
        Error::InvalidRequest { .. } => {
            "the request is malformed; `field` names the culprit. Fix the program, do not retry."
        }
        Error::InvalidCode { .. } => {
            "the code is wrong or has expired, or what was typed is no code at all, which is not counted. Let the user try again; `attempts_remaining` counts down to the lock, and the one that locks has `retry_after`."
        }
        Error::CodeAlreadyUsed { .. } => {
            "the right code, but used before; nothing is counted. The app shows its next one in `retry_after` seconds; without `retry_after` it was a code that was sent or kept, and another one is needed."
        }
        Error::UnsupportedGrantType => "only `client_credentials` is supported.",
        Error::InvalidScope => "no scope can be asked for; leave `scope` out.",
        Error::InvalidClient { .. } => {
            "unknown client, wrong secret, or a disabled client: one answer for all."
        }
        Error::InvalidToken(_) => {
            "the token is missing, malformed, expired or revoked. Get a new one and retry once."
        }
        Error::HttpsRequired => "the request came over plain http.",
        Error::ClientMismatch => {
            "`client_id` is not the one the token was issued to. Leave it out."
        }
        Error::FactorDisabled | Error::DestinationDisabled(_) => {
            "100 wrong codes in a row disabled the authenticator, or codes to this number or address. Let the user recover and renew, or set the destination again with /mfa/contact."
        }
        Error::MethodNotUsed(_) => {
            "the client's setting `methods` leaves this method out. Offer what `methods` of /mfa/status lists."
        }
        Error::AccountLimitReached { .. } => {
            "the client has as many users as its setting `max_accounts` allows. The operator can raise it."
        }
        Error::StepUpRequired => "the client's policy wants a fresh `code` of the user for this.",
        Error::UserNotFound => "this client has no such user; register first.",
        Error::NotFound => "there is nothing here.",
        Error::MethodNotAllowed => "`Allow` lists the methods of this path.",
        Error::AlreadyRegistered => "MFA is on already. Renew it, or disable it first.",
        Error::ClientExists(_) | Error::ClientBeingDeleted(_) => {
            "a client of this id exists already, or is still being deleted."
        }
        Error::MfaNotEnabled => "this needs a user with MFA turned on.",
        Error::PayloadTooLarge => "the body is larger than 16 KiB.",
        Error::UnsupportedMediaType => {
            "the body's `Content-Type` is not one that is read here, or its charset is not UTF-8."
        }
        Error::DestinationMissing(_) => {
            "no phone number or e-mail address is on file; set it with /mfa/contact."
        }
        Error::DestinationNotAllowed(_) => {
            "SMS to this country is not allowed for this client, or none can be sent to such a number. Offer another channel."
        }
        Error::Locked { .. } => {
            "too many wrong codes. Says nothing about this code; wait `retry_after` seconds."
        }
        Error::SendLimited { .. } => {
            "too many messages. The last code may still be good; wait `retry_after` seconds."
        }
        Error::RateLimited { .. } => "too many requests at once. Wait `retry_after` seconds.",
        Error::Internal(_) => "a fault of the service. Quote `X-Request-Id` to its operator.",
        Error::DeliveryFailed => {
            "the provider refused the message; nothing was sent and no code is live."
        }
        Error::DeliveryUnavailable { .. } => {
            "the provider is out of reach, or asked for a pause. Wait `retry_after` seconds, or offer another channel."
        }
        Error::ChannelNotConfigured(_) => {
            "this service has no provider for the channel. Waiting does not help: its operator sets one up."
        }
        Error::Unavailable(_) => "the database is out of reach. Try again.",
    }
}

/// Every error as a table for docs/guides/errors.md, by status.
pub fn table() -> String {
    let mut errors = every();
    errors.sort_by_key(crate::api::status);
    let rows = errors.iter().map(|error| {
        let (code, status) = (crate::api::code(error), crate::api::status(error).as_u16());
        format!(
            "| {status} | `{code}` | {} |\n",
            capitalized(meaning(error))
        )
    });
    format!(
        "| Status | `error` | What it means, what to do |\n|---|---|---|\n{}",
        rows.collect::<String>()
    )
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}
