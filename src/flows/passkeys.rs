//! Passkeys: asking a browser to make one or to use one, and binding what it made.

use serde_json::{Value, json};

use super::asked::Asked;
use super::change::{Decision, Facts, Outcome, Proof, change};
use super::enrol::{rate, user_or_new};
use super::evidence::{Evidence, NewPasskey};
use super::step_up::{Policy, change_of_anybody};
use crate::domain::account::{Account, FactorView, PasskeyChallenge};
use crate::domain::event::{Event, Kind};
use crate::domain::ids::ChallengeId;
use crate::domain::method::Method;
use crate::domain::relying_party::Party;
use crate::domain::settings::Label;
use crate::domain::webauthn::client_data::Ceremony;
use crate::domain::webauthn::options::{CreationOptions, RequestOptions, User};
use crate::domain::webauthn::{Base64Url, Credential, Refusal};
use crate::error::Error;
use crate::storage::accounts::PasskeyNote;
use crate::storage::passkeys;

/// A challenge for a browser.
pub struct Opened {
    pub challenge: ChallengeId,
    /// Seconds.
    pub expires_in: u32,
    /// What the browser is given.
    pub public_key: Value,
}

/// Begins to make a passkey. Whoever can log in by it is let in, so the proof for that is asked for here, and the
/// challenge stands for it. `name` is what authenticators show beside the client's name; the user id if it is missing.
pub async fn passkey_options(
    asked: &Asked,
    name: Option<&Label>,
    proof: Option<&Evidence>,
) -> Result<Opened, Error> {
    let check = |account: &Account, facts: &Facts<'_>| {
        refuse_if_unused(facts)?;
        account.refuse_another_passkey()?;
        Ok(Policy::Applies)
    };
    let act = |mut account: Account, facts: &Facts<'_>| {
        let name = name.map_or(asked.owner.user.as_str(), Label::as_str);
        let opened = begin_registration(&mut account, facts, facts.client.issuer(), name)?;
        Ok(Decision::store_quietly(account, opened).on(rate(facts)))
    };
    change_of_anybody(asked, proof, user_or_new, check, act).await
}

/// Binds the passkey that a browser made. It counts at once.
pub async fn register_passkey(
    asked: &Asked,
    made: &NewPasskey,
    name: Option<&Label>,
) -> Result<FactorView, Error> {
    let proof = Some(Proof::NewPasskey(made));
    let registered = change(asked, proof, |account, facts| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        let answered = facts.answered.map(|answered| answered.outcome);
        let Some(Outcome::Registration(outcome)) = answered else {
            return Err(Error::internal("a registration without an answer"));
        };
        let changed = account.spend_ceremony(&made.challenge);
        match outcome {
            Ok(credential) => bind(account, facts, credential, name),
            Err(refusal) => Ok(refused(account, *refusal, changed)),
        }
    });
    let registered = registered.await;
    if matches!(registered, Err(Error::PasskeyTaken)) {
        spend(asked, &made.challenge).await?;
    }
    registered?
}

type Registered = Decision<Result<FactorView, Error>>;

fn bind(
    mut account: Account,
    facts: &Facts<'_>,
    credential: &Credential,
    name: Option<&Label>,
) -> Result<Registered, Error> {
    let (asked, now) = (facts.asked, facts.asked.now());
    let vault = asked.vault();
    let id = account.add_passkey(vault, credential, name.map(Label::as_str), now)?;
    let factor = account.factor(vault, &id, now)?;
    let factor = factor.ok_or_else(|| Error::internal("a passkey that is not there"))?;
    let detail = json!({"type": "passkey", "factor": id});
    let event = Event::new(Kind::FactorAdded).by(Method::Passkey);
    let digest = passkeys::digest_of(&asked.owner.client, &credential.id);
    let decision = Decision::store(account, event.with(detail), Ok(factor));
    Ok(decision.noting(PasskeyNote::Added(digest)))
}

