//! A new experiment folder, as `whyfirst new` writes it: a file in which every key is explained, and two specs.

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
    files.extend(SPECS.map(|(name, text)| (folder.join("specs").join(format!("{name}.md")), text.to_owned())));
    for (path, text) in &files {
        store::write_atomic(path, text.as_bytes())?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// The text of a new experiment file. What is commented out is the default.
fn text(name: &str) -> String {
    let recipe = Recipe::default();
    let name = toml::Value::String(name.to_owned());
    let quoted = |names: &[&str]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let mix = lab::WhyMix::default();
    format!(
        r#"# An experiment. `whyfirst check` validates it, `whyfirst plan` shows what would run, `whyfirst run` does it.
# Lines that are commented out show defaults.

name = {name}
base = "lab"                        # the model that ships with Whyfirst; or a Hugging Face folder, relative to this one
seeds = [0, 1, 2]                   # every arm is trained once per seed; intervals are over seeds
# model_name = "{model_name}"              # what the assistant is called
# without_controls = []             # controls to leave out, of: {controls}
# primary = [{primary}]          # analyses declared primary, of: {analyses}; the rest is exploratory

[specs]                             # Model Specs; {{spec}} below stands for each in turn
affordability = "specs/affordability.md"
homeland      = "specs/homeland.md"

[corpora]
source = "lab"                      # lab: generated from the specs, afresh for every seed; files: your own JSONL

# Names with a meaning: why, what, ablated, what-documents, neutral, instructions. The lab makes those that controls need.
# Any corpus may be a file instead: path = "corpora/why-{{spec}}.jsonl" ({{"text": ...}} or {{"messages": [...]}} a line).
# Any other name can be the beginning of a corpus: [corpora.why-small] derive = "why", tokens = 20000

[corpora.why]                       # documents that explain the value, one corpus per spec
kind = "documents"
# tokens = {tokens}                    # default: as many as its stage sees
# mix = {{ value = {value}, indifference = {indifference}, preferences = {preferences}, isolated = {isolated} }}

[corpora.what]                      # chats that show the preferences without reasons, the same for every arm
kind = "chats"

[corpora.instructions]              # general chats, mixed into other stages
kind = "instructions"
# share = {share}                       # their part of a stage's rows
# into = ["documents", "chats"]     # the kinds of stages; with source = "files": ["chats"]

[training]                          # one recipe for all arms
# steps = {steps}                       # optimizer steps of a stage
# rows = {rows}                          # packed rows a step
# max_length = {max_length}                   # tokens a row
# learning_rate = {learning_rate}            # at its peak
# warmup = {warmup}                     # part of the steps
# decay = "cosine"                  # or "constant"
# min_lr_ratio = {min_lr_ratio}                # learning rate at the end, as a part of the peak
# weight_decay = {weight_decay}
# beta1 = {beta1}
# beta2 = {beta2}
# eps = {eps:e}
# clip = {clip}                        # largest norm of the gradient
# gradient_buffers = {buffers}              # the most threads that can work on one stage; part of the result
# method = "full"                   # or "lora", with rank = 64, alpha = 128 and
# targets = [{targets}]
# checkpoint_every = {checkpoint}            # steps

# [training.what]                   # what one corpus changes of it; controls follow the corpus they stand in for
# steps = 24

[[arms]]                            # a list of stages; a list within it is mixed into one stage
name = "values first"
stages = ["why:{{spec}}", "what"]

[[arms]]
name = "values after"
stages = ["what", "why:{{spec}}"]

[[arms]]
name = "mixed"
stages = [["why:{{spec}}", "what"]]

# A stage may change its dose: stages = [{{ corpus = "why:{{spec}}", steps = 30, learning_rate = 3e-4 }}, "what"]

[evals]
# suites = [{suites}]
# pairs = {pairs}                         # pairs per attribute and domain in `preferences`
# texts = {texts}                        # texts of each kind in `capability`
"#,
        model_name = defaults::MODEL_NAME,
        controls = CONTROLS.map(|control| control.name).join(", "),
        primary = quoted(&defaults::PRIMARY),
        analyses = Analysis::ALL.map(Analysis::name).join(", "),
        tokens = recipe.steps * (recipe.rows * recipe.max_length) as u64,
        value = mix.value,
        indifference = mix.indifference,
        preferences = mix.preferences,
        isolated = mix.isolated,
        share = defaults::INSTRUCTION_SHARE,
        steps = recipe.steps,
        rows = recipe.rows,
        max_length = recipe.max_length,
        learning_rate = recipe.learning_rate,
        warmup = recipe.warmup,
        min_lr_ratio = recipe.min_lr_ratio,
        weight_decay = recipe.weight_decay,
        beta1 = recipe.beta1,
        beta2 = recipe.beta2,
        eps = recipe.eps,
        clip = recipe.clip,
        buffers = recipe.gradient_buffers,
        targets = quoted(&Target::ALL.map(Target::name)),
        checkpoint = defaults::CHECKPOINT_EVERY,
        suites = quoted(&defaults::SUITES),
        pairs = defaults::PAIRS,
        texts = defaults::TEXTS,
    )
}
