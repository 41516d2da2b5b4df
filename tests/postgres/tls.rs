//! Whoever stands between the program and its database. The server of the test has a certificate for `localhost`, of
//! an authority that no machine trusts.

use candado::native::postgres::{DatabaseUrl, Postgres};
use candado::platform::Value;
use candado_testkit::engine::server;

use crate::value;

/// The file of that authority.
fn authority() -> String {
    std::env::var("CANDADO_TEST_DATABASE_CA").unwrap()
}

async fn open(host: &str, query: &str) -> Result<Postgres, String> {
    let server = server();
    let (place, _) = server.split_once('?').unwrap();
    let place = place.replace("127.0.0.1", host);
    let url = DatabaseUrl::parse(&format!("{place}?{query}"))?;
    Postgres::open(&url, 1).await
}

async fn is_encrypted(database: &Postgres) -> bool {
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    value(database, sql).await == Value::Integer(1)
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn a_certificate_is_checked_as_far_as_sslmode_says() {
    let trusted = format!("&sslrootcert={}", authority());
    let named = "localhost";
    let unnamed = "127.0.0.1";
    for (host, mode, roots, accepted) in [
        (named, "", "", false),
        (named, "sslmode=verify-full", "", false),
        (named, "sslmode=verify-full", &*trusted, true),
        (unnamed, "sslmode=verify-full", &trusted, false),
        (unnamed, "sslmode=verify-ca", &trusted, true),
        (unnamed, "sslmode=verify-ca", "", false),
        (unnamed, "sslmode=require", "", true),
        (unnamed, "sslmode=prefer", "", true),
    ] {
        let opened = open(host, &format!("{mode}{roots}")).await;
        let case = format!("{host} {mode} {roots}");
        match opened {
            Ok(database) => assert!(accepted && is_encrypted(&database).await, "{case}"),
            Err(error) => assert!(!accepted, "{case}: {error}"),
        }
    }
    let plain = open(unnamed, "sslmode=disable").await.unwrap();
    assert!(!is_encrypted(&plain).await);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: npm run test:postgres"]
async fn another_authority_than_the_named_one_is_not_trusted() {
    let directory = std::env::temp_dir().join(format!("candado-ca-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("other.pem");
    let other = std::fs::read(authority().replace("ca.pem", "other.pem")).unwrap();
    std::fs::write(&file, other).unwrap();
    for mode in ["verify-ca", "verify-full", "require"] {
        let query = format!("sslmode={mode}&sslrootcert={}", file.display());
        assert!(open("localhost", &query).await.is_err(), "{mode}");
    }
    std::fs::write(&file, "").unwrap();
    let query = format!("sslmode=verify-full&sslrootcert={}", file.display());
    let error = open("localhost", &query).await.err().unwrap();
    assert!(error.contains("has no certificate"), "{error}");
    std::fs::remove_dir_all(directory).unwrap();
}
