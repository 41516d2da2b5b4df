//! What a browser says of the page it ran a ceremony for (§5.8.1). The bytes are signed as a hash, so they are kept
//! as they came.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::base64url::Base64Url;
use super::{Malformed, Refusal, RelyingParty};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ceremony {
    Registration,
    Assertion,
}

impl Ceremony {
    const fn kind(self) -> &'static str {
        match self {
            Self::Registration => "webauthn.create",
            Self::Assertion => "webauthn.get",
        }
    }
}

/// Members that are not listed are ignored, as the standard wants it: browsers add some so that nobody compares the
/// whole text. One of them is `tokenBinding`, which Level 3 reserves and no longer reads. A member listed here and
/// given twice, or of another type, makes all of it malformed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientData<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    challenge: Cow<'a, str>,
    #[serde(borrow)]
    origin: Cow<'a, str>,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default, rename = "topOrigin", deserialize_with = "present")]
    has_top_origin: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'a> ClientData<'a> {
    /// Reads UTF-8 after a byte order mark, if there is one ("UTF-8 decode"). What is not UTF-8 is refused and not
    /// mended.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // serde_json would not look into members that are ignored.
        let text = str::from_utf8(bytes).map_err(|_| Malformed)?;
        // It would also take a list of the members' values.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(Malformed);
        }
        serde_json::from_str(text).map_err(|_| Malformed)
    }

    /// The steps on the client data, which both ceremonies have: type, challenge, origin, `crossOrigin`, `topOrigin`
    /// (§7.1 steps 7 to 11, §7.2 steps 10 to 14).
    pub fn check(
        &self,
        ceremony: Ceremony,
        party: &RelyingParty<'_>,
        challenge: &[u8],
    ) -> Result<(), Refusal> {
        if self.kind != ceremony.kind() {
            return Err(Refusal::Malformed);
        }
        if self.challenge != Base64Url::encode(challenge) {
            return Err(Refusal::Challenge);
        }
        let expected = party.origins.iter().any(|origin| *origin == self.origin);
        // Nobody has said that a page of theirs may be framed, so a frame in a stranger's page is not expected.
        if !expected || self.cross_origin || self.has_top_origin {
            return Err(Refusal::Origin);
        }
        Ok(())
    }
}

