//! `Idempotency-Key`: what a caller names a request by, so that the same request, sent again, takes effect once.

use super::api_key::KeyId;
use super::crypto::digest::{self, Digest};
use super::crypto::keys::KeyRing;
use super::ids::{ClientId, RequestId};
use super::time::UnixTime;

/// For how many seconds a key is kept: 24 hours.
pub const KEPT: u64 = 86_400;

/// A request without an outcome after so many seconds was cut off: none takes that long.
pub const LONGEST_REQUEST: u64 = 30;

/// Bytes of the longest answer that is kept.
pub const LONGEST_ANSWER: usize = 16 * 1024;

/// What is kept of a caller's key. A caller may choose one that says something, so the key itself is not.
#[derive(Debug, Clone)]
pub struct KeyName(Digest);

impl KeyName {
    /// Of a key of 1 to 255 printable ASCII characters; `None` for any other. Those of an API key are its own: another
    /// one, of other scopes, is not to see what it was answered.
    pub fn of(client: &ClientId, api_key: Option<&KeyId>, key: &[u8]) -> Option<Self> {
        let printable = key.iter().all(|byte| (b' '..=b'~').contains(byte));
        (printable && (1..=255).contains(&key.len())).then(|| {
            let api_key = api_key.map_or("", KeyId::as_str);
            let parts = [client.as_str().as_bytes(), api_key.as_bytes(), key];
            Self(digest::plain("candado/idempotency-key/v1", &parts))
        })
    }

    pub fn as_str(&self) -> &str {
        self.0.as_hex()
    }
}

/// What was asked: method, address and body, as `<key id>.<digest>`. Keyed, since a body may hold a code.
#[derive(Debug, Clone)]
pub struct Fingerprint(String);

impl Fingerprint {
    pub fn of(keys: &KeyRing, request: &[&[u8]]) -> Self {
        let set = keys.current();
        let digest = fingerprint(&set.pseudonyms, request);
        Self(format!("{}.{}", set.id, digest.as_hex()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `stored` is the request's. `None`: it was made with a key that is not in the ring any more.
    pub fn is_of(stored: &str, keys: &KeyRing, request: &[&[u8]]) -> Option<bool> {
        let (key_id, digest) = stored.split_once('.')?;
        let set = keys.find(key_id)?;
        Some(Digest::from_stored(digest).matches(&fingerprint(&set.pseudonyms, request)))
    }
}

fn fingerprint(key: &[u8; 32], request: &[&[u8]]) -> Digest {
    let parts: Vec<&[u8]> = [b"idempotency".as_slice()]
        .into_iter()
        .chain(request.iter().copied())
        .collect();
    digest::keyed(key, &parts)
}

/// One request's hold on a key. Whoever lost it to another stores nothing.
#[derive(Debug, Clone)]
pub struct Claim {
    pub client: ClientId,
    pub name: KeyName,
    pub holder: RequestId,
}

/// What stands under a key.
#[derive(Debug, Clone)]
pub struct Record {
    pub fingerprint: String,
    pub holder: String,
    pub started_at: UnixTime,
    /// Whether something was stored that goes with it, though there may be no answer.
    pub acted: bool,
    /// Sealed.
    pub answer: Option<String>,
}

/// What a record says to a request that is not its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// The key was used for another request.
    Reused,
    /// The answer, sealed.
    Answered(&'a str),
    UnderWay,
    /// It took effect, and nobody knows its answer.
    Unknown,
}

impl Record {
    pub fn standing(&self, keys: &KeyRing, request: &[&[u8]], now: UnixTime) -> Standing<'_> {
        match Fingerprint::is_of(&self.fingerprint, keys, request) {
            Some(true) => {}
            Some(false) => return Standing::Reused,
            None => return Standing::Unknown,
        }
        match &self.answer {
            Some(answer) => Standing::Answered(answer),
            None if self.acted && self.started_at.plus(LONGEST_REQUEST) <= now => Standing::Unknown,
            None => Standing::UnderWay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const K1: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const K2: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    const NOW: UnixTime = UnixTime::from_secs(1_760_000_000);

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(text).unwrap()
    }

    fn client(id: &str) -> ClientId {
        ClientId::try_from(id.to_owned()).unwrap()
    }

    #[test]
    fn a_key_is_1_to_255_printable_characters() {
        for good in ["k", "an order 17", "\"quoted\"", &"k".repeat(255)] {
            assert!(KeyName::of(&client("shop"), None, good.as_bytes()).is_some());
        }
        for bad in ["", "é", "a\tb", "a\u{7f}", &"k".repeat(256)] {
            assert!(
                KeyName::of(&client("shop"), None, bad.as_bytes()).is_none(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn what_is_kept_of_a_key_is_its_clients_and_does_not_say_it() {
        let name = |id: &str| KeyName::of(&client(id), None, b"order-17").unwrap();
        let key = KeyId::draw().unwrap();
        let by_key = KeyName::of(&client("shop"), Some(&key), b"order-17").unwrap();
        assert_ne!(name("shop").as_str(), by_key.as_str());
        assert_ne!(name("shop").as_str(), name("bank").as_str());
        assert_eq!(name("shop").as_str().len(), 64);
    }

    fn record(keys: &KeyRing, request: &[&[u8]]) -> Record {
        Record {
            fingerprint: Fingerprint::of(keys, request).as_str().to_owned(),
            holder: "h".to_owned(),
            started_at: NOW,
            acted: false,
            answer: None,
        }
    }

    #[test]
    fn a_record_is_of_one_request_whichever_key_of_the_ring_it_was_made_with() {
        let (first, rotated) = (ring(K1), ring(&format!("{K2},{K1}")));
        let record = record(&first, &[b"POST", b"/mfa/sms", b"{}"]);
        let standing = |keys: &KeyRing, request: &[&[u8]]| {
            matches!(record.standing(keys, request, NOW), Standing::UnderWay)
        };
        assert!(standing(&first, &[b"POST", b"/mfa/sms", b"{}"]));
        assert!(standing(&rotated, &[b"POST", b"/mfa/sms", b"{}"]));
        for other in [
            [b"POST".as_slice(), b"/mfa/sms", b"{ }"],
            [b"POST", b"/mfa/smss", b"{}"],
            [b"POST", b"/mfa/sm", b"s{}"],
            [b"DELETE", b"/mfa/sms", b"{}"],
        ] {
            assert_eq!(record.standing(&first, &other, NOW), Standing::Reused);
        }
        let retired = record.standing(&ring(K2), &[b"POST", b"/mfa/sms", b"{}"], NOW);
        assert_eq!(retired, Standing::Unknown, "nobody can say any more");
    }

    #[test]
    fn atk_109_what_was_cut_off_after_it_took_effect_is_unknown_and_not_done_again() {
        let keys = ring(K1);
        let request: [&[u8]; 1] = [b"r"];
        let mut record = record(&keys, &request);
        record.acted = true;
        let at = |seconds| record.standing(&keys, &request, NOW.plus(seconds));
        assert_eq!(at(LONGEST_REQUEST - 1), Standing::UnderWay);
        assert_eq!(at(LONGEST_REQUEST), Standing::Unknown);
        record.answer = Some("sealed".to_owned());
        let answered = record.standing(&keys, &request, NOW.plus(LONGEST_REQUEST));
        assert_eq!(answered, Standing::Answered("sealed"));
    }
}
