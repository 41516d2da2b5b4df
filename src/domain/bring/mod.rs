//! What other products write when they let their users' secrets go: read into one list, record by record. A record that
//! cannot be brought along says why and keeps no other back. Pure; the native program alone reads files.

mod better_auth;
mod google;
mod json;
mod lines;
mod pskc;

use super::codes::numeric::Digits;
use super::codes::totp::{Algorithm, Parameters, Period};

/// Who wrote the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `otpauth://totp/…`, one a line, and `otpauth-migration://` of Google Authenticator.
    Otpauth,
    /// `user_id,secret` with a line of names, and more columns.
    Csv,
    /// Of privacyIDEA and `LinOTP`: `serial,seed in hex,type,digits,period`.
    OathCsv,
    /// RFC 6030.
    Pskc,
    Keycloak,
    Auth0,
    Authelia,
    BetterAuth,
}

impl Format {
    pub const ALL: [Self; 8] = [
        Self::Otpauth,
        Self::Csv,
        Self::OathCsv,
        Self::Pskc,
        Self::Keycloak,
        Self::Auth0,
        Self::Authelia,
        Self::BetterAuth,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Otpauth => "otpauth",
            Self::Csv => "csv",
            Self::OathCsv => "oath-csv",
            Self::Pskc => "pskc",
            Self::Keycloak => "keycloak",
            Self::Auth0 => "auth0",
            Self::Authelia => "authelia",
            Self::BetterAuth => "better-auth",
        }
    }
}

/// A user and the secret of an authenticator app. It has no `Debug`: that would show the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Brought {
    /// Whatever the file calls the user, or a token without one.
    pub user: String,
    pub secret: Vec<u8>,
    pub parameters: Parameters,
    pub phone: Option<String>,
    pub email: Option<String>,
}

impl Brought {
    fn new(user: &str, secret: Vec<u8>) -> Result<Self, Reason> {
        if user.is_empty() {
            return Err(Reason::NoUser);
        }
        // RFC 4226 §4, R6: 128 bits at least.
        if !(16..=64).contains(&secret.len()) {
            return Err(Reason::SecretLength(secret.len()));
        }
        Ok(Self {
            user: user.to_owned(),
            secret,
            parameters: Parameters::default(),
            phone: None,
            email: None,
        })
    }
}

/// A place in the file, and what is there or why it cannot be brought along.
pub struct Record {
    /// A line, or the how manieth record where lines say nothing; from 1.
    pub place: usize,
    pub read: Result<Brought, Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("it names no user")]
    NoUser,
    #[error("its secret is of {0} bytes; 16 to 64 are taken (RFC 4226)")]
    SecretLength(usize),
    #[error("its secret is not {0}")]
    Secret(&'static str),
    #[error("it is of the type {0}; only totp can be brought along")]
    Type(String),
    #[error(
        "its {0} is not one of those that are taken: SHA1, SHA256, SHA512; 6 or 8 digits; 30 or 60 s"
    )]
    Parameter(&'static str),
    #[error("the column or field {0} is missing")]
    Missing(&'static str),
    #[error("it is encrypted, and the key that was given does not open it")]
    Locked,
    #[error("it is encrypted: give its key")]
    KeyNeeded,
    #[error("{0}")]
    Other(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file is not what it is said to be: {0}")]
pub struct FileError(pub String);

/// Every record of the file. `key`: what it is encrypted with, where it is: of PSKC the pre-shared key, of better-auth
/// its `BETTER_AUTH_SECRET`.
pub fn read(format: Format, text: &str, key: Option<&[u8]>) -> Result<Vec<Record>, FileError> {
    match format {
        Format::Otpauth => Ok(lines::otpauth(text)),
        Format::Csv => lines::csv(text),
        Format::OathCsv => Ok(lines::oath_csv(text)),
        Format::Authelia => lines::authelia(text),
        Format::Pskc => pskc::read(text, key),
        Format::Keycloak => json::keycloak(text),
        Format::Auth0 => json::auth0(text),
        Format::BetterAuth => json::better_auth(text, key),
    }
}

/// Base32 as people keep it: any case, with or without padding, in groups or not.
fn base32(text: &str) -> Result<Vec<u8>, Reason> {
    let symbols = text.replace([' ', '-'], "").to_ascii_uppercase();
    let alphabet = base32::Alphabet::Rfc4648 { padding: false };
    base32::decode(alphabet, symbols.trim_end_matches('=')).ok_or(Reason::Secret("base32"))
}

fn algorithm(text: &str) -> Result<Algorithm, Reason> {
    let plain = text
        .trim()
        .to_ascii_uppercase()
        .replace("HMAC", "")
        .replace(['-', '_'], "");
    let known = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let found = known
        .into_iter()
        .find(|algorithm| algorithm.name() == plain);
    found.ok_or(Reason::Parameter("algorithm"))
}

fn digits(number: u64) -> Result<Digits, Reason> {
    let digits = u8::try_from(number)
        .ok()
        .and_then(|digits| Digits::try_from(digits).ok());
    digits.ok_or(Reason::Parameter("number of digits"))
}

fn period(seconds: u64) -> Result<Period, Reason> {
    Period::try_from(seconds).map_err(|_| Reason::Parameter("period"))
}

fn number(text: &str, what: &'static str) -> Result<u64, Reason> {
    text.trim().parse().map_err(|_| Reason::Parameter(what))
}

#[cfg(test)]
mod tests;
