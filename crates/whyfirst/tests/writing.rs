//! Corpora that a model writes, as a user has them written: rehearsed, killed, under faults, with a cap on what they cost. The
//! writer is the simulated one, in a process of its own, whose journal is compared with what our store says.
//!
//! `cargo xtask kill` kills more often: `WHYFIRST_KILLS`, and `WHYFIRST_KILL_SEED` for other moments.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::rng::Rng;
use common::simulated::{self, Simulated, corpora};
use common::{Project, refusal};
use rusqlite::Connection;

/// The store of an experiment, opened by SQLite itself.
fn store(project: &Project, runs: &str) -> Connection {
    Connection::open(project.path(runs).join("store.sqlite")).unwrap()
}

fn number(store: &Connection, query: &str) -> i64 {
    store.query_row(query, [], |row| row.get::<_, Option<i64>>(0)).unwrap().unwrap_or(0)
}

#[test]
fn a_rehearsal_writes_the_same_bytes_every_time_and_buys_nothing_twice() {
    let project = Project::new();
    for name in ["one", "two"] {
        simulated::experiment(&project, name, "http://127.0.0.1:9", &[]);
        project.succeeds(&["run", "--rehearse", name], "rehearsal");
    }
    let first = corpora(&project, "one/runs/rehearsal");
    assert!(first == corpora(&project, "two/runs/rehearsal"), "two rehearsals differ");
    let rows = |file: &str| {
        let text = first.iter().find(|(name, _)| name.ends_with(file)).unwrap();
        String::from_utf8(text.1.clone()).unwrap().lines().count()
    };
    assert!((60..=72).contains(&rows("documents.jsonl")), "{}", rows("documents.jsonl"));
    assert_eq!(rows("chats.jsonl"), 40);
    // Nothing of a rehearsal is where a real run looks.
    assert!(!project.path("one/runs/store.sqlite").exists() && !project.path("one/runs/corpora").exists());

    // Again without the corpora: every answer is in the store.
    let before = number(&store(&project, "one/runs/rehearsal"), "SELECT count(*) FROM calls");
    fs::remove_dir_all(project.path("one/runs/rehearsal/corpora")).unwrap();
    project.succeeds(&["run", "--rehearse", "one"], "from the store");
    assert!(first == corpora(&project, "one/runs/rehearsal"));
    assert_eq!(number(&store(&project, "one/runs/rehearsal"), "SELECT count(*) FROM calls"), before);
}

