//! Continuing texts and scoring options with a model of 17M parameters, against transformers on the same CPU.

use std::path::Path;

use serde_json::{Value, json};

use super::table::{count, markdown, megabytes, times};
use super::train::number;
use super::{Options, THREADS, answer, folder, median, native, peer, remove};
use crate::peers;
use crate::shell::{Result, command};

/// The model, a shape of `benches/shapes.json`.
const SHAPE: &str = "17M";
/// How many times as fast as transformers continuing and scoring are to be.
const AIMS: (f64, f64) = (3.0, 5.0);
/// Texts continued at once.
const TEXTS: [&str; 2] = ["1", "16"];
/// The largest difference between two scores that is rounding.
const ROUNDING: f64 = 1e-3;

/// What is measured on both sides, and how much faster ours has to be.
struct Case {
    name: &'static str,
    unit: &'static str,
    rate: &'static str,
    aim: f64,
    ours: Vec<&'static str>,
    theirs: Vec<(&'static str, Vec<&'static str>)>,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = TEXTS
        .into_iter()
        .map(|texts| Case {
            name: if texts == "1" { "one text" } else { "16 texts at once" },
            unit: "tokens a second",
            rate: "tokens_per_second",
            aim: AIMS.0,
            ours: vec!["generate", "--texts", texts],
            theirs: vec![("transformers, generate", vec!["generate", "--texts", texts])],
        })
        .collect();
    cases.push(Case {
        name: "four options an item",
        unit: "items a second",
        rate: "items_per_second",
        aim: AIMS.1,
        ours: vec!["score"],
        theirs: vec![
            ("transformers, every option with its prompt", vec!["score"]),
            ("transformers, each prompt once", vec!["score", "--prefix"]),
        ],
    });
    cases
}

/// Runs both sides in turns; checks that they said the same.
pub fn run(options: &Options) -> Result<Value> {
    let (program, python) = (native()?, peers::environment()?);
    let model = folder()?.join("asking-model");
    remove(&model)?;
    let file = folder()?.join("asking-work.json");
    answer(ours(&program, &["model", SHAPE, &model.to_string_lossy()]))?;
    answer(theirs(&python, &["work"], &model, &file, None)?)?;
    let seconds = options.seconds.to_string();
    let (mut rows, mut results) = (Vec::new(), Vec::new());
    for case in cases() {
        let mut runs: Vec<Vec<Value>> = vec![Vec::new(); 1 + case.theirs.len()];
        for _ in 0..options.repeats {
            let mut words = vec![case.ours[0]];
            let (model_text, file_text) = (model.to_string_lossy(), file.to_string_lossy());
            words.extend([&*model_text, &*file_text]);
            words.extend(&case.ours[1..]);
            words.extend(["--seconds", &*seconds, "--threads", THREADS]);
            runs[0].push(answer(ours(&program, &words))?);
            for (i, (_, words)) in case.theirs.iter().enumerate() {
                runs[i + 1].push(answer(theirs(&python, words, &model, &file, Some(&seconds))?)?);
            }
            let shown: Vec<String> =
                runs.iter().filter_map(|r| r.last()).map(|run| count(number(run, case.rate))).collect();
            eprintln!("{}: {} {}", case.name, shown.join(" | "), case.unit);
        }
        runs[1..].iter().try_for_each(|run| same(&runs[0][0], &run[0], case.name))?;
        let rate = |runs: &[Value]| median(runs.iter().map(|run| number(run, case.rate)).collect());
        let peak = |runs: &[Value]| runs.iter().map(|run| number(run, "peak_bytes")).fold(f64::NAN, f64::max);
        let own = rate(&runs[0]);
        let names = std::iter::once("whyfirst").chain(case.theirs.iter().map(|(name, _)| *name));
        for (name, runs) in names.zip(&runs) {
            let factor = if name == "whyfirst" { "-".into() } else { times(own / rate(runs)) };
            rows.push(vec![case.name.into(), name.into(), count(rate(runs)), factor, megabytes(peak(runs))]);
        }
        let factors: Vec<f64> = runs[1..].iter().map(|runs| own / rate(runs)).collect();
        results.push(json!({ "case": case.name, "runs": runs, "factors": factors, "aim": case.aim }));
    }
    options.show(&markdown(&["", "", "a second", "whyfirst is", "peak memory"], 2, &rows));
    options.show(&format!("\nAims: {} for continuing, {} for scoring.", times(AIMS.0), times(AIMS.1)));
    Ok(json!(results))
}

/// Whether both continued the first text alike, or gave all options the same scores.
fn same(ours: &Value, theirs: &Value, case: &str) -> Result<()> {
    if ours["first"] != theirs["first"] {
        return Err(format!("{case}: not the same text; {} and {}", ours["first"], theirs["first"]));
    }
    let scores = |side: &Value| -> Vec<f64> {
        let items = side["scores"].as_array().into_iter().flatten();
        items.flat_map(|item| item.as_array().into_iter().flatten()).filter_map(Value::as_f64).collect()
    };
    let (ours, theirs) = (scores(ours), scores(theirs));
    let far = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    if ours.len() != theirs.len() || far > ROUNDING {
        return Err(format!("{case}: scores differ by up to {far:e} nats"));
    }
    Ok(())
}

fn ours(program: &Path, words: &[&str]) -> std::process::Command {
    let mut native = command(program);
    native.args(words);
    native
}

fn theirs(
    python: &Path,
    words: &[&str],
    model: &Path,
    file: &Path,
    seconds: Option<&str>,
) -> Result<std::process::Command> {
    let (model, file) = (model.to_string_lossy(), file.to_string_lossy());
    let mut all = vec![words[0], &*model, &*file];
    all.extend(&words[1..]);
    all.extend(seconds.into_iter().flat_map(|seconds| ["--seconds", seconds]));
    peer(python, "asking.py", &all, true)
}
