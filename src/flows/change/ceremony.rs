//! What a passkey's answer comes to on the account that was loaded. Its signature is verified before anything is
//! decided, since that waits and a decision does not; what it came to is told after the account is stored.

use super::proof::Proof;
use crate::domain::account::{Account, CeremonyError};
use crate::domain::client::ClientState;
use crate::domain::ids::ChallengeId;
use crate::domain::method::Method;
use crate::domain::relying_party::Party;
use crate::domain::webauthn::assertion::Assertion;
use crate::domain::webauthn::{Credential, Refusal};
use crate::error::Error;
use crate::flows::asked::Asked;
use crate::platform::revealed;

/// An answer, judged.
#[derive(Clone, Copy)]
pub(in crate::flows) struct Answered<'a> {
    pub challenge: &'a ChallengeId,
    pub outcome: &'a Outcome,
}

pub(in crate::flows) enum Outcome {
    Assertion(Result<Assertion, Refusal>),
    Registration(Result<Credential, Refusal>),
}

impl<'a> Proof<'a> {
    /// The challenge it answers, if it does.
    pub(super) fn challenge(self) -> Option<&'a ChallengeId> {
        match self {
            Self::Code(_) => None,
            Self::Passkey(answer) => Some(&answer.challenge),
            Self::NewPasskey(made) => Some(&made.challenge),
        }
    }
}

/// What the answer comes to, if there is one and somebody it could be of.
pub(super) async fn judge(
    asked: &Asked,
    client: &ClientState,
    account: Option<&Account>,
    proof: Option<Proof<'_>>,
) -> Result<Option<Outcome>, Error> {
    let (Some(account), Some(proof)) = (account, proof) else {
        return Ok(None);
    };
    if proof.challenge().is_some() && !client.settings.allows(Method::Passkey) {
        return Err(Error::MethodNotUsed(Method::Passkey));
    }
    let app = asked.app();
    let own = &app.config.public_url;
    let party = Party::of(&client.settings, own.host()).and_page(own.as_str(), own.host());
    let (party, signatures, now) = (party.as_party(), &*app.signatures, asked.now());
    Ok(match proof {
        Proof::Code(_) => None,
        Proof::Passkey(answer) => {
            let (id, response) = (&answer.challenge, &answer.response);
            let checked = account.check_assertion(asked.vault(), &party, id, response, now);
            let outcome = match checked {
                Ok(unverified) => revealed(unverified, signatures).await,
                Err(CeremonyError::Refused(refusal)) => Err(refusal),
                Err(CeremonyError::Unreadable(error)) => return Err(error.into()),
            };
            Some(Outcome::Assertion(outcome))
        }
        Proof::NewPasskey(made) => {
            let response = made.response.clone();
            let checked = account.check_registration(&party, &made.challenge, response, now);
            let outcome = match checked {
                Ok(unverified) => revealed(unverified, signatures).await,
                Err(refusal) => Err(refusal),
            };
            Some(Outcome::Registration(outcome))
        }
    })
}
