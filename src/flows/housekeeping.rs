//! What the scheduled job does: forget what expired, and move sealed values to the current key.
//! It may run twice, at once or never; it deletes nothing that is alive (REL-09).

use crate::app::App;
use crate::domain::ids::{Owner, RequestId};
use crate::error::Error;
use crate::storage::accounts::{self, Change, Stored};
use crate::storage::audit_log::{self, Scene};
use crate::storage::{revoked_tokens, send_counters};

/// Accounts sealed again in one run: a run must stay within a Worker's time.
const RESEALED_PER_RUN: u32 = 100;
/// Seconds audit events are kept.
const AUDIT_RETENTION: u64 = 365 * 86_400;

/// What one run did, for the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub purged: u64,
    pub resealed: u32,
    /// Accounts that could not be opened with any key of the ring.
    pub unreadable: u32,
}

pub async fn run(app: &App) -> Result<Report, Error> {
    let now = app.now();
    let purge = vec![
        revoked_tokens::purge(now),
        send_counters::purge(now),
        audit_log::purge(now.minus(AUDIT_RETENTION)),
    ];
    let purged = app
        .db
        .batch(purge)
        .await?
        .iter()
        .map(|outcome| outcome.changes)
        .sum();
    let (resealed, unreadable) = reseal(app).await?;
    Ok(Report {
        purged,
        resealed,
        unreadable,
    })
}

/// Seals some accounts with the current key that are sealed with another (CRY-05). Each is a
/// compare-and-swap of its own, so it can be cut off anywhere, and loses against a request in its way.
async fn reseal(app: &App) -> Result<(u32, u32), Error> {
    let (db, keys) = (&*app.db, app.keys());
    let request_id = RequestId::draw()?;
    let (mut resealed, mut unreadable) = (0, 0);
    for (client, user, stored) in
        accounts::sealed_with_other_keys(db, &keys.current().id, RESEALED_PER_RUN).await?
    {
        let owner = Owner {
            client: &client,
            user: &user,
        };
        let scene = Scene {
            client: &client,
            user: Some(&user),
            request_id: &request_id,
            now: app.now(),
        };
        let swapped = match stored {
            Err(error) => Err(error.into()),
            Ok(stored) => {
                let change = Change {
                    owner,
                    keys,
                    version: Some(Stored::version(&stored)),
                    account: stored.account,
                    events: &[],
                    scene,
                    quotas: &[],
                };
                accounts::swap(db, change).await
            }
        };
        match swapped {
            Ok(hit) => resealed += u32::from(hit),
            Err(Error::Internal(cause)) => {
                log::error!("an account could not be sealed again: {cause}");
                unreadable += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((resealed, unreadable))
}
