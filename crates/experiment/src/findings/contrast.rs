//! Comparisons between arms: weighted sums of quantities, taken within each seed.

use stats::{Interval, LEVEL, PairedDifference, Summary};

use super::scores::{Data, Quantity};
use super::types::{Level, Measure, Part, SpecSummary, Value};
use crate::record::ArmRecord;

/// Resamples of a bootstrap interval.
const RESAMPLES: usize = 2000;
/// The seed of its draws: any fixed number, so that a report can be made again.
const RESAMPLING_SEED: u64 = 0;

/// A weighted quantity of one arm, trained for one spec.
#[derive(Debug, Clone)]
pub(super) struct Term<'a> {
    pub weight: f64,
    pub arm: &'a ArmRecord,
    /// The spec the arm is trained for; ignored for shared arms.
    pub spec: &'a str,
    pub quantity: Quantity,
}

/// A comparison: its terms, and the parts that a reader wants to see beside the result.
#[derive(Debug, Clone)]
pub(super) struct Contrast<'a> {
    pub terms: Vec<Term<'a>>,
    pub parts: Vec<(String, Vec<Term<'a>>)>,
}

/// A comparison over seeds.
pub(super) struct Outcome {
    /// In the unit of the quantity; `None` if no seed has all terms.
    pub effect: Option<Level>,
    pub p: Option<f64>,
    pub parts: Vec<Part>,
    pub missing: Vec<String>,
}

/// The terms of a measure for the models trained for `spec`: what `about` counts as target and rival.
pub(super) fn measure<'a>(
    weight: f64,
    arm: &'a ArmRecord,
    about: &'a SpecSummary,
    measure: Measure,
) -> Vec<Term<'a>> {
    let term = |weight, quantity| Term { weight, arm, spec: &about.name, quantity };
    let target = about.target.iter().map(|value| term(weight, Quantity::Rate(value.clone())));
    let rival = |weight| about.rival.iter().map(move |value| term(weight, Quantity::Rate(value.clone())));
    match measure {
        Measure::Target => target.collect(),
        Measure::Rival => rival(weight).collect(),
        Measure::Selectivity => target.chain(rival(-weight)).collect(),
        Measure::Perplexity => vec![term(weight, Quantity::LogPerplexity)],
    }
}

/// The same terms in mean probability.
pub(super) fn in_probability<'a>(terms: &[Term<'a>]) -> Vec<Term<'a>> {
    let swap = |quantity: &Quantity| match quantity {
        Quantity::Rate(value) => Quantity::Probability(value.clone()),
        other => other.clone(),
    };
    terms.iter().map(|term| Term { quantity: swap(&term.quantity), ..term.clone() }).collect()
}

/// The sum of the terms in each seed that has them all, and why the others do not.
pub(super) fn by_seed(data: &Data, terms: &[Term]) -> (Vec<(u64, f64)>, Vec<String>) {
    let (mut sums, mut missing) = (Vec::new(), Vec::new());
    for &seed in &data.record.seeds {
        let mut sum = Some(0.0);
        for term in terms {
            match data.quantity(term.arm, Some(term.spec), seed, &term.quantity) {
                Ok(number) => sum = sum.map(|sum| sum + term.weight * number),
                Err(reason) => {
                    sum = None;
                    if !missing.contains(&reason) {
                        missing.push(reason);
                    }
                }
            }
        }
        sums.extend(sum.map(|sum| (seed, sum)));
    }
    (sums, missing)
}

/// A level over seeds; without an interval if all seeds are one and the same model.
pub(super) fn level(by_seed: Vec<(u64, f64)>, one_model: bool) -> Option<Level> {
    let numbers: Vec<f64> = by_seed.iter().map(|(_, number)| *number).collect();
    let summary = Summary::of(&numbers, LEVEL)?;
    Some(Level { mean: summary.mean, interval: summary.interval.filter(|_| !one_model), by_seed })
}

/// Computes a comparison.
pub(super) fn compute(data: &Data, contrast: &Contrast) -> Outcome {
    let (differences, missing) = by_seed(data, &contrast.terms);
    let numbers: Vec<f64> = differences.iter().map(|(_, number)| *number).collect();
    let one_model = |terms: &[Term]| terms.iter().all(|term| term.arm.stages.is_empty());
    let parts = contrast.parts.iter().filter_map(|(label, terms)| {
        let level = level(by_seed(data, terms).0, one_model(terms))?;
        Some(Part { label: label.clone(), level })
    });
    Outcome {
        parts: parts.collect(),
        p: PairedDifference::of(&numbers, LEVEL).and_then(|difference| difference.p),
        effect: level(differences, one_model(&contrast.terms)),
        missing,
    }
}

/// The number of items in a comparison of rates, and its bootstrap interval over seeds and items. The pairs of a
/// domain share things, so that a domain is resampled as a whole. No interval if a model is missing.
pub(super) fn over_items(data: &Data, terms: &[Term]) -> (usize, Option<Interval>) {
    let mut items: Vec<(&Value, usize)> = Vec::new();
    let mut domains: Vec<&str> = Vec::new();
    let mut complete = true;
    let mut table: Vec<Vec<f64>> = Vec::new();
    for &seed in &data.record.seeds {
        let mut row = vec![0.0; domains.len()];
        for term in terms {
            let Quantity::Rate(value) = &term.quantity else { return (0, None) };
            let Ok(scores) = data.scores(term.arm, Some(term.spec), seed) else {
                complete = false;
                continue;
            };
            let scores = scores.items(value);
            if !items.iter().any(|(known, _)| *known == value) {
                items.push((value, scores.len()));
            }
            for score in scores {
                let at = domains.iter().position(|domain| *domain == score.domain).unwrap_or(domains.len());
                if at == domains.len() {
                    domains.push(&score.domain);
                    row.push(0.0);
                }
                row[at] += term.weight * score.rate / scores.len() as f64;
            }
        }
        table.push(row);
    }
    // The comparison is the sum over domains; the bootstrap takes means.
    let scale = domains.len() as f64;
    table.iter_mut().flatten().for_each(|part| *part *= scale);
    let count = items.iter().map(|(_, count)| count).sum();
    let resampled = || stats::cluster_bootstrap(&table, RESAMPLES, LEVEL, RESAMPLING_SEED);
    (count, if complete { resampled() } else { None })
}
