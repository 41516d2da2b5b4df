//! The endpoints, natively: the real router, real SQL on SQLite, a clock that is set, and providers that
//! are recorded.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect is to fail"
)]

mod admin;
mod api_keys;
mod auth;
mod budget;
mod contract;
mod factors;
mod faults;
mod housekeeping;
mod idempotency;
mod import;
mod isolation;
mod notices;
mod operators;
mod passkeys;
mod provider_chain;
mod providers;
mod qr_code;
mod recovery;
mod register;
mod renew;
mod results;
mod send;
mod sessions;
mod sessions_links;
mod sessions_setup;
mod statistics;
mod test_clients;
mod trusted_devices;
mod users;
mod verify;
mod webhooks;
