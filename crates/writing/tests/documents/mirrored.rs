//! Mirrored corpora: one plan, the same ideas, sizes that do not differ.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::{Item, NodeState};
use serde_json::Value;
use whyfirst_writing::documents::Request;

use crate::scripted::{Says, Seen, good, words};
use crate::{Ran, SHAPE, request, run, sources, spec_of};

/// Two specs that differ in their reasons only.
fn pair() -> [String; 2] {
    let of = |reason: &str| {
        let section = |n: usize| {
            let text = words(&format!("section {n}"), 20);
            format!(
                "# Part {n}\n\n{{model_name}} minds the {text}.\n\nIt does so because of {reason} {n}.\n\n"
            )
        };
        (1..=8).map(section).collect::<String>()
    };
    [of("its thrift"), of("its home")]
}

fn both() -> Arc<Request> {
    let [one, two] = pair();
    request(&[&one, &two], SHAPE)
}

fn of<'a>(ran: &'a Ran, request: &Request, corpus: usize) -> Vec<&'a Item> {
    ran.items.iter().filter(|item| item.corpus == request.briefs[corpus].corpus).collect()
}

fn about(item: &Item, key: &str) -> Value {
    serde_json::from_str::<Value>(&item.provenance).unwrap()[key].clone()
}

#[tokio::test]
async fn one_plan_serves_both_and_each_is_written_from_its_own_spec() {
    let request = both();
    assert_ne!(request.briefs[0].corpus, request.briefs[1].corpus);
    let (ran, ask) = run(&request, good).await;
    for task in ["domains", "subdomains", "types", "ideas"] {
        for seen in ask.of(&format!("documents/{task}")) {
            assert!(
                !seen.text.contains("thrift") && !seen.text.contains("its home"),
                "{task}: {}",
                seen.text
            );
        }
    }
    let (one, two) = (of(&ran, &request, 0), of(&ran, &request, 1));
    assert_eq!((one.len(), two.len()), (24, 24));
    for (a, b) in one.iter().zip(&two) {
        for key in ["path", "domain", "subdomain", "type", "idea", "section_ids"] {
            assert_eq!(about(a, key), about(b, key), "{key}");
        }
        assert_ne!(about(a, "assertions"), about(b, "assertions"));
        assert_ne!(a.row, b.row);
    }
    let written = ask.of("documents/write");
    assert_eq!(written.len(), 48);
    assert!(written.iter().all(|seen| seen.text.contains("thrift") != seen.text.contains("its home")));
    // Two calls that ask the same are still two.
    assert_eq!(written.iter().map(|seen| seen.sample).collect::<BTreeSet<_>>().len(), 48);
    for brief in &request.briefs {
        let own = ran.nodes.iter().filter(|node| node.corpus == brief.corpus);
        assert!(own.clone().all(|node| node.state == NodeState::Done || !is_kept(&ran, &node.path)));
        assert_eq!(own.filter(|node| node.kind == "idea").count(), 24);
    }
}

fn is_kept(ran: &Ran, path: &str) -> bool {
    ran.items.iter().all(|item| item.path != path || item.kept)
}

#[tokio::test]
async fn an_idea_is_kept_for_both_or_for_none() {
    let request = both();
    let script = |seen: &Seen| match seen.task.as_str() {
        "documents/write" if seen.path.ends_with("0002") && seen.text.contains("thrift") => Says::Refuses,
        _ => good(seen),
    };
    let (ran, _) = run(&request, script).await;
    let kept = |corpus| -> Vec<&str> {
        of(&ran, &request, corpus).iter().filter(|item| item.kept).map(|item| item.path.as_str()).collect()
    };
    assert_eq!(kept(0), kept(1));
    assert!(kept(0).len() <= 16 && kept(0).iter().all(|path| !path.ends_with("0002")));
    let twin = of(&ran, &request, 1).into_iter().find(|item| item.path == "0001/0001/0001/0002").unwrap();
    assert_eq!(twin.reason.as_deref(), Some("its twin for spec0 was lost"));
    assert!(!twin.row.is_empty(), "what was dropped can be looked at");
}

#[tokio::test]
async fn ideas_are_left_out_until_the_sizes_do_not_differ() {
    let request = both();
    // One writer is a tenth more verbose.
    let script = |seen: &Seen| match seen.task.as_str() {
        "documents/write" => {
            let extra =
                seen.hash.as_bytes()[2] as usize % 9 + if seen.text.contains("thrift") { 3 } else { 0 };
            let text = words(&seen.hash.to_string(), 60 + extra);
            Says::Text(format!("<document>Aster minds the {text}.</document>"))
        }
        _ => good(seen),
    };
    let (ran, _) = run(&request, script).await;
    let size = |corpus| -> usize {
        let kept = of(&ran, &request, corpus).into_iter().filter(|item| item.kept);
        kept.map(|item| about_text(item).len()).sum()
    };
    let (one, two) = (size(0), size(1));
    assert!(one.abs_diff(two) as f64 <= 0.005 * one.max(two) as f64, "{one} {two}");
    let tally = &ran.written.tallies[0];
    assert!(tally.kept >= 8 && tally.kept < 24, "{tally:?}");
    assert_eq!(tally.dropped.values().sum::<u64>(), 24 - tally.kept);
}

fn about_text(item: &Item) -> String {
    serde_json::from_str::<Value>(&item.row).unwrap()["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn specs_of_other_outlines_cannot_be_mirrored() {
    let sources = sources(&[&spec_of(3, 20), &spec_of(4, 20)]);
    let briefs = vec![crate::scripted::brief(), crate::scripted::brief()];
    let prompts = Arc::new(whyfirst_writing::Prompts::built_in());
    let error = Request::new(briefs, sources, SHAPE, prompts, 0.005).unwrap_err();
    assert!(error.contains("the same outline") && error.contains("`spec0` and `spec1`"), "{error}");
}
