//! One function per thing a caller can ask: it loads, lets a rule decide, stores, and only then tells.
//! Nothing here knows HTTP.

pub mod admin;
mod attempt;
mod change;
pub mod contact;
mod decision;
mod destination;
pub mod disable;
pub mod enrol;
pub mod health;
pub mod housekeeping;
mod proof;
pub mod qr_code;
pub mod recovery_codes;
pub mod send;
pub mod status;
pub mod tokens;
pub mod verify;

use crate::domain::ids::{ClientId, Owner, TokenEpoch, UserId};

/// An authenticated client application: whose token it is, and which.
#[derive(Debug, Clone)]
pub struct Caller {
    pub client: ClientId,
    /// The token's id. That it is not revoked, nor of an epoch that ended, is checked when the account is
    /// loaded.
    pub jti: String,
    pub epoch: TokenEpoch,
}

impl Caller {
    fn owner<'a>(&'a self, user: &'a UserId) -> Owner<'a> {
        Owner {
            client: &self.client,
            user,
        }
    }
}
