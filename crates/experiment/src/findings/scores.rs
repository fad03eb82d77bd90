//! Scores of every trained model, checked to be comparable, and looked up by (arm, spec, seed).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use eval::PreferenceResult;

use super::results::{CellKey, CellResults, FindingsError, Results};
use super::types::{Failure, SpecSummary, Value};
use crate::record::{ArmRecord, Role, RunRecord};

/// The score of one item in one model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ItemScore {
    pub domain: String,
    pub rate: f64,
    pub probability: f64,
}

/// The scores of one model.
#[derive(Debug, Clone, Default)]
pub(super) struct Scores {
    /// Held-out pairs, by value.
    pub values: BTreeMap<Value, Vec<ItemScore>>,
    /// Pairs of the training domains.
    pub in_domain: Vec<ItemScore>,
    /// Logarithm of the perplexity on held-out text.
    pub log_perplexity: Option<f64>,
}

/// What is looked up in a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Quantity {
    Rate(Value),
    Probability(Value),
    LogPerplexity,
}

/// The record, what its specs are about, and the scores of its models.
pub(super) struct Data<'a> {
    pub record: &'a RunRecord,
    pub specs: Vec<SpecSummary>,
    pub values: Vec<Value>,
    scores: BTreeMap<CellKey, Result<Scores, String>>,
}

impl<'a> Data<'a> {
    /// # Errors
    /// When two models cannot be compared.
    pub fn new(record: &'a RunRecord, results: &Results) -> Result<Data<'a>, FindingsError> {
        comparable(results)?;
        let specs = specs(record);
        let values = values(&specs, results);
        let scores = record.cells.iter().map(|cell| {
            let key = CellKey::from(cell);
            let scores = match (&cell.failure, results.get(&key)) {
                (Some(reason), _) => Err(reason.clone()),
                (None, Some(found)) if !found.preferences.is_empty() || !found.texts.is_empty() => {
                    score(found, &values)
                }
                (None, _) => Err("it has not been evaluated".to_owned()),
            };
            (key, scores)
        });
        let scores = scores.collect();
        Ok(Data { record, specs, values, scores })
    }

    /// The arm that plays a part in the analyses.
    pub fn arm(&self, role: Role) -> Option<&'a ArmRecord> {
        self.record.arms.iter().find(|arm| arm.role == Some(role))
    }

    /// The scores of a model. `spec` is ignored for an arm that is shared by all specs. The untouched base is one
    /// model whatever the seed, so that any of its results stands for all.
    pub fn scores(&self, arm: &ArmRecord, spec: Option<&str>, seed: u64) -> Result<&Scores, String> {
        let spec = spec.filter(|_| arm.per_spec).map(str::to_owned);
        let key = CellKey { arm: arm.name.clone(), spec, seed };
        let at = || match &key.spec {
            Some(spec) => format!("`{}`, {spec}, seed {seed}", key.arm),
            None => format!("`{}`, seed {seed}", key.arm),
        };
        match self.scores.get(&key) {
            Some(Ok(scores)) => Ok(scores),
            missing => {
                let same = |other: &&CellKey| arm.stages.is_empty() && other.arm == arm.name;
                let twin =
                    self.scores.iter().filter(|(other, _)| same(other)).find_map(|(_, s)| s.as_ref().ok());
                twin.ok_or_else(|| match missing {
                    Some(Err(reason)) => format!("{}: {reason}", at()),
                    _ => format!("{}: it was not run", at()),
                })
            }
        }
    }

    /// One number of one model, or why there is none.
    pub fn quantity(
        &self,
        arm: &ArmRecord,
        spec: Option<&str>,
        seed: u64,
        quantity: &Quantity,
    ) -> Result<f64, String> {
        let scores = self.scores(arm, spec, seed)?;
        let number = match quantity {
            Quantity::Rate(value) => mean(scores.items(value).iter().map(|item| item.rate)),
            Quantity::Probability(value) => mean(scores.items(value).iter().map(|item| item.probability)),
            Quantity::LogPerplexity => scores.log_perplexity,
        };
        number.ok_or_else(|| match quantity {
            Quantity::Rate(value) | Quantity::Probability(value) => {
                format!("`{}`, seed {seed}: no item measures {value}", arm.name)
            }
            Quantity::LogPerplexity => format!("`{}`, seed {seed}: no perplexity was measured", arm.name),
        })
    }

