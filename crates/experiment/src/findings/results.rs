//! Per-item results of every trained model: what findings are computed from, besides the record.

use std::collections::BTreeMap;
use std::path::Path;

use eval::{PreferenceResult, TextResult};

use crate::record::{CellRecord, RunRecord};

/// The per-item results of one trained model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellResults {
    /// Forced choices.
    pub preferences: Vec<PreferenceResult>,
    /// Texts whose likelihood was measured.
    pub texts: Vec<TextResult>,
    /// By suite, what was asked and how answers became scores: equal in all models that may be compared.
    pub scorers: BTreeMap<String, String>,
}

/// Which trained model: arm, spec if the arm has one, seed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellKey {
    /// The arm.
    pub arm: String,
    /// The spec.
    pub spec: Option<String>,
    /// The seed.
    pub seed: u64,
}

impl From<&CellRecord> for CellKey {
    fn from(cell: &CellRecord) -> CellKey {
        CellKey { arm: cell.arm.clone(), spec: cell.spec.clone(), seed: cell.seed }
    }
}

/// Per-item results by trained model.
pub type Results = BTreeMap<CellKey, CellResults>;

/// Why findings cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum FindingsError {
    /// An evaluation log could not be read; the message names the file.
    #[error(transparent)]
    Log(#[from] eval::EvalError),
    /// Two models were asked different items, or their answers were scored differently: they must not be compared.
    #[error(
        "{first} and {second} were evaluated on different items of the suite `{suite}`, or by different scorers: \
         arms compare only within one scorer and one item set; remove `runs/evals` and run again"
    )]
    NotComparable {
        /// The suite.
        suite: String,
        /// One model.
        first: String,
        /// Another.
        second: String,
    },
}

/// Reads the log of every cell that has one. `folder` is the experiment's folder, to which the paths of the record
/// are relative.
///
/// # Errors
/// When a log that the record names is missing or damaged: the error names the file.
pub fn read_results(record: &RunRecord, folder: &Path) -> Result<Results, FindingsError> {
    let mut results = Results::new();
    for cell in record.cells.iter().filter(|cell| cell.failure.is_none()) {
        let mut found = CellResults::default();
        for (suite, log) in &cell.evals {
            let path = folder.join(&log.path);
            let header = eval::read_header(&path)?;
            let (version, key) = (header.suite_version, header.key);
            let scorer =
                format!("{} v{}, suite v{version} {}", key.scorer, key.scorer_version, key.suite.short());
            found.scorers.insert(suite.clone(), scorer);
            match suite.as_str() {
                "preferences" => found.preferences = eval::read_preferences(&path)?,
                "capability" => found.texts = eval::read_texts(&path)?,
                _ => {}
            }
        }
        results.insert(cell.into(), found);
    }
    Ok(results)
}
