//! `HttpClient` on the Worker's fetch.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use http::header::RETRY_AFTER;
use http::{Request, Response};
use worker::send::SendFuture;
use worker::wasm_bindgen::JsValue;
use worker::{AbortSignal, Delay, Fetch, Headers, RequestInit, RequestRedirect};

use crate::platform::{HttpClient, HttpError};

pub(super) struct Fetcher {
    /// Bytes that are read of an answer.
    answer_limit: usize,
}

impl Fetcher {
    /// More than any provider's error says.
    pub(super) const fn of_providers() -> Self {
        Self {
            answer_limit: 64 * 1024,
        }
    }

    /// Of whose answers only the status is looked at.
    pub(super) const fn of_strangers() -> Self {
        Self { answer_limit: 1024 }
    }
}

#[async_trait]
impl HttpClient for Fetcher {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        SendFuture::new(async {
            let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
            let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(milliseconds));
            let answer = exchange(request, &signal, self.answer_limit).await;
            answer.map_err(|error| {
                if signal.aborted() {
                    HttpError::Timeout
                } else {
                    HttpError::Unreachable(error.to_string())
                }
            })
        })
        .await
    }

    async fn wait(&self, duration: Duration) {
        SendFuture::new(Delay::from(duration)).await;
    }
}

async fn exchange(
    request: Request<Vec<u8>>,
    signal: &AbortSignal,
    answer_limit: usize,
) -> worker::Result<Response<Vec<u8>>> {
    let (parts, body) = request.into_parts();
    let body =
        String::from_utf8(body).map_err(|error| worker::Error::RustError(error.to_string()))?;
    let mut init = RequestInit::new();
    init.with_method(parts.method.as_str().to_owned().into())
        .with_headers(Headers::from(&parts.headers))
        .with_body(Some(JsValue::from_str(&body)))
        .with_redirect(RequestRedirect::Manual);
    let request = worker::Request::new_with_init(&parts.uri.to_string(), &init)?;
    let mut answer = Fetch::Request(request).send_with_signal(signal).await?;
    let mut builder = Response::builder().status(answer.status_code());
    if let Some(seconds) = answer.headers().get(RETRY_AFTER.as_str())? {
        builder = builder.header(RETRY_AFTER, seconds);
    }
    // Read to its end, or an unread body holds one of the isolate's few connections; a longer one is cut.
    let mut bytes = Vec::new();
    if let Ok(mut chunks) = answer.stream() {
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > answer_limit {
                bytes.truncate(answer_limit);
                break;
            }
        }
    }
    builder
        .body(bytes)
        .map_err(|error| worker::Error::RustError(error.to_string()))
}
