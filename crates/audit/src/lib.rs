//! Near-duplicates and the findings on a corpus: what a reader would find wrong with it, counted, shown, and held against
//! gates.
//!
//! An [`Auditor`] reads rows one by one and keeps only counts, signatures and a few examples, so that a corpus of any size
//! is read in little memory.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod auditor;
mod balance;
mod finding;
mod gates;
mod minhash;
mod overlap;
mod page;
mod phrases;
mod rules;

pub use auditor::{About, Audit, Auditor, Histogram, Row};
pub use balance::{Balance, Side, balance};
pub use finding::{Breach, Example, Finding};
pub use gates::Gates;
pub use minhash::{BANDS, Near, ROWS, Signature, WORDS, jaccard, near_duplicates};
pub use overlap::HeldOut;
pub use page::{html, text};
