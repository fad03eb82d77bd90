//! A new experiment folder, as `whyfirst new` writes it: a file in which every key is explained, and two
//! specs.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use model::Target;
use train::Recipe;

use crate::controls::CONTROLS;
use crate::error::{ExperimentError, Result};
use crate::findings::Analysis;
use crate::{FILE, defaults};

/// The specs of the first example, which are those of a new experiment until the user has written others.
const SPECS: [(&str, &str); 2] = [
    ("affordability", include_str!("../../../examples/cheese/specs/affordability.md")),
    ("homeland", include_str!("../../../examples/cheese/specs/homeland.md")),
];

/// The first example, whose recipe was tuned for the lab: a new experiment starts from it.
const EXAMPLE: &str = include_str!("../../../examples/cheese/experiment.toml");

/// Kinds of new experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// The lab's.
    Lab,
    /// Corpora from a Model Spec, written by a model.
    Spec,
}

/// The experiment of [`Template::Spec`], and a spec to be replaced.
const WRITTEN: [&str; 2] =
    [include_str!("../templates/spec/experiment.toml"), include_str!("../templates/spec/main.md")];

/// Writes a new experiment folder and says which files it has.
///
/// # Errors
/// When the folder exists and is not empty, or cannot be written.
pub fn write(folder: &Path, template: Template) -> Result<Vec<PathBuf>> {
    let taken = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => folder.exists(),
    };
    if taken {
        return Err(ExperimentError::Occupied { folder: folder.to_owned() });
    }
    let name = folder.file_name().map_or("experiment".into(), |name| name.to_string_lossy());
    let spec = |name: &str| folder.join("specs").join(format!("{name}.md"));
    let files: Vec<(PathBuf, String)> = match template {
        Template::Lab => std::iter::once((folder.join(FILE), text(&name)))
            .chain(SPECS.map(|(name, text)| (spec(name), text.to_owned())))
            .collect(),
        Template::Spec => vec![(folder.join(FILE), written(&name)), (spec("main"), WRITTEN[1].to_owned())],
    };
    for (path, text) in &files {
        store::write_atomic(path, text.as_bytes())?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// The text of a new experiment whose corpora a model writes.
fn written(name: &str) -> String {
    let gates: String = audit::Gates::described()
        .into_iter()
        .map(|(key, value, meaning)| default(key, value, meaning))
        .collect();
    WRITTEN[0]
        .replace("\"NAME\"", &toml::Value::String(name.to_owned()).to_string())
        .replace("GATES\n", &gates)
}

/// The column at which comments stand.
const COLUMN: usize = 36;

/// A key with its value and what it means.
fn key(key: &str, value: impl Display, comment: &str) -> String {
    format!("{:<width$} # {comment}\n", format!("{key} = {value}"), width = COLUMN - 1)
}

/// The same for a key that may be left out, with its default.
fn default(name: &str, value: impl Display, comment: &str) -> String {
    key(&format!("# {name}"), value, comment)
}

/// A key as the example sets it in a table, or with its default where the example says nothing.
fn tuned(table: Option<&toml::Table>, name: &str, value: impl Display, comment: &str) -> String {
    match table.and_then(|table| table.get(name)) {
        Some(value) => key(name, value, comment),
        None => default(name, value, comment),
    }
}

/// A table of the example.
fn table<'a>(example: &'a toml::Table, path: &[&str]) -> Option<&'a toml::Table> {
    path.iter().try_fold(example, |table, name| table.get(*name)?.as_table())
}

/// The text of a new experiment file. What is commented out is the default.
fn text(name: &str) -> String {
    let quoted = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        format!("[{}]", names.join(", "))
    };
    // A test reads every example, so this one is valid.
    let example: toml::Table = toml::from_str(EXAMPLE).unwrap_or_default();
    let controls: Vec<&str> = CONTROLS.iter().map(|control| control.name).collect();
    [
        "# An experiment. `whyfirst check` validates it, `whyfirst plan` shows what would run, `whyfirst run` does it.\n\
         # Lines that are commented out show defaults.\n\n"
            .to_owned(),
        key("name", toml::Value::String(name.to_owned()), "the title of the report"),
        key("base", "\"lab\"", "the model that ships with Whyfirst; or a Hugging Face folder"),
        key("seeds", "[0, 1, 2]", "every arm is trained once per seed; intervals are over seeds"),
        default("model_name", format!("\"{}\"", defaults::MODEL_NAME), "what the assistant is called"),
        default("primary", quoted(&defaults::PRIMARY), "the analyses that are not exploratory, of:"),
        format!("{:<COLUMN$}# {}\n", "", Analysis::ALL.map(Analysis::name).join(", ")),
        default("without_controls", "[]", "controls to leave out, of:"),
        controls.chunks(3).map(|some| format!("{:<COLUMN$}# {}\n", "", some.join(", "))).collect(),
        SPECS_AND_CORPORA.to_owned(),
        corpora(&example),
        training(&example),
        ARMS.to_owned(),
        "\n[evals]\n".to_owned(),
        default("suites", quoted(&defaults::SUITES), "what every model is asked"),
        default("pairs", defaults::PAIRS, "pairs per attribute and domain in `preferences`"),
        default("texts", defaults::TEXTS, "texts of each kind in `capability`"),
    ]
    .concat()
}

