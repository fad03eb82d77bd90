//! Arguments of `spec`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// The commands about Model Specs.
#[derive(Debug, Subcommand)]
pub enum Spec {
    /// Find what is wrong with a spec before documents are written from it
    #[command(after_help = "\
Examples:
  whyfirst spec lint specs/mine.md
  whyfirst spec lint specs/mine.md --model-name Quill --provider-name \"Quill Labs\"
  whyfirst spec lint specs/mine.md --json

Each finding has its file and line, how bad it is, and what to do. Among other things it finds empty and doubled sections, \
principles without a reason, placeholders that were never replaced, names of other models, links that lead nowhere, code that \
is never closed, and sections too long for one prompt. With the names of your model it can tell other names from them.

Errors make the exit code 2; warnings and notes leave it 0.")]
    Lint(Lint),
    /// Draw the tree of a spec's sections with their sizes
    #[command(after_help = "\
Examples:
  whyfirst spec show specs/mine.md
  whyfirst spec show specs/mine.md --depth 1
  whyfirst spec show specs/mine.md --text | cmp - specs/mine.md

S12 and the like are the numbers by which plans and documents refer to sections. Tokens are estimates, one for every four \
bytes: the tokenizer of your model may count a fifth fewer or more. With --text the spec is printed as it was read, section after \
section: it is the file again, byte for byte, since nothing is lost.")]
    Show(Show),
    /// Make another spec from a spec, to find out what it is in it that works
    #[command(after_help = "\
Examples:
  whyfirst spec transform rules-only specs/mine.md --out specs/mine-rules.md
  whyfirst spec transform attribution-ablated specs/mine.md --out specs/mine-ablated.md
  whyfirst spec transform rename specs/other.md --out specs/mine.md --model-name \"Other={model_name}\" \
--provider-name \"Other Labs={provider_name}\"
  whyfirst spec transform value-augmented specs/mine.md --out specs/mine-why.md --experiment my-exp
  whyfirst spec transform rule-augmented specs/mine.md --out specs/mine-what.md --rehearse

The new file begins with a comment that names the transform and the hash of the file it was made from. What was removed, cut \
and replaced is counted; sentences that could not be changed without damage stay, and are listed for you to look at. English \
only: reasons are found by words such as \"because\" and \"so that\".

value-augmented and rule-augmented are drafts by the writer of an experiment, or by the simulated one. Either kind is written whichever \
is asked for, because their lengths must not differ by more than 5%; every answer is in the experiment's store, where the second \
command finds it. The comment also names the model and the prompt.")]
    Transform(Transform),
}

/// Arguments of `spec lint`.
#[derive(Debug, Args)]
pub struct Lint {
    /// The spec, a Markdown file
    pub file: PathBuf,
    /// The name of the model that the spec is for
    #[arg(long, value_name = "NAME")]
    pub model_name: Option<String>,
    /// The name of who provides it
    #[arg(long, value_name = "NAME")]
    pub provider_name: Option<String>,
    /// What the spec is: prose says why, rules do not [default: detected]
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<SpecKind>,
    /// How many tokens of spec fit into one prompt [default: 8000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub prompt_tokens: Option<u32>,
    /// Show every finding, not only the first of each rule
    #[arg(long)]
    pub all: bool,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// The kind of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SpecKind {
    /// It says what to do and why
    Prose,
    /// It says what to do
    Rules,
}

/// Arguments of `spec show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The spec, a Markdown file
    pub file: PathBuf,
    /// How many levels of sections to show [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub depth: Option<u8>,
    /// Print the text instead of the tree; with --json beside it
    #[arg(long)]
    pub text: bool,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `spec transform`.
#[derive(Debug, Args)]
pub struct Transform {
    /// What to make of the spec
    #[arg(value_enum)]
    pub kind: TransformKind,
    /// The spec, a Markdown file
    pub file: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// For rename: the model's old and new name; the new one may be {model_name}. May be given several times
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    pub model_name: Vec<(String, String)>,
    /// For rename: the provider's old and new name; the new one may be {provider_name}. May be given several times
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    pub provider_name: Vec<(String, String)>,
    /// For rename: also in code and example dialogues
    #[arg(long)]
    pub in_code: bool,
    /// For attribution-ablated: keep the reasons as statements in a section at the end
    #[arg(long)]
    pub keep_reasons: bool,
    /// For drafts by a model: the experiment whose `[writer]` writes
    #[arg(long, value_name = "DIR")]
    pub experiment: Option<PathBuf>,
    /// For drafts by a model: let the simulated writer write; nothing is spent
    #[arg(long)]
    pub rehearse: bool,
    /// For drafts by a model: how many times as long each section becomes [default: 1.5]
    #[arg(long, value_name = "X", value_parser = growth)]
    pub growth: Option<f64>,
    /// For drafts by a model: never let the experiment spend more on writers than this, all its runs together
    #[arg(long, value_name = "DOLLARS", value_parser = super::dollars)]
    pub max_cost: Option<ledger::Dollars>,
    /// Show everything that was done
    #[arg(long)]
    pub all: bool,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// What can be made of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TransformKind {
    /// The reasons are removed, the rules stay
    RulesOnly,
    /// Values and preferences stay; that one explains the other is no longer said
    AttributionAblated,
    /// Another model, another provider
    Rename,
    /// A writer model makes the reasons explicit, section by section
    ValueAugmented,
    /// A writer model adds rules instead, to the same length
    RuleAugmented,
}

/// `Old=New`, both of them something.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new)) if !old.trim().is_empty() && !new.trim().is_empty() => {
            Ok((old.trim().to_owned(), new.trim().to_owned()))
        }
        _ => Err("write it as OLD=NEW, for example \"ChatGPT=Quill\"".to_owned()),
    }
}

/// How many times as long.
fn growth(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number, such as 1.5".to_owned())?;
    match (1.0..=5.0).contains(&number) {
        true => Ok(number),
        false => Err("must be between 1 and 5".to_owned()),
    }
}
