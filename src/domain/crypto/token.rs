//! Signed tokens: access tokens (RFC 9068's claims and `typ`, HS256) and the capability in a QR link.
//!
//! jwt-compact signs and verifies. Which key and algorithm apply is decided here, before it reads
//! the token: the header must be, byte for byte, the one this service writes for one of its keys,
//! so `none`, another algorithm, `jku` or `crit` have nothing to be interpreted by (TOK-10).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, UntrustedToken};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::crypto::keys::{KeyRing, KeySet};
use crate::domain::crypto::random::{self, RandomError};
use crate::domain::ids::{ClientId, FactorId, TokenEpoch, UserId};
use crate::domain::time::UnixTime;

/// How long an access token lives, in seconds (RFC 6750 §5.3: one hour or less).
pub const ACCESS_TOKEN_LIFETIME: u64 = 3600;

const LONGEST_TOKEN: usize = 8 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("not a token of this service")]
    Malformed,
    #[error("the signature is wrong")]
    Forged,
    #[error("its claims are not those of this service")]
    Claims,
    #[error("expired or not yet valid")]
    Expired,
}

/// RFC 9068 §2.2. `sub` is the client, since clients act for themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    pub iss: String,
    pub aud: String,
    pub sub: ClientId,
    pub client_id: ClientId,
    pub iat: UnixTime,
    pub nbf: UnixTime,
    pub exp: UnixTime,
    pub jti: String,
    /// The client's when it was issued (TOK-15). Not of RFC 9068.
    pub epoch: TokenEpoch,
}

/// The right to fetch the QR code of one pending secret, until it expires.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QrClaims {
    pub client_id: ClientId,
    pub user_id: UserId,
    pub factor_id: FactorId,
    /// Of the client's tokens: what ends them ends the links that were made with them.
    pub epoch: TokenEpoch,
    pub exp: UnixTime,
}

impl AccessClaims {
    pub fn new(
        issuer: &str,
        client: &ClientId,
        epoch: TokenEpoch,
        now: UnixTime,
    ) -> Result<Self, RandomError> {
        Ok(Self {
            iss: issuer.to_owned(),
            aud: issuer.to_owned(),
            sub: client.clone(),
            client_id: client.clone(),
            iat: now,
            nbf: now,
            exp: now.plus(ACCESS_TOKEN_LIFETIME),
            jti: random::id()?,
            epoch,
        })
    }

    pub fn sign(&self, keys: &KeyRing) -> Result<String, TokenError> {
        sign(&Kind::ACCESS, keys, self)
    }

    /// The claims of a token this service issued and that holds at `now`. Whether it was revoked
    /// is the database's to say.
    pub fn verify(
        keys: &KeyRing,
        issuer: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<Self, TokenError> {
        let claims: Self = verify(&Kind::ACCESS, keys, token)?;
        if claims.iss != issuer || claims.aud != issuer || claims.sub != claims.client_id {
            return Err(TokenError::Claims);
        }
        if claims.exp.as_secs().saturating_sub(claims.iat.as_secs()) > ACCESS_TOKEN_LIFETIME {
            return Err(TokenError::Claims);
        }
        (claims.nbf <= now && now < claims.exp)
            .then_some(claims)
            .ok_or(TokenError::Expired)
    }
}

impl QrClaims {
    pub fn sign(&self, keys: &KeyRing) -> Result<String, TokenError> {
        sign(&Kind::QR_LINK, keys, self)
    }

    /// The claims of a link this service made, which may have expired.
    pub fn open(keys: &KeyRing, token: &str) -> Result<Self, TokenError> {
        verify(&Kind::QR_LINK, keys, token)
    }

    pub fn verify(keys: &KeyRing, token: &str, now: UnixTime) -> Result<Self, TokenError> {
        Self::open(keys, token)?.alive(now)
    }

    /// These, if they hold at `now`.
    pub fn alive(self, now: UnixTime) -> Result<Self, TokenError> {
        (now < self.exp).then_some(self).ok_or(TokenError::Expired)
    }
}

/// One kind of token: its `typ` and its own derived key.
struct Kind {
    typ: &'static str,
    key: fn(&KeySet) -> &[u8; 32],
}

impl Kind {
    const ACCESS: Self = Self {
        typ: "at+jwt",
        key: |set| &set.tokens,
    };
    const QR_LINK: Self = Self {
        typ: "qr+jwt",
        key: |set| &set.qr_links,
    };

