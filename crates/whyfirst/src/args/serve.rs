//! Arguments of `serve`, and those that name the models to ask, which `model chat` has too.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

/// Which models there are to ask.
#[derive(Debug, Args)]
pub struct Models {
    /// An experiment folder, a model folder, or a hub id [default: the built-in base of the lab]
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    /// Another model, under a name of its own; may be given several times
    #[arg(long = "model", value_name = "NAME=FOLDER", value_parser = named)]
    pub models: Vec<(String, PathBuf)>,
    /// A PEFT adapter of the model in PATH (of an experiment: of its base); may be given several times
    #[arg(long = "adapter", value_name = "NAME=FOLDER", value_parser = named)]
    pub adapters: Vec<(String, PathBuf)>,
    /// Number of threads [default: one per CPU core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Memory for what is remembered of texts (keys and values), in GB
    #[arg(long, value_name = "GB", default_value_t = 2.0, value_parser = gigabytes)]
    pub cache_gb: f64,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The models.
    #[command(flatten)]
    pub models: Models,
    /// The address to listen on; any but this machine's own needs a key
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port; 0 for any free one
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// Texts that are continued at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub active: u16,
    /// Texts that may wait for their turn; more get a 429
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub queue: u16,
    /// Memory for models that are kept loaded, in GB; the one asked for last is kept in any case
    #[arg(long, value_name = "GB", default_value_t = 16.0, value_parser = gigabytes)]
    pub models_gb: f64,
    /// How long what is under way may take after Ctrl-C, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub grace: u64,
    /// Say nothing of single requests
    #[arg(long)]
    pub quiet: bool,
    /// A file that is written, with the base URL in it, once the server listens
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// Reads a name and a folder.
fn named(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, folder)) if !name.trim().is_empty() && !folder.is_empty() => {
            Ok((name.trim().to_owned(), PathBuf::from(folder)))
        }
        _ => Err("expected a name and a folder with = between them, such as mine=models/mine".to_owned()),
    }
}

/// Reads an amount of memory.
fn gigabytes(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number of gigabytes, such as 2 or 0.5")?;
    let some = number > 0.0 && number < 1e6;
    if some { Ok(number) } else { Err("expected a number of gigabytes, such as 2 or 0.5".to_owned()) }
}
