//! Candado: multi-factor authentication as a service.
//!
//! Imports run `cloudflare | native -> api -> flows -> {storage, providers} -> platform`, and any of
//! these `-> domain`, which imports nothing of ours.

pub mod domain;
