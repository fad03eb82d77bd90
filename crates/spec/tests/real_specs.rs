//! Specs as people write them: attributes, admonitions, footnotes, dialogues, numbered principles, odd line breaks.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use whyfirst_spec::{Kind, Spec, Verdict, estimate_tokens, fill, kind, parse};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn read(text: &str) -> Spec {
    parse("test", Path::new("specs/test.md"), text.to_string()).unwrap()
}

fn whole(spec: &Spec) -> String {
    let sections = spec.sections.iter().map(|section| format!("{}{}", section.heading, section.body));
    spec.preamble.clone() + &sections.collect::<String>()
}

/// A large spec by other people, where it lies beside the checkout; `None` on machines that do not have it.
fn large() -> Option<String> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(workspace.join("../shared/data/openai-model-spec-2025-12-18.md")).ok()
}

#[test]
fn the_tree_of_a_spec() {
    let spec = read(&fixture("lantern.md"));
    let titles: Vec<(usize, &str)> =
        spec.sections.iter().map(|section| (section.level, section.title.as_str())).collect();
    assert_eq!(
        titles,
        [
            (1, "A spec for a library assistant"),
            (2, "Definitions"),
            (2, "Ranks"),
            (1, "What readers are owed"),
            (2, "Keep what people read to yourself"),
            (2, "Answer the question that was asked"),
            (2, "Be honest about what is not known"),
            (1, "What the library is owed"),
            (2, "Principles"),
            (2, "SP3: Waste nothing"),
            (1, "How it speaks"),
        ]
    );
    assert_eq!(spec.title, "A spec for a library assistant");
    assert_eq!(whole(&spec), spec.text);
    let privacy = spec.by_id("S5").unwrap();
    assert_eq!(privacy.id.as_deref(), Some("privacy"));
    let attributes: Vec<(&str, &str)> =
        privacy.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("authority", "root"), ("tags", "records trust")]);
    assert_eq!(spec.by_id("S1").unwrap().attributes, [("version".to_string(), "2".to_string())]);
    assert_eq!(spec.by_id("S10").unwrap().label.as_deref(), Some("SP3"));
}

#[test]
fn sections_are_numbered_in_the_order_of_the_file() {
    let spec = read(&fixture("lantern.md"));
    let ids = spec.section_ids();
    assert_eq!((ids.len(), ids[0].as_str(), ids[11].as_str()), (12, "S0", "S11"));
    for id in ["S12", "S01", "S+1", "s1", "S", "1", "S-1", "S99999999999999999999"] {
        assert_eq!(spec.number(id), None, "{id}");
    }
    assert_eq!(spec.path_titles(5), ["What readers are owed", "Keep what people read to yourself"]);
    assert_eq!((spec.ancestors(5), spec.nested(4), spec.nested(5)), (vec![4], 5..8, 6..6));
    assert!(
        spec.full_text(4).starts_with("# What readers") && spec.full_text(4).ends_with("invent a book.\n\n")
    );
    assert!(spec.own_text(4).ends_with("keep it so.\n\n"));
    // Text before the first heading is S0, and comments and front matter are none.
    assert!(spec.preamble_text().starts_with("{model_name} is a library"));
    let silent = read("---\na: b\n---\n<!-- c -->\n\n# A\n");
    assert_eq!((silent.preamble_text(), silent.section_ids()), ("", vec!["S1".to_string()]));
}

#[test]
fn outlines_show_first_words_and_titles_for_links() {
    let spec = read(&fixture("lantern.md"));
    let outline = spec.outline();
    let lines: Vec<&str> = outline.lines().collect();
    assert_eq!(lines.len(), 12);
    assert!(
        lines[0].starts_with("[S0] (before the first heading) -- {model_name} is a library"),
        "{}",
        lines[0]
    );
    assert!(
        lines[5].starts_with("[S5] ## Keep what people read to yourself -- {model_name} must not tell"),
        "{}",
        lines[5]
    );
    assert!(lines.iter().all(|line| line.chars().count() < 200));
    assert_eq!(
        read("# A\n[?](#a) and [?](#b) x\n## B {#b}\n").outline_line(1),
        "[S1] # A -- \"A\" and \"B\" x"
    );
    assert_eq!(read("# A\n~~~\ncode\n~~~\n").outline_line(1), "[S1] # A");
}

