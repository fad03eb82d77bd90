//! Training one stage with the torch engine; what comes of it is saved as any other stage.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use model::{Adapter, Folder};
use torch::{Job, Start};
use train::{Finished, Observer, Outcome, Part};

use crate::base::BaseSource;
use crate::engine::Engine;
use crate::error::Result;
use crate::manifest::TrainedWith;
use crate::prepare::Prepared;

/// One stage at a time: each has all GPUs.
static TURN: Mutex<()> = Mutex::new(());

/// What a stage is trained from.
pub struct Given<'a> {
    /// The stage, as an index into the graph.
    pub index: usize,
    /// The stage whose weights it starts from; `None` for the base.
    pub origin: Option<usize>,
    /// Those weights.
    pub model: &'a Folder,
    /// The adapter that it carries on.
    pub adapter: Option<&'a Adapter>,
    /// Its corpora, tokenised.
    pub parts: &'a [Part],
}

/// Says what is missing before anything is begun: a run would otherwise find out stage by stage.
///
/// # Errors
/// When a stage that is left needs the torch engine and there is no Python environment for it.
pub fn check(prepared: &Prepared) -> Result<()> {
    let mut stages = prepared.graph.stages.iter().zip(&prepared.stages);
    if stages.any(|(stage, state)| stage.engine == Engine::Torch && state.manifest.is_none()) {
        torch::find(&torch::default_dir()?)?;
    }
    Ok(())
}

/// Trains a stage, going on from its checkpoint; also says with what.
///
/// # Errors
/// When there is no Python environment, or training stops; its checkpoints stay.
pub fn train(
    prepared: &Prepared,
    given: &Given,
    work: &Path,
    watch: &mut dyn Observer,
) -> Result<(Outcome, Option<TrainedWith>)> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if watch.interrupted() {
        return Ok((Outcome::Interrupted { step: 0 }, None));
    }
    let experiment = prepared.experiment;
    let stage = &prepared.graph.stages[given.index];
    let folder = given.origin.map(|origin| {
        let id = prepared.graph.stages[origin].id;
        (prepared.paths.stage(id), id)
    });
    // Weights that lie in a folder are read there, by every process for itself; the shipped base is written beside the job.
    let start = match (&folder, &experiment.base_source) {
        (Some((path, id)), _) => Start::Folder(path, *id),
        (None, BaseSource::Folder { path, .. } | BaseSource::Hub { path, .. }) => {
            Start::Folder(path, experiment.base.hash)
        }
        (None, BaseSource::Lab) => Start::Weights(&given.model.weights),
    };
    let settings = torch::TorchSettings {
        checkpoint_every: experiment.checkpoint_every,
        ..experiment.engines.torch.clone()
    };
    let job = torch::prepare(&Job {
        config: &given.model.config,
        start,
        adapter: given.adapter,
        recipe: &stage.recipe,
        parts: given.parts,
        seed: stage.seed,
        dir: work,
        settings: &settings,
    })?;
    let python = torch::find(&torch::default_dir()?)?;
    let finished = match torch::run(&job, &python, watch)? {
        torch::Outcome::Interrupted { step } => return Ok((Outcome::Interrupted { step }, None)),
        torch::Outcome::Finished(finished) => finished,
    };
    let trained_with = TrainedWith {
        engine: Engine::Torch.name().to_owned(),
        engine_version: torch::ENGINE_VERSION,
        dtype: settings.dtype.name().to_owned(),
        about: finished.about.clone(),
    };
    let finished = Finished { trained: finished.trained()?, metrics: finished.metrics };
    Ok((Outcome::Finished(Box::new(finished)), Some(trained_with)))
}
