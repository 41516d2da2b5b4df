//! The platform on an ordinary machine: SQLite for both databases, or PostgreSQL; HTTP over TCP, and the program
//! that serves.

mod causes;
pub mod cli;
mod engine;
mod http_client;
pub mod kv;
mod logging;
mod metrics;
pub mod postgres;
mod resolver;
mod server;
mod settings;
mod signals;
pub mod signatures;
mod site;
mod smtp;
pub mod sqlite;
