//! What can be wrong with a suite, and where.

use std::path::PathBuf;

use store::StoreError;

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, SuiteError>;

/// A suite that cannot be read, written or used.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line of a suite file is not what it should be.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A suite made in memory breaks one of the rules of its items.
    #[error("suite {suite}, item {number}: {problem}")]
    Item {
        /// The suite's name.
        suite: String,
        /// The item's place in the suite, counted from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
}
