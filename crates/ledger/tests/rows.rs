//! Nodes, items and notes.
#![allow(clippy::unwrap_used)]

use whyfirst_ledger::{Item, Ledger, LedgerError, Node, NodeState};

fn node(path: &str, state: NodeState, reason: Option<&str>) -> Node {
    Node {
        corpus: "c".to_owned(),
        path: path.to_owned(),
        kind: "idea".to_owned(),
        state,
        reason: reason.map(str::to_owned),
        content: "{}".to_owned(),
        call: Some(store::hash_bytes(path.as_bytes())),
    }
}

fn item(corpus: &str, path: &str, kept: bool) -> Item {
    Item {
        corpus: corpus.to_owned(),
        path: path.to_owned(),
        kept,
        reason: (!kept).then(|| "a leak".to_owned()),
        row: format!("{{\"text\":\"{path}\"}}"),
        provenance: "{}".to_owned(),
    }
}

fn paths(ledger: &Ledger, corpus: &str, kept_only: bool) -> Vec<String> {
    let mut paths = Vec::new();
    ledger
        .items::<LedgerError>(corpus, kept_only, |item| {
            paths.push(item.path);
            Ok(())
        })
        .unwrap();
    paths
}

#[tokio::test]
async fn items_come_in_path_order_whenever_they_were_put() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path().join("store.sqlite")).unwrap();
    for (path, kept) in [("0002", true), ("0001/0002", true), ("0010", false), ("0001/0001", true)] {
        ledger.put_item(item("c", path, kept)).await.unwrap();
    }
    ledger.put_item(item("other", "0000", true)).await.unwrap();
    ledger.put_item(item("c", "0002", true)).await.unwrap();
    ledger.flush().await.unwrap();
    assert_eq!(paths(&ledger, "c", false), ["0001/0001", "0001/0002", "0002", "0010"]);
    assert_eq!(paths(&ledger, "c", true), ["0001/0001", "0001/0002", "0002"]);
    assert_eq!(ledger.count_items("c").unwrap(), (3, 1));
    assert_eq!(ledger.item("c", "0010").unwrap(), Some(item("c", "0010", false)));
    let stopped = ledger.items("c", false, |item| match item.path.as_str() {
        "0002" => Err(LedgerError::Closed { path: "here".into() }),
        _ => Ok(()),
    });
    assert_eq!(stopped, Err(LedgerError::Closed { path: "here".into() }));
    ledger.clear("c").await.unwrap();
    ledger.flush().await.unwrap();
    assert_eq!((paths(&ledger, "c", false).len(), paths(&ledger, "other", false).len()), (0, 1));
}

#[tokio::test]
async fn nodes_are_replaced_and_reasons_counted() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path().join("store.sqlite")).unwrap();
    for path in ["0001", "0002", "0003"] {
        ledger.put_node(node(path, NodeState::Open, None)).await.unwrap();
    }
    ledger.put_node(node("0001", NodeState::Done, None)).await.unwrap();
    ledger.put_node(node("0002", NodeState::SetAside, Some("no tag"))).await.unwrap();
    ledger.put_node(node("0003", NodeState::SetAside, Some("no tag"))).await.unwrap();
    ledger.put_item(item("c", "0004", false)).await.unwrap();
    ledger.flush().await.unwrap();
    let mut all = Vec::new();
    ledger
        .nodes::<LedgerError>("c", |node| {
            all.push(node);
            Ok(())
        })
        .unwrap();
    assert_eq!(all[0], node("0001", NodeState::Done, None));
    assert_eq!(all[1], node("0002", NodeState::SetAside, Some("no tag")));
    let reasons = ledger.reasons("c").unwrap();
    let expected = [("idea", "no tag", 2), ("item", "a leak", 1)];
    assert_eq!(reasons, expected.map(|(kind, reason, n)| (kind.to_owned(), reason.to_owned(), n)));
    let counts = ledger.count_nodes("c").unwrap();
    assert_eq!(counts.iter().map(|count| count.2).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn the_same_again_is_not_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let ledger = Ledger::open(&path).unwrap();
    for n in 0..50 {
        ledger.put_item(item("c", &format!("{n:04}"), true)).await.unwrap();
    }
    ledger.flush().await.unwrap();
    let log = || std::fs::metadata(dir.path().join("store.sqlite-wal")).unwrap().len();
    let before = log();
    for n in 0..50 {
        ledger.put_item(item("c", &format!("{n:04}"), true)).await.unwrap();
    }
    ledger.flush().await.unwrap();
    assert_eq!(log(), before);
}

#[tokio::test]
async fn what_is_queued_is_written_when_the_last_handle_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let ledger = Ledger::open(&path).unwrap();
    ledger.put_item(item("c", "0001", true)).await.unwrap();
    ledger.put_meta("spec", "one").await.unwrap();
    ledger.put_meta("spec", "two").await.unwrap();
    drop(ledger);
    assert!(!dir.path().join("store.sqlite-wal").exists(), "one file is left");
    let ledger = Ledger::open_to_read(&path).unwrap();
    assert_eq!(paths(&ledger, "c", true), ["0001"]);
    assert_eq!(ledger.meta("spec").unwrap().as_deref(), Some("two"));
    assert_eq!(ledger.meta("other").unwrap(), None);
    let error = ledger.put_item(item("c", "0002", true)).await.unwrap_err();
    assert!(error.to_string().ends_with("is not open for writing"), "{error}");
}
