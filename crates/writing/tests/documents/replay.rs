//! Ended anywhere, failed anywhere, answered in any order: the same in the end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger::NodeState;
use whyfirst_writing::documents::Shape;
use whyfirst_writing::{Memory, Scope, WritingError};

use crate::scripted::{Says, Scripted, Seen, good, verdicts};
use crate::{SHAPE, request, spec_of, try_run};

/// A model that is often wrong, in all ways.
fn fickle(seen: &Seen) -> Says {
    let bytes = *seen.hash.as_bytes();
    match (seen.task.as_str(), bytes[7] % 11) {
        ("documents/domains", _) => good(seen),
        ("documents/critique", 0..4) => Says::Text(verdicts(&["voice"])),
        ("documents/write", 1) => Says::Text(format!(
            "<document>Aster minds the {}.</document>",
            crate::scripted::words(&(bytes[8] % 2).to_string(), 60)
        )),
        (_, 2) => Says::Refuses,
        (_, 3) => Says::Text("<list>[</list>".to_owned()),
        (_, 4) => match good(seen) {
            Says::Text(text) => Says::Cut(text),
            other => other,
        },
        _ => good(seen),
    }
}

fn shape() -> Shape {
    Shape { subdomains: 3, ..SHAPE }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_order_of_answers_does_not_matter() {
    let request = request(&[&spec_of(12, 20)], shape());
    let mut states = BTreeSet::new();
    for seed in [0, 1, 7, 12, 101, 999] {
        let ask = Arc::new(Scripted::new(seed, fickle));
        let ran = try_run(&ask, &request, Scope::Full, &Arc::default()).await.unwrap();
        let tally = &ran.written.tallies[0];
        assert!(tally.kept > 8 && tally.kept < 36 && tally.rewritten > 0, "{tally:?}");
        assert_eq!(tally.asked, tally.kept + tally.dropped.values().sum::<u64>());
        assert!(ran.items.iter().all(|item| item.kept != item.reason.is_some()));
        states.insert(ran.state());
    }
    assert_eq!(states.len(), 1);
}

#[tokio::test]
async fn runs_that_were_ended_anywhere_leave_the_same_in_the_end() {
    let request = request(&[&spec_of(12, 20)], shape());
    let whole =
        try_run(&Arc::new(Scripted::new(1, fickle)), &request, Scope::Full, &Arc::default()).await.unwrap();
    for first in [1, 3, 8, 20, 45, 90, 140] {
        let memory: Arc<Memory> = Arc::default();
        // Every run gets somewhat further.
        for run in 0.. {
            let calls = AtomicUsize::new(0);
            let script = move |seen: &Seen| match calls.fetch_add(1, Ordering::SeqCst) {
                call if call >= first * (run + 1) * (run + 1) => Says::Ends,
                _ => fickle(seen),
            };
            let ask = Arc::new(Scripted::new(run as u64, script));
            match try_run(&ask, &request, Scope::Full, &memory).await {
                Err(WritingError::Ending) => check_done(&memory, &whole.nodes),
                Err(error) => panic!("{error}"),
                Ok(ran) => {
                    assert_eq!(ran.state(), whole.state(), "{first}");
                    break;
                }
            }
        }
    }
}

/// Whatever is marked as done has all its rows, and they are those of the end.
fn check_done(memory: &Memory, whole: &[ledger::Node]) {
    let items = memory.items();
    for node in memory.nodes().iter().filter(|node| node.state == NodeState::Done) {
        assert!(whole.contains(node), "{node:?} is not as in the end");
        if node.kind == "type" || node.kind == "subdomain" {
            let below = |path: &str| path.starts_with(&format!("{}/", node.path));
            let ideas = whole.iter().filter(|other| other.kind == "idea" && below(&other.path)).count();
            assert_eq!(items.iter().filter(|item| below(&item.path)).count(), ideas, "{node:?}");
        }
    }
}

#[tokio::test]
async fn failed_calls_are_tried_again_by_the_next_run_and_leave_nothing_behind() {
    let request = request(&[&spec_of(12, 20)], shape());
    let whole =
        try_run(&Arc::new(Scripted::new(1, fickle)), &request, Scope::Full, &Arc::default()).await.unwrap();
    for share in [2, 9, 60] {
        let memory: Arc<Memory> = Arc::default();
        for round in 0..4u8 {
            let failing = move |seen: &Seen| {
                let fails = round < 3 && (seen.hash.as_bytes()[5] ^ (round * 37)).is_multiple_of(share);
                if fails { Says::Fails } else { fickle(seen) }
            };
            let ask = Arc::new(Scripted::new(u64::from(round), failing));
            let ran = match try_run(&ask, &request, Scope::Full, &memory).await {
                Ok(ran) => ran,
                Err(WritingError::Plan(why)) if why.contains("connection") => continue,
                Err(error) => panic!("{error}"),
            };
            let passing = ran.written.tallies[0].passing;
            assert_eq!(ran.node("0000", "spec").state == NodeState::Done, passing == 0);
            assert_eq!(ran.written.tallies[0].asked, 36);
        }
        assert_eq!((memory.items(), memory.nodes()), (whole.items.clone(), whole.nodes.clone()), "{share}");
    }
}
