//! Whole commands: help, check, plan, new, status, report.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Project, own_files};

/// The transcript without its last lines that depend on the machine: how long it would take, on how many
/// threads.
fn without_time(text: String) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("training would take"));
    // Threads and the CPU decide how many stages are trained at a time, and in what memory.
    let kept: Vec<&str> = lines.map(|line| line.split(", up to ").next().unwrap_or(line)).collect();
    kept.join("\n")
}

#[test]
fn help() {
    let project = Project::new();
    insta::assert_snapshot!("help", project.transcript(&["--help"]));
    insta::assert_snapshot!("help_without_arguments", project.transcript(&[]));
    for command in ["new", "check", "plan", "run", "status", "report", "lab"] {
        insta::assert_snapshot!(format!("help_{command}"), project.transcript(&[command, "--help"]));
    }
}

#[test]
fn usage_errors() {
    let project = Project::new();
    insta::assert_snapshot!("usage_unknown_command", project.transcript(&["rnu"]));
    insta::assert_snapshot!("usage_threads", project.transcript(&["run", "exp", "--threads", "0"]));
}

#[test]
fn check_and_plan_of_own_files_write_nothing() {
    let project = own_files();
    let before = project.names("exp");
    insta::assert_snapshot!("check", project.transcript(&["check", "exp"]));
    insta::assert_snapshot!("check_json", project.transcript(&["check", "exp", "--json"]));
    insta::assert_snapshot!("plan", without_time(project.transcript(&["plan", "exp"])));
    insta::assert_snapshot!("status_before", project.transcript(&["status", "exp"]));
    insta::assert_snapshot!("status_before_json", project.transcript(&["status", "exp", "--json"]));
    insta::assert_snapshot!("report_before", project.transcript(&["report", "exp", "--open", "no"]));
    assert_eq!(project.names("exp"), before);
}

#[test]
fn the_plan_as_json_adds_up() {
    let project = Project::new();
    let output = project.whyfirst(&["plan", "exp", "--json"]).output().unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let stages = plan["stages"].as_array().unwrap();
    let sum = |key: &str| stages.iter().map(|stage| stage[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(plan["total"]["stages"], stages.len());
    assert_eq!(plan["total"]["steps"], sum("steps"));
    assert_eq!(sum("tokens"), sum("tokens_trained") + sum("tokens_masked"));
    // Per spec and seed: why, why > what, what > why, mixed; per seed: what, instructions, neutral, neutral
    // > what, what > neutral, neutral + what.
    assert_eq!(stages.len(), 4 * 2 * 2 + 6 * 2);
    let ids: std::collections::BTreeSet<&str> =
        stages.iter().map(|stage| stage["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), stages.len());
}

#[test]
fn a_new_experiment_is_valid_and_explains_itself() {
    let project = Project::new();
    insta::assert_snapshot!("new", project.transcript(&["new", "my exp"]));
    let text = std::fs::read_to_string(project.path("my exp/experiment.toml")).unwrap();
    insta::assert_snapshot!("new_file", text);
    insta::assert_snapshot!("new_where_something_is", project.transcript(&["new", "my exp"]));
    // With another base, so that the test does not depend on the shipped one.
    project.edit("my exp/experiment.toml", "base = \"lab\" ", "base = \"../base\" ");
    project.edit("my exp/experiment.toml", "[0, 1, 2]", "[0]");
    let plain = project.whyfirst(&["plan", "my exp", "--json"]).output().unwrap();
    assert!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
    // What is commented out are defaults: with all of it in force the plan is the same.
    let uncommented: String = text
        .replace("base = \"lab\" ", "base = \"../base\" ")
        .replace("[0, 1, 2]", "[0]")
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key)
                if key.contains(" = ")
                    && !key.starts_with(|c: char| c.is_uppercase())
                    && !key.contains("{spec}") =>
            {
                format!("{key}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let uncommented = ["rank = ", "alpha = ", "targets = "]
        .iter()
        .fold(uncommented, |text, key| text.replace(&format!("\n{key}"), &format!("\n# {key}")));
    project.write("my exp/experiment.toml", &uncommented);
    let spelt_out = project.whyfirst(&["plan", "my exp", "--json"]).output().unwrap();
    assert!(spelt_out.status.success(), "{uncommented}\n{}", String::from_utf8_lossy(&spelt_out.stderr));
    assert_eq!(String::from_utf8_lossy(&spelt_out.stdout), String::from_utf8_lossy(&plain.stdout));
}

#[test]
fn the_examples_are_valid() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for entry in std::fs::read_dir(&examples).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("experiment.toml").is_file() {
            let text = std::fs::read_to_string(folder.join("experiment.toml")).unwrap();
            experiment::file::parse(&folder.join("experiment.toml"), &text).unwrap();
            let output =
                Project::new().whyfirst(&["check", folder.to_str().unwrap(), "--json"]).output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{}: {error}", folder.display());
        }
    }
}
