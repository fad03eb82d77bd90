//! Arguments of `model`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::chat::Chat;

/// The commands about models.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Check a model whole and say what it is; download one of the hub; write it as a plain folder
    #[command(after_help = "\
Examples:
  whyfirst model import my-base
  whyfirst model import org/name@revision
  whyfirst model import org/name --to my-base

Everything is read that training would read, so what is refused there is refused here: other architectures, pickles, damaged \
files, a tokenizer of another model. A model of the hub is downloaded into the hub's cache, where other programs find it too. \
With --to it is also written as a folder of its own, with its tokenizer, template and stop tokens as they came. Weights that \
came as bf16 are written as bf16, bit for bit; all others as f32, which holds them exactly.")]
    Import(Import),
    /// Talk to a model in the terminal
    #[command(after_help = "\
Examples:
  whyfirst model chat
  whyfirst model chat examples/cheese --to 'affordability/values first/0' --variable speaker=Quill
  echo 'What will it be, Vexavoice or Miracall?' | whyfirst model chat --temperature 0 --json

Without PATH it is the built-in base of the lab, which knows the lab's words only. Lines of the input are what you say; each answer is \
printed as it comes, or with --json as one line when it is there. /new begins another conversation, /quit ends.")]
    Chat(Chat),
    /// Take a trained model out of an experiment: the adapter, or the whole model
    #[command(after_help = "\
Examples:
  whyfirst model export my-exp \"values first\" --spec affordability --seed 0 --to adapter
  whyfirst model export my-exp \"values first\" --spec affordability --seed 0 --to model --merged

The model is that of the arm's last stage in the last run. If it was trained with LoRA, the folder is an adapter's, as PEFT \
reads it, and names its base; with --merged, and if all weights were trained, it is a whole model's, as transformers and vLLM \
read it. Tokenizer and chat template are in it, and a card that lists every stage of training.")]
    Export(Export),
    /// Merge a PEFT adapter into its base
    #[command(after_help = "\
Examples:
  whyfirst model merge org/name my-adapter --to merged
  whyfirst model merge my-base my-adapter --to merged --dtype bf16

Any folder with a plain LoRA adapter will do. One that was trained here says on which weights; on others it is refused. \
Sums are f32; with --dtype bf16 the result is rounded to the nearest bf16.")]
    Merge(Merge),
}

/// Arguments of `model import`.
#[derive(Debug, Args)]
pub struct Import {
    /// A Hugging Face folder, a hub id (org/name, org/name@revision), or `lab` for the built-in base
    pub source: String,
    /// The folder to write; without it nothing is written but the hub's cache
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// The type of the weights that are written [default: bf16 if all came as bf16, else f32]
    #[arg(long, value_enum, value_name = "TYPE", requires = "to")]
    pub dtype: Option<Dtype>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `model export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The experiment folder
    pub experiment: PathBuf,
    /// The arm, by its name in the experiment file or in the report
    pub arm: String,
    /// The seed [default: the only one]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The spec, by its name in the experiment file [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub spec: Option<String>,
    /// That of the last rehearsal
    #[arg(long)]
    pub rehearsal: bool,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// The whole model, the adapter added to its weights
    #[arg(long)]
    pub merged: bool,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `model merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// A Hugging Face folder, a hub id (org/name, org/name@revision), or `lab` for the built-in base
    pub base: String,
    /// The adapter's folder
    pub adapter: PathBuf,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// The type of the weights that are written
    #[arg(long, value_enum, value_name = "TYPE", default_value_t = Dtype::F32)]
    pub dtype: Dtype,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Types of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dtype {
    /// Exact
    F32,
    /// Half the size, rounded to the nearest
    Bf16,
}

impl From<Dtype> for model::Dtype {
    fn from(dtype: Dtype) -> model::Dtype {
        match dtype {
            Dtype::F32 => model::Dtype::F32,
            Dtype::Bf16 => model::Dtype::Bf16,
        }
    }
}