#[test]
fn links_lead_to_sections() {
    let spec = read(&fixture("lantern.md"));
    let links = spec.links();
    let found: Vec<(&str, &str, Option<usize>)> =
        links.iter().map(|link| (link.text.as_str(), link.target.as_str(), link.to)).collect();
    assert_eq!(found, [("?", "honesty", Some(7)), ("what a record is", "definitions", Some(2))]);
    for link in &links {
        assert_eq!(spec.line_at(link.span.start), link.line);
        assert!(spec.text[link.span.clone()].ends_with(')'));
    }
    // The anchors that renderers make count, too; ids go first.
    let spec =
        read("# What's new?\n[a](#whats-new) [b](#other) [c](#x y) [d] (#e) [?](#none)\n# Z {#other}\n");
    let found: Vec<Option<usize>> = spec.links().iter().map(|link| link.to).collect();
    assert_eq!(found, [Some(1), Some(2), None]);
    assert_eq!(spec.resolve_links("[?](#other), [?](#none)"), "\"Z\", [?](#none)");
}

#[test]
fn dialogues_are_read() {
    let spec = read(&fixture("lantern.md"));
    let dialogues = spec.dialogues();
    assert_eq!((dialogues.len(), dialogues[0].section, dialogues[0].broken), (1, 5, None));
    let turns: Vec<(&str, Option<Verdict>, &str, bool)> = dialogues[0]
        .turns
        .iter()
        .map(|turn| (turn.role.as_str(), turn.verdict, turn.why.as_str(), turn.compared))
        .collect();
    assert_eq!(
        turns,
        [
            ("system", None, "", false),
            ("user", None, "", false),
            ("assistant", Some(Verdict::Good), "kind, and gives nothing away", true),
            ("assistant", Some(Verdict::Bad), "tells", true),
        ]
    );
    assert_eq!(dialogues[0].turns[1].text, "# What did my daughter borrow last week?");
    let broken = |text: &str| read(text).dialogues()[0].broken;
    assert_eq!(broken("~~~xml\n<user>\na\n</user>\n<assistant>\nb\n~~~\n"), Some(5));
    assert_eq!(broken("~~~xml\n<user>\na\n</user>\n</comparison>\n~~~\n"), Some(5));
    assert!(read("```html\n<user>\n</user>\n```\n").dialogues().is_empty());
}

#[test]
fn numbered_principles_are_found_as_headings_and_as_items() {
    let found = |text: &str| -> Vec<(String, String, usize, bool)> {
        let principles = read(text).principles().into_iter();
        principles.map(|one| (one.label, one.text, one.line, one.is_section)).collect()
    };
    let spec = found(&fixture("lantern.md"));
    let labels: Vec<&str> = spec.iter().map(|one| one.0.as_str()).collect();
    assert_eq!(labels, ["SP1", "SP2", "SP3"]);
    let owned = |label: &str, text: &str, line, heading| (label.to_string(), text.to_string(), line, heading);
    assert_eq!(
        found(
            "## 1. First\n## 2.1 Second\n## Principles\n1. One\n   goes on\n2. Two\n    3. inner\n## Steps\n1. no\n- R7: yes\n"
        ),
        [
            owned("1", "First", 1, true),
            owned("2.1", "Second", 2, true),
            owned("1", "One goes on", 4, false),
            owned("2", "Two", 6, false),
            owned("R7", "yes", 10, false),
        ]
    );
}

#[test]
fn line_breaks_of_other_systems_change_nothing() {
    let unix = fixture("lantern.md");
    let (one, other) = (read(&unix), read(&unix.replace('\n', "\r\n")));
    assert_eq!(whole(&other), other.text);
    assert_eq!(one.outline(), other.outline());
    assert_eq!(one.dialogues(), {
        let mut dialogues = other.dialogues();
        for turn in dialogues.iter_mut().flat_map(|dialogue| &mut dialogue.turns) {
            turn.text = turn.text.replace("\r\n", "\n");
        }
        dialogues
    });
    let places = |spec: &Spec| -> Vec<(usize, Option<String>)> {
        spec.sections.iter().map(|section| (section.line, section.id.clone())).collect()
    };
    assert_eq!(places(&one), places(&other));
    // A byte order mark is no part of the first heading.
    let marked = read("\u{feff}# A\ntext\n");
    assert_eq!((marked.sections[0].title.as_str(), whole(&marked)), ("A", marked.text.clone()));
}

#[test]
fn underlined_titles_are_headings_only_where_they_are_meant() {
    let titles = |text: &str| -> Vec<(usize, String)> {
        read(text).sections.into_iter().map(|section| (section.level, section.title)).collect()
    };
    let one = |level, title: &str| vec![(level, title.to_string())];
    assert_eq!(titles("Title {#t}\n=====\ntext\n"), one(1, "Title"));
    assert_eq!(titles("text\n\nTitle\n---\n"), one(2, "Title"));
    for text in [
        "two\nlines\n---\n",
        "- item\n---\n",
        "Title\n\n---\n",
        "    code\n---\n",
        "| a |\n---\n",
        "Title\n--\n",
    ] {
        assert_eq!(titles(text), [], "{text:?}");
    }
    let spec = read("before\n\nTitle\n-----\nbody\n");
    assert_eq!((spec.sections[0].line, spec.sections[0].heading.as_str()), (3, "Title\n-----\n"));
    assert_eq!(read("Why\n---\n- a\n").reasons()[0].line, 3);
}

