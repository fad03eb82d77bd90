//! The record of a run, put together from the graph and from what lies on the disk.

use std::collections::BTreeMap;

use store::{Hash, IdBuilder};

use crate::error::{ExperimentError, Result};
use crate::graph::{CorpusKey, Stage};
use crate::manifest::{Manifest, Timing, read_losses};
use crate::notes;
use crate::paths::Paths;
use crate::prepare::{Prepared, StageState};
use crate::record::{
    Actual, ArmRecord, BaseRecord, CellRecord, CorpusRecord, CorpusUse, EvalRef, RunRecord, SpecRecord,
    StageRecord,
};
use crate::run::Failures;
use crate::validate::Experiment;

/// The most points of a loss curve in a record.
const LOSS_POINTS: usize = 200;
/// Rows of a corpus that are shown.
const SAMPLES: usize = 3;

/// Puts the record together.
///
/// # Errors
/// When something on the disk cannot be read.
pub fn record(prepared: &Prepared, failures: &Failures) -> Result<RunRecord> {
    let experiment = prepared.experiment;
    let stages = prepared
        .graph
        .stages
        .iter()
        .zip(&prepared.stages)
        .map(|(stage, state)| Ok((stage.id.to_string(), stage_record(prepared, stage, state)?)))
        .collect::<Result<BTreeMap<_, _>>>()?;
    let corpora = prepared
        .corpora
        .keys()
        .map(|key| corpus_record(prepared, key))
        .collect::<Result<Vec<CorpusRecord>>>()?;
    Ok(RunRecord {
        name: experiment.name.clone(),
        model_name: experiment.model_name.clone(),
        experiment_hash: hash(experiment),
        engine: format!("native recipe v{}, {}", train::RECIPE_VERSION, kernels::simd::cpu_kind()),
        base: BaseRecord {
            source: experiment.base_source.written().to_owned(),
            hash: experiment.base.hash,
            manifest: experiment.base.manifest.clone(),
            parameters: experiment.base.parameters(),
        },
        specs: (0..experiment.specs.len()).map(|index| spec_record(experiment, index)).collect(),
        seeds: experiment.seeds.clone(),
        arms: experiment
            .arms
            .iter()
            .map(|arm| ArmRecord {
                name: arm.name.clone(),
                control: arm.control,
                role: arm.role,
                structure: arm.structure,
                stages: arm.shapes(),
                per_spec: arm.per_spec(),
            })
            .collect(),
        suites: experiment.evals.suites.clone(),
        cells: (0..prepared.graph.cells.len()).map(|index| cell_record(prepared, index, failures)).collect(),
        stages,
        corpora,
        primary: experiment.primary.clone(),
        deviations: notes::deviations(prepared),
        warnings: notes::warnings(prepared),
    })
}

/// Writes the record unless the same one is there already.
///
/// # Errors
/// When it cannot be written.
pub fn write(paths: &Paths, record: &RunRecord) -> Result<()> {
    store::update_json(paths.record(), record)?;
    Ok(())
}

/// Reads the record of the last run that ended; `None` if there is none that this version can read.
///
/// # Errors
/// When the file is there but cannot be read from the disk.
pub fn read(paths: &Paths) -> Result<Option<RunRecord>> {
    match store::read_json(paths.record()) {
        Ok(record) => Ok(Some(record)),
        Err(store::StoreError::Json { .. }) => Ok(None),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(ExperimentError::Store(error)),
    }
}

/// The hash of everything that the user wrote: the file, the specs, the base.
fn hash(experiment: &Experiment) -> Hash {
    let mut id =
        IdBuilder::new("experiment").text("file", &experiment.text).hash("base", experiment.base.hash);
    for spec in &experiment.specs {
        id = id.text("spec", &spec.spec.text);
    }
    id.finish()
}

