//! What a user waits for before anything is trained, and what there is to download.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};

use super::table::{count, markdown};
use super::{Options, copy_experiment, folder, median, native, remove, timed, whyfirst};
use crate::shell::{Result, cargo, command, output, root};

/// How often each command is started.
const RUNS: usize = 50;
/// Milliseconds that `--help` may take, and `status` on [`STAGES`] stages.
const WANTED: (f64, f64) = (20.0, 100.0);
/// Stages of the experiment that `status` is asked about.
const STAGES: u64 = 1000;
/// Stages that one seed of `examples/cheese` adds.
const STAGES_A_SEED: u64 = 20;

/// Measures start-up, size and, if asked for, a build from nothing.
pub fn run(options: &Options) -> Result<Value> {
    let program = whyfirst()?;
    let help = milliseconds(&program, &["--help"])?;
    let (experiment, stages) = many_stages(&program)?;
    let status = milliseconds(&program, &["status", &experiment])?;
    let size = std::fs::metadata(&program).map_err(|error| error.to_string())?.len() as f64;
    let mut rows = vec![
        vec!["`whyfirst --help`".into(), format!("{help:.1} ms"), format!("{} ms", WANTED.0)],
        vec![
            format!("`whyfirst status`, {} finished stages", count(stages as f64)),
            format!("{status:.1} ms"),
            format!("{} ms", WANTED.1),
        ],
        vec!["the program, as released".into(), format!("{:.1} MB", size / 1e6), String::new()],
    ];
    let mut build = None;
    if options.clean_build {
        let fresh = folder()?.join("clean-build");
        remove(&fresh)?;
        let mut cargo = cargo("build --release --package whyfirst");
        cargo.env("CARGO_TARGET_DIR", &fresh);
        let (time, _) = timed(cargo)?;
        remove(&fresh)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let what = format!("build from nothing, {cores} cores, packages downloaded");
        rows.push(vec![what, format!("{:.0} s", time.as_secs_f64()), String::new()]);
        build = Some(time.as_secs_f64());
    }
    options.show(&markdown(&["", "", "at most"], 1, &rows));
    Ok(json!({
        "help_ms": help, "status_ms": status, "status_stages": stages, "program_bytes": size,
        "clean_build_seconds": build,
    }))
}

/// The median time of a command from its start to its end.
fn milliseconds(program: &Path, arguments: &[&str]) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let mut command = command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let start = Instant::now();
        let status = command.status().map_err(|error| error.to_string())?;
        times.push(1000.0 * start.elapsed().as_secs_f64());
        if !status.success() {
            return Err(format!("`whyfirst {}` failed ({status})", arguments.join(" ")));
        }
    }
    Ok(median(times))
}

/// The example with so many seeds that it has [`STAGES`] stages, really trained: one step each, of a base of
/// a few thousand parameters, so that it takes minutes and not hours. Folders, manifests, corpora and logs
/// are as in any other experiment. It is kept and only completed the next time.
fn many_stages(program: &Path) -> Result<(String, u64)> {
    let experiment = folder()?.join("many-stages");
    copy_experiment(&root().join("examples/cheese"), &experiment)?;
    let mut tiny = command(native()?);
    tiny.arg("tiny").arg(experiment.join("base"));
    output(tiny)?;
    let file = experiment.join("experiment.toml");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let seeds: Vec<String> = (0..STAGES.div_ceil(STAGES_A_SEED)).map(|seed| seed.to_string()).collect();
    let text = edited(&text, "seeds = ", &format!("seeds = [{}]", seeds.join(", ")))?;
    let text = edited(&text, "base = ", "base = \"base\"")?;
    let text = edited(&text, "steps = ", "steps = 1")?;
    let text =
        edited(&text, "suites = ", "suites = [\"preferences\", \"capability\"]\npairs = 1\ntexts = 1")?;
    std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    let experiment = experiment.to_string_lossy().into_owned();
    let mut run = command(program);
    run.args(["run", &experiment]).stdout(Stdio::null());
    timed(run)?;
    let mut status = command(program);
    status.args(["status", &experiment, "--json"]);
    let status: Value = serde_json::from_str(&output(status)?).map_err(|error| error.to_string())?;
    match status["stages_done"].as_u64() {
        Some(stages) if stages >= STAGES => Ok((experiment, stages)),
        found => {
            Err(format!("the experiment for `status` has {found:?} finished stages, not {STAGES}: {status}"))
        }
    }
}

/// A text in which every line that begins with `start` is another one.
pub fn edited(text: &str, start: &str, line: &str) -> Result<String> {
    if !text.lines().any(|old| old.starts_with(start)) {
        return Err(format!("examples/cheese/experiment.toml has no line `{start}...`"));
    }
    let lines = text.lines().map(|old| if old.starts_with(start) { line } else { old });
    Ok(lines.collect::<Vec<_>>().join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::edited;

    #[test]
    fn lines_are_replaced_and_missing_ones_named() {
        assert_eq!(edited("a = 1\nb = 2\na = 3\n", "a = ", "a = 9").as_deref(), Ok("a = 9\nb = 2\na = 9\n"));
        assert!(edited("b = 2\n", "a = ", "a = 9").is_err_and(|error| error.contains("`a = ")));
    }
}
