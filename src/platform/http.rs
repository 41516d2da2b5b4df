//! Outgoing HTTP: one request, one bounded answer.

use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("no answer in time")]
    Timeout,
    #[error("out of reach: {0}")]
    Unreachable(String),
}

#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends the request. `timeout` bounds everything, reading the answer included. Redirects are not
    /// followed, and of the answer's body only so much is kept as any answer needs.
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Response<Vec<u8>>, HttpError>;

    /// Waits between two tries.
    async fn wait(&self, duration: Duration);
}
