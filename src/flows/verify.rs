//! Is this code good?

use super::asked::Asked;
use super::change::{Proof, change};
use super::judge::{Verified, judge};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::method::Method;
use crate::error::Error;

/// Verifies one code by any of the methods the client may use, or by `only` that one.
pub async fn verify(
    asked: &Asked,
    code: &GuessedCode,
    only: Option<Method>,
) -> Result<Verified, Error> {
    let proof = Some(Proof::of_a_login(code, only));
    let judged = change(asked, proof, |account, facts| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        let settings = &facts.client.settings;
        if let Some(method) = only.filter(|method| !settings.allows(*method)) {
            return Err(Error::MethodNotUsed(method));
        }
        let judged = judge(&mut account, facts)?;
        Ok(judged.into_decision(account))
    });
    judged.await?
}
