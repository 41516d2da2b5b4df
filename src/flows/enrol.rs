//! Binding an authenticator app: register, and renew for a user who has one.

use serde_json::json;

use super::asked::Asked;
use super::change::{After, Conditions, Decision, Facts, change, per_minute};
use super::evidence::Evidence;
use super::qr_code::qr_code_url;
use super::step_up::{Policy, change_with_proof};
use crate::domain::account::{Account, Enrolment, PENDING_LIFETIME};
use crate::domain::codes::import::ImportedSecret;
use crate::domain::codes::otpauth;
use crate::domain::codes::totp::Parameters;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::crypto::token::QrClaims;
use crate::domain::event::{Event, Kind};
use crate::domain::ids::FactorId;
use crate::domain::method::Class;
use crate::domain::settings::Label;
use crate::domain::time::UnixTime;
use crate::error::Error;

/// What an application says of a user it enrols.
#[derive(Debug, Clone)]
pub struct Profile {
    pub phone: Option<Phone>,
    pub email: Option<Email>,
    /// The account name the app shows; the user id if there is none.
    pub account_name: Option<Label>,
    pub parameters: Parameters,
}

/// A new secret, in the one answer that shows it.
pub struct Enrolled {
    pub factor: FactorId,
    pub secret: String,
    pub otpauth_url: String,
    pub qr_code_url: String,
    /// Until when it waits for its first code; `None` if it is active already.
    pub expires_at: Option<UnixTime>,
}

/// Registers a user, or a user again who has no factor that counts. With `confirm` the new one counts only
/// once a first code of it was verified.
pub async fn register(asked: &Asked, profile: &Profile, confirm: bool) -> Result<Enrolled, Error> {
    change(asked, None, |account, facts| {
        let name = account_name(profile, facts);
        let enrolment = Enrolment::draw(asked.vault(), name, profile.parameters, confirm)?;
        let enrolled = enrolled(facts, &enrolment, confirm)?;
        let account = bind(account, facts, enrolment, profile)?;
        let event = Event::new(Kind::Enrolled).with(json!({"confirm": confirm}));
        Ok(Decision::store(account, event, enrolled).on(rate(facts)))
    })
    .await
}

/// Takes over a user's authenticator app as it is: active at once, since the user has been using it.
pub async fn import(
    asked: &Asked,
    profile: &Profile,
    secret: &ImportedSecret,
) -> Result<(), Error> {
    change(asked, None, |account, facts| {
        let name = account_name(profile, facts);
        let secret = secret.as_bytes().to_vec();
        let enrolment = Enrolment::new(asked.vault(), name, profile.parameters, secret, false)?;
        let account = bind(account, facts, enrolment, profile)?;
        Ok(Decision::store(account, Event::new(Kind::Imported), ()).on(rate(facts)))
    })
    .await
}

/// Gives a user a new secret beside the present one of that app, or in its place with `revoke_current`. Which app need
/// not be said where there is one.
pub async fn renew(
    asked: &Asked,
    proof: Option<&Evidence>,
    app: Option<&FactorId>,
    revoke_current: bool,
) -> Result<Enrolled, Error> {
    let check = |account: &Account, _: &Facts<'_>| {
        if account.mfa_enabled() {
            Ok(Policy::Applies)
        } else {
            Err(Error::MfaNotEnabled)
        }
    };
    let act = |mut account: Account, facts: &Facts<'_>| {
        let present = account.present_app(asked.vault(), app)?;
        let name = present.account_name;
        let enrolment = Enrolment::draw(asked.vault(), name, present.parameters, true)?;
        let enrolment = enrolment.named(asked.vault(), present.name.as_deref())?;
        let enrolled = enrolled(facts, &enrolment, true)?;
        account.renew(enrolment, app, revoke_current, asked.now())?;
        let is_locked = account.locks(asked.now()).of(Class::Totp).is_some();
        let event = Event::new(Kind::Renewed).with(json!({"revoke_current": revoke_current}));
        let decision = Decision::store(account, event, enrolled);
        Ok(if revoke_current && !is_locked {
            decision.then(After::ForgetLocks)
        } else {
            decision
        })
    };
    change_with_proof(asked, proof, check, act).await
}

/// The account, or a new one, with the new factor and what is said of the user.
fn bind(
    account: Option<Account>,
    facts: &Facts<'_>,
    enrolment: Enrolment,
    profile: &Profile,
) -> Result<Account, Error> {
    let mut account = user_or_new(account, facts)?;
    account.enrol(enrolment, facts.asked.now())?;
    set_contact(&mut account, facts, profile)?;
    Ok(account)
}

/// What an application says of a user it enrols.
pub(super) fn set_contact(
    account: &mut Account,
    facts: &Facts<'_>,
    profile: &Profile,
) -> Result<(), Error> {
    let (vault, now) = (facts.asked.vault(), facts.asked.now());
    if profile.phone.is_some() {
        account.set_phone(vault, profile.phone.as_ref(), now)?;
    }
    if profile.email.is_some() {
        account.set_email(vault, profile.email.as_ref(), now)?;
    }
    Ok(())
}

/// The account, or a new one if the client may have one more.
pub(super) fn user_or_new(account: Option<Account>, facts: &Facts<'_>) -> Result<Account, Error> {
    if let Some(account) = account {
        return Ok(account);
    }
    let most = facts.client.settings.max_accounts.get();
    if facts.client.accounts >= most {
        return Err(Error::AccountLimitReached { most });
    }
    Ok(Account::new(facts.asked.now()))
}

pub(super) fn rate(facts: &Facts<'_>) -> Conditions {
    let most = facts.client.settings.registrations_per_minute.get();
    per_minute(facts, "register", most)
}

pub(super) fn account_name(profile: &Profile, facts: &Facts<'_>) -> String {
    let user = facts.asked.owner.user.as_str();
    let name = profile.account_name.as_ref();
    name.map_or(user, Label::as_str).to_owned()
}

pub(super) fn enrolled(
    facts: &Facts<'_>,
    enrolment: &Enrolment,
    confirm: bool,
) -> Result<Enrolled, Error> {
    let asked = facts.asked;
    let expires_at = asked.now().plus(PENDING_LIFETIME);
    let link = QrClaims {
        client_id: asked.owner.client.clone(),
        user_id: asked.owner.user.clone(),
        factor_id: enrolment.factor_id.clone(),
        epoch: facts.client.token_epoch.clone(),
        exp: expires_at,
    };
    let link = link.sign(asked.app().keys()).map_err(Error::internal)?;
    let issuer = facts.client.issuer();
    Ok(Enrolled {
        factor: enrolment.factor_id.clone(),
        secret: otpauth::base32(&enrolment.secret),
        otpauth_url: otpauth::uri(
            issuer,
            &enrolment.account_name,
            &enrolment.secret,
            &enrolment.parameters,
        ),
        qr_code_url: qr_code_url(&asked.app().config.public_url, &asked.owner.user, &link),
        expires_at: confirm.then_some(expires_at),
    })
}
