//! Running: to the end, again, after a change, with other thread counts, interrupted and resumed.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{EXPERIMENT, Project, own_files};
use serde_json::Value;

/// What may differ between two runs of the same experiment: times. Logs carry the time they were made at.
fn timed(name: &str) -> bool {
    name.starts_with("runs/timings/") || name.ends_with(".eval") || reported(name)
}

/// What is computed from the rest, and shows how long stages took.
fn reported(name: &str) -> bool {
    ["runs/record.json", "runs/findings.json", "runs/report.html", "runs/tables/stages.csv"].contains(&name)
}

/// The record without the one measured time, as text.
fn record(project: &Project) -> String {
    let mut record: Value =
        serde_json::from_str(&fs::read_to_string(project.path("exp/runs/record.json")).unwrap()).unwrap();
    for stage in record["stages"].as_object_mut().unwrap().values_mut() {
        stage["actual"]["seconds"] = Value::Null;
    }
    format!("{record:#}")
}

/// The contents of all logs: everything in them but the time they were made at.
fn logs(project: &Project) -> Vec<(String, String)> {
    let mut logs = Vec::new();
    for (name, _) in project.files("exp", |name| !name.ends_with(".eval")) {
        let header = eval::read_header(project.path("exp").join(&name)).unwrap();
        logs.push((name, header.content.to_string()));
    }
    logs
}

