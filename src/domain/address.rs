//! Addresses an operator sets for the hosted page: where it sends a browser, and where help is. A browser goes
//! where they say, so what they may be is said here, character by character (ATK-98).

use serde::{Deserialize, Serialize};

/// Where a session's browser goes when it ends: compared byte for byte with what a request names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ReturnUrl(String);

const LONGEST: usize = 512;

impl ReturnUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is plain http, which a service in development alone lets through.
    pub fn is_plain(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// Host and port, for the page to compare.
    pub fn host(&self) -> &str {
        authority(&self.0).unwrap_or_default()
    }

    /// The address with these parameters behind its own.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        let sign = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{sign}{}", self.0, query.finish())
    }
}

impl TryFrom<String> for ReturnUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const EXPECTED: &str = "an https address (http for localhost only) of at most 512 characters, with no \
             user, no fragment and no parameter code, state or error, such as https://shop.example/mfa/done";
        let host = host_of(&text).ok_or(EXPECTED)?;
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let secure = text.starts_with("https://");
        let fits = is_uri_text(&text) && !text.contains('#') && (secure || local);
        (fits && !has_own_parameter(&text))
            .then_some(Self(text))
            .ok_or(EXPECTED)
    }
}

/// Where a person finds help: a page or a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SupportUrl(String);

impl SupportUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SupportUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let mailbox = text.strip_prefix("mailto:");
        let is_mailbox = mailbox.is_some_and(|address| {
            let (name, domain) = address.split_once('@').unwrap_or_default();
            !name.is_empty() && is_host(domain) && !address.contains(['?', '&', ',', '%'])
        });
        let is_page = text.starts_with("https://") && host_of(&text).is_some();
        (is_uri_text(&text) && (is_mailbox || is_page))
            .then_some(Self(text))
            .ok_or("an https: or mailto: address of at most 512 characters")
    }
}

/// The characters of RFC 3986 without a quotation mark: an address stands in HTML and in headers.
pub(super) fn is_uri_text(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&byte);
    text.len() <= LONGEST && text.bytes().all(allowed)
}

fn authority(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    rest.split(['/', '?', '#']).next()
}

/// The host of an http address without a user, if it is one.
pub(super) fn host_of(text: &str) -> Option<&str> {
    let authority = authority(text)?;
    if let Some(port) = authority.strip_prefix("[::1]") {
        return is_port(port).then_some("[::1]");
    }
    let end = authority.find(':').unwrap_or(authority.len());
    let (host, port) = authority.split_at_checked(end)?;
    (is_host(host) && is_port(port)).then_some(host)
}

/// Nothing, or a colon and a number.
fn is_port(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(':') else {
        return text.is_empty();
    };
    digits.parse::<u16>().is_ok_and(|port| port > 0) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_host(text: &str) -> bool {
    let label_ok = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label_ok)
}

/// The application could not tell its own from the answer's.
fn has_own_parameter(text: &str) -> bool {
    let query = text.split_once('?').map(|(_, query)| query);
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(name, _)| matches!(&*name, "code" | "state" | "error"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ReturnUrl, &'static str> {
        ReturnUrl::try_from(text.to_owned())
    }

    #[test]
    fn atk_98_a_return_url_is_https_or_this_machine_and_names_one_host_beyond_doubt() {
        for good in [
            "https://shop.example",
            "https://shop.example/mfa/done",
            "https://shop.example:8443/a?b=c",
            "http://localhost:3000/done",
            "http://127.0.0.1/done",
            "http://[::1]:3000/done",
        ] {
            assert_eq!(parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "shop.example",
            "//shop.example",
            "http://shop.example/",
            "http://localhost.evil.example/",
            "http://localhost@evil.example/",
            "https://shop.example@evil.example/",
            "https://shop.example:pass@evil.example/",
            "https://shop.example:443443/",
            "https://shop.example:/",
            "https://shop.example:0/",
            "https://shop.example:+443/",
            "https:\\\\shop.example",
            "https://shop.example\\@evil.example",
            "https:///shop.example",
            "https:shop.example",
            "HTTPS://shop.example",
            "https://SHOP.example",
            "https://shop..example",
            "https://-shop.example",
            "https://shop.example/#fragment",
            "https://shop.example/ a",
            "https://shop.example/\"",
            "https://shop.example/'",
            "https://shop.example/<",
            "https://shop.example/\n",
            "https://shop.example/\u{202e}",
            "https://shöp.example/",
            "https://shop.example/?code=1",
            "https://shop.example/?a=b&st%61te=1",
            "https://shop.example/?error=1",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://shop.example/",
            " https://shop.example/",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse(&format!("https://shop.example/{}", "a".repeat(491))).is_ok());
        assert!(parse(&format!("https://shop.example/{}", "a".repeat(492))).is_err());
    }

    #[test]
    fn what_is_added_to_an_address_is_encoded_and_stands_behind_its_own() {
        let plain = parse("https://shop.example/done").unwrap();
        let answer = plain.with(&[("code", "a b"), ("state", "&error=x#y")]);
        assert_eq!(
            answer,
            "https://shop.example/done?code=a+b&state=%26error%3Dx%23y"
        );
        let with_query = parse("https://shop.example:8443/done?a=b").unwrap();
        let answer = with_query.with(&[("code", "c")]);
        assert_eq!(answer, "https://shop.example:8443/done?a=b&code=c");
        assert_eq!(with_query.host(), "shop.example:8443");
    }

    #[test]
    fn help_is_a_page_or_a_mailbox() {
        let parse = |text: &str| SupportUrl::try_from(text.to_owned());
        for good in ["https://shop.example/help#mfa", "mailto:help@shop.example"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://shop.example/help",
            "javascript:alert(1)",
            "mailto:",
            "mailto:help",
            "mailto:help@shop.example?bcc=x@evil.example",
            "mailto:a@shop.example,b@evil.example",
            "tel:+34600111222",
            "https://",
            "https://shop.example/\">",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
