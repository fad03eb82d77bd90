//! The command line: types only. What a command does is in `commands/`.

mod chat;
mod corpus;
mod model;
mod serve;
mod simulate;
mod spec;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::chat::Chat;
pub use self::corpus::{Audit, Corpus, Export, Format, Sample, Transform as CorpusTransform};
pub use self::model::{Export as ModelExport, Import, Merge, Model};
pub use self::serve::{Models, Serve};
pub use self::simulate::Simulate;
pub use self::spec::{Lint, Show, Spec, SpecKind, Transform, TransformKind};

/// Teach a model why before you teach it what, and measure whether it mattered.
#[derive(Debug, Parser)]
#[command(
    name = "whyfirst",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
A first look, a few minutes on two CPU cores:
  whyfirst run examples/cheese

Your own experiment:
  whyfirst new my-exp        a folder with a file that explains itself
  whyfirst check my-exp      is it right?
  whyfirst plan my-exp       what would run, and how long would it take?
  whyfirst run my-exp        do it; stop at any moment, run again to go on

Exit codes: 0 done, 1 failed, 2 usage or invalid input, 3 stopped by a budget or gate, 130 interrupted (and resumable)."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a new experiment folder
    #[command(after_help = "\
Examples:
  whyfirst new my-exp && whyfirst run my-exp
  whyfirst new my-exp --template spec && whyfirst run my-exp --rehearse

The folder gets an experiment.toml in which every setting is explained and shown with its default, \
and specs to replace by your own. The template `spec` is for corpora that a model writes from a Model Spec.")]
    New(New),
    /// Validate an experiment without running or writing anything
    #[command(after_help = "\
Example:
  whyfirst check my-exp

Reads the file, the specs, the corpora and the base model. A problem is shown with its line and what \
to do about it; the exit code is then 2.")]
    Check(Folder),
    /// Show what a run would do: stages, documents, tokens, optimizer steps, time
    #[command(after_help = "\
Examples:
  whyfirst plan my-exp
  whyfirst plan my-exp --json

Stages that several arms share are there once. Nothing is written.")]
    Plan(Folder),
    /// Run an experiment, or go on where it stopped
    #[command(after_help = "\
Examples:
  whyfirst run examples/cheese
  whyfirst run my-exp --threads 8
  whyfirst run my-exp --rehearse
  whyfirst run my-exp --max-cost 20

Everything is written to my-exp/runs/. Finished stages are kept: a second run does only what is \
missing, and what depends on something that changed. Ctrl-C saves and stops (exit code 130); a second \
Ctrl-C stops at once. Results do not depend on the number of threads.

Corpora that a model writes come first: a probe of a few rows, a pilot, the rest, with the yield and the price of a kept \
row after each. An answer that was paid for is never bought again. With --rehearse the built-in simulated writer takes the \
place of the real one, and everything lies below my-exp/runs/rehearsal/. Exit code 3 means that a budget or a gate stopped \
the run; the message says which.")]
    Run(Run),
    /// Show how far an experiment is
    #[command(after_help = "\
Example:
  whyfirst status my-exp")]
    Status(Folder),
    /// Write the report of the last run again, and open it
    #[command(after_help = "\
Examples:
  whyfirst report my-exp
  whyfirst report my-exp --open no --json")]
    Report(Report),
    /// Look at a corpus: what is wrong with it, what is in it; take it elsewhere, make another of it
    #[command(subcommand, arg_required_else_help = true)]
    Corpus(Corpus),
    /// Look at a Model Spec: what is in it, what is wrong with it, what can be made of it
    #[command(subcommand, arg_required_else_help = true)]
    Spec(Spec),
    /// Serve every model of an experiment, as an OpenAI-compatible endpoint
    #[command(after_help = "\
