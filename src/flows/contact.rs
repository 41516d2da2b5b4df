//! Where a user's codes go.

use serde_json::json;

use super::Caller;
use super::attempt::{always, change_with_proof, never};
use super::change::Present;
use super::decision::Decision;
use crate::call::Call;
use crate::domain::account::Account;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::UserId;
use crate::error::Error;
use crate::storage::audit_log::{Event, Kind};

/// What to do with one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit<T> {
    Keep,
    Remove,
    Set(T),
}

impl<T> Edit<T> {
    /// The value to write: nothing to keep what is there, `Some(None)` to remove it.
    #[expect(
        clippy::option_option,
        reason = "absent and null differ, as in the request"
    )]
    fn new_value(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Remove => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// Masked values, as they are now.
pub struct Contact {
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// Changes destinations; codes on their way to a changed one die. With the client's policy on, this
/// needs a fresh code like the rest: whoever may change the number receives the codes.
pub async fn change_contact(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    phone: &Edit<Phone>,
    email: &Edit<Email>,
    code: Option<&GuessedCode>,
) -> Result<Contact, Error> {
    let act = |mut account: Account, present: &Present<'_>| {
        let (keys, owner) = (call.app.keys(), present.owner);
        if let Some(phone) = phone.new_value() {
            account.set_phone(keys, owner, phone, call.now)?;
        }
        if let Some(email) = email.new_value() {
            account.set_email(keys, owner, email, call.now)?;
        }
        let contact = Contact {
            phone: account.phone(keys, owner)?.map(|phone| phone.masked()),
            email: account.email(keys, owner)?.map(|email| email.masked()),
        };
        let detail =
            json!({"phone": phone.new_value().is_some(), "email": email.new_value().is_some()});
        Ok(Decision::store(
            account,
            Event::new(Kind::ContactChanged).with(detail),
            contact,
        ))
    };
    change_with_proof(call, caller, user, code, always, never, act).await
}
