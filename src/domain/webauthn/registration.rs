//! Registering a credential (§7.1). The numbers are those of the standard's steps; 1 to 4 are the browser's.

use super::attestation::{AttestationObject, Statement};
use super::authenticator_data::AuthenticatorData;
use super::client_data::{Ceremony, ClientData, signed_message};
use super::credential::{Attestation, Credential};
use super::response::RegistrationResponse;
use super::unverified::{SignedStatement, Unverified};
use super::{Malformed, Refusal, RelyingParty};

/// Checks all but the signature of a self attestation. That the credential's id is nobody's yet (step 26) is for who
/// stores it to see to.
pub fn check(
    party: &RelyingParty<'_>,
    challenge: &[u8],
    response: RegistrationResponse,
) -> Result<Unverified<Credential>, Refusal> {
    // 5 to 11.
    let client_data = &response.client_data;
    ClientData::read(client_data)?.check(Ceremony::Registration, party, challenge)?;
    // 13. (12 is done where the hash is used.)
    let object = AttestationObject::read(&response.attestation_object)?;
    let data = AuthenticatorData::read(object.authenticator_data)?;
    // 14 to 17.
    party.check(&data)?;
    let flags = data.flags;
    if party.user_verification.is_required() && !flags.user_verified() {
        return Err(Refusal::UserVerification);
    }
    // 20, and 25: a key of another algorithm and a longer id have not been read. The attested id is the one the
    // browser names, or it would be asked for another.
    let attested = data.attested.ok_or(Malformed)?;
    if attested.id != response.id {
        return Err(Refusal::Malformed);
    }
    // 21 and 22. What is not verified is worth as much as no attestation, which is what was asked for (24).
    let (attestation, statement) = match object.statement {
        Statement::Unverified => (Attestation::None, None),
        Statement::SelfSigned {
            algorithm,
            signature,
        } => {
            if algorithm != attested.key.algorithm().cose() {
                return Err(Refusal::Malformed);
            }
            let message = signed_message(object.authenticator_data, client_data);
            let statement = SignedStatement::new(&attested.key, message, signature)?;
            (Attestation::SelfSigned, Some(statement))
        }
    };
    // 27.
    let credential = Credential {
        id: attested.id,
        key: attested.key,
        sign_count: data.sign_count,
        uv_initialized: flags.user_verified(),
        backup_eligible: flags.backup_eligible(),
        backed_up: flags.backed_up(),
        transports: response.transports,
        aaguid: attested.aaguid,
        attestation,
    };
    Ok(Unverified::new(Ok(credential), statement))
}
