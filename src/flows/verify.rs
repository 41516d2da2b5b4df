//! Is this code good?

use super::Caller;
use super::attempt::{Verified, judge};
use super::change::change;
use crate::app::Call;
use crate::domain::account::Accept;
use crate::domain::guess::GuessedCode;
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
    let judged = change(call, caller, user, Some(code), |account, present| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        let settings = &present.client.settings;
        if let Some(method) = only.filter(|method| !settings.allows(*method)) {
            return Err(Error::method_not_used(method));
        }
        let wanted =
            |method: &Method| settings.allows(*method) && only.is_none_or(|only| only == *method);
        let judged = judge(
            &mut account,
            present,
            code,
            &Accept::only(Method::ALL.into_iter().filter(wanted)),
        )?;
        Ok(judged.into_decision(account))
    });
    judged.await?
}
