//! Verifying an assertion (§7.2). The numbers are those of the standard's steps; 1 to 4 are the browser's.

use super::authenticator_data::AuthenticatorData;
use super::client_data::{Ceremony, ClientData, signed_message};
use super::credential::Credential;
use super::response::AssertionResponse;
use super::unverified::{SignedStatement, Unverified};
use super::{Refusal, RelyingParty};

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The credential as it is to be stored from now on.
    pub credential: Credential,
    /// The authenticator verified its user, and is one that may be believed in this.
    pub user_verified: bool,
    /// A copy of the key may be at large. It was let pass as the key is backed up, so that there are copies.
    pub counter_went_back: bool,
}

/// Checks all but the signature. `credentials` are those of the one user that is to be authenticated, `user_handle`
/// is theirs.
pub fn check<'a>(
    party: &RelyingParty<'_>,
    challenge: &[u8],
    user_handle: &[u8],
    credentials: impl IntoIterator<Item = &'a Credential>,
    response: &AssertionResponse,
) -> Result<Unverified<Assertion>, Refusal> {
    // 5 and 6: the user is known, and every credential of theirs was allowed.
    let credential = credentials
        .into_iter()
        .find(|credential| credential.id == response.id)
        .ok_or(Refusal::UnknownCredential)?;
    if response
        .user_handle
        .as_ref()
        .is_some_and(|handle| handle != user_handle)
    {
        return Err(Refusal::UnknownCredential);
    }
    // 7 to 14.
    let client_data = &response.client_data;
    ClientData::read(client_data)?.check(Ceremony::Assertion, party, challenge)?;
    let data = AuthenticatorData::read(&response.authenticator_data)?;
    // 15, 16, 18.
    party.check(&data)?;
    let flags = data.flags;
    // 17. A flag that may not be relied upon (§4, `uvInitialized`) does not meet what is required either.
    let user_verified = flags.user_verified() && credential.uv_initialized;
    if party.user_verification.is_required() && !user_verified {
        return Err(Refusal::UserVerification);
    }
    // 19, and §6.1: in an assertion no credential is attested.
    if flags.backup_eligible() != credential.backup_eligible || data.attested.is_some() {
        return Err(Refusal::Malformed);
    }
    // 20 and 21.
    let message = signed_message(&response.authenticator_data, client_data);
    let statement = SignedStatement::new(&credential.key, message, &response.signature)?;
    // 22. Two zeros are an authenticator that does not count.
    let counts = data.sign_count != 0 || credential.sign_count != 0;
    let counter_went_back = counts && data.sign_count <= credential.sign_count;
    let outcome = if counter_went_back && !flags.backed_up() {
        Err(Refusal::Counter)
    } else {
        // 24. The counter is never set back: whichever copy is behind is noticed each time.
        let credential = Credential {
            sign_count: credential.sign_count.max(data.sign_count),
            backed_up: flags.backed_up(),
            ..credential.clone()
        };
        Ok(Assertion {
            credential,
            user_verified,
            counter_went_back,
        })
    };
    Ok(Unverified::new(outcome, Some(statement)))
}