#[test]
fn killed_at_any_moment_the_corpora_are_the_same_and_no_stored_answer_is_asked_for_again() {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let kills = asked("WHYFIRST_KILLS").unwrap_or(4);
    let rng = &mut Rng(asked("WHYFIRST_KILL_SEED").unwrap_or(20_261));
    let project = Project::new();
    let server = Simulated::start(&project, &["--latency-ms", "15"]);
    for name in ["whole", "killed"] {
        simulated::experiment(&project, name, &server.url, &[]);
    }
    let start = Instant::now();
    project.succeeds(&["run", "whole"], "undisturbed");
    let whole = start.elapsed();
    let expected = corpora(&project, "whole/runs");
    let undisturbed = server.requests();
    assert!(undisturbed.values().all(|times| *times == 1), "repeated without a kill");

    let mut landed = 0;
    while landed < kills {
        let mut child = project.program(&["run", "killed"]).spawn().unwrap();
        let moment =
            Duration::from_secs_f64(whole.as_secs_f64() * (0.02 + 0.9 * rng.unit()) / (kills as f64).sqrt());
        let deadline = Instant::now() + moment;
        while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if child.try_wait().unwrap().is_some() {
            // It was done: from the start, so that every kill hits work.
            fs::remove_dir_all(project.path("killed/runs/corpora")).ok();
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        landed += 1;
    }
    assert!(landed >= kills / 2, "only {landed} of {kills} kills came before the end");
    project.succeeds(&["run", "killed"], "after the kills");
    assert!(expected == corpora(&project, "killed/runs"), "the corpora differ after {landed} kills");

    let store = store(&project, "killed/runs");
    assert_eq!(number(&store, "SELECT count(*) FROM calls WHERE status IN ('pending', 'extra')"), 0);
    let mut repeated = 0;
    for (request, times) in server.requests() {
        // Both runs asked for it once.
        let again = times - undisturbed.get(&request).copied().unwrap_or(0) - 1;
        let lost = "SELECT count(*) FROM calls WHERE status = 'lost' AND request LIKE ?1 || '%'";
        let lost: i64 = store.query_row(lost, [&request], |row| row.get(0)).unwrap();
        assert!(
            again as i64 <= lost,
            "{request} was sent {again} times more, and marked as lost {lost} times"
        );
        repeated += again;
    }
    println!("{landed} kills, {repeated} requests sent again, each marked as possibly billed twice");
}

#[test]
fn of_faulty_answers_none_is_kept_and_every_dollar_is_accounted_for() {
    let project = Project::new();
    let server = Simulated::start(
        &project,
        &["--faults", "0.2", "--seed", "5", "--hang-ms", "60000", "--prices", "1,5"],
    );
    simulated::experiment(
        &project,
        "exp",
        &server.url,
        &[("[gates]", "[gates]\nmin_yield = 0.1\nmin_coverage = 0.0\nmin_right_names = 0.0")],
    );
    project.succeeds(&["run", "exp"], "a fifth of the answers is faulty");

    let journal = server.journal();
    let faults = journal.iter().filter(|entry| !entry["fault"].is_null()).count();
    assert!(faults * 10 > journal.len(), "{faults} of {}", journal.len());
    let rows: String = corpora(&project, "exp/runs")
        .into_iter()
        .filter(|(name, _)| name.ends_with("documents.jsonl") || name.ends_with("chats.jsonl"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect();
    assert!(rows.lines().count() > 60, "{} rows", rows.lines().count());
    let markers: Vec<&str> = journal.iter().filter_map(|entry| entry["marker"].as_str()).collect();
    assert!(!markers.is_empty());
    let kept: Vec<&&str> = markers.iter().filter(|marker| rows.contains(**marker)).collect();
    assert!(kept.is_empty(), "poisoned rows were kept: {kept:?}");

    let store = store(&project, "exp/runs");
    assert_eq!(number(&store, "SELECT count(*) FROM items WHERE NOT kept AND coalesce(reason, '') = ''"), 0);
    assert_eq!(
        number(&store, "SELECT count(*) FROM nodes WHERE state = 'set_aside' AND coalesce(reason, '') = ''"),
        0
    );
    let sum = |holds: fn(&serde_json::Value) -> bool| -> i64 {
        journal.iter().filter(|entry| holds(entry)).map(|entry| entry["cost_pico"].as_i64().unwrap()).sum()
    };
    let received = sum(|entry| entry["delivered"] == true && entry["readable"] == true);
    let billed = number(&store, "SELECT sum(cost) FROM calls");
    assert_eq!(billed, received, "picodollars: the store, and what the server says was received");
    let possibly = number(&store, "SELECT sum(possibly) FROM calls");
    assert!(possibly > 0 && billed + possibly >= sum(|_| true), "the bound does not hold");
}

#[test]
fn the_cap_is_never_exceeded_and_a_higher_one_goes_on() {
    let project = Project::new();
    let server = Simulated::start(&project, &["--faults", "0.1", "--hang-ms", "60000", "--prices", "1,5"]);
    let loose = ("[gates]", "[gates]\nmin_yield = 0.1\nmin_coverage = 0.0\nmin_right_names = 0.0");
    simulated::experiment(&project, "exp", &server.url, &[loose]);
    let billed =
        || -> i64 { server.journal().iter().map(|entry| entry["cost_pico"].as_i64().unwrap()).sum() };
    let said = refusal(project.program(&["run", "exp", "--max-cost", "0.10"]), 3, "capped");
    assert!(said.contains("--max-cost"), "{said}");
    assert!(billed() <= 100_000_000_000, "{} picodollars", billed());
    assert!(billed() > 0);
    project.succeeds(&["run", "exp", "--max-cost", "50"], "with a higher cap");
    let store = store(&project, "exp/runs");
    let spent = number(&store, "SELECT sum(cost) FROM calls");
    assert!(spent > 100_000_000_000 && spent <= billed());
}

#[test]
fn a_run_that_is_interrupted_says_so_and_goes_on() {
    let project = Project::new();
    let server = Simulated::start(&project, &["--latency-ms", "50"]);
    simulated::experiment(&project, "exp", &server.url, &[]);
    let child = project.program(&["run", "exp"]).spawn().unwrap();
    while server.journal().len() < 30 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupt =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert_eq!(
        number(&store(&project, "exp/runs"), "SELECT count(*) FROM calls WHERE status = 'pending'"),
        0
    );
    project.succeeds(&["run", "exp"], "again");
    assert!(server.requests().values().all(|times| *times == 1), "calls in flight were not waited for");
}

#[test]
fn specs_that_nothing_can_be_written_from_are_refused_before_anything_is_paid() {
    let project = Project::new();
    let server = Simulated::start(&project, &[]);
    simulated::experiment(&project, "exp", &server.url, &[]);
    let good = fs::read(project.path("exp/specs/main.md")).unwrap();
    let long = "## A rule\n\nAster does this, because it helps.\n\n".repeat(230_000);
    let bad: [(&str, &[u8], &str); 5] = [
        ("empty", b"", "main.md:1: the spec is empty"),
        ("headings only", b"# A\n\n## B\n", "main.md:1: the spec has headings and no text"),
        ("no headings", b"Be kind, because it matters.\n", "main.md:1: the spec has no headings"),
        ("not text", b"# A\n\nb\xff\n", "main.md: not UTF-8 text: the byte at offset 6, in line 3"),
        ("ten megabytes", long.as_bytes(), "main.md:1: the spec has about"),
    ];
    for (name, bytes, message) in bad {
        fs::write(project.path("exp/specs/main.md"), bytes).unwrap();
        for command in
            [&["check", "exp"][..], &["plan", "exp"], &["run", "exp"], &["run", "exp", "--rehearse"]]
        {
            let said = project.fails(command, 2, name);
            assert!(said.contains(message), "{name}, {command:?}: {said}");
            assert!(said.contains("help:"), "{name}: {said}");
        }
        // What comes of none of these specs is written down.
        assert!(!project.path("exp/runs/store.sqlite").exists(), "{name}");
    }
    assert!(server.journal().is_empty());
    fs::write(project.path("exp/specs/main.md"), good).unwrap();
    project.succeeds(&["run", "exp"], "mended");
}
