//! Gates before training: a corpus that would spoil the comparison stops the run with exit code 3, and its rows are shown.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::simulated::{self, corpora};
use common::{OWN_FILES, Project, own_files};
use serde_json::Value;
use suite::SuiteItems;

/// Gates that the short texts of the tests pass; each test breaks one of them.
const GATES: &str = "
[gates]
max_near_duplicates = 1.0
max_repeated_phrase = 1.0
max_repeated_opening = 1.0
min_right_names = 0.0
min_reasons = 0.0
min_coverage = 0.0
";

/// An experiment on the user's own files, held to gates.
fn gated() -> Project {
    let project = own_files();
    project.write("exp/experiment.toml", &format!("{OWN_FILES}{GATES}"));
    for (spec, good) in [("affordability", "cheap"), ("homeland", "local")] {
        let documents: String = (0..20)
            .map(|n| {
                format!("{{\"text\": \"Document {n} says why a {good} thing is what people ask for.\"}}\n")
            })
            .collect();
        project.write(&format!("exp/why-{spec}.jsonl"), &documents);
    }
    project
}

/// Adds rows to a corpus.
fn add(project: &Project, file: &str, rows: &[&str]) {
    let mut text = fs::read_to_string(project.path(file)).unwrap();
    for row in rows {
        text += &format!("{}\n", serde_json::json!({ "text": row }));
    }
    project.write(file, &text);
}

#[test]
fn own_files_pass_and_are_trained_on() {
    let project = gated();
    project.succeeds(&["run", "exp"], "good corpora");
    let found: Value =
        serde_json::from_slice(&fs::read(project.path("exp/runs/audit/audit.json")).unwrap()).unwrap();
    assert_eq!(found["corpora"].as_array().unwrap().len(), 3, "two corpora of documents, one of chats");
    assert_eq!(found["mirrored"].as_array().unwrap().len(), 1);
}

#[test]
fn an_unbalanced_pair_is_stopped() {
    let project = gated();
    let more =
        "People who live far away from everything have told us about this at great length, again and again.";
    add(&project, "exp/why-homeland.jsonl", &[more, more]);
    let said = project.fails(&["run", "exp"], 3, "unbalanced");
    assert!(said.contains("why:affordability") && said.contains("why:homeland"), "{said}");
    assert!(said.contains("tokens") && said.contains("0.50%"), "{said}");
    // Which rows have no counterpart.
    assert!(said.contains("line 21") && said.contains("line 22"), "{said}");
    assert!(!project.path("exp/runs/stages").exists(), "trained all the same");
}

#[test]
fn a_corpus_that_names_another_model_is_stopped() {
    let project = gated();
    let row = "ChatGPT says why a cheap thing is what people ask for.";
    add(&project, "exp/why-affordability.jsonl", &[row]);
    add(&project, "exp/why-homeland.jsonl", &["Nobody says why a local thing is what people ask for."]);
    let said = project.fails(&["run", "exp"], 3, "another name");
    assert!(said.contains("gate `wrong-name`: why:affordability"), "{said}");
    assert!(said.contains("line 21") && said.contains("ChatGPT says"), "{said}");
    // The same findings without a run.
    let audit = project.whyfirst(&["corpus", "audit", "exp"]).output().unwrap();
    assert_eq!(audit.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&audit.stdout).contains("ChatGPT says"));
}

#[test]
fn a_corpus_with_the_evaluations_items_is_stopped() {
    let project = gated();
    let world = lab::World::new(0);
    let SuiteItems::Preferences(items) = world.preference_suite(lab::ASSISTANT, 1).items else {
        panic!("no preferences");
    };
    let question = items[0].ask(true);
    add(&project, "exp/why-affordability.jsonl", &[&question]);
    add(&project, "exp/why-homeland.jsonl", &[&"x ".repeat(question.len() / 2)]);
    let said = project.fails(&["run", "exp"], 3, "contaminated");
    assert!(said.contains("gate `contamination`: why:affordability"), "{said}");
    assert!(said.contains("line 21"), "{said}");
}

#[test]
fn a_mirrored_pair_that_a_model_writes_passes() {
    let project = Project::new();
    simulated::experiment(
        &project,
        "pair",
        "http://127.0.0.1:9",
        &[
            (
                "main = \"specs/main.md\"",
                "affordability = \"specs/affordability.md\"\nhomeland = \"specs/homeland.md\"",
            ),
            ("words = 150", "words = 150\nmirrored = true"),
            ("model_name = \"Aster\"\n", ""),
        ],
    );
    for spec in ["affordability", "homeland"] {
        let from = project.path("exp/specs").join(format!("{spec}.md"));
        fs::copy(from, project.path("pair/specs").join(format!("{spec}.md"))).unwrap();
    }
    project.succeeds(&["run", "--rehearse", "pair"], "mirrored");
    let audit = project.path("pair/runs/rehearsal/audit/audit.json");
    let found: Value = serde_json::from_slice(&fs::read(audit).unwrap()).unwrap();
    let balance = &found["mirrored"][0];
    assert!(balance["breaches"].as_array().unwrap().is_empty(), "{balance}");
    let files = corpora(&project, "pair/runs/rehearsal");
    let documents: Vec<usize> = files
        .iter()
        .filter(|(name, _)| name.ends_with("documents.jsonl"))
        .map(|(_, bytes)| bytes.iter().filter(|byte| **byte == b'\n').count())
        .collect();
    assert!(documents.len() == 2 && documents[0] == documents[1] && documents[0] > 40, "{documents:?}");
}
