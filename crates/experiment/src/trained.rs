//! The models that a run left, found by arm, spec and seed.

use std::path::{Path, PathBuf};

use model::BaseName;
use store::Hash;
use train::Method;

use crate::error::{ExperimentError, Result};
use crate::paths::Paths;
use crate::record::{CellRecord, RunRecord};

/// The name of the folder with a LoRA stage's adapter, inside the stage's folder.
pub const ADAPTER: &str = "adapter";

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedModel {
    /// Its last stage, for people.
    pub label: String,
    /// The folder of that stage: a whole model.
    pub folder: PathBuf,
    /// The folder of its adapter, which lies on the base; `None` if all weights were trained.
    pub adapter: Option<PathBuf>,
    /// The base, as an adapter's folder names it. `None` for the one that ships.
    pub base: Option<BaseName>,
}

impl TrainedModel {
    /// The model of an arm in the last run. A spec or seed need not be given where there is one only.
    ///
    /// # Errors
    /// When there was no run, no such model, or its folder is gone or damaged.
    pub fn find(paths: &Paths, arm: &str, spec: Option<&str>, seed: Option<u64>) -> Result<TrainedModel> {
        let record = crate::assemble::read(paths)?
            .ok_or_else(|| ExperimentError::NoResults { folder: paths.dir().to_owned() })?;
        let cell = choose(&record, arm, spec, seed)?;
        let Some(last) = cell.stages.last() else {
            let message = format!("the arm `{arm}` is the base as it is: nothing was trained");
            return Err(not_there(message, "`whyfirst model import` takes the base itself"));
        };
        let stage = |id: &String| {
            record.stages.get(id).ok_or_else(|| {
                let message = format!("the record of the last run says nothing of the stage {id}");
                not_there(message, "run the experiment again")
            })
        };
        let id = |text: &str| {
            text.parse::<Hash>()
                .map_err(|error| not_there(format!("{text}: {error}"), "run the experiment again"))
        };
        let (of, folder) = (stage(last)?, paths.stage(id(last)?));
        if of.actual.is_none() || store::read_done(&folder)?.is_none() {
            let why = cell.failure.as_deref().map_or_else(String::new, |why| format!(" ({why})"));
            let message = format!("the model of `{arm}` is not in {}{why}", folder.display());
            return Err(not_there(message, "run the experiment again: what is missing is trained"));
        }
        store::verify_done(&folder)?;
        // An adapter lies on the base if it was carried through all stages.
        let carried = cell.stages.iter().map(|id| Ok(stage(id)?.recipe.method == of.recipe.method));
        let on_base = carried.collect::<Result<Vec<bool>>>()?.into_iter().all(|same| same);
        let adapter = (of.recipe.method != Method::Full && on_base).then(|| folder.join(ADAPTER));
        Ok(TrainedModel { label: of.label.clone(), folder, adapter, base: base(paths.dir(), &record) })
    }
}

/// The name of the base for an adapter's folder.
fn base(dir: &Path, record: &RunRecord) -> Option<BaseName> {
    let written = &record.base.source;
    if written == "lab" {
        return None;
    }
    match dir.join(written).canonicalize() {
        Ok(folder) => Some(BaseName::folder(&folder)),
        Err(_) => Some(BaseName::hub(written)),
    }
}

fn choose<'r>(
    record: &'r RunRecord,
    arm: &str,
    spec: Option<&str>,
    seed: Option<u64>,
) -> Result<&'r CellRecord> {
    let of_arm: Vec<&CellRecord> = record.cells.iter().filter(|cell| cell.arm == arm).collect();
    if of_arm.is_empty() {
        let names: Vec<String> = record.arms.iter().map(|arm| format!("`{}`", arm.name)).collect();
        return Err(not_there(
            format!("the last run has no arm `{arm}`"),
            &format!("its arms are {}", names.join(", ")),
        ));
    }
    let wanted = |cell: &&CellRecord| {
        // An arm that no spec is in has one model for all.
        let right_spec = spec.is_none_or(|spec| cell.spec.as_deref().is_none_or(|own| own == spec));
        right_spec && seed.is_none_or(|seed| cell.seed == seed)
    };
    let found: Vec<&CellRecord> = of_arm.iter().copied().filter(wanted).collect();
    match found[..] {
        [cell] => Ok(cell),
        _ => {
            let choice = |cell: &&CellRecord| match &cell.spec {
                Some(spec) => format!("--spec {spec} --seed {}", cell.seed),
                None => format!("--seed {}", cell.seed),
            };
            let all: Vec<String> = of_arm.iter().map(choice).collect();
            let what = if found.is_empty() { "none of its models is" } else { "several of its models are" };
            Err(not_there(
                format!("the arm `{arm}` has {} models, and {what} the one asked for", of_arm.len()),
                &format!("choose one by {}", all.join(", or ")),
            ))
        }
    }
}

fn not_there(message: String, help: &str) -> ExperimentError {
    ExperimentError::NoModel { message, help: help.to_owned() }
}
