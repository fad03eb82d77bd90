//! What an experiment found, as plain data: the questions with their answers, and the numbers under them.
//!
//! A report shows these and computes no statistic of its own.

use serde::{Deserialize, Serialize};
use stats::Interval;

use super::material::{Calibration, CorpusRow, DoseCurve, LossPanel, Provenance, StageRow, Transcript};
use crate::record::Role;

/// Everything that a report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// The experiment's name.
    pub name: String,
    /// What the experiment asks, in one sentence.
    pub question: String,
    /// What the experiment can and cannot be evidence of, in one sentence.
    pub scope: String,
    /// The seeds, in the order of the file.
    pub seeds: Vec<u64>,
    /// The specs under comparison.
    pub specs: Vec<SpecSummary>,
    /// Every value that was measured: those of the specs first, then the unrelated ones.
    pub values: Vec<Value>,
    /// One answer per analysis, the primary ones first.
    pub answers: Vec<Answer>,
    /// How many exploratory comparisons the Holm adjustment runs over.
    pub exploratory: usize,
    /// The arms with their values over seeds: one row per arm, or per arm and spec.
    pub arms: Vec<ArmRow>,
    /// The rates in every single trained model, with intervals over items.
    pub cells: Vec<CellRow>,
    /// The rates over seeds in each held-out domain.
    pub domains: Vec<DomainRow>,
    /// Steering within each held-out domain.
    pub domain_effects: Vec<DomainEffect>,
    /// First, after, mixed: with the explaining documents and with the neutral ones.
    pub order: Vec<OrderRow>,
    /// Arms that differ only in how long one stage is.
    pub dose: Vec<DoseCurve>,
    /// How the base responds to stated values, where it was calibrated.
    pub calibration: Option<Calibration>,
    /// Every trained model that has no result, and why.
    pub failures: Vec<Failure>,
    /// Training loss, one panel per kind of stage.
    pub losses: Vec<LossPanel>,
    /// Every stage: what was planned and what happened.
    pub stages: Vec<StageRow>,
    /// Every corpus, with a few of its rows.
    pub corpora: Vec<CorpusRow>,
    /// A few items with what the models chose.
    pub transcripts: Vec<Transcript>,
    /// Where all of it came from.
    pub provenance: Provenance,
    /// How the numbers were computed, in sentences.
    pub methods: Vec<String>,
    /// Where the run departed from the file or from the standard design.
    pub deviations: Vec<String>,
    /// What a reader should know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// A value that an assistant can have: one pole of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Value {
    /// For example `price`.
    pub attribute: String,
    /// For example `cheap`.
    pub pole: String,
}

/// What a value is to a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The value that the spec states.
    Target,
    /// The value that could explain the same fine-tuning, stated by the other spec.
    Rival,
    /// A value that no spec is about.
    Unrelated,
}

/// A spec and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecSummary {
    /// Its name in the experiment file.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The value that it states.
    pub target: Option<Value>,
    /// The value of the other spec.
    pub rival: Option<Value>,
}

impl SpecSummary {
    /// What `value` is to this spec; `None` if the spec states no value of its own.
    pub fn standing(&self, value: &Value) -> Option<Standing> {
        self.target.as_ref().map(|target| {
            if value == target {
                Standing::Target
            } else if Some(value) == self.rival.as_ref() {
                Standing::Rival
            } else {
                Standing::Unrelated
            }
        })
    }
}

/// A quantity over seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Mean over seeds.
    pub mean: f64,
    /// 95% t-interval over seeds, within the quantity's range; `None` with fewer than two independent models, or if
    /// they are all equal.
    pub interval: Option<Interval>,
    /// The quantity in each seed that has it.
    pub by_seed: Vec<(u64, f64)>,
}

/// The five analyses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Analysis {
    /// Same fine-tuning, different reasons read first: does each value win where its reasons were read?
    Steering,
    /// Does fine-tuning add more after the reasons than without them?
    Stacking,
    /// Does explaining the preferences by the value beat stating both?
    Explaining,
    /// Does it matter whether the reasons come first, after, or mixed in?
    Order,
    /// What did it cost in perplexity?
    Cost,
}

impl Analysis {
    /// All of them, in the order of a report.
    pub const ALL: [Analysis; 5] =
        [Analysis::Steering, Analysis::Stacking, Analysis::Explaining, Analysis::Order, Analysis::Cost];

    /// Its name, as the key `primary` of an experiment file lists it.
    pub fn name(self) -> &'static str {
        match self {
            Analysis::Steering => "steering",
            Analysis::Stacking => "stacking",
            Analysis::Explaining => "explaining",
            Analysis::Order => "order",
            Analysis::Cost => "cost",
        }
    }
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Which analysis it is.
    pub analysis: Analysis,
    /// Whether it was declared primary before the run; otherwise it is exploratory.
    pub primary: bool,
    /// The question, in words.
    pub question: String,
    /// What is compared, in words.
    pub comparison: String,
    /// The answer in one sentence.
    pub headline: String,
    /// The numbers it rests on.
    pub estimates: Vec<Estimate>,
    /// What to keep in mind when reading it.
    pub notes: Vec<String>,
}