#[test]
fn the_kind_is_detected() {
    let of = |name: &str| kind(&read(&fixture(name)));
    assert_eq!(of("lantern.md").kind, Kind::Prose, "{:?}", of("lantern.md"));
    assert_eq!(of("rules.md").kind, Kind::Rules, "{:?}", of("rules.md"));
    assert_eq!(kind(&read("# A\nNothing is asked for here.\n")).kind, Kind::Prose);
    let counts =
        kind(&read("# A\nDo this. Never do that. We believe in it. It has four legs.\n~~~\nDo no.\n~~~\n"));
    assert_eq!((counts.sentences, counts.bare_rules, counts.explaining), (4, 2, 1));
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cheese/specs");
    for name in ["affordability.md", "homeland.md"] {
        let spec = read(&std::fs::read_to_string(examples.join(name)).unwrap());
        assert_eq!(kind(&spec).kind, Kind::Prose, "{name}: {:?}", kind(&spec));
    }
}

#[test]
fn a_large_spec_of_other_people_loses_nothing() {
    let Some(text) = large() else { return };
    let spec = read(&text);
    assert_eq!(whole(&spec), text);
    assert!(spec.sections.iter().all(|section| !section.title.is_empty() && section.id.is_some()));
    assert_eq!(spec.blocks.len(), 183);
    assert!(spec.blocks.iter().all(|block| block.closed));
    assert_eq!(spec.dialogues().iter().filter(|dialogue| dialogue.broken.is_some()).count(), 0);
    assert!(spec.links().iter().all(|link| link.to.is_some()));
    assert_eq!(kind(&spec).kind, Kind::Prose, "{:?}", kind(&spec));
    assert_eq!(estimate_tokens(&text), text.len().div_ceil(4));
    let bodies: String = spec.numbers().map(|number| spec.own_text(number)).collect();
    assert_eq!(bodies, text);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_of_markdown(
        lines in prop::collection::vec(
            "(#{1,3} |- |1\\. |SP1: |```|~~~|    |!!! a|\\[\\^a\\]: |\\| |===|---|<!--|-->|> |\\{#)?[ a-zé}\\t\\r.#=]{0,8}", 0..24),
        ends in prop::bool::ANY,
    ) {
        let text = lines.join("\n") + if ends { "\n" } else { "" };
        let spec = read(&text);
        prop_assert_eq!(&whole(&spec), &text);
        for (index, section) in spec.sections.iter().enumerate() {
            let start = section.span.start - section.heading.len();
            prop_assert_eq!(spec.line_at(start), section.line);
            prop_assert_eq!(&spec.text[section.span.clone()], &section.body);
            prop_assert!(section.parent.is_none_or(|parent| spec.sections[parent].level < section.level));
            let nested = spec.nested(index + 1);
            prop_assert!(nested.clone().all(|nested| spec.ancestors(nested).contains(&(index + 1))));
            let below: String = nested.map(|nested| spec.own_text(nested)).collect();
            prop_assert_eq!(spec.full_text(index + 1), spec.own_text(index + 1).to_string() + &below);
        }
        for block in &spec.blocks {
            prop_assert_eq!(&spec.text[block.span.clone()], &block.body);
        }
        for position in 0..=text.len() {
            prop_assert_eq!(spec.line_at(position), 1 + text.as_bytes()[..position].iter().filter(|b| **b == b'\n').count());
        }
        prop_assert_eq!(spec.outline().lines().count(), spec.section_ids().len());
        for link in spec.links() {
            prop_assert!(spec.text[link.span].starts_with('['));
        }
        spec.principles();
        spec.dialogues();
        kind(&spec);
    }

    #[test]
    fn only_the_two_names_are_filled(text in "([{}a-c_ é]|\\{model_name\\}|\\{provider_name\\}|\\{user_name\\}){0,12}") {
        // Names without braces, that stand nowhere in the text, can be taken out again.
        let filled = fill(&text, "\u{1}", "\u{2}");
        prop_assert_eq!(filled.replace('\u{1}', "{model_name}").replace('\u{2}', "{provider_name}"), text.clone());
        let left = ["{model_name}", "{provider_name}"].iter().any(|name| filled.contains(name));
        prop_assert!(!left, "{}", filled);
        // What a name brings along is not filled.
        prop_assert_eq!(fill(&text, "{provider_name}", "{model_name}").len() , {
            let models = text.matches("{model_name}").count();
            let providers = text.matches("{provider_name}").count();
            text.len() + 3 * models - 3 * providers
        });
    }
}
