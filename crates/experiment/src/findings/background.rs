//! What stands behind the numbers: training losses, plan and outcome of stages, corpora, provenance.

use std::collections::{BTreeMap, BTreeSet};

use super::material::{
    CorpusRow, LossLine, LossPanel, Provenance, RecipeUse, StageOutcome, StageRow, SuiteUse,
};
use super::results::Results;
use crate::record::{CorpusRecord, RunRecord, StageRecord};

/// Rows of a corpus that a report shows.
const SAMPLES: usize = 5;

/// The first digits of a hash or id, enough to find it.
fn short(id: &str) -> String {
    id.chars().take(16).collect()
}

/// Where the models use a stage: arms in order, and the spec if all of them are for one.
fn users<'a>(record: &'a RunRecord, id: &str) -> (Vec<&'a str>, Option<&'a str>) {
    let cells = record.cells.iter().filter(|cell| cell.stages.iter().any(|stage| stage == id));
    let mut arms: Vec<&str> = Vec::new();
    let mut specs: BTreeSet<Option<&str>> = BTreeSet::new();
    for cell in cells {
        if !arms.contains(&cell.arm.as_str()) {
            arms.push(&cell.arm);
        }
        specs.insert(cell.spec.as_deref());
    }
    (arms, if specs.len() == 1 { specs.into_iter().next().flatten() } else { None })
}

/// The stages in the order in which the models use them.
fn in_order(record: &RunRecord) -> Vec<&StageRecord> {
    let mut seen = BTreeSet::new();
    let used = record.cells.iter().flat_map(|cell| &cell.stages);
    used.filter(|id| seen.insert(id.as_str())).filter_map(|id| record.stages.get(id)).collect()
}

fn names(stage: &StageRecord) -> String {
    stage.corpora.iter().map(|used| used.name.as_str()).collect::<Vec<_>>().join(" + ")
}

/// What a stage trains on and what came before it, in words.
fn title(record: &RunRecord, stage: &StageRecord) -> String {
    let mut before = Vec::new();
    let mut at = stage.parent.as_ref();
    while let Some(parent) = at.and_then(|id| record.stages.get(id)) {
        before.push(names(parent));
        // A chain cannot be longer than there are stages; a damaged record must not loop.
        at = parent.parent.as_ref().filter(|_| before.len() < record.stages.len());
    }
    match before.is_empty() {
        true => format!("{} · {} steps", names(stage), stage.plan.steps),
        false => {
            before.reverse();
            format!("{} · {} steps · after {}", names(stage), stage.plan.steps, before.join(", "))
        }
    }
}

/// Training losses, one panel per kind of stage.
pub(super) fn losses(record: &RunRecord) -> Vec<LossPanel> {
    let mut panels: Vec<LossPanel> = Vec::new();
    for stage in in_order(record).into_iter().filter(|stage| !stage.losses.is_empty()) {
        let title = title(record, stage);
        let line = LossLine {
            stage: short(&stage.id),
            spec: users(record, &stage.id).1.map(str::to_owned),
            seed: stage.seed,
            points: stage.losses.clone(),
        };
        match panels.iter_mut().find(|panel| panel.title == title) {
            Some(panel) => panel.lines.push(line),
            None => panels.push(LossPanel { title, lines: vec![line] }),
        }
    }
    panels
}

/// Plan and outcome of every stage.
pub(super) fn stages(record: &RunRecord) -> Vec<StageRow> {
    let row = |stage: &StageRecord| StageRow {
        id: short(&stage.id),
        label: stage.label.clone(),
        arms: users(record, &stage.id).0.into_iter().map(str::to_owned).collect(),
        steps: stage.plan.steps,
        tokens: stage.plan.tokens,
        tokens_trained: stage.plan.tokens_trained,
        tokens_masked: stage.plan.tokens_masked,
        truncated_rows: stage.plan.truncated_rows,
        actual: stage.actual.map(|actual| StageOutcome {
            steps: actual.steps,
            tokens: actual.tokens,
            tokens_trained: actual.tokens_trained,
            final_loss: actual.final_loss,
        }),
    };
    in_order(record).into_iter().map(row).collect()
}

/// Corpora: those that differ only in their seed are one row.
pub(super) fn corpora(record: &RunRecord) -> Vec<CorpusRow> {
    let mut rows: Vec<CorpusRow> = Vec::new();
    for corpus in &record.corpora {
        match rows.iter_mut().find(|row| row.name == corpus.name && row.spec == corpus.spec) {
            Some(row) => {
                row.seeds.extend(corpus.seed);
                row.hashes.push(short(&corpus.hash.to_string()));
            }
            None => rows.push(corpus_row(corpus)),
        }
    }
    rows
}

fn corpus_row(corpus: &CorpusRecord) -> CorpusRow {
    CorpusRow {
        name: corpus.name.clone(),
        spec: corpus.spec.clone(),
        seeds: corpus.seed.into_iter().collect(),
        kind: corpus.kind.clone(),
        rows: corpus.rows,
        tokens: corpus.tokens,
        hashes: vec![short(&corpus.hash.to_string())],
        samples: corpus.samples.iter().take(SAMPLES).cloned().collect(),
    }
}

/// Where the results came from.
pub(super) fn provenance(record: &RunRecord, results: &Results) -> Provenance {
    let suite = |name: &String| {
        let size = |cell: &super::CellResults| match name.as_str() {
            "preferences" => cell.preferences.len(),
            "capability" => cell.texts.len(),
            _ => 0,
        };
        SuiteUse {
            name: name.clone(),
            items: results.values().map(size).max().unwrap_or(0),
            scorer: results.values().find_map(|cell| cell.scorers.get(name).cloned()).unwrap_or_default(),
        }
    };
    let logs = record.cells.iter().flat_map(|cell| cell.evals.values());
    Provenance {
        experiment: record.experiment_hash.to_string(),
        engine: record.engine.clone(),
        base: record.base.source.clone(),
        base_hash: record.base.hash.to_string(),
        parameters: record.base.parameters,
        model_name: record.model_name.clone(),
        suites: record.suites.iter().map(suite).collect(),
        specs: record
            .specs
            .iter()
            .map(|spec| (spec.name.clone(), spec.path.clone(), spec.hash.to_string()))
            .collect(),
        logs: logs.map(|log| (log.path.clone(), log.hash.to_string())).collect(),
        recipes: recipes(record),
    }
}

/// The recipes in use, each with the kinds of stage it trained.
fn recipes(record: &RunRecord) -> Vec<RecipeUse> {
    let mut uses: Vec<RecipeUse> = Vec::new();
    for stage in in_order(record) {
        let settings = settings(stage);
        let trained = names(stage);
        match uses.iter_mut().find(|used| used.settings == settings) {
            Some(used) if used.corpora.contains(&trained) => {}
            Some(used) => used.corpora.push(trained),
            None => uses.push(RecipeUse { corpora: vec![trained], settings }),
        }
    }
    uses
}

/// Every setting of a stage's recipe by its name, in the order in which the recipe lists them.
fn settings(stage: &StageRecord) -> Vec<(String, String)> {
    match serde_json::to_value(&stage.recipe) {
        Ok(serde_json::Value::Object(fields)) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        _ => Vec::new(),
    }
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How many models of each arm there are, for the sentence on method: arms, models.
pub(super) fn counts(record: &RunRecord) -> (usize, usize) {
    let models: BTreeMap<_, _> = record.cells.iter().map(|cell| (cell.stages.as_slice(), ())).collect();
    (record.arms.len(), models.len())
}
