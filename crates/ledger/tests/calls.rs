//! Attempts, their outcomes, and what they cost.
#![allow(clippy::unwrap_used)]

mod common;

use common::{answer, attempt, failure};
use proptest::prelude::*;
use whyfirst_ledger::{Dollars, Kept, Ledger, NewBatch, Spending, Tokens};

fn pico(amount: u64) -> Dollars {
    Dollars::from_pico(amount)
}

#[tokio::test]
async fn an_answer_is_found_by_its_request_and_by_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path().join("store.sqlite")).unwrap();
    let call = ledger.begin(attempt(1)).await.unwrap();
    assert_eq!(ledger.answer_of(attempt(1).request).unwrap(), None, "it is not there before it is");
    assert_eq!(ledger.finish(call, answer("A")).await.unwrap(), Kept::First);
    let stored = ledger.answer_of(attempt(1).request).unwrap().unwrap();
    assert_eq!((stored.text.as_str(), stored.stop.as_str(), stored.model.as_str()), ("A", "end", "model"));
    assert_eq!(stored.cost, pico(300));
    let tokens = Tokens { input: 10, output: 20, reasoning: 5, cache_read: 1, cache_write: 2 };
    assert_eq!(stored.tokens, tokens);
    assert_eq!(ledger.answer_of(attempt(2).request).unwrap(), None);
}

#[tokio::test]
async fn a_second_answer_never_replaces_the_first_and_is_paid_for() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path().join("store.sqlite")).unwrap();
    let [first, second] = [ledger.begin(attempt(1)).await.unwrap(), ledger.begin(attempt(1)).await.unwrap()];
    assert_eq!(ledger.finish(second, answer("B")).await.unwrap(), Kept::First);
    assert_eq!(ledger.finish(first, answer("A")).await.unwrap(), Kept::Extra);
    assert_eq!(ledger.answer_of(attempt(1).request).unwrap().unwrap().text, "B");
    let spent = ledger.spent().unwrap();
    assert_eq!((spent.billed, spent.answers), (pico(600), 2));
}

#[tokio::test]
async fn what_was_pending_when_its_process_died_is_lost_and_possibly_billed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let ledger = Ledger::open(&path).unwrap();
    let done = ledger.begin(attempt(1)).await.unwrap();
    ledger.finish(done, answer("A")).await.unwrap();
    ledger.begin(attempt(2)).await.unwrap();
    let failed = ledger.begin(attempt(3)).await.unwrap();
    ledger.finish(failed, failure(40)).await.unwrap();
    let spent = ledger.spent().unwrap();
    assert_eq!((spent.reserved, spent.pending, spent.at_most()), (pico(1000), 1, pico(1340)));
    drop(ledger);

    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.recover().await.unwrap(), 1);
    assert_eq!(ledger.recover().await.unwrap(), 0);
    let expected = Spending {
        billed: pico(300),
        possibly: pico(1040),
        reserved: pico(0),
        attempts: 3,
        answers: 1,
        failed: 1,
        lost: 1,
        pending: 0,
        tokens: Tokens { input: 10, output: 20, reasoning: 5, cache_read: 1, cache_write: 2 },
    };
    assert_eq!(ledger.spent().unwrap(), expected);
    assert_eq!(ledger.spent_on("corpus").unwrap(), expected);
    assert_eq!(ledger.spent_on("other").unwrap(), Spending::default());
    let roles = ledger.spent_by_role(None).unwrap();
    let sums: Vec<_> = roles.iter().map(|role| (role.role.as_str(), role.spending.attempts)).collect();
    assert_eq!(sums, [("critic", 2), ("writer", 1)]);
    let failures = ledger.failures(Some("corpus")).unwrap();
    assert_eq!(failures, [("lost".to_owned(), 1), ("timeout".to_owned(), 1)]);
}

#[tokio::test]
async fn batches_survive_with_their_calls() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let ledger = Ledger::open(&path).unwrap();
    let new = |n: u64| NewBatch {
        api: "openai",
        base: "https://h".to_owned(),
        model: "model".to_owned(),
        items: vec![("b".to_owned(), attempt(n)), ("a".to_owned(), attempt(n + 1))],
    };
    let first = ledger.begin_batch(new(1)).await.unwrap();
    let second = ledger.begin_batch(new(1)).await.unwrap();
    assert_ne!(first.token, second.token, "the same calls in another batch");
    ledger.batch_submitted(first.id, "p1".to_owned()).await.unwrap();
    ledger.finish(first.calls[0], answer("A")).await.unwrap();
    drop(ledger);

    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.recover().await.unwrap(), 0, "what is with a provider is not lost");
    let open = ledger.open_batches().unwrap();
    assert_eq!(open.len(), 2);
    assert_eq!((open[0].provider_id.as_deref(), open[0].size, open[0].items.len()), (Some("p1"), 2, 1));
    assert_eq!(open[0].items[0].custom_id, "a");
    assert_eq!(open[0].items[0].request, attempt(2).request);
    assert_eq!((open[1].provider_id.as_deref(), open[1].token.as_str()), (None, second.token.as_str()));
    assert_eq!(ledger.known_batches("openai", "https://h").unwrap(), ["p1"]);
    ledger.batch_ended(first.id).await.unwrap();
    ledger.batch_lost(second.id, false).await.unwrap();
    assert_eq!(ledger.open_batches().unwrap(), []);
    let spent = ledger.spent().unwrap();
    assert_eq!((spent.lost, spent.failed, spent.possibly, spent.reserved), (1, 2, pico(1000), pico(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_at_once_share_their_commits() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path().join("store.sqlite")).unwrap();
    let start = std::time::Instant::now();
    let tasks: Vec<_> = (0..2000)
        .map(|n| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let call = ledger.begin(attempt(n)).await.unwrap();
                ledger.finish(call, answer(&n.to_string())).await.unwrap();
                assert_eq!(ledger.answer_of(attempt(n).request).unwrap().unwrap().text, n.to_string());
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(ledger.spent().unwrap().answers, 2000);
    // 4,000 durable writes; a sync each would take minutes on a slow disk.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever happens to attempts, a request has at most one answer, the first, and the sums are the sums.
    #[test]
    fn one_answer_per_request(steps in prop::collection::vec((0u64..6, 0u8..3, 0u64..100), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let ledger = Ledger::open(dir.path().join("store.sqlite")).unwrap();
            let mut first: std::collections::BTreeMap<u64, String> = Default::default();
            let (mut billed, mut possibly, mut pending) = (0, 0, 0);
            for (step, (request, what, amount)) in steps.into_iter().enumerate() {
                let call = ledger.begin(attempt(request)).await.unwrap();
                match what {
                    0 => {
                        let text = format!("{step}");
                        ledger.finish(call, answer(&text)).await.unwrap();
                        first.entry(request).or_insert(text);
                        billed += 300;
                    }
                    1 => {
                        ledger.finish(call, failure(amount)).await.unwrap();
                        possibly += amount;
                    }
                    _ => pending += 1000,
                }
            }
            for request in 0..6 {
                let stored = ledger.answer_of(attempt(request).request).unwrap().map(|answer| answer.text);
                assert_eq!(stored.as_ref(), first.get(&request));
            }
            let spent = ledger.spent().unwrap();
            assert_eq!(spent.billed, pico(billed));
            assert_eq!(spent.possibly, pico(possibly));
            assert_eq!(spent.reserved, pico(pending));
        });
    }
}
