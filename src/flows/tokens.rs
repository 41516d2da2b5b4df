//! Access tokens: for a client's secret, until they expire or are revoked.

use crate::app::Call;
use crate::domain::ids::ClientId;
use crate::domain::token::{ACCESS_TOKEN_LIFETIME, AccessClaims};
use crate::error::Error;
use crate::flows::Caller;
use crate::storage::{clients, revoked_tokens, send_counters};

/// Wrong secrets for one client id in a minute before the answer says so. The right secret is
/// accepted all the while, so that nobody can lock a client out (RATE-15, ATK-29).
const WRONG_SECRETS_PER_MINUTE: u64 = 30;

pub struct Issued {
    pub access_token: String,
    pub expires_in: u64,
}

pub async fn issue(
    call: &Call,
    client: &ClientId,
    secret: &str,
    basic: bool,
) -> Result<Issued, Error> {
    let db = &*call.app.db;
    let Some(epoch) = clients::authenticate(db, client, secret, call.now).await? else {
        let wrong =
            send_counters::count_in_minute(db, &format!("auth:{}", client.as_str()), call.now)
                .await?;
        return Err(if wrong > WRONG_SECRETS_PER_MINUTE {
            Error::RateLimited {
                retry_after: send_counters::rest_of_minute(call.now),
            }
        } else {
            Error::InvalidClient { basic }
        });
    };
    let issuer = call.app.config.public_url.as_str();
    let claims = AccessClaims::new(issuer, client, epoch, call.now)?;
    let access_token = claims.sign(call.app.keys()).map_err(Error::internal)?;
    Ok(Issued {
        access_token,
        expires_in: ACCESS_TOKEN_LIFETIME,
    })
}

/// Who a presented token belongs to. Pure: that it was not revoked is checked where the account is loaded.
pub fn caller(call: &Call, token: &str) -> Result<Caller, Error> {
    let issuer = call.app.config.public_url.as_str();
    let claims = AccessClaims::verify(call.app.keys(), issuer, token, call.now);
    let claims = claims.map_err(|_| Error::InvalidToken { presented: true })?;
    // A backup knows nothing of the tokens revoked after it was made (CRY-15).
    if call
        .app
        .config
        .restored_at
        .is_some_and(|restored| claims.iat < restored)
    {
        return Err(Error::InvalidToken { presented: true });
    }
    Ok(Caller {
        client: claims.client_id,
        jti: claims.jti,
        epoch: claims.epoch,
    })
}

/// Revokes the token for every later request. One that is unknown, malformed or expired is revoked
/// as it is (RFC 7009 §2.2).
pub async fn revoke(call: &Call, token: &str) -> Result<(), Error> {
    let issuer = call.app.config.public_url.as_str();
    if let Ok(claims) = AccessClaims::verify(call.app.keys(), issuer, token, call.now) {
        revoked_tokens::insert(&*call.app.db, &claims.jti, claims.exp).await?;
    }
    Ok(())
}
