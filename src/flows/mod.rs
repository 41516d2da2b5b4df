//! One function per thing a caller can ask: it loads, lets a rule decide, stores, and only then tells.
//! Nothing here knows HTTP.

pub mod admin;
mod attempt;
mod change;
pub mod contact;
mod decision;
pub mod disable;
pub mod enrol;
pub mod housekeeping;
pub mod qr_code;
pub mod recovery_codes;
pub mod send;
pub mod status;
pub mod tokens;
pub mod verify;

use crate::domain::ids::{ClientId, Owner, UserId};

/// An authenticated client application: whose token it is, and which.
#[derive(Debug, Clone)]
pub struct Caller {
    pub client: ClientId,
    /// The token's id. That it is not revoked is checked by the statement that loads the account.
    pub jti: String,
}

impl Caller {
    fn owner<'a>(&'a self, user: &'a UserId) -> Owner<'a> {
        Owner {
            client: &self.client,
            user,
        }
    }
}
