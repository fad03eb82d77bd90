//! Suites of any kind, each with its scorer.

use suite::{Suite, SuiteItems};

use crate::error::Result;
use crate::likelihood::Likelihood;
use crate::preferences::{PreferenceResult, score_preferences};
use crate::texts::{TextResult, score_texts};

/// What turns a model's answers into scores. Levels of two scorers, or of two versions of one, are never
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scorer {
    /// Its name.
    pub name: &'static str,
    /// Raised whenever the same answers would score differently, or would be asked for differently.
    pub version: u32,
}

impl Scorer {
    /// The scorer of a suite's kind of items.
    pub fn of(suite: &Suite) -> Scorer {
        match suite.items {
            SuiteItems::Preferences(_) => Scorer { name: "option-log-probability", version: 1 },
            SuiteItems::Text(_) => Scorer { name: "perplexity", version: 1 },
        }
    }
}

/// Per-item results, in the order of the suite's items.
#[derive(Clone, Debug, PartialEq)]
pub enum Results {
    /// Of forced choices.
    Preferences(Vec<PreferenceResult>),
    /// Of texts.
    Text(Vec<TextResult>),
}

/// Asks a model every item of a suite.
///
/// # Errors
/// As [`score_preferences`] and [`score_texts`].
pub fn evaluate(model: &dyn Likelihood, suite: &Suite) -> Result<Results> {
    Ok(match &suite.items {
        SuiteItems::Preferences(items) => Results::Preferences(score_preferences(model, items)?),
        SuiteItems::Text(items) => Results::Text(score_texts(model, items)?),
    })
}
