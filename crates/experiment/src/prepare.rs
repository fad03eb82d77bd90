//! What stands between an experiment and its run: corpora are made or found, the graph is built, stages are
//! planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use store::Hash;
use train::{Part, Plan};

use crate::error::{ExperimentError, Result};
use crate::graph::{self, CorpusKey, Graph, Inputs, Stage};
use crate::library::{Library, Summary};
use crate::manifest::Manifest;
use crate::paths::Paths;
use crate::suites;
use crate::validate::Experiment;

/// An experiment with its graph.
pub struct Prepared<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Where things lie.
    pub paths: Paths,
    /// Its corpora.
    pub library: Library<'a>,
    /// What is known about each corpus.
    pub corpora: BTreeMap<CorpusKey, Summary>,
    /// Its graph.
    pub graph: Graph,
    /// For each stage of the graph, its plan, and whether it is done.
    pub stages: Vec<StageState>,
    /// The suites.
    pub suites: Vec<suite::Suite>,
    /// The evaluations: one per distinct model and suite.
    pub evals: Vec<Evaluation>,
}

/// A stage's plan and, if it is done, what it came to.
pub struct StageState {
    /// What it does.
    pub plan: Plan,
    /// What a finished one says about itself.
    pub manifest: Option<Manifest>,
}

/// One model on one suite, with the logs it is written to.
pub struct Evaluation {
    /// The model: a stage, as an index into the graph, or the base.
    pub stage: Option<usize>,
    /// The suite, as an index.
    pub suite: usize,
    /// The cells that end in this model, as indices into the graph.
    pub cells: Vec<usize>,
    /// Whether all logs are there.
    pub done: bool,
}

/// The inputs of the graph.
pub fn inputs(experiment: &Experiment) -> Inputs<'_> {
    Inputs {
        arms: &experiment.arms,
        specs: experiment.specs.iter().map(|spec| spec.name.clone()).collect(),
        seeds: &experiment.seeds,
        corpora: &experiment.corpora,
        recipes: &experiment.recipes,
        dtype: experiment.engines.torch.dtype,
    }
}

/// Makes what is missing in memory, plans every stage, and finds out what is done. Writes nothing.
///
/// # Errors
/// A corpus that cannot be read, a stage that cannot be trained as planned, a damaged result.
pub fn prepare(experiment: &Experiment) -> Result<Prepared<'_>> {
    let paths = experiment.paths();
    let library = Library::new(experiment, &paths);
    let inputs = inputs(experiment);
    let corpora = graph::needed(&inputs)
        .into_iter()
        .map(|key| {
            let summary = library.find_or_make(&key)?;
            Ok((key, summary))
        })
        .collect::<Result<BTreeMap<CorpusKey, Summary>>>()?;
    let hashes = corpora.iter().map(|(key, summary)| (key.clone(), summary.hash)).collect();
    let graph = graph::build(&inputs, experiment.base.hash, &hashes);
    let stages = graph
        .stages
        .iter()
        .zip(manifests(&paths, &graph)?)
        .map(|(stage, manifest)| {
            let plan = match &manifest {
                Some(manifest) => manifest.plan.clone(),
                None => plan(experiment, &library, stage)?,
            };
            Ok(StageState { plan, manifest })
        })
        .collect::<Result<Vec<StageState>>>()?;
    let suites = suites::build(experiment);
    let evals = evaluations(experiment, &paths, &graph, &suites);
    Ok(Prepared { experiment, paths, library, corpora, graph, stages, suites, evals })
}

/// What the finished stages say about themselves. On all cores, as the logs below: of thousands of small files
/// each is quickly read, but not all one after the other.
fn manifests(paths: &Paths, graph: &Graph) -> Result<Vec<Option<Manifest>>> {
    let read: Vec<_> = graph.stages.par_iter().map(|stage| Manifest::read(&paths.stage(stage.id))).collect();
    read.into_iter().collect()
}

/// What a stage will do.
fn plan(experiment: &Experiment, library: &Library, stage: &Stage) -> Result<Plan> {
    let parts = parts(library, stage)?;
    train::plan(&stage.recipe, &parts, &experiment.base.folder.config, stage.seed)
        .map_err(|source| ExperimentError::Stage { stage: stage.label.clone(), source })
}

/// The tokenised corpora of a stage. They are named by kind; see [`graph::PartUse::kind`].
pub fn parts(library: &Library, stage: &Stage) -> Result<Vec<Part>> {
    stage
        .parts
        .iter()
        .map(|part| {
            let examples = Arc::unwrap_or_clone(library.examples(&part.key)?);
            Ok(Part { name: part.kind.to_owned(), examples, share: part.share })
        })
        .collect()
}

impl Prepared<'_> {
    /// Writes the corpora that are not on the disk yet.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_corpora(&self) -> Result<()> {
        self.corpora.keys().try_for_each(|key| self.library.write(key))?;
        self.library.save_index()?;
        self.library.forget();
        Ok(())
    }

    /// Looks again at what is done: another process may have been at work before this one got the lock.
    ///
    /// # Errors
    /// A damaged result.
    pub fn refresh(&mut self) -> Result<()> {
        for (state, manifest) in self.stages.iter_mut().zip(manifests(&self.paths, &self.graph)?) {
            state.manifest = manifest;
        }
        self.evals = evaluations(self.experiment, &self.paths, &self.graph, &self.suites);
        Ok(())
    }

    /// The hash of the model that a stage, or the base, is.
    pub fn model_hash(&self, stage: Option<usize>) -> Hash {
        stage.map_or(self.experiment.base.hash, |index| self.graph.stages[index].id)
    }

    /// The path of a cell's log, relative to the experiment folder.
    pub fn log_path(&self, cell: usize, suite: usize) -> String {
        log_path(self.experiment, &self.paths, &self.graph, cell, &self.suites[suite].name)
    }

    /// Optimizer steps of stages that are not done.
    pub fn steps_left(&self) -> u64 {
        self.stages.iter().filter(|stage| stage.manifest.is_none()).map(|stage| stage.plan.steps).sum()
    }
}

fn log_path(experiment: &Experiment, paths: &Paths, graph: &Graph, cell: usize, suite: &str) -> String {
    let cell = &graph.cells[cell];
    paths.eval(cell.spec.as_deref(), &experiment.arms[cell.arm].folder, cell.seed, suite)
}

fn evaluations(
    experiment: &Experiment,
    paths: &Paths,
    graph: &Graph,
    suites: &[suite::Suite],
) -> Vec<Evaluation> {
    let mut by_model: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, cell) in graph.cells.iter().enumerate() {
        by_model.entry(cell.stages.last().copied()).or_default().push(index);
    }
    by_model
        .into_par_iter()
        .flat_map_iter(|(stage, cells)| {
            let model = stage.map_or(experiment.base.hash, |index| graph.stages[index].id);
            suites.iter().enumerate().map(move |(index, suite)| {
                let key = eval::Key::new(model, suite);
                let done = cells.iter().all(|cell| {
                    let path = paths.resolve(&log_path(experiment, paths, graph, *cell, &suite.name));
                    // A log that cannot be read is made again.
                    path.is_file() && eval::read_header(&path).is_ok_and(|header| header.key == key)
                });
                Evaluation { stage, suite: index, cells: cells.clone(), done }
            })
        })
        .collect()
}
