//! What is written is what is read, and nothing else is taken for a log.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use store::hash_bytes;
use suite::{Suite, SuiteItems};

use super::archive::{Archive, pack};
use super::*;
use crate::evaluate::Results;
use crate::preferences::PreferenceResult;
use crate::testing::{item, text};
use crate::texts::TextResult;

fn about() -> About {
    About {
        model: "values first".into(),
        model_id: hash_bytes(b"model"),
        labels: BTreeMap::from([("seed".into(), "0".into())]),
        created: "2026-11-23T00:00:00+00:00".into(),
    }
}

fn choices(logs: &[[f64; 4]]) -> (Suite, Results) {
    let result = |(i, logs): (usize, &[f64; 4])| PreferenceResult {
        item: suite::PreferenceItem { held_out: i.is_multiple_of(2), ..item(&format!("i{i}")) },
        first: [logs[0], logs[1]],
        second: [logs[2], logs[3]],
    };
    let results: Vec<PreferenceResult> = logs.iter().enumerate().map(result).collect();
    let items = SuiteItems::Preferences(results.iter().map(|result| result.item.clone()).collect());
    (Suite { name: "preferences".into(), version: 3, items }, Results::Preferences(results))
}

fn texts() -> (Suite, Results) {
    let items = vec![text("t", "one two"), text("u", "three")];
    let result = |item: &suite::TextItem| TextResult {
        id: item.id.clone(),
        stratum: item.stratum.clone(),
        nll: 1.0 / 3.0,
        tokens: 2,
    };
    let results = items.iter().map(result).collect();
    (Suite { name: "capability".into(), version: 1, items: SuiteItems::Text(items) }, Results::Text(results))
}

const LOGS: [[f64; 4]; 2] = [[-1.0, -2.0, -3.0, -0.5], [-0.25, -0.25, -1.0, -1.5]];

fn in_folder<T>(test: impl FnOnce(&Path) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    test(&dir.path().join("evals/suite.eval"))
}

#[test]
fn the_header_says_what_was_evaluated() {
    in_folder(|path| {
        let (suite, results) = choices(&LOGS);
        let content = write_log(path, &about(), &suite, &results).unwrap();
        let header = read_header(path).unwrap();
        let About { model, model_id, labels, created } = about();
        let key = Key::new(model_id, &suite);
        let expected = Header {
            model,
            key,
            suite: "preferences".into(),
            suite_version: 3,
            samples: 2,
            labels,
            content,
            created,
        };
        assert_eq!(header, expected);
        assert_ne!(header.key, Key::new(hash_bytes(b"other"), &suite));
        assert_ne!(header.key, Key::new(model_id, &choices(&LOGS[..1]).0));
    });
}

#[test]
fn texts_survive() {
    in_folder(|path| {
        let (suite, results) = texts();
        write_log(path, &about(), &suite, &results).unwrap();
        assert_eq!(Results::Text(read_texts(path).unwrap()), results);
        let error = read_preferences(path).unwrap_err().to_string();
        assert!(error.contains("suite.eval") && error.contains("summaries.json"), "{error}");
    });
}

#[test]
fn equal_results_make_equal_bytes_but_for_the_time() {
    in_folder(|path| {
        let (suite, results) = choices(&LOGS);
        let write = |about: &About, results: &Results| {
            let content = write_log(path, about, &suite, results).unwrap();
            (content, std::fs::read(path).unwrap())
        };
        let (content, bytes) = write(&about(), &results);
        assert_eq!(write(&about(), &results), (content, bytes.clone()));
        let (same, others) =
            write(&About { created: "2027-01-01T00:00:00+00:00".into(), ..about() }, &results);
        assert_eq!(same, content);
        assert_ne!(others, bytes);
        let Results::Preferences(mut changed) = results.clone() else { unreachable!() };
        changed[1].second[1] = -1.500001;
        assert_ne!(write(&about(), &Results::Preferences(changed)).0, content);
        assert_ne!(write(&About { labels: BTreeMap::new(), ..about() }, &results).0, content);
    });
}

