//! The confirmation: the cheese experiment on fresh seeds, three bases and the null world, and its figures as a table.

use crate::shell::{cargo, root, run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// A base model that is made here: its folder under `bases`, and what `lab pretrain` is told.
struct Base {
    folder: &'static str,
    options: &'static [&'static str],
}

/// The experiments of `examples/confirm`, each with its base (the first one's ships).
const EXPERIMENTS: [(&str, Option<Base>); 4] = [
    ("base-1", None),
    ("base-2", Some(Base { folder: "seed-2", options: &["--seed", "2"] })),
    ("base-3", Some(Base { folder: "seed-3", options: &["--seed", "3"] })),
    ("null", Some(Base { folder: "null", options: &["--null"] })),
];

/// Makes the missing bases, runs the experiments, prints the table.
pub fn run_all() -> Result<(), String> {
    let folder = root().join("examples/confirm");
    run(cargo("build --release -p whyfirst"))?;
    let program = root().join("target/release/whyfirst");
    let program = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => Path::new(&target).join("release/whyfirst"),
        None => program,
    };
    for base in EXPERIMENTS.into_iter().filter_map(|(_, base)| base) {
        let out = folder.join("bases").join(base.folder);
        let mut command = Command::new(&program);
        command.args(["lab", "pretrain", "--out"]).arg(out).args(base.options);
        timed(base.folder, command)?;
    }
    for (name, _) in EXPERIMENTS {
        let mut command = Command::new(&program);
        command.arg("run").arg(folder.join(name));
        timed(name, command)?;
    }
    table(&folder)
}

fn timed(what: &str, command: Command) -> Result<(), String> {
    let started = Instant::now();
    run(command)?;
    println!("\n{what}: {:.0} s\n", started.elapsed().as_secs_f64());
    Ok(())
}

/// Prints every comparison of every experiment that has been run, as Markdown.
pub fn table(folder: &Path) -> Result<(), String> {
    println!("| base | question | comparison | estimate | 95% t-interval over seeds | by seed |");
    println!("|---|---|---|---|---|---|");
    for (name, _) in EXPERIMENTS {
        let path = folder.join(name).join("runs/findings.json");
        let text = std::fs::read(&path)
            .map_err(|e| format!("{}: {e}; run `cargo xtask confirm`", path.display()))?;
        let findings: Value =
            serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        for answer in findings["answers"].as_array().into_iter().flatten() {
            for estimate in answer["estimates"].as_array().into_iter().flatten() {
                println!("{}", row(name, answer, estimate));
            }
        }
    }
    println!("\n| base | value | domain | steering, points | 95% t-interval over seeds |");
    println!("|---|---|---|---|---|");
    for (name, _) in EXPERIMENTS {
        let path = folder.join(name).join("runs/findings.json");
        let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let findings: Value =
            serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        for d in findings["domain_effects"].as_array().into_iter().flatten() {
            let effect = &d["effect"];
            println!(
                "| {name} | {} | {} | {} | {} |",
                text_of(&d["value"]["pole"]),
                text_of(&d["domain"]),
                points(&effect["mean"]),
                interval(effect)
            );
        }
    }
    Ok(())
}

fn row(base: &str, answer: &Value, estimate: &Value) -> String {
    let effect = &estimate["effect"];
    let seeds: Vec<String> =
        effect["by_seed"].as_array().into_iter().flatten().map(|pair| points(&pair[1])).collect();
    format!(
        "| {base} | {} | {} | {} | {} | {} |",
        text_of(&answer["analysis"]),
        text_of(&estimate["label"]),
        points(&effect["mean"]),
        interval(effect),
        seeds.join(" ")
    )
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn points(value: &Value) -> String {
    value.as_f64().map_or("-".into(), |x| format!("{x:+.1}"))
}

fn interval(effect: &Value) -> String {
    match (&effect["interval"]["low"], &effect["interval"]["high"]) {
        (Value::Number(low), Value::Number(high)) => {
            format!("{:+.1} to {:+.1}", low.as_f64().unwrap_or(f64::NAN), high.as_f64().unwrap_or(f64::NAN))
        }
        _ => "-".into(),
    }
}
