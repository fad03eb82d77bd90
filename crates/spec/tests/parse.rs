//! The parser finds what is there, loses nothing, and points at what is wrong.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use whyfirst_spec::{Spec, SpecError, fill, parse};

fn read(text: &str) -> Spec {
    parse("test", Path::new("specs/test.md"), text.to_string()).unwrap()
}

fn refused(text: &str) -> SpecError {
    parse("test", Path::new("specs/test.md"), text.to_string()).unwrap_err()
}

fn whole(spec: &Spec) -> String {
    let sections = spec.sections.iter().map(|section| format!("{}{}", section.heading, section.body));
    spec.preamble.clone() + &sections.collect::<String>()
}

#[test]
fn headings_have_levels_titles_ids_and_lines() {
    let spec = read(
        "before\n\n# One {#one authority=root}\ntext\n## Two ##\r\n   ### Three\n    # code\n#no\n####### seven\n#\n\
         ## Braces {not an id}\n",
    );
    let found: Vec<_> = spec
        .sections
        .iter()
        .map(|section| (section.level, section.title.as_str(), section.id.as_deref(), section.line))
        .collect();
    assert_eq!(
        found,
        [
            (1, "One", Some("one"), 3),
            (2, "Two", None, 5),
            (3, "Three", None, 6),
            (1, "", None, 10),
            (2, "Braces {not an id}", None, 11),
        ]
    );
    assert_eq!((spec.title.as_str(), spec.preamble.as_str()), ("One", "before\n\n"));
    assert_eq!(spec.sections[2].body, "    # code\n#no\n####### seven\n");
    assert_eq!(whole(&spec), spec.text);
}

#[test]
fn a_spec_without_a_title_goes_by_its_name() {
    assert_eq!(read("## Only\n").title, "test");
    assert_eq!(read("").title, "test");
}

#[test]
fn what_is_fenced_is_no_heading_and_no_bullet() {
    let spec = read(
        "# Why\n- a\n```\n# no\n- no\n~~~\n```\n- b\n~~~~ md\n# no\n~~~\n- no\n~~~~~\n- c\n- in a list\n  ```toml\n  # no\n  ```\n",
    );
    assert_eq!(spec.sections.len(), 1);
    let reasons: Vec<String> = spec.reasons().into_iter().map(|line| line.text).collect();
    assert_eq!(reasons, ["a", "b", "c", "in a list"]);
    let infos: Vec<(&str, usize)> =
        spec.blocks.iter().map(|block| (block.info.as_str(), block.line)).collect();
    assert_eq!(infos, [("", 3), ("md", 9), ("toml", 16)]);
    assert_eq!(spec.blocks[1].body, "# no\n~~~\n- no\n");
    // A fence that is never closed goes on to the end.
    let open = read("# A\n```\n# B\n");
    assert_eq!((open.sections.len(), open.blocks[0].body.as_str()), (1, "# B\n"));
}

#[test]
fn reasons_are_the_bullets_below_why_with_lines_and_without_marks() {
    let text = "# T\n- not this\n## Why\nProse.\n\n- **First** `reason`\n  goes on.\n\n  Not the bullet's.\n### More\n* second\n## Other\n- nor this\n## Reasons for it\n+ third\n";
    let reasons = read(text).reasons();
    let found: Vec<(&str, usize)> = reasons.iter().map(|line| (line.text.as_str(), line.line)).collect();
    assert_eq!(found, [("First reason goes on.", 6), ("second", 11), ("third", 15)]);
    assert_eq!(&text[reasons[0].span.clone()], "**First** `reason`\n  goes on.");
}

