//! Corpora written through the batch interfaces of both protocols, as a user has them written: the same bytes as call by call,
//! whatever order results come in, whatever expires, and whenever the process is killed. The server's journal says what was
//! handed in, and how often.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::Project;
use common::simulated::{self, Simulated, corpora};
use rusqlite::Connection;
use serde_json::Value;

const PROTOCOLS: [&str; 2] = ["openai", "anthropic"];

/// Documents only, and few: every step of the plan waits for a batch.
fn experiment(project: &Project, name: &str, url: &str, protocol: &str, mode: &str) {
    let root = if protocol == "openai" { "URL/v1" } else { "URL" }.replace("URL", url);
    let api = format!("api = \"{protocol}\"\nmode = \"{mode}\"");
    let base = format!("base_url = \"{root}\"");
    let chats = "[corpora.what]\nkind = \"chats\"\nrows = 40\ntopics = 8\nreasoning = true\n";
    let edits = [
        ("api = \"openai\"", api.as_str()),
        (&format!("base_url = \"{url}/v1\""), &base),
        ("prices = { input = 1.00, output = 5.00 }", "prices = { input = 1.00, output = 5.00, batch = 0.5 }"),
        // However unlucky a call is, it is answered at last.
        ("timeout = 2", "timeout = 2\nattempts = 50"),
        ("probe = 4", "probe = 0\npilot = 0.0"),
        (
            "domains = 3\nsubdomains = 2\ntypes = 4\nideas = 3",
            "domains = 2\nsubdomains = 2\ntypes = 3\nideas = 2",
        ),
        (chats, ""),
        ("[gates]", "[gates]\nmin_yield = 0.1\nmin_coverage = 0.0\nmin_right_names = 0.0"),
    ];
    simulated::experiment(project, name, url, &edits);
}

fn store(project: &Project, name: &str) -> Connection {
    Connection::open(project.path(name).join("runs/store.sqlite")).unwrap()
}

fn number(store: &Connection, query: &str) -> i64 {
    store.query_row(query, [], |row| row.get::<_, Option<i64>>(0)).unwrap().unwrap_or(0)
}

/// What is trained on. Beside it stand the costs, which are others in a batch, and so is the hash that the folder is called by.
fn documents(project: &Project, name: &str) -> Vec<u8> {
    let files = corpora(project, &format!("{name}/runs"));
    files.into_iter().find(|(name, _)| name.ends_with("documents.jsonl")).unwrap().1
}

/// Provenance without the costs.
fn provenance(project: &Project, name: &str) -> Vec<Value> {
    let files = corpora(project, &format!("{name}/runs"));
    let (_, bytes) = files.iter().find(|(name, _)| name.ends_with("provenance.jsonl")).unwrap();
    let rows = String::from_utf8(bytes.clone()).unwrap();
    rows.lines().map(|line| without_costs(serde_json::from_str(line).unwrap())).collect()
}

