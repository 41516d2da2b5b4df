//! A user's factors: which there are, adding an app, naming and removing one.

use serde_json::json;

use super::asked::Asked;
use super::change::{Decision, Facts, change, load};
use super::enrol::{Enrolled, Profile, account_name, enrolled, rate, set_contact, user_or_new};
use super::evidence::Evidence;
use super::step_up::{applies, change_of_anybody, change_with_proof};
use crate::domain::account::{Account, Enrolment, FactorView};
use crate::domain::event::{Event, Kind};
use crate::domain::ids::FactorId;
use crate::domain::settings::Label;
use crate::error::Error;
use crate::storage::accounts::PasskeyNote;
use crate::storage::passkeys;

/// All a user can prove themselves by.
pub struct Factors {
    pub factors: Vec<FactorView>,
    pub recovery_codes_remaining: usize,
    /// Masked.
    pub phone: Option<String>,
    /// Masked.
    pub email: Option<String>,
}

pub async fn factors(asked: &Asked) -> Result<Factors, Error> {
    let stored = load(asked).await?.stored.ok_or(Error::UserNotFound)?;
    let (account, vault) = (stored.account, asked.vault());
    Ok(Factors {
        factors: account.factors(vault, asked.now())?,
        recovery_codes_remaining: account.recovery_codes_remaining(),
        phone: account.phone(vault)?.map(|phone| phone.masked()),
        email: account.email(vault)?.map(|email| email.masked()),
    })
}

/// Binds an authenticator app beside whatever the user has, who may be new. With `confirm` it counts only once a first
/// code of it was verified. Whoever can log in by it is let in, so it asks for the proof that a removal asks for.
pub async fn add_app(
    asked: &Asked,
    profile: &Profile,
    name: Option<&Label>,
    confirm: bool,
    proof: Option<&Evidence>,
) -> Result<Enrolled, Error> {
    let act = |mut account: Account, facts: &Facts<'_>| {
        let (vault, now) = (asked.vault(), asked.now());
        let shown = account_name(profile, facts);
        let app = Enrolment::draw(vault, shown, profile.parameters, confirm)?;
        let app = app.named(vault, name.map(Label::as_str))?;
        let answer = enrolled(facts, &app, confirm)?;
        let detail = json!({"type": "totp", "factor": app.factor_id, "confirm": confirm});
        account.add_app(app, now)?;
        set_contact(&mut account, facts, profile)?;
        let event = Event::new(Kind::FactorAdded).with(detail);
        Ok(Decision::store(account, event, answer).on(rate(facts)))
    };
    change_of_anybody(asked, proof, user_or_new, applies, act).await
}

/// Gives a factor another name. It takes nothing from anybody, so it asks for no proof.
pub async fn rename_factor(
    asked: &Asked,
    id: &FactorId,
    name: &Label,
) -> Result<FactorView, Error> {
    change(asked, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        let (vault, now) = (asked.vault(), asked.now());
        account.rename_factor(vault, id, Some(name.as_str()))?;
        let renamed = account.factor(vault, id, now)?;
        let renamed = renamed.ok_or(Error::FactorNotFound)?;
        let event = Event::new(Kind::FactorRenamed).with(json!({"factor": id}));
        Ok(Decision::store(account, event, renamed))
    })
    .await
}

/// Removes a factor, but for the last that works.
pub async fn remove_factor(
    asked: &Asked,
    id: &FactorId,
    proof: Option<&Evidence>,
) -> Result<(), Error> {
    let act = |mut account: Account, _: &Facts<'_>| {
        let credential = account.credential(asked.vault(), id)?;
        let note = credential.map_or(PasskeyNote::Unchanged, |credential| {
            let client = &asked.owner.client;
            PasskeyNote::Removed(passkeys::digest_of(client, &credential.id))
        });
        let kind = account.remove_factor(id)?;
        let detail = json!({"type": kind, "factor": id});
        let event = Event::new(Kind::FactorRemoved).with(detail);
        Ok(Decision::store(account, event, ()).noting(note))
    };
    change_with_proof(asked, proof, applies, act).await
}
