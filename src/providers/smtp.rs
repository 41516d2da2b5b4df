//! A mail server of the operator's own, by SMTP. The platform speaks it.

use std::time::Duration;

use super::{Content, Message, SendError};
use crate::config::Providers;
use crate::platform::{Letter, MailError, Mailer};

/// Sends one e-mail, under the configured name or else the sender's.
pub(super) async fn send(
    mailer: Option<&dyn Mailer>,
    config: &Providers,
    message: &Message<'_>,
    timeout: Duration,
) -> Result<(), SendError> {
    let (Some(mailer), Some(config)) = (mailer, &config.smtp) else {
        return Err(SendError::NotConfigured);
    };
    let Content::ToMailbox { to, text } = &message.content else {
        return Err(SendError::NotConfigured);
    };
    let name = config.from_name.as_ref();
    let letter = Letter {
        id: &message.id,
        from: &config.from,
        from_name: name.map_or(message.sender, |name| name.as_str()),
        to,
        text,
    };
    let sent = mailer.send(&letter, timeout).await;
    sent.map_err(|error| match error {
        MailError::Refused(status) => SendError::Refused { status, code: None },
        MailError::Unsent(reason) => SendError::Unsent(reason),
        MailError::Timeout => SendError::TimedOut,
        MailError::Unknown(reason) => SendError::Failed(reason),
    })
}
