//! WebAuthn: the standard's own vectors, an authenticator in software that lies, and second opinions.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect is to fail"
)]

mod cases;
mod cbor;
mod ceremonies;
mod level3;
mod messages;
mod mutations;
mod options;
mod recorded;
mod signatures;

use candado::domain::webauthn::assertion::{self, Assertion};
use candado::domain::webauthn::{
    AssertionResponse, Credential, Refusal, RegistrationResponse, RelyingParty, registration,
};
use candado::native::signatures::Ring;
use candado::platform::revealed;
use futures_util::FutureExt as _;
use serde_json::Value;

/// What comes of a future that does not wait, as none of ring's does.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

/// A whole registration.
fn register(
    party: &RelyingParty<'_>,
    challenge: &[u8],
    message: &Value,
) -> Result<Credential, Refusal> {
    let response = RegistrationResponse::read(message)?;
    now(revealed(
        registration::check(party, challenge, response)?,
        &Ring,
    ))
}

/// A whole assertion.
fn assert(
    party: &RelyingParty<'_>,
    challenge: &[u8],
    user_handle: &[u8],
    credentials: &[Credential],
    message: &Value,
) -> Result<Assertion, Refusal> {
    let response = AssertionResponse::read(message)?;
    let unverified = assertion::check(party, challenge, user_handle, credentials, &response)?;
    now(revealed(unverified, &Ring))
}
