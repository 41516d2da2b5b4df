//! The platform on an ordinary machine: SQLite for both databases, HTTP over TCP, and the program that
//! serves.

mod http_client;
pub mod kv;
mod logging;
pub mod program;
mod server;
mod settings;
pub mod sqlite;