    /// The one header a token of this kind may have under `set`. Key ids are letters and digits.
    fn header(&self, set: &KeySet) -> String {
        URL_SAFE_NO_PAD.encode(format!(
            r#"{{"alg":"HS256","kid":"{}","typ":"{}"}}"#,
            set.id, self.typ
        ))
    }
}

fn sign<T: Serialize>(kind: &Kind, keys: &KeyRing, claims: &T) -> Result<String, TokenError> {
    let set = keys.current();
    let header = Header::empty()
        .with_key_id(set.id.as_str())
        .with_token_type(kind.typ);
    let claims = Claims::new(claims);
    Hs256
        .token(&header, &claims, &Hs256Key::new((kind.key)(set)))
        .map_err(|_| TokenError::Claims)
}

fn verify<T: DeserializeOwned>(kind: &Kind, keys: &KeyRing, token: &str) -> Result<T, TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Malformed);
    }
    let mut segments = token.split('.');
    let header = segments.next().unwrap_or_default();
    let payload = segments.next().ok_or(TokenError::Malformed)?;
    let set = keys
        .iter()
        .find(|set| kind.header(set) == header)
        .ok_or(TokenError::Malformed)?;
    let untrusted = UntrustedToken::new(token).map_err(|_| TokenError::Malformed)?;
    let key = Hs256Key::new((kind.key)(set));
    Hs256
        .validator::<serde::de::IgnoredAny>(&key)
        .validate(&untrusted)
        .map_err(|_| TokenError::Forged)?;
    // jwt-compact takes a fractional `exp` and any further claim; a token of ours has neither.
    let payload = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&payload).map_err(|_| TokenError::Claims)
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::{Value, json};
    use sha2::Sha256;

    use super::*;

    const RING: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=,k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const ISSUER: &str = "https://mfa.example.com";
    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn keys() -> KeyRing {
        KeyRing::parse(RING).unwrap()
    }

    fn claims() -> Value {
        let client = ClientId::try_from("app123".to_owned()).unwrap();
        let epoch = TokenEpoch::draw().unwrap();
        serde_json::to_value(AccessClaims::new(ISSUER, &client, epoch, NOW).unwrap()).unwrap()
    }

    /// A token signed with the right key, whatever it says: what a flaw in our own signing would give.
    fn forge(header: &str, payload: &str) -> String {
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&keys().current().tokens).unwrap();
        mac.update(text.as_bytes());
        format!(
            "{text}.{}",
            URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        )
    }

    const HEADER: &str = r#"{"alg":"HS256","kid":"k2","typ":"at+jwt"}"#;

    fn verified(token: &str) -> Result<AccessClaims, TokenError> {
        AccessClaims::verify(&keys(), ISSUER, token, NOW)
    }

    #[test]
    fn tok_09_a_token_carries_the_claims_of_rfc_9068_and_verifies() {
        let token = serde_json::from_value::<AccessClaims>(claims())
            .unwrap()
            .sign(&keys())
            .unwrap();
        let header = URL_SAFE_NO_PAD
            .decode(token.split('.').next().unwrap())
            .unwrap();
        assert_eq!(String::from_utf8(header).unwrap(), HEADER);
        let verified = verified(&token).unwrap();
        assert_eq!(verified.sub.as_str(), "app123");
        assert_eq!(verified.exp, NOW.plus(3600));
    }

    #[test]
    fn atk_59_no_other_header_is_accepted_even_with_a_right_signature() {
        let payload = claims().to_string();
        assert!(verified(&forge(HEADER, &payload)).is_ok());
        for header in [
            r#"{"alg":"none","kid":"k2","typ":"at+jwt"}"#,
            r#"{"alg":"None","kid":"k2","typ":"at+jwt"}"#,
            r#"{"alg":"HS512","kid":"k2","typ":"at+jwt"}"#,
            r#"{"alg":"RS256","kid":"k2","typ":"at+jwt"}"#,
            r#"{"alg":"HS256","kid":"k2","typ":"JWT"}"#,
            r#"{"alg":"HS256","kid":"k2","typ":"qr+jwt"}"#,
            r#"{"alg":"HS256","kid":"k2"}"#,
            r#"{"alg":"HS256","typ":"at+jwt"}"#,
            r#"{"alg":"HS256","kid":"k3","typ":"at+jwt"}"#,
            r#"{"alg":"HS256","kid":"../k2","typ":"at+jwt"}"#,
            r#"{"alg":"HS256","kid":"k2","typ":"at+jwt","jku":"https://evil.example"}"#,
            r#"{"alg":"HS256","kid":"k2","typ":"at+jwt","crit":["exp"]}"#,
            r#"{"typ":"at+jwt","alg":"HS256","kid":"k2"}"#,
            r#"{"alg":"HS256", "kid":"k2","typ":"at+jwt"}"#,
            "",
            "{}",
        ] {
            assert_eq!(
                verified(&forge(header, &payload)).err(),
                Some(TokenError::Malformed),
                "{header}"
            );
        }
    }

    #[test]
    fn atk_59_missing_mistyped_and_foreign_claims_are_refused() {
        for name in [
            "iss",
            "aud",
            "sub",
            "client_id",
            "iat",
            "nbf",
            "exp",
            "jti",
            "epoch",
        ] {
            let mut missing = claims();
            missing.as_object_mut().unwrap().remove(name);
            assert_eq!(
                verified(&forge(HEADER, &missing.to_string())).err(),
                Some(TokenError::Claims),
                "{name}"
            );
        }
        for (name, value) in [
            ("exp", json!("9999999999")),
            ("exp", json!(null)),
            ("exp", json!(1.5)),
            ("exp", json!(-1)),
            ("exp", json!([])),
            ("nbf", json!("0")),
            ("iat", json!(true)),
            ("aud", json!([ISSUER])),
            ("aud", json!("https://other.example")),
            ("iss", json!("https://other.example")),
            ("sub", json!("app124")),
            ("client_id", json!("a b")),
            ("jti", json!(7)),
            ("epoch", json!(null)),
            ("admin", json!(true)),
            ("exp", json!(NOW.plus(3601).as_secs())),
        ] {
            let mut changed = claims();
            changed[name] = value.clone();
            let error = verified(&forge(HEADER, &changed.to_string())).err();
            assert!(
                matches!(error, Some(TokenError::Claims | TokenError::Forged)),
                "{name} {value}: {error:?}"
            );
        }
        let huge = claims()
            .to_string()
            .replace(&NOW.plus(3600).as_secs().to_string(), "1e400");
        assert!(verified(&forge(HEADER, &huge)).is_err());
        let twice = claims()
            .to_string()
            .replacen('{', r#"{"exp":9999999999,"#, 1);
        assert!(verified(&forge(HEADER, &twice)).is_err());
        assert!(verified(&forge(HEADER, "not json")).is_err());
    }

    #[test]
    fn a_token_holds_from_its_issue_until_its_expiry_and_not_a_second_longer() {
        let token = forge(HEADER, &claims().to_string());
        let at = |now| AccessClaims::verify(&keys(), ISSUER, &token, now).err();
        assert_eq!(at(NOW.plus(3599)), None);
        assert_eq!(at(NOW.plus(3600)), Some(TokenError::Expired));
        assert_eq!(at(NOW.minus(1)), Some(TokenError::Expired));
    }

    #[test]
    fn atk_65_every_other_spelling_of_a_token_is_refused() {
        let token = forge(HEADER, &claims().to_string());
        let (text, last) = token.split_at(token.len() - 1);
        // The last character of a 32-byte signature has two spare bits.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for other in alphabet.chars().filter(|c| !last.starts_with(*c)) {
            assert!(verified(&format!("{text}{other}")).is_err(), "{other}");
        }
        for variant in [
            format!("{token}="),
            format!("{token}."),
            format!(" {token}"),
            format!("{token}\n"),
            format!("{token}.x"),
            token.replace('.', ".."),
            text.to_owned(),
            String::new(),
            "..".into(),
            "a.b.c".into(),
            token.to_lowercase(),
            "x".repeat(1 << 20),
            format!("{token}{}", "A".repeat(9_000)),
        ] {
            assert!(verified(&variant).is_err());
        }
        let unsigned = token.rsplit_once('.').unwrap().0;
        assert!(verified(&format!("{unsigned}.")).is_err());
        assert!(verified(unsigned).is_err());
    }

    #[test]
    fn atk_82_a_token_longer_than_8_kib_is_refused_unread() {
        let with_issuer = |length: usize| {
            let issuer = "i".repeat(length);
            let mut claims = claims();
            claims["iss"] = json!(issuer);
            claims["aud"] = json!(issuer);
            // So that one of the lengths is the limit itself: the issuer counts twice.
            claims["jti"] = json!("odd");
            let token = forge(HEADER, &claims.to_string());
            let error = AccessClaims::verify(&keys(), &issuer, &token, NOW).err();
            (token.len(), error)
        };
        let lengths: Vec<_> = (2_850..3_000).map(with_issuer).collect();
        assert!(lengths.contains(&(8 * 1024, None)));
        for (length, error) in lengths {
            let refused = (length > 8 * 1024).then_some(TokenError::Malformed);
            assert_eq!(error, refused, "{length}");
        }
    }

    #[test]
    fn tok_19_a_retiring_key_still_verifies_and_a_removed_one_does_not() {
        let old = KeyRing::parse(RING.split(',').nth(1).unwrap()).unwrap();
        let token = serde_json::from_value::<AccessClaims>(claims())
            .unwrap()
            .sign(&old)
            .unwrap();
        assert!(verified(&token).is_ok());
        let new = KeyRing::parse(RING.split(',').next().unwrap()).unwrap();
        assert_eq!(
            AccessClaims::verify(&new, ISSUER, &token, NOW).err(),
            Some(TokenError::Malformed)
        );
    }

    #[test]
    fn a_qr_link_is_no_access_token_and_expires() {
        let claims = QrClaims {
            client_id: ClientId::try_from("app123".to_owned()).unwrap(),
            user_id: UserId::try_from("ann".to_owned()).unwrap(),
            factor_id: FactorId::draw().unwrap(),
            epoch: TokenEpoch::draw().unwrap(),
            exp: NOW.plus(600),
        };
        let link = claims.sign(&keys()).unwrap();
        assert!(QrClaims::verify(&keys(), &link, NOW.plus(599)).is_ok());
        assert_eq!(
            QrClaims::verify(&keys(), &link, NOW.plus(600)).err(),
            Some(TokenError::Expired)
        );
        assert!(verified(&link).is_err());
        let access = forge(HEADER, &super::tests::claims().to_string());
        assert!(QrClaims::verify(&keys(), &access, NOW).is_err());
    }
}
