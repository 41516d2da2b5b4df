//! Passkeys: an authenticator in software, and the CBOR it writes.

pub mod authenticator;
pub mod cbor;
