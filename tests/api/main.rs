//! The endpoints, natively: the real router, real SQL on SQLite, a clock that is set, and providers that
//! are recorded.

mod admin;
mod attempts;
mod auth;
mod contract;
mod delivery;
mod enrolment;
mod faults;
mod harness;
mod housekeeping;
mod isolation;
mod recovery;
mod users;
