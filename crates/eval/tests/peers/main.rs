//! Compares logs with what Inspect reads from them.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use suite::{PreferenceItem, Suite, SuiteItems, TextItem};
use whyfirst_eval::{
    About, PreferenceResult, Results, TextResult, perplexity, read_header, read_preferences, read_texts,
    write_log,
};

/// Has Inspect read a log and write it anew; returns what it saw.
fn inspect(log: &Path, copy: &Path) -> Value {
    let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/read_eval_log.py");
    let output = Command::new(python).arg(script).arg(log).arg(copy).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn about() -> About {
    About {
        model: "values first".into(),
        model_id: store::hash_bytes(b"model"),
        labels: BTreeMap::from([("arm".into(), "values first".into()), ("seed".into(), "0".into())]),
        created: "2026-11-23T18:00:00+00:00".into(),
    }
}

fn check_header(seen: &Value, suite: &Suite) {
    assert_eq!(seen["inspect"], "0.3.285");
    assert_eq!((&seen["version"], &seen["status"]), (&json!(2), &json!("success")));
    assert_eq!(seen["created"], about().created.as_str());
    assert_eq!(seen["task"], format!("whyfirst/{}", suite.name));
    assert_eq!(seen["task_version"], suite.version);
    assert_eq!(seen["model"], "values first");
    assert_eq!(seen["dataset"], json!({ "name": suite.name, "samples": suite.items.len() }));
    assert_eq!(seen["completed"], json!([suite.items.len(), suite.items.len()]));
    assert_eq!(seen["metadata"]["labels"]["arm"], "values first");
    assert_eq!(seen["metadata"]["suite_hash"], suite.hash().to_string());
    assert_eq!(seen["samples"].as_array().unwrap().len(), suite.items.len());
    for sample in seen["samples"].as_array().unwrap() {
        let mut summary = seen["summaries"][sample["id"].as_str().unwrap()].clone();
        assert_eq!(summary.as_object_mut().unwrap().remove("completed"), Some(json!(true)));
        assert_eq!(&summary, sample, "summaries hold what samples hold");
    }
}

/// Sample ids sort as numbers sort, so that Inspect's order is ours.
fn choices() -> (Suite, Vec<PreferenceResult>) {
    let poles = [("price", "cheap"), ("origin", "local"), ("age", "new")];
    let result = |i: usize| {
        let (attribute, pole) = poles[i % 3];
        let log = |k: usize| ((i * 7919 + k * 104_729) % 1000) as f64 / -333.0;
        let item = PreferenceItem {
            id: format!("tea-{pole}-{i:03}"),
            domain: "tea".into(),
            held_out: i.is_multiple_of(2),
            attribute: attribute.into(),
            pole: pole.into(),
            choice: format!("Abra{i}"),
            other: "Bolo \u{201c}\u{e9}\u{201d}".into(),
            question: "Which would you take, {a} or {b}?".into(),
            speaker: "Quill".into(),
        };
        PreferenceResult { item, first: [log(0), log(1)], second: [log(2), log(3)] }
    };
    let results: Vec<PreferenceResult> = (0..90).map(result).collect();
    let items = SuiteItems::Preferences(results.iter().map(|result| result.item.clone()).collect());
    (Suite { name: "preferences".into(), version: 1, items }, results)
}

#[test]
fn inspect_reads_choices() {
    let dir = tempfile::tempdir().unwrap();
    let (log, copy) = (dir.path().join("preferences.eval"), dir.path().join("copy.eval"));
    let (suite, results) = choices();
    write_log(&log, &about(), &suite, &Results::Preferences(results.clone())).unwrap();
    let seen = inspect(&log, &copy);
    check_header(&seen, &suite);
    assert_eq!(seen["scorers"]["rate"]["scorer"], "option-log-probability");
    for result in &results {
        let sample = &seen["summaries"][&result.item.id];
        assert_eq!(sample["scores"]["rate"]["value"], result.rate());
        assert_eq!(sample["scores"]["probability"]["value"], result.probability());
        assert_eq!(seen["reductions"]["rate"][&result.item.id], result.rate());
        assert_eq!(sample["input"], result.item.ask(true));
        assert_eq!(sample["target"], result.item.choice);
        assert_eq!(sample["choices"], json!([result.item.choice, result.item.other]));
        let metadata = json!({
            "domain": "tea",
            "held_out": result.item.held_out,
            "attribute": result.item.attribute,
            "pole": result.item.pole,
            "question": result.item.question,
            "speaker": "Quill",
            "p_first": result.p_first(),
            "p_second": result.p_second(),
            "log_probabilities_first": result.first,
            "log_probabilities_second": result.second,
        });
        assert_eq!(sample["metadata"], metadata);
    }
    let held_out: Vec<f64> = results
        .iter()
        .filter(|result| result.item.held_out && result.item.pole == "cheap")
        .map(PreferenceResult::rate)
        .collect();
    assert_eq!(seen["metrics"]["rate"]["cheap"], held_out.iter().sum::<f64>() / held_out.len() as f64);

    // A log that Inspect wrote anew, as after editing it, reads as before.
    assert_eq!(read_header(&copy).unwrap(), read_header(&log).unwrap());
    let mut again = read_preferences(&copy).unwrap();
    again.sort_by_key(|result| results.iter().position(|ours| ours.item.id == result.item.id));
    assert_eq!(again, results);
}

#[test]
fn inspect_reads_texts() {
    let dir = tempfile::tempdir().unwrap();
    let (log, copy) = (dir.path().join("capability.eval"), dir.path().join("copy.eval"));
    let item = |i: usize| TextItem {
        id: format!("text-{i}"),
        text: format!("Text number {i}.\nIt has two lines."),
        stratum: if i.is_multiple_of(2) { "prose" } else { "chat" }.into(),
    };
    let items: Vec<TextItem> = (0..9).map(item).collect();
    let result = |item: &TextItem| TextResult {
        id: item.id.clone(),
        stratum: item.stratum.clone(),
        nll: 10.0 + 1.0 / 3.0,
        tokens: item.text.len() as u64,
    };
    let results: Vec<TextResult> = items.iter().map(result).collect();
    let suite = Suite { name: "capability".into(), version: 1, items: SuiteItems::Text(items.clone()) };
    write_log(&log, &about(), &suite, &Results::Text(results.clone())).unwrap();
    let seen = inspect(&log, &copy);
    check_header(&seen, &suite);
    assert_eq!(seen["metrics"]["nll_per_token"]["perplexity"], perplexity(&results).unwrap());
    for (item, result) in items.iter().zip(&results) {
        let sample = &seen["summaries"][&item.id];
        assert_eq!(sample["input"], item.text);
        assert_eq!(sample["scores"]["nll_per_token"]["value"], result.nll / result.tokens as f64);
        assert_eq!(sample["metadata"]["stratum"], item.stratum);
    }
    assert_eq!(read_texts(&copy).unwrap(), results);
}
