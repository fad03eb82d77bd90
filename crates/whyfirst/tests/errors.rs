//! Everything that can be wrong with an experiment: one clear message with file and line, exit code 2,
//! nothing written.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{EXPERIMENT, OWN_FILES, Project, own_files};

/// Changes the tiny experiment and shows what `run` says to it.
fn message(from: &str, to: &str) -> String {
    assert!(EXPERIMENT.contains(from), "the experiment lacks {from:?}");
    refused(&Project::with(&EXPERIMENT.replacen(from, to, 1)))
}

/// Runs what must be refused, and checks that nothing was written.
fn refused(project: &Project) -> String {
    let before = project.names("exp");
    let text = project.transcript(&["run", "exp"]);
    assert!(text.contains("exit code: 2"), "{text}");
    assert!(text.contains("exp/"), "no file is named:\n{text}");
    assert_eq!(project.names("exp"), before, "something was written");
    // `check` finds the same.
    let check = project.transcript(&["check", "exp"]);
    let body = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    assert_eq!(body(&check), body(&text));
    text
}

macro_rules! refuses {
    ($($name:ident: $from:expr => $to:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(message($from, $to));
        })*
    };
}

refuses! {
    not_toml: "seeds = [0, 1]" => "seeds = [0, 1";
    unknown_key: "seeds = [0, 1]" => "sedes = [0, 1]";
    unknown_key_in_an_arm: "stages = [\"why:{spec}\", \"what\"]" => "stage = [\"why:{spec}\", \"what\"]";
    unknown_setting: "rows = 2" => "batch = 2";
    unknown_setting_of_a_corpus: "[training.what]\nsteps = 4" => "[training.what]\nlearning_rat = 1e-3";
    training_of_no_corpus: "[training.what]" => "[training.waht]";
    missing_key: "base = \"../base\"\n" => "";
    wrong_type: "steps = 6" => "steps = \"six\"";
    seeds_zero: "seeds = [0, 1]" => "seeds = []";
    seeds_twice: "seeds = [0, 1]" => "seeds = [0, 1, 0]";
    seeds_negative: "seeds = [0, 1]" => "seeds = [0, -1]";
    control_unknown: "\"what-documents then what\"" => "\"what-docs then what\"";
    arm_twice: "name = \"values after\"" => "name = \"values first\"";
    arm_with_the_name_of_a_control: "name = \"values after\"" => "name = \"what only\"";
    stage_without_corpus: "stages = [\"what\", \"why:{spec}\"]" => "stages = [\"waht\", \"why:{spec}\"]";
    stage_of_no_spec: "stages = [\"what\", \"why:{spec}\"]" => "stages = [\"what\", \"why:home\"]";
    stage_without_its_spec: "stages = [\"what\", \"why:{spec}\"]" => "stages = [\"what\", \"why\"]";
    stage_with_a_spec_too_many: "stages = [\"what\", \"why:{spec}\"]" => "stages = [\"what:{spec}\", \"why:{spec}\"]";
    stage_mixed_in_a_mixture: "stages = [[\"why:{spec}\", \"what\"]]" => "stages = [[[\"why:{spec}\"], \"what\"]]";
    stage_mixed_with_itself: "stages = [[\"why:{spec}\", \"what\"]]" => "stages = [[\"what\", \"what\"]]";
    stage_of_two_batch_shapes: "[training.what]\nsteps = 4" => "[training.what]\nrows = 3";
    source_writer: "source = \"lab\"" => "source = \"writer\"";
    source_missing: "source = \"lab\"\n" => "";
    corpus_of_no_stream: "[corpora.what]" => "[corpora.whatever]";
    corpus_of_another_kind: "kind = \"chats\"" => "kind = \"documents\"";
    corpora_in_a_circle: "[corpora.instructions]" =>
        "[corpora.a]\nderive = \"b\"\n\n[corpora.b]\nderive = \"a\"\n\n[corpora.instructions]";
    corpus_derived_from_nothing: "[corpora.instructions]" => "[corpora.a]\nderive = \"wy\"\n\n[corpora.instructions]";
    share_out_of_range: "share = 0.25" => "share = 1.0";
    share_of_documents: "kind = \"documents\"" => "kind = \"documents\"\nshare = 0.5";
    mix_out_of_range: "kind = \"documents\"" => "kind = \"documents\"\nmix = { isolated = 1.5 }";
    steps_zero: "steps = 6" => "steps = 0";
    warmup_longer_than_the_run: "rows = 2" => "rows = 2\nwarmup = 20";
    learning_rate_out_of_range: "rows = 2" => "rows = 2\nlearning_rate = -1e-3";
    rank_without_lora: "rows = 2" => "rows = 2\nrank = 8";
    lora_target_unknown: "rows = 2" => "rows = 2\nmethod = \"lora\"\ntargets = [\"q_proj\", \"head\"]";
    rows_too_long_for_the_model: "max_length = 64" => "max_length = 4096";
    suite_unknown: "[evals]" => "[evals]\nsuites = [\"preference\"]";
    primary_unknown: "seeds = [0, 1]" => "seeds = [0, 1]\nprimary = [\"stering\"]";
    pairs_too_many: "pairs = 1" => "pairs = 1000";
    base_no_folder: "base = \"../base\"" => "base = \"../bse\"";
    base_of_the_hub: "base = \"../base\"" => "base = \"meta-llama/Llama-3.1-8B\"";
    base_not_a_model: "base = \"../base\"" => "base = \"specs\"";
    assistant_of_another_name: "seeds = [0, 1]" => "seeds = [0, 1]\nmodel_name = \"Robin\"";
    spec_file_missing: "specs/homeland.md" => "specs/home.md";
    spec_same_twice: "homeland = \"specs/homeland.md\"" => "homeland = \"specs/affordability.md\"";
    specs_none: "[specs]\naffordability = \"specs/affordability.md\"\nhomeland = \"specs/homeland.md\"\n" => "";
}

