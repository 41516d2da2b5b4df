//! Bytes as WebAuthn's JSON writes them: base64url without padding (§3, RFC 4648 §5).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

/// Any bytes, at most as many as a whole request has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base64Url(pub Vec<u8>);

impl Base64Url {
    pub(super) const LONGEST: usize = 16 * 1024;

    pub(super) fn encode(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() <= Self::LONGEST).then_some(Self(bytes))
    }
}

impl Serialize for Base64Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Self::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::decode(&text).ok_or_else(|| D::Error::custom("not base64url without padding"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_writing() {
        let read = |text: &str| Base64Url::decode(text).map(|bytes| bytes.0);
        assert_eq!(read("-_8").as_deref(), Some([0xfb, 0xff].as_slice()));
        assert_eq!(read("").as_deref(), Some([].as_slice()));
        for other in ["-_8=", "+/8", "-_9", "-_8\n", " -_8", "-", "-_8==", "é"] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }

    #[test]
    fn there_is_a_longest() {
        let text = |length| URL_SAFE_NO_PAD.encode(vec![7; length]);
        assert!(Base64Url::decode(&text(Base64Url::LONGEST)).is_some());
        assert!(Base64Url::decode(&text(Base64Url::LONGEST + 1)).is_none());
    }

    #[test]
    fn it_is_a_string_in_json() {
        let bytes = Base64Url(vec![0xfb, 0xff]);
        assert_eq!(serde_json::to_string(&bytes).unwrap(), r#""-_8""#);
        // An escape makes serde hand over a text of its own.
        for text in [r#""-_8""#, r#""\u002d_8""#] {
            let read: Base64Url = serde_json::from_str(text).unwrap();
            assert_eq!(read, bytes);
        }
        for other in ["5", "null", r#""-_8=""#, "[251,255]"] {
            assert!(serde_json::from_str::<Base64Url>(other).is_err(), "{other}");
        }
    }
}
