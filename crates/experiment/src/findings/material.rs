//! What a report shows beside the statistics: doses, calibration, losses, plans, samples, provenance.

use serde::{Deserialize, Serialize};

use super::types::{Level, Value};

/// Arms that are the same but for the length of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoseCurve {
    /// The corpora of the stage that varies, for example `why`.
    pub corpus: String,
    /// Which stage of its arms varies, counted from 1.
    pub stage: usize,
    /// The first of its arms.
    pub example: String,
    /// The spec; `None` if the arms are shared by all specs, or for steering, which is about two.
    pub spec: Option<String>,
    /// One line each.
    pub series: Vec<DoseSeries>,
}

/// One line of a dose curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoseSeries {
    /// What it shows.
    pub label: String,
    /// The value measured.
    pub value: Value,
    /// Whether it is a difference in percentage points (steering) instead of a rate between 0 and 1.
    pub difference: bool,
    /// Its points, by rising dose.
    pub points: Vec<DosePoint>,
}

/// One dose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DosePoint {
    /// The arm.
    pub arm: String,
    /// Optimizer steps of the stage that varies; 0 if the arm does not have it.
    pub steps: u64,
    /// Tokens that the stage trains on with loss.
    pub tokens: u64,
    /// Tokens of the stage's corpora, each counted once however often it is seen.
    pub distinct: u64,
    /// What was measured there.
    pub level: Level,
}

/// The response matrix of the base: fresh names, each introduced by prose that states one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The values stated, one per row.
    pub stated: Vec<String>,
    /// The values measured, one per column.
    pub measured: Vec<String>,
    /// Mean probability of the measured value.
    pub matrix: Vec<Vec<f64>>,
    /// The same for names about which nothing was stated.
    pub untouched: Vec<f64>,
    /// How many fresh names the means run over, if the manifest says.
    pub names: Option<u64>,
    /// Whether the base passes: stated values above .9 and all others within .1 of untouched.
    pub passes: bool,
    /// The same in words.
    pub words: String,
}

/// The training losses of one kind of stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossPanel {
    /// What the stage trains on and what came before it.
    pub title: String,
    /// One line per stage.
    pub lines: Vec<LossLine>,
}

/// The training loss of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossLine {
    /// First 16 digits of the stage's id.
    pub stage: String,
    /// The spec, if it has one.
    pub spec: Option<String>,
    /// The seed.
    pub seed: u64,
    /// (step, nats per token).
    pub points: Vec<(u64, f64)>,
}

/// One stage: plan and outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRow {
    /// First 16 digits of the stage's id.
    pub id: String,
    /// Corpora, spec and seed.
    pub label: String,
    /// The arms that use it.
    pub arms: Vec<String>,
    /// Optimizer steps planned.
    pub steps: u64,
    /// Tokens planned, with and without loss.
    pub tokens: u64,
    /// Tokens planned that carry loss.
    pub tokens_trained: u64,
    /// Tokens planned that carry none.
    pub tokens_masked: u64,
    /// Rows cut to the maximum length.
    pub truncated_rows: u64,
    /// What happened; `None` if it did not finish.
    pub actual: Option<StageOutcome>,
}

/// What training a stage came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageOutcome {
    /// Optimizer steps done.
    pub steps: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Tokens that carried loss.
    pub tokens_trained: u64,
    /// Training loss at the end (nats per token).
    pub final_loss: f64,
}

/// One corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusRow {
    /// Its name in the experiment file.
    pub name: String,
    /// The spec it was made from, if any.
    pub spec: Option<String>,
    /// The seeds it was generated with, where it was generated; one row stands for all of them.
    pub seeds: Vec<u64>,
    /// `documents`, `chats` or `instructions`.
    pub kind: String,
    /// Rows, in the first of its seeds.
    pub rows: u64,
    /// Tokens, in the first of its seeds.
    pub tokens: u64,
    /// Hashes of the exported bytes, one per seed.
    pub hashes: Vec<String>,
    /// A few rows of the first.
    pub samples: Vec<String>,
}

/// One item and what several models chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The item's id.
    pub item: String,
    /// Its domain.
    pub domain: String,
    /// The value in which the two options differ.
    pub value: Value,
    /// The question with the option that has the value first.
    pub question: String,
    /// The option that has the value.
    pub choice: String,
    /// The option that does not.
    pub other: String,
    /// The seed of all models shown.
    pub seed: u64,
    /// What each model chose.
    pub readings: Vec<Reading>,
}

/// One model on one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The arm.
    pub arm: String,
    /// The spec, if the arm has one.
    pub spec: Option<String>,
    /// Probability of the option with the value when it is listed first.
    pub first: f64,
    /// The same when it is listed second.
    pub second: f64,
}

/// Where the results came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Hash of the validated experiment.
    pub experiment: String,
    /// Trainer, recipe version, kind of CPU.
    pub engine: String,
    /// The base as the file names it.
    pub base: String,
    /// Hash over the base's files.
    pub base_hash: String,
    /// Its number of parameters.
    pub parameters: u64,
    /// What the model is called in corpora and suites.
    pub model_name: String,
    /// The suites.
    pub suites: Vec<SuiteUse>,
    /// Name, path and hash of each spec.
    pub specs: Vec<(String, String, String)>,
    /// Every log that the numbers rest on: path and hash of what determines it.
    pub logs: Vec<(String, String)>,
    /// The recipes that were used: what they trained, and their settings.
    pub recipes: Vec<RecipeUse>,
}

/// A suite that the models were evaluated on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteUse {
    /// Its name.
    pub name: String,
    /// Number of items.
    pub items: usize,
    /// Version of suite and scorer, hash of the items; empty where nothing was evaluated.
    pub scorer: String,
}

/// A recipe and the stages that used it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecipeUse {
    /// What it trained: names of corpora.
    pub corpora: Vec<String>,
    /// Setting and value.
    pub settings: Vec<(String, String)>,
}
