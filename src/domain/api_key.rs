//! API keys: what an application can show in the place of a token, limited to scopes.
//!
//! `cdo_<client id>.<number>_<secret><checksum>`. The id says whose key it is, so that one statement loads the key
//! with everything else a request needs (decision 90). The checksum is no secret: it tells a key that was mistyped
//! or cut off from one that is unknown, without a query, and lets a scanner of secrets be sure.

use base32::Alphabet::Rfc4648Lower;
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

use super::crypto::digest::{self, Digest};
use super::crypto::random::{self, RandomError};
use super::ids::ClientId;
use super::scope::Scopes;
use super::time::UnixTime;

/// What every key begins with.
pub const PREFIX: &str = "cdo_";
/// What scanners of secrets look for, as a regular expression.
pub const PATTERN: &str = r"cdo_[A-Za-z0-9._-]{1,64}\.[a-z2-7]{8}_[a-z2-7]{59}";
/// Characters of the number, of the secret and of its checksum: 40, 256 and 32 bits in base32.
const NUMBER: usize = 8;
const SECRET: usize = 52;
const CHECKSUM: usize = 7;
const ALPHABET: base32::Alphabet = Rfc4648Lower { padding: false };
const HASH: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// Which key of its client it is. Not a secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct KeyId(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id of 8 characters out of a-z and 2-7")]
pub struct KeyIdError;

impl KeyId {
    pub fn draw() -> Result<Self, RandomError> {
        let bytes: [u8; 5] = random::bytes()?;
        Ok(Self(base32::encode(ALPHABET, &bytes)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyIdError;

    fn try_from(text: String) -> Result<Self, KeyIdError> {
        is_base32(&text, NUMBER)
            .then_some(Self(text))
            .ok_or(KeyIdError)
    }
}

/// A key as it was presented: well formed, and known to nobody yet.
#[derive(Debug, Clone)]
pub struct PresentedKey {
    pub client: ClientId,
    pub id: KeyId,
    pub digest: Digest,
}

impl PresentedKey {
    /// `None`: it is no key, or its checksum says that it is not as it was given out.
    pub fn parse(text: &str) -> Option<Self> {
        let (owner, tail) = text.strip_prefix(PREFIX)?.rsplit_once('_')?;
        let (client, id) = owner.rsplit_once('.')?;
        let (secret, given) = tail.split_at_checked(SECRET)?;
        let before = text.len().checked_sub(given.len())?;
        let sound = is_base32(secret, SECRET) && checksum(text.get(..before)?) == given;
        let client = ClientId::try_from(client.to_owned()).ok()?;
        let id = KeyId::try_from(id.to_owned()).ok()?;
        let digest = secret_digest(&client, &id, secret);
        sound.then_some(Self { client, id, digest })
    }
}

fn is_base32(text: &str, length: usize) -> bool {
    let symbols = |byte: u8| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte);
    text.len() == length && text.bytes().all(symbols)
}

fn checksum(text: &str) -> String {
    let sum = base32::encode(ALPHABET, &HASH.checksum(text.as_bytes()).to_be_bytes());
    debug_assert_eq!(sum.len(), CHECKSUM, "32 bits");
    sum
}

/// What is kept of a key: plain SHA-256, bound to the client and the key (decision 15).
fn secret_digest(client: &ClientId, id: &KeyId, secret: &str) -> Digest {
    let parts = [client.as_str(), id.as_str(), secret].map(str::as_bytes);
    digest::plain("candado/api-key/v1", &parts)
}

/// A key of a client, as it is kept.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    pub scopes: Scopes,
    pub digest: Digest,
    pub created_at: UnixTime,
    /// From when on it is refused; `None` for one that does not end by itself.
    pub expires_at: Option<UnixTime>,
    /// To the day: when that day began.
    pub last_used_at: Option<UnixTime>,
}

impl ApiKey {
    /// A new key, and its text in the one moment it is known.
    pub fn draw(
        client: &ClientId,
        name: String,
        scopes: Scopes,
        expires_at: Option<UnixTime>,
        now: UnixTime,
    ) -> Result<(Self, String), RandomError> {
        let id = KeyId::draw()?;
        let bytes: [u8; 32] = random::bytes()?;
        let secret = base32::encode(ALPHABET, &bytes);
        let digest = secret_digest(client, &id, &secret);
        let mut text = format!("{PREFIX}{}.{}_{secret}", client.as_str(), id.as_str());
        text.push_str(&checksum(&text));
        let key = Self {
            id,
            name,
            scopes,
            digest,
            created_at: now,
            expires_at,
            last_used_at: None,
        };
        Ok((key, text))
    }

