//! SQL and keys: one file per table or key family, free functions. No rule is decided here.

pub mod accounts;
pub mod audit_log;
pub mod clients;
pub mod codes;
pub mod lock_marks;
pub mod revoked_tokens;
pub mod send_counters;
