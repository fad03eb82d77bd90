//! Every way in which an answer can be wrong, by name, and what becomes of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger::NodeState;
use serde_json::Value;
use whyfirst_writing::WritingError;
use whyfirst_writing::documents::Shape;

use crate::scripted::{Says, Seen, good, verdicts};
use crate::{SHAPE, request, run, spec_of, try_run};

/// The good answer with a change.
fn changed(seen: &Seen, change: impl Fn(&str) -> String) -> Says {
    let Says::Text(text) = good(seen) else { panic!() };
    Says::Text(change(&text))
}

type Wrong = fn(&Seen) -> Says;

/// The ways in which a list can be wrong, with a part of the reason.
const LISTS: &[(&str, Wrong)] = &[
    ("no </list>", |seen| changed(seen, |text| text.replace("</list>", ""))),
    ("no <list>", |seen| changed(seen, |text| text.replace("<list>", ""))),
    ("the answer is empty", |_| Says::Text(" ".into())),
    ("cut at its token limit", |seen| match good(seen) {
        Says::Text(text) => Says::Cut(text),
        other => other,
    }),
    ("the model refused", |_| Says::Refuses),
    ("not as asked", |seen| changed(seen, |text| text.replace("]</list>", ",]</list>"))),
    ("not as asked", |_| Says::Text("<list>[1, 2, 3, 4, 5]</list>".into())),
    ("too few entries", |_| Says::Text("<list>[]</list>".into())),
    ("another assistant", |seen| changed(seen, |text| text.replacen(":\"", ":\"As ChatGPT says, ", 1))),
];

#[tokio::test]
async fn a_list_that_is_wrong_is_asked_for_again_and_then_set_aside() {
    let request = request(&[&spec_of(8, 20)], SHAPE);
    for step in ["subdomains", "assertions", "types", "ideas"] {
        for (reason, wrong) in LISTS {
            // Lists of texts have no keys.
            let texts = step == "types" || step == "ideas";
            let wrong = move |seen: &Seen| match (texts, *reason) {
                (true, "another assistant") => {
                    changed(seen, |text| text.replacen("[\"", "[\"Ask ChatGPT ", 1))
                }
                _ => wrong(seen),
            };
            let task = format!("documents/{step}");
            let first = {
                let task = task.clone();
                move |seen: &Seen| {
                    if seen.task == task && seen.attempt() < 2 { wrong(seen) } else { good(seen) }
                }
            };
            let (ran, _) = run(&request, first).await;
            assert_eq!(ran.kept().len(), 24, "{step}: {reason}: the third attempt is good");
            let always = {
                let task = task.clone();
                let place = if step == "ideas" { "0000/0001/0002/0001" } else { "0000/0001" };
                move |seen: &Seen| {
                    let there = seen.task == task && seen.path.starts_with(place);
                    if there { wrong(seen) } else { good(seen) }
                }
            };
            let (ran, ask) = run(&request, always).await;
            let (lost, path, kind) = match step {
                "subdomains" => (12, "0001", "domain"),
                "assertions" | "types" => (12, "0001/0002", "subdomain"),
                _ => (3, "0001/0002/0001", "type"),
            };
            let tally = &ran.written.tallies[0];
            assert_eq!((tally.kept, tally.asked, tally.passing), (24 - lost, 24, 0), "{step}: {reason}");
            assert_eq!(tally.dropped.values().sum::<u64>(), lost);
            let node = ran.node(path, kind);
            assert_eq!(node.state, NodeState::SetAside, "{step}: {reason}");
            let why = node.reason.as_ref().unwrap();
            assert!(why.starts_with(&format!("{step}: ")) && why.contains(reason), "{why}");
            assert_eq!(why.matches("; ").count(), 2, "a reason for each attempt: {why}");
            assert_ne!(node.content, "null");
            let calls = ask.calls.lock().unwrap().len() as u64;
            assert_eq!(tally.cost.pico(), 1_000_000 * calls, "all answers are paid for");
            assert_eq!(ran.node("0000", "spec").state, NodeState::Done, "nothing is left to do");
        }
    }
}

#[tokio::test]
async fn without_domains_there_is_nothing() {
    for (reason, wrong) in LISTS {
        let script =
            move |seen: &Seen| if seen.task == "documents/domains" { wrong(seen) } else { good(seen) };
        let memory = std::sync::Arc::default();
        let ask = std::sync::Arc::new(crate::scripted::Scripted::new(1, script));
        let request = request(&[&spec_of(8, 20)], SHAPE);
        let error = try_run(&ask, &request, whyfirst_writing::Scope::Full, &memory).await.err().unwrap();
        assert!(matches!(&error, WritingError::Plan(why) if why.contains(reason)), "{reason}: {error}");
        assert_eq!(memory.nodes()[0].state, NodeState::SetAside);
    }
}

