//! Results that others can verify, and the keys to verify them with.

use super::asked::Asked;
use super::judge::Verified;
use crate::app::App;
use crate::domain::crypto::result_token::{Jwk, ResultClaims, signing_input, with_signature};
use crate::domain::method::Method;
use crate::domain::session::Nonce;
use crate::domain::time::UnixTime;
use crate::error::Error;

/// A token that says what was verified for the asked user at `auth_time`, for the asking client alone. There is no
/// other way to one, and a `Verified` is made by a success only.
pub async fn result_token(
    asked: &Asked,
    verified: Verified,
    auth_time: UnixTime,
    nonce: Option<&Nonce>,
) -> Result<String, Error> {
    let app = asked.app();
    let issuer = app.config.public_url.as_str();
    let amr = amr(verified);
    // Whoever verifies it does so by a clock of their own.
    let now = asked.call.real_now();
    let claims = ResultClaims::new(issuer, &asked.owner, amr, nonce, auth_time, now)?;
    let set = app.keys().current();
    let input = signing_input(set, &claims).map_err(Error::internal)?;
    let signature = app.signatures.sign(&set.results, input.as_bytes()).await;
    let signature = signature.map_err(Error::internal)?;
    Ok(with_signature(&input, &signature))
}

/// What RFC 8176 calls the proof; nothing for what it has no name for, so that whoever asks for a name refuses it.
/// A recovery proves that its user lost the factor.
pub(super) const fn amr(verified: Verified) -> &'static [&'static str] {
    match verified.method {
        // No attestation is asked for, so nobody can say that the key lies in hardware.
        Method::Passkey if matches!(verified.user_verified, Some(true)) => &["swk", "user", "pop"],
        Method::Passkey => &["swk", "pop"],
        Method::Totp => &["otp"],
        Method::Sms => &["sms"],
        Method::Email | Method::Generated | Method::RecoveryCode | Method::RecoveryMessage => &[],
    }
}

/// The public key of each entry of the ring, the signing one first: a key is known to others before it signs.
pub async fn result_keys(app: &App) -> Result<Vec<Jwk>, Error> {
    let mut keys = Vec::new();
    for set in app.keys().iter() {
        let point = app.signatures.public_point(&set.results).await;
        keys.push(Jwk::new(set, &point.map_err(Error::internal)?));
    }
    Ok(keys)
}