    /// Whether a key of that digest is this one and holds at `now`.
    pub fn admits(&self, presented: &Digest, now: UnixTime) -> bool {
        let lives = self.expires_at.is_none_or(|end| now < end);
        self.digest.matches(presented) & lives
    }

    /// The day to note, where a use at `now` is the first of it.
    pub fn first_use_of(&self, now: UnixTime) -> Option<UnixTime> {
        let day = now.minus(now.as_secs() % 86_400);
        self.last_used_at
            .is_none_or(|last| last < day)
            .then_some(day)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;
    use crate::domain::scope::Scope;

    const NOW: UnixTime = UnixTime::from_secs(1_760_000_000);

    fn client(id: &str) -> ClientId {
        ClientId::try_from(id.to_owned()).unwrap()
    }

    fn drawn(id: &str) -> (ApiKey, String) {
        let scopes = Scopes::try_from(vec![Scope::Verify]).unwrap();
        ApiKey::draw(
            &client(id),
            "Login".to_owned(),
            scopes,
            Some(NOW.plus(60)),
            NOW,
        )
        .unwrap()
    }

    #[test]
    fn a_key_says_whose_it_is_and_is_known_again() {
        for id in ["shop", "a.b", "test_shop", "a_b.c-d", "_", "."] {
            let Ok(owner) = ClientId::try_from(id.to_owned()) else {
                continue;
            };
            let (key, text) = drawn(id);
            let presented = PresentedKey::parse(&text).unwrap();
            assert_eq!((presented.client, presented.id), (owner, key.id.clone()));
            assert!(key.admits(&presented.digest, NOW));
        }
    }

    #[test]
    fn a_key_ends_with_its_last_second() {
        let (key, text) = drawn("shop");
        let presented = PresentedKey::parse(&text).unwrap().digest;
        assert!(key.admits(&presented, NOW.plus(59)));
        assert!(!key.admits(&presented, NOW.plus(60)));
    }

    #[test]
    fn atk_106_a_key_of_another_client_or_another_key_of_the_client_is_not_this_one() {
        let (key, _) = drawn("shop");
        for other in ["shop", "bank"] {
            let presented = PresentedKey::parse(&drawn(other).1).unwrap();
            assert!(!key.admits(&presented.digest, NOW));
        }
        let secret = "a".repeat(SECRET);
        let of = |owner: &str| secret_digest(&client(owner), &key.id, &secret);
        assert!(!of("shop").matches(&of("bank")));
    }

    #[test]
    fn atk_106_the_digest_of_a_key_is_no_key() {
        let (key, text) = drawn("shop");
        let (head, _) = text.rsplit_once('_').unwrap();
        for tail in [key.digest.as_hex(), &key.digest.as_hex()[..59]] {
            assert!(PresentedKey::parse(&format!("{head}_{tail}")).is_none());
        }
    }

    #[test]
    fn a_use_is_noted_once_a_day() {
        let (mut key, _) = drawn("shop");
        let day = key.first_use_of(NOW).unwrap();
        assert_eq!(day.as_secs() % 86_400, 0);
        key.last_used_at = Some(day);
        assert_eq!(key.first_use_of(NOW.plus(3600)), None);
        assert_eq!(key.first_use_of(day.plus(86_400)), Some(day.plus(86_400)));
    }

    proptest! {
        #[test]
        fn every_key_fits_the_pattern_for_scanners(id in "[A-Za-z0-9._-]{3,64}") {
            let pattern = Regex::new(&format!("^{PATTERN}$")).unwrap();
            prop_assert!(pattern.is_match(&drawn(&id).1));
        }

        #[test]
        fn a_key_with_one_wrong_character_is_refused_unread(place in 0_usize..80, other in "[a-z2-7]") {
            let (_, text) = drawn("shop");
            let place = place % text.len();
            let mut wrong = text.clone();
            wrong.replace_range(place..=place, &other);
            prop_assert!(wrong == text || PresentedKey::parse(&wrong).is_none());
        }

        #[test]
        fn what_is_cut_off_or_made_up_is_refused(text in "(cdo_)?[ -~é]{0,90}", cut in 0_usize..77) {
            prop_assert!(PresentedKey::parse(&text).is_none());
            prop_assert!(PresentedKey::parse(&drawn("shop").1[..cut]).is_none());
        }
    }
}
