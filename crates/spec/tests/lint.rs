//! What lint finds, and what it leaves alone.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use whyfirst_spec::{Finding, Kind, LintOptions, Severity, Spec, kind, lint, parse};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn read(text: &str) -> Spec {
    parse("test", Path::new("specs/test.md"), text.to_string()).unwrap()
}

fn prose() -> LintOptions {
    LintOptions { kind: Some(Kind::Prose), ..LintOptions::default() }
}

fn found(text: &str, options: &LintOptions) -> Vec<(usize, &'static str, Severity)> {
    lint(&read(text), options)
        .into_iter()
        .map(|finding| (finding.line, finding.rule, finding.severity))
        .collect()
}

fn only(text: &str, rule: &str, options: &LintOptions) -> Vec<Finding> {
    lint(&read(text), options).into_iter().filter(|finding| finding.rule == rule).collect()
}

#[test]
fn a_good_spec_has_no_findings() {
    let options = LintOptions {
        model_name: Some("Quill".into()),
        provider_name: Some("Lab".into()),
        ..LintOptions::default()
    };
    assert_eq!(lint(&read(&fixture("lantern.md")), &options), []);
}

#[test]
fn a_flawed_spec_has_every_flaw_at_its_line() {
    use Severity::{Error, Note, Warning};
    let options =
        LintOptions { model_name: Some("Quill".into()), provider_name: Some("Lab".into()), ..prose() };
    assert_eq!(
        found(&fixture("flawed.md"), &options),
        [
            (1, "model-not-named", Note),
            (1, "other-name", Error),
            (3, "no-reason", Warning),
            (5, "other-name", Warning),
            (5, "placeholder", Warning),
            (7, "empty-section", Warning),
            (9, "duplicate-title", Warning),
            (9, "no-reason", Warning),
            (11, "dangling-link", Warning),
            (11, "placeholder", Warning),
            (11, "placeholder", Warning),
            (13, "no-reason", Warning),
            (15, "footnote-without-text", Note),
            (17, "duplicate-id", Warning),
            (17, "duplicate-text", Warning),
            (17, "no-reason", Warning),
            (21, "no-reason", Warning),
            (23, "placeholder", Warning),
            (37, "open-fence", Error),
        ]
    );
}

#[test]
fn what_nothing_can_be_made_from_has_one_finding() {
    for (text, rule) in [
        ("", "empty-spec"),
        (" \n<!-- later -->\n", "empty-spec"),
        ("# A\n## B\n", "empty-spec"),
        ("Only text.\nTODO\n", "no-headings"),
        ("---\na: b\n---\n", "empty-spec"),
    ] {
        let found = found(text, &prose());
        assert_eq!(found, [(1, rule, Severity::Error)], "{text:?}");
    }
}

#[test]
fn reasons_are_missed_only_where_something_is_prescribed() {
    let misses = |text: &str| only(text, "no-reason", &prose()).len();
    let filler = "# Other\nWe believe in this.\n";
    for (text, expected) in [
        ("# Honesty\nIt must not lie.\n", 1),
        ("# Honesty\nIt must not lie, because people rely on it.\n", 0),
        ("# Honesty\nIt must not lie. Trust is lost in a day.\n", 0),
        ("# Honesty\nIt has four legs.\n", 0),
        ("# Definitions\nA user must be a person.\n", 0),
        ("# Honesty\n**Example**: it must not lie\n~~~xml\n<user>\nNever.\n</user>\n~~~\n", 0),
        // The section above says why; a section below, or beside, is a "Why".
        ("# All\n# Honesty\nPeople rely on it, so that matters.\n## Lies\nIt must not lie.\n", 0),
        ("# Honesty\n## Lies\nIt must not lie.\n## Why\n- People rely on it.\n", 0),
        ("# Honesty\nIt must not lie.\n## Why\n- People rely on it.\n", 0),
        // The title of the whole explains nothing in particular.
        ("# The spec\nIt was written because we care about it.\n## Honesty\nIt must not lie.\n", 1),
        // A container introduces; what is below it is looked at.
        ("# Honesty\nIt must not lie.\n## Small lies\nThey must not be told.\n", 1),
        ("# Rules\nSP1: It must not lie, because people rely on it.\n\nSP2: It must not steal.\n", 1),
        ("# Rules\nThis is why.\n\n1. It must not lie.\n2. It must not steal.\n", 0),
        ("# Honesty\nIt must not lie.\n!!! meta \"Commentary\"\n    This is because people rely on it.\n", 0),
    ] {
        assert_eq!(
            misses(&format!("{text}{}", if text.contains("# All") { filler } else { "" })),
            expected,
            "{text}"
        );
    }
}

