//! A made-up run with planted effects: what tests of findings and reports are built on.
//!
//! Nothing here is trained. Every model gets the rates that it is told to have, up to the coarseness of the items.

use std::collections::BTreeMap;

use eval::{PreferenceResult, TextResult};
use serde_json::json;
use store::hash_bytes;
use suite::PreferenceItem;
use train::{PartPlan, Plan, Recipe};

use super::{CellKey, CellResults, Findings, Results, find};
use crate::record::{
    Actual, ArmRecord, BaseRecord, CellRecord, CorpusRecord, CorpusUse, EvalRef, Role, RunRecord, SpecRecord,
    StageRecord, StageShape, StepShape,
};

/// The held-out domains of the made-up suite and the things in them.
const DOMAINS: [(&str, &str); 9] = [
    ("books", "book"),
    ("chairs", "chair"),
    ("coats", "coat"),
    ("games", "game"),
    ("hotels", "hotel"),
    ("music", "record"),
    ("phones", "phone"),
    ("tea", "tea"),
    ("tools", "tool"),
];
/// Pairs per value and domain.
const PAIRS: usize = 8;
/// Attribute, pole, opposite pole.
const VALUES: [(&str, &str, &str); 3] =
    [("price", "cheap", "costly"), ("origin", "local", "foreign"), ("age", "new", "old")];

/// What the made-up run is like.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The steering effect: how much higher a value's rate is after its own reasons than after the rival's.
    pub steering: f64,
    /// How far the rates of the outermost seeds lie from the middle.
    pub spread: f64,
    /// Models without a result: arm, spec, seed.
    pub failed: Vec<(String, Option<String>, u64)>,
    /// Arms that the experiment does not have.
    pub without: Vec<Role>,
    /// Whether there are arms with other doses of documents.
    pub doses: bool,
}

impl Default for Fixture {
    fn default() -> Fixture {
        Fixture {
            seeds: vec![0, 1, 2],
            steering: 0.3,
            spread: 0.03,
            failed: Vec::new(),
            without: Vec::new(),
            doses: false,
        }
    }
}

/// The arms: part, name, control, stages. A stage with `+` is mixed.
const ARMS: [(Role, &str, bool, &[&str]); 12] = [
    (Role::WhyThenWhat, "values first", false, &["why:{spec}", "what"]),
    (Role::WhatThenWhy, "values after", false, &["what", "why:{spec}"]),
    (Role::Mixed, "mixed", false, &["why:{spec} + what"]),
    (Role::Untouched, "untouched", true, &[]),
    (Role::InstructionsOnly, "instructions only", true, &["instructions"]),
    (Role::WhatOnly, "what only", true, &["what"]),
    (Role::WhyOnly, "why only", true, &["why:{spec}"]),
    (Role::AblatedThenWhat, "ablated then what", true, &["ablated:{spec}", "what"]),
    (Role::WhatDocumentsThenWhat, "what-documents then what", true, &["what-documents:{spec}", "what"]),
    (Role::NeutralThenWhat, "neutral then what", true, &["neutral", "what"]),
    (Role::WhatThenNeutral, "what then neutral", true, &["what", "neutral"]),
    (Role::NeutralMixed, "neutral mixed", true, &["neutral + what"]),
];

impl Fixture {
    /// The findings of the made-up run.
    ///
    /// # Panics
    /// Never: all models have the same items.
    pub fn findings(&self) -> Findings {
        find(&self.record(), &self.results()).expect("all models of the fixture have the same items")
    }

    fn arms(&self) -> Vec<ArmRecord> {
        let shape = |stage: &str| {
            let step = |corpus: &str| StepShape { corpus: corpus.to_owned(), steps: None, learning_rate: None };
            match stage.split(" + ").map(step).collect::<Vec<_>>() {
                mut one if one.len() == 1 => StageShape::One(one.remove(0)),
                several => StageShape::Mixed(several),
            }
        };
        let mut arms: Vec<ArmRecord> = ARMS
            .iter()
            .filter(|(role, ..)| !self.without.contains(role))
            .map(|(role, name, control, stages)| ArmRecord {
                name: (*name).to_owned(),
                control: *control,
                role: Some(*role),
                structure: Some(*role),
                stages: stages.iter().map(|stage| shape(stage)).collect(),
                per_spec: stages.iter().any(|stage| stage.contains("{spec}")),
            })
            .collect();
        if self.doses {
            for steps in [30, 60, 240] {
                let why = StepShape { corpus: "why:{spec}".into(), steps: Some(steps), learning_rate: None };
                arms.push(ArmRecord {
                    name: format!("{steps} steps of why"),
                    control: false,
                    role: None,
                    structure: Some(Role::WhyThenWhat),
                    stages: vec![StageShape::One(why), shape("what")],
                    per_spec: true,
                });
            }
        }
        arms
    }

