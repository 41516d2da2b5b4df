//! The outcome of a ceremony before its signature was verified. Public-key operations wait, and the rules do not:
//! so a ceremony answers what is to be verified, and keeps its outcome until somebody has.

use super::Refusal;
use crate::domain::crypto::public_keys::PublicKey;

/// An outcome that nobody can have yet. `platform::revealed` verifies its signature and hands it out; there is no
/// other way to it:
///
/// ```
/// # use candado::domain::webauthn::{Refusal, Unverified};
/// # use candado::platform::{Signatures, revealed};
/// async fn outcome<T: Send>(unverified: Unverified<T>, signatures: &dyn Signatures) -> Result<T, Refusal> {
///     revealed(unverified, signatures).await
/// }
/// ```
///
/// ```compile_fail,E0616
/// # use candado::domain::webauthn::{Refusal, Unverified};
/// # use candado::platform::{Signatures, revealed};
/// async fn outcome<T: Send>(unverified: Unverified<T>, signatures: &dyn Signatures) -> Result<T, Refusal> {
///     unverified.outcome
/// }
/// ```
#[derive(Debug)]
#[must_use = "a ceremony without its outcome has not taken place"]
pub struct Unverified<T> {
    /// What a signature is needed to know may be a refusal as well: a counter that went back says nothing as long as
    /// anybody could have written it.
    outcome: Result<T, Refusal>,
    statement: Option<SignedStatement>,
}

/// A message, and a signature in the form the platforms verify.
#[derive(Debug)]
pub(crate) struct SignedStatement {
    pub(crate) key: PublicKey,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl SignedStatement {
    /// Refused if the signature has another form than those of the key.
    pub(super) fn new(
        key: &PublicKey,
        message: Vec<u8>,
        signature: &[u8],
    ) -> Result<Self, Refusal> {
        Ok(Self {
            key: key.clone(),
            message,
            signature: key.raw_signature(signature).ok_or(Refusal::Signature)?,
        })
    }
}

impl<T> Unverified<T> {
    pub(super) const fn new(
        outcome: Result<T, Refusal>,
        statement: Option<SignedStatement>,
    ) -> Self {
        Self { outcome, statement }
    }

    /// `None` if nothing was signed: a registration without attestation.
    pub(crate) const fn statement(&self) -> Option<&SignedStatement> {
        self.statement.as_ref()
    }

    /// The outcome, for `platform::revealed` alone: `holds` is what its verification said.
    pub(crate) fn outcome_if(self, holds: bool) -> Result<T, Refusal> {
        if holds {
            self.outcome
        } else {
            Err(Refusal::Signature)
        }
    }
}