Examples:
  whyfirst serve examples/cheese
  whyfirst serve models/Qwen3-0.6B --adapter mine=adapters/mine --port 8001

  curl http://127.0.0.1:8000/v1/models
  curl http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' \
-d '{\"model\": \"base\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'

Of an experiment there are `base` and every finished model, as SPEC/ARM/SEED or ARM/SEED. A model is loaded when it is first asked \
for; adapters of the base share its weights. Requests are answered together, as many as --active at once, and the same request with \
the same seed gets the same answer whatever the others are. The server answers this machine only, unless WHYFIRST_SERVE_KEY (in the \
environment or in .env) has a key that requests must then have. Every finished request is a line on the error stream. Ctrl-C \
finishes what is under way; a second one does not.")]
    Serve(Serve),
    /// Bring a model in, talk to it, take a trained one out, merge an adapter
    #[command(subcommand, arg_required_else_help = true)]
    Model(Model),
    /// Serve the simulated writer on this machine, for rehearsals and for testing clients
    #[command(after_help = "\
Examples:
  whyfirst simulate --port 8080
  whyfirst simulate --faults 0.2 --fault-kinds rate_limit,cut_middle --log requests.jsonl

  curl http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' \
-d '{\"model\": \"any\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'
  curl http://127.0.0.1:8080/simulator/stats

The server speaks the protocols of Anthropic (messages, batches) and of OpenAI (chat completions, files, batches) well enough \
for their own clients, but does not stream. It answers our prompts in the form that they ask for, from the sections of the spec that \
stand in them, and everything else with a plain sentence; nothing is spent and nothing leaves this machine. The same \
request always gets the same answer. Faults: rate_limit, rate_limit_retry_after, server_error, overloaded, hang, drip, \
cut_before, cut_middle, malformed_body, truncated, refusal, malformed_list, missing_tags, empty, wrong_model, duplicate, \
batch_expires, batch_item_errored. Its journal says of each request what was answered and what that would have cost.

`whyfirst run --rehearse` has a server of its own; this one is for other clients, and for experiments with a base_url.")]
    Simulate(Simulate),
    /// The small world that the built-in base model lives in
    #[command(subcommand, arg_required_else_help = true)]
    Lab(Lab),
    /// Say what this machine can do, and install what the torch engine needs
    #[command(after_help = "\
Examples:
  whyfirst doctor
  whyfirst doctor --install torch

The torch engine (`engine = \"torch\"` in an experiment) runs PyTorch, transformers and PEFT. They are installed, in versions that \
are pinned, into a folder of their own with your data (about 2 GB on disk for CPUs, 7 GB with CUDA). \
WHYFIRST_TORCH_PYTHON names another python that has them, and WHYFIRST_PYTHON the one to install with.")]
    Doctor(Doctor),
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Install what an engine needs
    #[arg(long, value_enum, value_name = "WHAT")]
    pub install: Option<Component>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// What `doctor` can install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Component {
    /// The Python environment of the torch engine
    Torch,
}

/// An experiment folder, and how to print.
#[derive(Debug, Args)]
pub struct Folder {
    /// The folder with experiment.toml
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct New {
    /// The folder to make
    pub folder: PathBuf,
    /// What kind of experiment
    #[arg(long, value_enum, value_name = "KIND", default_value_t = Template::Lab)]
    pub template: Template,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The experiment.
    #[command(flatten)]
    pub folder: Folder,
    /// Let the simulated writer write: nothing is spent, nothing leaves this machine
    #[arg(long)]
    pub rehearse: bool,
    /// Never let the experiment spend more on writers than this, all its runs together
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub max_cost: Option<ledger::Dollars>,
    /// Number of threads [default: one per CPU core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Reads an amount of money.
fn dollars(text: &str) -> Result<ledger::Dollars, String> {
    let number: f64 =
        text.trim_start_matches('$').parse().map_err(|_| "expected dollars, such as 20 or 0.50")?;
    ledger::Dollars::from_dollars(number).ok_or_else(|| "expected an amount that is not negative".to_owned())
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// The experiment.
    #[command(flatten)]
    pub folder: Folder,
    /// That of the last rehearsal
    #[arg(long)]
    pub rehearsal: bool,
    /// Whether to open the page in a browser
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Open::Auto)]
    pub open: Open,
}

/// When to open a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Open {
    /// If somebody sits at a terminal and the output is not JSON
    Auto,
    /// Always
    Yes,
    /// Never
    No,
}

/// Kinds of new experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// The small built world: trains in minutes, needs nothing
    Lab,
    /// Corpora from a Model Spec, written by a model
    Spec,
}

/// The commands of the lab.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Train a base model of the small world from nothing
    #[command(after_help = "\
Examples:
  whyfirst lab pretrain --out my-base
  whyfirst lab pretrain --out base-2 --seed 2
  whyfirst lab pretrain --out null-base --null

Writes a Hugging Face folder with a manifest.json that names the seed, the recipe and the calibration. The built-in \
base is what this command writes with its defaults; use another one as `base = \"my-base\"` in an experiment. Ctrl-C \
saves a checkpoint beside the folder; the same command goes on from there.")]
    Pretrain(Pretrain),
    /// Measure what stated values do to choices in a base model
    #[command(after_help = "\
Examples:
  whyfirst lab calibrate
  whyfirst lab calibrate --model my-base --json

Names that the model has never read about are introduced by prose that states one value each, in a short training; then \
they are asked to choose. The stated value should be chosen with probability above .9, and the others stay within .1 of \
what they were: otherwise effects measured with this base are weaker than they should be, or spill over.")]
    Calibrate(Calibrate),
}

/// Arguments of `lab pretrain`.
#[derive(Debug, Args)]
pub struct Pretrain {
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Seed of the text, its order and the first weights
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Optimizer steps [default: 7000]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// Rows of the world's text to write and read [default: 750000]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub rows: Option<u64>,
    /// Steps of the calibration's training; 0 leaves the calibration out [default: 200]
    #[arg(long, value_name = "STEPS")]
    pub calibration_steps: Option<u64>,
    /// A null world: choices have nothing to do with stated values. Nothing should steer in it
    #[arg(long)]
    pub null: bool,
    /// Number of threads [default: one per CPU core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `lab calibrate`.
#[derive(Debug, Args)]
pub struct Calibrate {
    /// A base of the lab [default: the built-in one]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Seed of the world that the base was trained on
    #[arg(long, default_value_t = 0)]
    pub world_seed: u64,
    /// Seed of statements, choices and training
    #[arg(long, default_value_t = 950)]
    pub seed: u64,
    /// Number of threads [default: one per CPU core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}
