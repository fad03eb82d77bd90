//! What was acknowledged is there, however the process ended: this program runs itself as a child that writes and says what
//! was acknowledged, and kills it.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{answer, attempt};
use whyfirst_ledger::Ledger;

const STORE: &str = "WHYFIRST_KILL_TEST_STORE";

/// Not a test of its own: what the child does.
#[test]
fn child() {
    let Ok(path) = std::env::var(STORE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(path).unwrap();
        ledger.recover().await.unwrap();
        let start = ledger.spent().unwrap().attempts;
        let tasks: Vec<_> = (0..32)
            .map(|task| {
                let ledger = ledger.clone();
                tokio::spawn(async move {
                    for n in (start + task..).step_by(32) {
                        let call = ledger.begin(attempt(n)).await.unwrap();
                        say(&format!("begun {n}"));
                        ledger.finish(call, answer(&format!("{n} {}", "text ".repeat(300)))).await.unwrap();
                        say(&format!("answered {n}"));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

fn spawn(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(STORE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let (mut begun, mut answered) = (Vec::new(), Vec::new());
    for round in 0..4 {
        let mut child = spawn(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = |line: String, begun: &mut Vec<u64>, answered: &mut Vec<u64>| {
            let (word, n) = line.split_once(' ').unwrap_or_default();
            match (word, n.parse()) {
                ("begun", Ok(n)) => begun.push(n),
                ("answered", Ok(n)) => answered.push(n),
                _ => {}
            }
        };
        for _ in 0..(150 + 171 * round) {
            read(lines.next().unwrap().unwrap(), &mut begun, &mut answered);
        }
        child.kill().unwrap();
        for line in lines.map_while(Result::ok) {
            read(line, &mut begun, &mut answered);
        }
        child.wait().unwrap();
    }
    assert!(answered.len() > 300, "{}", answered.len());
    let ledger = Ledger::open(&path).unwrap();
    for n in &answered {
        let stored = ledger.answer_of(attempt(*n).request).unwrap();
        assert!(stored.unwrap().text.starts_with(&format!("{n} ")), "{n} was acknowledged");
    }
    let spent = ledger.spent().unwrap();
    assert!(spent.attempts >= begun.len() as u64);
    ledger.recover().await.unwrap();
    let spent = ledger.spent().unwrap();
    assert_eq!(spent.pending, 0);
    assert!(spent.lost > 0 && spent.lost <= 4 * 32, "{spent:?}");
}
