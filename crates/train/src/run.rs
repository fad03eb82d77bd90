//! The training loop: steps, checkpoints, interruption.

use crate::guard::Guard;
use crate::schedule::PackedRow;
use crate::step::State;
use crate::{Method, Part, RECIPE_VERSION, Recipe, Schedule, StepMetrics, TrainError, checkpoint};
use model::{Adapter, Config, Folder, Weights};
use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;
use store::{Hash, IdBuilder};

/// One stage to be trained.
pub struct Job<'a> {
    /// Sizes of the model.
    pub config: &'a Config,
    /// The weights to start from. Given away, they become the trained ones without a second copy in memory.
    pub weights: Cow<'a, Weights>,
    /// An adapter trained by an earlier stage, to be continued (LoRA only).
    pub adapter: Option<&'a Adapter>,
    /// How.
    pub recipe: &'a Recipe,
    /// On what.
    pub parts: &'a [Part],
    /// Decides the order of rows and a fresh adapter's start.
    pub seed: u64,
    /// Where checkpoints go: `<dir>/checkpoint`. An empty path keeps none, for what is not worth one.
    pub dir: &'a Path,
    /// Steps between checkpoints, the last step included, so that nothing is trained twice if saving the result fails;
    /// 0 writes one only when interrupted.
    pub checkpoint_every: u64,
    /// Most threads to use; the result does not depend on it.
    pub threads: usize,
}

/// What training gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Trained {
    /// New weights.
    Full(Weights),
    /// An adapter over the base's weights.
    Lora(Adapter),
}

/// A finished stage.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The result.
    pub trained: Trained,
    /// Every step's metrics, those before a resume included.
    pub metrics: Vec<StepMetrics>,
}

/// How training ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All steps are done.
    Finished(Box<Finished>),
    /// Stopped on request after `step` steps, with a checkpoint if the job keeps any.
    Interrupted {
        /// Steps done.
        step: u64,
    },
}

/// What an observer is told after each step.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The step's metrics.
    pub metrics: StepMetrics,
    /// Steps in all.
    pub steps: u64,
    /// Tokens seen per second since this process started on the stage.
    pub tokens_per_second: f64,
}

/// Watches a stage, and may stop it.
pub trait Observer {
    /// Called after each step.
    fn step(&mut self, progress: &Progress);
    /// Asked after each step: stop now, with a checkpoint?
    fn interrupted(&self) -> bool {
        false
    }
}

/// An observer that does not look.
pub struct Silent;
impl Observer for Silent {
    fn step(&mut self, _: &Progress) {}
}

