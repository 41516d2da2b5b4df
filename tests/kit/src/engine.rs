//! What the service under test stores its data in: SQLite in memory, or PostgreSQL where a test run names one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use candado::native::kv::SqliteKeyValue;
use candado::native::postgres::{DatabaseUrl, Postgres, PostgresKeyValue};
use candado::native::sqlite::Sqlite;
use candado::platform::{Database, KeyValue, Statement};

/// Names a PostgreSQL to test on. Each application gets a schema of its own in it.
const VARIABLE: &str = "CANDADO_TEST_DATABASE_URL";

/// Enough for what a test does at the same time.
const CONNECTIONS: usize = 16;

pub(crate) type Stores = (Arc<dyn Database>, Arc<dyn KeyValue>);

pub(crate) fn sqlite(clock: &Arc<AtomicU64>) -> Stores {
    let clock = clock.clone();
    let clock = Arc::new(move || clock.load(Ordering::SeqCst));
    let keys = SqliteKeyValue::in_memory(clock);
    (
        Arc::new(Sqlite::in_memory().unwrap()),
        Arc::new(keys.unwrap()),
    )
}

/// On PostgreSQL if that is asked for.
pub(crate) async fn any(clock: &Arc<AtomicU64>) -> Stores {
    let Ok(server) = std::env::var(VARIABLE) else {
        return sqlite(clock);
    };
    let clock = clock.clone();
    let clock = Arc::new(move || clock.load(Ordering::SeqCst));
    let url = new_schema(&server).await;
    let database = Postgres::open(&url, CONNECTIONS).await;
    let database = database.unwrap();
    let keys = PostgresKeyValue::new(database.clone(), clock);
    (Arc::new(database), Arc::new(keys))
}

/// The server that the test run names.
///
/// # Panics
///
/// It names none.
pub fn server() -> String {
    std::env::var(VARIABLE).expect("npm run test:postgres says where the server is")
}

/// An empty schema on that server, and the way to it.
pub async fn new_schema(server: &str) -> DatabaseUrl {
    DatabaseUrl::parse(&new_schema_url(server).await).unwrap()
}

/// The same as text.
pub async fn new_schema_url(server: &str) -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::SeqCst);
    let name = format!("test_{}_{number}", std::process::id());
    let url = DatabaseUrl::parse(server).unwrap();
    let database = Postgres::open(&url, 1).await.unwrap();
    let create = Statement::new(format!("CREATE SCHEMA {name}"), []);
    database.run(create).await.unwrap();
    let separator = if server.contains('?') { '&' } else { '?' };
    format!("{server}{separator}options=-csearch_path%3D{name}")
}
