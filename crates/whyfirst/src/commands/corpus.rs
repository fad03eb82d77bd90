//! `corpus`: what is wrong with a corpus, what is in it, and what can be made of it.

mod audit;
mod export;
mod sample;
mod transform;

use std::path::Path;

use corpus::{CorpusError, Opened, Row};
use experiment::ExperimentError;

use crate::args::Corpus as Command;
use crate::exit::Exit;
use crate::output;

/// Runs a command about corpora.
pub fn run(command: &Command) -> Exit {
    match command {
        Command::Audit(args) => audit::run(args),
        Command::Sample(args) => sample::run(args),
        Command::Export(args) => export::run(args),
        Command::Transform(args) => transform::run(args),
    }
}

/// Opens a corpus; a problem is printed.
fn open(path: &Path) -> Result<Opened, Exit> {
    if is_experiment(path) {
        let message = format!("{} is an experiment, not a corpus", path.display());
        let help = format!(
            "its corpora are folders below {} and of rehearsals below {}",
            path.join("runs/corpora").display(),
            path.join("runs/rehearsal/corpora").display()
        );
        return Err(invalid(&message, &help));
    }
    Opened::open(path).map_err(failed)
}

/// Whether a folder holds an experiment.
fn is_experiment(path: &Path) -> bool {
    path.join(experiment::FILE).is_file()
}

/// Prints what is wrong with a corpus.
fn failed(error: CorpusError) -> Exit {
    output::error(&ExperimentError::from(error))
}

/// Prints a problem with the command line.
fn invalid(message: &str, help: &str) -> Exit {
    eprintln!("error: {message}\n  help: {help}");
    Exit::Invalid
}

/// Counts the tokens of rows.
struct Counter {
    base: Option<model::Folder>,
    name: String,
    /// Rows seen; for messages.
    row: usize,
}

impl Counter {
    /// With the tokenizer of a model, if one is given.
    fn new(base: Option<&Path>, name: &str) -> Result<Counter, Exit> {
        let base = base.map(model::Folder::load).transpose();
        let base = base.map_err(|error| output::error(&ExperimentError::from(error)))?;
        Ok(Counter { base, name: name.to_owned(), row: 0 })
    }

    /// How it counts, in words, and whether that is an estimate.
    fn how(&self) -> (&'static str, bool) {
        match self.base {
            Some(_) => {
                ("counted by the tokenizer of the base, with the begin and end tokens of every row", false)
            }
            None => ("a quarter of the bytes, because no base is given", true),
        }
    }

    fn count(&mut self, row: &Row) -> corpus::Result<u64> {
        self.row += 1;
        let Some(base) = &self.base else { return Ok(llm::tokens_in(&row.display())) };
        let counted = corpus::count(row, base);
        counted.map(|tokens| tokens as u64).map_err(|source| CorpusError::Row {
            name: self.name.clone(),
            row: self.row,
            source,
        })
    }
}
