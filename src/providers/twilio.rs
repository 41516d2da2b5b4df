//! Twilio: SMS and WhatsApp by `POST /2010-04-01/Accounts/{sid}/Messages.json`, calls by `…/Calls.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};

use crate::config::{TwilioConfig, TwilioSender, WhatsappConfig};
use crate::domain::codes::numeric::NumericCode;
use crate::domain::contact::message::Spoken;
use crate::domain::contact::phone::Phone;
use crate::domain::settings::Locale;

/// Seconds a phone rings. A voice mailbox answers later, on most networks: what is said to it waits there for
/// whoever gets into it.
const RINGING: &str = "20";

/// One SMS, in the form of the official libraries: `To`, then who it is from, then `Body`. Once Twilio has accepted
/// it, it is not waited for: delivery is reported later, elsewhere.
pub(super) fn sms(
    config: &TwilioConfig,
    sender: &TwilioSender,
    to: &Phone,
    body: &str,
) -> Result<Request<Vec<u8>>, http::Error> {
    let from = match sender {
        TwilioSender::From(number) => ("From", number.as_str()),
        TwilioSender::MessagingService(sid) => ("MessagingServiceSid", sid.as_str()),
    };
    let form = [("To", to.as_str()), from, ("Body", body)];
    request(config, "Messages", &form)
}

/// One WhatsApp message: a template of the kind "authentication", which has the code as its only variable.
pub(super) fn whatsapp(
    config: &TwilioConfig,
    sender: &WhatsappConfig,
    to: &Phone,
    code: &NumericCode,
    locale: Locale,
) -> Result<Request<Vec<u8>>, http::Error> {
    let spanish = sender.spanish_template.as_ref();
    let template = match locale {
        Locale::Es => spanish.unwrap_or(&sender.template),
        Locale::En => &sender.template,
    };
    let variables = serde_json::json!({"1": code.as_str()}).to_string();
    let form = [
        ("To", &*format!("whatsapp:{}", to.as_str())),
        ("From", &*format!("whatsapp:{}", sender.from.as_str())),
        ("ContentSid", template),
        ("ContentVariables", &variables),
    ];
    request(config, "Messages", &form)
}

/// One call that reads a code out.
pub(super) fn call(
    config: &TwilioConfig,
    from: &Phone,
    to: &Phone,
    spoken: &Spoken<'_>,
) -> Result<Request<Vec<u8>>, http::Error> {
    let form = [
        ("To", to.as_str()),
        ("From", from.as_str()),
        ("Twiml", &twiml(spoken)),
        ("Timeout", RINGING),
    ];
    request(config, "Calls", &form)
}

/// The digits one by one with a second between, and all of it twice.
fn twiml(spoken: &Spoken<'_>) -> String {
    let say = |text: &str| {
        let text = escaped(text);
        ["<Say language=\"", spoken.language, "\">", &text, "</Say>"].concat()
    };
    let mut digits = String::new();
    for digit in spoken.digits.chars() {
        digits += &say(digit.encode_utf8(&mut [0; 4]));
        digits += "<Pause length=\"1\"/>";
    }
    let (first, again, end) = (say(&spoken.first), say(spoken.again), say(spoken.end));
    [
        "<Response>",
        &first,
        &digits,
        &again,
        &digits,
        &end,
        "</Response>",
    ]
    .concat()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn request(
    config: &TwilioConfig,
    resource: &str,
    form: &[(&str, &str)],
) -> Result<Request<Vec<u8>>, http::Error> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form {
        body.append_pair(name, value);
    }
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
            "{}/2010-04-01/Accounts/{sid}/{resource}.json",
            config.base.as_str()
        ))
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(body.finish().into_bytes())
}

