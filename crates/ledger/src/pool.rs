//! Connections that read, taken from a shelf and put back.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::error::{LedgerError, Result};
use crate::open;

/// Idle connections are cheap, but not free.
const SHELF: usize = 8;

#[derive(Debug)]
pub(crate) struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(path: &Path) -> Pool {
        Pool { path: path.to_owned(), idle: Mutex::default() }
    }

    /// Runs something on a connection that no one else uses meanwhile.
    pub(crate) fn read<T>(&self, action: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.with(|connection| action(connection).map_err(|error| LedgerError::sqlite(&self.path, &error)))
    }

    /// As [`Pool::read`], with errors of the caller's own.
    pub(crate) fn with<T, E: From<LedgerError>>(
        &self,
        action: impl FnOnce(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        let result = action(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < SHELF {
            idle.push(connection);
        }
        result
    }

    /// Closes the idle ones, so that the writer's connection is the last to close and tidies up.
    pub(crate) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
