//! The platform on an ordinary machine: SQLite for both databases, HTTP over TCP, and the program that
//! serves.

mod http;
pub mod kv;
mod log;
pub mod program;
mod server;
mod settings;
pub mod sqlite;
