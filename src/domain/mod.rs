//! The rules: ordinary values and functions. Nothing here waits, reads a clock, or knows HTTP, SQL or
//! Cloudflare.

pub mod account;
pub mod address;
pub mod api_key;
pub mod brand;
/// Of the native program alone: nothing in the Worker reads files.
#[cfg(not(target_arch = "wasm32"))]
pub mod bring;
pub mod browser;
pub mod client;
pub mod codes;
pub mod contact;
pub mod crypto;
pub mod csv;
pub mod event;
pub mod fields;
pub mod idempotency;
pub mod ids;
pub mod method;
pub mod provider;
pub mod relying_party;
pub mod scope;
pub mod session;
pub mod settings;
pub mod statistics;
pub mod time;
pub mod trace_context;
pub mod webauthn;
pub mod webhook;
