//! The shape of the plan, its coverage, its pages, and the states of its nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::NodeState;
use serde_json::Value;
use whyfirst_writing::Scope;
use whyfirst_writing::documents::Shape;

use crate::scripted::{Says, Seen};
use crate::scripted::{Scripted, good, list};
use crate::{SHAPE, request, run, spec_of, try_run};

fn about(item: &ledger::Item) -> Value {
    serde_json::from_str(&item.provenance).unwrap()
}

#[tokio::test]
async fn every_place_of_the_plan_has_a_document_with_its_provenance() {
    let (ran, ask) = run(&request(&[&spec_of(8, 20)], SHAPE), good).await;
    let tally = &ran.written.tallies[0];
    assert_eq!((tally.asked, tally.kept, ran.items.len()), (24, 24, 24));
    let paths: Vec<&str> = ran.items.iter().map(|item| item.path.as_str()).collect();
    assert_eq!((paths[0], paths[23]), ("0001/0001/0001/0001", "0002/0002/0002/0003"));
    let counts = ask.counts();
    let count = |task: &str| counts[&format!("documents/{task}")];
    assert_eq!(["domains", "subdomains", "assertions", "types", "ideas"].map(count), [1, 2, 4, 4, 8]);
    assert_eq!(["write", "critique"].map(count), [24, 24]);
    let about = about(&ran.items[7]);
    for key in
        ["spec_hash", "domain", "subdomain", "context", "type", "idea", "templates", "models", "verdicts"]
    {
        assert!(!about[key].is_null(), "{key}: {about}");
    }
    assert_eq!(about["assertions"].as_array().unwrap().len(), 3);
    assert_eq!(about["verdicts"]["no_leak"]["pass"], true);
    assert_eq!(about["path"], ran.items[7].path.as_str());
    // What it cost is what the calls cost that are named, and all calls are in the tally.
    assert_eq!(about["cost_usd"], 2e-6);
    assert_eq!(tally.cost.pico(), 1_000_000 * counts.values().sum::<usize>() as u64);
}

#[tokio::test]
async fn every_node_is_done_and_says_what_it_is() {
    let (ran, _) = run(&request(&[&spec_of(8, 20)], SHAPE), good).await;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &ran.nodes {
        assert_eq!((node.state, &node.reason), (NodeState::Done, &None), "{node:?}");
        *kinds.entry(&node.kind).or_default() += 1;
        assert!(node.kind == "spec" || node.call.is_some(), "{node:?}");
    }
    let expected =
        [("assertion", 12), ("domain", 2), ("idea", 24), ("spec", 1), ("subdomain", 4), ("type", 8)];
    assert_eq!(kinds, BTreeMap::from(expected));
}

#[tokio::test]
async fn sections_that_nobody_chose_are_assigned_and_written_about() {
    // The planner names two sections of nine.
    let script = |seen: &Seen| match seen.task.as_str() {
        "documents/domains" => Says::Text(list(
            ["S2", "S7"]
                .into_iter()
                .map(|id| serde_json::json!({"domain": format!("about {id}"), "sections": [id]})),
        )),
        _ => good(seen),
    };
    let (ran, _) = run(&request(&[&spec_of(9, 20)], SHAPE), script).await;
    let content: Value = serde_json::from_str(&ran.node("0001", "domain").content).unwrap();
    assert_eq!(content["assigned"], serde_json::json!(["S1", "S3", "S4"]));
    assert_eq!(content["sections"], serde_json::json!(["S1", "S2", "S3", "S4"]));
    let written: BTreeSet<String> = ran
        .items
        .iter()
        .flat_map(|item| about(item)["section_ids"].as_array().unwrap().clone())
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(written.len(), 9, "{written:?}");
}

#[tokio::test]
async fn types_take_turns_with_the_pages_of_a_large_subdomain() {
    // One subdomain of 30 sections of 2,000 words each: far more than a prompt shows.
    let shape = Shape { domains: 1, subdomains: 1, types: 5, ideas: 2, ..SHAPE };
    let (ran, ask) = run(&request(&[&spec_of(30, 2_000)], shape), good).await;
    let pages: BTreeSet<String> =
        ran.items.iter().map(|item| about(item)["section_ids"].to_string()).collect();
    assert!(pages.len() > 2, "{pages:?}");
    let of_type = |t: usize| {
        let prefix = format!("0001/0001/{t:04}/");
        let own = ran.items.iter().filter(move |item| item.path.starts_with(&prefix));
        own.map(|item| about(item)["section_ids"].to_string()).collect::<BTreeSet<String>>()
    };
    let turns = pages.len();
    for t in 1..=shape.types {
        assert_eq!(of_type(t).len(), 1, "a type has one page");
        assert_eq!(of_type(t), of_type((t - 1) % turns + 1));
    }
    for task in ["documents/write", "documents/critique", "documents/assertions"] {
        for seen in ask.of(task) {
            let shown = seen.tag("sections");
            assert!(spec::estimate_tokens(shown) < 26_000, "{task}: {}", shown.len());
            assert!(!shown.contains("[S"), "{task}: nothing is shown by its outline only");
        }
    }
    // The assertions of a document are from the sections that it is written from.
    for item in &ran.items {
        let about = about(item);
        let drawn = ask.of("documents/assertions").into_iter().find(|seen| {
            let first = about["section_ids"][0].as_str().unwrap();
            seen.tag("sections").starts_with(&format!("<section id=\"{first}\""))
        });
        let Says::Text(answer) = good(&drawn.unwrap()) else { panic!() };
        assert!(answer.contains(about["assertions"][0].as_str().unwrap()));
    }
}

