//! The platform, cut at its narrowest point: five traits, implemented for Cloudflare and natively.

mod db;
mod http;
mod kv;
mod mail;
mod row;
mod signatures;
mod traced;

pub use db::{Batch, Database, DatabaseError, Outcome, Statement, Value};
pub use http::{HttpClient, HttpError};
pub use kv::{KeyValue, KeyValueError};
pub use mail::{Letter, MailError, Mailer};
pub use row::{Row, RowError};
pub use signatures::{SignError, Signatures, revealed};
pub use traced::Traced;
