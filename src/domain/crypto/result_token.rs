//! Results that others can verify: a JWS (RFC 7515) by ES256, and the set of public keys (RFC 7517) to check one
//! with. Nothing here signs: that is the platform's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;

use crate::domain::crypto::keys::KeySet;
use crate::domain::crypto::public_keys::P256Point;
use crate::domain::crypto::random::{self, RandomError};
use crate::domain::ids::Owner;
use crate::domain::session::Nonce;
use crate::domain::time::UnixTime;

/// How long a result may be shown to others, in seconds.
pub const RESULT_LIFETIME: u64 = 300;

/// The `typ` of the header: a result is taken for no other kind of token (RFC 8725 §3.11).
pub const RESULT_TYPE: &str = "candado-result+jwt";

/// Who proved what to whom, and when.
#[derive(Debug, Clone, Serialize)]
pub struct ResultClaims<'a> {
    iss: &'a str,
    /// The client, for which alone it is.
    aud: &'a str,
    /// The user, by the client's own id.
    sub: &'a str,
    iat: UnixTime,
    exp: UnixTime,
    auth_time: UnixTime,
    jti: String,
    amr: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl<'a> ResultClaims<'a> {
    /// `amr`: values of RFC 8176, none for what that has no value for. `auth_time`: when the proof was given.
    pub fn new(
        issuer: &'a str,
        owner: &'a Owner,
        amr: &'a [&'static str],
        nonce: Option<&'a Nonce>,
        auth_time: UnixTime,
        now: UnixTime,
    ) -> Result<Self, RandomError> {
        Ok(Self {
            iss: issuer,
            aud: owner.client.as_str(),
            sub: owner.user.as_str(),
            iat: now,
            exp: now.plus(RESULT_LIFETIME),
            auth_time,
            jti: random::id()?,
            amr,
            nonce: nonce.map(Nonce::as_str),
        })
    }
}

/// What is to be signed: header and claims. `with_signature` makes the token of it.
pub fn signing_input(set: &KeySet, claims: &ResultClaims<'_>) -> serde_json::Result<String> {
    let header = json!({"alg": "ES256", "kid": set.results_id, "typ": RESULT_TYPE});
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?);
    Ok(format!("{header}.{claims}"))
}

/// The token. The signature is `r ‖ s` (RFC 7518 §3.4).
pub fn with_signature(signing_input: &str, signature: &[u8; 64]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A public key as others read it (RFC 7517, RFC 7518 §6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    kid: String,
    #[serde(rename = "use")]
    serves: &'static str,
    alg: &'static str,
}

impl Jwk {
    /// The key that checks what the entry of the ring signs.
    pub fn new(set: &KeySet, point: &P256Point) -> Self {
        Self {
            kty: "EC",
            crv: "P-256",
            x: URL_SAFE_NO_PAD.encode(point.x()),
            y: URL_SAFE_NO_PAD.encode(point.y()),
            kid: set.results_id.clone(),
            serves: "sig",
            alg: "ES256",
        }
    }
}