    /// Every model without a result.
    pub fn failures(&self) -> Vec<Failure> {
        let cells = self.record.cells.iter();
        cells
            .filter_map(|cell| match self.scores.get(&CellKey::from(cell)) {
                Some(Err(reason)) => Some(Failure {
                    arm: cell.arm.clone(),
                    spec: cell.spec.clone(),
                    seed: cell.seed,
                    reason: reason.clone(),
                }),
                _ => None,
            })
            .collect()
    }
}

impl Scores {
    /// The scores of the held-out pairs for a value.
    pub fn items(&self, value: &Value) -> &[ItemScore] {
        self.values.get(value).map_or(&[], Vec::as_slice)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.pole)
    }
}

/// The arithmetic mean; `None` of nothing.
pub(super) fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0usize), |(sum, count), number| (sum + number, count + 1));
    (count > 0).then(|| sum / count as f64)
}

fn specs(record: &RunRecord) -> Vec<SpecSummary> {
    let value = |attribute: &Option<String>, pole: &Option<String>| {
        Some(Value { attribute: attribute.clone()?, pole: pole.clone()? })
    };
    let specs = record.specs.iter();
    specs
        .map(|spec| SpecSummary {
            name: spec.name.clone(),
            title: spec.title.clone(),
            target: value(&spec.attribute, &spec.pole),
            rival: value(&spec.rival_attribute, &spec.rival_pole),
        })
        .collect()
}

/// The values of the specs, in their order, then the poles of all other attributes that the items measure.
fn values(specs: &[SpecSummary], results: &Results) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for value in specs.iter().flat_map(|spec| spec.target.iter().chain(&spec.rival)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    let measured: BTreeSet<Value> = results
        .values()
        .flat_map(|cell| &cell.preferences)
        .filter(|result| result.item.held_out)
        .map(|result| Value { attribute: result.item.attribute.clone(), pole: result.item.pole.clone() })
        .collect();
    for value in measured {
        if !values.iter().any(|known| known.attribute == value.attribute) {
            values.push(value);
        }
    }
    values
}

fn score(found: &CellResults, values: &[Value]) -> Result<Scores, String> {
    let mut scores = Scores::default();
    for result in &found.preferences {
        let (rate, probability) = (result.rate(), result.probability());
        if !rate.is_finite() || !probability.is_finite() {
            return Err(format!("item `{}` has no finite probability", result.item.id));
        }
        let entry = ItemScore { domain: result.item.domain.clone(), rate, probability };
        if !result.item.held_out {
            scores.in_domain.push(entry);
            continue;
        }
        for value in values.iter().filter(|value| value.attribute == result.item.attribute) {
            // An attribute has two poles, so that the rate of one is what the other leaves.
            let entry = if value.pole == result.item.pole {
                entry.clone()
            } else {
                ItemScore { domain: entry.domain.clone(), rate: 1.0 - rate, probability: 1.0 - probability }
            };
            scores.values.entry(value.clone()).or_default().push(entry);
        }
    }
    let (nll, tokens) =
        found.texts.iter().fold((0.0, 0), |(nll, tokens), text| (nll + text.nll, tokens + text.tokens));
    if tokens > 0 {
        let mean = nll / tokens as f64;
        if !mean.is_finite() {
            return Err("the perplexity is not a finite number".to_owned());
        }
        scores.log_perplexity = Some(mean);
    }
    Ok(scores)
}

/// Refuses results over different items or by different scorers.
fn comparable(results: &Results) -> Result<(), FindingsError> {
    same("preferences", results, |cell| cell.preferences.iter().map(identity).collect())?;
    same("capability", results, |cell| {
        cell.texts.iter().map(|text| (text.id.clone(), text.tokens.to_string())).collect()
    })
}

fn identity(result: &PreferenceResult) -> (String, String) {
    (result.item.id.clone(), format!("{} / {}", result.item.choice, result.item.other))
}

fn same(
    suite: &str,
    results: &Results,
    items: impl Fn(&CellResults) -> Vec<(String, String)>,
) -> Result<(), FindingsError> {
    let mut first = None;
    for (key, cell) in results {
        let mut found = items(cell);
        if found.is_empty() {
            continue;
        }
        found.sort();
        let asked = (found, cell.scorers.get(suite));
        match &first {
            None => first = Some((key, asked)),
            Some((_, expected)) if *expected == asked => {}
            Some((other, _)) => {
                return Err(FindingsError::NotComparable {
                    suite: suite.to_owned(),
                    first: other.to_string(),
                    second: key.to_string(),
                });
            }
        }
    }
    Ok(())
}

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.spec {
            Some(spec) => write!(f, "arm `{}` ({spec}, seed {})", self.arm, self.seed),
            None => write!(f, "arm `{}` (seed {})", self.arm, self.seed),
        }
    }
}
