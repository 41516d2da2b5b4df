//! Outgoing e-mail, where the platform itself hands it to a mail server.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::contact::email::Email;
use crate::domain::contact::message::EmailText;

/// Why an e-mail did not go out.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server refused it for good, with its reply code (RFC 5321 §4.2.1).
    #[error("refused with {0}")]
    Refused(u16),
    /// Surely nothing was sent: the server said "not now", or there was no connection to trust.
    #[error("{0}")]
    Unsent(String),
    #[error("no answer in time")]
    Timeout,
    /// It may have been sent.
    #[error("{0}")]
    Unknown(String),
}

/// One e-mail.
pub struct Letter<'a> {
    pub id: &'a str,
    pub from: &'a Email,
    pub from_name: &'a str,
    pub to: &'a Email,
    pub text: &'a EmailText,
}

#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands one e-mail over, once. `timeout` bounds everything.
    async fn send(&self, letter: &Letter<'_>, timeout: Duration) -> Result<(), MailError>;
}
