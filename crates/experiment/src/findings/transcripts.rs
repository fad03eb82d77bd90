//! A few items with what the models chose, picked by a rule and not by their outcome.

use super::material::{Reading, Transcript};
use super::results::{CellKey, Results};
use super::scores::Data;
use super::types::Value;
use crate::record::{ArmRecord, Role};

/// Items shown of each value, from different domains.
const EACH: usize = 2;

/// The models shown: enough to see what the fine-tuning does alone and after each spec's reasons.
const SHOWN: [Role; 4] = [Role::Untouched, Role::WhatOnly, Role::WhyThenWhat, Role::WhatThenWhy];

/// For each value, the first held-out item of its first domains, in the models of the first seed.
pub(super) fn transcripts(data: &Data, results: &Results) -> Vec<Transcript> {
    let Some(&seed) = data.record.seeds.first() else { return Vec::new() };
    let models = models(data, results, seed);
    let Some((_, any)) = models.first() else { return Vec::new() };
    let mut transcripts = Vec::new();
    for value in &data.values {
        let mut domains: Vec<&str> = Vec::new();
        for result in &results[any].preferences {
            let item = &result.item;
            let measures = item.held_out && item.attribute == value.attribute && item.pole == value.pole;
            if !measures || domains.contains(&item.domain.as_str()) || domains.len() == EACH {
                continue;
            }
            domains.push(&item.domain);
            let readings = models.iter().filter_map(|(arm, key)| {
                let found = results[key].preferences.iter().find(|found| found.item.id == item.id)?;
                let (arm, spec) = (arm.name.clone(), key.spec.clone());
                Some(Reading { arm, spec, first: found.p_first(), second: found.p_second() })
            });
            transcripts.push(Transcript {
                item: item.id.clone(),
                domain: item.domain.clone(),
                value: Value { attribute: item.attribute.clone(), pole: item.pole.clone() },
                question: item.ask(true),
                choice: item.choice.clone(),
                other: item.other.clone(),
                seed,
                readings: readings.collect(),
            });
        }
    }
    transcripts
}

fn models<'a>(data: &'a Data, results: &Results, seed: u64) -> Vec<(&'a ArmRecord, CellKey)> {
    let arms = SHOWN.into_iter().filter_map(|role| data.arm(role));
    let keys = arms.flat_map(|arm| {
        let specs: Vec<Option<String>> = match arm.per_spec {
            true => data.specs.iter().map(|spec| Some(spec.name.clone())).collect(),
            false => vec![None],
        };
        specs.into_iter().map(move |spec| (arm, CellKey { arm: arm.name.clone(), spec, seed }))
    });
    keys.filter(|(_, key)| results.get(key).is_some_and(|found| !found.preferences.is_empty())).collect()
}
