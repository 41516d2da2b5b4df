//! Fills a database with accounts as the service itself would have stored them, without its round trips: each is
//! enrolled by the domain, sealed for its own user and written as a row.
//!
//! `field_fill DATABASE CLIENT FROM COUNT`, with `MASTER_KEYS` set; the client exists. User n has the id and the
//! secret that `harness/users.mjs` gives it.

#![expect(
    clippy::expect_used,
    reason = "a tool of the benchmark has nobody to report to"
)]

use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use candado::domain::account::{Account, Enrolment};
use candado::domain::codes::totp::Parameters;
use candado::domain::crypto::keys::KeyRing;
use candado::domain::crypto::random;
use candado::domain::crypto::sealing::Vault;
use candado::domain::ids::{ClientId, Owner, UserId};
use candado::domain::time::UnixTime;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

const SECRET_BYTES: usize = 20;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [database, client, from, count] = arguments.as_slice() else {
        panic!("field_fill DATABASE CLIENT FROM COUNT");
    };
    let keys = env::var("MASTER_KEYS").expect("MASTER_KEYS is set");
    let keys = KeyRing::parse(&keys).expect("MASTER_KEYS is a key ring");
    let client = ClientId::try_from(client.clone()).expect("a client id");
    let from: u64 = from.parse().expect("FROM is a number");
    let count: u64 = count.parse().expect("COUNT is a number");
    let connection = Connection::open(database).expect("the database opens");
    connection
        .busy_timeout(Duration::from_mins(1))
        .expect("a timeout is set");
    let (mut at, end) = (from, from + count);
    while at < end {
        let next = end.min(at + AT_ONCE);
        fill(&connection, &keys, &client, at..next);
        at = next;
    }
}

/// Accounts of one transaction, whose log is as large as they are.
const AT_ONCE: u64 = 1_000_000;

fn fill(connection: &Connection, keys: &KeyRing, client: &ClientId, users: std::ops::Range<u64>) {
    let now = now();
    let count = i64::try_from(users.end - users.start).expect("a count of rows");
    let transaction = connection
        .unchecked_transaction()
        .expect("a transaction begins");
    let mut insert = transaction
        .prepare(
            "INSERT INTO accounts (client_id, user_id, version, mfa_enabled, key_id, state, created_at, updated_at)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?6)",
        )
        .expect("the service has made its tables");
    for n in users {
        let user = UserId::try_from(format!("user-{n:09}")).expect("a user id");
        let client = client.clone();
        let owner = Owner { client, user };
        let state = account(keys, &owner, n, now);
        let version = u32::from_le_bytes(random::bytes().expect("randomness"));
        let row = params![
            owner.client.as_str(),
            owner.user.as_str(),
            version,
            keys.current().id,
            state,
            now.as_sql()
        ];
        insert.execute(row).expect("the user is new");
    }
    drop(insert);
    transaction
        .execute(
            "UPDATE clients SET accounts = accounts + ?2 WHERE client_id = ?1",
            params![client.as_str(), count],
        )
        .expect("the client is counted");
    transaction.commit().expect("the rows are stored");
}

/// The stored form of a user whose app was taken over from another service.
fn account(keys: &KeyRing, owner: &Owner, n: u64, now: UnixTime) -> String {
    let vault = Vault { keys, owner };
    let mut secret = Sha256::digest(format!("candado field {n}")).to_vec();
    secret.truncate(SECRET_BYTES);
    let name = owner.user.as_str().to_owned();
    let enrolment = Enrolment::new(vault, name, Parameters::default(), secret, false);
    let mut account = Account::new(now);
    let enrolled = account.enrol(enrolment.expect("the secret is sealed"), now);
    assert!(enrolled.is_ok(), "a new account takes an app");
    account.into_stored(vault).expect("the account is stored")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a tool of the benchmark asks the machine for the time"
)]
fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixTime::from_secs(since.expect("a clock after 1970").as_secs())
}
