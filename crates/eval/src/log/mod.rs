//! Evaluation logs in the format of Inspect: `.eval`, a ZIP archive of JSON.
//!
//! A log holds `header.json` (what was evaluated, and the aggregate scores), one JSON file for each sample,
//! `summaries.json` (all samples in one) and `reductions.json`. Inspect reads all of them; this crate reads
//! back the header and the summaries, so that a log of a thousand samples opens in milliseconds. Equal
//! results make equal bytes, but for the time of creation, which the caller gives.

mod archive;
mod header;
mod metrics;
mod read;
mod sample;
#[cfg(test)]
mod tests;
mod write;

pub use header::{About, Header, Key};
pub use read::{read_header, read_preferences, read_texts};
pub use write::write_log;
