//! What can go wrong with a file, and which file it was.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, StoreError>;

/// What was being done to a file or folder when the operating system refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Making a file or folder.
    Create,
    /// Writing bytes to an open file.
    Write,
    /// Waiting until a file's bytes, or a folder's entries, are on the disk.
    Sync,
    /// Moving a file or folder to its final name.
    Rename,
    /// Reading a file or listing a folder.
    Read,
    /// Deleting a file or folder.
    Remove,
    /// Taking a lock.
    Lock,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Create => "create",
            Operation::Write => "write",
            Operation::Sync => "sync",
            Operation::Rename => "rename",
            Operation::Read => "read",
            Operation::Remove => "remove",
            Operation::Lock => "lock",
        })
    }
}

/// A failed operation on a file or folder; every variant names the path.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {operation} {}: {error}", path.display())]
    Io {
        /// What was tried.
        operation: Operation,
        /// On which file or folder.
        path: PathBuf,
        /// The operating system's answer. It is part of the message, so not a `source` that would repeat it.
        error: io::Error,
    },
    /// A file does not hold UTF-8 text.
    #[error("{} is not UTF-8 text (first bad byte at offset {offset})", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// How many bytes before the first bad one are good.
        offset: usize,
    },
    /// A file does not hold the JSON that was expected, or a value cannot be written as JSON.
    #[error("{}: {error}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong and on which line.
        error: serde_json::Error,
    },
    /// A folder has no `DONE` file: its making was interrupted, or it is something else.
    #[error("{} is not complete: it has no DONE file", path.display())]
    NotDone {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not the one that `DONE` lists.
    #[error("{} is not the file that DONE lists: {problem}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// The folder whose `DONE` that is.
        dir: PathBuf,
        /// Size or hash, expected and found.
        problem: String,
    },
    /// A folder that is to be completed holds something other than files and folders, or holds `DONE`.
    #[error("{} cannot be part of a completed folder: {problem}", path.display())]
    NotPlain {
        /// The entry.
        path: PathBuf,
        /// What it is instead.
        problem: &'static str,
    },
    /// The destination is already a complete folder with other contents.
    #[error("{} is already complete, with other contents", path.display())]
    Occupied {
        /// The destination.
        path: PathBuf,
    },
    /// Another process works in the folder.
    #[error("{} is in use by {}; wait for it or stop it", path.display(), holder(*pid))]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The process that holds the lock; `None` when it has not yet written who it is.
        pid: Option<u32>,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl StoreError {
    /// An operation of the operating system that failed on a path.
    pub fn io(operation: Operation, path: &Path, error: io::Error) -> StoreError {
        StoreError::Io { operation, path: path.to_owned(), error }
    }

    /// Whether the file or folder simply is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, StoreError::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether something was to be read and was not there, or was not what it should be: the fault of
    /// whoever wrote it, not of the machine.
    pub fn is_unreadable(&self) -> bool {
        match self {
            StoreError::Io { operation, .. } => *operation == Operation::Read,
            StoreError::NotText { .. } | StoreError::Json { .. } => true,
            _ => false,
        }
    }

    /// What to do about it. Whatever failed left what was there before as it was, so that after all of
    /// these the same command goes on.
    pub fn help(&self) -> Option<String> {
        use io::ErrorKind::{FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match self {
            StoreError::Io { operation: Operation::Read, .. } => None,
            StoreError::Io { error, .. } => Some(match error.kind() {
                StorageFull | QuotaExceeded | FileTooLarge => {
                    "free some space and run the same command again: what was done is kept".to_owned()
                }
                PermissionDenied | ReadOnlyFilesystem => {
                    "make the folder one that you may write to, then run the same command again".to_owned()
                }
                _ => "run the same command again: what was done is kept".to_owned(),
            }),
            StoreError::NotDone { path: dir }
            | StoreError::Altered { dir, .. }
            | StoreError::Occupied { path: dir } => {
                Some(format!("remove {} and run the same command again to have it made anew", dir.display()))
            }
            StoreError::NotText { .. }
            | StoreError::Json { .. }
            | StoreError::NotPlain { .. }
            | StoreError::Locked { .. } => None,
        }
    }
}
