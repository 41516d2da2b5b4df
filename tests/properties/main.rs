//! Properties of the rules, over what nobody thought of writing down as a case.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect is to fail"
)]

mod account;
mod model;
mod patches;
mod restored;
mod values;
