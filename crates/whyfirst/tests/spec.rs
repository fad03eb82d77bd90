//! `spec lint`, `spec show` and `spec transform`, as whole commands.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use common::Project;

const FIXTURES: [&str; 3] = ["lantern.md", "flawed.md", "rules.md"];

/// A folder with the specs that the parser is tested with.
fn specs() -> Project {
    let project = Project::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/tests/fixtures");
    for name in FIXTURES {
        std::fs::copy(fixtures.join(name), project.path(name)).unwrap();
    }
    project
}

/// A large spec by other people, where it lies beside the checkout.
fn large() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Some(workspace.join("../shared/data/openai-model-spec-2025-12-18.md")).filter(|path| path.is_file())
}

#[test]
fn help() {
    let project = Project::new();
    insta::assert_snapshot!("help", project.transcript(&["spec"]));
    for command in ["lint", "show", "transform"] {
        insta::assert_snapshot!(format!("help_{command}"), project.transcript(&["spec", command, "--help"]));
    }
}

#[test]
fn lint() {
    let project = specs();
    let names = ["--model-name", "Quill", "--provider-name", "Lab"];
    insta::assert_snapshot!(
        "lint_good",
        project.transcript(&[&["spec", "lint", "lantern.md"], &names[..]].concat())
    );
    let flawed = [&["spec", "lint", "flawed.md", "--kind", "prose"], &names[..]].concat();
    insta::assert_snapshot!("lint_flawed", project.transcript(&flawed));
    insta::assert_snapshot!("lint_rules", project.transcript(&["spec", "lint", "rules.md"]));
    insta::assert_snapshot!("lint_json", project.transcript(&["spec", "lint", "rules.md", "--json"]));
    let many: String = (0..12).map(|n| format!("# R{n}: Rule\n\nIt must do {n} things.\n\n")).collect();
    project.write("many.md", &many);
    let many = ["spec", "lint", "many.md", "--kind", "prose"];
    insta::assert_snapshot!("lint_many", project.transcript(&many));
    let all = project.transcript(&[&many[..], &["--all"]].concat());
    assert_eq!(all.matches("[no-reason]").count(), 12);
}

#[test]
fn show() {
    let project = specs();
    insta::assert_snapshot!("show", project.transcript(&["spec", "show", "lantern.md"]));
    insta::assert_snapshot!(
        "show_depth",
        project.transcript(&["spec", "show", "lantern.md", "--depth", "1"])
    );
    let json = ["spec", "show", "rules.md", "--json", "--text"];
    insta::assert_snapshot!("show_json", project.transcript(&json));
}

#[test]
fn no_text_is_lost() {
    let project = specs();
    project.write("odd.md", "\u{feff}# A\r\n\r\n~~~\r\n# b\n\r\n## C\n===\n---\r");
    let large = large().map(|path| path.display().to_string());
    for file in ["lantern.md", "flawed.md", "rules.md", "odd.md"].map(str::to_owned).into_iter().chain(large)
    {
        let output = project.whyfirst(&["spec", "show", &file, "--text"]).output().unwrap();
        assert_eq!(output.stdout, std::fs::read(project.path(&file)).unwrap(), "{file}");
        let json = project.whyfirst(&["spec", "show", &file, "--text", "--json"]).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        let parts = json["sections"].as_array().unwrap().iter();
        let whole: String = parts.map(|part| part["text"].as_str().unwrap()).collect();
        let text = std::fs::read_to_string(project.path(&file)).unwrap();
        assert!(text.ends_with(&whole), "{file}");
    }
}

