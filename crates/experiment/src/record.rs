//! What a run leaves behind: plain data, written to `runs/record.json` when a run ends.
//!
//! The record is the only thing that findings and reports read besides the evaluation logs it points to. It
//! is a pure function of the experiment's inputs, except for [`Actual::seconds`], which is the one measured
//! time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::Hash;
use train::{Plan, Recipe};

/// Everything that a run did and where its results lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The experiment's name.
    pub name: String,
    /// What the model is called in corpora and suites.
    pub model_name: String,
    /// Hash of the validated experiment: file, specs, base.
    pub experiment_hash: Hash,
    /// The trainer, its recipe version and the kind of CPU, for example `native recipe v1, x86-64 avx512`.
    pub engine: String,
    /// The model every arm starts from.
    pub base: BaseRecord,
    /// The specs under comparison, in the order of the file.
    pub specs: Vec<SpecRecord>,
    /// The seeds, in the order of the file.
    pub seeds: Vec<u64>,
    /// The arms: first those of the file, in its order, then the controls that were added.
    pub arms: Vec<ArmRecord>,
    /// The suites that every cell was evaluated on.
    pub suites: Vec<String>,
    /// One entry per arm, spec (where the arm has one) and seed: arms outermost, seeds innermost.
    pub cells: Vec<CellRecord>,
    /// Every training stage of the graph, by id.
    pub stages: BTreeMap<String, StageRecord>,
    /// Every corpus that a stage trained on.
    pub corpora: Vec<CorpusRecord>,
    /// The analyses declared primary before the run; all others are exploratory.
    pub primary: Vec<String>,
    /// Where the run departed from the file or from the standard design, in sentences.
    pub deviations: Vec<String>,
    /// What a reader should know before trusting the numbers, in sentences.
    pub warnings: Vec<String>,
}

/// The base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaseRecord {
    /// As the file names it: `lab` or a folder.
    pub source: String,
    /// Hash over the folder's files.
    pub hash: Hash,
    /// The base's own `manifest.json`, where it has one (the lab base: seed, recipe, calibration matrix).
    pub manifest: Option<serde_json::Value>,
    /// Number of parameters.
    pub parameters: u64,
}

/// One Model Spec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpecRecord {
    /// Its name in the experiment file.
    pub name: String,
    /// The title of its Markdown.
    pub title: String,
    /// Its path relative to the experiment folder.
    pub path: String,
    /// The attribute its value is about (`price`), where it has a lab block.
    pub attribute: Option<String>,
    /// The pole it favours (`cheap`), where it has a lab block.
    pub pole: Option<String>,
    /// The attribute of the other spec: the value that could explain the same preferences.
    pub rival_attribute: Option<String>,
    /// The pole the other spec favours.
    pub rival_pole: Option<String>,
    /// An attribute that no spec is about.
    pub unrelated_attribute: Option<String>,
    /// Hash of the spec's text.
    pub hash: Hash,
}

/// One arm: a sequence of stages that is run for every seed, and for every spec if it mentions one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmRecord {
    /// Its name, unique in the experiment.
    pub name: String,
    /// Whether it was added as a control instead of being written in the file.
    pub control: bool,
    /// The part it plays in the analyses. At most one arm plays each part: of several arms with the same
    /// [`structure`](ArmRecord::structure) the first that overrides no recipe, else the first.
    pub role: Option<Role>,
    /// The pattern its stages follow, whatever their doses; several arms may share one (a dose curve).
    pub structure: Option<Role>,
    /// Its stages as written, in order; empty for the untouched base.
    pub stages: Vec<StageShape>,
    /// Whether it exists once per spec (its stages mention `{spec}`).
    pub per_spec: bool,
}

/// A stage as the experiment file writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StageShape {
    /// One corpus after another.
    One(StepShape),
    /// Several corpora mixed into one stage.
    Mixed(Vec<StepShape>),
}

