//! Training one stage: from its parent's folder to its own.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use model::{Adapter, Folder};
use store::StagedDir;
use train::{Finished, Job, Method, Observer, Trained};

use crate::card;
use crate::engine::Engine;
use crate::error::Result;
use crate::manifest::{MANIFEST, METRICS, Manifest, Timing, TrainedWith, metrics_lines};
use crate::prepare::{Prepared, parts};
use crate::progress::{Event, Progress};
use crate::run::{Options, torch_stage};
use crate::trained::ADAPTER;

/// Trains a stage, going on from its checkpoint; `false` if it was interrupted.
///
/// # Errors
/// Whatever stops training; what was written before stays valid.
pub fn train(prepared: &Prepared, index: usize, threads: usize, options: &Options) -> Result<bool> {
    let stage = &prepared.graph.stages[index];
    let experiment = prepared.experiment;
    let started = Instant::now();
    let (origin, continued) = foundation(prepared, index);
    let mut model = load_model(prepared, origin)?;
    let adapter = continued.map(|parent| continue_adapter(prepared, parent, &model)).transpose()?;
    let parts = parts(&prepared.library, stage)?;
    let work = prepared.paths.work(stage.id);
    let mut watch = Watch {
        progress: options.progress,
        interrupt: options.interrupt,
        begun: false,
        steps: 0,
        tokens_per_second: 0.0,
    };
    options.progress.event(Event::Started { label: &stage.label, steps: stage.recipe.steps });
    let (outcome, trained_with) = match stage.engine {
        Engine::Torch => {
            let given =
                torch_stage::Given { index, origin, model: &model, adapter: adapter.as_ref(), parts: &parts };
            torch_stage::train(prepared, &given, &work, &mut watch)?
        }
        Engine::Native => {
            // Weights that are all trained are given away, so that large ones are in memory once.
            let weights = match stage.recipe.method {
                Method::Full => Cow::Owned(model.weights.take()),
                Method::Lora(_) => Cow::Borrowed(&model.weights),
            };
            let job = Job {
                config: &model.config,
                weights,
                adapter: adapter.as_ref(),
                recipe: &stage.recipe,
                parts: &parts,
                seed: stage.seed,
                dir: &work,
                checkpoint_every: experiment.checkpoint_every,
                threads,
            };
            (train::train(job, &mut watch)?, None)
        }
    };
    let before = Timing::read(&prepared.paths, stage.id).map_or(0.0, |timing| timing.seconds);
    let timing = Timing {
        seconds: before + started.elapsed().as_secs_f64(),
        steps: watch.steps,
        tokens_per_second: watch.tokens_per_second,
        threads,
    };
    store::write_json(prepared.paths.timing(stage.id), &timing)?;
    let train::Outcome::Finished(finished) = outcome else { return Ok(false) };
    let manifest = save(prepared, index, model, *finished, trained_with)?;
    store::remove(&work)?;
    options.progress.event(Event::Finished {
        label: &stage.label,
        steps: manifest.outcome.steps,
        tokens: manifest.outcome.tokens,
        trained: manifest.outcome.tokens_trained,
        loss: manifest.outcome.final_loss,
        took: started.elapsed(),
    });
    Ok(true)
}

/// The model of a finished stage, or the base.
///
/// # Errors
/// When the folder is damaged; the error names the file.
pub fn load_model(prepared: &Prepared, stage: Option<usize>) -> Result<Folder> {
    let Some(index) = stage else { return Ok(prepared.experiment.base.folder.clone()) };
    let dir = prepared.paths.stage(prepared.graph.stages[index].id);
    store::verify_done(&dir)?;
    Ok(Folder::load(&dir)?)
}

/// Where training starts: the model below (a stage or the base) and the stage whose adapter is continued.
///
/// As published, one adapter is carried through all stages; only a stage with another method or shape starts
/// a new one, on top of its parent's merged weights.
fn foundation(prepared: &Prepared, index: usize) -> (Option<usize>, Option<usize>) {
    let stages = &prepared.graph.stages;
    let method = &stages[index].recipe.method;
    let continues =
        |child: usize| stages[child].parent.filter(|parent| stages[*parent].recipe.method == *method);
    let Some(parent) = continues(index).filter(|_| *method != Method::Full) else {
        return (stages[index].parent, None);
    };
    let mut first = parent;
    while let Some(earlier) = continues(first) {
        first = earlier;
    }
    (stages[first].parent, Some(parent))
}

/// The adapter of a finished stage, to be trained further on the weights that it was trained on.
///
/// # Errors
/// When the stage's folder is damaged, or its adapter belongs to other weights.
fn continue_adapter(prepared: &Prepared, parent: usize, model: &Folder) -> Result<Adapter> {
    let dir = prepared.paths.stage(prepared.graph.stages[parent].id);
    store::verify_done(&dir)?;
    Ok(Adapter::load_onto(&dir.join(ADAPTER), &model.config, &model.weights)?)
}

/// Writes the stage's folder: a whole model, with the adapter beside it if that is what was trained.
fn save(
    prepared: &Prepared,
    index: usize,
    mut model: Folder,
    finished: Finished,
    trained_with: Option<TrainedWith>,
) -> Result<Manifest> {
    let stage = &prepared.graph.stages[index];
    let staged = StagedDir::create(prepared.paths.stage(stage.id))?;
    let adapter = match finished.trained {
        Trained::Full(weights) => {
            model.weights = weights;
            None
        }
        Trained::Lora(trained) => Some(trained),
    };
    if let Some(trained) = &adapter {
        let (base, dir) = (prepared.experiment.base_source.on_the_hub(), staged.path().join(ADAPTER));
        trained.save(&model.config, base.as_ref(), Some(model.weights.hash()), &dir)?;
        model.save_tokenizer(&dir)?;
        trained.merge_into(&model.config, &mut model.weights)?;
    }
    model.save(staged.path())?;
    let parent = stage.parent.map(|parent| prepared.graph.stages[parent].id);
    let plan = prepared.stages[index].plan.clone();
    let mut manifest = Manifest::new(stage, parent, prepared.experiment.base.hash, plan, &finished.metrics);
    manifest.trained_with = trained_with;
    store::write_json(staged.path().join(MANIFEST), &manifest)?;
    card::write(prepared, index, &manifest, adapter.as_ref().map(|_| ADAPTER), staged.path())?;
    store::write_atomic(staged.path().join(METRICS), metrics_lines(&finished.metrics).as_bytes())?;
    staged.commit()?;
    Ok(manifest)
}

/// Passes a stage's steps on and asks whether to stop.
struct Watch<'a> {
    progress: &'a dyn Progress,
    interrupt: &'a AtomicBool,
    /// Whether a step was seen; what came before the first was done by an earlier run.
    begun: bool,
    steps: u64,
    tokens_per_second: f64,
}

impl Observer for Watch<'_> {
    fn step(&mut self, progress: &train::Progress) {
        let before = progress.metrics.step - 1;
        if !self.begun && before > 0 {
            self.progress.event(Event::Resumed { steps: before });
        }
        self.begun = true;
        self.steps += 1;
        self.tokens_per_second = progress.tokens_per_second;
        self.progress.event(Event::Step);
    }

    fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::SeqCst)
    }
}
