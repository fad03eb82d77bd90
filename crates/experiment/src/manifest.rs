//! What a finished stage says about itself: `manifest.json` in its folder, and how long it took, beside it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use store::Hash;
use train::{Plan, Recipe, StepMetrics};

use crate::error::Result;
use crate::graph::Stage;
use crate::paths::Paths;

/// Name of a stage's manifest.
pub const MANIFEST: &str = "manifest.json";
/// Name of a stage's metrics: one line of JSON per optimizer step.
pub const METRICS: &str = "metrics.jsonl";

/// How a stage was made. Holds nothing that differs between two runs of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its content address.
    pub id: Hash,
    /// The content address of the stage it continues; `None` if it starts from the base.
    pub parent: Option<Hash>,
    /// The hash of the base model.
    pub base: Hash,
    /// What it was trained on.
    pub corpora: Vec<CorpusPart>,
    /// How.
    pub recipe: Recipe,
    /// The seed of its data order.
    pub seed: u64,
    /// Version of the trainer.
    pub recipe_version: u32,
    /// The kind of CPU: bits are the same on one kind only.
    pub cpu: String,
    /// With what it was trained, if not with the native engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_with: Option<TrainedWith>,
    /// What was planned.
    pub plan: Plan,
    /// What happened.
    pub outcome: StageOutcome,
}

/// The torch engine, as it was when it trained a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedWith {
    /// `torch`.
    pub engine: String,
    /// Its version; part of the stage's id.
    pub engine_version: u32,
    /// In what it computed; part of the stage's id.
    pub dtype: String,
    /// Versions of packages, device, number of processes.
    #[serde(flatten)]
    pub about: torch::About,
}

/// A corpus of a stage, by content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusPart {
    /// The kind of its rows.
    pub kind: String,
    /// The hash of its bytes.
    pub hash: Hash,
    /// Its part of the stage's rows.
    pub share: f64,
}

/// What training came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StageOutcome {
    /// Optimizer steps.
    pub steps: u64,
    /// All tokens seen.
    pub tokens: u64,
    /// Tokens that carried loss.
    pub tokens_trained: u64,
    /// Mean loss of the last tenth of the steps, nats per token.
    pub final_loss: f64,
}

/// How long a stage took; `runs/timings/<id>.json`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Wall time of all its runs, interrupted ones included.
    pub seconds: f64,
    /// Optimizer steps of the last of them.
    pub steps: u64,
    /// Tokens seen a second in the last of them.
    pub tokens_per_second: f64,
    /// Threads it had.
    pub threads: usize,
}

impl Manifest {
    /// Of a stage that was trained.
    pub fn new(
        stage: &Stage,
        parent: Option<Hash>,
        base: Hash,
        plan: Plan,
        metrics: &[StepMetrics],
    ) -> Manifest {
        let corpora = stage
            .parts
            .iter()
            .map(|part| CorpusPart { kind: part.kind.to_owned(), hash: part.hash, share: part.share })
            .collect();
        Manifest {
            id: stage.id,
            parent,
            base,
            corpora,
            recipe: stage.recipe.clone(),
            seed: stage.seed,
            recipe_version: train::RECIPE_VERSION,
            cpu: kernels::simd::cpu_kind(),
            trained_with: None,
            plan,
            outcome: StageOutcome::of(metrics),
        }
    }

    /// Reads that of a finished stage; `None` if the stage is not there or not finished.
    ///
    /// # Errors
    /// When a finished stage has a damaged manifest.
    pub fn read(dir: &Path) -> Result<Option<Manifest>> {
        if store::read_done(dir)?.is_none() {
            return Ok(None);
        }
        Ok(Some(store::read_json(dir.join(MANIFEST))?))
    }
}

impl StageOutcome {
    fn of(metrics: &[StepMetrics]) -> StageOutcome {
        let last = &metrics[metrics.len() - metrics.len().div_ceil(10)..];
        StageOutcome {
            steps: metrics.len() as u64,
            tokens: metrics.iter().map(|step| step.tokens).sum(),
            tokens_trained: metrics.iter().map(|step| step.tokens_trained).sum(),
            final_loss: last.iter().map(|step| step.loss).sum::<f64>() / last.len().max(1) as f64,
        }
    }
}

impl Timing {
    /// Reads that of a stage, if it has one. A damaged one is as good as none.
    pub fn read(paths: &Paths, id: Hash) -> Option<Timing> {
        store::read_json(paths.timing(id)).ok()
    }
}

/// The bytes of [`METRICS`].
pub fn metrics_lines(metrics: &[StepMetrics]) -> String {
    let line = |step: &StepMetrics| serde_json::to_string(step).expect("metrics are plain data") + "\n";
    metrics.iter().map(line).collect()
}

/// (step, loss) of a finished stage, thinned to at most `points`, the last one included.
///
/// # Errors
/// When the file cannot be read.
pub fn read_losses(dir: &Path, points: usize) -> Result<Vec<(u64, f64)>> {
    let text = store::read_text(dir.join(METRICS))?;
    let steps: Vec<StepMetrics> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let every = steps.len().div_ceil(points.max(1)).max(1);
    let last = steps.len().saturating_sub(1);
    let kept = steps.iter().enumerate().filter(|(i, _)| (last - i).is_multiple_of(every));
    Ok(kept.map(|(_, step)| (step.step, step.loss)).collect())
}
