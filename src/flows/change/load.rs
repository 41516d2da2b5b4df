//! The one way an account is read: who may see it, and what a restored backup must not bring back.

use super::store::record_later;
use crate::app::App;
use crate::domain::account::Account;
use crate::domain::event::{Event, Kind};
use crate::domain::ids::TokenEpoch;
use crate::domain::time::UnixTime;
use crate::error::{Error, TokenProblem};
use crate::flows::api_keys::note_use;
use crate::flows::asked::{Asked, By, Caller, Credential};
use crate::storage::accounts::{self, Loaded, Shown};

/// The account and its client, for whoever asks and may see them.
pub(in crate::flows) async fn load(asked: &Asked) -> Result<Loaded, Error> {
    let shown = match &asked.by {
        By::Client(caller) => match &caller.credential {
            Credential::Token { jti, .. } => Shown::Token(jti),
            Credential::Key { key, .. } => Shown::Key(&key.id),
        },
        By::Link { .. } | By::Operator => Shown::Nothing,
    };
    let loaded = accounts::load(&*asked.app().db, &asked.owner, shown).await;
    let loaded = loaded.inspect_err(|error| report_unreadable(asked, error))?;
    let mut loaded = loaded.ok_or_else(|| refusal(&asked.by))?;
    admit(asked, &loaded)?;
    if let Some(stored) = &mut loaded.stored {
        revive(asked.app(), &mut stored.account);
    }
    Ok(loaded)
}

/// A client is enabled, and what it showed still holds. The same goes for a link.
fn admit(asked: &Asked, loaded: &Loaded) -> Result<(), Error> {
    let good = match &asked.by {
        By::Operator => true,
        By::Link { epoch, issued_at } => is_of_now(asked, loaded, epoch, *issued_at),
        By::Client(Caller { credential, .. }) => match credential {
            Credential::Token {
                epoch, issued_at, ..
            } => !loaded.token_revoked && is_of_now(asked, loaded, epoch, *issued_at),
            Credential::Key { key, needs } => {
                let known = loaded.key.as_ref().filter(|_| !loaded.client.disabled);
                let known = known.filter(|known| known.admits(&key.digest, asked.call.real_now()));
                if let Some(known) = known {
                    if !known.scopes.allow(*needs) {
                        return Err(Error::InsufficientScope(*needs));
                    }
                    note_use(asked, known);
                }
                known.is_some()
            }
        },
    };
    good.then_some(()).ok_or_else(|| refusal(&asked.by))
}

/// Whether what was issued then, of that epoch, still holds. A backup knows nothing of what was revoked after it was
/// made, so what was issued before it was restored is over too (CRY-15).
fn is_of_now(asked: &Asked, loaded: &Loaded, epoch: &TokenEpoch, issued_at: UnixTime) -> bool {
    let restored = asked.app().config.restored_at;
    let since_restored = restored.is_none_or(|restored| issued_at >= restored);
    !loaded.client.disabled && loaded.client.token_epoch == *epoch && since_restored
}

/// What somebody is told who may not see the account, or whose client there is not.
fn refusal(by: &By) -> Error {
    match by {
        By::Client(caller) => Error::InvalidToken(match caller.credential {
            Credential::Token { .. } => TokenProblem::Refused,
            Credential::Key { .. } => TokenProblem::RefusedKey,
        }),
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
