//! Scorers and Inspect-compatible logs.
//!
//! [`evaluate()`] asks a model ([`Likelihood`]) every item of a suite; [`write_log`] keeps the per-item results
//! as an Inspect `.eval` log and [`read_preferences`] and [`read_texts`] read them back. A log carries a [`Key`]
//! (model, suite, scorer): results are comparable exactly when suite and scorer are equal, and a log with the
//! wanted key need not be made again.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod evaluate;
mod likelihood;
mod log;
mod native;
mod preferences;
#[cfg(test)]
mod testing;
mod texts;

pub use error::{EvalError, Result};
pub use evaluate::{Results, Scorer, evaluate};
pub use likelihood::{Likelihood, Question};
pub use log::{About, Header, Key, read_header, read_preferences, read_texts, write_log};
pub use native::Native;
pub use preferences::{PreferenceResult, score_preferences};
pub use texts::{TextResult, perplexity, score_texts};
