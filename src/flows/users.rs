//! What the operator sees of users, and does to them.

use serde_json::Value;

use super::asked::Asked;
use super::change::{Decision, change, load};
use crate::call::Call;
use crate::domain::account::{CountView, FactorView, State};
use crate::domain::contact::email::Email;
use crate::domain::event::{Event, Kind};
use crate::domain::ids::ClientId;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::admin::{Entry, Filter, Order, find_client};
use crate::storage::{accounts, audit_log};

pub use crate::storage::accounts::Listed;

/// Events that are shown with a user.
const LAST_EVENTS: u32 = 20;
/// Events an export has at most.
const EXPORTED_EVENTS: u32 = 1000;

/// The next users of a client, by id.
pub async fn list(
    call: &Call,
    client: &ClientId,
    prefix: &str,
    after: &str,
    most: u32,
) -> Result<Vec<Listed>, Error> {
    find_client(call, client).await?;
    Ok(accounts::list(&*call.app.db, client, prefix, after, most).await?)
}

/// A user, as the operator may see one.
pub struct Shown {
    pub state: State,
    pub mfa_enabled: bool,
    /// Masked, or in full in an export.
    pub phone: Option<String>,
    pub email: Option<String>,
    pub factors: Vec<FactorView>,
    pub recovery_codes_remaining: usize,
    pub counts: Vec<CountView>,
    pub created_at: UnixTime,
    pub last_verified_at: Option<UnixTime>,
    /// The newest first.
    pub events: Vec<Entry>,
}

pub async fn show(asked: &Asked) -> Result<Shown, Error> {
    let (shown, _) = read(asked, false, LAST_EVENTS).await?;
    Ok(shown)
}

/// Everything that is held about a user, without secrets: what is shown with contact data in full, and the account as it
/// is stored.
pub async fn export(asked: &Asked) -> Result<(Shown, Value), Error> {
    read(asked, true, EXPORTED_EVENTS).await
}

async fn read(asked: &Asked, in_full: bool, events: u32) -> Result<(Shown, Value), Error> {
    let stored = load(asked).await?.stored.ok_or(Error::UserNotFound)?;
    let (account, vault, now) = (stored.account, asked.vault(), asked.now());
    let phone = account.phone(vault)?.map(|phone| {
        if in_full {
            phone.as_str().to_owned()
        } else {
            phone.masked()
        }
    });
    let email = account.email(vault)?.map(|email| {
        if in_full {
            email.as_str().to_owned()
        } else {
            email.masked()
        }
    });
    let mut factors = account.factors(vault, now)?;
    for factor in factors.iter_mut().filter(|_| !in_full) {
        // The name of a factor often is an address.
        for name in [&mut factor.name, &mut factor.account_name] {
            let address = name.as_deref().and_then(|name| Email::parse(name).ok());
            if let Some(email) = address {
                *name = Some(email.masked());
            }
        }
    }
    let filter = Filter {
        client_id: Some(asked.owner.client.as_str().to_owned()),
        user_id: Some(asked.owner.user.as_str().to_owned()),
        event: None,
        operator: None,
        from: None,
        to: None,
        order: Order::Before(i64::MAX >> 10),
        limit: events,
    };
    let shown = Shown {
        state: account.state(now),
        mfa_enabled: account.mfa_enabled(),
        phone,
        email,
        factors,
        recovery_codes_remaining: account.recovery_codes_remaining(),
        counts: account.count_views(now),
        created_at: account.created_at(),
        last_verified_at: account.last_verified_at(),
        events: audit_log::list(&*asked.app().db, filter).await?,
    };
    let stored = account.without_secrets().map_err(Error::internal)?;
    Ok((shown, stored))
}

/// Turns MFA off for a user, whatever the client's policy asks of the client itself: the operator is who is asked when a
/// user has lost everything.
pub async fn disable(asked: &Asked) -> Result<(), Error> {
    change(asked, None, |account, _| {
        let mut account = account.ok_or(Error::UserNotFound)?;
        account.disable(asked.now());
        Ok(Decision::store(account, Event::new(Kind::Disabled), ()))
    })
    .await
}

pub async fn delete(asked: &Asked) -> Result<(), Error> {
    change(asked, None, |account, _| {
        account.ok_or(Error::UserNotFound)?;
        Ok(Decision::delete(Event::new(Kind::Deleted), ()))
    })
    .await
}
