//! The hosted page's side of the service: what a browser may ask in a session, in the words of
//! web/PROTOCOL.md.
//!
//! A session changes with its account, in the one way accounts change. So a wrong code on the page is counted
//! where every other one is, and whatever comes twice or at once is decided once.

mod act;
mod contact;
mod create;
mod leave;
mod link;
mod manage;
mod open;
mod passkeys;
mod prove;
mod recover;
mod result;
mod send;
mod send_link;
mod setup;
mod view;
mod ways;

use self::view::Surroundings;
use super::asked::{Asked, By};
use super::test_clients::on_clock_of_client;
use crate::call::Call;
use crate::domain::account::Once;
use crate::domain::browser::BrowserName;
use crate::domain::crypto::digest;
use crate::domain::session::{SessionId, SessionRequest};
use crate::error::Error;
use crate::storage::sessions;

pub use self::contact::{confirm_contact, send_again, set_contact};
pub use self::create::{Created, NewSession, create};
pub use self::leave::{Leaving, cancel, finish};
pub use self::link::{Followed, LinkView, follow_link, look_at_link, stop_link};
pub use self::manage::{forget_browsers, lose, name_of, remove, rename, turn_off};
pub use self::open::{keep_open, open, set_locale, state};
pub use self::passkeys::{add_passkey, passkey_challenge, passkey_options};
pub use self::prove::{Presented, verify};
pub use self::recover::{recover, send_recovery};
pub use self::result::{SessionResult, result};
pub use self::send::send_code;
pub use self::send_link::{send_link, send_link_in_session};
pub use self::setup::{begin_app, codes_kept, confirm_app, drop_pending, new_codes};
pub use self::view::View;

/// A browser's request in a session: which, and what it holds to prove that it is the one that keeps it.
#[derive(Clone)]
pub struct Visit {
    pub call: Call,
    /// As it stood in the request: what is no id names no session.
    pub session: Option<SessionId>,
    /// The value of the session's cookie.
    pub cookie: Option<String>,
    /// The cookie that remembers how this browser got in.
    pub ways: Option<String>,
    /// What the browser says that it is.
    pub browser: BrowserName,
    pub once: Option<Once>,
}

impl Visit {
    /// A request by its `Idempotency-Key` and its content.
    pub fn once(key: &str, content: &[&[u8]]) -> Once {
        Once {
            key: digest::plain("candado/session-key/v1", &[key.as_bytes()]),
            request: digest::plain("candado/session-call/v1", content),
        }
    }
}

/// An answer to a request that was carried out, or was before.
pub struct Done {
    pub view: View,
    /// Whether this is the answer to the same request as before.
    pub replayed: bool,
    /// The cookie of the ways, where it changes.
    pub ways: Option<String>,
}

/// A request that was not carried out, and what the page may know in spite of that.
pub struct Refused {
    pub error: Error,
    /// The state after it, for whoever keeps the session.
    pub view: Option<Box<View>>,
    /// Where the page belongs, once the session is over or somebody else's.
    pub ended: Option<Box<Ended>>,
}

/// What is told of a session that is over: where it belonged, and the way back.
#[derive(serde::Serialize)]
pub struct Ended {
    #[serde(flatten)]
    pub surroundings: Surroundings,
    pub redirect: Option<String>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            error,
            view: None,
            ended: None,
        }
    }
}

/// A session that was found: whose it is, and what was asked for.
struct Place {
    id: SessionId,
    asked: Asked,
    request: SessionRequest,
}

/// A request that is malformed. Whether the browser may use the session is said first.
pub async fn refuse(visit: &Visit, error: Error) -> Refused {
    let place = match find(visit).await {
        Ok(place) => place,
        Err(error) => return error.into(),
    };
    match act::look(visit, &place).await {
        Ok(view) => Refused {
            error,
            view: Some(Box::new(view)),
            ended: None,
        },
        Err(refused) => refused,
    }
}

/// Who the session belongs to. It says nothing of whether the browser may see it.
async fn find(visit: &Visit) -> Result<Place, Error> {
    let id = visit.session.clone().ok_or(Error::SessionNotFound)?;
    let (db, now) = (&*visit.call.app.db, visit.call.now);
    let named = sessions::find(db, &id, now).await?;
    let named = named.ok_or(Error::SessionNotFound)?;
    visit.call.trace.set_client(&named.owner.client);
    let call = on_clock_of_client(&visit.call, &named.owner.client).await?;
    let asked = Asked {
        call,
        by: By::Link {
            epoch: named.epoch,
            issued_at: named.created_at,
        },
        owner: named.owner,
    };
    let request = SessionRequest::open(asked.vault(), &id, &named.request)?;
    Ok(Place { id, asked, request })
}

/// A link's refusal as a session's: its client is gone, disabled, or ended its tokens.
fn told(error: Error) -> Error {
    match error {
        Error::NotFound | Error::UserNotFound => Error::SessionNotFound,
        error => error,
    }
}
