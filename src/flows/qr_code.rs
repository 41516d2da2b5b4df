//! The address of a pending secret's QR code, and what it says to whoever holds it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::asked::{Asked, By};
use super::change::load;
use super::test_clients::on_clock_of_client;
use crate::call::Call;
use crate::config::Origin;
use crate::domain::account::PENDING_LIFETIME;
use crate::domain::codes::otpauth;
use crate::domain::crypto::token::QrClaims;
use crate::domain::ids::{Owner, UserId};
use crate::error::Error;

/// The link: its base comes from the configuration, never from a request's `Host` (REC-12).
pub(super) fn qr_code_url(base: &Origin, user: &UserId, link: &str) -> String {
    format!(
        "{}/qrcode/{}?t={link}",
        base.as_str(),
        utf8_percent_encode(user.as_str(), NON_ALPHANUMERIC)
    )
}

/// The `otpauth:` address the QR code shows. A link that is forged, expired, of another user, or whose
/// secret was confirmed or replaced gives one and the same answer.
pub async fn qr_code(call: &Call, user: &UserId, link: &str) -> Result<String, Error> {
    let claims = QrClaims::open(call.app.keys(), link).map_err(|_| Error::NotFound)?;
    if claims.user_id != *user {
        return Err(Error::NotFound);
    }
    let call = on_clock_of_client(call, &claims.client_id).await?;
    let claims = claims.alive(call.now).map_err(|_| Error::NotFound)?;
    let asked = Asked {
        call,
        by: By::Link {
            issued_at: claims.exp.minus(PENDING_LIFETIME),
            epoch: claims.epoch,
        },
        owner: Owner {
            client: claims.client_id,
            user: claims.user_id,
        },
    };
    let loaded = load(&asked).await?;
    let stored = loaded.stored.ok_or(Error::NotFound)?;
    let (vault, account) = (asked.vault(), stored.account);
    let pending = account.pending_secret(vault, &claims.factor_id, asked.now())?;
    let pending = pending.ok_or(Error::NotFound)?;
    Ok(otpauth::uri(
        loaded.client.issuer(),
        &pending.account_name,
        &pending.secret,
        &pending.parameters,
    ))
}
