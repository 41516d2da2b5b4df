//! `Signatures` by ring, which cannot compute a public point: the p256 crate does that, and nothing else.

use std::fmt::Display;

use async_trait::async_trait;
use p256::elliptic_curve::sec1::ToSec1Point;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use crate::domain::crypto::public_keys::{P256Point, PublicKey, RsaModulus};
use crate::domain::crypto::signing_key::SigningKey;
use crate::platform::{SignError, Signatures};

pub struct Ring;

#[async_trait]
impl Signatures for Ring {
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let verified = match key {
            PublicKey::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes())
                    .verify(message, signature)
            }
            PublicKey::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(message, signature)
            }
            PublicKey::Rs256(modulus) => {
                let key = RsaPublicKeyComponents {
                    n: modulus.as_bytes(),
                    e: &RsaModulus::EXPONENT,
                };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        verified.is_ok()
    }

    async fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<[u8; 64], SignError> {
        let point = point(key)?;
        let random = SystemRandom::new();
        // Refuses a point that is not the key's.
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            key.as_bytes(),
            point.as_bytes(),
            &random,
        )
        .map_err(|error| failed(&error))?;
        let signature = pair
            .sign(&random, message)
            .map_err(|error| failed(&error))?;
        signature
            .as_ref()
            .try_into()
            .map_err(|error| failed(&error))
    }

    async fn public_point(&self, key: &SigningKey) -> Result<P256Point, SignError> {
        point(key)
    }
}

fn point(key: &SigningKey) -> Result<P256Point, SignError> {
    let secret = p256::SecretKey::from_slice(key.as_bytes()).map_err(|error| failed(&error))?;
    let point = secret.public_key().to_sec1_point(false);
    let (x, y) = point
        .x()
        .zip(point.y())
        .ok_or_else(|| failed(&"infinity"))?;
    P256Point::new(x, y).ok_or_else(|| failed(&"off the curve"))
}

fn failed(error: &dyn Display) -> SignError {
    SignError(error.to_string())
}
