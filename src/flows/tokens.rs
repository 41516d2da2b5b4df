//! Access tokens: for a client's secret, until they expire or are revoked.

use super::asked::{Caller, Credential};
use crate::call::Call;
use crate::domain::api_key::{self, PresentedKey};
use crate::domain::client::secret_digest;
use crate::domain::crypto::digest;
use crate::domain::crypto::keys::KeyRing;
use crate::domain::crypto::token::{ACCESS_TOKEN_LIFETIME, AccessClaims};
use crate::domain::ids::ClientId;
use crate::domain::scope::Scope;
use crate::error::{Error, TokenProblem};
use crate::storage::{auth_failures, clients, revoked_tokens};

/// Wrong secrets in a minute, of one bucket of client ids, before the answer says so. The right secret is
/// accepted all the while, so that nobody can lock a client out (RATE-15, ATK-29).
const WRONG_SECRETS_PER_MINUTE: u32 = 30;

/// Every id falls into one of so many buckets, which nobody outside can tell. An id that does not exist is
/// counted as one that does, and strangers who make ids up make no rows.
const BUCKETS: u32 = 1024;

pub struct Issued {
    pub access_token: String,
    pub expires_in: u64,
}

/// An access token for the client's secret.
pub async fn issue(call: &Call, client: &ClientId, secret: &str) -> Result<Issued, Error> {
    let (db, now) = (&*call.app.db, call.now);
    let bucket = bucket(call.app.keys(), client);
    // Made before it is known whether there is such a client, so that one that does not exist takes as
    // long (TOK-04).
    let presented = secret_digest(client, secret);
    let (found, wrong) = clients::find_with_failures(db, client, bucket, now).await?;
    let epoch = found
        .as_ref()
        .and_then(|found| found.authenticate(&presented, now));
    let Some(epoch) = epoch else {
        if wrong >= WRONG_SECRETS_PER_MINUTE {
            return Err(Error::RateLimited {
                retry_after: auth_failures::rest_of_minute(now),
            });
        }
        auth_failures::add(db, bucket, WRONG_SECRETS_PER_MINUTE, now).await?;
        return Err(Error::InvalidClient);
    };
    let issuer = call.app.config.public_url.as_str();
    let claims = AccessClaims::new(issuer, client, epoch.clone(), now)?;
    let access_token = claims.sign(call.app.keys()).map_err(Error::internal)?;
    Ok(Issued {
        access_token,
        expires_in: ACCESS_TOKEN_LIFETIME,
    })
}

fn bucket(keys: &KeyRing, client: &ClientId) -> u32 {
    let key = &keys.current().pseudonyms;
    let digest = digest::keyed(key, &[b"auth", client.as_str().as_bytes()]);
    let start = digest.as_hex().get(..8).unwrap_or_default();
    u32::from_str_radix(start, 16).unwrap_or_default() % BUCKETS
}

/// Who a presented token or API key belongs to, for something of the scope `needs`. Pure: that it was not revoked is
/// checked where the account is loaded.
pub fn caller(call: &Call, token: &str, needs: Scope) -> Result<Caller, Error> {
    if token.starts_with(api_key::PREFIX) {
        let key = PresentedKey::parse(token);
        let key = key.ok_or(Error::InvalidToken(TokenProblem::MistypedKey))?;
        return Ok(Caller {
            client: key.client.clone(),
            credential: Credential::Key { key, needs },
        });
    }
    let issuer = call.app.config.public_url.as_str();
    let claims = AccessClaims::verify(call.app.keys(), issuer, token, call.now);
    let claims = claims.map_err(|_| Error::InvalidToken(TokenProblem::Refused))?;
    Ok(Caller {
        client: claims.client_id,
        credential: Credential::Token {
            jti: claims.jti,
            epoch: claims.epoch,
            issued_at: claims.iat,
        },
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