#[tokio::test]
async fn a_section_too_long_for_a_prompt_is_written_about_in_parts() {
    let paragraph = format!("{}.\n\n", crate::scripted::words("long", 300));
    let text = format!("# Long\n\n{}# Short\n\n{{model_name}} is brief.\n", paragraph.repeat(60));
    let (ran, _) = run(&request(&[&text], SHAPE), good).await;
    let ids: BTreeSet<String> = ran
        .items
        .iter()
        .flat_map(|item| about(item)["section_ids"].as_array().unwrap().clone())
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    assert!(ids.contains("S1.1") && ids.contains("S1.2") && ids.contains("S2"), "{ids:?}");
    assert_eq!(ran.kept().len(), 24);
}

#[tokio::test]
async fn smaller_scopes_are_the_beginning_of_larger_ones_and_ask_for_no_more() {
    let request = request(&[&spec_of(8, 20)], SHAPE);
    let (whole, all) = run(&request, good).await;
    let known: BTreeSet<_> =
        all.calls.lock().unwrap().iter().map(|call| (call.path.clone(), call.sample)).collect();
    for scope in [Scope::Probe(1), Scope::Probe(4), Scope::Pilot(0.5), Scope::Probe(23)] {
        let ask = Arc::new(Scripted::new(5, good as fn(&Seen) -> Says));
        let part = try_run(&ask, &request, scope, &Arc::default()).await.unwrap();
        let rows = scope.rows(24);
        assert_eq!((part.kept().len() as u64, part.written.tallies[0].asked), (rows, rows), "{scope:?}");
        assert_eq!(part.items, whole.items[..rows as usize]);
        let calls = ask.calls.lock().unwrap().clone();
        assert!(calls.iter().all(|call| known.contains(&(call.path.clone(), call.sample))));
        let subdomains = rows.div_ceil(6);
        assert_eq!(ask.counts()["documents/assertions"] as u64, subdomains, "{scope:?}");
        assert_eq!(ask.counts()["documents/write"] as u64, rows);
        // What is not whole is open, and so is what it belongs to.
        assert_eq!(part.node("0000", "spec").state, NodeState::Open);
        for (path, after) in [("0001/0001", 6), ("0001", 12), ("0002/0001", 18)] {
            let kind = if path.len() == 4 { "domain" } else { "subdomain" };
            let state =
                part.nodes.iter().find(|node| node.path == path && node.kind == kind).map(|node| node.state);
            let expected = if rows >= after { NodeState::Done } else { NodeState::Open };
            assert!(state.is_none_or(|state| state == expected), "{scope:?} {path}");
        }
    }
}

#[tokio::test]
async fn samples_tell_all_documents_and_rounds_apart() {
    let shape = Shape { types: 3, ..SHAPE };
    let script = |seen: &Seen| match seen.task.as_str() {
        // The same for all.
        "documents/ideas" => Says::Text(list((0..seen.count()).map(|index| format!("Idea {index}.").into()))),
        "documents/critique" if seen.hash.as_bytes()[3].is_multiple_of(3) => {
            Says::Text(crate::scripted::verdicts(&["voice"]))
        }
        _ => good(seen),
    };
    let (ran, ask) = run(&request(&[&spec_of(8, 20)], shape), script).await;
    let calls = ask.calls.lock().unwrap();
    let samples: Vec<u64> =
        calls.iter().filter(|call| call.role != llm::Role::Planner).map(|call| call.sample).collect();
    let writer = calls.iter().filter(|call| call.role == llm::Role::Writer).map(|call| call.sample);
    assert_eq!(writer.clone().collect::<BTreeSet<u64>>().len(), writer.count());
    assert!(samples.len() > 72 && samples.iter().all(|sample| *sample < 1 << 63));
    assert!(ran.written.tallies[0].rewritten > 0);
}