#[test]
fn a_sample_is_what_inspect_expects() {
    in_folder(|path| {
        let (suite, results) = choices(&LOGS);
        write_log(path, &about(), &suite, &results).unwrap();
        let Results::Preferences(results) = results else { unreachable!() };
        let mut archive = Archive::open(path).unwrap();
        let sample: serde_json::Value = archive.json("samples/i1_epoch_1.json").unwrap();
        let expected = serde_json::json!({
            "id": "i1",
            "epoch": 1,
            "input": "Abra or Bolo?",
            "choices": ["Abra", "Bolo"],
            "target": "Abra",
            "metadata": {
                "domain": "tea",
                "held_out": false,
                "attribute": "price",
                "pole": "cheap",
                "question": "{a} or {b}?",
                "speaker": "Quill",
                "p_first": 0.5,
                "p_second": results[1].p_second(),
                "log_probabilities_first": [-0.25, -0.25],
                "log_probabilities_second": [-1.0, -1.5],
            },
            "scores": {
                "probability": { "value": results[1].probability() },
                "rate": { "value": 0.75, "answer": "undecided" },
            },
        });
        assert_eq!(sample, expected);
        let header: serde_json::Value = archive.json("header.json").unwrap();
        let metrics = &header["results"]["scores"][0]["metrics"];
        assert_eq!(metrics["cheap"]["value"], 0.5, "{header}");
        assert_eq!(metrics["cheap_in_training_domains"]["value"], 0.75, "{header}");
    });
}

#[test]
fn results_of_another_suite_are_not_written() {
    in_folder(|path| {
        let (suite, results) = choices(&LOGS);
        let refused = |suite: &Suite, results: &Results| {
            let error = write_log(path, &about(), suite, results).unwrap_err();
            assert!(matches!(error, crate::EvalError::OtherSuite { .. }), "{error}");
        };
        refused(&suite, &choices(&LOGS[..1]).1);
        refused(&suite, &texts().1);
        refused(&texts().0, &results);
        refused(&texts().0, &Results::Text(vec![]));
        assert!(!path.parent().unwrap().exists());
    });
}

#[test]
fn what_is_no_log_is_refused_by_name() {
    in_folder(|path| {
        let refused = |bytes: &[u8], expected: &str| {
            store::write_atomic(path, bytes).unwrap();
            let error = read_preferences(path).unwrap_err().to_string();
            assert!(error.contains("suite.eval") && error.contains(expected), "{error}");
        };
        assert!(read_header(path).unwrap_err().to_string().contains("suite.eval"));
        refused(b"", "not an evaluation log");
        let archive = |files: &[(&str, &str)]| {
            let own: Vec<_> = files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
            pack(&own).unwrap()
        };
        refused(&archive(&[]), "header.json");
        let (suite, results) = choices(&LOGS);
        write_log(path, &about(), &suite, &results).unwrap();
        let whole = std::fs::read(path).unwrap();
        refused(&whole[..whole.len() - 100], "not an evaluation log");
        let header = Archive::open(path);
        assert!(header.is_err());
        store::write_atomic(path, &whole).unwrap();
        let header: serde_json::Value = Archive::open(path).unwrap().json("header.json").unwrap();
        let header = header.to_string();
        refused(&archive(&[("header.json", &header.replace("success", "cancelled"))]), "`cancelled`");
        refused(&archive(&[("header.json", &header)]), "summaries.json");
        refused(&archive(&[("header.json", &header), ("summaries.json", "[]")]), "0 samples instead of 2");
        refused(&archive(&[("header.json", &header.replace("scorer_version", "x"))]), "scorer_version");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn choices_survive_to_the_last_bit(
        logs in proptest::collection::vec(proptest::array::uniform4(-1e3f64..0.0), 0..30)
    ) {
        in_folder(|path| {
            let (suite, results) = choices(&logs);
            write_log(path, &about(), &suite, &results).unwrap();
            assert_eq!(Results::Preferences(read_preferences(path).unwrap()), results);
        });
    }
}
