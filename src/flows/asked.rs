//! What is asked: by whom, about which user, in which request.

use crate::app::App;
use crate::call::Call;
use crate::domain::crypto::sealing::Vault;
use crate::domain::event::Scene;
use crate::domain::ids::{ClientId, Owner, TokenEpoch, UserId};
use crate::domain::time::UnixTime;

/// An authenticated client application: whose token it is, and which.
#[derive(Debug, Clone)]
pub struct Caller {
    pub client: ClientId,
    /// The token's id. That it is not revoked, nor of an epoch that ended, is checked when the account is
    /// loaded.
    pub jti: String,
    pub epoch: TokenEpoch,
    pub issued_at: UnixTime,
}

/// Who asks. What each may is said where an account is loaded and where it is stored.
#[derive(Debug, Clone)]
pub enum By {
    Client(Caller),
    /// Whoever holds a link that was made for the user.
    Link {
        epoch: TokenEpoch,
        issued_at: UnixTime,
    },
    Operator,
}

/// A request about one user. Made at the edge, and carried through everything that answers it.
#[derive(Clone)]
pub struct Asked {
    pub call: Call,
    pub by: By,
    pub owner: Owner,
}

impl Asked {
    pub fn by_client(call: Call, caller: Caller, user: UserId) -> Self {
        let client = caller.client.clone();
        Self {
            call,
            by: By::Client(caller),
            owner: Owner { client, user },
        }
    }

    pub fn by_operator(call: Call, owner: Owner) -> Self {
        let by = By::Operator;
        Self { call, by, owner }
    }

    pub(super) fn app(&self) -> &App {
        &self.call.app
    }

    pub(super) fn now(&self) -> UnixTime {
        self.call.now
    }

    /// What opens and seals this user's values.
    pub(super) fn vault(&self) -> Vault<'_> {
        Vault {
            keys: self.call.app.keys(),
            owner: &self.owner,
        }
    }

    /// Where and when its events happen.
    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            client: &self.owner.client,
            user: Some(&self.owner.user),
            request_id: &self.call.request_id,
            now: self.call.now,
        }
    }
}