fn spec_record(experiment: &Experiment, index: usize) -> SpecRecord {
    let entry = &experiment.specs[index];
    let value = |index: usize| Some(experiment.specs[index].lab.as_ref()?.value);
    let own = value(index);
    // With two specs each is the other's rival; among more, or alone, none is.
    let rival = if experiment.specs.len() == 2 { value(1 - index) } else { None };
    let rival = rival.filter(|rival| Some(rival.attribute()) != own.map(lab::Pole::attribute));
    let named: Vec<lab::Attribute> =
        (0..experiment.specs.len()).filter_map(value).map(lab::Pole::attribute).collect();
    let unrelated =
        own.and_then(|_| lab::Attribute::ALL.into_iter().find(|attribute| !named.contains(attribute)));
    SpecRecord {
        name: entry.name.clone(),
        title: entry.spec.title.clone(),
        path: entry.path.clone(),
        attribute: own.map(|pole| pole.attribute().word().to_owned()),
        pole: own.map(|pole| pole.word().to_owned()),
        rival_attribute: rival.map(|pole| pole.attribute().word().to_owned()),
        rival_pole: rival.map(|pole| pole.word().to_owned()),
        unrelated_attribute: unrelated.map(|attribute| attribute.word().to_owned()),
        hash: store::hash_bytes(entry.spec.text.as_bytes()),
    }
}

fn stage_record(prepared: &Prepared, stage: &Stage, state: &StageState) -> Result<StageRecord> {
    let dir = prepared.paths.stage(stage.id);
    // The state is of before the run; what was trained since is on the disk.
    let manifest = match &state.manifest {
        Some(manifest) => Some(manifest.clone()),
        None => Manifest::read(&dir)?,
    };
    let seconds = Timing::read(&prepared.paths, stage.id).map_or(0.0, |timing| timing.seconds);
    let losses = if manifest.is_some() { read_losses(&dir, LOSS_POINTS)? } else { Vec::new() };
    let mut plan = state.plan.clone();
    for (part, own) in plan.parts.iter_mut().zip(&stage.parts) {
        part.name = own.key.written();
    }
    Ok(StageRecord {
        id: stage.id.to_string(),
        label: stage.label.clone(),
        parent: stage.parent.map(|parent| prepared.graph.stages[parent].id.to_string()),
        corpora: stage
            .parts
            .iter()
            .map(|part| CorpusUse {
                name: part.key.name.clone(),
                id: prepared.corpora[&part.key].folder.clone(),
                share: part.share,
            })
            .collect(),
        recipe: stage.recipe.clone(),
        seed: stage.seed,
        plan,
        actual: manifest.map(|Manifest { outcome, .. }| Actual {
            steps: outcome.steps,
            tokens: outcome.tokens,
            tokens_trained: outcome.tokens_trained,
            final_loss: outcome.final_loss,
            seconds,
        }),
        losses,
    })
}

fn cell_record(prepared: &Prepared, index: usize, failures: &Failures) -> CellRecord {
    let cell = &prepared.graph.cells[index];
    let mut failure = cell.stages.iter().find_map(|stage| {
        let reason = failures.stages.get(stage)?;
        Some(format!("{}: {reason}", prepared.graph.stages[*stage].label))
    });
    let mut evals = BTreeMap::new();
    let model = cell.stages.last().copied();
    for (number, evaluation) in prepared.evals.iter().enumerate().filter(|(_, eval)| eval.stage == model) {
        let suite = &prepared.suites[evaluation.suite];
        if let Some(reason) = failures.evals.get(&number) {
            failure.get_or_insert_with(|| format!("{}: {reason}", suite.name));
            continue;
        }
        let key = eval::Key::new(prepared.model_hash(model), suite);
        let hash = IdBuilder::new("evaluation")
            .hash("model", key.model)
            .hash("suite", key.suite)
            .text("scorer", &key.scorer)
            .number("scorer version", key.scorer_version.into())
            .finish();
        evals.insert(suite.name.clone(), EvalRef { path: prepared.log_path(index, evaluation.suite), hash });
    }
    CellRecord {
        arm: prepared.experiment.arms[cell.arm].name.clone(),
        spec: cell.spec.clone(),
        seed: cell.seed,
        stages: cell.stages.iter().map(|stage| prepared.graph.stages[*stage].id.to_string()).collect(),
        evals,
        failure,
    }
}

fn corpus_record(prepared: &Prepared, key: &CorpusKey) -> Result<CorpusRecord> {
    let summary = &prepared.corpora[key];
    Ok(CorpusRecord {
        id: summary.folder.clone(),
        name: key.name.clone(),
        spec: key.spec.clone(),
        seed: key.seed,
        kind: crate::corpora::kind_name(prepared.experiment.corpora.all[&key.name].kind).to_owned(),
        rows: summary.rows,
        tokens: summary.tokens,
        hash: summary.hash,
        samples: prepared.library.samples(key, SAMPLES)?,
    })
}
