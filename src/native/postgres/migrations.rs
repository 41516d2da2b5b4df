//! The schema, brought up to date when the program starts.

use deadpool_postgres::ClientWrapper as Client;
use include_dir::{Dir, include_dir};

use super::execute::describe;

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations/postgres");

/// One program at a time, in each schema; and as long as another's migrations may take.
const LOCK: &str = "
    SET LOCAL lock_timeout = '5min';
    SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(hashtext('candado_migrations'), hashtext(current_schema()))";

/// Asked for first, so that a role that may not create tables can start where there is nothing to do.
const PRESENT: &str = "SELECT to_regclass('candado_migrations') IS NOT NULL";
const CREATE: &str = "CREATE TABLE candado_migrations (name TEXT NOT NULL PRIMARY KEY)";

/// Applies the migrations that the database has not seen, all of them or none.
pub(super) async fn apply(client: &mut Client) -> Result<(), String> {
    let done = try_apply(client).await;
    done.map_err(|error| describe(&error))
}

/// Whether the database has a part only of what is being copied into it.
pub(super) async fn is_half_copied(client: &Client) -> Result<bool, String> {
    let asked = "SELECT to_regclass('candado_copy') IS NOT NULL";
    let row = client.query_one(asked, &[]).await;
    row.map(|row| row.get(0)).map_err(|error| describe(&error))
}

async fn try_apply(client: &mut Client) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    let present: bool = transaction.query_one(PRESENT, &[]).await?.get(0);
    if !present {
        transaction.batch_execute(CREATE).await?;
    }
    let applied = transaction
        .query("SELECT name FROM candado_migrations", &[])
        .await?;
    let applied: Vec<&str> = applied.iter().map(|row| row.get(0)).collect();
    for (name, sql) in migrations() {
        if applied.contains(&name) {
            continue;
        }
        transaction.batch_execute(sql).await?;
        let insert = "INSERT INTO candado_migrations (name) VALUES ($1)";
        transaction.execute(insert, &[&name]).await?;
    }
    transaction.commit().await
}

/// Name and text, by name: names begin with a number.
fn migrations() -> Vec<(&'static str, &'static str)> {
    let named = |file: &'static include_dir::File<'static>| {
        Some((file.path().to_str()?, file.contents_utf8()?))
    };
    let mut files: Vec<_> = MIGRATIONS.files().filter_map(named).collect();
    files.sort_unstable();
    files
}
