//! `turns`: who counts the same things does so one after the other. Only where the database does not see to it by
//! itself; elsewhere there is no such table.
//!
//! A limit is a condition on rows that the statement does not change, so two that wait for the same account's row,
//! or for none, may both find the last place free. Both therefore hold a row of this table until they commit, and
//! take it in a statement of its own: the next one sees what the other stored.

use std::collections::BTreeSet;

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

use crate::domain::ids::ClientId;
use crate::platform::{Database, Statement, Value};

/// The rows of the table. Two scopes may share one, and then wait for each other for no reason: rarely, and not long.
const ROWS: u32 = 4096;

const HASH: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// The scope of everything that adds or takes away users of a client.
pub(super) fn of_client(client: &ClientId) -> String {
    format!("client:{}", client.as_str())
}

/// The first statement of a batch that counts in these scopes, where one is needed. Rows are taken in one order, so
/// that no two wait for each other.
pub(super) fn take(
    db: &dyn Database,
    scopes: impl IntoIterator<Item = String>,
) -> Option<Statement> {
    if db.is_serial() {
        return None;
    }
    let scopes = scopes.into_iter();
    let rows: BTreeSet<u32> = scopes.map(|scope| row(&scope)).collect();
    let mut statement = Statement::new("SELECT turn FROM turns WHERE turn IN (", []);
    for (place, row) in rows.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        statement.bind(separator, Value::from(*row));
    }
    statement.add(") ORDER BY turn FOR UPDATE");
    (!rows.is_empty()).then_some(statement)
}

fn row(scope: &str) -> u32 {
    HASH.checksum(scope.as_bytes()) % ROWS
}
