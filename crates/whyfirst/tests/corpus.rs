//! `corpus audit`, `sample`, `export` and `transform`, as whole commands.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;

use common::Project;
use serde_json::Value;

/// An experiment from a small plan, rehearsed.
fn rehearsed() -> Project {
    let project = Project::new();
    project.succeeds(&["new", "small", "--template", "spec"], "new");
    let file = "small/experiment.toml";
    project.edit(file, "domains = 10", "domains = 2");
    project.edit(file, "subdomains = 5", "subdomains = 2");
    project.edit(file, "types = 8", "types = 2");
    project.edit(file, "ideas = 6 ", "ideas = 2 ");
    project.edit(file, "rows = 600", "rows = 12");
    project.edit(file, "topics = 30", "topics = 4");
    project.succeeds(&["run", "small", "--rehearse"], "rehearse");
    project
}

/// The folder of a written corpus, relative to the project.
fn folder(project: &Project, file: &str) -> String {
    let corpora = project.path("small/runs/rehearsal/corpora");
    let mut found =
        std::fs::read_dir(corpora).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let name =
        found.find(|name| project.path(&format!("small/runs/rehearsal/corpora/{name}/{file}")).is_file());
    format!("small/runs/rehearsal/corpora/{}", name.unwrap())
}

fn json(project: &Project, args: &[&str]) -> Value {
    let output = project.whyfirst(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn lines(path: PathBuf) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// Rows in a file: of each a text in which nothing is wrong, but for what `also` adds.
fn rows(project: &Project, name: &str, count: usize, also: impl Fn(usize) -> &'static str) {
    let text = |n: usize| {
        let words: String = (0..30).map(|word| format!("w{n}x{word}z ")).collect();
        format!("Note {n} of the day: Quill asks p{n} first, because of a{n}. {words}end.{}", also(n))
    };
    let line = |n| serde_json::json!({ "text": text(n) }).to_string() + "\n";
    project.write(name, &(0..count).map(line).collect::<String>());
}

const NAMES: [&str; 4] = ["--model-name", "Quill", "--provider-name", "Quill Labs"];

#[test]
fn help() {
    let project = Project::new();
    insta::assert_snapshot!("help", project.transcript(&["corpus"]));
    for command in ["audit", "sample", "export", "transform"] {
        insta::assert_snapshot!(
            format!("help_{command}"),
            project.transcript(&["corpus", command, "--help"])
        );
    }
}

#[test]
fn a_file_is_audited_and_what_is_wrong_is_shown() {
    let project = Project::new();
    rows(&project, "good.jsonl", 40, |_| "");
    insta::assert_snapshot!(
        "audit_good",
        project.transcript(&[&["corpus", "audit", "good.jsonl"], &NAMES[..]].concat())
    );
    rows(&project, "bad.jsonl", 40, |n| match n {
        4 => " ChatGPT would not.",
        7 => " Would you rather have tea or milk at noon?",
        _ => "",
    });
    project.write("items.txt", "Would you rather have tea or milk at noon?\n\n");
    let audit = ["corpus", "audit", "bad.jsonl", "--items", "items.txt", "--out", "findings"];
    insta::assert_snapshot!("audit_bad", project.transcript(&[&audit[..], &NAMES].concat()));
    assert_eq!(project.names("findings"), ["audit.html", "audit.json"]);
    let page = std::fs::read_to_string(project.path("findings/audit.html")).unwrap();
    assert!(page.contains("2 gates are not passed") && page.contains("line 8"));
    // Nobody said whose it is: other assistants may be named.
    insta::assert_snapshot!("audit_unnamed", project.transcript(&["corpus", "audit", "bad.jsonl"]));
}

#[test]
fn a_rehearsed_experiment_goes_through_all_commands() {
    let project = rehearsed();
    let audit = ["corpus", "audit", "small", "--rehearsal", "--json"];
    let before = std::fs::read(project.path("small/runs/rehearsal/audit/audit.html")).unwrap();
    let found = json(&project, &audit);
    assert_eq!(found["corpora"].as_array().unwrap().len(), 2, "{found}");
    assert_eq!(found["breaches"], serde_json::json!([]));
    assert_eq!(std::fs::read(project.path("small/runs/rehearsal/audit/audit.html")).unwrap(), before);
    assert!(project.fails(&["corpus", "audit", "small"], 2, "not run").contains("is not written yet"));

    let (why, what) = (folder(&project, "documents.jsonl"), folder(&project, "chats.jsonl"));
    samples(&project, &why);
    exports(&project, &why);
    transforms(&project, &what);
}

fn samples(project: &Project, why: &str) {
    let shown = json(project, &["corpus", "sample", why, "-n", "3", "--json"]);
    assert_eq!((shown["rows"].as_u64(), shown["sample"].as_array().unwrap().len()), (Some(16), 3));
    assert_eq!(shown, json(project, &["corpus", "sample", why, "-n", "3", "--json"]));
    let domain = shown["sample"][0]["provenance"]["domain"].as_str().unwrap().to_owned();
    let only = format!("domain={domain}");
    let chosen = json(project, &["corpus", "sample", why, "-n", "99", "--where", &only, "--json"]);
    assert_eq!((chosen["matching"].as_u64(), chosen["sample"].as_array().unwrap().len()), (Some(8), 8));
    assert!(
        chosen["sample"].as_array().unwrap().iter().all(|row| row["provenance"]["domain"] == domain.as_str())
    );
    let output = project.whyfirst(&["corpus", "sample", why, "-n", "1", "--where", &only]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains(&format!("domain: {domain}"))
            && text.ends_with("1 of 8 rows that match, of 16 rows of why:main\n"),
        "{text}"
    );
    let refused = project.fails(&["corpus", "sample", why, "--where", "colour=red"], 2, "no such key");
    assert!(
        refused.contains("no row says anything about `colour`") && refused.contains("domain"),
        "{refused}"
    );
}

fn exports(project: &Project, why: &str) {
    let full = ["corpus", "export", why, "--out", "full"];
    project.succeeds(&full, "export");
    assert_eq!(project.names("full"), ["DONE", "README.md", "documents.jsonl", "manifest.json"]);
    let exported = lines(project.path("full/documents.jsonl"));
    let row: Value = serde_json::from_str(&exported[3]).unwrap();
    let beside = lines(project.path(&format!("{why}/provenance.jsonl")));
    assert_eq!(row["provenance"], serde_json::from_str::<Value>(&beside[3]).unwrap());
    // The same again changes nothing; anything else is refused, and leaves what is there.
    let again = json(project, &[&full[..], &["--json"]].concat());
    assert_eq!(again["was_there"], true);
    let before = project.files("full", |_| false);
    let refused = project.fails(&[&full[..], &["--lean"]].concat(), 2, "another export");
    assert!(refused.contains("full is there already"), "{refused}");
    assert_eq!(project.files("full", |_| false), before);
    std::fs::create_dir(project.path("mine")).unwrap();
    project.write("mine/notes.txt", "mine");
    assert!(project.fails(&["corpus", "export", why, "--out", "mine"], 2, "taken").contains("name a folder"));
    assert_eq!(project.names("mine"), ["notes.txt"]);

    let curve = [
        "corpus", "export", why, "--lean", "--tokens", "4000", "--tokens", "2000", "--rows", "99", "--out",
        "curve",
    ];
    let manifest = json(project, &[&curve[..], &["--json"]].concat())["manifest"].clone();
    let (small, large) = (
        lines(project.path("curve/documents-2000-tokens.jsonl")),
        lines(project.path("curve/documents-4000-tokens.jsonl")),
    );
    assert!(!small.is_empty() && small.len() < large.len() && large[..small.len()] == small[..]);
    assert!(small.iter().all(|line| line.starts_with("{\"text\":") && !line.contains("provenance")));
    assert_eq!(manifest["parts"][1]["asked"]["tokens"], 2000);
    let deviations = manifest["deviations"].to_string();
    assert!(deviations.contains("documents-99-rows.jsonl: 16 rows instead of 99"), "{deviations}");
    assert!(deviations.contains("simulated writer"), "{deviations}");
    let hash = store::hash_bytes(&std::fs::read(project.path("curve/documents-2000-tokens.jsonl")).unwrap());
    assert_eq!(manifest["parts"][1]["hash"], hash.to_string());
    assert!(std::fs::read_to_string(project.path("curve/README.md")).unwrap().contains(&hash.to_string()));

    project.succeeds(&["corpus", "export", why, "--format", "parquet", "--out", "table"], "parquet");
    let bytes = std::fs::read(project.path("table/documents.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}

fn transforms(project: &Project, what: &str) {
    let plain = [
        "corpus",
        "transform",
        what,
        "--strip-reasoning",
        "--rename",
        "Aster=Quill",
        "--out",
        "plain",
        "--json",
    ];
    let made = json(project, &plain);
    assert_eq!((made["changed"].as_u64(), made["dropped"].as_u64()), (Some(12), Some(0)));
    let chats = lines(project.path("plain/chats.jsonl"));
    assert!(
        chats.len() == 12 && chats.iter().all(|chat| !chat.contains("<think>") && !chat.contains("Aster"))
    );
    let parent: Value = store::read_json(project.path(&format!("{what}/manifest.json"))).unwrap();
    let manifest: Value = store::read_json(project.path("plain/manifest.json")).unwrap();
    assert_eq!((&manifest["of_hash"], &manifest["source"]), (&parent["hash"], &"transformed".into()));
    assert_eq!(manifest["origin"]["model_name"], "Aster");
    // What was made is a corpus like any other, and nearly all of it is the same again.
    let both: String = [&chats[..], &chats[..5]].concat().iter().map(|chat| format!("{chat}\n")).collect();
    project.write("twice.jsonl", &both);
    let made = json(
        project,
        &["corpus", "transform", "twice.jsonl", "--dedup", "--drop", "line 2", "--out", "once", "--json"],
    );
    assert_eq!((made["dropped"].as_u64(), made["manifest"]["rows"].as_u64()), (Some(6), Some(11)));
    let refused = project.fails(
        &["corpus", "transform", "twice.jsonl", "--drop", "line 99", "--out", "x"],
        2,
        "no row",
    );
    assert!(refused.contains("there is no row `line 99`"), "{refused}");
    assert!(project.fails(&["corpus", "transform", what, "--out", "x"], 2, "no step").contains("--dedup"));
    assert!(!project.path("x").exists());
}

#[test]
fn what_is_no_corpus_gets_one_clear_error() {
    let project = Project::new();
    project.write("empty.jsonl", "\n");
    project.write("odd.jsonl", "{\"text\": \"one\"}\n{\"content\": \"two\"}\n");
    project.write("odd.json", "[1, 2]");
    std::fs::create_dir(project.path("folder")).unwrap();
    for (path, words) in [
        ("none.jsonl", "none.jsonl"),
        ("empty.jsonl", "the file has no rows"),
        ("odd.jsonl", "odd.jsonl:2: a row of documents needs a `text`"),
        ("folder", "folder: not a finished corpus"),
        ("exp", "exp is an experiment, not a corpus"),
    ] {
        let refused = project.fails(&["corpus", "export", path, "--out", "x"], 2, path);
        assert!(refused.contains(words), "{path}: {refused}");
        let transform = ["corpus", "transform", path, "--dedup", "--out", "x"];
        assert!(!project.fails(&transform, 2, path).is_empty());
        assert!(!project.path("x").exists());
    }
    assert!(
        project
            .fails(&["corpus", "audit", "exp"], 2, "from the lab")
            .contains("no corpus of this experiment")
    );
    assert!(project.fails(&["corpus", "audit", "odd.json"], 2, "no rows").contains("odd.json:1:"));
    let refused = project.fails(&["corpus", "sample", "odd.jsonl", "--where", "a=b"], 2, "no provenance");
    assert!(refused.contains("nothing is known"), "{refused}");
    let refused = project.fails(&["corpus", "sample", "odd.jsonl", "--where", "a"], 2, "no value");
    assert!(refused.contains("`=`"), "{refused}");
}

#[test]
fn a_changed_corpus_is_refused() {
    let project = Project::new();
    rows(&project, "rows.jsonl", 5, |_| "");
    project
        .succeeds(&["corpus", "transform", "rows.jsonl", "--drop", "line 1", "--out", "made"], "transform");
    project.edit("made/documents.jsonl", "Note 1", "Note 9");
    let refused = project.fails(&["corpus", "export", "made", "--out", "x"], 1, "changed");
    assert!(refused.contains("documents.jsonl"), "{refused}");
}
