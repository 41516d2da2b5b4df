//! The one way an account is read: who may see it, and what a restored backup must not bring back.

use super::store::record_later;
use crate::app::App;
use crate::domain::account::Account;
use crate::domain::event::{Event, Kind};
use crate::domain::time::UnixTime;
use crate::error::{Error, TokenProblem};
use crate::flows::asked::{Asked, By};
use crate::storage::accounts::{self, Loaded};

/// The account and its client, for whoever asks and may see them.
pub(in crate::flows) async fn load(asked: &Asked) -> Result<Loaded, Error> {
    let jti = match &asked.by {
        By::Client(caller) => Some(caller.jti.as_str()),
        By::Link { .. } | By::Operator => None,
    };
    let loaded = accounts::load(&*asked.app().db, &asked.owner, jti).await;
    let loaded = loaded.inspect_err(|error| report_unreadable(asked, error))?;
    let restored = asked.app().config.restored_at;
    let mut loaded = loaded
        .filter(|loaded| admits(&asked.by, loaded, restored))
        .ok_or_else(|| refusal(&asked.by))?;
    if let Some(stored) = &mut loaded.stored {
        revive(asked.app(), &mut stored.account);
    }
    Ok(loaded)
}

/// A client is enabled and its token neither revoked nor of an epoch that ended. The same goes for a link.
/// A backup knows nothing of what was revoked after it was made, so what was issued before it was restored
/// is over too (CRY-15).
fn admits(by: &By, loaded: &Loaded, restored: Option<UnixTime>) -> bool {
    let (epoch, issued_at) = match by {
        By::Client(caller) => (&caller.epoch, caller.issued_at),
        By::Link { epoch, issued_at } => (epoch, *issued_at),
        By::Operator => return true,
    };
    let client = &loaded.client;
    let since_restored = restored.is_none_or(|restored| issued_at >= restored);
    !client.disabled && !loaded.token_revoked && client.token_epoch == *epoch && since_restored
}

/// What somebody is told who may not see the account, or whose client there is not.
fn refusal(by: &By) -> Error {
    match by {
        By::Client(_) => Error::InvalidToken(TokenProblem::Refused),
        By::Link { .. } => Error::NotFound,
        By::Operator => Error::UserNotFound,
    }
}

/// After a restore: what was used up since the backup does not come back to life (CRY-15).
pub(super) fn revive(app: &App, account: &mut Account) {
    if let Some(restored) = app.config.restored_at {
        account.forget_before(restored);
    }
}

/// An account that cannot be opened fails closed and is an event of its own (CRY-06).
pub(super) fn report_unreadable(asked: &Asked, error: &Error) {
    if matches!(error, Error::Internal(_)) {
        record_later(asked, &Event::new(Kind::Unreadable));
    }
}
