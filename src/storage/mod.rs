//! SQL and keys: one file per table or key family, free functions. No rule is decided here.

pub mod accounts;
pub mod api_keys;
pub mod audit_log;
pub mod auth_failures;
pub mod clients;
pub mod codes;
pub mod counters;
pub mod idempotency_keys;
pub mod lock_marks;
pub mod passkeys;
pub mod provider_pauses;
pub mod revoked_tokens;
pub mod schema;
pub mod sessions;
pub mod statistics;
pub mod test_messages;
mod turns;
pub mod webhook_deliveries;

use crate::domain::crypto::random::{self, RandomError};

/// Where a row's version begins. At random, so that a row deleted and made again never has a version
/// somebody still holds. Below 2^40, since D1 numbers are doubles.
fn first_version() -> Result<i64, RandomError> {
    let bytes: [u8; 8] = random::bytes()?;
    Ok(i64::from_be_bytes(bytes) & 0xff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::first_version;

    #[test]
    fn versions_begin_at_random_where_a_double_still_counts_by_ones() {
        let drawn: HashSet<i64> = (0..64).map(|_| first_version().unwrap()).collect();
        assert!(drawn.iter().all(|version| (0..1 << 40).contains(version)));
        assert_eq!(drawn.len(), 64);
    }
}
