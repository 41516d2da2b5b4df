//! What a user proves themselves by, as requests carry it: `code`, or `challenge_id` with `credential`.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::codes::guess::GuessedCode;
use crate::domain::fields::Fields;
use crate::domain::ids::ChallengeId;
use crate::domain::webauthn::{AssertionResponse, RegistrationResponse};
use crate::error::Error;
use crate::flows::{Evidence, NewPasskey, PasskeyAnswer};

/// What a browser's `PublicKeyCredential.toJSON()` gives, of a passkey that was used.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct UsedCredential(Fields);

/// The same of a passkey that was made.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct MadeCredential(Fields);

/// What came, if anything did.
pub(super) fn evidence(
    code: Option<GuessedCode>,
    challenge: Option<ChallengeId>,
    credential: Option<UsedCredential>,
) -> Result<Option<Evidence>, Error> {
    match (code, challenge, credential) {
        (None, None, None) => Ok(None),
        (Some(code), None, None) => Ok(Some(Evidence::Code(code))),
        (None, Some(challenge), Some(UsedCredential(fields))) => {
            let response = AssertionResponse::read(&Value::Object(fields));
            let response = response.map_err(Error::InvalidCredential)?;
            Ok(Some(Evidence::Passkey(PasskeyAnswer {
                challenge,
                response,
            })))
        }
        (Some(_), _, _) => Err(Error::invalid(
            "code",
            "Not together with challenge_id or credential",
        )),
        (None, Some(_), None) => Err(Error::invalid(
            "credential",
            "This field is missing beside challenge_id",
        )),
        (None, None, Some(_)) => Err(Error::invalid(
            "challenge_id",
            "This field is missing beside credential",
        )),
    }
}

impl MadeCredential {
    pub(super) fn answering(self, challenge: ChallengeId) -> Result<NewPasskey, Error> {
        let response = RegistrationResponse::read(&Value::Object(self.0));
        let response = response.map_err(Error::InvalidCredential)?;
        Ok(NewPasskey {
            challenge,
            response,
        })
    }
}
