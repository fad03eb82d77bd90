//! What an audit finds: a rule, how many rows, which ones.

use serde::{Deserialize, Serialize};

/// A rule's count over all rows, with examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name, which stays: `wrong-name`, `near-duplicate`.
    pub rule: String,
    /// What was counted, in a sentence.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The gate on the share, if there is one.
    pub limit: Option<Limit>,
    /// Whether the gate is passed.
    pub passed: bool,
    /// A few of the rows.
    pub examples: Vec<Example>,
    /// What to do about it.
    pub help: String,
}

/// A limit on a share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
}

/// A row that shows what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Its place in the plan, or its number.
    pub row: String,
    /// What it says there.
    pub excerpt: String,
}

/// A gate that was not passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    /// The corpus.
    pub corpus: String,
    /// The rule.
    pub rule: String,
    /// What is wrong, with figures and rows.
    pub message: String,
}

impl Limit {
    /// Whether a share is within it.
    pub fn allows(self, share: f64) -> bool {
        match self {
            Limit::Most(most) => share <= most,
            Limit::Least(least) => share >= least,
        }
    }

    /// `at most 5.0%`, `none`.
    pub fn shown(self) -> String {
        match self {
            Limit::Most(0.0) => "none".to_owned(),
            Limit::Most(most) => format!("at most {}", percent(most)),
            Limit::Least(least) => format!("at least {}", percent(least)),
        }
    }

    /// As [`Limit::shown`], where it stands by itself.
    pub(crate) fn alone(self) -> String {
        match self {
            Limit::Most(0.0) => "none allowed".to_owned(),
            other => other.shown(),
        }
    }
}

/// `12.5%`; more digits where there is little.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent != 0.0 && percent < 1.0 { format!("{percent:.2}%") } else { format!("{percent:.1}%") }
}

impl Finding {
    /// The share of rows.
    pub fn share(&self) -> f64 {
        if self.of == 0 { 0.0 } else { self.count as f64 / self.of as f64 }
    }

    /// What is wrong, if the gate is not passed.
    pub fn breach(&self, corpus: &str) -> Option<Breach> {
        let limit = self.limit.filter(|_| !self.passed)?;
        let rows: Vec<String> = self
            .examples
            .iter()
            .map(|example| format!("\n    {}: {}", example.row, example.excerpt))
            .collect();
        Some(Breach {
            corpus: corpus.to_owned(),
            rule: self.rule.clone(),
            message: format!(
                "{corpus}: {}: {} of {} ({}), and the gate allows {}{}\n    {}",
                self.what,
                self.count,
                self.of,
                percent(self.share()),
                limit.shown(),
                rows.concat(),
                self.help,
            ),
        })
    }
}
