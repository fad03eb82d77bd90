//! Arguments of `corpus`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// The commands about corpora.
#[derive(Debug, Subcommand)]
pub enum Corpus {
    /// Find what is wrong with a corpus: repeats, wrong names, refusals, tics, text of evaluations
    #[command(after_help = "\
Examples:
  whyfirst corpus audit my-exp
  whyfirst corpus audit my-exp --rehearsal
  whyfirst corpus audit my-exp/runs/corpora/0123456789abcdef --out findings
  whyfirst corpus audit mine.jsonl --model-name Quill --provider-name \"Quill Labs\"

Of an experiment, all corpora that a model has written are read, with the gates of its file, its specs, and the items of its \
suites: that is what `run` does before it trains. The page is in my-exp/runs/audit/. Of a single corpus the default gates \
hold, and --out writes the page. Names are looked at only if it is known whose corpus it is; text of evaluations \
only if the experiment is given, or --items.

A gate that is not passed is shown with its rows, and makes the exit code 3.")]
    Audit(Audit),
    /// Read a few rows, each with where it came from
    #[command(after_help = "\
Examples:
  whyfirst corpus sample my-exp/runs/corpora/0123456789abcdef
  whyfirst corpus sample mine.jsonl -n 20 --seed 3
  whyfirst corpus sample my-corpus --where domain=Honesty --where verdicts.faithful=pass

The same seed shows the same rows. --where takes what stands in the provenance: a key, or keys joined by dots, and its value; \
of a list, one of its entries. Several must all hold.")]
    Sample(Sample),
    /// Write a corpus, or parts of it, for other tools to train on
    #[command(after_help = "\
Examples:
  whyfirst corpus export my-corpus --format parquet --out for-the-hub
  whyfirst corpus export my-corpus --lean --out train
  whyfirst corpus export my-corpus --lean --tokens 100000 --tokens 1000000 --base my-base --out curve

Every row has `text` or `messages`, and beside it where it came from; with --lean only the former. Parts are fair samples, and \
every smaller one is the beginning of every larger one: the points of a curve over the amount of data. A budget of tokens is \
met exactly where whole rows allow it; manifest.json says what was met, and every other deviation. Tokens are counted by the \
tokenizer of --base; without it they are estimated, one for every four bytes.

The folder also has a dataset card. One that is there already is left alone: the same export again changes nothing, and \
anything else in it is an error.")]
    Export(Export),
    /// Make another corpus from a corpus
    #[command(after_help = "\
Examples:
  whyfirst corpus transform my-chats --strip-reasoning --out my-chats-plain
  whyfirst corpus transform theirs.jsonl --rename ChatGPT=Quill --rename \"OpenAI=Quill Labs\" --out renamed
  whyfirst corpus transform my-corpus --dedup --drop 0003/0001/0007 --out clean

Rows are dropped first, then reasoning is left out, then names are replaced where they stand as whole words. The new folder's \
manifest has the hash of the corpus that it was made from, and what was done.")]
    Transform(Transform),
}

/// Arguments of `corpus audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// An experiment, the folder of a corpus, or a JSONL file
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Of an experiment: the corpora of its last rehearsal
    #[arg(long)]
    pub rehearsal: bool,
    /// Of a single corpus: the folder for the page and its figures
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What the assistant is called [default: as the corpus says]
    #[arg(long, value_name = "NAME", requires = "provider_name")]
    pub model_name: Option<String>,
    /// Who makes it
    #[arg(long, value_name = "NAME", requires = "model_name")]
    pub provider_name: Option<String>,
    /// A text file with an item of an evaluation on each line: none of them may stand in the corpus
    #[arg(long, value_name = "FILE")]
    pub items: Option<PathBuf>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `corpus sample`.
#[derive(Debug, Args)]
pub struct Sample {
    /// The folder of a corpus, or a JSONL file
    pub path: PathBuf,
    /// How many rows
    #[arg(short = 'n', long = "rows", value_name = "N", default_value_t = 5)]
    pub rows: usize,
    /// Which ones
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Only rows whose provenance says so. May be given several times
    #[arg(long = "where", value_name = "KEY=VALUE", value_parser = pair)]
    pub only: Vec<(String, String)>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `corpus export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The folder of a corpus, or a JSONL file
    pub path: PathBuf,
    /// The format of the files
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Jsonl)]
    pub format: Format,
    /// Only `text` or `messages`: what is trained on
    #[arg(long)]
    pub lean: bool,
    /// A part of so many tokens. May be given several times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub tokens: Vec<u64>,
    /// A part of so many rows. May be given several times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub rows: Vec<u64>,
    /// Which rows the parts are drawn from first
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The folder of a model whose tokenizer counts tokens
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// The format of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// JSON Lines
    Jsonl,
    /// Parquet, with a column for each thing that is known about a row
    Parquet,
}

/// Arguments of `corpus transform`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("step").required(true).multiple(true).args(["strip_reasoning", "rename", "dedup", "drop"]))]
pub struct Transform {
    /// The folder of a corpus, or a JSONL file
    pub path: PathBuf,
    /// Leave out the reasoning (<think>...</think>) that replies begin with
    #[arg(long)]
    pub strip_reasoning: bool,
    /// Replace a name where it stands as a whole word. May be given several times
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    pub rename: Vec<(String, String)>,
    /// Drop rows that nearly repeat an earlier one, as the audit finds them
    #[arg(long)]
    pub dedup: bool,
    /// Drop the row at this place, as the audit names it. May be given several times
    #[arg(long, value_name = "ROW")]
    pub drop: Vec<String>,
    /// The folder of a model whose tokenizer counts tokens
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// Reads `left=right`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((left, right)) if !left.is_empty() => Ok((left.to_owned(), right.to_owned())),
        _ => Err("expected two texts with a `=` between them".to_owned()),
    }
}
