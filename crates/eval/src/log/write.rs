//! Writing a log.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use store::{Hash, IdBuilder};
use suite::{Suite, SuiteItems};

use super::archive::pack;
use super::header::{About, Key, Stamp};
use super::metrics::{metrics, score_names};
use super::sample::Sample;
use crate::error::{EvalError, Result};
use crate::evaluate::Results;

/// Writes the results of a model for a suite as a log, atomically, and returns the hash of its contents
/// ([`Header::content`](super::Header::content)).
///
/// # Errors
/// When the results are not those of the suite's items, in order, or the file cannot be written.
pub fn write_log(path: impl AsRef<Path>, about: &About, suite: &Suite, results: &Results) -> Result<Hash> {
    let path = path.as_ref();
    let samples = samples(suite, results)?;
    let summaries = samples.summaries();
    let key = Key::new(about.model_id, suite);
    let content = content(about, &key, &summaries);
    let stamp = Stamp {
        suite: suite.name.clone(),
        suite_version: suite.version,
        labels: about.labels.clone(),
        key,
        content,
    };
    let mut files = vec![
        ("header.json".to_owned(), header(about, &stamp, results, samples.files.len()).to_string()),
        ("summaries.json".to_owned(), summaries),
        ("reductions.json".to_owned(), Value::Array(samples.reductions).to_string()),
    ];
    files.extend(samples.files.into_iter().map(|(id, json)| (format!("samples/{id}_epoch_1.json"), json)));
    let bytes = pack(&files).map_err(|error| EvalError::log(path, error))?;
    store::write_atomic(path, &bytes)?;
    Ok(content)
}

/// The hash of everything but the time of creation; the summaries hold all that samples hold.
fn content(about: &About, key: &Key, summaries: &str) -> Hash {
    let id =
        IdBuilder::new("log").text("name", &about.model).hash("model", key.model).hash("suite", key.suite);
    let id = id.text("scorer", &key.scorer).number("scorer version", key.scorer_version.into());
    let labels = about.labels.iter().fold(id, |id, (name, value)| id.text(name, value));
    labels.text("summaries", summaries).finish()
}

/// The samples of a log, as JSON.
struct Samples {
    /// Id and JSON of each.
    files: Vec<(String, String)>,
    /// What Inspect calls reductions: each score's values over its epochs, of which there is one.
    reductions: Vec<Value>,
}

impl Samples {
    fn new<M: Serialize>(names: &[&str], samples: Vec<Sample<M>>) -> Samples {
        let values = |name: &str| -> Vec<Value> {
            let value =
                |sample: &Sample<M>| json!({ "value": sample.scores[name].value, "sample_id": sample.id });
            samples.iter().map(value).collect()
        };
        let reduction = |name: &&str| json!({ "scorer": name, "reducer": "mean", "samples": values(name) });
        let reductions = names.iter().map(reduction).collect();
        let files = samples.iter().map(|sample| (sample.id.clone(), sample.json())).collect();
        Samples { files, reductions }
    }

    /// `summaries.json`: every sample once more, and that it is complete.
    fn summaries(&self) -> String {
        let complete = |json: &str| format!("{},\"completed\":true}}", &json[..json.len() - 1]);
        let all: Vec<String> = self.files.iter().map(|(_, json)| complete(json)).collect();
        format!("[{}]", all.join(",\n"))
    }
}

fn samples(suite: &Suite, results: &Results) -> Result<Samples> {
    let other = |problem: String| EvalError::OtherSuite { suite: suite.name.clone(), problem };
    suite.validate().map_err(|error| other(error.to_string()))?;
    let names = score_names(results);
    match (&suite.items, results) {
        (SuiteItems::Preferences(items), Results::Preferences(results)) => {
            if !items.iter().eq(results.iter().map(|result| &result.item)) {
                return Err(other("the items differ".to_owned()));
            }
            Ok(Samples::new(names, results.iter().map(Sample::preference).collect()))
        }
        (SuiteItems::Text(items), Results::Text(results)) => {
            let same = |pair: (_, _)| {
                let (item, result): (&suite::TextItem, &crate::TextResult) = pair;
                item.id == result.id && item.stratum == result.stratum
            };
            if items.len() != results.len() || !items.iter().zip(results).all(same) {
                return Err(other("the items differ".to_owned()));
            }
            let pairs = items.iter().zip(results);
            Ok(Samples::new(names, pairs.map(|(item, result)| Sample::text(item, result)).collect()))
        }
        _ => Err(other("they are of another kind".to_owned())),
    }
}

/// `header.json`: Inspect's `EvalLog` without samples, schema version 2.
fn header(about: &About, stamp: &Stamp, results: &Results, count: usize) -> Value {
    let names = score_names(results);
    // Inspect wants ids of its own for runs; these are the same for the same log.
    let id = stamp.content.short();
    let scores = names.iter().map(|name| {
        json!({
            "name": name,
            "scorer": name,
            "scored_samples": count,
            "unscored_samples": 0,
            "metrics": metrics(results, name),
            "metadata": { "scorer": stamp.key.scorer, "scorer_version": stamp.key.scorer_version },
        })
    });
    let scorers = names.iter().map(|name| {
        json!({
            "name": name,
            "metadata": { "scorer": stamp.key.scorer, "scorer_version": stamp.key.scorer_version },
        })
    });
    json!({
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": id,
            "run_id": id,
            "created": about.created,
            "task": format!("whyfirst/{}", stamp.suite),
            "task_id": id,
            "task_version": stamp.suite_version,
            "dataset": { "name": stamp.suite, "samples": count, "shuffled": false },
            "model": about.model,
            "config": { "epochs": 1 },
            "packages": { "whyfirst": env!("CARGO_PKG_VERSION") },
            "metadata": stamp,
            "scorers": scorers.collect::<Vec<_>>(),
        },
        "plan": { "name": "plan", "steps": [], "config": {} },
        "results": {
            "total_samples": count,
            "completed_samples": count,
            "scores": scores.collect::<Vec<_>>(),
        },
        "stats": { "started_at": "", "completed_at": "" },
    })
}
