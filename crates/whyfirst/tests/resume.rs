//! Resumed equals never stopped, from every kind of point; and what must not be resumed is refused.
//!
//! A point is reached exactly: `store`'s feature `faults` kills the program at the durable operation that comes
//! first after it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use common::compare::{assert_same, contents};
use common::{EXPERIMENT, Project, refusal, small};
use serde_json::Value;

const RUN: [&str; 4] = ["run", "exp", "--threads", "1"];

/// The operations of a run, as `verb path`.
fn operations(project: &Project, args: &[&str]) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = project.program(args).env("WHYFIRST_FAULT_LOG", log.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(log.path()).unwrap().lines().map(str::to_owned).collect()
}

/// The small experiment, killed right after the `nth` (from 0) operation for which `point` holds.
fn killed_after(nth: usize, point: impl Fn(&str) -> bool) -> Project {
    let (whole, project) = (small(), small());
    let operations = operations(&whole, &RUN);
    let (at, _) = operations.iter().enumerate().filter(|(_, line)| point(line)).nth(nth).unwrap();
    // Operations are counted from 1, and the one after it is killed.
    let output = project.program(&RUN).env("WHYFIRST_FAULT", format!("kill {}", at + 2)).output().unwrap();
    assert!(output.status.signal().is_some(), "{}", output.status);
    project
}

/// The two stages of the small experiment take 6 and 4 steps, with a checkpoint every 2.
fn is_checkpoint(line: &str) -> bool {
    line.starts_with("rename ") && line.ends_with("/checkpoint")
}

fn is_stage(line: &str) -> bool {
    let parent = line.rsplit_once('/').map_or("", |(parent, _)| parent);
    line.starts_with("rename ") && parent.ends_with("runs/stages")
}

/// Optimizer steps that the last run made, over all stages that it worked on.
fn steps_of_last_run(project: &Project) -> Vec<u64> {
    let mut steps: Vec<u64> = project
        .files("exp/runs/timings", |_| false)
        .iter()
        .map(|(_, bytes)| serde_json::from_slice::<Value>(bytes).unwrap()["steps"].as_u64().unwrap())
        .collect();
    steps.sort_unstable();
    steps
}

/// Goes on with several threads and must end as a run that never stopped.
fn goes_on(project: &Project, when: &str) {
    let whole = small();
    whole.succeeds(&RUN, when);
    project.succeeds(&["run", "exp", "--threads", "3"], when);
    assert_same(&contents(&project.path("exp")), &contents(&whole.path("exp")), when);
}

#[test]
fn from_the_middle_of_a_stage() {
    let project = killed_after(0, is_checkpoint);
    goes_on(&project, "mid-stage");
    // The first stage's steps 3 to 6, and all of the second's.
    assert_eq!(steps_of_last_run(&project), [4, 4]);
}

#[test]
fn from_the_boundary_of_two_stages() {
    let project = killed_after(0, is_stage);
    goes_on(&project, "stage boundary");
    // The first stage is from before.
    assert_eq!(steps_of_last_run(&project), [4, 6]);
    assert!(fs::read_dir(project.path("exp/runs/work")).unwrap().next().is_none());
}

#[test]
fn from_the_last_step_of_a_stage() {
    // Its third checkpoint: everything is trained, nothing is saved.
    let project = killed_after(2, is_checkpoint);
    goes_on(&project, "last step");
    assert_eq!(steps_of_last_run(&project), [0, 4]);
}

#[test]
fn from_the_middle_of_the_evaluation() {
    let project = killed_after(0, |line| line.starts_with("rename ") && line.ends_with(".eval"));
    let trained = project.files("exp/runs/stages", |_| false);
    let logs = |project: &Project| project.files("exp/runs/evals", |name| !name.ends_with(".eval"));
    let before = logs(&project);
    assert_eq!(before.len(), 1);
    goes_on(&project, "during evaluation");
    assert_eq!(project.files("exp/runs/stages", |_| false), trained, "trained again");
    // The log that was there still is, with the time it was made at.
    assert!(logs(&project).contains(&before[0]));
}

