//! For which pages a client's passkeys are made.

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use super::webauthn::{RelyingParty, UserVerification};

/// The domain passkeys are bound to: a host name, in lower case as browsers compare it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RpId(String);

impl RpId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RpId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let label_ok = |label: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let edges = !label.starts_with('-') && !label.ends_with('-');
            edges && (1..=63).contains(&label.len()) && label.bytes().all(allowed)
        };
        // A name that ends in digits is an address, and a single name is nobody's own.
        let last = text.rsplit('.').next().unwrap_or_default();
        let is_domain = text.contains('.') && last.bytes().any(|byte| byte.is_ascii_alphabetic());
        let sized = text.len() <= 253;
        (sized && (is_domain || text == "localhost") && text.split('.').all(label_ok))
            .then(|| Self(text.to_ascii_lowercase()))
            .ok_or("a host name without scheme, port or path, such as shop.example")
    }
}

/// The origin of a page, as browsers write it: `https`, the host in lower case, and the port if it is another than 443.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PageOrigin {
    text: String,
    host: String,
}

impl PageOrigin {
    /// Whether a page there may ask for passkeys of `rp_id`, which is its host or a domain above it (Web
    /// Authentication §5.1.3, HTML's "is a registrable domain suffix of or is equal to").
    fn belongs_to(&self, rp_id: &str) -> bool {
        let above = self.host.strip_suffix(rp_id);
        above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl TryFrom<String> for PageOrigin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const WRONG: &str =
            "an origin as browsers write it, such as https://shop.example or http://localhost:3000";
        let (scheme, authority) = text.split_once("://").ok_or(WRONG)?;
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let default = if scheme == "https" { 443 } else { 80 };
        let port_ok = port.is_none_or(|port| {
            let number = port.parse::<u16>().ok();
            number.is_some_and(|number| number != default && number.to_string() == port)
        });
        // Browsers take a page of localhost for safe, and no other without TLS.
        let scheme_ok = scheme == "https" || (scheme == "http" && host == "localhost");
        let host = RpId::try_from(host.to_owned()).map_err(|_| WRONG)?.0;
        let lower = authority.bytes().all(|byte| !byte.is_ascii_uppercase());
        (scheme_ok && port_ok && lower)
            .then_some(Self { text, host })
            .ok_or(WRONG)
    }
}

impl From<PageOrigin> for String {
    fn from(origin: PageOrigin) -> Self {
        origin.text
    }
}

/// What a client's passkeys are made for, its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    id: String,
    origins: Vec<String>,
    user_verification: UserVerification,
}

impl Party {
    /// `own` is this service's host.
    pub fn of(settings: &Settings, own: &str) -> Self {
        let id = settings.passkey_rp_id.as_ref();
        let id = id.map_or(own, RpId::as_str).to_owned();
        let origins = match &settings.passkey_origins {
            Some(origins) => origins.iter().map(|origin| origin.text.clone()).collect(),
            None => vec![format!("https://{id}")],
        };
        Self {
            id,
            origins,
            user_verification: settings.passkey_user_verification,
        }
    }

    /// With this service's own hosted page, where that may ask for these passkeys. `host` is its host without a port.
    #[must_use]
    pub fn and_page(mut self, origin: &str, host: &str) -> Self {
        let above = host.strip_suffix(self.id.as_str());
        let fits = above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if fits && !self.origins.iter().any(|other| other == origin) {
            self.origins.push(origin.to_owned());
        }
        self
    }

    pub fn as_party(&self) -> RelyingParty<'_> {
        RelyingParty {
            id: &self.id,
            origins: &self.origins,
            user_verification: self.user_verification,
        }
    }
}

/// The first origin at which no browser gives out passkeys of this client. `own` is this service's host.
pub fn stray_origin<'a>(settings: &'a Settings, own: &str) -> Option<&'a str> {
    let id = settings.passkey_rp_id.as_ref().map_or(own, RpId::as_str);
    let mut origins = settings.passkey_origins.iter().flatten();
    let stray = origins.find(|origin| !origin.belongs_to(id))?;
    Some(&stray.text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(json: serde_json::Value) -> Settings {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_rp_id_is_a_host() {
        for good in [
            "shop.example",
            "localhost",
            "a.b-c.co",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(RpId::try_from(good.to_owned()).unwrap().as_str(), good);
        }
        let lower = RpId::try_from("Shop.Example".to_owned()).unwrap();
        assert_eq!(lower.as_str(), "shop.example");
        for bad in [
            "",
            "com",
            "127.0.0.1",
            "[::1]",
            "https://shop.example",
            "shop.example:443",
            "shop.example/",
            ".shop.example",
            "shop.example.",
            "shop..example",
            "-shop.example",
            "shop_.example",
            "búcher.example",
            &format!("{}.example", "a".repeat(64)),
            &format!("{}example", "a.".repeat(124)),
        ] {
            assert!(RpId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for good in [
            "https://shop.example",
            "https://login.shop.example:8443",
            "http://localhost:3000",
            "http://localhost",
            "https://localhost",
        ] {
            let origin = PageOrigin::try_from(good.to_owned()).unwrap();
            assert_eq!(json!(origin), good);
        }
        for bad in [
            "",
            "shop.example",
            "http://shop.example",
            "https://shop.example/",
            "https://shop.example:443",
            "http://localhost:80",
            "https://shop.example:08443",
            "https://shop.example:",
            "https://Shop.example",
            "https://shop.example:65536",
            "https://ann@shop.example",
            "https://*.shop.example",
            "null",
            "android:apk-key-hash:x",
            "https://127.0.0.1",
        ] {
            assert!(PageOrigin::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn atk_93_origins_belong_to_the_rp_id_on_whole_labels() {
        let stray = |id: &str, origin: &str| {
            let settings = settings(json!({"passkey_rp_id": id, "passkey_origins": [origin]}));
            stray_origin(&settings, "mfa.example.com").is_some()
        };
        for origin in [
            "https://shop.example",
            "https://login.shop.example",
            "https://a.b.shop.example:8443",
        ] {
            assert!(!stray("shop.example", origin), "{origin}");
        }
        for origin in [
            "https://evilshop.example",
            "https://shop.example.evil.example",
            "https://example.org",
        ] {
            assert!(stray("shop.example", origin), "{origin}");
        }
        assert!(stray("login.shop.example", "https://shop.example"));
        let own = settings(json!({"passkey_origins": ["https://example.com"]}));
        assert_eq!(
            stray_origin(&own, "mfa.example.com"),
            Some("https://example.com")
        );
        assert_eq!(stray_origin(&own, "example.com"), None);
    }

    #[test]
    fn what_is_not_set_is_this_services_own_host() {
        let party = Party::of(&Settings::default(), "mfa.example.com");
        let expected = Party {
            id: "mfa.example.com".to_owned(),
            origins: vec!["https://mfa.example.com".to_owned()],
            user_verification: UserVerification::Preferred,
        };
        assert_eq!(party, expected);
        let set = settings(
            json!({"passkey_rp_id": "shop.example", "passkey_user_verification": "required"}),
        );
        let party = Party::of(&set, "mfa.example.com");
        assert_eq!(party.origins, ["https://shop.example"]);
        assert_eq!(
            party.as_party().user_verification,
            UserVerification::Required
        );
    }
}
