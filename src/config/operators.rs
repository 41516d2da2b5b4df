//! Who may use `/admin`: `ADMIN_TOKEN` is one token, or `name:token` pairs separated by commas.

use std::sync::Arc;

use super::Secret;
use crate::domain::crypto::digest::{self, Digest};

/// What the record calls the holder of a token that has no name.
const NAMELESS: &str = "admin";
const LONGEST_NAME: usize = 32;

/// A name of an operator, as the record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorName(Arc<str>);

impl OperatorName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let fits = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.into()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum OperatorsError {
    #[error("each of several tokens needs a name: name:token,name:token")]
    NoName,
    #[error("a name is 1 to 32 characters out of A-Z a-z 0-9 . _ -")]
    Name,
    #[error("two tokens are named {0}")]
    NameTwice(String),
    #[error("{0} and {1} have the same token")]
    TokenTwice(String, String),
    #[error("{name}{reason}")]
    Weak { name: String, reason: &'static str },
}

/// The operators and what is compared of their tokens.
#[derive(Debug)]
pub struct Operators(Vec<(OperatorName, Digest)>);

impl Operators {
    pub(super) fn parse(text: &str) -> Result<Self, OperatorsError> {
        let entries: Vec<&str> = text.split(',').map(str::trim).collect();
        let alone = entries.len() == 1;
        let mut operators: Vec<(OperatorName, Digest)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let (name, token) = match entry.split_once(':') {
                Some((name, token)) => (
                    OperatorName::parse(name.trim()).ok_or(OperatorsError::Name)?,
                    token.trim(),
                ),
                None if alone => (OperatorName(NAMELESS.into()), entry),
                None => return Err(OperatorsError::NoName),
            };
            let token = Secret(token.to_owned());
            if let Some(reason) = weakness(token.reveal()) {
                let name = if alone {
                    String::new()
                } else {
                    format!("of {}: ", name.as_str())
                };
                return Err(OperatorsError::Weak { name, reason });
            }
            let digest = of_token(token.reveal());
            for (other, present) in &operators {
                let names = || (other.as_str().to_owned(), name.as_str().to_owned());
                if *other == name {
                    return Err(OperatorsError::NameTwice(names().0));
                }
                if present.matches(&digest) {
                    let (other, name) = names();
                    return Err(OperatorsError::TokenTwice(other, name));
                }
            }
            operators.push((name, digest));
        }
        Ok(Self(operators))
    }

    /// Whose token that is. All are compared, whichever matches, and digests are of one length: the time tells neither
    /// a token nor whose it is.
    pub fn find(&self, presented: &str) -> Option<&OperatorName> {
        let presented = of_token(presented);
        let compared = self.0.iter().map(|(name, digest)| {
            let matches = digest.matches(&presented);
            matches.then_some(name)
        });
        compared.fold(None, Option::or)
    }
}

fn of_token(token: &str) -> Digest {
    digest::plain("candado/admin-token/v1", &[token.as_bytes()])
}

/// What makes a secret that a person chose easy to guess. Random ones of any alphabet pass.
fn weakness(secret: &str) -> Option<&'static str> {
    const ADVICE: &str = "it is not random; `openssl rand -base64 36` makes one that is";
    if secret.len() < 32 {
        return Some(
            "it needs at least 32 random characters, such as `openssl rand -base64 36` makes",
        );
    }
    let bytes = secret.as_bytes();
    let distinct = (0..=u8::MAX).filter(|byte| bytes.contains(byte)).count();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let in_order = pairs
        .filter(|(one, next)| next.abs_diff(**one) <= 1)
        .count();
    let repeats = (1..=bytes.len() / 2).any(|period| {
        bytes
            .iter()
            .zip(bytes.iter().skip(period))
            .all(|(one, later)| one == later)
    });
    (distinct < 8 || in_order > bytes.len() / 2 || repeats).then_some(ADVICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "fA7/0k2QyYw3bM9rT1sXvZ8cJ4nL6pHdG5qEuRiO+aKxWt1=";
    const BOB: &str = "3f9c1e7a2b8d4f60a5c3e1b7d9f20486";

    fn error(text: &str) -> String {
        Operators::parse(text).unwrap_err().to_string()
    }

    fn name_of<'a>(operators: &'a Operators, token: &str) -> Option<&'a str> {
        operators.find(token).map(OperatorName::as_str)
    }

    #[test]
    fn a_token_alone_is_the_admins_and_named_ones_are_told_apart() {
        let one = Operators::parse(ANN).unwrap();
        assert_eq!(name_of(&one, ANN), Some("admin"));
        assert_eq!(name_of(&one, BOB), None);
        let two = Operators::parse(&format!("ann:{ANN}, bob.smith:{BOB}")).unwrap();
        assert_eq!(name_of(&two, ANN), Some("ann"));
        assert_eq!(name_of(&two, BOB), Some("bob.smith"));
        for wrong in [
            "",
            "ann",
            &format!("ann:{ANN}"),
            &format!("{ANN},{BOB}"),
            &ANN[1..],
        ] {
            assert_eq!(name_of(&two, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_list_of_operators_is_said() {
        assert!(error(&format!("{ANN},{BOB}")).contains("needs a name"));
        assert!(error(&format!("ann:{ANN},{BOB}")).contains("needs a name"));
        assert!(error(&format!("ann:{ANN},")).contains("needs a name"));
        assert!(error(&format!("an n:{ANN}")).contains("a name is"));
        assert!(error(&format!(":{ANN}")).contains("a name is"));
        assert_eq!(
            error(&format!("ann:{ANN},ann:{BOB}")),
            "two tokens are named ann"
        );
        assert_eq!(
            error(&format!("ann:{ANN},bob:{ANN}")),
            "ann and bob have the same token"
        );
        let weak = error(&format!("ann:{ANN},bob:{}", "a".repeat(40)));
        assert!(weak.starts_with("of bob: it is not random"), "{weak}");
        assert!(error("ann:short").contains("at least 32"));
    }

    #[test]
    fn operators_do_not_print_their_tokens() {
        let shown = format!("{:?}", Operators::parse(&format!("ann:{ANN}")).unwrap());
        assert!(shown.contains("ann") && !shown.contains(ANN), "{shown}");
    }
}
