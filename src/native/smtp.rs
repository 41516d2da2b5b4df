//! `Mailer` by SMTP (RFC 5321, RFC 6409): over TLS, by the certificate of a name that was given, or not at all.

use std::time::Duration;

use async_trait::async_trait;
use lettre::address::AddressError;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::causes::with_causes;
use crate::config::{SmtpConfig, SmtpTls};
use crate::domain::contact::email::Email;
use crate::platform::{Letter, MailError, Mailer};

pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Smtp {
    /// `name` is this service's own host, by which it greets.
    pub(super) fn new(config: &SmtpConfig, name: &str) -> Result<Self, smtp::Error> {
        let parameters = TlsParameters::new(config.host.clone())?;
        let tls = match config.tls {
            SmtpTls::FromTheStart => Tls::Wrapper(parameters),
            // A server that does not offer it is sent nothing: neither the password nor a code.
            SmtpTls::StartTls => Tls::Required(parameters),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .hello_name(ClientId::Domain(name.to_owned()));
        if let Some((username, password)) = &config.login {
            let password = password.reveal().to_owned();
            builder = builder.credentials(Credentials::new(username.clone(), password));
        }
        let transport = builder.build();
        Ok(Self { transport })
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, letter: &Letter<'_>, timeout: Duration) -> Result<(), MailError> {
        let message = message(letter).map_err(MailError::Unsent)?;
        let sending = self.transport.send(message);
        match tokio::time::timeout(timeout, sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judged(&error)),
            Err(_) => Err(MailError::Timeout),
        }
    }
}

/// A reply of 4xx or 5xx, at whatever command, means that the server has not taken the message (RFC 5321 §4.2.5, §6.1).
/// So does what went wrong before there was a connection to trust.
fn judged(error: &smtp::Error) -> MailError {
    match error.status() {
        Some(code) if error.is_permanent() => MailError::Refused(code.into()),
        Some(code) => MailError::Unsent(format!("the server said {code}")),
        None if error.is_tls() || error.is_client() || is_connecting(error) => {
            MailError::Unsent(with_causes(error))
        }
        // What it says may be the server's words, which name the mailbox.
        None if error.is_response() => MailError::Unknown("the answer is no SMTP".to_owned()),
        None => MailError::Unknown(with_causes(error)),
    }
}

/// lettre tells a connection that was not made from one that was lost by its text alone.
fn is_connecting(error: &smtp::Error) -> bool {
    error.to_string().starts_with("Connection error")
}

fn message(letter: &Letter<'_>) -> Result<Message, String> {
    let from = mailbox(letter.from, Some(letter.from_name.to_owned()));
    let to = mailbox(letter.to, None);
    let (from, to) = from
        .and_then(|from| Ok((from, to?)))
        .map_err(|error| error.to_string())?;
    let text = letter.text;
    // No label has any, and lettre is not to be what sees to it.
    let fields = [letter.from_name, &text.subject];
    if fields.iter().any(|field| field.contains(char::is_control)) {
        return Err("a control character is in its name or subject".to_owned());
    }
    let part =
        |kind: ContentType, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
    let id = format!("<{}@{}>", letter.id, from.email.domain());
    let mut message = Message::builder()
        .from(from)
        .to(to)
        .subject(&text.subject)
        .message_id(Some(id))
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, &text.text))
                .singlepart(part(ContentType::TEXT_HTML, &text.html)),
        )
        .map_err(|error| error.to_string())?;
    // Nobody's absence is to answer it (RFC 3834 §5).
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    let value = HeaderValue::new(name, "auto-generated".to_owned());
    message.headers_mut().insert_raw(value);
    Ok(message)
}

fn mailbox(address: &Email, name: Option<String>) -> Result<Mailbox, AddressError> {
    Ok(Mailbox::new(name, address.as_str().parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::message::EmailText;

    fn raw(from_name: &str, subject: &str, to: &str) -> Result<String, String> {
        let [from, to] = ["mfa@example.com", to].map(|address| Email::parse(address).unwrap());
        let text = EmailText {
            subject: subject.to_owned(),
            text: "Your code is 012345.".to_owned(),
            html: "<p>Your code is <b>012345</b>.</p>".to_owned(),
        };
        let letter = Letter {
            id: "msg_1",
            from: &from,
            from_name,
            to: &to,
            text: &text,
        };
        let message = message(&letter)?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn a_letter_is_multipart_and_says_that_a_machine_wrote_it() {
        let raw = raw("Zoë & Co", "Tu código", "ann@example.net").unwrap();
        for line in [
            "To: ann@example.net\r\n",
            "Message-ID: <msg_1@example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
            "Date: ",
        ] {
            assert!(raw.contains(line), "{line}\n{raw}");
        }
        assert!(raw.contains("<mfa@example.com>"), "{raw}");
        let (head, _) = raw.split_once("\r\n\r\n").unwrap();
        assert!(head.is_ascii(), "{head}");
    }

    #[test]
    fn atk_71_a_name_or_a_subject_cannot_add_a_header() {
        for evil in ["Shop\r\nBcc: eve@evil.example", "Shop\nBcc: eve", "Sh\0op"] {
            assert!(raw(evil, "Your code", "ann@example.net").is_err());
            assert!(raw("Shop", evil, "ann@example.net").is_err());
        }
    }
}
