//! The platform on an ordinary machine: SQLite for both databases, HTTP over TCP, and the program that
//! serves.

pub mod cli;
mod http_client;
pub mod kv;
mod logging;
mod server;
mod settings;
pub mod signatures;
mod site;
pub mod sqlite;
