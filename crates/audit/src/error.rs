//! What can go wrong while rows are read.

use corpus::CorpusError;

/// The result of every fallible function of this crate: rows are all that can be wrong.
pub type Result<T> = std::result::Result<T, CorpusError>;
