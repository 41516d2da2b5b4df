//! Public-key operations. Keys come checked (`domain::crypto::public_keys`), so that both platforms judge alike
//! what reaches them. A verification that fails for any reason says that the signature does not hold.

use async_trait::async_trait;

use crate::domain::crypto::public_keys::{P256Point, PublicKey};
use crate::domain::crypto::signing_key::SigningKey;
use crate::domain::webauthn::{Refusal, Unverified};

#[derive(Debug, thiserror::Error)]
#[error("the platform could not sign: {0}")]
pub struct SignError(pub String);

#[async_trait]
pub trait Signatures: Send + Sync {
    /// Whether the signature is the key's, over the message. ES256 as `r ‖ s`, which is 64 bytes. What is malformed
    /// is false.
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool;

    /// A signature by ES256 as `r ‖ s`. Another one each time.
    async fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<[u8; 64], SignError>;

    /// The public key that belongs to a signing key.
    async fn public_point(&self, key: &SigningKey) -> Result<P256Point, SignError>;
}

/// The outcome of a ceremony, if its signature holds.
pub async fn revealed<T: Send>(
    unverified: Unverified<T>,
    signatures: &dyn Signatures,
) -> Result<T, Refusal> {
    let holds = match unverified.statement() {
        Some(signed) => {
            signatures
                .verify(&signed.key, &signed.message, &signed.signature)
                .await
        }
        None => true,
    };
    unverified.outcome_if(holds)
}
