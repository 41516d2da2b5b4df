//! What the scheduled job does: forget what expired, finish deletions, and move sealed values to the current
//! key. It may run twice, at once or never; it deletes nothing that is alive (REL-09).

use serde::Serialize;
use serde_json::json;

use super::change;
use super::statistics;
use super::test_clients::MESSAGES_KEPT;
use super::webhooks::{DELIVERIES_KEPT, deliver_due};
use crate::app::App;
use crate::domain::crypto::sealing::ClientVault;
use crate::domain::ids::ClientId;
use crate::domain::statistics::Step;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::platform::Statement;
use crate::storage::{
    accounts, audit_log, clients, counters, idempotency_keys, revoked_tokens, sessions,
    statistics as stored, test_messages, webhook_deliveries,
};

/// Rows one statement deletes.
pub(super) const ROWS_AT_ONCE: u32 = 1000;
/// What one step of deleting a client takes.
const STATEMENTS_TO_FORGET: u32 = 7;
/// Accounts sealed again in one batch.
const ACCOUNTS_AT_ONCE: u32 = 25;

/// How much one run may do. It goes on until there is nothing left to do or this is used up.
pub struct Allowance {
    pub milliseconds: u64,
    /// SQL statements. A platform may count them, and end a run that has too many.
    pub statements: u32,
}

/// What one run did, for the log.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub purged: u64,
    pub clients_deleted: u32,
    pub resealed: u64,
    /// Accounts met that could not be opened with any key of the ring.
    pub unreadable: u64,
    /// Accounts still sealed with an older key of the ring.
    pub left_to_reseal: u64,
    /// Accounts sealed with a key that is not in the ring: nobody can read them.
    pub of_keys_not_in_ring: u64,
    /// Events that webhooks were told.
    pub told: u64,
    /// Tries to tell one that failed.
    pub untold: u64,
}

/// What is left of an allowance.
pub(super) struct Left<'a> {
    app: &'a App,
    until: u64,
    statements: u32,
}

impl Left<'_> {
    /// Takes so many statements, if there are so many and time is left.
    pub(super) fn take(&mut self, statements: u32) -> bool {
        let some = self.statements >= statements && (self.app.clock)() < self.until;
        if some {
            self.statements -= statements;
        }
        some
    }
}

/// A run, told in one line of the log. `None` if it failed.
pub async fn run_and_log(app: &App, allowance: Allowance) -> Option<Report> {
    match run(app, allowance).await {
        Ok(report) => {
            log::info!("{}", json!({"housekeeping": report}));
            Some(report)
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            log::error!(
                "{}",
                json!({"housekeeping": "failed", "error": error.to_string(), "cause": cause})
            );
            None
        }
    }
}

pub async fn run(app: &App, allowance: Allowance) -> Result<Report, Error> {
    let mut left = Left {
        app,
        until: (app.clock)().saturating_add(allowance.milliseconds),
        statements: allowance.statements,
    };
    // Before the record they are counted from is purged. Should it fail, it goes on from its mark another time.
    if let Err(error) = statistics::keep(app, || left.take(3)).await {
        log::error!("statistics were not counted: {error}");
    }
    let mut report = Report {
        purged: purge(app, &mut left).await?,
        clients_deleted: forget_clients(app, &mut left).await?,
        ..Report::default()
    };
    // At most half of what is left: whoever is slow to take an event does not keep a rotation of keys from its end.
    let now = (app.clock)();
    let mut half = Left {
        until: now + left.until.saturating_sub(now).div_ceil(2),
        statements: left.statements / 2,
        ..left
    };
    let allowed = half.statements;
    let delivered = deliver_due(app, &mut half).await?;
    (report.told, report.untold) = (delivered.taken, delivered.failed);
    left.statements -= allowed - half.statements;
    reseal(app, &mut left, &mut report).await?;
    Ok(report)
}

