//! The platform, cut at its narrowest point: three traits, implemented for Cloudflare and natively.

mod db;
mod http;
mod kv;

pub use db::{Database, DatabaseError, Outcome, Row, Statement, Value};
pub use http::{HttpClient, HttpError};
pub use kv::{KeyValue, KeyValueError};