fn json(project: &Project, args: &[&str]) -> Value {
    let output = project.whyfirst(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn stage_folders(project: &Project) -> BTreeSet<String> {
    let entries = fs::read_dir(project.path("exp/runs/stages")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_second_run_does_nothing_and_says_so() {
    let project = Project::new();
    let first = json(&project, &["run", "exp", "--json"]);
    assert_eq!((&first["stages_trained"], &first["failures"]), (&Value::from(28), &Value::Array(Vec::new())));
    assert!(project.path("exp/runs/report.html").is_file());
    assert!(
        !project.names("exp/runs").iter().any(|name| name.contains("partial") || name.starts_with(".lock"))
    );
    assert!(fs::read_dir(project.path("exp/runs/work")).map_or(true, |mut work| work.next().is_none()));
    let before = project.files("exp", |_| false);
    let started = Instant::now();
    let text = project.transcript(&["run", "exp"]);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?} in a debug build", started.elapsed());
    assert!(text.contains("exit code: 0") && text.contains("nothing to do"), "{text}");
    assert_eq!(project.files("exp", |_| false), before);
    let status = json(&project, &["status", "exp", "--json"]);
    assert_eq!(status["complete"], true);
    // Every cell has its logs, and the record says where.
    let record: Value = serde_json::from_str(&record(&project)).unwrap();
    for cell in record["cells"].as_array().unwrap() {
        for suite in ["preferences", "capability"] {
            let path = cell["evals"][suite]["path"].as_str().unwrap();
            assert!(project.path("exp").join(path).is_file(), "{path}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (one, two) = (Project::new(), Project::new());
    json(&one, &["run", "exp", "--json", "--threads", "1"]);
    json(&two, &["run", "exp", "--json", "--threads", "2"]);
    assert_eq!(one.files("exp", timed), two.files("exp", timed));
    assert_eq!(record(&one), record(&two));
    assert_eq!(logs(&one), logs(&two));
}

#[test]
fn a_changed_line_of_a_spec_reruns_what_depends_on_it() {
    // Large enough that every reason is in it.
    let project =
        Project::with(&EXPERIMENT.replace("kind = \"documents\"", "kind = \"documents\"\ntokens = 6000"));
    json(&project, &["run", "exp", "--json"]);
    let before = stage_folders(&project);
    let spec = fs::read_to_string(project.path("exp/specs/homeland.md")).unwrap();
    let why = spec.split("## Why").nth(1).unwrap();
    let reason = why.lines().find(|line| line.starts_with("- ")).unwrap();
    // A reason of the other spec, whose words the model knows as well.
    project.edit(
        "exp/specs/homeland.md",
        reason,
        "- At a low price a poor family can have what others have.",
    );
    let status = json(&project, &["status", "exp", "--json"]);
    assert_eq!(status["complete"], false);
    let after = json(&project, &["run", "exp", "--json"]);
    // Per seed: why:homeland, > what, what >, mixed.
    assert_eq!(after["stages_trained"], 8);
    assert_eq!(after["evaluations_made"], 16);
    assert_eq!(stage_folders(&project).difference(&before).count(), 8);
    // Prose that no stream reads changes nothing.
    project.edit("exp/specs/homeland.md", "# Model Spec", "# The Model Spec");
    assert_eq!(json(&project, &["run", "exp", "--json"])["stages_trained"], 0);
}

#[test]
fn a_changed_recipe_reruns_its_stages_and_their_children() {
    let project = Project::new();
    json(&project, &["run", "exp", "--json"]);
    project.edit("exp/experiment.toml", "[training.what]\nsteps = 4", "[training.what]\nsteps = 5");
    // Per seed: what, its three children (two specs, neutral), three stages after documents, three mixtures,
    // instructions (which follow what).
    assert_eq!(json(&project, &["run", "exp", "--json"])["stages_trained"], 2 * (1 + 3 + 3 + 3 + 1));
    // An added control adds its own stages only.
    project.edit("exp/experiment.toml", "\"what-documents then what\", ", "");
    assert_eq!(json(&project, &["run", "exp", "--json"])["stages_trained"], 2 * 2);
    // What is only reported changes the report.
    let page = || fs::read(project.path("exp/runs/report.html")).unwrap();
    let before = page();
    project.edit("exp/experiment.toml", "seeds = [0, 1]", "seeds = [0, 1]\nprimary = [\"order\"]");
    assert_eq!(json(&project, &["run", "exp", "--json"])["stages_trained"], 0);
    assert!(page() != before);
    // How often checkpoints are written changes nothing.
    project.edit("exp/experiment.toml", "rows = 2", "rows = 2\ncheckpoint_every = 2");
    assert_eq!(json(&project, &["run", "exp", "--json"])["stages_trained"], 0);
}

#[test]
fn own_files_run_and_a_changed_row_reruns_what_reads_it() {
    let project = own_files();
    assert_eq!(json(&project, &["run", "exp", "--json"])["stages_trained"], 10);
    // Beyond the hundred tokens of the beginning, so that the derived corpus stays as it was.
    project.edit("exp/why-homeland.jsonl", "Document 15 says why", "Document 15 does say why");
    assert_eq!(json(&project, &["run", "exp", "--json"])["stages_trained"], 2);
}

#[test]
fn lora_carries_one_adapter_through_the_stages() {
    let project =
        Project::with(&EXPERIMENT.replace("rows = 2", "rows = 2\nmethod = \"lora\"\nrank = 2\nalpha = 4"));
    json(&project, &["run", "exp", "--json"]);
    let record: Value = serde_json::from_str(&record(&project)).unwrap();
    let stages = record["stages"].as_object().unwrap();
    let child = stages.values().find(|stage| !stage["parent"].is_null()).unwrap();
    for stage in [child, &stages[child["parent"].as_str().unwrap()]] {
        let folder = project.path("exp/runs/stages").join(&stage["id"].as_str().unwrap()[..16]);
        assert!(folder.join("adapter/adapter_model.safetensors").is_file());
        assert!(folder.join("adapter/adapter_config.json").is_file());
        assert!(folder.join("model.safetensors").is_file());
    }
    // The cards list the training in order.
    let short = |id: &Value| id.as_str().unwrap()[..16].to_owned();
    let (parent, own) = (short(&child["parent"]), short(&child["id"]));
    let folder = project.path("exp/runs/stages").join(&own);
    for (card, library) in [("README.md", "transformers"), ("adapter/README.md", "peft")] {
        let text = fs::read_to_string(folder.join(card)).unwrap();
        assert!(text.contains(&format!("library_name: {library}\n")), "{text}");
        let at =
            |id: &str| text.find(&format!("`{id}`")).unwrap_or_else(|| panic!("{card} lacks {id}: {text}"));
        assert!(at(&parent) < at(&own), "{text}");
    }
}

#[test]
fn a_failure_is_recorded_and_its_siblings_go_on() {
    let project = Project::new();
    json(&project, &["run", "exp", "--json"]);
    let whole = record(&project);
    let stages: Value = serde_json::from_str(&whole).unwrap();
    let folder = |id: &Value| project.path("exp/runs/stages").join(&id.as_str().unwrap()[..16]);
    let labelled = |label: &str| {
        stages["stages"].as_object().unwrap().values().find(|stage| stage["label"] == label).unwrap()
    };
    // The parent is damaged, two of its children are gone, and so is a stage that has nothing to do with it.
    let parent = labelled("what, seed 1");
    let weights = folder(&parent["id"]).join("model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[1..]).unwrap();
    for label in ["what > why:homeland, seed 1", "what > neutral, seed 1", "why:homeland > what, seed 1"] {
        fs::remove_dir_all(folder(&labelled(label)["id"])).unwrap();
    }
    let output = project.whyfirst(&["run", "exp", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["stages_trained"], 1);
    let failures = result["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 2);
    assert!(failures[0].as_str().unwrap().contains("model.safetensors"), "{failures:?}");
    let status = json(&project, &["status", "exp", "--json"]);
    assert_eq!(status["failures"].as_array().unwrap().len(), 2);
    // Mended, everything is as it was.
    fs::write(&weights, &bytes).unwrap();
    assert_eq!(json(&project, &["run", "exp", "--json"])["stages_trained"], 2);
    assert_eq!(record(&project), whole);
}

#[test]
fn a_second_process_is_refused_and_told_who_is_at_work() {
    let project = Project::new();
    let lock = store::RunLock::acquire(project.path("exp/runs")).unwrap();
    let text = project.transcript(&["run", "exp"]);
    assert!(text.contains("exit code: 1"), "{text}");
    assert!(text.contains(&format!("in use by process {}", std::process::id())), "{text}");
    assert_eq!(project.names("exp/runs"), [".lock"]);
    drop(lock);
    assert_eq!(json(&project, &["run", "exp", "--json"])["failures"], Value::Array(Vec::new()));
}

#[test]
#[cfg(unix)]
fn interrupted_and_resumed_equals_never_stopped() {
    let long = EXPERIMENT
        .replace("steps = 6", "steps = 200")
        .replace("steps = 4\n", "steps = 80\n")
        .replace("[0, 1]", "[0]");
    let (stopped, whole) = (Project::with(&long), Project::with(&long));
    json(&whole, &["run", "exp", "--json"]);
    let mut interruptions = 0;
    for (pause, signals) in [(200, 1), (400, 2), (700, 1), (1100, 2), (1600, 1)] {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("whyfirst"))
            .current_dir(stopped.root.path())
            .args(["run", "exp"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        let pid = child.id().to_string();
        for _ in 0..signals {
            std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
        }
        let status = child.wait().unwrap();
        if status.code() == Some(130) {
            interruptions += 1;
            assert!(!stopped.path("exp/runs/record.json").exists());
        }
    }
    assert!(interruptions > 0, "no run was slow enough to be interrupted");
    json(&stopped, &["run", "exp", "--json"]);
    assert_eq!(stopped.files("exp", timed), whole.files("exp", timed));
    assert_eq!(record(&stopped), record(&whole));
    assert_eq!(logs(&stopped), logs(&whole));
}