#[test]
fn from_the_report() {
    // All is done, the record is new, the page is that of an older file.
    let project = small();
    project.succeeds(&RUN, "first");
    project.edit("exp/experiment.toml", "seeds = [0]", "seeds = [0]\nprimary = [\"order\"]");
    let whole = small();
    whole.edit("exp/experiment.toml", "seeds = [0]", "seeds = [0]\nprimary = [\"order\"]");
    whole.succeeds(&RUN, "whole");
    let expected = contents(&whole.path("exp"));
    let stale = contents(&project.path("exp"));
    assert!(stale["runs/report.html"] != expected["runs/report.html"]);
    // Lock, then the record: created, written, synced, renamed, its folder synced; then the tables.
    let mut killed = 0;
    for at in 1.. {
        let again = small();
        fs::remove_dir_all(again.path("exp")).unwrap();
        common::compare::copy(&project.path("exp"), &again.path("exp"));
        let status = again.program(&RUN).env("WHYFIRST_FAULT", format!("kill {at}")).status().unwrap();
        if status.success() {
            break;
        }
        killed += 1;
        again.succeeds(&RUN, "again");
        assert_same(&contents(&again.path("exp")), &expected, &format!("killed at operation {at}"));
    }
    assert!(killed >= 5 * 3, "record, findings and page: {killed}");
}

/// A checkpoint's own words about itself, changed, with a `DONE` that agrees.
fn forge(checkpoint: &Path, change: impl Fn(&mut Value)) {
    let file = checkpoint.join("progress.json");
    let mut progress: Value = store::read_json(&file).unwrap();
    change(&mut progress);
    store::write_json(&file, &progress).unwrap();
    let mut done = store::read_done(checkpoint).unwrap().unwrap();
    let entry = done.files.get_mut("progress.json").unwrap();
    (entry.hash, entry.bytes) = (store::hash_file(&file).unwrap(), fs::metadata(&file).unwrap().len());
    store::write_json(checkpoint.join(store::DONE), &done).unwrap();
}

fn checkpoint(project: &Project) -> PathBuf {
    let work = fs::read_dir(project.path("exp/runs/work")).unwrap().next().unwrap().unwrap();
    work.path().join("checkpoint")
}

#[test]
fn not_after_a_change_of_the_trainer() {
    let project = killed_after(0, is_checkpoint);
    let folder = checkpoint(&project);
    forge(&folder, |progress| {
        let version = progress["recipe_version"].as_u64().unwrap();
        progress["recipe_version"] = Value::from(version + 1);
    });
    let error = project.fails(&RUN, 1, "another version");
    let shown = folder.strip_prefix(project.root.path()).unwrap().display().to_string();
    let ours = train::RECIPE_VERSION;
    let versions =
        format!("by version {} of the training recipe, and this program has version {ours}", ours + 1);
    for words in [shown.as_str(), versions.as_str(), "remove the folder"] {
        assert!(error.contains(words), "{words}:\n{error}");
    }
    assert!(project.files("exp/runs/stages", |_| false).is_empty());
    fs::remove_dir_all(&folder).unwrap();
    goes_on(&project, "the folder is removed");
}

#[test]
fn not_from_a_checkpoint_of_something_else() {
    let project = killed_after(0, is_checkpoint);
    let folder = checkpoint(&project);
    forge(&folder, |progress| progress["job"] = Value::from("0".repeat(64)));
    let error = project.fails(&RUN, 1, "another job");
    assert!(error.contains("other data, another recipe or another base; remove the folder"), "{error}");
}