/// What an authenticator signs (§6.3.3, §8.2): its data and the hash of the client data.
pub(super) fn signed_message(authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [authenticator_data, &Sha256::digest(client_data)].concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::UserVerification;
    use super::*;

    const CHALLENGE: &[u8] = &[0xfb, 0xff, 0xfe];

    fn check(text: &str) -> Result<(), Refusal> {
        check_bytes(text.as_bytes())
    }

    fn check_bytes(bytes: &[u8]) -> Result<(), Refusal> {
        let origins = ["https://example.com", "https://www.example.com:8443"].map(String::from);
        let party = RelyingParty {
            id: "example.com",
            origins: &origins,
            user_verification: UserVerification::Preferred,
        };
        ClientData::read(bytes)?.check(Ceremony::Assertion, &party, CHALLENGE)
    }

    /// Good client data, but for one member.
    fn with(name: &str, value: serde_json::Value) -> Result<(), Refusal> {
        let mut data =
            json!({"type": "webauthn.get", "challenge": "-__-", "origin": "https://example.com"});
        data[name] = value;
        check(&data.to_string())
    }

    #[test]
    fn what_browsers_send_is_taken() {
        assert_eq!(
            check(
                r#"{"type":"webauthn.get","challenge":"-__-","origin":"https://example.com","crossOrigin":false}"#
            ),
            Ok(())
        );
        assert_eq!(
            check(
                r#"{"origin":"https://www.example.com:8443","challenge":"-__-","type":"webauthn.get"}"#
            ),
            Ok(())
        );
        assert_eq!(
            check(
                "{\n \"type\": \"webauthn\\u002eget\", \"challenge\": \"-__-\", \"origin\": \"https:\\/\\/example.com\" }\n"
            ),
            Ok(())
        );
        assert_eq!(
            check(
                "\u{feff}{\"type\":\"webauthn.get\",\"challenge\":\"-__-\",\"origin\":\"https://example.com\"}"
            ),
            Ok(()),
            "a byte order mark"
        );
    }

    #[test]
    fn members_that_are_not_ours_to_read_are_ignored() {
        assert_eq!(
            with(
                "other_keys_can_be_added_here",
                json!("do not compare clientDataJSON against a template")
            ),
            Ok(())
        );
        assert_eq!(
            with("androidPackageName", json!("com.android.chrome")),
            Ok(())
        );
        for binding in [
            json!({"status": "supported"}),
            json!({"status": "present", "id": "AA"}),
            json!(null),
        ] {
            assert_eq!(with("tokenBinding", binding), Ok(()));
        }
    }

    #[test]
    fn the_other_ceremony_s_message_is_refused() {
        for kind in [
            "webauthn.create",
            "WEBAUTHN.GET",
            "webauthn.get ",
            "",
            "payment.get",
        ] {
            assert_eq!(
                with("type", json!(kind)),
                Err(Refusal::Malformed),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn another_challenge_or_another_writing_of_it_is_refused() {
        for challenge in ["-__", "-__-=", "-__-AA", "+//+", "", "-__-\n", "-___"] {
            assert_eq!(
                with("challenge", json!(challenge)),
                Err(Refusal::Challenge),
                "{challenge:?}"
            );
        }
    }

    #[test]
    fn an_origin_is_compared_byte_for_byte() {
        for origin in [
            "http://example.com",
            "https://example.com/",
            "https://example.com:443",
            "https://example.com:8443",
            "https://www.example.com",
            "https://evil.example.com",
            "https://example.com.evil.net",
            "https://EXAMPLE.com",
            "https://examp\u{142}e.com",
            "https://example.comm",
            "https://xample.com",
            "null",
            "",
            "android:apk-key-hash:AA",
        ] {
            assert_eq!(
                with("origin", json!(origin)),
                Err(Refusal::Origin),
                "{origin:?}"
            );
        }
    }

    #[test]
    fn a_frame_in_another_page_is_refused() {
        assert_eq!(with("crossOrigin", json!(false)), Ok(()));
        assert_eq!(with("crossOrigin", json!(true)), Err(Refusal::Origin));
        for top in [
            json!("https://example.com"),
            json!("https://evil.net"),
            json!(null),
            json!(7),
        ] {
            assert_eq!(with("topOrigin", top), Err(Refusal::Origin));
        }
    }

    #[test]
    fn what_is_missing_mistyped_or_given_twice_is_malformed() {
        for (text, what) in [
            (
                r#"{"challenge":"-__-","origin":"https://example.com"}"#,
                "no type",
            ),
            (
                r#"{"type":"webauthn.get","origin":"https://example.com"}"#,
                "no challenge",
            ),
            (r#"{"type":"webauthn.get","challenge":"-__-"}"#, "no origin"),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":"https://evil.net","origin":"https://example.com"}"#,
                "two origins",
            ),
            (
                r#"{"type":"webauthn.create","type":"webauthn.get","challenge":"-__-","origin":"https://example.com"}"#,
                "two types",
            ),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":"https://example.com","crossOrigin":true,"crossOrigin":false}"#,
                "twice crossOrigin",
            ),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":"https://example.com","crossOrigin":"true"}"#,
                "a text for a truth",
            ),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":"https://example.com","crossOrigin":null}"#,
                "null for a truth",
            ),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":["https://example.com"]}"#,
                "a list",
            ),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":null}"#,
                "null",
            ),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":"https://example.com"} {}"#,
                "more after it",
            ),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":"https://example.com",}"#,
                "not JSON",
            ),
            (
                r#"{"type":"webauthn.get","challenge":"-__-","origin":"https://example.com""#,
                "cut off",
            ),
            (
                r#"["webauthn.get","-__-","https://example.com",false]"#,
                "members without names",
            ),
            ("\u{feff}\u{feff}{}", "two byte order marks"),
            ("null", "null"),
            ("", "nothing"),
        ] {
            assert_eq!(check(text), Err(Refusal::Malformed), "{what}");
        }
        let not_utf_8 = b"{\"type\":\"webauthn.get\",\"challenge\":\"-__-\",\"origin\":\"https://example.com\",\"x\":\"\xff\"}";
        assert_eq!(check_bytes(not_utf_8), Err(Refusal::Malformed));
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        assert_eq!(check(&deep), Err(Refusal::Malformed));
    }

    #[test]
    fn the_hash_of_the_client_data_follows_the_authenticator_data() {
        // SHA-256("abc"), FIPS 180-2 appendix B.1.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            hex::encode(signed_message(&[1, 2], b"abc")),
            format!("0102{hash}")
        );
    }
}
