//! What can go wrong with the store, and what to do about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, LedgerError>;

/// A failed operation on the store. One failure goes to all who wait for the same commit, hence `Clone`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It is not there.
    #[error("there is no store at {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("{} was written by a newer version of this program (store version {found}, this program knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// Some other file has its name.
    #[error("{} is not a store of this program: {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// SQLite found it damaged.
    #[error("{} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// It may not be written to.
    #[error("cannot write to {}: {detail}", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// There is no room for it.
    #[error("cannot write to {}: no space left", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("cannot use {}: {detail}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// Another program holds it.
    #[error("{} is in use by another program", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Anything else that SQLite says.
    #[error("{}: {detail}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// It was closed, or opened for reading only.
    #[error("{} is not open for writing", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
}

impl LedgerError {
    /// Puts SQLite's error beside the file it is about.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> LedgerError {
        let path = path.to_owned();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => LedgerError::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => LedgerError::ReadOnly { path, detail },
            Some(ErrorCode::DatabaseCorrupt) => LedgerError::Damaged { path, detail },
            Some(ErrorCode::NotADatabase) => {
                LedgerError::Foreign { path, what: "it is not an SQLite database".to_owned() }
            }
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => LedgerError::Io { path, detail },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy { path },
            _ => LedgerError::Other { path, detail },
        }
    }

    /// What to do about it. A failed write left the store as it was after the last commit, so that after all of these
    /// the same command goes on.
    pub fn help(&self) -> Option<String> {
        match self {
            LedgerError::Newer { .. } => {
                Some("use the program that wrote it, or a newer one; nothing was changed".to_owned())
            }
            LedgerError::Foreign { path, .. } => {
                Some(format!("move {} away if it is not needed; nothing was changed", path.display()))
            }
            LedgerError::Damaged { path, .. } => Some(format!(
                "keep a copy of {0}, then save what can be read with `sqlite3 {0} .recover`, or move it away to start \
                 anew: the paid answers in it are then asked for again",
                path.display()
            )),
            LedgerError::ReadOnly { .. } => Some(
                "make the folder and the file ones that you may write to, then run the same command again: what was \
                 done is kept"
                    .to_owned(),
            ),
            LedgerError::Full { .. } => {
                Some("free some space and run the same command again: what was done is kept".to_owned())
            }
            LedgerError::Io { .. } => Some(
                "see that the folder is there, and that its disk works and has room, then run the same command again: \
                 what was done is kept"
                    .to_owned(),
            ),
            LedgerError::Busy { .. } => {
                Some("close the other program, then run the same command again".to_owned())
            }
            LedgerError::Missing { .. } | LedgerError::Other { .. } | LedgerError::Closed { .. } => None,
        }
    }
}
