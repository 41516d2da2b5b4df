//! An application's own address, which is told of events by the messages of Standard Webhooks.

use std::time::Duration;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, Method, Request, StatusCode};

use crate::domain::time::UnixTime;
use crate::domain::webhook::{DeliveryId, WebhookUrl};
use crate::platform::{HttpClient, HttpError};

/// For one try, its answer included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Characters that are kept of why there was no answer.
const PROBLEM: usize = 200;

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// One try, signed.
pub struct Message<'a> {
    pub url: &'a WebhookUrl,
    pub id: &'a DeliveryId,
    pub at: UnixTime,
    pub signature: &'a str,
    pub body: &'a str,
}

/// What the receiver's status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Taken,
    /// 410: it wants no more tries.
    Gone,
    Refused,
}

/// The status that was answered, or why there is none. Of the answer's body nothing is looked at, and a redirect is an
/// answer like any other.
pub async fn post(http: &dyn HttpClient, message: Message<'_>) -> Result<(Answer, u16), String> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(message.url.as_str())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("candado/", env!("CARGO_PKG_VERSION")))
        .header(WEBHOOK_ID, message.id.as_str())
        .header(WEBHOOK_TIMESTAMP, message.at.as_secs())
        .header(WEBHOOK_SIGNATURE, message.signature)
        .body(message.body.to_owned().into_bytes())
        .map_err(|error| error.to_string())?;
    match http.send(request, TIMEOUT).await {
        Ok(answer) => Ok((judged(answer.status()), answer.status().as_u16())),
        Err(HttpError::Timeout) => Err("no answer within 5 seconds".to_owned()),
        Err(HttpError::Unreachable(reason)) => {
            let plain = reason.chars().filter(|character| !character.is_control());
            Err(plain.take(PROBLEM).collect())
        }
    }
}

fn judged(status: StatusCode) -> Answer {
    if status.is_success() {
        Answer::Taken
    } else if status == StatusCode::GONE {
        Answer::Gone
    } else {
        Answer::Refused
    }
}