#[test]
fn transforms() {
    let project = specs();
    let of = |kind: &str, rest: &[&str]| {
        project.transcript(&[&["spec", "transform", kind, "lantern.md", "--out", "new.md"], rest].concat())
    };
    insta::assert_snapshot!("transform_rules_only", of("rules-only", &["--all"]));
    let rules = std::fs::read_to_string(project.path("new.md")).unwrap();
    let hash = store::hash_bytes(&std::fs::read(project.path("lantern.md")).unwrap());
    let first = format!("<!-- whyfirst: transform=rules-only parent={hash} -->\n");
    assert!(rules.starts_with(&first), "{rules}");
    // The same again is the same file; it was written by a transform, so that it may be replaced.
    of("rules-only", &[]);
    assert_eq!(std::fs::read_to_string(project.path("new.md")).unwrap(), rules);
    insta::assert_snapshot!("transform_ablated", of("attribution-ablated", &["--keep-reasons"]));
    let names = ["--model-name", "library=archive", "--provider-name", "{provider_name}=Quill Labs"];
    insta::assert_snapshot!("transform_rename", of("rename", &names));
    let text = std::fs::read_to_string(project.path("new.md")).unwrap();
    assert!(text.contains("is a archive assistant that Quill Labs makes."), "{text}");
    insta::assert_snapshot!("transform_json", of("rename", &[&names[..2], &["--json"]].concat()));
}

#[test]
fn transforms_refuse_what_makes_no_sense() {
    let project = specs();
    let before = project.names(".");
    let refused = |args: &[&str]| {
        let error = project.fails(&[&["spec", "transform"], args].concat(), 2, "nonsense");
        assert_eq!(project.names("."), before, "{args:?}");
        error
    };
    let rename = ["rename", "lantern.md", "--out", "new.md"];
    assert!(refused(&rename).contains("rename needs old and new names"));
    assert!(refused(&[&rename[..], &["--model-name", "Quill"]].concat()).contains("OLD=NEW"));
    assert!(
        refused(&[&rename[..], &["--model-name", "Nobody=Quill"]].concat()).contains("nothing to change")
    );
    let rules = ["rules-only", "lantern.md", "--out"];
    assert!(refused(&[&rules[..], &["rules.md"]].concat()).contains("rules.md is there already"));
    assert!(refused(&[&rules[..], &["lantern.md"]].concat()).contains("lantern.md is there already"));
    assert!(refused(&[&rules[..], &["new.md", "--in-code"]].concat()).contains("are for rename"));
    assert!(refused(&[&rules[..], &["new.md", "--keep-reasons"]].concat()).contains("attribution-ablated"));
    let value = ["value-augmented", "lantern.md", "--out", "new.md"];
    assert!(refused(&value).contains("no writer is set"));
    assert!(
        refused(&[&value[..], &["--experiment", "nowhere"]].concat()).contains("no experiment in nowhere")
    );
    assert!(refused(&[&value[..], &["--rehearse", "--growth", "0.5"]].concat()).contains("between 1 and 5"));
    assert!(refused(&[&rules[..], &["new.md", "--rehearse"]].concat()).contains("needs no model"));
    assert!(refused(&["sideways", "lantern.md", "--out", "new.md"]).contains("rules-only"));
    for kind in ["rules-only", "attribution-ablated"] {
        assert!(refused(&[kind, "none.md", "--out", "new.md"]).contains("none.md"));
    }
}