/// One corpus of a stage, with what it overrides of the recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepShape {
    /// The corpus as written, `why:{spec}`.
    pub corpus: String,
    /// Optimizer steps, where the stage overrides them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Peak learning rate, where the stage overrides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
}

/// The part an arm plays in the analyses; found from the structure of its stages, never from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The base model as it is.
    Untouched,
    /// General instruction rows only.
    InstructionsOnly,
    /// The alignment fine-tuning chats only (AFT).
    WhatOnly,
    /// The documents that explain the value only.
    WhyOnly,
    /// Documents, then chats: values first.
    WhyThenWhat,
    /// Chats, then documents: values after.
    WhatThenWhy,
    /// Documents and chats in one stage.
    Mixed,
    /// Documents without the link between value and preferences, then chats.
    AblatedThenWhat,
    /// Documents that only state preferences, then chats.
    WhatDocumentsThenWhat,
    /// Documents about others, then chats.
    NeutralThenWhat,
    /// Chats, then documents about others.
    WhatThenNeutral,
    /// Documents about others and chats in one stage.
    NeutralMixed,
}

/// One trained model: an arm, for one spec, at one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellRecord {
    /// The arm.
    pub arm: String,
    /// The spec; `None` for an arm that mentions none and is shared by all.
    pub spec: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Ids of its stages, in order; empty for the untouched base.
    pub stages: Vec<String>,
    /// Its evaluation logs, by suite.
    pub evals: BTreeMap<String, EvalRef>,
    /// Why it has no result, if it has none.
    pub failure: Option<String>,
}

/// An evaluation log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalRef {
    /// Where it is, relative to the experiment folder, with `/` between its parts.
    pub path: String,
    /// Hash of what determines its results: the model, the suite, the scorer's version.
    pub hash: Hash,
}

/// One training stage: what was planned and what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Its content address (64 hexadecimal digits); its folder is `runs/stages/<first 16>/`.
    pub id: String,
    /// For people: corpora, spec and seed.
    pub label: String,
    /// The stage it continues; `None` if it starts from the base.
    pub parent: Option<String>,
    /// What it trains on.
    pub corpora: Vec<CorpusUse>,
    /// How it trains.
    pub recipe: Recipe,
    /// The seed of its data order.
    pub seed: u64,
    /// What was planned.
    pub plan: Plan,
    /// What happened; `None` if the stage did not finish.
    pub actual: Option<Actual>,
    /// (step, training loss), thinned to at most about 200 points.
    pub losses: Vec<(u64, f64)>,
}

/// A corpus as a part of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusUse {
    /// Its name in the experiment file (`why`).
    pub name: String,
    /// Its id, as in [`CorpusRecord::id`].
    pub id: String,
    /// Its share of the rows of the stage; the shares of a stage sum to 1.
    pub share: f64,
}

/// What training a stage came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Actual {
    /// Optimizer steps.
    pub steps: u64,
    /// All tokens seen.
    pub tokens: u64,
    /// Tokens that carried loss.
    pub tokens_trained: u64,
    /// Training loss (nats per token), mean of the last tenth of the steps.
    pub final_loss: f64,
    /// Wall time; the only figure here that is not reproducible.
    pub seconds: f64,
}

/// A corpus as it was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusRecord {
    /// The beginning of its content address (16 hexadecimal digits); its folder is `runs/corpora/<id>/`.
    pub id: String,
    /// Its name in the experiment file.
    pub name: String,
    /// The spec it was made from, if any.
    pub spec: Option<String>,
    /// The seed it was generated with; `None` for a user's file.
    pub seed: Option<u64>,
    /// `documents`, `chats` or `instructions`.
    pub kind: String,
    /// Number of rows.
    pub rows: u64,
    /// Number of tokens under the base's tokenizer.
    pub tokens: u64,
    /// Hash of its exported bytes.
    pub hash: Hash,
    /// The first few rows, as text.
    pub samples: Vec<String>,
}
