//! The companies that carry messages. Each has a pure `request()`; sending, retrying and judging the
//! answer is the same for all and is here.

pub mod sendgrid;
pub mod twilio;

use std::time::Duration;

use http::{Request, Response, StatusCode};

use crate::domain::ids::ChallengeId;
use crate::platform::{HttpClient, HttpError};

/// One provider call, all tries together.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After a 429, which was never processed and is safe to send again (Twilio 20429).
const RETRIES: u32 = 2;

/// Why a message did not go out. The provider's own words never reach the caller, since they may hold
/// the number or the text; its error code is for the audit log.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("the provider is not configured")]
    NotConfigured,
    /// A 4xx, or 429 to the last try: surely nothing was sent.
    #[error("the provider refused with {status}")]
    Refused { status: u16, code: Option<i64> },
    /// A 5xx, a redirect or no answer: it may have been sent, so it is not sent again.
    #[error("the provider failed: {0}")]
    Failed(String),
}

impl SendError {
    /// Whether it is certain that no message went out.
    pub fn nothing_sent(&self) -> bool {
        matches!(self, Self::NotConfigured | Self::Refused { .. })
    }

    pub fn provider_status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub fn provider_code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } => *code,
            _ => None,
        }
    }
}

/// Sends the request and again after a 429, at most twice more and within the time limit. `jitter_from`
/// spreads the tries of many requests: it is random, and used for nothing else here.
async fn send(
    http: &dyn HttpClient,
    request: Request<Vec<u8>>,
    jitter_from: &ChallengeId,
    code_of: fn(&[u8]) -> Option<i64>,
) -> Result<(), SendError> {
    let mut left = TIMEOUT;
    let mut retry = 0;
    loop {
        let answer = http
            .send(request.clone(), left)
            .await
            .map_err(|error| match error {
                HttpError::Timeout => SendError::Failed("no answer in time".to_owned()),
                HttpError::Unreachable(reason) => SendError::Failed(reason),
            })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        if status.is_client_error() {
            let pause = back_off(&answer, retry, jitter_from);
            if status == StatusCode::TOO_MANY_REQUESTS && retry < RETRIES && pause < left {
                http.wait(pause).await;
                left = left.saturating_sub(pause);
                retry += 1;
                continue;
            }
            return Err(SendError::Refused {
                status: status.as_u16(),
                code: code_of(answer.body()),
            });
        }
        return Err(SendError::Failed(format!("status {}", status.as_u16())));
    }
}

/// What `Retry-After` says, else half a second and then a second, and up to a quarter more.
fn back_off(answer: &Response<Vec<u8>>, retry: u32, jitter_from: &ChallengeId) -> Duration {
    let asked = answer
        .headers()
        .get(http::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let pause = asked.map_or(Duration::from_millis(500 << retry), Duration::from_secs);
    let jitter = jitter_from.as_str().bytes().fold(0_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    }) % 256;
    pause + pause * jitter / 1024
}
