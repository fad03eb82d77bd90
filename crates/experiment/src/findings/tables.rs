//! The tables: every arm, every trained model, every domain, every placement.

use stats::{Interval, LEVEL};

use super::contrast::{Term, by_seed, level, measure};
use super::scores::{Data, ItemScore, Quantity, mean};
use super::types::{ArmRow, CellRow, Level, Measure, OrderRow, Placement, SpecSummary, Value, ValueLevel};
use crate::record::{ArmRecord, Role, StageShape, StepShape};

/// The models of an arm: once, or once per spec.
pub(super) fn variants<'a>(data: &'a Data, arm: &ArmRecord) -> Vec<Option<&'a str>> {
    match arm.per_spec {
        true => data.specs.iter().map(|spec| Some(spec.name.as_str())).collect(),
        false => vec![None],
    }
}

/// A number of each seed's scores, over seeds.
pub(super) fn over_seeds(
    data: &Data,
    arm: &ArmRecord,
    spec: Option<&str>,
    number: impl Fn(&super::scores::Scores) -> Option<f64>,
) -> Option<Level> {
    let seeds = data.record.seeds.iter();
    let numbers = seeds.filter_map(|&seed| Some((seed, number(data.scores(arm, spec, seed).ok()?)?)));
    level(numbers.collect(), arm.stages.is_empty())
}

/// A level of a quantity that cannot leave `low..=high`.
pub(super) fn within(level: Level, low: f64, high: f64) -> Level {
    let clamp = |found: Interval| Interval { low: found.low.max(low), high: found.high.min(high), ..found };
    Level { interval: level.interval.map(clamp), ..level }
}

fn rates(items: &[ItemScore]) -> Option<f64> {
    mean(items.iter().map(|item| item.rate))
}

fn probabilities(items: &[ItemScore]) -> Option<f64> {
    mean(items.iter().map(|item| item.probability))
}

/// One row per arm, or per arm and spec.
pub(super) fn arms(data: &Data) -> Vec<ArmRow> {
    let mut rows = Vec::new();
    for arm in &data.record.arms {
        for spec in variants(data, arm) {
            let values = data.values.iter().filter_map(|value| {
                let items = |scores: &super::scores::Scores| rates(scores.items(value));
                let likely = |scores: &super::scores::Scores| probabilities(scores.items(value));
                let mut seeds = data.record.seeds.iter();
                Some(ValueLevel {
                    value: value.clone(),
                    rate: within(over_seeds(data, arm, spec, items)?, 0.0, 1.0),
                    probability: within(over_seeds(data, arm, spec, likely)?, 0.0, 1.0),
                    items: seeds
                        .find_map(|&seed| Some(data.scores(arm, spec, seed).ok()?.items(value).len()))?,
                })
            });
            let failed = data.record.seeds.iter().filter(|&&seed| data.scores(arm, spec, seed).is_err());
            let in_domain = over_seeds(data, arm, spec, |scores| rates(&scores.in_domain));
            let perplexity = over_seeds(data, arm, spec, |scores| scores.log_perplexity.map(f64::exp));
            rows.push(ArmRow {
                arm: arm.name.clone(),
                control: arm.control,
                role: arm.role,
                stages: stages_in_words(arm),
                spec: spec.map(str::to_owned),
                values: values.collect(),
                in_domain: in_domain.map(|level| within(level, 0.0, 1.0)),
                perplexity: perplexity.map(|level| within(level, 1.0, f64::INFINITY)),
                failed: failed.copied().collect(),
            });
        }
    }
    rows
}