const SPECS_AND_CORPORA: &str = r#"
[specs]                             # Model Specs; {spec} below stands for each in turn
affordability = "specs/affordability.md"
homeland      = "specs/homeland.md"

[corpora]
source = "lab"                      # generated from the specs, afresh for every seed; "files": your own JSONL

# Names with a meaning: why, what, ablated, what-documents, neutral, instructions. The lab makes what controls need.
# Any corpus may be a file instead: path = "corpora/why-{spec}.jsonl", with {"text": ...} or {"messages": [...]} a line.
# Any other name may be the beginning of a corpus: [corpora.why-small] derive = "why", tokens = 20000
"#;

fn corpora(example: &toml::Table) -> String {
    let instructions = table(example, &["corpora", "instructions"]);
    let (recipe, mix) = (Recipe::default(), lab::WhyMix::default());
    let shares = format!(
        "{{ value = {:?}, indifference = {:?}, preferences = {:?}, isolated = {:?} }}",
        mix.value, mix.indifference, mix.preferences, mix.isolated
    );
    let tokens = recipe.steps * (recipe.rows * recipe.max_length) as u64;
    [
        "\n[corpora.why]                       # documents that explain the value, one corpus per spec\n".to_owned(),
        "kind = \"documents\"\n".to_owned(),
        default("tokens", tokens, "as many as one pass of its stage sees"),
        format!("# mix = {shares}\n"),
        "\n[corpora.what]                      # chats that show the preferences without reasons, for all arms\n".to_owned(),
        "kind = \"chats\"\n".to_owned(),
        "\n[corpora.instructions]              # general chats, mixed into other stages\n".to_owned(),
        "kind = \"instructions\"\n".to_owned(),
        tuned(instructions, "share", defaults::INSTRUCTION_SHARE, "their part of a stage's rows"),
        default("into", "[\"documents\", \"chats\"]", "kinds of stages; [\"chats\"] with source = \"files\""),
    ]
    .concat()
}

fn training(example: &toml::Table) -> String {
    let (recipe, all) = (Recipe::default(), table(example, &["training"]));
    let targets: Vec<String> = Target::ALL.iter().map(|target| format!("\"{}\"", target.name())).collect();
    [
        "\n[training]                          # one recipe for all arms\n".to_owned(),
        tuned(all, "steps", recipe.steps, "optimizer steps of a stage"),
        tuned(all, "rows", recipe.rows, "packed rows a step"),
        tuned(all, "max_length", recipe.max_length, "tokens a row"),
        tuned(all, "learning_rate", format!("{:e}", recipe.learning_rate), "at its peak"),
        tuned(all, "warmup", recipe.warmup, "part of the steps"),
        default("decay", "\"cosine\"", "or \"constant\""),
        tuned(all, "min_lr_ratio", recipe.min_lr_ratio, "learning rate at the end, as a part of the peak"),
        tuned(all, "weight_decay", recipe.weight_decay, "of matrices"),
        tuned(all, "beta1", recipe.beta1, "AdamW"),
        tuned(all, "beta2", recipe.beta2, "AdamW"),
        tuned(all, "eps", format!("{:e}", recipe.eps), "AdamW"),
        tuned(all, "clip", format!("{:?}", recipe.clip), "largest norm of the gradient"),
        default("precision", "\"f32\"", "or \"bf16\": operands of matrix products; faster on CPUs with AMX"),
        default(
            "gradient_buffers",
            recipe.gradient_buffers,
            "most threads that can share one stage; part of the result",
        ),
        default("checkpoint_every", defaults::CHECKPOINT_EVERY, "steps"),
        default("method", "\"full\"", "or \"lora\", with these and their defaults:"),
        "# rank = 64\n# alpha = 128\n".to_owned(),
        format!("# targets = [{}]\n", targets.join(", ")),
        "\n# What one corpus changes of it. Corpora of controls follow those they stand in for.\n".to_owned(),
        all.into_iter()
            .flatten()
            .filter_map(|(name, value)| Some(override_of(name, value.as_table()?)))
            .collect(),
    ]
    .concat()
}

/// `[training.NAME]`.
fn override_of(name: &str, table: &toml::Table) -> String {
    let lines: String = table.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    format!("[training.{name}]\n{lines}")
}

const ARMS: &str = r#"
[[arms]]                            # a list of stages; a list within it is mixed into one stage
name = "values first"
stages = ["why:{spec}", "what"]

[[arms]]
name = "values after"
stages = ["what", "why:{spec}"]

[[arms]]
name = "mixed"
stages = [["why:{spec}", "what"]]

# A stage may change its dose: stages = [{ corpus = "why:{spec}", steps = 30, learning_rate = 3e-4 }, "what"]
"#;
