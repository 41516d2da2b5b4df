//! Candado: multi-factor authentication as a service.
//!
//! Imports run `cloudflare | native -> api -> flows -> {storage, providers} -> platform`, and any of
//! these `-> domain`, which imports nothing of ours.

pub mod api;
pub mod app;
pub mod call;
pub mod config;
pub mod domain;
pub mod error;
pub mod flows;
pub mod platform;
pub mod providers;
pub mod storage;

#[cfg(target_arch = "wasm32")]
pub mod cloudflare;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
