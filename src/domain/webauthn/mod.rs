//! Passkeys: Web Authentication Level 3, as far as a relying party has a part in it. `§` is the standard's.
//!
//! A ceremony is pure and has two halves. [`registration::check`] and [`assertion::check`] do everything but verify
//! the signature and answer an [`Unverified`] outcome; `platform::revealed` verifies and hands it out.

pub mod assertion;
pub mod attestation;
pub mod authenticator_data;
mod base64url;
pub mod cbor;
pub mod client_data;
pub mod cose;
mod credential;
pub mod options;
pub mod registration;
mod response;
mod unverified;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::authenticator_data::AuthenticatorData;
pub use self::base64url::Base64Url;
pub use self::credential::{Aaguid, Attestation, Credential, CredentialId, Transports};
pub use self::response::{AssertionResponse, RegistrationResponse};
pub use self::unverified::Unverified;

/// Bytes that are not what the standard says they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Why a ceremony failed. The first reason that is found is told; after it nothing is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the challenge is not the one that was asked with")]
    Challenge,
    #[error("a page of another origin, or in another page's frame")]
    Origin,
    #[error("the credential belongs to another relying party")]
    RpId,
    #[error("the signature does not hold")]
    Signature,
    #[error("the counter went back: there may be a copy of the key")]
    Counter,
    #[error("not a credential of this user")]
    UnknownCredential,
    /// Of the user's presence too.
    #[error("the authenticator did not verify its user, or did not notice anybody")]
    UserVerification,
    #[error("not what the standard prescribes")]
    Malformed,
}

impl Refusal {
    pub const ALL: [Self; 8] = [
        Self::Challenge,
        Self::Origin,
        Self::RpId,
        Self::Signature,
        Self::Counter,
        Self::UnknownCredential,
        Self::UserVerification,
        Self::Malformed,
    ];

    /// Its stable name, for programs.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Origin => "origin",
            Self::RpId => "rp_id",
            Self::Signature => "signature",
            Self::Counter => "counter",
            Self::UnknownCredential => "unknown_credential",
            Self::UserVerification => "user_verification",
            Self::Malformed => "malformed",
        }
    }
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// For whom credentials are made, and what is expected of a ceremony.
#[derive(Debug, Clone, Copy)]
pub struct RelyingParty<'a> {
    /// A domain.
    pub id: &'a str,
    /// The pages' origins, compared byte for byte with what browsers send.
    pub origins: &'a [String],
    pub user_verification: UserVerification,
}

impl RelyingParty<'_> {
    /// The steps on the authenticator data that both ceremonies have: RP ID, user presence, and that only what is
    /// eligible is backed up (§7.1 steps 14, 15, 17; §7.2 steps 15, 16, 18).
    fn check(&self, data: &AuthenticatorData) -> Result<(), Refusal> {
        if data.rp_id_hash[..] != Sha256::digest(self.id)[..] {
            return Err(Refusal::RpId);
        }
        if !data.flags.user_present() {
            return Err(Refusal::UserVerification);
        }
        if data.flags.backed_up() && !data.flags.backup_eligible() {
            return Err(Refusal::Malformed);
        }
        Ok(())
    }
}

/// Whether an authenticator is to check who uses it, by a PIN or a finger (§5.8.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserVerification {
    Required,
    #[default]
    Preferred,
    Discouraged,
}

impl UserVerification {
    const fn is_required(self) -> bool {
        matches!(self, Self::Required)
    }
}
