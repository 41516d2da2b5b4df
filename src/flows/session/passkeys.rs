//! Passkeys on the hosted page: asking for one, proving by one, adding one.

use serde_json::json;

use super::act::{Act, Told, act};
use super::setup::{SETTING_UP, numbered, way_added};
use super::{Done, Place};
use super::{Refused, Visit};
use crate::domain::account::Account;
use crate::domain::event::{Event, Kind};
use crate::domain::method::Method;
use crate::domain::session::Stage;
use crate::error::Error;
use crate::flows::change::{Decision, Facts, Outcome, Proof};
use crate::flows::evidence::NewPasskey;
use crate::flows::passkeys::{Opened, begin_assertion, begin_registration, refuse_if_unused};
use crate::storage::accounts::PasskeyNote;
use crate::storage::passkeys;

/// Without a name of its own: asked for again it is another one.
fn anew(visit: &Visit) -> Visit {
    Visit {
        once: None,
        ..visit.clone()
    }
}

/// Asks for a signature by one of the user's passkeys. It sends nothing, and opens nothing.
pub async fn passkey_challenge(visit: &Visit) -> Result<Opened, Refused> {
    let what = Act {
        stages: &[Stage::Verify, Stage::Manage],
        ..Act::IN_EVERY_STAGE
    };
    let asked_for = act(&anew(visit), what, |mut account, _, facts| {
        refuse_if_unused(facts)?;
        let opened = begin_assertion(&mut account, facts)?;
        Ok(Decision::store_quietly(account, Ok(Told::plainly(opened))))
    })
    .await?;
    asked_for
        .0
        .ok_or_else(|| Error::internal("a challenge that was not told").into())
}

/// Begins to make a passkey.
pub async fn passkey_options(visit: &Visit) -> Result<Opened, Refused> {
    let what = Act {
        stages: SETTING_UP,
        ..Act::IN_EVERY_STAGE
    };
    let begun = act(&anew(visit), what, |mut account, place, facts| {
        refuse_if_unused(facts)?;
        account.refuse_another_passkey()?;
        let name = place.request.account_name.as_ref();
        let name = name.map_or(facts.asked.owner.user.as_str(), |name| name.as_str());
        let opened = begin_registration(&mut account, facts, facts.client.brand_name(), name)?;
        Ok(Decision::store_quietly(account, Ok(Told::plainly(opened))))
    })
    .await?;
    begun
        .0
        .ok_or_else(|| Error::internal("options that were not told").into())
}

/// Binds the passkey that the browser made. It counts at once; a name that is taken gets a number.
pub async fn add_passkey(visit: &Visit, made: &NewPasskey, name: &str) -> Result<Done, Refused> {
    let what = Act {
        stages: SETTING_UP,
        proof: Some(Proof::NewPasskey(made)),
        ..Act::IN_EVERY_STAGE
    };
    let acted = act(visit, what, |mut account, place, facts| {
        let Some(Outcome::Registration(outcome)) = facts.answered.map(|answered| answered.outcome)
        else {
            return Err(Error::internal("a registration without an answer"));
        };
        let changed = account.spend_ceremony(&made.challenge);
        match outcome {
            Ok(credential) => bind(account, place, facts, credential, name),
            Err(refusal) if changed => {
                let detail = json!({"reason": refusal.reason(), "registration": true});
                let event = Event::new(Kind::Failed).by(Method::Passkey).with(detail);
                let outcome = Err(Error::InvalidCredential(*refusal));
                Ok(Decision::store(account, event, outcome))
            }
            Err(refusal) => Err(Error::InvalidCredential(*refusal)),
        }
    })
    .await?;
    Ok(acted.1)
}

fn bind(
    mut account: Account,
    place: &Place,
    facts: &Facts<'_>,
    credential: &crate::domain::webauthn::Credential,
    name: &str,
) -> Result<Decision<Result<Told<()>, Error>>, Error> {
    let (asked, now) = (facts.asked, facts.asked.now());
    let name = numbered(&account, facts, name)?;
    let id = account.add_passkey(asked.vault(), credential, Some(&name), now)?;
    way_added(&mut account, place, facts, id.as_str())?;
    let detail = json!({"type": "passkey", "factor": id, "page": true});
    let event = Event::new(Kind::FactorAdded)
        .by(Method::Passkey)
        .with(detail);
    let digest = passkeys::digest_of(&asked.owner.client, &credential.id);
    let told = Told {
        value: (),
        added: Some(id.as_str().to_owned()),
    };
    let decision = Decision::store(account, event, Ok(told));
    Ok(decision.noting(PasskeyNote::Added(digest)))
}
