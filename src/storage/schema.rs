//! The tables as this version of the code wants them.

use crate::platform::{Database, DatabaseError, Statement};

/// Fails unless the database answers and has the columns this version works with.
pub async fn check(db: &dyn Database) -> Result<(), DatabaseError> {
    let probe = |sql: &'static str| Statement::new(sql, []);
    let tables = vec![
        probe("SELECT id, version, key_id, state FROM accounts LIMIT 0"),
        probe(
            "SELECT previous_secret_digest, token_epoch, accounts, deleted_at, test_clock_ahead, webhook FROM clients LIMIT 0",
        ),
        probe("SELECT scope, window_start, count FROM send_counters LIMIT 0"),
        probe("SELECT jti, expires_at FROM revoked_tokens LIMIT 0"),
        probe("SELECT event, outcome, operator, detail FROM audit_log LIMIT 0"),
        probe(
            "SELECT client_id, id, digest, scopes, expires_at, last_used_at FROM api_keys LIMIT 0",
        ),
        probe("SELECT bucket, minute, count FROM auth_failures LIMIT 0"),
        probe("SELECT fingerprint, holder, acted, answer FROM idempotency_keys LIMIT 0"),
        probe("SELECT user_id, stored_at, message FROM test_messages LIMIT 0"),
        probe("SELECT provider, until FROM provider_pauses LIMIT 0"),
        probe("SELECT session_id, token_epoch, request, expires_at FROM sessions LIMIT 0"),
        probe("SELECT client_id, digest, user_id FROM passkeys LIMIT 0"),
        probe("SELECT next_at, lease_until, attempts, problem FROM webhook_deliveries LIMIT 0"),
        probe("SELECT step, start, what, method, outcome, place, count FROM statistics LIMIT 0"),
        probe("SELECT name, mark FROM statistics_marks LIMIT 0"),
    ];
    db.batch(tables).await.map(drop)
}