#[test]
fn not_from_a_damaged_checkpoint() {
    for file in ["parameters.f32", "m.f32", "v.f32", "progress.json"] {
        let project = killed_after(0, is_checkpoint);
        let folder = checkpoint(&project);
        let mut bytes = fs::read(folder.join(file)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(folder.join(file), bytes).unwrap();
        let error = project.fails(&RUN, 1, file);
        for words in
            [&format!("checkpoint/{file} is not the file that DONE lists"), "hash", "remove exp/runs/work"]
        {
            assert!(error.contains(words), "{file}: {words}:\n{error}");
        }
        if file == "m.f32" {
            fs::remove_dir_all(&folder).unwrap();
            goes_on(&project, "the folder is removed");
        }
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn signal(child: &Child, name: &str) {
    Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
}

/// An experiment that is long enough to be interrupted.
fn long() -> Project {
    let text = EXPERIMENT.replace("steps = 6", "steps = 150").replace("steps = 4\n", "steps = 60\n");
    Project::with(&text.replace("[0, 1]", "[0]").replace(
        "\"ablated then what\"]",
        "\"ablated then what\", \"neutral then what\", \"what then neutral\", \"neutral mixed with what\"]",
    ))
}

#[test]
fn after_one_interruption_and_after_two() {
    let (project, whole) = (long(), long());
    whole.succeeds(&["run", "exp"], "never stopped");
    let work = project.path("exp/runs/work");
    // Once: it saves and says how to go on.
    let child = project.program(&["run", "exp"]).spawn().unwrap();
    wait_until("a checkpoint is written", || work.is_dir());
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{error}");
    assert!(
        error.contains("stopping after this step") && error.contains("To go on: whyfirst run exp"),
        "{error}"
    );
    // Twice: it stops at once. The second is of another name, so that the system does not take them for one.
    let stopped_at_once = (0..20).any(|_| {
        let child = project.program(&["run", "exp"]).spawn().unwrap();
        wait_until("it begins", || project.path("exp/runs/.lock").exists());
        signal(&child, "-INT");
        signal(&child, "-TERM");
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{error}");
        !error.contains("To go on")
    });
    assert!(stopped_at_once, "the second signal always came too late");
    project.succeeds(&["run", "exp"], "to the end");
    assert_same(&contents(&project.path("exp")), &contents(&whole.path("exp")), "interrupted");
}

#[test]
fn pretraining_after_interruptions() {
    // The large version also stops the calibration, which is slow in a debug build.
    let (calibration, phases) = match std::env::var_os("WHYFIRST_KILLS") {
        None => ("0", &["training"][..]),
        Some(_) => ("3", &["training", "calibrating"][..]),
    };
    let args = [
        "lab",
        "pretrain",
        "--out",
        "made",
        "--rows",
        "300",
        "--steps",
        "8",
        "--calibration-steps",
        calibration,
    ];
    let (project, whole) = (Project::new(), Project::new());
    whole.succeeds(&args, "never stopped");
    for phase in phases {
        let mut command = project.program(&args);
        let said = project.path("said");
        command.stderr(fs::File::create(&said).unwrap());
        let mut child = command.spawn().unwrap();
        wait_until(phase, || fs::read_to_string(&said).unwrap().contains(phase));
        signal(&child, "-INT");
        let status = child.wait().unwrap();
        let error = fs::read_to_string(&said).unwrap();
        assert_eq!(status.code(), Some(130), "{phase}: {error}");
        assert!(error.contains("The same command goes on from there"), "{phase}: {error}");
        assert!(project.path("made.partial/checkpoint/DONE").exists() && !project.path("made").exists());
        fs::remove_file(&said).unwrap();
    }
    // Another recipe does not go on from this one's checkpoint.
    let mut other = args;
    other[7] = "9";
    let error = refusal(project.program(&other), 1, "another recipe");
    assert!(error.contains("made.partial/checkpoint") && error.contains("remove the folder"), "{error}");
    project.succeeds(&args, "to the end");
    assert_same(&contents(&project.path("made")), &contents(&whole.path("made")), "interrupted");
    assert!(!project.path("made.partial").exists());
}