#[test]
fn drafts_by_a_model_are_of_one_length_and_are_bought_once() {
    let project = specs();
    let made = project.whyfirst(&["new", "mine", "--template", "spec"]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let parent = std::fs::read_to_string(project.path("lantern.md")).unwrap();
    let hash = store::hash_bytes(parent.as_bytes());
    let draft = |kind: &str, out: &str, rest: &[&str]| -> serde_json::Value {
        let args = [&["spec", "transform", kind, "lantern.md", "--out", out, "--json"], rest].concat();
        let output = project.whyfirst(&args).output().unwrap();
        assert!(output.status.success(), "{kind} {rest:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let read = |out: &str| std::fs::read_to_string(project.path(out)).unwrap();
    let experiment = ["--experiment", "mine", "--rehearse"];
    for (rest, value, rule) in
        [(&experiment[..], "value.md", "rule.md"), (&experiment[2..], "value2.md", "rule2.md")]
    {
        let first = draft("value-augmented", value, rest);
        assert!(first["writer"]["calls"].as_u64().unwrap() > 0, "{first}");
        let bytes = read(value);
        let again = draft("value-augmented", value, rest);
        let other = draft("rule-augmented", rule, rest);
        assert_eq!(read(value), bytes, "the same again is the same file");
        if rest.len() == 3 {
            // Both drafts were written, and every answer is in the store.
            assert_eq!((&again["writer"]["calls"], &other["writer"]["calls"]), (&0.into(), &0.into()));
            assert!(project.path("mine/runs/rehearsal/store.sqlite").is_file());
        }
        for (kind, out, report) in [("value-augmented", value, &again), ("rule-augmented", rule, &other)] {
            let text = read(out);
            let first = text.lines().next().unwrap();
            let (model, template) =
                (&report["writer"]["model"], report["writer"]["template"].as_str().unwrap());
            let expected = format!(
                "<!-- whyfirst: transform={kind} parent={hash} template={template} model={model} -->"
            );
            assert_eq!((first, template.len()), (expected.as_str(), 64));
            let spec = spec::parse("out", Path::new("out.md"), text.clone()).unwrap();
            assert_eq!(spec.provenance.unwrap().writer.unwrap().model, model.as_str().unwrap());
            // Headings and their order are those of the parent.
            let headings = |text: &str| -> Vec<String> {
                let spec = spec::parse("a", Path::new("a.md"), text.to_owned()).unwrap();
                spec.sections.iter().map(|section| section.title.clone()).collect()
            };
            assert_eq!(headings(&text), headings(&parent));
        }
        let words = [value, rule].map(|out| {
            let text = read(out);
            spec::count_words(text.split_once('\n').unwrap().1)
        });
        let longest = words[0].max(words[1]);
        assert!(words[0].abs_diff(words[1]) * 20 <= longest, "{words:?}");
        assert!(longest > spec::count_words(&parent), "{words:?}");
        assert_ne!(
            read(value).lines().skip(1).collect::<String>(),
            read(rule).lines().skip(1).collect::<String>()
        );
    }
}

#[test]
fn what_is_no_spec_gets_one_clear_error() {
    let project = specs();
    project.write("empty.md", "");
    project.write("flat.md", "Only text.\n\nAnd TODO more.\n");
    std::fs::write(project.path("latin.md"), b"# A\n\ncaf\xe9\n").unwrap();
    std::fs::write(project.path("utf16.md"), b"\xff\xfe#\0 \0A\0").unwrap();
    project.write("lab.md", "# A\n\n```toml\n[lab]\nvalue = 3\n```\n");
    for (file, words) in [
        ("empty.md", "empty.md: the spec is empty"),
        ("flat.md", "flat.md: the spec has no headings"),
        ("latin.md", "latin.md: not UTF-8 text: the byte at offset 8, in line 3,"),
        ("utf16.md", "looks like UTF-16"),
        ("none.md", "cannot read none.md"),
        (".", "cannot read ."),
        ("lab.md", "[lab] block"),
    ] {
        let error = project.fails(&["spec", "show", file], 2, file);
        assert!(error.contains(words), "{file}: {error}");
        assert_eq!(error.matches("help:").count(), 1, "{file}: {error}");
    }
    for (file, rule) in [("empty.md", "empty-spec"), ("flat.md", "no-headings")] {
        let output = project.whyfirst(&["spec", "lint", file, "--json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (json["findings"].as_array().unwrap().len(), &json["findings"][0]["rule"]),
            (1, &rule.into())
        );
    }
    assert!(project.fails(&["spec", "lint", "latin.md"], 2, "latin").contains("save the file as UTF-8"));
}

#[test]
fn a_spec_of_ten_megabytes_is_refused_at_once() {
    let project = specs();
    let section = format!("\n\nIt must ask, because {}.\n\n", "nobody knows and ".repeat(600));
    let text: String = (0..1000).map(|n| format!("# Part {n}{section}")).collect();
    assert!(text.len() > 10_000_000);
    project.write("big.md", &text);
    for command in ["lint", "show"] {
        let output = project.whyfirst(&["spec", command, "big.md"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("no more than 1000000 can be planned from"), "{command}: {said}");
        assert!(said.contains("divide it into several specs"), "{command}: {said}");
    }
}
