//! Who carries messages. Each has a pure `request()`; sending it and judging the answer is the same for all
//! and is here. In which order they are tried is for the flow to say.

mod hook;
mod sendgrid;
/// A Worker speaks none.
#[cfg(not(target_arch = "wasm32"))]
mod smtp;
mod twilio;
pub mod webhook;

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Request, Response, StatusCode};

use crate::config::Providers;
use crate::domain::codes::numeric::NumericCode;
use crate::domain::contact::email::Email;
use crate::domain::contact::message::{EmailText, Spoken};
use crate::domain::contact::phone::Phone;
use crate::domain::ids::ClientId;
use crate::domain::method::MessagePurpose;
use crate::domain::provider::Provider;
use crate::domain::settings::Locale;
use crate::domain::time::UnixTime;
use crate::platform::{HttpClient, HttpError, Mailer};

/// One message, whoever carries it: each gets the same.
pub struct Message<'a> {
    /// The same at every try, so that whoever gets it twice can tell.
    pub id: String,
    pub client: &'a ClientId,
    /// The name it comes from.
    pub sender: &'a str,
    pub purpose: MessagePurpose,
    pub locale: Locale,
    /// What the text says apart from words, where it is a code.
    pub code: Option<&'a NumericCode>,
    pub content: Content<'a>,
}

pub enum Content<'a> {
    ToPhone {
        to: &'a Phone,
        text: &'a str,
        spoken: Option<&'a Spoken<'a>>,
    },
    ToMailbox {
        to: &'a Email,
        text: &'a EmailText,
    },
}

/// What a provider is reached by.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    pub http: &'a dyn HttpClient,
    pub mailer: Option<&'a dyn Mailer>,
    pub config: &'a Providers,
}

/// Why a message did not go out. The provider's own words never reach the caller, since they may hold
/// the number or the text; its error code is for the audit log.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("the provider is not set up, or does not carry this")]
    NotConfigured,
    /// A 429: nothing was sent, and nothing is to be sent for so many seconds.
    #[error("the provider is busy")]
    Busy { retry_after: Option<u64> },
    /// Another 4xx: surely nothing was sent.
    #[error("the provider refused with {status}")]
    Refused { status: u16, code: Option<i64> },
    /// Surely nothing was sent, and that has nothing to do with where it was to go.
    #[error("the provider cannot send now: {0}")]
    Unsent(String),
    /// It may have been sent, so it is not sent again by the same provider.
    #[error("the provider gave no answer in time")]
    TimedOut,
    /// A 5xx, a redirect or a connection that was lost: it may have been sent, too.
    #[error("the provider failed: {0}")]
    Failed(String),
}

impl SendError {
    /// Whether it is certain that no message went out.
    pub fn nothing_sent(&self) -> bool {
        !matches!(self, Self::TimedOut | Self::Failed(_))
    }

    /// In a word, for the record.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::Busy { .. } => "busy",
            Self::Refused { .. } => "refused",
            Self::Unsent(_) => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Failed(_) => "failed",
        }
    }

    pub fn provider_status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Busy { .. } => Some(StatusCode::TOO_MANY_REQUESTS.as_u16()),
            Self::NotConfigured | Self::Unsent(_) | Self::TimedOut | Self::Failed(_) => None,
        }
    }

    pub fn provider_code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } => *code,
            _ => None,
        }
    }
}

/// Hands the message to one provider, once.
pub async fn send(
    means: &Means<'_>,
    provider: Provider,
    message: &Message<'_>,
    now: UnixTime,
    timeout: Duration,
) -> Result<(), SendError> {
    let Means { http, config, .. } = *means;
    #[cfg(not(target_arch = "wasm32"))]
    if provider == Provider::Smtp {
        return smtp::send(means.mailer, config, message, timeout).await;
    }
    let request = request(config, provider, message, now)
        .ok_or(SendError::NotConfigured)?
        .map_err(|error| SendError::Failed(error.to_string()))?;
    let code_of = match provider {
        Provider::Twilio | Provider::Whatsapp | Provider::Voice => twilio::error_code,
        // They have no error numbers.
        _ => |_: &[u8]| None,
    };
    exchange(http, request, timeout, code_of).await
}

/// The provider's request, if it is set up and carries what the message is.
fn request(
    config: &Providers,
    provider: Provider,
    message: &Message<'_>,
    now: UnixTime,
) -> Option<Result<Request<Vec<u8>>, http::Error>> {
    if provider == Provider::Sendgrid {
        let Content::ToMailbox { to, text } = &message.content else {
            return None;
        };
        let config = config.sendgrid.as_ref()?;
        return Some(sendgrid::request(config, message.sender, to, text));
    }
    if matches!(provider, Provider::SmsHook | Provider::EmailHook) {
        return Some(hook::request(config.hook.as_ref()?, message, now));
    }
    let config = config.twilio.as_ref()?;
    let Content::ToPhone { to, text, spoken } = &message.content else {
        return None;
    };
    Some(match provider {
        Provider::Whatsapp => {
            let code = message.code?;
            twilio::whatsapp(config, config.whatsapp.as_ref()?, to, code, message.locale)
        }
        Provider::Voice => twilio::call(config, config.voice.as_ref()?, to, (*spoken)?),
        _ => twilio::sms(config, config.sms.as_ref()?, to, text),
    })
}

/// Sends the request once and judges the answer.
async fn exchange(
    http: &dyn HttpClient,
    request: Request<Vec<u8>>,
    timeout: Duration,
    code_of: fn(&[u8]) -> Option<i64>,
) -> Result<(), SendError> {
    let answer = http
        .send(request, timeout)
        .await
        .map_err(|error| match error {
            HttpError::Timeout => SendError::TimedOut,
            HttpError::Unreachable(reason) => SendError::Failed(reason),
        })?;
    let status = answer.status();
    if status.is_success() {
        Ok(())
    } else if status == StatusCode::TOO_MANY_REQUESTS {
        let retry_after = retry_after(&answer);
        Err(SendError::Busy { retry_after })
    } else if status.is_client_error() {
        Err(SendError::Refused {
            status: status.as_u16(),
            code: code_of(answer.body()),
        })
    } else {
        Err(SendError::Failed(format!("status {}", status.as_u16())))
    }
}

/// The seconds of `Retry-After`. A date there is as good as nothing: providers send seconds.
fn retry_after(answer: &Response<Vec<u8>>) -> Option<u64> {
    let value = answer.headers().get(RETRY_AFTER)?;
    value.to_str().ok()?.parse().ok()
}
