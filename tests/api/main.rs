//! The endpoints, natively: the real router, real SQL on SQLite, a clock that is set, and providers that
//! are recorded.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect is to fail"
)]

mod admin;
mod attempts;
mod auth;
mod budget;
mod contract;
mod delivery;
mod edges;
mod enrolment;
mod faults;
mod harness;
mod housekeeping;
mod isolation;
mod recovery;
mod users;