/// Trains a stage, going on from its checkpoint if there is one. The checkpoint folder is the caller's to remove once
/// the result is safe.
pub fn train(job: Job, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
    let Job { config, recipe, .. } = job;
    crate::plan(recipe, job.parts, config, job.seed)?;
    let schedule = Schedule::new(recipe, job.parts, job.seed)?;
    let adapter = match (&recipe.method, job.adapter) {
        (Method::Full, None) => None,
        (Method::Full, Some(_)) => {
            return Err(TrainError::Recipe("the parent stage trained an adapter, so this stage cannot train all weights; use one method in all stages".into()));
        }
        (Method::Lora(shape), Some(parent)) if parent.shape == *shape => Some(parent.clone()),
        (Method::Lora(_), Some(_)) => {
            return Err(TrainError::Recipe("the parent stage's adapter has another rank, alpha or targets; use one LoRA shape in all stages".into()));
        }
        (Method::Lora(shape), None) => Some(Adapter::new(config, shape.clone(), job.seed)),
    };
    let identity = identity(&job, &schedule);
    let mut state = State::new(config, job.weights, adapter, recipe);
    let dir = (!job.dir.as_os_str().is_empty()).then(|| job.dir.join("checkpoint"));
    let mut metrics = match &dir {
        Some(dir) => checkpoint::load(dir, identity, &mut state)?,
        None => Vec::new(),
    };
    let mut guard = Guard::default();
    for m in &metrics {
        guard.watch(m.step, m.loss, m.grad_norm, m.learning_rate)?;
    }
    let (started, mut tokens) = (Instant::now(), 0);
    for step in metrics.len() as u64..recipe.steps {
        let m = state.step(config, recipe, job.parts, schedule.step(step), step, job.threads);
        guard.watch(m.step, m.loss, m.grad_norm, m.learning_rate)?;
        metrics.push(m);
        tokens += m.tokens;
        let seconds = started.elapsed().as_secs_f64().max(1e-9);
        observer.step(&Progress {
            metrics: m,
            steps: recipe.steps,
            tokens_per_second: tokens as f64 / seconds,
        });
        let done = step + 1;
        let stop = done < recipe.steps && observer.interrupted();
        let due = job.checkpoint_every > 0 && done.is_multiple_of(job.checkpoint_every);
        if let Some(dir) = dir.as_ref().filter(|_| stop || due) {
            checkpoint::save(dir, identity, &state, &metrics)?;
        }
        if stop {
            return Ok(Outcome::Interrupted { step: done });
        }
    }
    let trained = match state.adapter {
        Some(adapter) => Trained::Lora(adapter),
        None => Trained::Full(state.weights.into_owned()),
    };
    Ok(Outcome::Finished(Box::new(Finished { trained, metrics })))
}

/// Trains on given batches, one list of rows a step, instead of a schedule's: for comparing the engine with another one
/// step by step. All weights are trained, or `adapter` if there is one.
pub fn train_fixed(
    base: &Folder,
    adapter: Option<Adapter>,
    recipe: &Recipe,
    steps: &[Vec<model::Example>],
) -> Result<Finished, TrainError> {
    recipe.check()?;
    let mut state = State::new(&base.config, Cow::Borrowed(&base.weights), adapter, recipe);
    let mut metrics = Vec::new();
    for (step, batch) in steps.iter().enumerate() {
        let part = [Part { name: "batch".into(), examples: batch.clone(), share: 1.0 }];
        let rows: Vec<PackedRow> =
            (0..batch.len() as u32).map(|i| PackedRow { part: 0, examples: vec![i] }).collect();
        metrics.push(state.step(&base.config, recipe, &part, &rows, step as u64, 1));
    }
    let trained = match state.adapter {
        Some(adapter) => Trained::Lora(adapter),
        None => Trained::Full(state.weights.into_owned()),
    };
    Ok(Finished { trained, metrics })
}

/// Everything that decides the result, hashed: a checkpoint carries it and refuses to serve another job.
fn identity(job: &Job, schedule: &Schedule) -> Hash {
    let floats = |x: &[f32]| {
        // In pieces: a second copy of a large model's weights would be the peak of a stage's memory.
        let pieces = x
            .chunks(1 << 16)
            .map(|piece| store::hash_bytes(&piece.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()));
        let mut id = IdBuilder::new("floats");
        for piece in pieces {
            id = id.hash("piece", piece);
        }
        id.finish()
    };
    let mut id = IdBuilder::new("training job")
        .number("recipe version", RECIPE_VERSION as u64)
        .text("recipe", &serde_json::to_string(job.recipe).unwrap_or_default())
        .number("seed", job.seed)
        .hash("weights", floats(&job.weights.flat));
    if let Some(adapter) = job.adapter {
        id = id.hash("adapter", floats(&adapter.flat));
    }
    let mut data = Vec::new();
    for row in &schedule.packed {
        data.extend((row.part as u32).to_le_bytes());
        for index in &row.examples {
            let example = &job.parts[row.part].examples[*index as usize];
            data.extend(example.tokens.iter().flat_map(|t| t.to_le_bytes()));
            data.extend(example.loss.iter().map(|l| *l as u8));
        }
    }
    id.hash("rows", store::hash_bytes(&data)).finish()
}
