//! Results within each held-out domain: rates, and where steering comes from.

use std::collections::BTreeMap;

use super::contrast::level;
use super::questions::steering_arms;
use super::scores::{Data, ItemScore, mean};
use super::tables::{over_seeds, variants, within};
use super::types::{DomainEffect, DomainRow, Value};
use crate::record::ArmRecord;

/// One row per arm, value and held-out domain.
pub(super) fn domains(data: &Data) -> Vec<DomainRow> {
    let mut rows = Vec::new();
    for arm in &data.record.arms {
        for spec in variants(data, arm) {
            for value in &data.values {
                for (domain, items) in domains_of(data, arm, spec, value) {
                    let of = |scores: &super::scores::Scores, number: fn(&ItemScore) -> f64| {
                        let items = scores.items(value).iter();
                        mean(items.filter(|item| item.domain == domain).map(number))
                    };
                    let rate = over_seeds(data, arm, spec, |scores| of(scores, |item| item.rate));
                    let probability =
                        over_seeds(data, arm, spec, |scores| of(scores, |item| item.probability));
                    let Some((rate, probability)) = rate.zip(probability) else { continue };
                    rows.push(DomainRow {
                        arm: arm.name.clone(),
                        spec: spec.map(str::to_owned),
                        value: value.clone(),
                        items,
                        rate: within(rate, 0.0, 1.0),
                        probability: within(probability, 0.0, 1.0),
                        domain,
                    });
                }
            }
        }
    }
    rows
}

/// The domains that measure a value, by name, with their number of items.
fn domains_of(data: &Data, arm: &ArmRecord, spec: Option<&str>, value: &Value) -> Vec<(String, usize)> {
    let mut seeds = data.record.seeds.iter();
    let Some(scores) = seeds.find_map(|&seed| data.scores(arm, spec, seed).ok()) else { return Vec::new() };
    let mut counts = BTreeMap::new();
    for item in scores.items(value) {
        *counts.entry(item.domain.clone()).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// The rate of a value in one domain of one model.
fn rate_in(data: &Data, arm: &ArmRecord, spec: &str, seed: u64, value: &Value, domain: &str) -> Option<f64> {
    let items = data.scores(arm, Some(spec), seed).ok()?.items(value).iter();
    mean(items.filter(|item| item.domain == domain).map(|item| item.rate))
}

/// Steering within each held-out domain, in percentage points: a description without a test.
pub(super) fn steering(data: &Data) -> Vec<DomainEffect> {
    let mut effects = Vec::new();
    for spec in &data.specs {
        let Some((arm, rival, value)) = steering_arms(data, spec) else { continue };
        for (domain, items) in domains_of(data, arm, Some(&spec.name), value) {
            let difference = |seed: &u64| {
                let rate = |of: &str| rate_in(data, arm, of, *seed, value, &domain);
                Some((*seed, 100.0 * (rate(&spec.name)? - rate(&rival.name)?)))
            };
            let differences = data.record.seeds.iter().filter_map(difference).collect();
            let Some(effect) = level(differences, false) else { continue };
            effects.push(DomainEffect {
                spec: spec.name.clone(),
                value: value.clone(),
                items,
                effect,
                domain,
            });
        }
    }
    effects
}
