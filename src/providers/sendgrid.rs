//! SendGrid v3: `POST /v3/mail/send`.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use serde_json::json;

use crate::config::SendGridConfig;
use crate::domain::contact::email::Email;
use crate::domain::contact::message::EmailText;

/// One e-mail, under the configured name or else the sender's.
pub(super) fn request(
    config: &SendGridConfig,
    sender: &str,
    to: &Email,
    text: &EmailText,
) -> Result<Request<Vec<u8>>, http::Error> {
    let name = config
        .from_name
        .as_ref()
        .map_or(sender, |name| name.as_str());
    // Tracking would send the code's reader through somebody else's link.
    let body = json!({
        "personalizations": [{"to": [{"email": to.as_str()}]}],
        "from": {"email": config.from.as_str(), "name": name},
        "subject": text.subject,
        "content": [{"type": "text/plain", "value": text.text}, {"type": "text/html", "value": text.html}],
        "tracking_settings": {
            "click_tracking": {"enable": false, "enable_text": false},
            "open_tracking": {"enable": false},
        },
    });
    let mut authorization = HeaderValue::from_str(&format!("Bearer {}", config.api_key.reveal()))?;
    authorization.set_sensitive(true);
    Request::builder()
        .method(Method::POST)
        .uri(format!("{}/v3/mail/send", config.base.as_str()))
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(body.to_string().into_bytes())
}