#[test]
fn preferences_have_a_domain_from_the_heading_or_the_bullet() {
    let text = "## Preferences\n- tea: A over B\n### Cheese\n- **C** over D: because.\n- E over F, which is G over H\n- I over J because it is\n";
    let found: Vec<_> = read(text).preferences().unwrap();
    let plain: Vec<_> =
        found.iter().map(|p| (p.domain.as_str(), p.choice.text.as_str(), p.other.text.as_str())).collect();
    assert_eq!(plain, [("tea", "A", "B"), ("cheese", "C", "D"), ("cheese", "E", "F"), ("cheese", "I", "J")]);
    assert_eq!(&text[found[1].choice.span.clone()], "C");
    assert_eq!(found[3].other.line, 6);
}

#[test]
fn a_preference_that_is_none_is_pointed_at() {
    let error = read("## Preferences\n### Tea\n- A before B\n").preferences().unwrap_err();
    assert_eq!((error.line(), error.path()), (3, "specs/test.md"));
    assert!(error.help().contains("over"));
    let error = read("## Preferences\n- A over B\n").preferences().unwrap_err();
    assert_eq!((error.line(), error.to_string().as_str()), (2, "this preference has no domain"));
}

#[test]
fn the_lab_block_is_found_with_its_lines() {
    let text = "# T\n\n```toml\nx = 1\n```\n```toml\n# the lab's\n[lab]\nvalue = \"cheap\"\nindifferent = [\"origin\",\n  \"age\"]\n```\n";
    let lab = read(text).lab.unwrap();
    assert_eq!((lab.value.text.as_str(), lab.value.line), ("cheap", 9));
    assert_eq!(&text[lab.value.span.clone()], "\"cheap\"");
    let lines: Vec<(&str, usize)> =
        lab.indifferent.iter().map(|line| (line.text.as_str(), line.line)).collect();
    assert_eq!(lines, [("origin", 10), ("age", 11)]);
    assert!(read("```toml\nx = 1\n```\n").lab.is_none());
}

#[test]
fn a_lab_block_that_cannot_be_used_is_pointed_at() {
    let block = |body: &str| format!("# T\n```toml\n[lab]\n{body}```\n");
    let unknown = refused(&block("value = \"cheap\"\nvalues = 1\n"));
    assert_eq!(unknown.line(), 5);
    assert!(unknown.to_string().contains("values"), "{unknown}");
    assert_eq!(refused(&block("value = cheap\n")).line(), 4);
    assert_eq!(refused(&block("value = 3\n")).line(), 4);
    let none = refused(&block(""));
    assert_eq!((none.line(), none.to_string().as_str()), (3, "the [lab] block names no value"));
    let second = refused(&(block("value = \"cheap\"\n") + &block("value = \"cheap\"\n")));
    assert_eq!(
        (second.line(), second.to_string().as_str()),
        (8, "this is the second [lab] block of the spec")
    );
}

#[test]
fn errors_show_the_place_when_they_are_printed() {
    let error = refused("# T\n```toml\n[lab]\nvalue = 3\n```\n");
    let printed = format!("{:?}", miette::Report::new(error));
    assert!(printed.contains("specs/test.md:4"), "{printed}");
}

#[test]
fn only_the_two_placeholders_are_filled() {
    let text = "{model_name} of {provider_name}, {user}, {}, {{model_name}}";
    assert_eq!(fill(text, "Quill", "Lab"), "Quill of Lab, {user}, {}, {Quill}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(lines in prop::collection::vec("(#{0,7} ?|- |```|~~~|  |\\[lab\\])?[ a-zé{}#\\r-]{0,8}", 0..20)) {
        let text = lines.join("\n");
        if let Ok(spec) = parse("test", Path::new("t.md"), text.clone()) {
            prop_assert_eq!(whole(&spec), text);
            for section in &spec.sections {
                prop_assert_eq!(spec.line_at(section.span.start - section.heading.len()), section.line);
                prop_assert_eq!(&spec.text[section.span.clone()], &section.body);
            }
            for line in spec.reasons() {
                prop_assert_eq!(spec.line_at(line.span.start), line.line);
            }
        }
    }
}
