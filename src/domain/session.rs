//! What a hosted session is made of beside the account: its name, its secrets, and what the application asked
//! for when it began.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::address::ReturnUrl;
use super::crypto::digest::{self, Digest};
use super::crypto::random::{self, RandomError};
use super::crypto::sealing::{Place, SealError, Sealed, Vault};
use super::settings::{Label, Locale};

/// Seconds a session stays open without a press, and in all.
pub const IDLE: u64 = 600;
pub const AT_MOST: u64 = 3600;
/// Seconds in which the application fetches the result.
pub const RESULT_LIFETIME: u64 = 60;
/// Seconds a recovery link may be used that need not wait.
pub const RECOVERY_LINK_LIFETIME: u64 = 900;
/// Seconds a link that had to wait may be used, once it opens.
pub const AFTER_DELAY: u64 = 24 * 3600;
/// Seconds after its last moment in which a session still says that it is over.
pub const REMEMBERED: u64 = 3600;

/// The public name of a session: 128 random bits as 22 characters of base64url. Worth nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SessionId(String);

impl SessionId {
    const LENGTH: usize = 22;

    pub fn draw() -> Result<Self, RandomError> {
        Ok(Self(token::<16>()?))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SessionId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        (text.len() == Self::LENGTH && text.bytes().all(is_base64url))
            .then_some(Self(text))
            .ok_or("the id of a session")
    }
}

/// The name of a link, which is made of its secret: it leads to whose it is, and from it nobody finds the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkName(SessionId);

impl LinkName {
    pub fn of(secret: &str) -> Self {
        let digest = digest::plain("candado/link-name/v1", &[secret.as_bytes()]);
        let half = digest.as_hex().get(..32).unwrap_or_default();
        let bytes = hex::decode(half).unwrap_or_default();
        Self(SessionId(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// As it is looked up: it has the form of a session's name.
    pub fn as_session(&self) -> &SessionId {
        &self.0
    }
}

/// 256 random bits that only one side is told: 43 characters of base64url.
pub struct SessionSecret(String);

impl SessionSecret {
    pub fn draw() -> Result<Self, RandomError> {
        Ok(Self(token::<32>()?))
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn digest(&self, of: Held, id: &SessionId) -> Digest {
        of.digest(id, &self.0)
    }
}

/// The secrets of a session, which never stand for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// In the address's fragment, until a browser opened it.
    Link,
    /// In the cookie of the browser that keeps it.
    Browser,
    /// On its way to the application, through the browser.
    Result,
}

impl Held {
    /// What is kept of it: it has 192 bits and more, so no key is needed (decision 15).
    pub fn digest(self, id: &SessionId, text: &str) -> Digest {
        let label = match self {
            Self::Link => "candado/session-link/v1",
            Self::Browser => "candado/session-browser/v1",
            Self::Result => "candado/session-result/v1",
        };
        digest::plain(label, &[id.as_str().as_bytes(), text.as_bytes()])
    }
}

/// The code the application is sent: the session's name and a secret.
pub fn result_code(id: &SessionId, secret: &SessionSecret) -> String {
    format!("{}{}", id.as_str(), secret.reveal())
}

/// Name and secret of a result code, if it has their form.
pub fn read_result_code(text: &str) -> Option<(SessionId, &str)> {
    let (id, secret) = text.split_at_checked(SessionId::LENGTH)?;
    let id = SessionId::try_from(id.to_owned()).ok()?;
    (secret.len() == 43 && secret.bytes().all(is_base64url)).then_some((id, secret))
}

pub(super) fn token<const N: usize>() -> Result<String, RandomError> {
    Ok(URL_SAFE_NO_PAD.encode(random::bytes::<N>()?))
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionPurpose {
    Verify,
    Enrol,
    Manage,
    Recover,
}

impl SessionPurpose {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Enrol => "enrol",
            Self::Manage => "manage",
            Self::Recover => "recover",
        }
    }

    /// What comes once the person is known.
    pub const fn after_proof(self) -> Stage {
        match self {
            Self::Verify => Stage::Done,
            Self::Enrol | Self::Recover => Stage::Enrol,
            Self::Manage => Stage::Manage,
        }
    }
}

/// What a session waits for. It moves by proof only, never by a wish of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Verify,
    Enrol,
    Manage,
    /// A proof of a person who has lost every way.
    Recover,
    /// After a recovery and its new way: which of the former ways are gone.
    Lost,
    Done,
}

impl Stage {
    /// Whether the person has proved who they are.
    pub const fn is_proved(self) -> bool {
        !matches!(self, Self::Verify | Self::Recover)
    }
}

/// Text the application gets back as it is: at most 1024 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ClientText<const MOST: usize>(String);

impl<const MOST: usize> ClientText<MOST> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> TryFrom<String> for ClientText<MOST> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let visible = !text.chars().any(char::is_control);
        ((1..=MOST).contains(&text.chars().count()) && visible)
            .then_some(Self(text))
            .ok_or_else(|| format!("1 to {MOST} characters without control characters"))
    }
}