#[test]
fn rules_need_no_reasons() {
    let text = fixture("rules.md");
    assert_eq!(kind(&read(&text)).kind, Kind::Rules);
    let all = only(&text, "no-reason", &LintOptions::default());
    assert_eq!((all.len(), all[0].severity), (1, Severity::Note));
    assert!(all[0].message.starts_with("3 sections without a reason"), "{}", all[0].message);
    assert_eq!(only(&text, "no-reason", &prose()).len(), 3);
}

#[test]
fn placeholders_are_told_from_what_is_meant() {
    let places = |line: &str| only(&format!("# A\n{line}\n"), "placeholder", &prose()).len();
    for line in [
        "Ask {user_name}.",
        "Ask [COMPANY NAME].",
        "[insert a name]",
        "[DATE]",
        "TODO",
        "(TBD)",
        "XXX: later",
        "Lorem ipsum",
        "{{user_name}}",
        "[your company]",
        "| {user_name} |",
    ] {
        assert_eq!(places(line), 1, "{line}");
    }
    for line in [
        "{model_name} of {provider_name}",
        "`{user_name}`",
        "{x}",
        "{A}",
        "{ b }",
        "[...]",
        "[AI]",
        "[COMPANY NAME](https://a.b)",
        "[^NOTE A]",
        "XXXL and XXX-rated",
        "TODOs",
        "[a link]: x",
        "~~~\nTODO {user_name}\n~~~",
        "[?](#a)",
        "<!-- TODO -->",
    ] {
        assert_eq!(places(line), 0, "{line}");
    }
    assert_eq!(only("# About {user_name} {#a}\ntext\n", "placeholder", &prose())[0].line, 1);
}

#[test]
fn names_of_others_are_found_once_each() {
    let options = |model: &str, provider: &str| LintOptions {
        model_name: Some(model.into()),
        provider_name: Some(provider.into()),
        known_other_models: vec!["Nimbus".into()],
        ..prose()
    };
    let text = "# A\nClaude and Claude's friends. ChatGPT, too. Nimbus knows.\n\n~~~\nI am Claude.\n~~~\n[x](https://openai.com/ChatGPT) {model_name}\n";
    let names = |options: &LintOptions| -> Vec<(String, Severity)> {
        let all = only(text, "other-name", options).into_iter();
        all.map(|finding| {
            (finding.message.split(" names ").nth(1).unwrap()[..16].to_string(), finding.severity)
        })
        .collect()
    };
    let of = |name: &str, severity| (name.to_string(), severity);
    assert_eq!(
        names(&options("Quill", "Lab")),
        [
            of("ChatGPT 1 time, ", Severity::Warning),
            of("Claude 3 times, ", Severity::Warning),
            of("Nimbus 1 time, a", Severity::Warning)
        ]
    );
    // Its own family is no other's.
    assert_eq!(names(&options("Claude", "Anthropic")).len(), 2);
    let family =
        |text: &str, model: &str, provider: &str| only(text, "other-name", &options(model, provider)).len();
    assert_eq!(family("# A\nChatGPT runs GPT-4.\n", "ChatGPT", "OpenAI"), 0);
    assert_eq!(family("# A\nLlama is by Meta.\n", "Llama-3.1-8B", "Meta"), 0);
    assert_eq!(family("# A\nGPT-4o\n", "Quill", "Lab"), 1);
    // Without a name of ours it may be the right one.
    let all = only("# A\nClaude.\n", "other-name", &prose());
    assert_eq!((all.len(), all[0].severity), (1, Severity::Note));
}

