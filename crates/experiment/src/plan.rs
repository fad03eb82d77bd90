//! The plan of a run as data: what `plan` and `status` show.

use serde::Serialize;

use crate::engine::Engine;
use crate::manifest::Timing;
use crate::notes;
use crate::prepare::Prepared;

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunPlan {
    /// The experiment's name.
    pub name: String,
    /// Arms of the file and added controls.
    pub arms: Vec<PlannedArm>,
    /// Every corpus that a stage uses.
    pub corpora: Vec<PlannedCorpus>,
    /// Every distinct stage, parents before children.
    pub stages: Vec<PlannedStage>,
    /// Models to evaluate, times suites.
    pub evals: usize,
    /// Of those, done.
    pub evals_done: usize,
    /// Sums over all stages.
    pub total: Totals,
    /// Sums over the stages that are not done.
    pub left: Totals,
    /// How long training what is left would take.
    pub estimate: Estimate,
    /// What trains, and what it takes.
    pub engine: PlannedEngine,
    /// What to know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// An arm in a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedArm {
    /// Its name.
    pub name: String,
    /// Whether it was added as a control.
    pub control: bool,
    /// Its stages, as the file writes them.
    pub stages: String,
    /// How many models it stands for: seeds, times specs if it has them.
    pub models: usize,
}

/// A corpus in a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedCorpus {
    /// `why:homeland`.
    pub name: String,
    /// The seed it is generated with.
    pub seed: Option<u64>,
    /// `documents`, `chats` or `instructions`.
    pub kind: &'static str,
    /// Documents or chats.
    pub rows: u64,
    /// Tokens.
    pub tokens: u64,
}

/// A stage in a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedStage {
    /// Its content address.
    pub id: String,
    /// The corpora from the base to here, and the seed.
    pub label: String,
    /// The stage it continues.
    pub parent: Option<String>,
    /// Optimizer steps.
    pub steps: u64,
    /// Rows read, repeats counted.
    pub rows: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Tokens that carry loss.
    pub tokens_trained: u64,
    /// Tokens that carry none.
    pub tokens_masked: u64,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// How many models of the experiment pass through it.
    pub models: usize,
    /// Whether it is done.
    pub done: bool,
}

/// Sums over stages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// How many stages.
    pub stages: usize,
    /// Optimizer steps.
    pub steps: u64,
    /// Tokens seen.
    pub tokens: u64,
}

/// A time that nobody has measured yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Seconds.
    pub seconds: f64,
    /// Threads it is for.
    pub threads: usize,
    /// Tokens a second and thread that it is based on.
    pub tokens_per_second_and_thread: f64,
    /// Where that figure comes from.
    pub basis: &'static str,
}

/// The engine of what is left, for its largest stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedEngine {
    /// `native` or `torch`.
    pub name: &'static str,
    /// Parameters of the model.
    pub parameters: u64,
    /// Parameters that are trained.
    pub trainable_parameters: u64,
    /// Processes of the torch engine.
    pub processes: Option<usize>,
    /// Stages that the native engine trains side by side, at most.
    pub side_by_side: Option<usize>,
    /// Bytes at the peak, by estimate: of the largest process of the torch engine; of the whole run with the native one.
    pub peak_memory: u64,
    /// What to do differently, if another engine suits these stages better.
    pub advice: Option<String>,
}

/// Floating-point operations a second and thread of the native engine in training: measured once on two Zen
/// 4 cores at 0.8M parameters (`xtask bench train` measures it anew).
const STORED_FLOPS: f64 = 6.0e10;

impl RunPlan {
    /// Of a prepared experiment, on so many threads.
    pub fn new(prepared: &Prepared, threads: usize) -> RunPlan {
        let experiment = prepared.experiment;
        let mut models = vec![0; prepared.stages.len()];
        let mut cells = vec![0; experiment.arms.len()];
        for cell in &prepared.graph.cells {
            cells[cell.arm] += 1;
            cell.stages.iter().for_each(|stage| models[*stage] += 1);
        }
        let stages: Vec<PlannedStage> =
            (0..models.len()).map(|i| planned_stage(prepared, i, models[i])).collect();
        let sum = |wanted: &dyn Fn(&PlannedStage) -> bool| {
            stages.iter().filter(|stage| wanted(stage)).fold(Totals::default(), |sum, stage| Totals {
                stages: sum.stages + 1,
                steps: sum.steps + stage.steps,
                tokens: sum.tokens + stage.tokens,
            })
        };
        let (total, left) = (sum(&|_| true), sum(&|stage| !stage.done));
        RunPlan {
            name: experiment.name.clone(),
            arms: experiment
                .arms
                .iter()
                .zip(cells)
                .map(|(arm, models)| PlannedArm {
                    name: arm.name.clone(),
                    control: arm.control,
                    stages: arm.written(),
                    models,
                })
                .collect(),
            corpora: prepared
                .corpora
                .iter()
                .map(|(key, summary)| PlannedCorpus {
                    name: key.written(),
                    seed: key.seed,
                    kind: crate::corpora::kind_name(experiment.corpora.all[&key.name].kind),
                    rows: summary.rows,
                    tokens: summary.tokens,
                })
                .collect(),
            estimate: estimate(prepared, left.tokens, threads),
            engine: engine(prepared, threads),
            stages,
            evals: prepared.evals.len(),
            evals_done: prepared.evals.iter().filter(|eval| eval.done).count(),
            total,
            left,
            warnings: notes::warnings(prepared),
        }
    }
}