pub type SessionState = ClientText<1024>;
pub type Nonce = ClientText<128>;

/// What the application asked for. It never changes, and lies sealed beside the session's name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    pub return_url: ReturnUrl,
    pub state: Option<SessionState>,
    pub nonce: Option<Nonce>,
    pub locale: Option<Locale>,
    pub account_name: Option<Label>,
    /// Whether the page may offer to remember the browser.
    pub remember: bool,
}

impl SessionRequest {
    pub fn seal(&self, vault: Vault<'_>, id: &SessionId) -> Result<Sealed, SealError> {
        let text = serde_json::to_vec(self).map_err(|_| SealError::Malformed)?;
        vault.seal(place(id), &text)
    }

    pub fn open(vault: Vault<'_>, id: &SessionId, sealed: &Sealed) -> Result<Self, SealError> {
        let text = vault.open(place(id), sealed)?;
        serde_json::from_slice(&text).map_err(|_| SealError::Malformed)
    }

    /// Where the browser goes, with what the application is told.
    pub fn way_back(&self, name: &str, value: &str) -> String {
        let state = self.state.as_ref().map(|state| ("state", state.as_str()));
        let parameters: Vec<_> = [(name, value)].into_iter().chain(state).collect();
        self.return_url.with(&parameters)
    }
}

fn place(id: &SessionId) -> Place<'_> {
    Place {
        object: id.as_str(),
        field: "session request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_code_is_read_back_and_nothing_else_is_one() {
        let (id, secret) = (SessionId::draw().unwrap(), SessionSecret::draw().unwrap());
        let code = result_code(&id, &secret);
        let (read, text) = read_result_code(&code).unwrap();
        assert_eq!((read, text), (id, secret.reveal()));
        for bad in [
            "",
            "x",
            &code[1..],
            &format!("{code}x"),
            &code.replace(|c: char| c == code.chars().last().unwrap(), "é"),
        ] {
            assert!(read_result_code(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn no_secret_of_a_session_stands_for_another_nor_for_another_sessions() {
        let (id, other) = (SessionId::draw().unwrap(), SessionId::draw().unwrap());
        let secret = SessionSecret::draw().unwrap();
        let of = |held: Held, id| secret.digest(held, id);
        assert!(of(Held::Link, &id).matches(&of(Held::Link, &id)));
        assert!(!of(Held::Link, &id).matches(&of(Held::Browser, &id)));
        assert!(!of(Held::Result, &id).matches(&of(Held::Browser, &id)));
        assert!(!of(Held::Link, &id).matches(&of(Held::Link, &other)));
    }

    #[test]
    fn atk_98_state_has_at_most_1024_characters_and_no_control_character() {
        let state = |text: &str| SessionState::try_from(text.to_owned());
        assert!(state(&"é".repeat(1024)).is_ok());
        for bad in ["", "a\nb", "a\u{0}", "\u{85}", &"x".repeat(1025)] {
            assert!(state(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn atk_98_the_way_back_holds_state_as_it_came_and_nothing_it_could_add() {
        let request = SessionRequest {
            return_url: ReturnUrl::try_from("https://shop.example/done?a=b".to_owned()).unwrap(),
            state: Some(SessionState::try_from("x&code=evil#y".to_owned()).unwrap()),
            nonce: None,
            locale: None,
            account_name: None,
            remember: false,
        };
        let url = request.way_back("error", "expired");
        assert_eq!(
            url,
            "https://shop.example/done?a=b&error=expired&state=x%26code%3Devil%23y"
        );
    }
}