/// Stages as the file writes them: `why:{spec} → what`, `why:{spec} + what` for a mixed one.
pub(super) fn stages_in_words(arm: &ArmRecord) -> String {
    let step = |step: &StepShape| {
        let changes = [
            step.steps.map(|steps| format!("{steps} steps")),
            step.learning_rate.map(|rate| format!("learning rate {rate}")),
        ];
        let changes: Vec<String> = changes.into_iter().flatten().collect();
        match changes.is_empty() {
            true => step.corpus.clone(),
            false => format!("{} ({})", step.corpus, changes.join(", ")),
        }
    };
    let stage = |shape: &StageShape| match shape {
        StageShape::One(one) => step(one),
        StageShape::Mixed(steps) => steps.iter().map(step).collect::<Vec<_>>().join(" + "),
    };
    if arm.stages.is_empty() {
        return "no training".to_owned();
    }
    arm.stages.iter().map(stage).collect::<Vec<_>>().join(" → ")
}

/// One row per trained model and value, and one for its check on the training domains.
pub(super) fn cells(data: &Data) -> Vec<CellRow> {
    let mut rows = Vec::new();
    for cell in &data.record.cells {
        let Some(arm) = data.record.arms.iter().find(|arm| arm.name == cell.arm) else { continue };
        let Ok(scores) = data.scores(arm, cell.spec.as_deref(), cell.seed) else { continue };
        let row = |value: Option<&Value>, items: &[ItemScore]| {
            let successes = items.iter().map(|item| item.rate).sum::<f64>();
            Some(CellRow {
                arm: cell.arm.clone(),
                spec: cell.spec.clone(),
                seed: cell.seed,
                value: value.cloned(),
                items: items.len(),
                rate: rates(items)?,
                interval: stats::wilson(successes, items.len(), LEVEL),
                probability: probabilities(items)?,
                perplexity: scores.log_perplexity.map(f64::exp),
            })
        };
        rows.extend(data.values.iter().filter_map(|value| row(Some(value), scores.items(value))));
        rows.extend(row(None, &scores.in_domain));
    }
    rows
}

/// First, after and mixed for every spec, with explaining and with neutral documents; the arms that there are.
pub(super) fn order(data: &Data) -> Vec<OrderRow> {
    let placements = [
        (Placement::First, false, Role::WhyThenWhat),
        (Placement::After, false, Role::WhatThenWhy),
        (Placement::Mixed, false, Role::Mixed),
        (Placement::First, true, Role::NeutralThenWhat),
        (Placement::After, true, Role::WhatThenNeutral),
        (Placement::Mixed, true, Role::NeutralMixed),
    ];
    let row = |spec: &SpecSummary, (placement, neutral, role): (Placement, bool, Role)| {
        let arm = data.arm(role)?;
        Some(OrderRow {
            spec: spec.name.clone(),
            placement,
            neutral,
            arm: arm.name.clone(),
            target: spec.target.as_ref().and_then(|_| measured(data, arm, spec, Measure::Target)),
            rival: spec.rival.as_ref().and_then(|_| measured(data, arm, spec, Measure::Rival)),
            selectivity: spec.rival.as_ref().and_then(|_| measured(data, arm, spec, Measure::Selectivity)),
        })
    };
    let specs = data.specs.iter().filter(|spec| spec.target.is_some());
    specs.flat_map(|spec| placements.into_iter().filter_map(move |placement| row(spec, placement))).collect()
}

fn measured(data: &Data, arm: &ArmRecord, spec: &SpecSummary, of: Measure) -> Option<Level> {
    let terms: Vec<Term> = measure(1.0, arm, spec, of);
    let low = if of == Measure::Selectivity { -1.0 } else { 0.0 };
    level(by_seed(data, &terms).0, arm.stages.is_empty()).map(|level| within(level, low, 1.0))
}

/// A quantity of an arm over seeds, for dose curves.
pub(super) fn rate_of(data: &Data, arm: &ArmRecord, spec: Option<&str>, value: &Value) -> Option<Level> {
    let quantity = Quantity::Rate(value.clone());
    let seeds = data.record.seeds.iter();
    let numbers = seeds.filter_map(|&seed| Some((seed, data.quantity(arm, spec, seed, &quantity).ok()?)));
    level(numbers.collect(), arm.stages.is_empty()).map(|level| within(level, 0.0, 1.0))
}
