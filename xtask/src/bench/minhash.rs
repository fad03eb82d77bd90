//! Near-duplicates: documents a second of our search and of datatrove's MinHash, on one file in one run.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::table::{count, markdown, megabytes, times};
use super::train::number;
use super::{Options, answer, folder, median, peer, target};
use crate::peers;
use crate::shell::{Result, cargo, command, run as run_command};

/// Documents that are searched, unless said otherwise.
const DOCUMENTS: u64 = 200_000;
/// How many times as fast as datatrove is wanted.
const AIM: f64 = 10.0;
/// Its environment, if it is not to be made.
const PYTHON: &str = "WHYFIRST_DATATROVE_PYTHON";

/// Runs both on the same file; with `--peer-documents` datatrove on its beginning only, which is then said.
pub fn run(options: &Options) -> Result<Value> {
    let documents = options.documents.unwrap_or(DOCUMENTS);
    let part = options.peer_documents.unwrap_or(documents).min(documents);
    let program = program()?;
    let python = match std::env::var_os(PYTHON) {
        Some(python) => PathBuf::from(python),
        None => peers::own_environment(".peers-minhash", "benches/peers/minhash-requirements.txt")?,
    };
    let file = file(&program, documents)?;
    let peer_file = if part == documents { file.clone() } else { self::file(&program, part)? };

    let mut runs = Vec::new();
    for _ in 0..options.repeats {
        runs.push(find(&program, &file)?);
    }
    // One run of datatrove takes half an hour for the whole file: its rate hardly differs from run to run.
    let path = peer_file.display().to_string();
    let theirs = answer(peer(&python, "minhash.py", &[&path], false)?)?;
    eprintln!("datatrove: {theirs}");
    // Once more after it, so that a machine that slowed down meanwhile is seen.
    runs.push(find(&program, &file)?);
    let same = if part == documents { Value::Null } else { find(&program, &peer_file)? };

    let ours = median(runs.iter().map(|run| number(run, "documents_per_second")).collect());
    let peak = runs.iter().map(|run| number(run, "peak_bytes")).fold(f64::NAN, f64::max);
    let rate = number(&theirs, "documents_per_second");
    let row = |name: String, run: &Value, rate: f64, peak: f64| {
        let found = count(number(run, "repeated"));
        vec![name, count(number(run, "documents")), count(rate), times(rate / ours), megabytes(peak), found]
    };
    let mut rows = vec![row("whyfirst".into(), &runs[0], ours, peak)];
    if !same.is_null() {
        let rate = number(&same, "documents_per_second");
        rows.push(row("whyfirst, the part".into(), &same, rate, number(&same, "peak_bytes")));
    }
    let name = if same.is_null() { "datatrove" } else { "datatrove, the part" };
    rows.push(row(name.into(), &theirs, rate, number(&theirs, "peak_bytes")));
    let header = ["", "documents", "documents a second", "of whyfirst's", "peak memory", "repeats found"];
    options.show(&markdown(&header, 1, &rows));
    options.show(&format!(
        "\nSpread of {} runs of ours: {}. Ours counts rows whose exact Jaccard similarity to an earlier one is at least {}; datatrove \
         counts rows that share a bucket with another, all but one of each cluster.",
        runs.len(),
        spread(&runs),
        number(&runs[0], "threshold"),
    ));
    let met = if ours >= AIM * rate { "met" } else { "NOT MET" };
    let of = if same.is_null() {
        String::new()
    } else {
        format!(", whose rate is that of the first {} documents", count(part as f64))
    };
    eprintln!("{} datatrove's documents a second{of} ({AIM} times wanted: {met})", times(ours / rate));
    Ok(json!({ "documents": documents, "ours": runs, "ours_on_the_part": same, "datatrove": theirs }))
}

/// The slowest and the fastest.
fn spread(runs: &[Value]) -> String {
    let rates = || runs.iter().map(|run| number(run, "documents_per_second"));
    format!("{} to {}", count(rates().fold(f64::INFINITY, f64::min)), count(rates().fold(0.0, f64::max)))
}

fn find(program: &Path, file: &Path) -> Result<Value> {
    let mut find = command(program);
    find.arg("find").arg(file).env("RAYON_NUM_THREADS", super::THREADS);
    let found = answer(find)?;
    eprintln!("whyfirst: {found}");
    Ok(found)
}

/// The example of `audit` that makes files and searches them, as released.
fn program() -> Result<PathBuf> {
    run_command(cargo("build --release --package whyfirst-audit --example minhash"))?;
    Ok(target().join("release/examples/minhash"))
}

/// A file of so many documents: the same bytes every time, and the beginning of a longer one.
fn file(program: &Path, documents: u64) -> Result<PathBuf> {
    let path = folder()?.join(format!("minhash-{documents}.jsonl"));
    let mut make = command(program);
    make.arg("make").arg(&path).arg(documents.to_string());
    run_command(make)?;
    Ok(path)
}