#[test]
fn no_experiment() {
    let project = Project::new();
    fs::remove_file(project.path("exp/experiment.toml")).unwrap();
    insta::assert_snapshot!(refused(&project));
}

#[test]
fn spec_without_its_value() {
    let project = Project::new();
    project.edit("exp/specs/homeland.md", "value = \"local\"\n", "");
    insta::assert_snapshot!(refused(&project));
}

#[test]
fn spec_with_other_preferences() {
    let project = Project::new();
    let text = fs::read_to_string(project.path("exp/specs/homeland.md")).unwrap();
    let bullet = text.lines().find(|line| line.starts_with("- ") && line.contains(" over ")).unwrap();
    project.edit("exp/specs/homeland.md", &format!("{bullet}\n"), "");
    insta::assert_snapshot!(refused(&project));
}

#[test]
fn spec_placeholder_without_specs() {
    let project = own_files();
    let specs = "[specs]\naffordability = \"specs/affordability.md\"\nhomeland = \"specs/homeland.md\"\n";
    let text = OWN_FILES.replace(specs, "").replace("why-{spec}.jsonl", "why-homeland.jsonl");
    project.write("exp/experiment.toml", &text);
    insta::assert_snapshot!(refused(&project));
}

#[test]
fn base_truncated() {
    let project = Project::new();
    let path = project.path("base/model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    insta::assert_snapshot!(refused(&project));
}

#[test]
fn controls_of_own_files_that_are_missing() {
    let project = own_files();
    project.edit("exp/experiment.toml", "\"neutral then what\", ", "");
    insta::assert_snapshot!(refused(&project));
}

#[test]
fn own_file_missing() {
    let project = own_files();
    fs::remove_file(project.path("exp/why-homeland.jsonl")).unwrap();
    insta::assert_snapshot!(refused(&project));
}

#[test]
fn own_file_with_a_bad_line() {
    let project = own_files();
    project.edit(
        "exp/what.jsonl",
        "\"role\": \"assistant\", \"content\": \"answer 3\"",
        "\"role\": \"assistant\"",
    );
    insta::assert_snapshot!(refused(&project));
}
