//! The aggregate scores in a log's header: what Inspect shows of a log before it is opened.
//!
//! They are a convenience for readers of single logs; reports compute their own from the samples.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::evaluate::Results;
use crate::preferences::PreferenceResult;
use crate::texts::{TextResult, perplexity};

/// The names of the scores that samples of this kind have, the leading one first.
pub(crate) fn score_names(results: &Results) -> &'static [&'static str] {
    match results {
        Results::Preferences(_) => &["rate", "probability"],
        Results::Text(_) => &["nll_per_token"],
    }
}

/// The aggregates of one score, by metric.
pub(crate) fn metrics(results: &Results, score: &str) -> Map<String, Value> {
    let values: Vec<(String, f64)> = match results {
        Results::Preferences(results) if score == "rate" => by_pole(results, PreferenceResult::rate),
        Results::Preferences(results) => by_pole(results, PreferenceResult::probability),
        Results::Text(results) => by_stratum(results),
    };
    values.into_iter().map(|(name, value)| (name.clone(), json!({ "name": name, "value": value }))).collect()
}

/// Means for each pole: over held-out domains under the pole's own name, over training domains apart.
fn by_pole(results: &[PreferenceResult], value: impl Fn(&PreferenceResult) -> f64) -> Vec<(String, f64)> {
    let mut groups: BTreeMap<(bool, &str), (f64, usize)> = BTreeMap::new();
    for result in results {
        let (sum, count) = groups.entry((!result.item.held_out, &result.item.pole)).or_default();
        *sum += value(result);
        *count += 1;
    }
    let mean = |((trained, pole), (sum, count)): ((bool, &str), (f64, usize))| {
        let name = if trained { format!("{pole}_in_training_domains") } else { pole.to_owned() };
        (name, sum / count as f64)
    };
    groups.into_iter().map(mean).collect()
}

/// The perplexity over all texts, and over each stratum.
fn by_stratum(results: &[TextResult]) -> Vec<(String, f64)> {
    let mut groups: BTreeMap<&str, Vec<&TextResult>> = BTreeMap::new();
    for result in results {
        groups.entry(&result.stratum).or_default().push(result);
    }
    let all = perplexity(results).map(|value| ("perplexity".to_owned(), value));
    let each = groups
        .into_iter()
        .filter_map(|(stratum, group)| Some((format!("perplexity_{stratum}"), perplexity(group)?)));
    all.into_iter().chain(each).collect()
}
