//! How time and memory grow: with parameters and sequence length, against formulas; with arms and seeds,
//! against the number of tokens.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::start::edited;
use super::table::{count, markdown, megabytes, percent, times};
use super::train::{NATIVE, PEERS, Programs, number};
use super::{Options, THREADS, copy_experiment, folder, remove, timed, whyfirst};
use crate::shell::{Result, command, output, read, root};

/// Four sizes of `benches/shapes.json`.
const SIZES: [&str; 4] = ["0.8M", "3M", "17M", "60M"];
/// Tokens a row. Every step has [`TOKENS`], so that length is all that changes.
const LENGTHS: [usize; 3] = [64, 256, 1024];
const TOKENS: usize = 2048;
/// The length at which PyTorch is asked too.
const COMPARED: usize = 256;

/// Measures the grid of sizes and lengths, then experiments of several sizes.
pub fn run(options: &Options) -> Result<Value> {
    let programs = Programs::prepare()?;
    let shapes: BTreeMap<String, Value> =
        serde_json::from_str(&read("benches/shapes.json")?).map_err(|error| error.to_string())?;
    let matmul = programs.matmul_rate()?;
    let (mut grid, mut rows, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    for size in SIZES {
        for length in LENGTHS {
            let (per_step, length_word) = ((TOKENS / length).to_string(), length.to_string());
            let more = ["--rows", &*per_step, "--length", &*length_word];
            let found = programs.train(size, NATIVE, options.seconds, &more)?;
            let (speed, peak) = (number(&found, "tokens_per_second"), number(&found, "peak_bytes"));
            let expected = memory(&shapes[size], number(&found, "parameters"), length);
            rows.push(vec![
                if length == LENGTHS[0] { size.to_owned() } else { String::new() },
                length.to_string(),
                count(speed),
                format!("{:.1}", number(&found, "flops_per_token") / 1e6),
                percent(speed * number(&found, "flops_per_token") / matmul),
                megabytes(peak),
                megabytes(expected),
            ]);
            if length == COMPARED {
                peers.push(compare(&programs, size, options, &more, speed, peak)?);
            }
            grid.push(json!({
                "size": size, "length": length, "native": found, "expected_bytes": expected
            }));
        }
    }
    let header = [
        "parameters",
        "tokens a row",
        "tokens/s",
        "Mflop a token",
        "of the matmul rate",
        "peak memory",
        "by the formula",
    ];
    options.show(&markdown(&header, 1, &rows));
    let header =
        ["parameters", "native", "PyTorch eager", "PyTorch compile", "to the faster", "memory", "PyTorch's"];
    options.show(&format!(
        "\nTokens a second, {COMPARED} tokens a row, heap kept:\n\n{}",
        markdown(&header, 1, &peers.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>())
    ));
    let (experiments, rows) = experiments()?;
    let header = [
        "examples/cheese with",
        "stages",
        "evaluations",
        "tokens",
        "wall time",
        "a million tokens",
        "peak memory",
    ];
    options.show(&format!("\n{}", markdown(&header, 1, &rows)));
    options.show(&format!("\n{THREADS} threads; f32 matmul {:.0} Gflop/s.", matmul / 1e9));
    let peers: Vec<Value> = peers.into_iter().map(|(_, found)| found).collect();
    Ok(json!({
        "matmul_flops_per_second": matmul, "grid": grid, "peers": peers, "experiments": experiments
    }))
}

/// What a training process needs by the sizes of its buffers, in bytes; docs/scaling.md explains it.
fn memory(shape: &Value, parameters: f64, length: usize) -> f64 {
    const FLOAT: f64 = 4.0;
    /// The weights and two moments; gradient buffers come to them.
    const COPIES: f64 = 3.0;
    /// Models of up to so many parameters keep all matrices laid out for products, larger ones the output projection.
    const PACKED: f64 = (4 << 20) as f64;
    /// Tokens of one pass; a longer row is a pass of its own.
    const PASS: usize = 256;
    /// Rows of logits that exist at a time.
    const LOGITS: f64 = 128.0;
    /// The process before it has a model.
    const PROGRAM: f64 = 8e6;
    let of = |key: &str| number(shape, key);
    let (width, hidden) = (of("width"), of("hidden"));
    // x, two norms, the middle and the attention's output, q, k, v; gate, up and their product. Then once:
    // gradients.
    let layer = 8.0 * width + 3.0 * hidden;
    let once = 10.0 * width + 3.0 * hidden;
    let activations = PASS.max(length) as f64 * (of("layers") * layer + once) + LOGITS * of("vocabulary");
    let threads: f64 = THREADS.parse().unwrap_or(1.0);
    let gradients = shape["gradient_buffers"].as_f64().unwrap_or(2.0);
    // In both directions.
    let packed = 2.0 * if parameters <= PACKED { parameters } else { of("vocabulary") * width };
    PROGRAM + FLOAT * ((COPIES + gradients) * parameters + packed + threads * activations)
}

/// PyTorch at the same size: a row of the table, and the answers.
fn compare(
    programs: &Programs,
    size: &str,
    options: &Options,
    more: &[&str],
    speed: f64,
    peak: f64,
) -> Result<(Vec<String>, Value)> {
    let (eager, compile) = (
        programs.train(size, PEERS[0], options.seconds, more)?,
        programs.train(size, PEERS[1], options.seconds, more)?,
    );
    let speeds = [&eager, &compile].map(|answer| number(answer, "tokens_per_second"));
    let faster = if speeds[0] >= speeds[1] { &eager } else { &compile };
    let row = vec![
        size.to_owned(),
        count(speed),
        count(speeds[0]),
        count(speeds[1]),
        times(speed / speeds[0].max(speeds[1])),
        megabytes(peak),
        megabytes(number(faster, "peak_bytes")),
    ];
    Ok((row, json!({ "size": size, "eager": eager, "compile": compile })))
}

/// The example with several numbers of seeds and of arms, in stages of 20 steps: what changes is how many
/// there are.
fn experiments() -> Result<(Vec<Value>, Vec<Vec<String>>)> {
    let program = whyfirst()?;
    let experiment = folder()?.join("scaling");
    let text = edited(&read("examples/cheese/experiment.toml")?, "steps = ", "steps = 20")?;
    let seeded = |seeds: &str| edited(&text, "seeds = ", &format!("seeds = [{seeds}]"));
    let controls: Vec<String> = {
        prepare(&experiment, &text)?;
        let arms = plan(&program, &experiment)?["arms"].take();
        let arms = arms.as_array().cloned().unwrap_or_default();
        arms.iter().filter(|arm| arm["control"] == true).map(|arm| arm["name"].to_string()).collect()
    };
    let alone = format!("seeds = [0, 1]\nwithout_controls = [{}]", controls.join(", "));
    let variants = [
        ("one seed", seeded("0")?),
        ("two seeds", seeded("0, 1")?),
        ("four seeds", seeded("0, 1, 2, 3")?),
        ("two seeds, no controls", edited(&text, "seeds = ", &alone)?),
    ];
    let (mut found, mut rows) = (Vec::new(), Vec::new());
    for (name, text) in variants {
        prepare(&experiment, &text)?;
        let plan = plan(&program, &experiment)?;
        let mut run = command(&program);
        run.arg("run").arg(&experiment).args(["--threads", THREADS]);
        let (time, peak) = timed(run)?;
        let (seconds, tokens) = (time.as_secs_f64(), number(&plan["total"], "tokens"));
        rows.push(vec![
            name.to_owned(),
            plan["total"]["stages"].to_string(),
            plan["evals"].to_string(),
            count(tokens),
            format!("{seconds:.1} s"),
            format!("{:.1} s", 1e6 * seconds / tokens),
            megabytes(peak.map_or(f64::NAN, |bytes| bytes as f64)),
        ]);
        found.push(json!({
            "variant": name, "total": plan["total"], "evals": plan["evals"],
            "seconds": seconds, "peak_bytes": peak
        }));
    }
    remove(&experiment)?;
    Ok((found, rows))
}

/// The example in a fresh folder, with another file.
fn prepare(experiment: &Path, text: &str) -> Result<()> {
    remove(experiment)?;
    copy_experiment(&root().join("examples/cheese"), experiment)?;
    std::fs::write(experiment.join("experiment.toml"), text).map_err(|error| error.to_string())
}

fn plan(program: &Path, experiment: &Path) -> Result<Value> {
    let mut plan = command(program);
    plan.arg("plan").arg(experiment).arg("--json");
    serde_json::from_str(&output(plan)?).map_err(|error| error.to_string())
}
