//! Evaluation suites as data.
//!
//! A suite is a list of items with a name and a version, and nothing else: what asks the questions and
//! scores the answers is the crate `eval`; what keeps the items out of training data is the corpus audit.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod item;
mod jsonl;
mod suite;

pub use error::{Result, SuiteError};
pub use item::{PreferenceItem, TextItem};
pub use suite::{Suite, SuiteItems};
