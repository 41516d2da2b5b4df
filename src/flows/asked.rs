//! What is asked: by whom, about which user, in which request.

use crate::app::App;
use crate::call::Call;
pub use crate::call::{Caller, Credential};
use crate::config::OperatorName;
use crate::domain::crypto::sealing::Vault;
use crate::domain::event::Scene;
use crate::domain::ids::{Owner, TokenEpoch, UserId};
use crate::domain::scope::Scope;
use crate::domain::time::UnixTime;

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

/// Which operator asks, as the record has it.
pub(super) fn operator(call: &Call) -> Option<&str> {
    call.operator.as_ref().map(OperatorName::as_str)
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

    /// The same, where what is asked for belongs to another scope than the endpoint.
    #[must_use]
    pub fn needing(mut self, scope: Scope) -> Self {
        if let By::Client(caller) = self.by {
            self.by = By::Client(caller.needing(scope));
        }
        self
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
            operator: operator(&self.call),
            request_id: &self.call.request_id,
            now: self.call.now,
            recorded_at: self.call.real_now(),
        }
    }
}
