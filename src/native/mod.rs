//! The platform on an ordinary machine: SQLite for both databases.

pub mod sqlite;