/// What an estimate is an estimate of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Rate of the spec's own value, in percentage points.
    Target,
    /// Rate of the rival value, in percentage points.
    Rival,
    /// Rate of the own value minus rate of the rival value, in percentage points.
    Selectivity,
    /// Perplexity on held-out text, in percent of the arm compared with.
    Perplexity,
}

/// How an estimate turned out. Decided by the interval alone, and by the adjusted p for exploratory ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval excludes zero on the side that was asked about (and, if exploratory, adjusted p < .05).
    Shown,
    /// As `Shown`, on the other side.
    Opposite,
    /// Exploratory: the interval excludes zero on the side that was asked about, but not after adjustment.
    Suggested,
    /// As `Suggested`, on the other side.
    OppositeSuggested,
    /// The interval includes zero.
    NotShown,
    /// There is an estimate but no interval.
    NoInterval,
    /// There is no estimate.
    Missing,
}

/// One comparison between arms, paired by seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Short and unique within its answer; begins with the spec and ` · ` where an answer has several per spec.
    pub label: String,
    /// The spec it is about.
    pub spec: String,
    /// What is measured.
    pub measure: Measure,
    /// The arms compared, as a formula in words.
    pub arms: String,
    /// Mean over seeds and t-interval, in percentage points or percent; `None` if it could not be computed.
    pub effect: Option<Level>,
    /// The same comparison in mean probability instead of rate, in percentage points.
    pub probability: Option<Level>,
    /// 95% cluster bootstrap interval over seeds and items, the items of a domain being one cluster.
    pub over_items: Option<Interval>,
    /// Two-sided p of the paired t-test over seeds.
    pub p: Option<f64>,
    /// The same, Holm-adjusted over all exploratory comparisons; `None` if primary.
    pub p_adjusted: Option<f64>,
    /// Number of items in the comparison.
    pub items: usize,
    /// What was compared: the parts of the formula, each over seeds.
    pub parts: Vec<Part>,
    /// How it turned out.
    pub verdict: Verdict,
    /// The same in one sentence.
    pub words: String,
    /// Which models were missing, and why.
    pub missing: Vec<String>,
}

/// A part of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub label: String,
    /// Its level, in percent or percentage points.
    pub level: Level,
}

/// One arm, for one spec if it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmRow {
    /// Its name.
    pub arm: String,
    /// Whether it is a control.
    pub control: bool,
    /// Its part in the analyses.
    pub role: Option<Role>,
    /// Its stages, in words.
    pub stages: String,
    /// The spec; `None` if it is shared by all.
    pub spec: Option<String>,
    /// Every value on held-out pairs, in the order of [`Findings::values`].
    pub values: Vec<ValueLevel>,
    /// Rate of the fine-tuned choice on pairs of the training domains.
    pub in_domain: Option<Level>,
    /// Perplexity on held-out text.
    pub perplexity: Option<Level>,
    /// The seeds without a result.
    pub failed: Vec<u64>,
}

/// A value in an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueLevel {
    /// The value.
    pub value: Value,
    /// Rate by argmax, between 0 and 1; the two option orders form one item.
    pub rate: Level,
    /// Mean probability, between 0 and 1.
    pub probability: Level,
    /// Number of items.
    pub items: usize,
}

/// One value in one trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellRow {
    /// The arm.
    pub arm: String,
    /// The spec, if the arm has one.
    pub spec: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The value; `None` for the check on the training domains.
    pub value: Option<Value>,
    /// Number of items.
    pub items: usize,
    /// Rate, between 0 and 1.
    pub rate: f64,
    /// 95% Wilson interval of the rate over items.
    pub interval: Option<Interval>,
    /// Mean probability.
    pub probability: f64,
    /// Perplexity of the model on held-out text.
    pub perplexity: Option<f64>,
}

/// One value of one arm in one held-out domain, over seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainRow {
    /// The arm.
    pub arm: String,
    /// The spec, if the arm has one.
    pub spec: Option<String>,
    /// The value.
    pub value: Value,
    /// The domain.
    pub domain: String,
    /// Number of items.
    pub items: usize,
    /// Rate, between 0 and 1.
    pub rate: Level,
    /// Mean probability, between 0 and 1.
    pub probability: Level,
}

/// Steering towards one value in one held-out domain: a description without a test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainEffect {
    /// The spec that states the value.
    pub spec: String,
    /// The value.
    pub value: Value,
    /// The domain.
    pub domain: String,
    /// Number of items.
    pub items: usize,
    /// Rate after the value's own reasons minus rate after the rival's, in percentage points.
    pub effect: Level,
}

/// Where the documents stood relative to the chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Documents, then chats.
    First,
    /// Chats, then documents.
    After,
    /// Both in one stage.
    Mixed,
}

/// One placement of one kind of documents, for one spec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderRow {
    /// The spec whose target and rival are measured.
    pub spec: String,
    /// Where the documents stood.
    pub placement: Placement,
    /// Whether they were the neutral ones.
    pub neutral: bool,
    /// The arm.
    pub arm: String,
    /// Rate of the spec's value, between 0 and 1.
    pub target: Option<Level>,
    /// Rate of the rival value, between 0 and 1.
    pub rival: Option<Level>,
    /// Target minus rival, between -1 and 1.
    pub selectivity: Option<Level>,
}

/// A trained model without a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The arm.
    pub arm: String,
    /// The spec, if the arm has one.
    pub spec: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Why.
    pub reason: String,
}
