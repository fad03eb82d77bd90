//! Confidence intervals.

use serde::{Deserialize, Serialize};

/// The level of every interval in a report.
pub const LEVEL: f64 = 0.95;

/// A two-sided confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How often such intervals hold the truth: 0.95 for "95%".
    pub level: f64,
}

impl Interval {
    /// Whether a value lies in the interval, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Refuses levels that are not probabilities: these are written in code, never by a user.
pub(crate) fn check_level(level: f64) {
    assert!(level > 0.0 && level < 1.0, "a confidence level lies between 0 and 1, not {level}");
}
