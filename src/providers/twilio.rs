//! Twilio Messages: `POST /2010-04-01/Accounts/{sid}/Messages.json`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};

use super::SendError;
use crate::config::{TwilioConfig, TwilioSender};
use crate::domain::contact::phone::Phone;
use crate::platform::HttpClient;

/// Sends one SMS. Once Twilio has accepted it, it is not waited for: delivery is reported later, elsewhere.
pub async fn send(
    http: &dyn HttpClient,
    config: &TwilioConfig,
    to: &Phone,
    body: &str,
    timeout: Duration,
) -> Result<(), SendError> {
    let request =
        request(config, to, body).map_err(|error| SendError::Failed(error.to_string()))?;
    super::send(http, request, timeout, error_code).await
}

/// The form of the official libraries: `To`, then who it is from, then `Body`.
fn request(config: &TwilioConfig, to: &Phone, body: &str) -> Result<Request<Vec<u8>>, http::Error> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("To", to.as_str());
    match &config.sender {
        TwilioSender::From(number) => form.append_pair("From", number.as_str()),
        TwilioSender::MessagingService(sid) => form.append_pair("MessagingServiceSid", sid),
    };
    form.append_pair("Body", body);
    let sid = &config.account_sid;
    let mut authorization = HeaderValue::from_str(&format!(
        "Basic {}",
        STANDARD.encode(format!("{sid}:{}", config.auth_token.reveal()))
    ))?;
    authorization.set_sensitive(true);
    // The account id is letters and digits (config), so nothing of a user's can reach the path (ATK-72).
    Request::builder()
        .method(Method::POST)
        .uri(format!(
            "{}/2010-04-01/Accounts/{sid}/Messages.json",
            config.base.as_str()
        ))
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(form.finish().into_bytes())
}

/// Twilio's number for what was wrong, such as 21211.
fn error_code(body: &[u8]) -> Option<i64> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    problem.get("code")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn config(sender: (&str, &str)) -> TwilioConfig {
        let variables = [
            (
                "MASTER_KEYS",
                "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ),
            ("PUBLIC_URL", "https://mfa.example.com"),
            ("TWILIO_ACCOUNT_SID", "AC0123"),
            ("TWILIO_AUTH_TOKEN", "token"),
            sender,
        ];
        let lookup = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Config::from_lookup(lookup).unwrap().twilio.unwrap()
    }

    #[test]
    fn a_message_is_the_form_twilio_documents() {
        let to = Phone::parse("+34600111222").unwrap();
        let request = request(
            &config(("TWILIO_FROM", "+15005550006")),
            &to,
            "1 & 2\n\n@a.example #1",
        )
        .unwrap();
        assert_eq!(
            request.uri(),
            "https://api.twilio.com/2010-04-01/Accounts/AC0123/Messages.json"
        );
        assert_eq!(request.headers()[AUTHORIZATION], "Basic QUMwMTIzOnRva2Vu");
        let body = String::from_utf8(request.into_body()).unwrap();
        assert_eq!(
            body,
            "To=%2B34600111222&From=%2B15005550006&Body=1+%26+2%0A%0A%40a.example+%231"
        );
    }

    #[test]
    fn a_messaging_service_takes_the_place_of_the_number() {
        let to = Phone::parse("+34600111222").unwrap();
        let request = request(&config(("TWILIO_MESSAGING_SERVICE_SID", "MG01")), &to, "x").unwrap();
        let body = String::from_utf8(request.into_body()).unwrap();
        assert_eq!(body, "To=%2B34600111222&MessagingServiceSid=MG01&Body=x");
    }

    #[test]
    fn the_error_code_is_read_from_what_is_json_and_from_nothing_else() {
        assert_eq!(
            error_code(br#"{"code":21211,"message":"The 'To' number is not valid","status":400}"#),
            Some(21211)
        );
        for garbage in [b"".as_slice(), b"<html>", b"[]", br#"{"code":"x"}"#] {
            assert_eq!(error_code(garbage), None);
        }
    }
}
