//! A new experiment folder, as `whyfirst new` writes it: a file in which every key is explained, and two
//! specs.

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

/// Writes a new experiment folder and says which files it has.
///
/// # Errors
/// When the folder exists and is not empty, or cannot be written.
pub fn write(folder: &Path) -> Result<Vec<PathBuf>> {
    let taken = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => folder.exists(),
    };
    if taken {
        return Err(ExperimentError::Occupied { folder: folder.to_owned() });
    }
    let name = folder.file_name().map_or("experiment".into(), |name| name.to_string_lossy());
    let mut files = vec![(folder.join(FILE), text(&name))];
    files
        .extend(SPECS.map(|(name, text)| (folder.join("specs").join(format!("{name}.md")), text.to_owned())));
    for (path, text) in &files {
        store::write_atomic(path, text.as_bytes())?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// The column at which comments stand.
const COLUMN: usize = 36;

/// A key with its value and what it means.
fn key(key: &str, value: impl std::fmt::Display, comment: &str) -> String {
    format!("{:<COLUMN$}# {comment}\n", format!("{key} = {value}"))
}

/// The same for a key that may be left out, with its default.
fn default(name: &str, value: impl std::fmt::Display, comment: &str) -> String {
    key(&format!("# {name}"), value, comment)
}

/// The text of a new experiment file. What is commented out is the default.
fn text(name: &str) -> String {
    let quoted = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        format!("[{}]", names.join(", "))
    };
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
        corpora(),
        training(),
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

fn corpora() -> String {
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
        default("share", defaults::INSTRUCTION_SHARE, "their part of a stage's rows"),
        default("into", "[\"documents\", \"chats\"]", "kinds of stages; [\"chats\"] with source = \"files\""),
    ]
    .concat()
}

fn training() -> String {
    let recipe = Recipe::default();
    let targets: Vec<String> = Target::ALL.iter().map(|target| format!("\"{}\"", target.name())).collect();
    [
        "\n[training]                          # one recipe for all arms\n".to_owned(),
        default("steps", recipe.steps, "optimizer steps of a stage"),
        default("rows", recipe.rows, "packed rows a step"),
        default("max_length", recipe.max_length, "tokens a row"),
        default("learning_rate", format!("{:e}", recipe.learning_rate), "at its peak"),
        default("warmup", recipe.warmup, "part of the steps"),
        default("decay", "\"cosine\"", "or \"constant\""),
        default("min_lr_ratio", recipe.min_lr_ratio, "learning rate at the end, as a part of the peak"),
        default("weight_decay", recipe.weight_decay, "of matrices"),
        default("beta1", recipe.beta1, "AdamW"),
        default("beta2", recipe.beta2, "AdamW"),
        default("eps", format!("{:e}", recipe.eps), "AdamW"),
        default("clip", format!("{:?}", recipe.clip), "largest norm of the gradient"),
        default("gradient_buffers", recipe.gradient_buffers, "most threads that can share one stage; part of the result"),
        default("checkpoint_every", defaults::CHECKPOINT_EVERY, "steps"),
        default("method", "\"full\"", "or \"lora\", with these and their defaults:"),
        "# rank = 64\n# alpha = 128\n".to_owned(),
        format!("# targets = [{}]\n", targets.join(", ")),
        "\n# [training.what]                   # what one corpus changes of it; controls follow what they stand in for\n\
         # steps = 24\n"
            .to_owned(),
    ]
    .concat()
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