#[tokio::test]
async fn entries_of_the_plan_are_checked() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("domains", "\"S1\"", "\"S99\"", "there is no such section: S99"),
        ("subdomains", "At stake is", "   ", "blank"),
        ("subdomains", "At stake is", "Unlike DeepSeek, at stake is", "DeepSeek"),
        ("assertions", "Aster minds", "I am Claude and mind", "Claude"),
        ("assertions", "it says so", "OpenAI says so", "OpenAI"),
        ("types", "review 0", "review of all that Anthropic says", "Anthropic"),
        ("types", "review 0", "review of all that was ever said or written of it", "not a kind of document"),
        ("ideas", "Somebody", "A colleague of ChatGPT", "ChatGPT"),
    ];
    for (step, good_part, bad_part, reason) in cases.iter().copied() {
        let script = move |seen: &Seen| match seen.task == format!("documents/{step}") {
            true if seen.attempt() == 0 => changed(seen, |text| match reason {
                "blank" => {
                    let at = text.find(good_part).unwrap();
                    let end = at + text[at..].find('"').unwrap();
                    format!("{}{bad_part}{}", &text[..at], &text[end..])
                }
                _ => text.replacen(good_part, bad_part, 1),
            }),
            _ => good(seen),
        };
        let (ran, ask) = run(&request(&[&spec_of(8, 20)], SHAPE), script).await;
        assert_eq!(ran.kept().len(), 24, "{step}: {reason}");
        let again = ask.of(&format!("documents/{step}")).iter().filter(|seen| seen.attempt() == 1).count();
        assert!(again > 0, "{step}: {reason}: nobody noticed");
        for item in &ran.items {
            assert!(
                !item.provenance.contains(bad_part.trim()) || bad_part.trim().is_empty(),
                "{step}: {reason}"
            );
        }
    }
}

/// Documents that are wrong, with a part of the reason.
const DOCUMENTS: &[(&str, &str)] = &[
    ("no </document>", "<document>Aster minds it."),
    ("nothing stands in", "<document> </document>"),
    ("never names Aster", "<document>{words}</document>"),
    ("another assistant", "<document>Aster, unlike ChatGPT, {words}</document>"),
    ("another assistant", "<document>I am Gemini. Aster {words}</document>"),
    ("a placeholder", "<document>Dear [Name], Aster {words}</document>"),
    ("a tag of the prompt", "<document>Aster <draft> {words}</document>"),
    ("by its id", "<document>Section S2 says that Aster {words}</document>"),
    ("a writer's note", "<document>Here is the response: Aster {words}</document>"),
    ("a stock refusal", "<document>I'm sorry, but I can't write about Aster.</document>"),
    ("too short", "<document>Aster minds it.</document>"),
];

#[tokio::test]
async fn a_document_that_is_wrong_is_asked_for_again_and_then_dropped() {
    let shape = Shape { domains: 1, subdomains: 1, types: 1, ideas: 2, ..SHAPE };
    for (reason, text) in DOCUMENTS {
        for attempts in [2, 3] {
            let script = move |seen: &Seen| match seen.task.as_str() {
                "documents/write" if seen.path.ends_with("0001/0002") && seen.attempt() < attempts => {
                    Says::Text(text.replace("{words}", &crate::scripted::words("wrong", 60)))
                }
                _ => good(seen),
            };
            let (ran, ask) = run(&request(&[&spec_of(8, 20)], shape), script).await;
            assert_eq!(ran.kept().len(), if attempts == 2 { 2 } else { 1 }, "{reason}");
            assert_eq!(ask.of("documents/critique").len(), ran.kept().len(), "{reason}");
            if attempts == 3 {
                let (item, node) = (&ran.items[1], ran.node("0001/0001/0001/0002", "idea"));
                let why = item.reason.as_ref().unwrap();
                assert!(why.starts_with("writer: ") && why.matches(reason).count() == 3, "{why}");
                assert_eq!((node.state, &node.reason), (NodeState::SetAside, &item.reason));
                assert!(item.row.is_empty());
                assert_eq!(ran.node("0001/0001/0001", "type").state, NodeState::Done);
            }
        }
    }
}