fn planned_stage(prepared: &Prepared, index: usize, models: usize) -> PlannedStage {
    let (stage, state) = (&prepared.graph.stages[index], &prepared.stages[index]);
    PlannedStage {
        id: stage.id.to_string(),
        label: stage.label.clone(),
        parent: stage.parent.map(|parent| prepared.graph.stages[parent].id.to_string()),
        steps: state.plan.steps,
        rows: state.plan.parts.iter().map(|part| part.rows).sum(),
        tokens: state.plan.tokens,
        tokens_trained: state.plan.tokens_trained,
        tokens_masked: state.plan.tokens_masked,
        learning_rate: stage.recipe.learning_rate,
        models,
        done: state.manifest.is_some(),
    }
}

/// What trains the stage with most tokens.
fn engine(prepared: &Prepared, threads: usize) -> PlannedEngine {
    let experiment = prepared.experiment;
    let config = &experiment.base.folder.config;
    let largest =
        prepared.graph.stages.iter().zip(&prepared.stages).max_by_key(|(_, state)| state.plan.tokens);
    let used = largest.map_or(experiment.engines.usual, |(stage, _)| stage.engine);
    let advice = largest.map(|(stage, state)| torch::advise(config, &stage.recipe.method, &state.plan));
    let torch = largest
        .filter(|_| used == Engine::Torch)
        .map(|(stage, _)| torch::estimate(config, &stage.recipe, &experiment.engines.torch).total());
    let native = (used == Engine::Native).then(|| native_memory(prepared, threads));
    PlannedEngine {
        name: used.name(),
        parameters: experiment.base.parameters(),
        trainable_parameters: largest.map_or(0, |(_, state)| state.plan.trainable_parameters),
        processes: torch.map(|_| experiment.engines.torch.processes()),
        side_by_side: native.map(|(stages, _)| stages),
        peak_memory: torch.or(native.map(|(_, bytes)| bytes)).unwrap_or_default(),
        advice: advice
            .filter(|advice| advice.torch && used == Engine::Native)
            .map(|advice| format!("{}: consider `engine = \"torch\"` at the top of the file", advice.why)),
    }
}

/// What a run takes besides buffers of training: the program, the texts of its corpora, evaluations.
const BESIDES: u64 = 40 << 20;

/// Stages that are trained side by side, at most, and the bytes of a run at its peak: small stages get a thread each.
fn native_memory(prepared: &Prepared, threads: usize) -> (usize, u64) {
    let config = &prepared.experiment.base.folder.config;
    let native = || prepared.graph.stages.iter().filter(|stage| stage.engine == Engine::Native);
    let side_by_side = threads.max(1).min(native().count().max(1));
    let of = |stages: usize| {
        let each = (threads / stages).max(1);
        let largest = native().map(|stage| train::memory(config, &stage.recipe, each).total()).max();
        stages as u64 * largest.unwrap_or_default()
    };
    // The base itself stays in memory.
    let bytes = of(side_by_side).max(of(1)) + 4 * prepared.experiment.base.parameters() + BESIDES;
    (side_by_side, bytes)
}

/// Stages whose time an estimate looks up: enough for a mean, few enough that a plan of thousands is quick.
const TIMINGS: usize = 32;

/// From the stages that this machine has trained in this folder, else from a stored figure.
fn estimate(prepared: &Prepared, tokens: u64, threads: usize) -> Estimate {
    let done =
        prepared.graph.stages.iter().zip(&prepared.stages).filter(|(_, state)| state.manifest.is_some());
    let timings = done.rev().filter_map(|(stage, _)| Timing::read(&prepared.paths, stage.id)).take(TIMINGS);
    let measured: Vec<f64> = timings
        .filter(|timing| timing.tokens_per_second > 0.0)
        .map(|timing| timing.tokens_per_second / timing.threads.max(1) as f64)
        .collect();
    let parameters = prepared.experiment.base.parameters();
    let (per_thread, basis) = match measured.len() {
        0 => (STORED_FLOPS / (6.0 * parameters as f64), "a stored figure of another machine"),
        n => (measured.iter().sum::<f64>() / n as f64, "the stages trained here so far"),
    };
    Estimate {
        seconds: tokens as f64 / (per_thread * threads as f64),
        threads,
        tokens_per_second_and_thread: per_thread,
        basis,
    }
}
