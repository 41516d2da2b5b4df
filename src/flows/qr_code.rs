//! The picture of a pending secret, for whoever holds its link.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::call::Call;
use crate::config::Origin;
use crate::domain::account::PENDING_LIFETIME;
use crate::domain::codes::otpauth;
use crate::domain::crypto::token::QrClaims;
use crate::domain::ids::{Owner, UserId};
use crate::domain::qr;
use crate::error::Error;
use crate::storage::accounts;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Png,
    Svg,
}

/// The link: its base comes from the configuration, never from a request's `Host` (REC-12).
pub fn url(base: &Origin, user: &UserId, link: &str) -> String {
    format!(
        "{}/qrcode/{}?t={link}",
        base.as_str(),
        utf8_percent_encode(user.as_str(), NON_ALPHANUMERIC)
    )
}

/// Draws the QR code the link is for. A link that is forged, expired, of another user, or whose secret
/// was confirmed or replaced gives one and the same answer.
pub async fn draw(
    call: &Call,
    user: &UserId,
    link: &str,
    format: Format,
) -> Result<Vec<u8>, Error> {
    let keys = call.app.keys();
    let claims = QrClaims::verify(keys, link, call.now).map_err(|_| Error::NotFound)?;
    let issued_at = claims.exp.minus(PENDING_LIFETIME);
    let revived = call
        .app
        .config
        .restored_at
        .is_some_and(|restored| issued_at < restored);
    if claims.user_id != *user || revived {
        return Err(Error::NotFound);
    }
    let owner = Owner {
        client: &claims.client_id,
        user,
    };
    let loaded = accounts::find(&*call.app.db, owner)
        .await?
        .filter(|loaded| !loaded.client.disabled && loaded.client.token_epoch == claims.epoch);
    let loaded = loaded.ok_or(Error::NotFound)?;
    let stored = loaded.stored.ok_or(Error::NotFound)?;
    let pending = stored
        .account
        .pending_secret(keys, owner, &claims.factor_id, call.now)?
        .ok_or(Error::NotFound)?;
    let uri = otpauth::uri(
        loaded.client.issuer(),
        &pending.name,
        &pending.secret,
        &pending.parameters,
    );
    match format {
        Format::Png => qr::png(&uri),
        Format::Svg => qr::svg(&uri).map(String::into_bytes),
    }
    .map_err(Error::internal)
}
