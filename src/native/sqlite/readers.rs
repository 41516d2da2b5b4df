//! The connections that read.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Result};

use super::{connection, execute};
use crate::platform::{Outcome, Statement};

/// Connections nobody uses at the moment. A read runs on the thread that asks, so there are never more
/// of them than threads that serve.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Mutex::default(),
        }
    }

    /// What the statements give at one moment, or nothing if one of them writes.
    pub(super) fn read(&self, statements: &[Statement]) -> Result<Option<Vec<Outcome>>> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| connection::to_read(&self.path), Ok)?;
        let done = execute::only_reads(&connection, statements).and_then(|only_reads| {
            only_reads
                .then(|| execute::alone(&connection, statements))
                .transpose()
        });
        self.idle().push(connection);
        done
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
