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

#[cfg(test)]
mod tests {
    use eval::{About, write_log};
    use suite::{Suite, SuiteItems};

    use super::*;
    use crate::findings::find;
    use crate::findings::fixture::Fixture;

    /// Writes the logs of a made-up run where its record says.
    fn write(fixture: &Fixture, folder: &Path) {
        let results = fixture.results();
        for cell in fixture.record().cells {
            let found = &results[&CellKey::from(&cell)];
            for (name, log) in &cell.evals {
                let (items, results) = match name.as_str() {
                    "preferences" => (
                        SuiteItems::Preferences(
                            found.preferences.iter().map(|result| result.item.clone()).collect(),
                        ),
                        eval::Results::Preferences(found.preferences.clone()),
                    ),
                    _ => (
                        SuiteItems::Text(found.texts.iter().map(text).collect()),
                        eval::Results::Text(found.texts.clone()),
                    ),
                };
                let suite = Suite { name: name.clone(), version: 1, items };
                let about = About {
                    model: cell.arm.clone(),
                    model_id: log.hash,
                    labels: BTreeMap::new(),
                    created: "2026-01-01T00:00:00+00:00".to_owned(),
                };
                write_log(folder.join(&log.path), &about, &suite, &results).unwrap();
            }
        }
    }

    fn text(result: &TextResult) -> suite::TextItem {
        suite::TextItem { id: result.id.clone(), text: "a text".into(), stratum: result.stratum.clone() }
    }

    #[test]
    fn logs_give_the_findings_of_the_results_that_were_written() {
        let fixture = Fixture { seeds: vec![0, 1], ..Fixture::default() };
        let folder = tempfile::tempdir().unwrap();
        write(&fixture, folder.path());
        let record = fixture.record();
        let read = find(&record, &read_results(&record, folder.path()).unwrap()).unwrap();
        let written = fixture.findings();
        assert_eq!(read.answers, written.answers);
        assert_eq!(read.arms, written.arms);
        assert!(read.provenance.suites.iter().all(|suite| suite.scorer.contains("suite v1")));

        let log = folder.path().join(&record.cells[0].evals["capability"].path);
        std::fs::write(&log, "not a log").unwrap();
        let message = read_results(&record, folder.path()).unwrap_err().to_string();
        assert!(message.contains("capability.eval"), "{message}");
        std::fs::remove_file(&log).unwrap();
        let message = read_results(&record, folder.path()).unwrap_err().to_string();
        assert!(message.contains("capability.eval"), "{message}");
    }
}
