//! Secrets another service made, for an application that brings its users along.

use base32::Alphabet::Rfc4648;
use serde::Deserialize;

use crate::domain::codes::numeric::Digits;
use crate::domain::codes::totp::{Algorithm, Parameters, Period};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("a secret of 16 to 64 bytes in base32")]
    Secret,
    #[error("a URL that begins with otpauth://totp/ and has a secret of 16 to 64 bytes in base32")]
    Url,
    #[error("a URL whose algorithm is SHA1, SHA256 or SHA512, digits 6 or 8, and period 30 or 60")]
    Parameters,
}

/// A secret of at least 128 bits (RFC 4226 §4, R6). It has no `Debug`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ImportedSecret(Vec<u8>);

impl ImportedSecret {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<String> for ImportedSecret {
    type Error = ImportError;

    /// Base32 as people keep it: any case, with or without padding, in groups or not.
    fn try_from(text: String) -> Result<Self, ImportError> {
        if text.len() > 256 {
            return Err(ImportError::Secret);
        }
        let symbols = text.replace([' ', '-'], "").to_ascii_uppercase();
        let secret = base32::decode(Rfc4648 { padding: false }, symbols.trim_end_matches('='));
        secret
            .filter(|secret| (16..=64).contains(&secret.len()))
            .map(Self)
            .ok_or(ImportError::Secret)
    }
}

/// What an `otpauth://` URI says: a secret, and how its codes are made.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ImportedUrl {
    pub secret: ImportedSecret,
    pub parameters: Parameters,
}

impl TryFrom<String> for ImportedUrl {
    type Error = ImportError;

    /// Label, issuer and everything else in it is this service's own to say, and passed over.
    fn try_from(text: String) -> Result<Self, ImportError> {
        let rest = text
            .strip_prefix("otpauth://totp/")
            .ok_or(ImportError::Url)?;
        let (_, query) = rest.split_once('?').ok_or(ImportError::Url)?;
        let (mut secret, mut parameters) = (None, Parameters::default());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "secret" if secret.is_some() => return Err(ImportError::Url),
                "secret" => secret = ImportedSecret::try_from(value.into_owned()).ok(),
                "algorithm" => {
                    parameters.algorithm = algorithm(&value).ok_or(ImportError::Parameters)?;
                }

                "digits" => {
                    parameters.digits = number(&value).ok_or(ImportError::Parameters)?;
                }

                "period" => {
                    parameters.period = seconds(&value).ok_or(ImportError::Parameters)?;
                }

                _ => {}
            }
        }
        Ok(Self {
            secret: secret.ok_or(ImportError::Url)?,
            parameters,
        })
    }
}

fn algorithm(text: &str) -> Option<Algorithm> {
    [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]
        .into_iter()
        .find(|algorithm| text.eq_ignore_ascii_case(algorithm.name()))
}

fn number(text: &str) -> Option<Digits> {
    text.parse()
        .ok()
        .and_then(|digits: u8| Digits::try_from(digits).ok())
}

fn seconds(text: &str) -> Option<Period> {
    text.parse()
        .ok()
        .and_then(|seconds: u64| Period::try_from(seconds).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::codes::otpauth;

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn secret(text: &str) -> Option<Vec<u8>> {
        ImportedSecret::try_from(text.to_owned())
            .ok()
            .map(|secret| secret.0)
    }

    #[test]
    fn enr_11_base32_of_16_to_64_bytes_is_taken_however_it_is_written() {
        let expected = Some(b"12345678901234567890".to_vec());
        for text in [
            SECRET,
            &SECRET.to_lowercase(),
            "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
            &format!("{SECRET}===="),
        ] {
            assert_eq!(secret(text), expected, "{text}");
        }
        let sixteen = "GEZDGNBVGY3TQOJQGEZDGNBVGY";
        assert_eq!(secret(sixteen).unwrap().len(), 16);
        for bad in [
            "",
            "GEZDGNBVGY3TQOJQ",
            "not base32!",
            &sixteen[..24],
            &"A".repeat(105),
            &"A".repeat(10_000),
            "0189",
        ] {
            assert_eq!(secret(bad), None, "{bad:.40}");
        }
    }

    #[test]
    fn a_secret_is_written_in_at_most_256_characters() {
        let spaced = |length: usize| format!("{SECRET}{}", " ".repeat(length - SECRET.len()));
        assert!(secret(&spaced(256)).is_some());
        assert_eq!(secret(&spaced(257)), None);
    }

    #[test]
    fn a_url_says_how_its_codes_are_made() {
        let url = format!(
            "otpauth://totp/Old%20App:ann?secret={SECRET}&issuer=Old%20App&algorithm=sha256&digits=8&period=60&image=x"
        );
        let imported = ImportedUrl::try_from(url).ok().unwrap();
        assert_eq!(imported.secret.as_bytes(), b"12345678901234567890");
        let Parameters {
            algorithm,
            digits,
            period,
        } = imported.parameters;
        assert_eq!(
            (algorithm, digits.get(), period.seconds()),
            (Algorithm::Sha256, 8, 60)
        );
    }

    #[test]
    fn urls_of_other_kinds_and_values_are_refused() {
        let error = |text: String| ImportedUrl::try_from(text).err();
        for bad in [
            "",
            "otpauth://hotp/a?secret=",
            "https://totp/a?secret=",
            "otpauth://totp/a",
            "OTPAUTH://totp/a?secret=",
        ] {
            assert_eq!(
                error(format!(
                    "{bad}{}",
                    if bad.ends_with('=') { SECRET } else { "" }
                )),
                Some(ImportError::Url),
                "{bad}"
            );
        }
        for bad in [
            "algorithm=MD5",
            "digits=7",
            "digits=-6",
            "period=0",
            "period=45",
            "digits=",
            "algorithm=",
        ] {
            assert_eq!(
                error(format!("otpauth://totp/a?secret={SECRET}&{bad}")),
                Some(ImportError::Parameters),
                "{bad}"
            );
        }
        assert_eq!(
            error(format!("otpauth://totp/a?secret={SECRET}&secret={SECRET}")),
            Some(ImportError::Url)
        );
        assert_eq!(
            error("otpauth://totp/a?secret=GEZDGNBV".to_owned()),
            Some(ImportError::Url)
        );
    }

    proptest! {
        #[test]
        fn what_this_service_writes_it_can_read(bytes in proptest::collection::vec(any::<u8>(), 16..=64), eight: bool) {
            let parameters = Parameters { digits: if eight { Digits::EIGHT } else { Digits::SIX }, ..Parameters::default() };
            let imported = ImportedUrl::try_from(otpauth::uri("Shop & Co", "ann@x.example", &bytes, &parameters)).ok();
            prop_assert!(imported.is_some_and(|url| url.secret.0 == bytes && url.parameters == parameters));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,80}") {
            let _ = ImportedSecret::try_from(text.clone());
            let _ = ImportedUrl::try_from(format!("otpauth://totp/{text}"));
        }
    }
}