#[test]
fn sizes_are_measured_against_the_prompt() {
    let long = format!("# A\n{}\n## B\nshort\n", "word ".repeat(100));
    let options = LintOptions { prompt_tokens: 100, ..prose() };
    let all = only(&long, "section-too-long", &options);
    assert_eq!((all.len(), all[0].line), (1, 1));
    assert!(all[0].message.contains("about 127 tokens"), "{}", all[0].message);
    assert!(only(&long, "section-too-long", &prose()).is_empty());
    let huge = format!("# A\n{}\n", "word ".repeat(200_000));
    assert_eq!(only(&huge, "very-large", &prose()).len(), 1);
}

#[test]
fn fences_that_are_never_closed_are_told_with_what_they_swallow() {
    let all = |text: &str| only(text, "open-fence", &prose());
    assert_eq!(all("# A\n~~~\n# B\n")[0].severity, Severity::Warning);
    assert_eq!(all("# A\n~~~\n# B {#b}\n")[0].severity, Severity::Error);
    // The first block lacks its end, so that the opening of the second one is in it.
    let missing = all("# A\n~~~xml\n<user>\na\n</user>\n\ntext\n\n~~~xml\nb\n~~~\n");
    assert_eq!((missing.len(), missing[0].line, missing[0].severity), (1, 2, Severity::Warning));
    assert!(missing[0].message.contains("line 9"), "{}", missing[0].message);
    assert!(all("# A\n~~~\n```rust\n```\n~~~\n").is_empty());
}

#[test]
fn a_large_spec_of_other_people_has_few_findings() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Ok(text) = std::fs::read_to_string(workspace.join("../shared/data/openai-model-spec-2025-12-18.md"))
    else {
        return;
    };
    let options = LintOptions {
        model_name: Some("ChatGPT".into()),
        provider_name: Some("OpenAI".into()),
        ..LintOptions::default()
    };
    let all = lint(&read(&text), &options);
    assert!(all.iter().all(|finding| finding.severity != Severity::Error), "{all:#?}");
    assert!((1..=12).contains(&all.len()), "{all:#?}");
}

#[test]
fn a_spec_of_ten_megabytes_is_read_and_linted() {
    let mut text = String::new();
    let mut n = 0;
    while text.len() < 10_000_000 {
        n += 1;
        text.push_str(&format!(
            "## Section {n} {{#s{n}}}\n\n{{model_name}} must do {n}, because it matters. See [?](#s{}).\n\n- Do it.\n- Never stop.\n\n~~~xml\n<user>\n{}\n</user>\n~~~\n\n",
            n / 2 + 1,
            "words and words ".repeat(20),
        ));
    }
    let spec = read(&text);
    assert_eq!(spec.sections.len(), n);
    let all = lint(&spec, &LintOptions::default());
    let rules: Vec<(&str, Severity)> = all.iter().map(|finding| (finding.rule, finding.severity)).collect();
    assert_eq!(rules, [("too-large", Severity::Error)]);
    assert_eq!(spec.outline().lines().count(), n);
}

#[test]
fn text_made_to_be_slow_is_not() {
    // Each of these was, or would be, slow if anything looked back or ahead for every sign.
    for piece in [
        "[", "](#", "`", "{#", "<!--", "[^a]", "(", "because ", ", so ", "~~~\n", "# \n", "- a\n", "*",
        "{a_b}", "\"", "www.",
    ] {
        let text = format!("# A\n{}\n", piece.repeat(200_000 / piece.len()));
        let spec = read(&text);
        lint(&spec, &LintOptions::default());
        spec.links();
        spec.principles();
    }
}