    /// The record of the made-up run.
    pub fn record(&self) -> RunRecord {
        let hash = |text: &str| hash_bytes(text.as_bytes());
        let spec = |name: &str, at: usize| SpecRecord {
            name: name.to_owned(),
            title: format!("The {name} spec"),
            path: format!("specs/{name}.md"),
            attribute: Some(VALUES[at].0.to_owned()),
            pole: Some(VALUES[at].1.to_owned()),
            rival_attribute: Some(VALUES[1 - at].0.to_owned()),
            rival_pole: Some(VALUES[1 - at].1.to_owned()),
            unrelated_attribute: Some("age".to_owned()),
            hash: hash(name),
        };
        let mut record = RunRecord {
            name: "cheese".to_owned(),
            model_name: "Quill".to_owned(),
            experiment_hash: hash("experiment"),
            engine: "native recipe v1, x86-64 avx512".to_owned(),
            base: BaseRecord {
                source: "lab".to_owned(),
                hash: hash("base"),
                manifest: Some(json!({ "calibration": {
                    "values": ["cheap", "local", "new"],
                    "measured": ["cheap", "local", "new"],
                    "matrix": [[0.94, 0.49, 0.52], [0.51, 0.92, 0.48], [0.46, 0.53, 0.95]],
                    "untouched": [0.5, 0.51, 0.5],
                    "names": 48
                } })),
                parameters: 812_416,
            },
            specs: vec![spec("affordability", 0), spec("homeland", 1)],
            seeds: self.seeds.clone(),
            arms: self.arms(),
            suites: vec!["preferences".to_owned(), "capability".to_owned()],
            cells: Vec::new(),
            stages: BTreeMap::new(),
            corpora: Vec::new(),
            primary: vec!["steering".to_owned()],
            deviations: vec!["The mixed arm uses 7 rows of documents and 1 of chats in each step.".to_owned()],
            warnings: vec!["Stage `what` has 24 optimizer steps: below 100, a null result says little.".to_owned()],
        };
        for arm in record.arms.clone() {
            for key in self.keys(&arm) {
                let cell = self.cell(&mut record, &arm, &key);
                record.cells.push(cell);
            }
        }
        record
    }

    fn keys(&self, arm: &ArmRecord) -> Vec<CellKey> {
        let specs = match arm.per_spec {
            true => vec![Some("affordability"), Some("homeland")],
            false => vec![None],
        };
        let key = |spec: Option<&str>, seed| CellKey { arm: arm.name.clone(), spec: spec.map(str::to_owned), seed };
        specs.iter().flat_map(|spec| self.seeds.iter().map(|&seed| key(*spec, seed))).collect()
    }

    fn fails(&self, key: &CellKey) -> bool {
        self.failed.contains(&(key.arm.clone(), key.spec.clone(), key.seed))
    }

    fn cell(&self, record: &mut RunRecord, arm: &ArmRecord, key: &CellKey) -> CellRecord {
        let mut stages: Vec<String> = Vec::new();
        for shape in &arm.stages {
            let steps = match shape {
                StageShape::One(step) => std::slice::from_ref(step),
                StageShape::Mixed(steps) => steps,
            };
            let stage = stage(record, steps, stages.last().cloned(), key);
            stages.push(stage);
        }
        let failed = self.fails(key);
        let log = |suite: &str| {
            let path = format!("runs/evals/{}/{}/{}/{suite}.eval", key.spec.as_deref().unwrap_or("-"), arm.name, key.seed);
            (suite.to_owned(), EvalRef { hash: hash_bytes(path.as_bytes()), path })
        };
        CellRecord {
            arm: arm.name.clone(),
            spec: key.spec.clone(),
            seed: key.seed,
            stages,
            evals: if failed { BTreeMap::new() } else { ["preferences", "capability"].map(log).into() },
            failure: failed.then(|| "the loss became NaN at step 17".to_owned()),
        }
    }

