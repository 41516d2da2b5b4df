//! E-mail addresses, checked for what matters here: that they are one address and carry no header.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address such as ann@example.com, of at most 254 characters")]
pub struct EmailError;

/// An address with its domain in lower case (RATE-08). The local part is left as given: its case may matter.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Email(String);

impl Email {
    /// RFC 5321's limits, and only characters that need no quoting: what a mail form accepts.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError)?;
        let local_ok = (1..=64).contains(&local.len())
            && local.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
            })
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let label_ok = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let domain_ok = domain.contains('.') && domain.split('.').all(label_ok);
        (local_ok && domain_ok && text.len() <= 254)
            .then(|| Self(format!("{local}@{}", domain.to_ascii_lowercase())))
            .ok_or(EmailError)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mailbox behind the address, for counting: many providers deliver `ann+anything` to `ann`, and none
    /// tells `Ann` from `ann`. It is not an address to send to.
    pub fn mailbox(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or_default();
        let name = local.split_once('+').map_or(local, |(name, _)| name);
        format!("{}@{domain}", name.to_ascii_lowercase())
    }

    /// The first character and the domain; the rest hidden (OOB-15).
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or_default();
        let first = local.chars().next().unwrap_or('•');
        format!("{first}•••@{domain}")
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atk_70_addresses_with_a_plus_are_counted_as_one_mailbox() {
        for (address, mailbox) in [
            ("Ann.B+mfa@Example.COM", "ann.b@example.com"),
            ("ann+1+2@example.com", "ann@example.com"),
            ("ann@example.com", "ann@example.com"),
            ("+ann@example.com", "@example.com"),
        ] {
            assert_eq!(Email::parse(address).unwrap().mailbox(), mailbox);
        }
    }

    #[test]
    fn the_domain_is_one_whatever_its_case() {
        assert_eq!(
            Email::parse("Ann.B+mfa@Example.COM").unwrap().as_str(),
            "Ann.B+mfa@example.com"
        );
    }

    #[test]
    fn api_13_what_could_carry_a_header_or_a_second_address_is_refused() {
        for bad in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "ann@localhost",
            "a b@example.com",
            "ann@example.com\r\nBcc: x@y.z",
            "ann@example.com,bob@example.com",
            "<ann@example.com>",
            "ann@exa_mple.com",
            "ann@-a.com",
            "a..b@example.com",
            ".a@example.com",
            "ann@example..com",
            "zoë@example.com",
            &format!("{}@example.com", "a".repeat(65)),
            &format!("a@{}.com", "b".repeat(250)),
        ] {
            assert_eq!(Email::parse(bad), Err(EmailError), "{bad:?}");
        }
    }

    #[test]
    fn log_02_an_address_does_not_show_itself() {
        let email = Email::parse("ann@example.com").unwrap();
        assert_eq!(format!("{email:?}"), "Email(…)");
    }

    #[test]
    fn a_masked_address_shows_one_letter_and_the_domain() {
        assert_eq!(
            Email::parse("ann@example.com").unwrap().masked(),
            "a•••@example.com"
        );
    }
}
