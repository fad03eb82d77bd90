//! Models in and out, as a user does it: checked, written, exported from an experiment, merged. What another program makes of
//! the folders is in `peers`.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{Project, small};
use model::{Adapter, Dtype, Folder};
use serde_json::Value;

fn json(project: &Project, args: &[&str]) -> Value {
    let output = project.whyfirst(args).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn load(project: &Project, folder: &str) -> Folder {
    Folder::load(&project.path(folder)).unwrap()
}

/// Makes `base/` one whose weights are bf16, with a file of them that another program might have written.
fn in_bf16(project: &Project) -> Vec<u8> {
    let mut folder = load(project, "base");
    // What bf16 has: the first half of each value.
    folder.weights.flat.iter_mut().for_each(|x| *x = f32::from_bits(x.to_bits() & 0xffff_0000));
    folder.save_as(&project.path("base"), Dtype::Bf16).unwrap();
    fs::read(project.path("base/model.safetensors")).unwrap()
}

#[test]
fn help() {
    let project = Project::new();
    insta::assert_snapshot!("help", project.transcript(&["model"]));
    for command in ["import", "export", "merge"] {
        insta::assert_snapshot!(format!("help_{command}"), project.transcript(&["model", command, "--help"]));
    }
}

#[test]
fn a_model_is_described_and_nothing_is_written() {
    let project = Project::new();
    let before = project.names("");
    let text = project.transcript(&["model", "import", "base"]);
    for words in ["Llama", "1 layers of width 8", "f32", "chat template   yes", "native: 0M parameters suit"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let about = json(&project, &["model", "import", "base", "--json"]);
    let hash = Folder::content_hash(&project.path("base")).unwrap();
    assert_eq!(about["hash"], hash.to_string());
    assert_eq!(about["parameters"], load(&project, "base").weights.flat.len());
    let bytes = fs::metadata(project.path("base/model.safetensors")).unwrap().len();
    assert_eq!((&about["bytes"], &about["written"]), (&bytes.into(), &Value::Null));
    assert_eq!(project.names(""), before);
    let built_in = json(&project, &["model", "import", "lab", "--json"]);
    assert_eq!(built_in["dtypes"], serde_json::json!(["f32"]));
}

#[test]
fn weights_come_back_with_the_bits_that_they_had() {
    let project = Project::new();
    let exact = load(&project, "base").weights;
    let written = json(&project, &["model", "import", "base", "--to", "f32", "--json"]);
    assert_eq!(written["written"]["dtype"], "f32");
    assert!(load(&project, "f32").weights == exact);
    let bytes = in_bf16(&project);
    let stored = load(&project, "base").weights;
    let written = json(&project, &["model", "import", "base", "--to", "bf16", "--json"]);
    assert_eq!(written["dtypes"], serde_json::json!(["bf16"]));
    assert_eq!(written["written"]["dtype"], "bf16");
    assert_eq!(written["written"]["rounded_weights"], 0);
    assert!(fs::read(project.path("bf16/model.safetensors")).unwrap() == bytes);
    let config: Value = store::read_json(project.path("bf16/config.json")).unwrap();
    assert_eq!(config["dtype"], "bfloat16");
    // Wider on request, with the same values.
    json(&project, &["model", "import", "base", "--to", "wide", "--dtype", "f32", "--json"]);
    assert!(load(&project, "wide").weights == stored);
    // Narrower on request, which is said.
    let text = project.transcript(&["model", "import", "f32", "--to", "narrow", "--dtype", "bf16"]);
    assert!(text.contains("weights were rounded"), "{text}");
    let narrow = load(&project, "narrow").weights;
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= b.abs() / 256.0;
    assert!(narrow.flat.iter().zip(&exact.flat).all(near) && narrow != exact);
    for name in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        let file = |folder: &str| fs::read(project.path(folder).join(name)).unwrap();
        assert!(file("bf16") == file("base"), "{name}");
    }
}

#[test]
fn what_cannot_be_imported_is_refused_and_nothing_is_left() {
    let project = Project::new();
    project.write("full", "a file");
    let cases: [(&[&str], &str); 5] = [
        (&["import", "nothing"], "`nothing` is not a folder"),
        (&["import", "org/none"], "HF_HUB_OFFLINE is set"),
        (&["import", "exp"], "no config.json"),
        (&["import", "base", "--to", "exp"], "exp is not empty"),
        (&["import", "base", "--to", "full"], "full is not empty"),
    ];
    for (args, words) in cases {
        let error = project.fails(&[&["model"], args].concat(), 2, words);
        assert!(error.contains(words), "{error}");
    }
    fs::write(project.path("base/model.safetensors"), "short").unwrap();
    let error = project.fails(&["model", "import", "base", "--to", "new"], 2, "damaged");
    assert!(error.contains("model.safetensors") && !project.path("new").exists(), "{error}");
    let left = |name: &String| name.starts_with('.') && name != ".";
    assert!(!project.names("").iter().any(left), "{:?}", project.names(""));
}

#[test]
fn a_trained_adapter_is_taken_out_and_merges_to_the_model_that_was_trained() {
    let project = small();
    project.succeeds(&["run", "exp"], "a small run");
    let arm = ["model", "export", "exp", "values first", "--to"];
    let with = |more: &[&'static str]| [&arm[..], more].concat();
    let text = project.transcript(&with(&["adapter"]));
    assert!(text.contains("a PEFT adapter"), "{text}");
    project.succeeds(&with(&["whole", "--merged"]), "the whole model");
    let about: Value = store::read_json(project.path("adapter/adapter_config.json")).unwrap();
    let base = project.path("base").canonicalize().unwrap();
    assert_eq!(about["base_model_name_or_path"], base.to_str().unwrap());
    let card = fs::read_to_string(project.path("adapter/README.md")).unwrap();
    assert!(card.contains("library_name: peft") && card.contains("| 2 |"), "{card}");
    for name in ["tokenizer.json", "tokenizer_config.json", "DONE"] {
        assert!(project.path("adapter").join(name).is_file(), "{name}");
    }
    // The same sums in the same order: the same bits as the stage's own.
    project.succeeds(&["model", "merge", "base", "adapter", "--to", "merged"], "merged");
    let (whole, merged) = (load(&project, "whole"), load(&project, "merged"));
    assert!(whole.weights == merged.weights);
    assert!(whole.weights != load(&project, "base").weights);
    assert!(fs::read_to_string(project.path("whole/README.md")).unwrap().contains("transformers"));
    // The adapter on weights that are not its own.
    let mut other = load(&project, "base");
    other.weights.flat[0] += 1.0;
    other.save(&project.path("other")).unwrap();
    let error = project.fails(&["model", "merge", "other", "adapter", "--to", "wrong"], 2, "another base");
    assert!(error.contains("it means nothing on them") && !project.path("wrong").exists(), "{error}");
    let error = project.fails(&["model", "import", "adapter"], 2, "an adapter");
    assert!(error.contains("holds an adapter") && error.contains("model merge"), "{error}");
}

#[test]
fn an_adapter_of_another_program_is_merged_with_its_template() {
    let project = Project::new();
    let mut base = load(&project, "base");
    let template = base.template.take();
    let adapter = Adapter::new(
        &base.config,
        model::LoraShape { rank: 2, alpha: 4.0, targets: model::Target::ALL.to_vec() },
        3,
    );
    let with_template = fs::read_to_string(project.path("base/tokenizer_config.json")).unwrap();
    let mut without: Value = serde_json::from_str(&with_template).unwrap();
    assert!(without.as_object_mut().unwrap().remove("chat_template").is_some());
    project.write("base/tokenizer_config.json", &without.to_string());
    adapter.save(&base.config, None, None, &project.path("adapter")).unwrap();
    let source = template.unwrap().source().to_owned();
    // Either of the two places where programs put it.
    for (name, text) in [("chat_template.jinja", &source), ("tokenizer_config.json", &with_template)] {
        project.write(&format!("adapter/{name}"), text);
        let to = format!("with {name}");
        project.succeeds(&["model", "merge", "base", "adapter", "--to", &to], "merged");
        assert_eq!(load(&project, &to).template.unwrap().source(), source);
        fs::remove_file(project.path("adapter").join(name)).unwrap();
    }
    let text = project.transcript(&["model", "import", "base"]);
    assert!(text.contains("none: it can be trained on documents, not on chats"), "{text}");
}

#[test]
fn a_model_that_is_not_there_is_an_error_that_lists_what_is() {
    let project = small();
    fn export<'a>(args: &[&'a str]) -> Vec<&'a str> {
        [&["model", "export", "exp", "--to", "out"], args].concat()
    }
    let error = project.fails(&export(&["values first"]), 2, "before a run");
    assert!(error.contains("whyfirst run"), "{error}");
    project.edit("exp/experiment.toml", "seeds = [0]", "seeds = [0, 1]");
    project.edit("exp/experiment.toml", "method = \"lora\"\nrank = 2\nalpha = 4\n", "");
    project.succeeds(&["run", "exp"], "two seeds");
    let error = project.fails(&export(&["values furst"]), 2, "another arm");
    assert!(error.contains("no arm `values furst`") && error.contains("`values first`"), "{error}");
    let error = project.fails(&export(&["values first"]), 2, "no seed");
    assert!(error.contains("--spec homeland --seed 1"), "{error}");
    let error = project.fails(&export(&["values first", "--seed", "7"]), 2, "no such seed");
    assert!(error.contains("--seed 0"), "{error}");
    let error = project.fails(&export(&["untouched", "--seed", "0"]), 2, "the base");
    assert!(error.contains("nothing was trained"), "{error}");
    // All weights were trained: there is no adapter, and the whole model is taken.
    let whole = project.transcript(&export(&["values first", "--seed", "1"]));
    assert!(whole.contains("a whole model in f32"), "{whole}");
    assert!(Path::new(&project.path("out/model.safetensors")).is_file());
    let error = project.fails(&export(&["values first", "--seed", "0"]), 2, "a second time");
    assert!(error.contains("out is not empty"), "{error}");
}