#[tokio::test]
async fn a_faulted_draft_is_written_again_and_judged_again() {
    static FAULTED: AtomicUsize = AtomicUsize::new(0);
    let script = |seen: &Seen| match seen.task.as_str() {
        "documents/critique" if seen.path.ends_with("0002") && !seen.text.contains("rewritten") => {
            FAULTED.fetch_add(1, Ordering::SeqCst);
            Says::Text(verdicts(&["faithful", "reasons"]))
        }
        "documents/rewrite" => {
            assert!(seen.tag("complaints").contains("- faithful: so it seems of faithful"));
            assert!(seen.tag("draft").starts_with("Aster minds"));
            changed(seen, |text| text.replace("Aster minds", "Aster, rewritten, minds"))
        }
        _ => good(seen),
    };
    let (ran, _) = run(&request(&[&spec_of(8, 20)], SHAPE), script).await;
    let tally = &ran.written.tallies[0];
    assert_eq!((tally.kept, tally.rewritten, FAULTED.load(Ordering::SeqCst)), (24, 8, 8));
    let again = ran.items.iter().filter(|item| item.row.contains("rewritten")).count();
    assert_eq!(again, 8);
    // Without a passing verdict in the last round it is dropped.
    let script = |seen: &Seen| match seen.task.as_str() {
        "documents/critique" if seen.path.ends_with("0002") => Says::Text(verdicts(&["voice"])),
        _ => good(seen),
    };
    let (ran, _) = run(&request(&[&spec_of(8, 20)], SHAPE), script).await;
    assert_eq!(ran.written.tallies[0].dropped, BTreeMap::from([("critic: voice".to_owned(), 8)]));
    for item in ran.items.iter().filter(|item| !item.kept) {
        assert_eq!(item.reason.as_deref(), Some("critic: voice: so it seems of voice"));
    }
}

#[tokio::test]
async fn a_critic_without_readable_verdicts_keeps_nothing() {
    type Wrong = (&'static str, fn() -> Says);
    let wrong: &[Wrong] = &[
        ("a verdict is missing: no_leak", || Says::Text(verdicts(&[]).replace("no_leak", "leak"))),
        ("not as asked", || Says::Text("<verdicts>all pass</verdicts>".into())),
        ("no </verdicts>", || Says::Text("{\"faithful\": true}".into())),
        ("cut at its token limit", || Says::Cut(verdicts(&[]))),
        ("the model refused", || Says::Refuses),
    ];
    for (reason, says) in wrong {
        let script = move |seen: &Seen| if seen.task == "documents/critique" { says() } else { good(seen) };
        let (ran, ask) = run(&request(&[&spec_of(8, 20)], SHAPE), script).await;
        assert_eq!(ran.kept().len(), 0, "{reason}");
        assert_eq!(ask.of("documents/critique").len(), 72);
        assert_eq!(ran.written.tallies[0].dropped.len(), 1, "{:?}", ran.written.tallies[0].dropped);
        let why = ran.items[0].reason.as_ref().unwrap();
        assert!(why.starts_with("critic's answer: ") && why.contains(reason), "{why}");
    }
}

#[tokio::test]
async fn repeats_are_dropped_by_their_place_and_counted_as_one_kind() {
    // Three texts in all, told apart by case and spaces only.
    let script = |seen: &Seen| match seen.task.as_str() {
        "documents/write" => {
            let n = seen.hash.as_bytes()[0] % 3;
            let text = format!("Aster minds the {}.", crate::scripted::words(&n.to_string(), 60));
            let text = if seen.hash.as_bytes()[1].is_multiple_of(2) { text.replace(' ', "  ") } else { text };
            Says::Text(format!("<document>{text}</document>"))
        }
        _ => good(seen),
    };
    let (ran, _) = run(&request(&[&spec_of(8, 20)], SHAPE), script).await;
    let tally = &ran.written.tallies[0];
    assert_eq!((tally.kept, ran.kept().len()), (3, 3));
    assert_eq!(tally.dropped, BTreeMap::from([("its text repeats an earlier document".to_owned(), 21)]));
    let plain = |item: &ledger::Item| {
        let row: Value = serde_json::from_str(&item.row).unwrap();
        row["text"].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for item in ran.items.iter().filter(|item| !item.kept) {
        let earlier = item.reason.as_ref().unwrap().rsplit(": ").next().unwrap();
        assert!(earlier < item.path.as_str());
        let earlier = ran.items.iter().find(|other| other.path == earlier).unwrap();
        assert!(earlier.kept && plain(earlier) == plain(item));
        let node = ran.node(&item.path, "idea");
        assert_eq!((node.state, &node.reason), (NodeState::SetAside, &item.reason));
        assert!(node.content.contains("Somebody writes") && node.call.is_some());
    }
}