async fn purge(app: &App, left: &mut Left<'_>) -> Result<u64, Error> {
    let tables: [fn(&App, UnixTime) -> Statement; 8] = [
        |_, now| revoked_tokens::purge(now, ROWS_AT_ONCE),
        |_, now| counters::purge(now, ROWS_AT_ONCE),
        |_, now| sessions::purge(now, ROWS_AT_ONCE),
        |_, now| idempotency_keys::purge(now, ROWS_AT_ONCE),
        |_, now| stored::purge(now.minus(Step::Day.kept())),
        |_, now| test_messages::purge(now.minus(MESSAGES_KEPT), ROWS_AT_ONCE),
        |_, now| webhook_deliveries::purge(now.minus(DELIVERIES_KEPT), ROWS_AT_ONCE),
        |app, now| audit_log::purge(now.minus(app.config.audit_retention), ROWS_AT_ONCE),
    ];
    let mut rows = 0;
    for purge in tables {
        while left.take(1) {
            let outcome = app.db.run(purge(app, app.now())).await?;
            rows += outcome.changes;
            if outcome.changes < u64::from(ROWS_AT_ONCE) {
                break;
            }
        }
    }
    Ok(rows)
}

/// Goes on with clients whose deletion was too large for the request that asked for it.
async fn forget_clients(app: &App, left: &mut Left<'_>) -> Result<u32, Error> {
    let mut gone = 0;
    for client in clients::list_deleted(&*app.db).await? {
        gone += u32::from(forget_client(app, &client, || left.take(STATEMENTS_TO_FORGET)).await?);
    }
    Ok(gone)
}

/// Deletes a client's users while `go_on` says so, and the client with the last of them. Whether it is gone.
pub(super) async fn forget_client(
    app: &App,
    client: &ClientId,
    mut go_on: impl FnMut() -> bool + Send,
) -> Result<bool, Error> {
    while go_on() {
        if clients::forget(&*app.db, client, ROWS_AT_ONCE).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Seals accounts with the current key that are sealed with another of the ring (CRY-05). Each is a
/// compare-and-swap of its own, so it can be cut off anywhere, and loses against a request in its way. It
/// goes from one to the next by their place, so that none that cannot be read keeps the others back.
async fn reseal(app: &App, left: &mut Left<'_>, report: &mut Report) -> Result<(), Error> {
    let (db, keys) = (&*app.db, app.keys());
    let current = &keys.current().id;
    if keys.iter().any(|set| set.id != *current) && left.take(1) {
        reseal_webhooks(app, left, report).await?;
    }
    for set in keys.iter().filter(|set| set.id != *current) {
        let mut after = 0;
        while left.take(ACCOUNTS_AT_ONCE + 1) {
            let found = accounts::sealed_with(db, &set.id, after, ACCOUNTS_AT_ONCE).await?;
            let Some(last) = found.last() else { break };
            after = last.id;
            let batch = change::reseal(app, found).await?;
            report.resealed += batch.resealed;
            report.unreadable += batch.unreadable;
        }
    }
    for (key, count) in accounts::count_sealed_with_others(db, current).await? {
        if keys.find(&key).is_some() {
            report.left_to_reseal += count;
        } else {
            report.of_keys_not_in_ring += count;
        }
    }
    Ok(())
}

/// The same for the secrets of webhooks, first: they are few, and are done when the accounts are.
async fn reseal_webhooks(app: &App, left: &mut Left<'_>, report: &mut Report) -> Result<(), Error> {
    for stored in clients::list_with_webhook(&*app.db).await? {
        let vault = ClientVault {
            keys: app.keys(),
            client: &stored.client.id,
        };
        let webhook = stored.client.webhook.as_ref();
        let resealed = webhook.map(|webhook| webhook.resealed((vault, app.now())));
        match resealed.transpose() {
            Ok(Some(Some(webhook))) if left.take(1) => {
                let statement = clients::reseal_webhook(&stored, &webhook)?;
                app.db.run(statement).await?;
            }
            Ok(_) => {}
            Err(error) => {
                report.unreadable += 1;
                log::error!("a webhook could not be sealed again: {error}");
            }
        }
    }
    Ok(())
}
