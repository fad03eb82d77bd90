//! What can go wrong when a model is evaluated or a log is read.

use std::path::{Path, PathBuf};

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, EvalError>;

/// A failed evaluation, or a log that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The model cannot be asked an item, or gave no usable answer.
    #[error("item {item}: {problem}")]
    Item {
        /// The item's id.
        item: String,
        /// What is wrong.
        problem: String,
    },
    /// A file is not an evaluation log, or not one of the wanted kind.
    #[error("{}: {problem}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Results do not belong to the suite they are to be written for.
    #[error("these are not results of suite {suite}: {problem}")]
    OtherSuite {
        /// The suite's name.
        suite: String,
        /// What differs.
        problem: String,
    },
}

impl EvalError {
    pub(crate) fn item(item: &str, problem: impl ToString) -> EvalError {
        EvalError::Item { item: item.to_owned(), problem: problem.to_string() }
    }

    pub(crate) fn log(path: &Path, problem: impl ToString) -> EvalError {
        EvalError::Log { path: path.to_owned(), problem: problem.to_string() }
    }
}
