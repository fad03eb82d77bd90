//! What a kept row is, and what is never one.

use std::collections::{BTreeMap, BTreeSet};

use ledger::NodeState;
use serde_json::Value;
use whyfirst_writing::Scope;
use whyfirst_writing::chats::{ChatSettings, Mode, Style, Verdict, without_reasoning};

use crate::scripted::{Says, Scripted, Seen, good};
use crate::{about, answers, kept, run, try_run};

#[tokio::test]
async fn all_rows_are_written_with_their_provenance() {
    let (tally, memory) = run(&answers(4, 50), good).await;
    let rows = kept(&memory);
    assert_eq!((tally.rows.asked, tally.rows.kept, rows.len(), tally.missing()), (50, 50, 50, 0));
    assert_eq!((tally.topics, tally.answered, tally.rows.backfilled), (4, 50, 0));
    assert_eq!(tally.verdicts, BTreeMap::from([(Verdict::Pass, 50)]));
    assert_eq!(tally.rows.yielded(), 1.0);
    let questions: BTreeSet<String> = rows.iter().map(|row| about(row)["question"].to_string()).collect();
    assert_eq!(questions.len(), 50);
    let types: BTreeSet<String> = rows.iter().map(|row| about(row)["question_type"].to_string()).collect();
    assert_eq!(types.len(), 6);
    let about = about(&rows[0]);
    let keys: Vec<&str> = about.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "corpus",
            "path",
            "spec",
            "spec_hash",
            "section_ids",
            "sections",
            "topic",
            "question_type",
            "question",
            "style",
            "templates",
            "models",
            "requests",
            "stop_reasons",
            "verdicts",
            "rewrites",
            "input_tokens",
            "output_tokens",
            "cost_usd"
        ]
    );
    assert_eq!(rows[0].path, "0001/0001/0001");
    assert_eq!(about["sections"][0], "Alpha");
    assert_eq!(about["requests"].as_array().unwrap().len(), 4, "topics, questions, answer, verdict");
    assert_eq!(about["templates"].as_object().unwrap().len(), 4);
    assert_eq!(about["verdicts"]["filter"]["verdict"], "PASS");
    let nodes = memory.nodes();
    assert!(nodes.iter().filter(|node| node.kind == "topic").all(|node| node.state == NodeState::Done));
    assert_eq!(
        nodes
            .iter()
            .filter(|node| node.reason.as_deref().is_some_and(|why| why.starts_with("spare")))
            .count(),
        tally.spare
    );
    assert!(tally.spare > 0);
}

#[tokio::test]
async fn twins_have_the_same_rows_in_the_same_order() {
    let mode = Mode::Answers { topics: 2, style: Style::Rule, reasoning: true };
    let ask = Scripted::new(1, good);
    let (_, memory) = try_run(&ask, &ChatSettings::new(mode, 20), Scope::Full).await.unwrap();
    // The critic sees the reasoning too: it is trained on.
    assert!(ask.of("chats/filter").iter().all(|seen| seen.tag("reasoning").starts_with("I weigh the ")));
    let rows = kept(&memory);
    assert_eq!(rows.len(), 20);
    for item in rows {
        let row: Value = serde_json::from_str(&item.row).unwrap();
        let twin: Value = serde_json::from_str(&without_reasoning(&item.row).unwrap()).unwrap();
        let content = row["messages"][1]["content"].as_str().unwrap();
        let (block, reply) = content.split_once("\n</think>\n\n").unwrap();
        assert!(block.starts_with("<think>\nI weigh the "), "{content}");
        assert!(reply.starts_with("Take the "), "{content}");
        assert_eq!(twin["messages"][1]["content"], reply);
        assert_eq!(twin["messages"][0], row["messages"][0]);
    }
    // Reasoning that is missing or cannot be used makes the answer unusable.
    for bad in
        ["<reply>Take it.</reply>", "<reasoning>The user wants a train.</reasoning><reply>Take it.</reply>"]
    {
        let script =
            |seen: &Seen| if seen.task == "chats/answer" { Says::Text(bad.to_string()) } else { good(seen) };
        let settings = ChatSettings { backfill: 0, ..ChatSettings::new(mode, 6) };
        assert_eq!(run(&settings, script).await.0.rows.kept, 0, "{bad}");
    }
}

#[tokio::test]
async fn questions_like_the_evaluation_are_dropped_with_the_item_named() {
    let (_, memory) = run(&answers(2, 12), good).await;
    let stolen = about(&kept(&memory)[3])["question"].as_str().unwrap().to_string();
    let settings =
        ChatSettings { held_out: vec!["Another item?".to_string(), format!("{stolen} ")], ..answers(2, 12) };
    let (tally, memory) = run(&settings, good).await;
    assert_eq!(tally.questions_dropped["too close to an evaluation item"], 1);
    assert_eq!(tally.rows.kept, 12);
    assert!(memory.items().iter().all(|item| !item.row.contains(&stolen)));
    let node = memory.nodes().into_iter().find(|node| node.content.contains(&stolen)).unwrap();
    assert_eq!(node.state, NodeState::SetAside);
    assert!(node.reason.unwrap().starts_with("too close to an evaluation item (1.00)"));
}
