//! Statistics: intervals, paired differences, bootstrap, adjustment. Pure and deterministic.
//!
//! What is asked, and which function answers:
//!
//! | question | answer |
//! |---|---|
//! | one model's rate over the items of a suite | [`wilson()`] |
//! | an arm's mean over seeds | [`Summary`] |
//! | two arms, trained from the same seeds | [`PairedDifference`] (the primary inference) |
//! | would other items say the same? | [`cluster_bootstrap`] |
//! | several questions at once | [`holm()`] |
//!
//! Random numbers that must be the same everywhere and for ever begin with [`SplitMix64`].
//!
//! A function that has no honest answer returns `None`: no interval comes from one seed.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bootstrap;
mod generator;
mod holm;
mod interval;
#[cfg(test)]
mod simulation;
mod split_mix;
mod student;
mod wilson;

pub use bootstrap::cluster_bootstrap;
pub use holm::holm;
pub use interval::{Interval, LEVEL};
pub use split_mix::SplitMix64;
pub use student::{PairedDifference, Summary};
pub use wilson::wilson;
