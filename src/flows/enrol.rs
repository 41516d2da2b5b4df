//! Binding an authenticator app: register, and renew for a user who has one.

use serde_json::json;

use super::Caller;
use super::attempt::{change_with_proof, never};
use super::change::{Present, change, per_minute};
use super::decision::{After, Conditions, Decision};
use crate::call::Call;
use crate::domain::account::{Account, Enrolment, EnrolmentError, PENDING_LIFETIME};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::import::ImportedSecret;
use crate::domain::codes::otpauth;
use crate::domain::codes::totp::Parameters;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::crypto::token::QrClaims;
use crate::domain::ids::UserId;
use crate::domain::settings::Label;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::storage::audit_log::{Event, Kind};

/// What an application may choose for an enrolment.
pub struct Registration {
    pub phone: Option<Phone>,
    pub email: Option<Email>,
    /// The account name the app shows; the user id if there is none.
    pub account_name: Option<Label>,
    pub parameters: Parameters,
    /// Whether the factor counts only once a first code of it was verified.
    pub confirm: bool,
}

/// A new secret, in the one answer that shows it.
pub struct Enrolled {
    pub secret: String,
    pub otpauth_url: String,
    pub qr_code_url: String,
    /// Until when it waits for its first code; `None` if it is active already.
    pub expires_at: Option<UnixTime>,
}

/// Registers a user, or a user again who has no factor that counts.
pub async fn register(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    registration: &Registration,
) -> Result<Enrolled, Error> {
    change(call, caller, user, None, |account, present| {
        let keys = call.app.keys();
        let mut account = present_or_new(account, present)?;
        let name = name(registration.account_name.as_ref(), user);
        let enrolment = Enrolment::draw(
            keys,
            present.owner,
            name,
            registration.parameters,
            registration.confirm,
        )?;
        let enrolled = enrolled(present, &enrolment, registration.confirm)?;
        account
            .enrol(enrolment, call.now)
            .map_err(enrolment_error)?;
        set_contact(
            &mut account,
            present,
            registration.phone.as_ref(),
            registration.email.as_ref(),
        )?;
        let event = Event::new(Kind::Enrolled).with(json!({"confirm": registration.confirm}));
        Ok(Decision::store(account, event, enrolled).on(rate(present)))
    })
    .await
}

/// A secret another service made, with what it already knows of the user.
pub struct Import {
    pub secret: ImportedSecret,
    pub parameters: Parameters,
    pub phone: Option<Phone>,
    pub email: Option<Email>,
    pub account_name: Option<Label>,
}

/// Takes over a user's authenticator app as it is: active at once, since the user has been using it.
pub async fn import(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    import: &Import,
) -> Result<(), Error> {
    change(call, caller, user, None, |account, present| {
        let mut account = present_or_new(account, present)?;
        let name = name(import.account_name.as_ref(), user);
        let secret = import.secret.as_bytes().to_vec();
        let enrolment = Enrolment::new(
            call.app.keys(),
            present.owner,
            name,
            import.parameters,
            secret,
            false,
        )?;
        account
            .enrol(enrolment, call.now)
            .map_err(enrolment_error)?;
        set_contact(
            &mut account,
            present,
            import.phone.as_ref(),
            import.email.as_ref(),
        )?;
        Ok(Decision::store(account, Event::new(Kind::Imported), ()).on(rate(present)))
    })
    .await
}

/// Gives a user a new secret beside the present one, or in its place with `revoke_current`.
pub async fn renew(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    code: Option<&GuessedCode>,
    revoke_current: bool,
) -> Result<Enrolled, Error> {
    let check = |account: &Account, _: &Present<'_>| {
        if account.mfa_enabled() {
            Ok(())
        } else {
            Err(Error::MfaNotEnabled)
        }
    };
    let act = |mut account: Account, present: &Present<'_>| {
        let keys = call.app.keys();
        let (name, parameters) = account.present_app(keys, present.owner)?;
        let enrolment = Enrolment::draw(keys, present.owner, name, parameters, true)?;
        let enrolled = enrolled(present, &enrolment, true)?;
        account
            .renew(enrolment, revoke_current, call.now)
            .map_err(enrolment_error)?;
        let event = Event::new(Kind::Renewed).with(json!({"revoke_current": revoke_current}));
        let decision = Decision::store(account, event, enrolled);
        Ok(if revoke_current {
            decision.then(After::ForgetLocks)
        } else {
            decision
        })
    };
    change_with_proof(call, caller, user, code, check, never, act).await
}

/// The user's account, or a new one if the client may have one more.
fn present_or_new(account: Option<Account>, present: &Present<'_>) -> Result<Account, Error> {
    if let Some(account) = account {
        return Ok(account);
    }
    let most = present.client.settings.max_accounts.get();
    if present.client.accounts >= most {
        return Err(Error::AccountLimitReached { most });
    }
    Ok(Account::new(present.call.now))
}

fn rate(present: &Present<'_>) -> Conditions {
    let most = present.client.settings.registrations_per_minute.get();
    per_minute(present, "register", most)
}

fn name(account_name: Option<&Label>, user: &UserId) -> String {
    account_name.map_or(user.as_str(), Label::as_str).to_owned()
}

fn set_contact(
    account: &mut Account,
    present: &Present<'_>,
    phone: Option<&Phone>,
    email: Option<&Email>,
) -> Result<(), Error> {
    let (keys, now) = (present.call.app.keys(), present.call.now);
    if phone.is_some() {
        account.set_phone(keys, present.owner, phone, now)?;
    }
    if email.is_some() {
        account.set_email(keys, present.owner, email, now)?;
    }
    Ok(())
}

fn enrolment_error(error: EnrolmentError) -> Error {
    match error {
        EnrolmentError::AlreadyRegistered => Error::AlreadyRegistered,
        EnrolmentError::NotEnabled => Error::MfaNotEnabled,
    }
}

fn enrolled(
    present: &Present<'_>,
    enrolment: &Enrolment,
    confirm: bool,
) -> Result<Enrolled, Error> {
    let call = present.call;
    let expires_at = call.now.plus(PENDING_LIFETIME);
    let link = QrClaims {
        client_id: present.owner.client.clone(),
        user_id: present.owner.user.clone(),
        factor_id: enrolment.factor_id.clone(),
        epoch: present.client.token_epoch.clone(),
        exp: expires_at,
    };
    let link = link.sign(call.app.keys()).map_err(Error::internal)?;
    let issuer = present.client.issuer();
    Ok(Enrolled {
        secret: otpauth::base32(&enrolment.secret),
        otpauth_url: otpauth::uri(
            issuer,
            &enrolment.name,
            &enrolment.secret,
            &enrolment.parameters,
        ),
        qr_code_url: super::qr_code::url(&call.app.config.public_url, present.owner.user, &link),
        expires_at: confirm.then_some(expires_at),
    })
}
