//! `HttpClient` on behalf of a request: what it sends says which trace it belongs to.

use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Request, Response};

use super::{HttpClient, HttpError};
use crate::domain::crypto::random;
use crate::domain::trace_context::TraceContext;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Each request it sends is a part of the trace with an id of its own (W3C Trace Context §3.2). `tracestate` is not
/// passed on: it is for the systems of whoever wrote it, and may say what a provider need not know (§7).
pub struct Traced<'a> {
    pub http: &'a dyn HttpClient,
    pub context: TraceContext,
}

#[async_trait]
impl HttpClient for Traced<'_> {
    async fn send(
        &self,
        mut request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        // Without randomness there is no header: no message waits for it.
        let header = random::bytes().map(|span| self.context.traceparent(span));
        if let Some(header) = header
            .ok()
            .and_then(|text| HeaderValue::from_str(&text).ok())
        {
            request.headers_mut().insert(TRACEPARENT, header);
        }
        self.http.send(request, timeout).await
    }

    async fn wait(&self, duration: Duration) {
        self.http.wait(duration).await;
    }
}