fn without_costs(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| !name.contains("cost") && !name.contains("dollars"))
            .map(|(name, value)| (name, without_costs(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(without_costs).collect(),
        other => other,
    }
}

/// Requests of batches by what they are known by, with how often each was worked on.
fn worked_on(journal: &[Value]) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for entry in journal.iter().filter(|entry| !entry["batch"].is_null() && entry["text"].is_string()) {
        *times.entry(entry["nonce"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    times
}

/// Batches that were handed in and taken.
fn handed_in(journal: &[Value]) -> usize {
    let taken = |entry: &&Value| {
        let path = entry["path"].as_str().unwrap();
        path.starts_with("POST ") && path.ends_with("/batches") && entry["status"] == 200
    };
    journal.iter().filter(taken).count()
}

/// What was billed, by the store and by the server.
fn check_costs(store: &Connection, journal: &[Value]) {
    let in_batches = journal.iter().filter(|entry| !entry["batch"].is_null());
    let served: i64 = in_batches.map(|entry| entry["cost_pico"].as_i64().unwrap()).sum();
    assert_eq!(number(store, "SELECT sum(cost) FROM calls"), served, "picodollars");
}

#[test]
fn batches_write_the_bytes_that_single_calls_write_at_half_the_price() {
    for protocol in PROTOCOLS {
        let project = Project::new();
        let server = Simulated::start(&project, &["--batch-ms", "50", "--prices", "1,5"]);
        experiment(&project, "direct", &server.url, protocol, "direct");
        experiment(&project, "batch", &server.url, protocol, "batch");
        project.succeeds(&["run", "direct"], protocol);
        project.succeeds(&["run", "batch"], protocol);
        let texts = documents(&project, "direct");
        assert!(texts == documents(&project, "batch"), "{protocol}: the corpora differ");
        assert_eq!(provenance(&project, "direct"), provenance(&project, "batch"), "{protocol}");

        let journal = server.journal();
        // A request has one hash, alone or in a batch: the store of one mode serves the other.
        let single: Vec<String> = journal
            .iter()
            .filter(|entry| entry["batch"].is_null())
            .filter_map(|entry| Some(entry["nonce"].as_str()?[..40].to_owned()))
            .collect();
        let batched = worked_on(&journal);
        assert_eq!(single.len(), batched.len(), "{protocol}");
        assert!(single.iter().all(|request| batched.get(request) == Some(&1)), "{protocol}");

        let (direct, batch) = (store(&project, "direct"), store(&project, "batch"));
        check_costs(&batch, &journal);
        let [full, half] = [&direct, &batch].map(|store| number(store, "SELECT sum(cost) FROM calls"));
        assert_eq!(full, 2 * half, "{protocol}");
        assert_eq!(number(&batch, "SELECT count(*) FROM batches WHERE status <> 'ended'"), 0, "{protocol}");
        let batches = number(&batch, "SELECT count(*) FROM batches");
        assert_eq!(batches, handed_in(&journal) as i64, "{protocol}");
        assert!(batches >= 6 && batches * 2 < batched.len() as i64, "{protocol}: {batches} batches");
    }
}

#[test]
fn what_expires_or_fails_in_a_batch_goes_into_the_next_one() {
    for protocol in PROTOCOLS {
        let project = Project::new();
        let kinds = "batch_expires,batch_item_errored";
        let args = ["--batch-ms", "20", "--prices", "1,5", "--faults", "0.3", "--fault-kinds", kinds];
        let server = Simulated::start(&project, &args);
        for mode in ["direct", "batch"] {
            experiment(&project, mode, &server.url, protocol, mode);
            project.succeeds(&["run", mode], protocol);
        }
        assert!(
            documents(&project, "direct") == documents(&project, "batch"),
            "{protocol}: the corpora differ"
        );
        let journal = server.journal();
        for fault in kinds.split(',') {
            assert!(journal.iter().any(|entry| entry["fault"] == fault), "{protocol}: no {fault}");
        }
        let batch = store(&project, "batch");
        check_costs(&batch, &journal);
        // Nothing that was answered was asked for again, and what was not answered is not billed.
        assert!(worked_on(&journal).values().all(|times| *times == 1), "{protocol}");
        assert!(number(&batch, "SELECT count(*) FROM calls WHERE status = 'failed'") > 0, "{protocol}");
        assert_eq!(number(&batch, "SELECT sum(possibly) FROM calls"), 0, "{protocol}");
    }
}

#[test]
fn a_killed_run_finds_its_batches_again_and_hands_none_in_twice() {
    for (protocol, seed) in PROTOCOLS.into_iter().zip([3, 4]) {
        let project = Project::new();
        let server = Simulated::start(&project, &["--batch-ms", "250", "--prices", "1,5"]);
        experiment(&project, "direct", &server.url, protocol, "direct");
        experiment(&project, "batch", &server.url, protocol, "batch");
        project.succeeds(&["run", "direct"], protocol);
        let before = server.journal().len();
        let rng = &mut common::rng::Rng(seed);
        let (mut kills, mut left_open, mut ended) = (0, 0, false);
        while !ended {
            let start = Instant::now();
            let hands = handed_in(&server.journal());
            let mut child = project.program(&["run", "batch"]).spawn().unwrap();
            // Every other one dies while it has a batch with the server, from the moment of handing it in on; the rest at any time.
            let with_batch = kills % 2 == 0;
            let patience = Duration::from_secs_f64(if with_batch { 0.2 } else { 0.6 } * rng.unit());
            let mut since = (!with_batch).then_some(start);
            while child.try_wait().unwrap().is_none() {
                if since.is_none() && (handed_in(&server.journal()) > hands || start.elapsed().as_secs() > 3)
                {
                    since = Some(Instant::now());
                }
                if kills < 8 && since.is_some_and(|since| since.elapsed() >= patience) {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    kills += 1;
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            ended = child.wait().unwrap().success();
            if !ended && project.path("batch/runs/store.sqlite").exists() {
                left_open += number(
                    &store(&project, "batch"),
                    "SELECT count(*) FROM batches WHERE status IN ('submitting', 'submitted')",
                );
            }
        }
        assert!(kills >= 4 && left_open >= 3, "{protocol}: {kills} kills, {left_open} batches left open");
        assert!(
            documents(&project, "direct") == documents(&project, "batch"),
            "{protocol}: the corpora differ"
        );
        let journal = &server.journal()[before..];
        let twice: Vec<_> = worked_on(journal).into_iter().filter(|(_, times)| *times > 1).collect();
        assert!(twice.is_empty(), "{protocol}: in two batches: {twice:?}");
        let batch = store(&project, "batch");
        check_costs(&batch, journal);
        let taken = number(&batch, "SELECT count(*) FROM batches WHERE status = 'ended'");
        assert_eq!(taken, handed_in(journal) as i64, "{protocol}");
        println!("{protocol}: {kills} kills, {left_open} times a batch was left open, {taken} batches");
    }
}
