//! What is said of PostgreSQL alone. The endpoints' cases, tests/api, run on it too: `npm run test:postgres` starts a
//! server and runs both.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect is to fail"
)]

mod connections;
mod copy;
mod races;
mod schema;
mod tls;

use candado::native::postgres::Postgres;
use candado::platform::{Database, Statement, Value};
use candado_testkit::engine::{new_schema, server};

/// A database with a schema of its own, by so many connections.
async fn database(connections: usize) -> Postgres {
    let url = new_schema(&server()).await;
    Postgres::open(&url, connections).await.unwrap()
}

/// The value of the only column of the only row.
async fn value(database: &Postgres, sql: &'static str) -> Value {
    let outcome = database.run(Statement::new(sql, [])).await.unwrap();
    let mut columns = outcome.rows[0].iter();
    columns.next().unwrap().1.clone()
}
