//! Is this code good?

use super::Caller;
use super::attempt::{Verified, judge};
use super::change::change;
use super::proof::Proof;
use crate::call::Call;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::UserId;
use crate::domain::method::Method;
use crate::error::Error;

/// Verifies one code by any of the methods the client may use, or by `only` that one.
pub async fn verify(
    call: &Call,
    caller: &Caller,
    user: &UserId,
    code: &GuessedCode,
    only: Option<Method>,
) -> Result<Verified, Error> {
    let proof = Some(Proof::of_a_login(code, only));
    let judged = change(call, caller, user, proof, |account, present| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        let settings = &present.client.settings;
        if let Some(method) = only.filter(|method| !settings.allows(*method)) {
            return Err(Error::MethodNotUsed(method));
        }
        let judged = judge(&mut account, present)?;
        Ok(judged.into_decision(account))
    });
    judged.await?
}
