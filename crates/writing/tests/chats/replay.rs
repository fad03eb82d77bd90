//! Ended anywhere, failed anywhere, answered in any order: the same in the end.

use std::collections::BTreeSet;

use ledger::NodeState;
use whyfirst_writing::chats::{ChatSettings, Desk, Mode, write_chats};
use whyfirst_writing::{Memory, Prompts, Scope, WritingError};

use crate::scripted::{self, Says, Scripted, Seen, brief, good, source, verdict};
use crate::{answers, kept, run, try_run};

#[tokio::test]
async fn the_corpus_does_not_depend_on_which_answer_comes_first() {
    // A third of the replies fail, some questions are alike, one type of question gets nothing.
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/filter" if seen.hash.as_bytes()[1].is_multiple_of(3) => Says::Text(verdict("FAIL")),
        "chats/questions" if seen.path == "0002/0003" => Says::Refuses,
        "chats/questions" if seen.path.ends_with("0005") => Says::Text(scripted::list(
            (0..seen.count()).map(|index| format!("What is the {} matter?", index % 3 + 7).into()),
        )),
        _ => good(seen),
    };
    let mut seen = BTreeSet::new();
    for seed in [0, 1, 7, 12, 101] {
        let ask = Scripted::new(seed, script);
        let (tally, memory) = try_run(&ask, &answers(3, 40), Scope::Full).await.unwrap();
        assert!(tally.rows.kept > 30 && tally.rows.backfilled > 0, "{tally:?}");
        seen.insert(format!("{tally:?} {:?} {:?}", memory.items(), memory.nodes()));
    }
    assert_eq!(seen.len(), 1);
}

/// A run in which calls fail, and one after it that goes well, leave exactly what one that went well from the beginning leaves.
#[tokio::test]
async fn runs_with_failed_calls_leave_nothing_behind_that_does_not_belong() {
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/filter" | "chats/pick-filter" if seen.hash.as_bytes()[1].is_multiple_of(3) => {
            Says::Text(verdict("FAIL"))
        }
        "chats/questions" if seen.hash.as_bytes()[1].is_multiple_of(4) => Says::Text(scripted::list(
            (0..seen.count()).map(|index| format!("What is the {} matter?", index % 7 + 7).into()),
        )),
        _ => good(seen),
    };
    for settings in [answers(3, 40), ChatSettings::new(Mode::Preferences { count: 3 }, 30)] {
        let (whole, clean) = run(&settings, script).await;
        for share in [2, 9, 60] {
            let (prompts, brief, memory) = (Prompts::built_in(), brief(), Memory::default());
            for round in 0..4u8 {
                let failing = |seen: &Seen| {
                    let fails = round < 3 && seen.task != "chats/topics" && seen.task != "chats/preferences";
                    let fails = fails && (seen.hash.as_bytes()[5] ^ (round * 37)).is_multiple_of(share);
                    if fails { Says::Fails } else { script(seen) }
                };
                let ask = Scripted::new(u64::from(round), failing);
                let desk = Desk { ask: &ask, prompts: &prompts, brief: &brief };
                let tally = write_chats(desk, &source(), &[], &settings, Scope::Full, &memory).await.unwrap();
                assert_eq!(tally == whole, tally.rows.passing == 0, "{tally:?}");
            }
            assert_eq!(memory.items(), clean.items(), "{share}");
            assert_eq!(memory.nodes(), clean.nodes(), "{share}");
        }
    }
}

#[tokio::test]
async fn failed_calls_are_left_for_the_next_run() {
    let script = |seen: &Seen| match seen.task.as_str() {
        "chats/answer" if seen.path.ends_with("0001/0001") => Says::Fails,
        _ => good(seen),
    };
    let (tally, memory) = run(&answers(2, 24), script).await;
    assert_eq!((tally.rows.passing, tally.rows.kept, tally.rows.backfilled), (2, 22, 0), "{tally:?}");
    let aside = memory.nodes().into_iter().find(|node| node.path == "0001/0001/0001").unwrap();
    assert_eq!((aside.state, aside.reason.as_deref()), (NodeState::SetAside, Some("the connection was cut")));
    // The questions that come after those that are missing wait with them.
    let script = |seen: &Seen| if seen.path == "0002/0002" { Says::Fails } else { good(seen) };
    let (tally, memory) = run(&answers(2, 24), script).await;
    assert_eq!((tally.rows.passing, tally.rows.kept), (10, 14), "{tally:?}");
    assert!(kept(&memory).iter().all(|item| item.path.as_str() < "0002/0002"));
    let script = |seen: &Seen| if seen.task == "chats/topics" { Says::Fails } else { good(seen) };
    assert!(matches!(
        try_run(&Scripted::new(1, script), &answers(2, 24), Scope::Full).await,
        Err(WritingError::Plan(why)) if why == "the connection was cut"
    ));
}

#[tokio::test]
async fn an_ending_run_ends_at_once() {
    let script = |seen: &Seen| if seen.task == "chats/filter" { Says::Ends } else { good(seen) };
    let error = try_run(&Scripted::new(1, script), &answers(2, 24), Scope::Full).await.unwrap_err();
    assert!(matches!(error, WritingError::Ending));
}

#[tokio::test]
async fn smaller_scopes_are_the_beginning_of_larger_ones_and_ask_for_no_more() {
    let settings = answers(4, 60);
    let ask = |seed| Scripted::new(seed, good as fn(&Seen) -> Says);
    let whole_ask = ask(1);
    let (_, whole) = try_run(&whole_ask, &settings, Scope::Full).await.unwrap();
    let requests: BTreeSet<_> = ["chats/topics", "chats/questions", "chats/answer", "chats/filter"]
        .iter()
        .flat_map(|task| whole_ask.of(task))
        .map(|seen| seen.hash)
        .collect();
    for scope in [Scope::Probe(1), Scope::Probe(7), Scope::Pilot(0.4), Scope::Probe(1_000)] {
        let ask = ask(5);
        let (tally, part) = try_run(&ask, &settings, scope).await.unwrap();
        let rows = kept(&part);
        assert_eq!(rows.len() as u64, scope.rows(60), "{scope:?}");
        assert_eq!(tally.rows.asked, scope.rows(60));
        for item in rows {
            assert_eq!(whole.items().iter().find(|other| other.path == item.path), Some(&item));
        }
        let calls = ask.calls.lock().unwrap().len();
        assert!(calls as u64 <= 1 + 4 * scope.rows(60), "{scope:?}: {calls}");
        for task in ["chats/topics", "chats/questions", "chats/answer", "chats/filter"] {
            assert!(ask.of(task).iter().all(|seen| requests.contains(&seen.hash)), "{scope:?}: {task}");
        }
    }
}