/// A challenge that was answered is used up, whatever the answer was worth.
fn refused(account: Account, refusal: Refusal, changed: bool) -> Registered {
    let outcome = Err(Error::InvalidCredential(refusal));
    if !changed {
        return Decision::nothing(outcome);
    }
    let detail = json!({"reason": refusal.reason(), "registration": true});
    let event = Event::new(Kind::Failed).by(Method::Passkey);
    Decision::store(account, event.with(detail), outcome)
}

/// The passkey is somebody's already, which only the database knew: nothing was stored, and the challenge is used up
/// all the same.
async fn spend(asked: &Asked, challenge: &ChallengeId) -> Result<(), Error> {
    change(asked, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        account.spend_ceremony(challenge);
        let detail = json!({"reason": "taken", "registration": true});
        let event = Event::new(Kind::Failed).by(Method::Passkey);
        Ok(Decision::store(account, event.with(detail), ()))
    })
    .await
}

/// Asks for a signature by one of the user's passkeys.
pub async fn passkey_challenge(asked: &Asked) -> Result<Opened, Error> {
    change(asked, None, |account, facts| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        refuse_if_unused(facts)?;
        if !account.mfa_enabled() {
            return Err(Error::MfaNotEnabled);
        }
        let opened = begin_assertion(&mut account, facts)?;
        Ok(Decision::store_quietly(account, opened))
    })
    .await
}

/// Opens the ceremony that makes a passkey. `issuer` and `name` are what authenticators show.
pub(super) fn begin_registration(
    account: &mut Account,
    facts: &Facts<'_>,
    issuer: &str,
    name: &str,
) -> Result<Opened, Error> {
    let (vault, now) = (facts.asked.vault(), facts.asked.now());
    let challenge = PasskeyChallenge::draw(Ceremony::Registration, now)?;
    let party = party(facts);
    let existing = account.credentials(vault)?;
    let user = User {
        handle: Base64Url(account.user_handle()?),
        name,
        display_name: name,
    };
    let options = CreationOptions::new(
        &party.as_party(),
        issuer,
        user,
        challenge.bytes(),
        PasskeyChallenge::LIFETIME,
        &existing,
    );
    let opened = opened(&challenge, serde_json::to_value(options))?;
    account.open_ceremony(challenge, now);
    Ok(opened)
}

/// Opens the ceremony that uses one of the account's passkeys.
pub(super) fn begin_assertion(account: &mut Account, facts: &Facts<'_>) -> Result<Opened, Error> {
    let (vault, now) = (facts.asked.vault(), facts.asked.now());
    let allowed = account.credentials(vault)?;
    if allowed.is_empty() {
        return Err(Error::NoPasskey);
    }
    let challenge = PasskeyChallenge::draw(Ceremony::Assertion, now)?;
    let party = party(facts);
    let lifetime = PasskeyChallenge::LIFETIME;
    let options = RequestOptions::new(&party.as_party(), challenge.bytes(), lifetime, &allowed);
    let opened = opened(&challenge, serde_json::to_value(options))?;
    account.open_ceremony(challenge, now);
    Ok(opened)
}

pub(super) fn refuse_if_unused(facts: &Facts<'_>) -> Result<(), Error> {
    if facts.client.settings.allows(Method::Passkey) {
        return Ok(());
    }
    Err(Error::MethodNotUsed(Method::Passkey))
}

fn party(facts: &Facts<'_>) -> Party {
    let own = &facts.asked.app().config.public_url;
    Party::of(&facts.client.settings, own.host()).and_page(own.as_str(), own.host())
}

fn opened(
    challenge: &PasskeyChallenge,
    options: serde_json::Result<Value>,
) -> Result<Opened, Error> {
    Ok(Opened {
        challenge: challenge.id.clone(),
        expires_in: PasskeyChallenge::LIFETIME,
        public_key: options.map_err(Error::internal)?,
    })
}