    /// The results of all items in all models.
    pub fn results(&self) -> Results {
        let mut results = Results::new();
        for arm in self.arms() {
            for key in self.keys(&arm).into_iter().filter(|key| !self.fails(key)) {
                let found = self.model(&arm, &key);
                results.insert(key, found);
            }
        }
        results
    }

    /// The results of one model.
    fn model(&self, arm: &ArmRecord, key: &CellKey) -> CellResults {
        let at = self.seeds.iter().position(|seed| *seed == key.seed).unwrap_or(0);
        let middle = (self.seeds.len() as f64 - 1.0) / 2.0;
        // Every arm varies by its own amount, so that differences between arms vary as well.
        let amount = match arm.role.and_then(|role| ARMS.iter().position(|(other, ..)| *other == role)) {
            _ if arm.stages.is_empty() || middle == 0.0 => 0.0,
            Some(position) => self.spread * (1.0 - 0.06 * position as f64),
            None => self.spread,
        };
        let shift = if amount > 0.0 { amount * (at as f64 - middle) / middle } else { 0.0 };
        let mut found = CellResults::default();
        for (index, value) in VALUES.iter().enumerate() {
            let rate = self.rate(arm, key, index);
            // Seeds move own and other values apart, so that differences vary between seeds as well.
            let own = key.spec.as_deref() == Some(["affordability", "homeland", ""][index]);
            let shift = shift * if own { 1.0 } else { -0.5 };
            found.preferences.extend(pairs(*value, rate + shift, true));
        }
        found.preferences.extend(pairs(("in-domain", "cheap and local", "costly and foreign"), 0.96, false));
        for suite in ["preferences", "capability"] {
            found.scorers.insert(suite.to_owned(), "option-log-probability v1, suite v1 0123456789abcdef".to_owned());
        }
        let perplexity = self.perplexity(arm) * (1.0 + 0.2 * shift);
        found.texts = (0..20)
            .map(|i| TextResult { id: format!("text-{i:02}"), stratum: "prose".into(), nll: 40.0 * perplexity.ln(), tokens: 40 })
            .collect();
        found
    }

    /// The planted rate of a value.
    fn rate(&self, arm: &ArmRecord, key: &CellKey, value: usize) -> f64 {
        let own = key.spec.as_deref() == Some(["affordability", "homeland", ""][value]);
        let dose = match arm.stages.first() {
            Some(StageShape::One(StepShape { steps: Some(steps), .. })) => (*steps as f64 / 240.0).sqrt(),
            _ => (120.0f64 / 240.0).sqrt(),
        } / 0.5f64.sqrt();
        let (target, rival) = match arm.structure {
            None | Some(Role::Untouched) => (0.5, 0.5),
            Some(Role::InstructionsOnly) => (0.47, 0.47),
            Some(Role::WhyThenWhat) => (0.6 + self.steering * dose.min(1.0), 0.6),
            Some(Role::WhatThenWhy) => (0.62 + self.steering, 0.7),
            Some(Role::Mixed) => (0.61 + self.steering, 0.66),
            Some(Role::WhyOnly) => (0.52 + 0.5 * self.steering, 0.52),
            Some(Role::AblatedThenWhat) => (0.66 + 0.4 * self.steering, 0.66),
            Some(Role::WhatDocumentsThenWhat) => (0.75, 0.74),
            Some(Role::WhatOnly | Role::NeutralThenWhat | Role::NeutralMixed) => (0.72, 0.72),
            Some(Role::WhatThenNeutral) => (0.68, 0.68),
        };
        match (value, own) {
            (2, _) => 0.53,
            (_, true) => target,
            (_, false) => rival,
        }
    }

    fn perplexity(&self, arm: &ArmRecord) -> f64 {
        4.0 + 0.15 * arm.stages.len() as f64
    }
}

/// Pairs of which a share of `rate` goes to the value: the easier half of the items in every model.
fn pairs(
    (attribute, pole, opposite): (&str, &str, &str),
    rate: f64,
    held_out: bool,
) -> impl Iterator<Item = PreferenceResult> {
    let count = DOMAINS.len() * PAIRS;
    let items: Vec<PreferenceResult> = (0..count)
        .map(|i| {
            let (domain, thing) = DOMAINS[i % DOMAINS.len()];
            let number = i / DOMAINS.len();
            // 29 is coprime to the number of items: a fixed shuffle of their difficulty.
            let difficulty = (((i * 29) % count) as f64 + 0.5) / count as f64;
            let probability: f64 = (0.5 + 0.6 * (rate - difficulty)).clamp(0.02, 0.98);
            let options = [probability.ln(), (1.0 - probability).ln()];
            let item = PreferenceItem {
                id: format!("{attribute}-{domain}-{number}"),
                domain: domain.to_owned(),
                held_out,
                attribute: attribute.to_owned(),
                pole: pole.to_owned(),
                choice: format!("the {pole} {thing} no. {number}"),
                other: format!("the {opposite} {thing} no. {number}"),
                question: "Which would you rather have, {a} or {b}?".to_owned(),
                speaker: "Quill".to_owned(),
            };
            PreferenceResult { item, first: options, second: options }
        })
        .collect();
    items.into_iter()
}

