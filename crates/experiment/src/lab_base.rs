//! Making a base model of the lab from nothing: its language, its facts, its people and what they choose.
//!
//! The shipped `assets/lab-base` is what [`pretrain`] writes with [`Pretraining::default`].

use crate::calibrate::{self, Calibration, calibrate, example};
use crate::error::{ExperimentError, Result};
use lab::{Mix, World};
use model::{Architecture, ChatTemplate, Config, Folder, Tokenizer, Weights};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use store::{RunLock, StagedDir};
use train::{Job, Observer, Outcome, Part, RECIPE_VERSION, Recipe, Trained};

/// The file in which a base says how it was made.
const MANIFEST: &str = "manifest.json";

/// What is pretrained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pretraining {
    /// Decides items' attributes, names and people's values. The shipped specs fit world 0.
    pub world_seed: u64,
    /// Decides the text, its order and the first weights.
    pub seed: u64,
    /// Rows of text.
    pub rows: u64,
    /// Shares of the kinds of rows, and whether choices follow from values.
    pub mix: Mix,
    /// How it is trained.
    pub recipe: Recipe,
    /// Steps of the calibration's training; 0 leaves the calibration out.
    #[serde(default = "usual_calibration", skip_serializing_if = "is_usual_calibration")]
    pub calibration_steps: u64,
}

fn usual_calibration() -> u64 {
    calibrate::recipe().steps
}

fn is_usual_calibration(steps: &u64) -> bool {
    *steps == usual_calibration()
}

impl Default for Pretraining {
    fn default() -> Pretraining {
        Pretraining {
            world_seed: 0,
            seed: 1,
            rows: 750_000,
            mix: Mix::default(),
            recipe: Recipe {
                steps: 7_000,
                rows: 16,
                max_length: 128,
                learning_rate: 2e-3,
                warmup: 0.03,
                min_lr_ratio: 0.05,
                ..Recipe::default()
            },
            calibration_steps: usual_calibration(),
        }
    }
}

/// How a base came to be: its `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always `lab base`.
    pub kind: String,
    /// What was pretrained.
    #[serde(flatten)]
    pub pretraining: Pretraining,
    /// Version of the engine's recipe.
    pub recipe_version: u32,
    /// The kind of CPU: on another kind the last bits of the weights may differ.
    pub cpu: String,
    /// Parameters.
    pub parameters: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Mean loss over the last hundred steps, nats per trained token.
    pub final_loss: f64,
    /// What stated values do to choices; `None` if that was left out.
    pub calibration: Option<Calibration>,
}

/// Sizes of the lab's models: under a million parameters besides the words.
fn config(vocab_size: usize) -> Config {
    Config {
        architecture: Architecture::Llama,
        vocab_size,
        hidden_size: 128,
        ffn_size: 320,
        layers: 4,
        heads: 4,
        kv_heads: 2,
        head_dim: 32,
        max_positions: 256,
        rope_theta: 10_000.0,
        rope_scaling: None,
        norm_eps: 1e-5,
        tied: true,
        qkv_bias: false,
        qk_norm: false,
    }
}

/// An untrained model that speaks the world's words.
///
/// # Errors
/// Only if the world's own tokenizer files are broken.
pub fn untrained(world: &World, seed: u64) -> Result<Folder> {
    let name = Path::new("tokenizer.json");
    let tokenizer_config = serde_json::from_str(&world.tokenizer_config_json()).unwrap_or_default();
    let tokenizer = Tokenizer::new(world.tokenizer_json(), tokenizer_config, name)?;
    let template = ChatTemplate::new(World::chat_template().to_string(), &tokenizer)?;
    let config = config(tokenizer.vocab_size());
    Ok(Folder::new(config.clone(), Weights::random(&config, seed), tokenizer, Some(template)))
}

/// How pretraining ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Pretrained {
    /// The folder is written.
    Done(Box<Manifest>),
    /// It was there already, made in the same way.
    AlreadyThere(Box<Manifest>),
    /// Stopped after so many steps; the next call goes on.
    Interrupted(u64),
}

