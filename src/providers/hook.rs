//! A gateway of the operator's own: messages as JSON, signed the way of Standard Webhooks, so that whatever
//! carries them can be put behind it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use serde::Serialize;
use sha2::Sha256;

use super::{Content, Message};
use crate::config::{HookConfig, HookKey};
use crate::domain::codes::numeric::NumericCode;
use crate::domain::ids::ClientId;
use crate::domain::method::{Channel, MessagePurpose};
use crate::domain::settings::Locale;
use crate::domain::time::UnixTime;

/// What a gateway gets. Which user it is for is not said: to carry a message takes no more than this.
#[derive(Serialize)]
struct Body<'a> {
    channel: Channel,
    destination: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
    /// For gateways that have templates of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    purpose: MessagePurpose,
    locale: Locale,
    sender: &'a str,
    client_id: &'a ClientId,
}

pub(super) fn request(
    config: &HookConfig,
    message: &Message<'_>,
    now: UnixTime,
) -> Result<Request<Vec<u8>>, http::Error> {
    let body = body(message);
    let timestamp = now.as_secs().to_string();
    let content = format!("{}.{timestamp}.{body}", message.id);
    let signatures: Vec<String> = config
        .keys
        .iter()
        .map(|key| signature(key, content.as_bytes()))
        .collect();
    Request::builder()
        .method(Method::POST)
        .uri(&config.url)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures.join(" "))
        .body(body.into_bytes())
}

fn body(message: &Message<'_>) -> String {
    let (channel, destination, text, mail) = match &message.content {
        Content::ToPhone { to, text, .. } => (Channel::Sms, to.as_str(), *text, None),
        Content::ToMailbox { to, text } => (Channel::Email, to.as_str(), &*text.text, Some(*text)),
    };
    let body = Body {
        channel,
        destination,
        text,
        subject: mail.map(|mail| &*mail.subject),
        html: mail.map(|mail| &*mail.html),
        code: message.code.map(NumericCode::as_str),
        purpose: message.purpose,
        locale: message.locale,
        sender: message.sender,
        client_id: message.client,
    };
    serde_json::json!(body).to_string()
}

/// HMAC-SHA-256 over id, time and body (Standard Webhooks, "Signature scheme"), of version 1.
fn signature(key: &HookKey, content: &[u8]) -> String {
    // A key up to the hash's block is filled up with zeros (RFC 2104 §2); none is longer.
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key.bytes()) {
        *to = *from;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(content);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::domain::contact::email::Email;
    use crate::domain::contact::message::EmailText;
    use crate::domain::contact::phone::Phone;

    /// The secret of Standard Webhooks' own examples.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

    fn config(secrets: &str) -> HookConfig {
        let lookup = |name: &str| {
            let found = match name {
                "MASTER_KEYS" => "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                "PUBLIC_URL" => "https://mfa.example.com",
                "HOOK_URL" => "https://gateway.example/messages?of=candado",
                "HOOK_SECRET" => secrets,
                _ => return None,
            };
            Some(found.to_owned())
        };
        Config::from_lookup(lookup).unwrap().providers.hook.unwrap()
    }

    fn sent(
        config: &HookConfig,
        code: Option<&NumericCode>,
        content: Content<'_>,
    ) -> Request<Vec<u8>> {
        let client = ClientId::try_from("shop".to_owned()).unwrap();
        let message = Message {
            id: "msg_1".to_owned(),
            client: &client,
            sender: "The Shop",
            purpose: MessagePurpose::Verify,
            locale: Locale::Es,
            code,
            content,
        };
        request(config, &message, UnixTime::from_secs(1_760_000_000)).unwrap()
    }

    #[test]
    fn a_signature_is_the_one_standard_webhooks_publishes() {
        let content = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        let keys = config(SECRET).keys;
        assert_eq!(
            signature(&keys[0], content),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_gateway_gets_all_it_needs_and_not_whose_it_is() {
        let code = NumericCode::parse("012345").unwrap();
        let to = Phone::parse("+34600111222").unwrap();
        let content = Content::ToPhone {
            to: &to,
            text: "012345 es tu clave",
            spoken: None,
        };
        let request = sent(&config(SECRET), Some(&code), content);
        assert_eq!(request.uri(), "https://gateway.example/messages?of=candado");
        assert_eq!(request.headers()["webhook-id"], "msg_1");
        assert_eq!(request.headers()["webhook-timestamp"], "1760000000");
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(
            body,
            json!({
                "channel": "sms", "destination": "+34600111222", "text": "012345 es tu clave", "code": "012345",
                "purpose": "verify", "locale": "es", "sender": "The Shop", "client_id": "shop",
            })
        );
        let to = Email::parse("ann@example.com").unwrap();
        let [subject, text, html] = ["Your code", "plain", "<p>"].map(str::to_owned);
        let text = &EmailText {
            subject,
            text,
            html,
        };
        let content = Content::ToMailbox { to: &to, text };
        let body = sent(&config(SECRET), None, content).into_body();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            json!({
                "channel": "email", "destination": "ann@example.com", "subject": "Your code", "text": "plain",
                "html": "<p>", "purpose": "verify", "locale": "es", "sender": "The Shop", "client_id": "shop",
            })
        );
    }

    #[test]
    fn while_the_key_changes_both_sign() {
        let to = Phone::parse("+34600111222").unwrap();
        let signatures = |secrets: &str| {
            let content = Content::ToPhone {
                to: &to,
                text: "x",
                spoken: None,
            };
            let request = sent(&config(secrets), None, content);
            let header = request.headers()["webhook-signature"].to_str();
            header.unwrap().to_owned()
        };
        let both = signatures(&format!("{OTHER},{SECRET}"));
        assert_eq!(both, [signatures(OTHER), signatures(SECRET)].join(" "));
    }
}
