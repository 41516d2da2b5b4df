use serde_json::Value;

use super::*;
use crate::domain::crypto::digest;

const EXPECTED: &str = include_str!("../../../../tests/vectors/emails.json");
const EXAMPLES: &str = include_str!("../../../../web/emails/examples.json");

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}

/// A mail of the examples, with everything that may be missing or without it.
fn example(mail: Mail, locale: Locale, full: bool) -> EmailText {
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap();
    let (brand, asked, about) = (
        &examples["brand"],
        &examples["asked"],
        &examples["mails"][mail.name()],
    );
    let ways: Vec<String> = serde_json::from_value(about["ways"].clone()).unwrap_or_default();
    let about = About {
        at: UnixTime::from_secs(number(asked, "at").unwrap()),
        browser: text(asked, "browser").filter(|_| full),
        opens_at: number(about, "opens_at").map(UnixTime::from_secs),
        minutes: number(about, "minutes"),
        code: text(about, "code"),
        url: text(about, "url"),
        stop_url: text(about, "stop_url"),
        destination: text(about, "destination"),
        way: text(about, "type"),
        name: text(about, "name"),
        ways: &ways,
    };
    let look = Look {
        app: text(brand, "app").unwrap(),
        colour: (!full).then_some("#f5d90a"),
        support: text(brand, "support").filter(|_| full),
    };
    render(mail, locale, look, &about)
}

#[test]
fn every_mail_is_that_of_the_reference_byte_for_byte() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    for mail in Mail::ALL {
        for (locale, language) in [(Locale::En, "en"), (Locale::Es, "es")] {
            for (full, kind) in [(true, "full"), (false, "bare")] {
                let mail_text = example(mail, locale, full);
                let name = format!("{} {language} {kind}", mail.name());
                let expected = &expected[&name];
                assert_eq!(
                    Some(mail_text.subject.as_str()),
                    expected["subject"].as_str(),
                    "{name}"
                );
                assert_eq!(
                    Some(mail_text.text.as_str()),
                    expected["text"].as_str(),
                    "{name}"
                );
                let html = digest::sha256_hex(mail_text.html.as_bytes());
                assert_eq!(
                    Some(html.as_str()),
                    expected["html_sha256"].as_str(),
                    "{name}: {}",
                    mail_text.html
                );
            }
        }
    }
}

#[test]
fn atk_71_whoever_names_a_way_puts_no_link_markup_header_or_place_into_a_mail() {
    let name = "x</p><a href=\"https://evil.example\">see https://evil.example</a>\r\nBcc: a@evil.example {code} $& \u{2028}";
    let look = Look {
        app: "A & \"B\" <i>\r\nBcc: somebody",
        colour: None,
        support: Some("https://meadow.example/help"),
    };
    let ways = [name.to_owned(), name.to_owned()];
    for mail in [Mail::WayAdded, Mail::WayRemoved, Mail::Recovered] {
        let about = About {
            way: Some("totp"),
            name: Some(name),
            ways: &ways,
            ..About::default()
        };
        let letter = render(mail, Locale::En, look, &about);
        assert!(!letter.subject.contains(['\r', '\n']));
        assert!(!letter.html.contains("<i>") && !letter.html.contains("https://evil"));
        assert_eq!(
            letter.html.matches("<a ").count(),
            letter
                .html
                .matches("href=\"https://meadow.example/help\"")
                .count()
        );
        assert!(!letter.text.contains("https://evil") && !letter.text.contains("a@evil"));
        assert!(!letter.text.contains("\nBcc"));
        assert!(letter.text.contains("{code} $&"));
    }
}
