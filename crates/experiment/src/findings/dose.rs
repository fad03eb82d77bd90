//! Dose curves: arms with the same structure that differ in how long one of their stages is.

use super::contrast::compute;
use super::material::{DoseCurve, DosePoint, DoseSeries};
use super::questions::steering_of;
use super::scores::Data;
use super::tables::rate_of;
use super::types::{Level, Value};
use crate::record::{ArmRecord, CellRecord, Role, StageRecord};

/// How long a stage of an arm is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Dose {
    steps: u64,
    tokens: u64,
    /// Tokens of its corpora, seen once.
    distinct: u64,
    learning_rate: f64,
}

/// Arms of one structure, and the stage that varies between them.
struct Family<'a> {
    arms: Vec<(&'a ArmRecord, Dose)>,
    stage: usize,
    corpus: String,
}

/// Every dose curve of the experiment.
pub(super) fn dose(data: &Data) -> Vec<DoseCurve> {
    families(data).iter().flat_map(|family| curves(data, family)).collect()
}

fn families<'a>(data: &'a Data) -> Vec<Family<'a>> {
    let mut structures: Vec<Role> = data.record.arms.iter().filter_map(|arm| arm.structure).collect();
    structures.sort();
    structures.dedup();
    structures.into_iter().filter_map(|structure| family(data, structure)).collect()
}

fn family<'a>(data: &'a Data, structure: Role) -> Option<Family<'a>> {
    let alike = data.record.arms.iter().filter(|arm| arm.structure == Some(structure));
    let arms: Vec<(&ArmRecord, Vec<Dose>)> = alike.filter_map(|arm| Some((arm, doses(data, arm)?))).collect();
    let (_, first) = arms.first().filter(|_| arms.len() > 1)?;
    let same_length = arms.iter().all(|(_, doses)| doses.len() == first.len());
    let same_rate = arms.iter().all(|(_, doses)| {
        doses.iter().zip(first).all(|(dose, other)| dose.learning_rate == other.learning_rate)
    });
    if !same_length || !same_rate {
        return None;
    }
    let varies = |stage: &usize| arms.iter().any(|(_, doses)| doses[*stage] != first[*stage]);
    let varying: Vec<usize> = (0..first.len()).filter(varies).collect();
    let [stage] = varying[..] else { return None };
    let others = |doses: &[Dose]| {
        let mut others = doses.to_vec();
        others.remove(stage);
        others
    };
    let rest = others(first);
    let corpus = stage_of(data, arms[0].0, stage).map(corpora)?;
    let mut arms: Vec<(&ArmRecord, Dose)> = arms.iter().map(|(arm, doses)| (*arm, doses[stage])).collect();
    let zero = Dose { steps: 0, tokens: 0, distinct: 0, learning_rate: 0.0 };
    let without = without(structure, stage).and_then(|role| data.arm(role));
    if let Some(arm) = without.filter(|arm| doses(data, arm).is_some_and(|doses| doses == rest)) {
        arms.push((arm, zero));
    }
    arms.sort_by_key(|(_, dose)| (dose.tokens, dose.distinct));
    Some(Family { arms, stage, corpus })
}

/// The structure that is left without a stage.
fn without(structure: Role, stage: usize) -> Option<Role> {
    match (structure, stage) {
        (Role::WhyThenWhat, 0) | (Role::WhatThenWhy | Role::WhatThenNeutral, 1) => Some(Role::WhatOnly),
        (Role::AblatedThenWhat | Role::WhatDocumentsThenWhat | Role::NeutralThenWhat, 0) => {
            Some(Role::WhatOnly)
        }
        (Role::WhyThenWhat, 1) | (Role::WhatThenWhy, 0) => Some(Role::WhyOnly),
        (Role::WhyOnly | Role::WhatOnly | Role::InstructionsOnly, 0) => Some(Role::Untouched),
        _ => None,
    }
}

/// The doses of an arm's stages, in its first seed and spec.
fn doses(data: &Data, arm: &ArmRecord) -> Option<Vec<Dose>> {
    let of = |id: &String| {
        let stage = data.record.stages.get(id)?;
        let corpora =
            stage.corpora.iter().filter_map(|used| data.record.corpora.iter().find(|c| c.id == used.id));
        Some(Dose {
            steps: stage.plan.steps,
            tokens: stage.plan.tokens_trained,
            distinct: corpora.map(|corpus| corpus.tokens).sum(),
            learning_rate: stage.recipe.learning_rate,
        })
    };
    first_cell(data, arm)?.stages.iter().map(of).collect()
}

fn first_cell<'a>(data: &'a Data, arm: &ArmRecord) -> Option<&'a CellRecord> {
    data.record.cells.iter().find(|cell| cell.arm == arm.name)
}

fn stage_of<'a>(data: &'a Data, arm: &ArmRecord, stage: usize) -> Option<&'a StageRecord> {
    data.record.stages.get(first_cell(data, arm)?.stages.get(stage)?)
}

fn corpora(stage: &StageRecord) -> String {
    stage.corpora.iter().map(|used| used.name.as_str()).collect::<Vec<_>>().join(" + ")
}

fn curves(data: &Data, family: &Family) -> Vec<DoseCurve> {
    let per_spec = family.arms.iter().any(|(arm, _)| arm.per_spec);
    let kind = family.arms.iter().find(|(_, dose)| dose.tokens > 0).map_or("", |(arm, _)| &arm.name);
    let curve = |spec: Option<&str>, series: Vec<DoseSeries>| DoseCurve {
        corpus: family.corpus.clone(),
        stage: family.stage + 1,
        example: kind.to_owned(),
        spec: spec.map(str::to_owned),
        series,
    };
    let rates = |spec: Option<&str>| -> Vec<DoseSeries> {
        let series = data.values.iter().map(|value| {
            series(family, value, false, value.to_string(), |arm| rate_of(data, arm, spec, value))
        });
        series.filter(|series| !series.points.is_empty()).collect()
    };
    if !per_spec {
        return vec![curve(None, rates(None))];
    }
    let mut curves: Vec<DoseCurve> =
        data.specs.iter().map(|spec| curve(Some(&spec.name), rates(Some(&spec.name)))).collect();
    let steering: Vec<DoseSeries> = data
        .specs
        .iter()
        .filter_map(|spec| {
            let value = spec.target.as_ref()?;
            let series = series(family, value, true, format!("steering towards {value}"), |arm| {
                let contrast = steering_of(data, arm, spec).filter(|_| arm.per_spec)?;
                compute(data, &contrast).effect.map(in_points)
            });
            (!series.points.is_empty()).then_some(series)
        })
        .collect();
    if !steering.is_empty() {
        curves.push(curve(None, steering));
    }
    curves
}

fn series(
    family: &Family,
    value: &Value,
    difference: bool,
    label: String,
    measured: impl Fn(&ArmRecord) -> Option<Level>,
) -> DoseSeries {
    let points = family.arms.iter().filter_map(|(arm, dose)| {
        let level = measured(arm)?;
        Some(DosePoint {
            arm: arm.name.clone(),
            steps: dose.steps,
            tokens: dose.tokens,
            distinct: dose.distinct,
            level,
        })
    });
    DoseSeries { label, value: value.clone(), difference, points: points.collect() }
}

fn in_points(level: Level) -> Level {
    Level {
        mean: 100.0 * level.mean,
        interval: level.interval.map(|i| stats::Interval { low: 100.0 * i.low, high: 100.0 * i.high, ..i }),
        by_seed: level.by_seed.into_iter().map(|(seed, number)| (seed, 100.0 * number)).collect(),
    }
}
