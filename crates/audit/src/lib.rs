//! Near-duplicates and the findings on a corpus: what a reader would find wrong with it, counted, shown, and held against
//! gates.
//!
//! An audit reads rows one by one where they stand ([`Documents`]) and keeps only counts, sketches and a few
//! examples, so that a corpus of any size is read in little memory.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod across;
mod auditor;
mod balance;
mod document;
mod error;
mod excerpt;
mod finding;
mod findings;
mod gates;
mod histogram;
mod lines;
mod minhash;
mod overlap;
mod page;
mod people;
mod phrases;
mod rules;
mod similar;
mod text;
mod words;

pub use across::{Across, across};
pub use auditor::{About, Audit, audit};
pub use balance::{Balance, Side, balance};
pub use document::{Document, Documents, Held, Origin};
pub use error::Result;
pub use finding::{Breach, Example, Finding, Limit};
pub use gates::Gates;
pub use histogram::Histogram;
pub use overlap::HeldOut;
pub use page::html;
pub use similar::{Place, Repeat, Similar, THRESHOLD, near_duplicates};
pub use text::text;
