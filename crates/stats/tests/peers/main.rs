//! Compares intervals, p-values and adjustments with SciPy and statsmodels.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use whyfirst_stats::{Interval, PairedDifference, Summary, cluster_bootstrap, holm, wilson};

/// Has Python answer questions; see `reference.py` for the form of both.
fn ask(questions: Value) -> Value {
    let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/reference.py");
    let mut child =
        Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(questions.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Numbers in -1..1 that are the same in every run; a period far longer than any list here.
fn numbers(seed: u64) -> impl Iterator<Item = f64> {
    (0..).map(move |i: u64| {
        let mut z = (seed * 1_000_003 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    })
}

fn close(found: f64, expected: &Value, tolerance: f64) -> bool {
    (found - expected.as_f64().unwrap()).abs() <= tolerance
}

fn ends_close(found: Interval, expected: &Value, tolerance: f64) -> bool {
    close(found.low, &expected[0], tolerance) && close(found.high, &expected[1], tolerance)
}

#[test]
fn student_agrees_with_scipy() {
    let levels = [0.8, 0.95, 0.99];
    let lists: Vec<Vec<f64>> =
        [2, 3, 5, 8, 30].iter().map(|n| numbers(*n).take(*n as usize).map(|x| x + 0.3).collect()).collect();
    let answers = ask(json!({ "kind": "student", "lists": lists, "levels": levels }));
    for (values, answers) in lists.iter().zip(answers.as_array().unwrap()) {
        for (level, answer) in levels.iter().zip(answers["intervals"].as_array().unwrap()) {
            let found = Summary::of(values, *level).unwrap();
            assert!(close(found.sd.unwrap(), &answers["sd"], 1e-12), "{found:?} {answers}");
            // Relative to the width: with one degree of freedom the 99% interval is 60 standard deviations
            // wide.
            let width = answer[1].as_f64().unwrap() - answer[0].as_f64().unwrap();
            assert!(ends_close(found.interval.unwrap(), answer, 1e-7 * width), "{found:?} {answer}");
        }
        // A paired test of values against what is left of them after the values themselves are taken away.
        let shifted: Vec<f64> = values.iter().map(|value| value * 0.5).collect();
        let rest: Vec<f64> = values.iter().zip(&shifted).map(|(value, half)| half - value).collect();
        let found = PairedDifference::between(&shifted, &rest, 0.95).unwrap();
        assert!(close(found.p.unwrap(), &answers["p"], 1e-9), "{found:?} {answers}");
    }
}

#[test]
fn wilson_agrees_with_scipy_and_statsmodels() {
    let mut cases = Vec::new();
    for n in [1, 2, 7, 20, 100, 3000] {
        cases.extend([0, 1, n / 3, n / 2, n - 1, n].map(|k| (k, n)));
    }
    for level in [0.8, 0.95, 0.99] {
        let answers = ask(json!({ "kind": "wilson", "cases": cases, "level": level }));
        for ((k, n), answer) in cases.iter().zip(answers.as_array().unwrap()) {
            let found = wilson(f64::from(*k), *n as usize, level).unwrap();
            for library in ["scipy", "statsmodels"] {
                assert!(ends_close(found, &answer[library], 1e-9), "{k} of {n}: {found:?} {answer}");
            }
        }
    }
}

#[test]
fn holm_agrees_with_statsmodels() {
    let mut lists: Vec<Vec<f64>> =
        (1..20).map(|n| numbers(n).take(n as usize).map(|x| (x * x * x).abs()).collect()).collect();
    // Ties, and values that adjust to more than 1.
    lists.push(vec![0.01, 0.01, 0.03, 0.03, 0.9, 1.0, 0.0]);
    let answers = ask(json!({ "kind": "holm", "lists": lists }));
    for (p_values, answer) in lists.iter().zip(answers.as_array().unwrap()) {
        let found = holm(&p_values.iter().copied().map(Some).collect::<Vec<_>>());
        for (found, expected) in found.into_iter().zip(answer.as_array().unwrap()) {
            assert!(close(found.unwrap(), expected, 1e-12), "{p_values:?}: {found:?} {expected}");
        }
    }
}

/// The bootstrap draws seeds and items independently of each other, which is what SciPy does with two
/// samples, the numbers of the seeds and the numbers of the items, when the statistic looks the values up.
///
/// Two bootstraps differ by their draws. The 2.5% point of `B` draws from a nearly normal distribution of
/// standard deviation `s` has a standard error of `sqrt(0.025 * 0.975 / B) / (phi(1.96) / s)`, that is `2.67
/// s / sqrt(B)`; the bound is four of them for both together. It is 2% of the width at most, and an interval
/// over seeds alone, or over items alone, or over all values at once would be off by more: that is checked as
/// well.
#[test]
fn the_bootstrap_agrees_with_scipy() {
    const OURS: usize = 200_000;
    const THEIRS: usize = 40_000;
    // Seeds and items with effects of their own, so that leaving either out would show.
    let table = |seed: u64, seeds: usize, items: usize, of_seeds: f64, of_items: f64| -> Vec<Vec<f64>> {
        let mut random = numbers(seed);
        let mut next = |scale: f64| scale * random.next().unwrap();
        let item_effects: Vec<f64> = (0..items).map(|_| next(of_items)).collect();
        let row = |seed_effect: f64, next: &mut dyn FnMut(f64) -> f64| -> Vec<f64> {
            item_effects.iter().map(|item| 0.2 + seed_effect + item + next(1.0)).collect()
        };
        (0..seeds)
            .map(|_| {
                let seed_effect = next(of_seeds);
                row(seed_effect, &mut next)
            })
            .collect()
    };
    let tables = [table(1, 12, 40, 0.4, 1.0), table(2, 30, 20, 0.1, 2.0), table(3, 20, 100, 0.5, 0.0)];
    let answers = ask(json!({ "kind": "bootstrap", "tables": tables, "resamples": THEIRS }));
    for (values, answer) in tables.iter().zip(answers.as_array().unwrap()) {
        let found = cluster_bootstrap(values, OURS, 0.95, 5).unwrap();
        let error = answer["standard_error"].as_f64().unwrap();
        let draws = 1.0 / OURS as f64 + 1.0 / THEIRS as f64;
        let bound = 4.0 * 2.67 * error * draws.sqrt();
        println!("{found:?} {answer}, bound {bound}");
        assert!(ends_close(found, &answer["both"], bound), "{found:?} {answer}, bound {bound}");
        let width = found.high - found.low;
        assert!(bound < 0.02 * width);
        assert!(!ends_close(found, &answer["all values at once"], bound), "{found:?} {answer}");
    }
}
