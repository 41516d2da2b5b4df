//! What a user proves themselves by.

use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::ChallengeId;
use crate::domain::webauthn::{AssertionResponse, RegistrationResponse};

/// A code that was typed, or what a passkey signed.
#[derive(Debug, Clone)]
pub enum Evidence {
    Code(GuessedCode),
    Passkey(PasskeyAnswer),
}

/// An authenticator's answer to a challenge.
#[derive(Debug, Clone)]
pub struct PasskeyAnswer {
    pub challenge: ChallengeId,
    pub response: AssertionResponse,
}

/// A new passkey: an authenticator's answer to a challenge to make one.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    pub challenge: ChallengeId,
    pub response: RegistrationResponse,
}