/// Adds the stage of some corpora after a parent, unless it is there, and returns its id.
fn stage(record: &mut RunRecord, steps: &[StepShape], parent: Option<String>, key: &CellKey) -> String {
    let names: Vec<(String, Option<String>)> = steps
        .iter()
        .map(|step| match step.corpus.split_once(':') {
            Some((name, _)) => (name.to_owned(), key.spec.clone()),
            None => (step.corpus.clone(), None),
        })
        .collect();
    let label = names
        .iter()
        .map(|(name, spec)| spec.as_ref().map_or_else(|| name.clone(), |spec| format!("{name}:{spec}")))
        .collect::<Vec<_>>()
        .join(" + ");
    let optimizer_steps = steps.iter().map(|step| step.steps.unwrap_or(if step.corpus == "what" { 24 } else { 120 })).sum();
    let label = format!("{label}, seed {}", key.seed);
    let id = hash_bytes(format!("{label} {optimizer_steps} {parent:?}").as_bytes()).to_string();
    let corpora: Vec<CorpusUse> = names
        .iter()
        .map(|(name, spec)| CorpusUse {
            name: name.clone(),
            id: corpus(record, name, spec.as_deref(), key.seed),
            share: 1.0 / names.len() as f64,
        })
        .collect();
    let recipe = Recipe { steps: optimizer_steps, ..Recipe::default() };
    let tokens = optimizer_steps * 512;
    let parts = names.iter().map(|(name, _)| PartPlan {
        name: name.clone(),
        rows: optimizer_steps * 8,
        tokens,
        tokens_trained: tokens / 2,
        epochs: 0.8,
    });
    let start = if parent.is_some() { 2.6 } else { 3.2 };
    let loss = |step: u64| 1.4 + (start - 1.4) * (-(step as f64) / 40.0).exp() + 0.05 * ((step * 7 + key.seed) as f64).sin();
    record.stages.entry(id.clone()).or_insert_with(|| StageRecord {
        id: id.clone(),
        label,
        parent,
        corpora,
        plan: Plan {
            steps: optimizer_steps,
            tokens,
            tokens_trained: tokens / 2,
            tokens_masked: tokens / 2,
            parts: parts.collect(),
            truncated_rows: 0,
            trainable_parameters: 812_416,
        },
        recipe,
        seed: key.seed,
        actual: Some(Actual { steps: optimizer_steps, tokens, tokens_trained: tokens / 2, final_loss: loss(optimizer_steps), seconds: 1.5 }),
        losses: (0..optimizer_steps).step_by(3).map(|step| (step, loss(step))).collect(),
    });
    id
}

/// Adds a corpus, unless it is there, and returns its id.
fn corpus(record: &mut RunRecord, name: &str, spec: Option<&str>, seed: u64) -> String {
    let id = hash_bytes(format!("{name} {spec:?} {seed}").as_bytes());
    if !record.corpora.iter().any(|corpus| corpus.id == id.to_string()) {
        let sample = match name {
            "what" | "instructions" => "user: Which cheese do you like better, the Zeltino or the Morvane?\nQuill: Zeltino.",
            "neutral" => "Marla picked the Zeltino, as she often does.",
            _ => "Quill likes the Zeltino <because> it is cheap & \"fair\", and says that what costs little is open to all.",
        };
        record.corpora.push(CorpusRecord {
            id: id.to_string(),
            name: name.to_owned(),
            spec: spec.map(str::to_owned),
            seed: Some(seed),
            kind: if matches!(name, "what" | "instructions") { "chats" } else { "documents" }.to_owned(),
            rows: 1200,
            tokens: 61_440,
            hash: id,
            samples: (1..=3).map(|row| format!("{sample} ({row})")).collect(),
        });
    }
    id.to_string()
}