/// Twilio's number for what was wrong, such as 21211.
pub(super) fn error_code(body: &[u8]) -> Option<i64> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    problem.get("code")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::domain::contact::message::Notice;
    use crate::domain::method::Purpose;

    fn config(senders: &[(&str, &str)]) -> TwilioConfig {
        let variables = [
            (
                "MASTER_KEYS",
                "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ),
            ("PUBLIC_URL", "https://mfa.example.com"),
            ("TWILIO_ACCOUNT_SID", "AC0123"),
            ("TWILIO_AUTH_TOKEN", "token"),
        ];
        let lookup = |name: &str| {
            let found = variables.iter().chain(senders);
            let mut found = found.filter(|(key, _)| *key == name);
            found.next().map(|(_, value)| (*value).to_owned())
        };
        let config = Config::from_lookup(lookup).unwrap();
        config.providers.twilio.unwrap()
    }

    fn form(request: Request<Vec<u8>>) -> Vec<(String, String)> {
        let body = request.into_body();
        form_urlencoded::parse(&body)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    fn to() -> Phone {
        Phone::parse("+34600111222").unwrap()
    }

    #[test]
    fn an_sms_is_the_form_twilio_documents() {
        let config = config(&[("TWILIO_FROM", "+15005550006")]);
        let sender = config.sms.as_ref().unwrap();
        let request = sms(&config, sender, &to(), "1 & 2\n\n@a.example #1").unwrap();
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
        let config = config(&[("TWILIO_MESSAGING_SERVICE_SID", "MG01")]);
        let sender = config.sms.as_ref().unwrap();
        let request = sms(&config, sender, &to(), "x").unwrap();
        let body = String::from_utf8(request.into_body()).unwrap();
        assert_eq!(body, "To=%2B34600111222&MessagingServiceSid=MG01&Body=x");
    }

    #[test]
    fn a_whatsapp_message_is_the_template_of_its_language_and_the_code() {
        let senders = [
            ("TWILIO_WHATSAPP_FROM", "+15005550006"),
            ("TWILIO_WHATSAPP_CONTENT_SID", "HX01"),
        ];
        let spanish = ("TWILIO_WHATSAPP_CONTENT_SID_ES", "HX02");
        let code = NumericCode::parse("012345").unwrap();
        let template = |senders: &[(&str, &str)], locale| {
            let config = config(senders);
            let sender = config.whatsapp.as_ref().unwrap();
            let request = whatsapp(&config, sender, &to(), &code, locale).unwrap();
            assert!(request.uri().path().ends_with("/AC0123/Messages.json"));
            let form = form(request);
            let value = |place: usize| (form[place].0.as_str(), form[place].1.as_str());
            assert_eq!(value(0), ("To", "whatsapp:+34600111222"));
            assert_eq!(value(1), ("From", "whatsapp:+15005550006"));
            assert_eq!(value(3), ("ContentVariables", r#"{"1":"012345"}"#));
            assert_eq!(form.len(), 4);
            form[2].1.clone()
        };
        assert_eq!(template(&senders, Locale::En), "HX01");
        assert_eq!(template(&senders, Locale::Es), "HX01");
        let both = [senders.as_slice(), &[spanish]].concat();
        assert_eq!(template(&both, Locale::Es), "HX02");
        assert_eq!(template(&both, Locale::En), "HX01");
    }

    #[test]
    fn a_call_reads_the_digits_one_by_one_and_twice() {
        let config = config(&[("TWILIO_VOICE_FROM", "+15005550006")]);
        let code = NumericCode::parse("012345").unwrap();
        let notice = Notice {
            issuer: "Tom & <Co>",
            purpose: Purpose::Verify,
            locale: Locale::Es,
            code: &code,
        };
        let from = config.voice.as_ref().unwrap();
        let request = call(&config, from, &to(), &notice.spoken()).unwrap();
        assert!(request.uri().path().ends_with("/AC0123/Calls.json"));
        let form = form(request);
        let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["To", "From", "Twiml", "Timeout"]);
        let twiml = &form[2].1;
        assert!(twiml.len() < 4000, "more is not taken");
        let document = roxmltree::Document::parse(twiml).unwrap();
        let verbs: Vec<_> = document.root_element().children().collect();
        let said = verbs.iter().filter(|verb| verb.has_tag_name("Say"));
        let said: Vec<&str> = said.map(|verb| verb.text().unwrap()).collect();
        let digits = ["0", "1", "2", "3", "4", "5"];
        assert_eq!(
            (said.len(), &said[1..7], &said[8..14]),
            (15, &digits[..], &digits[..])
        );
        assert!(said[0].contains("Tom & Co"), "{}", said[0]);
        let pauses = verbs.iter().filter(|verb| verb.has_tag_name("Pause"));
        assert_eq!(pauses.count(), 12);
        let languages = verbs.iter().filter_map(|verb| verb.attribute("language"));
        assert!(languages.clone().all(|language| language == "es-ES"));
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
