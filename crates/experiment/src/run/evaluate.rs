//! Evaluating one model on one suite, for all cells that end in it.

use std::collections::BTreeMap;

use eval::{About, Native};

use crate::error::Result;
use crate::paths::SHARED;
use crate::prepare::{Evaluation, Prepared};
use crate::run::Options;
use crate::run::stage::load_model;

/// Asks the model every item and writes the logs.
///
/// # Errors
/// When the model cannot be loaded or asked, or a log cannot be written.
pub fn evaluate(
    prepared: &Prepared,
    evaluation: &Evaluation,
    threads: usize,
    options: &Options,
) -> Result<()> {
    let folder = load_model(prepared, evaluation.stage)?;
    let suite = &prepared.suites[evaluation.suite];
    let results = eval::evaluate(&Native::new(&folder, None, threads), suite)?;
    for &index in &evaluation.cells {
        let cell = &prepared.graph.cells[index];
        let arm = &prepared.experiment.arms[cell.arm];
        let spec = cell.spec.as_deref().unwrap_or(SHARED);
        let labels = BTreeMap::from([
            ("experiment".to_owned(), prepared.experiment.name.clone()),
            ("arm".to_owned(), arm.name.clone()),
            ("spec".to_owned(), spec.to_owned()),
            ("seed".to_owned(), cell.seed.to_string()),
        ]);
        let about = About {
            model: format!("{}, {spec}, seed {}", arm.name, cell.seed),
            model_id: prepared.model_hash(evaluation.stage),
            labels,
            created: options.created.clone(),
        };
        let path = prepared.paths.resolve(&prepared.log_path(index, evaluation.suite));
        eval::write_log(path, &about, suite, &results)?;
    }
    Ok(())
}

/// For people, in messages.
pub fn label(prepared: &Prepared, evaluation: &Evaluation) -> String {
    let model = evaluation.stage.map_or("the base", |stage| &prepared.graph.stages[stage].label);
    format!("{} of {model}", prepared.suites[evaluation.suite].name)
}
