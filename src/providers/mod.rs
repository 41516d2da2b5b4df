//! The companies that carry messages. Each has a pure `request()`; sending it and judging the answer is
//! the same for all and is here.

pub mod sendgrid;
pub mod twilio;

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Request, Response, StatusCode};

use crate::platform::{HttpClient, HttpError};

/// Why a message did not go out. The provider's own words never reach the caller, since they may hold
/// the number or the text; its error code is for the audit log.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("the provider is not configured")]
    NotConfigured,
    /// A 429: nothing was sent, and nothing is to be sent for so many seconds.
    #[error("the provider is busy")]
    Busy { retry_after: Option<u64> },
    /// Another 4xx: surely nothing was sent.
    #[error("the provider refused with {status}")]
    Refused { status: u16, code: Option<i64> },
    /// A 5xx, a redirect or no answer: it may have been sent, so it is not sent again.
    #[error("the provider failed: {0}")]
    Failed(String),
}

impl SendError {
    /// Whether it is certain that no message went out.
    pub fn nothing_sent(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }

    pub fn provider_status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Busy { .. } => Some(StatusCode::TOO_MANY_REQUESTS.as_u16()),
            Self::NotConfigured | Self::Failed(_) => None,
        }
    }

    pub fn provider_code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } => *code,
            _ => None,
        }
    }
}

/// Sends the request once and judges the answer.
async fn send(
    http: &dyn HttpClient,
    request: Request<Vec<u8>>,
    timeout: Duration,
    code_of: fn(&[u8]) -> Option<i64>,
) -> Result<(), SendError> {
    let answer = http
        .send(request, timeout)
        .await
        .map_err(|error| match error {
            HttpError::Timeout => SendError::Failed("no answer in time".to_owned()),
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

/// The seconds of `Retry-After`. A date there is as good as nothing: both providers send seconds.
fn retry_after(answer: &Response<Vec<u8>>) -> Option<u64> {
    let value = answer.headers().get(RETRY_AFTER)?;
    value.to_str().ok()?.parse().ok()
}
