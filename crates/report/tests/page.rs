//! The page: whole, self-contained, readable without seeing its charts.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use experiment::findings::fixture::Fixture;
use experiment::record::Role;
use whyfirst_report as report;

/// Elements that have no end tag.
const VOID: [&str; 3] = ["meta", "br", "hr"];

/// A start tag: name and attributes.
type Tag = (String, Vec<(String, String)>);

/// The start tags of a page in order.
///
/// # Panics
/// When a tag is not closed, or closed in the wrong order.
fn tags(page: &str) -> Vec<Tag> {
    let (mut tags, mut open): (Vec<Tag>, Vec<String>) = (Vec::new(), Vec::new());
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("every < begins a tag");
        let tag = &rest[start + 1..end];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed in the wrong order");
        } else {
            let (name, attributes) = parts(tag);
            if !VOID.contains(&name.as_str()) {
                open.push(name.clone());
            }
            tags.push((name.clone(), attributes));
            if name == "style" {
                let close = rest.find("</style>").expect("the style ends");
                rest = &rest[close..];
                continue;
            }
        }
        rest = &rest[end + 1..];
    }
    assert_eq!(open, Vec::<String>::new(), "not closed");
    tags
}

fn parts(tag: &str) -> Tag {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    while let Some((key, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a quoted value");
        attributes.push((key.trim().to_owned(), value.to_owned()));
        rest = after;
    }
    assert_eq!(rest.trim(), "", "attributes without a value in <{tag}>");
    (name.to_owned(), attributes)
}

fn attribute<'a>((_, attributes): &'a Tag, key: &str) -> Option<&'a str> {
    attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

fn pages() -> Vec<String> {
    let failed = |seeds: std::ops::Range<u64>| {
        seeds.map(|seed| ("values first".to_owned(), Some("homeland".to_owned()), seed)).collect()
    };
    [
        Fixture { doses: true, ..Fixture::default() },
        Fixture { failed: failed(0..3), ..Fixture::default() },
        Fixture { failed: failed(1..2), seeds: vec![0, 1], ..Fixture::default() },
        Fixture {
            seeds: vec![4],
            without: vec![Role::AblatedThenWhat, Role::NeutralThenWhat],
            ..Fixture::default()
        },
        Fixture { without: vec![Role::WhyThenWhat], ..Fixture::default() },
        Fixture { seeds: vec![], ..Fixture::default() },
    ]
    .iter()
    .map(|fixture| report::html(&fixture.findings()))
    .collect()
}

#[test]
fn every_tag_is_closed_and_every_reference_leads_somewhere() {
    for page in pages() {
        let tags = tags(&page);
        let mut ids = BTreeSet::new();
        for id in tags.iter().filter_map(|tag| attribute(tag, "id")) {
            assert!(ids.insert(id), "two elements have the id {id}");
        }
        for tag in &tags {
            let labels = attribute(tag, "aria-labelledby").into_iter().flat_map(str::split_whitespace);
            let link =
                attribute(tag, "href").map(|href| href.strip_prefix('#').expect("links stay on the page"));
            for id in labels.chain(link) {
                assert!(ids.contains(id), "nothing has the id {id}");
            }
        }
        assert_eq!(attribute(&tags[0], "lang"), Some("en"));
    }
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    for page in pages() {
        for foreign in [
            "http:", "https:", "//", "url(", "@import", "<script", "<link", "<img", "<iframe", " src=", " on",
        ] {
            let found = page.find(foreign).filter(|_| foreign != " on");
            assert!(found.is_none(), "{foreign}: {}", &page[found.unwrap_or(0)..][..80]);
        }
        let handlers = tags(&page).into_iter().flat_map(|(_, attributes)| attributes);
        assert!(handlers.into_iter().all(|(name, _)| !name.starts_with("on")));
    }
}

#[test]
fn charts_have_words_and_a_table_with_their_numbers() {
    for page in pages() {
        let tags = tags(&page);
        let charts: Vec<&Tag> = tags.iter().filter(|(name, _)| name == "svg").collect();
        let count = |name: &str| tags.iter().filter(|(found, _)| found == name).count();
        for chart in &charts {
            assert_eq!(attribute(chart, "role"), Some("img"));
            assert!(attribute(chart, "aria-labelledby").is_some() && attribute(chart, "viewBox").is_some());
        }
        assert_eq!(count("desc"), charts.len());
        // The page has a title as well.
        assert_eq!(count("title"), charts.len() + 1);
        assert!(!page.contains("<desc></desc>"));
        assert!(page.matches("<details").count() >= 6);
        for (name, attributes) in tags.iter().filter(|(name, _)| name == "th") {
            assert!(attributes.iter().any(|(key, _)| key == "scope"), "<{name}> without a scope");
        }
    }
}

#[test]
fn headings_go_down_one_level_at_a_time() {
    for page in pages() {
        let levels = tags(&page).into_iter().filter_map(|(name, _)| match name.as_bytes() {
            [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
            _ => None,
        });
        let levels: Vec<u8> = levels.collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    }
}

#[test]
fn the_answer_comes_first_and_its_limits_with_it() {
    let findings = Fixture::default().findings();
    let page = report::html(&findings);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text:?} is not on the page"));
    let scope = "tests the instrument and is not evidence about large models";
    assert!(at("Does the model generalise by the reason that it read?") < at("Steering is there: cheap +"));
    assert!(at("Steering is there: cheap +") < at(scope));
    assert!(at(scope) < at("What every arm prefers"));
    assert_eq!(page.matches(scope).count(), 1);
    assert!(at("below 100, a null result says little") < at("What every arm prefers"));
    let hash = &findings.provenance.base_hash;
    assert!(page.contains(hash.as_str()) && page.contains("native recipe v1, x86-64 avx512"));
    // Text of corpora cannot become markup.
    assert!(page.contains("&lt;because&gt; it is cheap &amp; &quot;fair&quot;"));
}

#[test]
fn a_failed_model_is_named_with_every_number() {
    let failed = vec![("values first".to_owned(), Some("homeland".to_owned()), 1)];
    let findings = Fixture { failed, ..Fixture::default() }.findings();
    let page = report::html(&findings);
    assert!(page.contains("1 of 3 seeds failed"));
    assert!(page.contains("the loss became NaN at step 17"));
    let named = page
        .matches("Without a result, and not in the numbers: values first ·\u{a0}homeland (seed 1)")
        .count();
    // Rates, probabilities, domains, models, order, steering by domain, and the estimates of five answers.
    assert_eq!(named, 11);
    assert!(report::terminal(&findings, 100).contains("values first"));
}

#[test]
fn equal_findings_give_equal_pages() {
    assert_eq!(pages(), pages());
}
