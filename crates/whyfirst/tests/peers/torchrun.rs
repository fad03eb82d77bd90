//! Whole experiments with the torch engine, under a real `torchrun`: two processes, FSDP over gloo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{self, EXPERIMENT, Project};

/// The experiment that every test of the native engine runs, in one seed and one arm, with documents first.
fn experiment(engine: &str) -> String {
    let arms = EXPERIMENT.find("[[arms]]").unwrap();
    let evals = EXPERIMENT.find("[evals]").unwrap();
    let controls = "without_controls = [\"what-documents then what\", \"ablated then what\", \"instructions only\", \"what only\", \
                    \"why only\", \"neutral then what\", \"what then neutral\"]";
    let head = EXPERIMENT[..arms]
        .replace("seeds = [0, 1]", "seeds = [0]")
        .replace("without_controls = [\"what-documents then what\", \"ablated then what\"]", controls)
        .replace("steps = 6", "steps = 16\ncheckpoint_every = 2");
    format!(
        "{engine}\n{head}{}\n[[arms]]\nname = \"values first\"\nstages = [\"why:{{spec}}\", \"what\"]\n\n{}",
        if engine.contains("torch") { "[torch]\nnproc = 2\n" } else { "" },
        &EXPERIMENT[evals..]
    )
}

fn python() -> PathBuf {
    let path = std::env::var_os("WHYFIRST_PEERS_PYTHON");
    path.expect("WHYFIRST_PEERS_PYTHON names no python; `cargo xtask test` sets it").into()
}

fn program(project: &Project, args: &[&str]) -> Command {
    let mut command = project.program(args);
    command.env("WHYFIRST_TORCH_PYTHON", python());
    command
}

fn succeeds(project: &Project, args: &[&str], when: &str) {
    let output = program(project, args).output().unwrap();
    assert!(output.status.success(), "{when}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Losses of every stage by its label's part after the spec, in the order of steps.
fn losses(project: &Project) -> Vec<(String, Vec<f64>)> {
    let record: Value =
        serde_json::from_slice(&fs::read(project.path("exp/runs/record.json")).unwrap()).unwrap();
    let mut all: Vec<(String, Vec<f64>)> = record["stages"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, stage)| {
            let short = &id[..16.min(id.len())];
            let folder = fs::read_dir(project.path("exp/runs/stages"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(short))
                .unwrap_or_else(|| panic!("no folder of {id}"));
            let lines = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
            let loss = |line: &str| serde_json::from_str::<Value>(line).unwrap()["loss"].as_f64().unwrap();
            (stage["label"].as_str().unwrap_or(id).to_owned(), lines.lines().map(loss).collect())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn checkpoints(runs: &Path) -> usize {
    let work = fs::read_dir(runs.join("work")).into_iter().flatten().flatten();
    work.flat_map(|stage| fs::read_dir(stage.path()).into_iter().flatten().flatten())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("checkpoint-"))
        .count()
}

#[test]
fn an_experiment_trains_under_torchrun_resumes_when_killed_and_is_evaluated_like_any_other() {
    let (native, whole, killed) = (
        Project::with(&experiment("engine = \"native\"")),
        Project::with(&experiment("engine = \"torch\"")),
        Project::with(&experiment("engine = \"torch\"")),
    );
    succeeds(&native, &["run", "exp"], "native");
    succeeds(&whole, &["run", "exp"], "torch");
    let (expected, found) = (losses(&native), losses(&whole));
    assert!(expected.len() >= 3 && expected.len() == found.len(), "{expected:?}\n{found:?}");
    let mut largest = 0.0f64;
    for ((name, ours), (same, theirs)) in expected.iter().zip(&found) {
        assert_eq!((name, ours.len()), (same, theirs.len()));
        for (a, b) in ours.iter().zip(theirs) {
            largest = largest.max((a - b).abs());
        }
    }
    println!("{} stages: losses of the engines differ by at most {largest:.1e}", expected.len());
    assert!(largest < 2e-3, "{largest:e}");

    // Killed as soon as there is a checkpoint, the whole process at once; its children see that and end.
    let mut child = program(&killed, &["run", "exp"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(300);
    while checkpoints(&killed.path("exp/runs")) == 0 {
        assert!(child.try_wait().unwrap().is_none() && Instant::now() < deadline, "no checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = program(&killed, &["run", "exp"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(losses(&killed), found, "a killed run trains on other batches");

    // Every arm has its evaluation, and the manifest says what trained it.
    for project in [&whole, &killed] {
        let names = project.names("exp/runs/evals");
        let logs = names.iter().filter(|name| name.ends_with(".eval")).count();
        let usual = native.names("exp/runs/evals").iter().filter(|name| name.ends_with(".eval")).count();
        assert_eq!(logs, usual);
        let manifests = project.names("exp/runs/stages");
        let manifest = manifests.iter().find(|name| name.ends_with("manifest.json")).unwrap();
        let manifest = fs::read(project.path("exp/runs/stages").join(manifest)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(
            (&manifest["trained_with"]["engine"], &manifest["trained_with"]["processes"]),
            (&"torch".into(), &2.into())
        );
    }
}

#[test]
fn engines_are_compared_only_when_asked() {
    let text =
        experiment("").replace("name = \"values first\"\n", "name = \"values first\"\nengine = \"torch\"\n");
    let project = Project::with(&text);
    let said = project.fails(&["check", "exp"], 2, "two engines");
    assert!(said.contains("mixed_engines = true"), "{said}");
    project.write("exp/experiment.toml", &format!("mixed_engines = true\n{text}"));
    project.succeeds(&["check", "exp"], "asked for");
}

#[test]
fn without_an_environment_the_run_says_how_to_get_one_before_it_writes() {
    let project = Project::with(&experiment("engine = \"torch\""));
    let mut command = project.program(&["run", "exp"]);
    command.env_remove("WHYFIRST_TORCH_PYTHON").env("XDG_DATA_HOME", project.path("nothing"));
    let said = common::refusal(command, 1, "no environment");
    assert!(said.contains("whyfirst doctor --install torch"), "{said}");
    assert!(!project.path("exp/runs/stages").exists());
}