/// Pretrains a base into `out`, going on from a checkpoint in the folder beside it (`<out>.partial`) if there is one.
/// That folder is all that a stopped or killed pretraining leaves, and goes when the base is there.
///
/// `stage` is told what begins: the rows being written, training, calibration.
///
/// # Errors
/// When `out` holds something else, another process makes it, or training or writing fails.
pub fn pretrain(
    pretraining: &Pretraining,
    out: &Path,
    threads: usize,
    observer: &mut dyn Observer,
    stage: &dyn Fn(&str),
) -> Result<Pretrained> {
    let partial = partial(out);
    if let Some(manifest) = present(out, pretraining)?.filter(|_| !partial.is_dir()) {
        return Ok(Pretrained::AlreadyThere(Box::new(manifest)));
    }
    let _lock = RunLock::acquire(&partial)?;
    store::remove_leftovers(&partial)?;
    // Its maker was killed just before it had cleaned up, or came first.
    if let Some(manifest) = present(out, pretraining)? {
        store::remove(&partial)?;
        return Ok(Pretrained::AlreadyThere(Box::new(manifest)));
    }
    let world = World::new(pretraining.world_seed);
    let mut base = untrained(&world, pretraining.seed)?;
    stage(&format!("writing {} rows of the world's text", pretraining.rows));
    let examples = (0..pretraining.rows)
        .map(|index| example(&base, world.pretraining(&pretraining.mix, pretraining.seed, index)))
        .collect::<Result<Vec<_>>>()?;
    let parts = [Part { name: "pretraining".into(), examples, share: 1.0 }];
    let plan = train::plan(&pretraining.recipe, &parts, &base.config, pretraining.seed)?;
    stage(&format!(
        "training {} parameters on {} tokens in {} steps",
        plan.trainable_parameters, plan.tokens, plan.steps
    ));
    let job = Job {
        config: &base.config,
        weights: Cow::Owned(base.weights.take()),
        adapter: None,
        recipe: &pretraining.recipe,
        parts: &parts,
        seed: pretraining.seed,
        dir: &partial,
        checkpoint_every: CHECKPOINT_EVERY.min(plan.steps.div_ceil(10)),
        threads,
    };
    let finished = match train::train(job, observer)? {
        Outcome::Interrupted { step } => return Ok(Pretrained::Interrupted(step)),
        Outcome::Finished(finished) => finished,
    };
    let Trained::Full(weights) = finished.trained else {
        unreachable!("the recipe of a base trains all weights")
    };
    let model = Folder { weights, ..base };
    let mut calibration = None;
    if pretraining.calibration_steps > 0 {
        stage("calibrating on fresh names");
        let recipe = Recipe { steps: pretraining.calibration_steps, ..calibrate::recipe() };
        let mut quiet = Quiet(observer);
        calibration = calibrate(&model, &world, CALIBRATION_SEED, &recipe, threads, &mut quiet)?;
        if calibration.is_none() || quiet.interrupted() {
            return Ok(Pretrained::Interrupted(plan.steps));
        }
    }
    let last = &finished.metrics[finished.metrics.len().saturating_sub(100)..];
    let manifest = Manifest {
        kind: "lab base".into(),
        pretraining: pretraining.clone(),
        recipe_version: RECIPE_VERSION,
        cpu: kernels::simd::cpu_kind(),
        parameters: model.weights.flat.len() as u64,
        tokens: plan.tokens,
        final_loss: last.iter().map(|m| m.loss).sum::<f64>() / last.len().max(1) as f64,
        calibration,
    };
    let staged = StagedDir::create_in(&partial, out)?;
    model.save(staged.path())?;
    store::write_json(staged.path().join(MANIFEST), &manifest)?;
    staged.commit()?;
    store::remove(&partial)?;
    Ok(Pretrained::Done(Box::new(manifest)))
}

/// The seed of the calibration in a base's manifest.
pub const CALIBRATION_SEED: u64 = 950;

/// The most steps between checkpoints; a short pretraining has ten.
const CHECKPOINT_EVERY: u64 = 500;

/// Passes on whether to stop, but no steps: those of the calibration are not the pretraining's.
struct Quiet<'a>(&'a mut dyn Observer);

impl Observer for Quiet<'_> {
    fn step(&mut self, _: &train::Progress) {}

    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
}

/// Where the checkpoint of an unfinished base lies, and its folder until it is whole.
fn partial(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    out.with_file_name(name)
}

/// The manifest of the wanted base in `out`; `None` if nothing is there. Anything else is left alone.
fn present(out: &Path, wanted: &Pretraining) -> Result<Option<Manifest>> {
    if !out.exists() {
        return Ok(None);
    }
    let occupied = || ExperimentError::Occupied { folder: out.to_owned() };
    store::read_done(out)?.ok_or_else(occupied)?;
    let manifest: Manifest = store::read_json(out.join(MANIFEST)).map_err(|_| occupied())?;
    let same = manifest.pretraining == *wanted && manifest.recipe_version == RECIPE_VERSION;
    if same { Ok(Some(manifest)) } else { Err(occupied()) }
}
