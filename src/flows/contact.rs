//! Where a user's codes go.

use serde_json::json;

use super::asked::Asked;
use super::change::{Decision, Facts};
use super::evidence::Evidence;
use super::step_up::{applies, change_with_proof};
use crate::domain::account::Account;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::event::{Event, Kind};
use crate::error::Error;

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

/// The values as they are now, masked.
pub struct MaskedContact {
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// Changes destinations; codes on their way to a changed one die. With the client's policy on, this
/// needs a fresh code like the rest: whoever may change the number receives the codes.
pub async fn change_contact(
    asked: &Asked,
    phone: &Edit<Phone>,
    email: &Edit<Email>,
    proof: Option<&Evidence>,
) -> Result<MaskedContact, Error> {
    let act = |mut account: Account, _: &Facts<'_>| {
        let (vault, now) = (asked.vault(), asked.now());
        if let Some(phone) = phone.new_value() {
            account.set_phone(vault, phone, now)?;
        }
        if let Some(email) = email.new_value() {
            account.set_email(vault, email, now)?;
        }
        let contact = MaskedContact {
            phone: account.phone(vault)?.map(|phone| phone.masked()),
            email: account.email(vault)?.map(|email| email.masked()),
        };
        let detail =
            json!({"phone": phone.new_value().is_some(), "email": email.new_value().is_some()});
        let event = Event::new(Kind::ContactChanged).with(detail);
        Ok(Decision::store(account, event, contact))
    };
    change_with_proof(asked, proof, applies, act).await
}
