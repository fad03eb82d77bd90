//! What can go wrong with an experiment.

use std::fmt::Display;
use std::path::PathBuf;

use corpus::CorpusError;
use eval::EvalError;
use miette::{Diagnostic, LabeledSpan, SourceCode};
use model::ModelError;
use store::StoreError;
use thiserror::Error;
use train::TrainError;

use crate::problem::FileProblem;

/// Result of this crate's operations.
pub type Result<T> = std::result::Result<T, ExperimentError>;

/// Why an experiment cannot be read or run.
#[derive(Debug, Error)]
pub enum ExperimentError {
    /// The folder holds no experiment.
    #[error("there is no experiment in {}", folder.display())]
    Missing {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The experiment file is not UTF-8 text.
    #[error("{} is not text in UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// Something in the experiment file.
    #[error(transparent)]
    File(Box<FileProblem>),
    /// Something in a spec.
    #[error(transparent)]
    Spec(Box<spec::SpecError>),
    /// Something in a user's corpus.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Something in a model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A stage that cannot be trained as the file says.
    #[error("cannot train {stage}")]
    Stage {
        /// The stage.
        stage: String,
        /// Why.
        source: TrainError,
    },
    /// Training stopped.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The torch engine cannot train, or stopped.
    #[error(transparent)]
    Torch(#[from] torch::TorchError),
    /// An evaluation log cannot be read or written.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The folder for a new experiment holds something.
    #[error("{} is not empty", folder.display())]
    Occupied {
        /// The folder.
        folder: PathBuf,
    },
    /// A corpus that a model is to write is not there yet.
    #[error("the corpus `{corpus}` is not written yet")]
    NotWritten {
        /// The corpus.
        corpus: String,
    },
    /// Writing corpora cannot begin or go on.
    #[error("{message}")]
    Writing {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: String,
        /// Whether the input is at fault.
        invalid: bool,
    },
    /// A model that was asked for is not there, or cannot be had so.
    #[error("{message}")]
    NoModel {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// There is nothing to report on.
    #[error("there are no results in {}", folder.display())]
    NoResults {
        /// The experiment folder.
        folder: PathBuf,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ExperimentError {
    /// Whether the input is at fault (exit code 2), not the machine or the run (exit code 1).
    pub fn is_invalid_input(&self) -> bool {
        match self {
            ExperimentError::Writing { invalid, .. } => *invalid,
            ExperimentError::Store(_)
            | ExperimentError::Eval(_)
            | ExperimentError::Train(_)
            | ExperimentError::Torch(_) => false,
            other => other.of_store().is_none_or(StoreError::is_unreadable),
        }
    }

    /// The failed reading or writing, if it was that.
    fn of_store(&self) -> Option<&StoreError> {
        match self {
            ExperimentError::Store(error)
            | ExperimentError::Corpus(CorpusError::Store(error))
            | ExperimentError::Model(ModelError::Store(error))
            | ExperimentError::Eval(EvalError::Store(error))
            | ExperimentError::Train(
                TrainError::Store(error) | TrainError::Model(ModelError::Store(error)),
            ) => Some(error),
            _ => None,
        }
    }

    /// The problem with its place in a file, if it has one.
    fn placed(&self) -> Option<&dyn Diagnostic> {
        match self {
            ExperimentError::File(problem) => Some(problem.as_ref()),
            ExperimentError::Spec(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

impl Diagnostic for ExperimentError {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        if let Some(help) = self.of_store().and_then(StoreError::help) {
            return Some(Box::new(help));
        }
        match self {
            ExperimentError::Missing { folder } => Some(Box::new(format!(
                "expected a file {}; `whyfirst new FOLDER` writes one",
                folder.join(crate::FILE).display()
            ))),
            ExperimentError::Corpus(CorpusError::Taken { .. }) => {
                Some(Box::new("name a folder that does not exist yet"))
            }
            ExperimentError::Corpus(CorpusError::Unfinished { .. }) => Some(Box::new(
                "name a folder with a manifest.json and a DONE, such as those below runs/corpora/",
            )),
            ExperimentError::Corpus(_) => Some(Box::new(
                "a corpus is JSON Lines: {\"text\": ...} for documents, {\"messages\": [{\"role\", \"content\"}, ...]} for chats",
            )),
            ExperimentError::Eval(EvalError::Log { path, .. }) => Some(Box::new(format!(
                "remove {} and run the experiment again to have it made anew",
                path.display()
            ))),
            ExperimentError::NotWritten { .. } => {
                Some(Box::new("`whyfirst run` writes it; `whyfirst run --rehearse` does so at no cost"))
            }
            ExperimentError::Writing { help, .. } | ExperimentError::NoModel { help, .. } => {
                Some(Box::new(help.clone()))
            }
            ExperimentError::NotText { .. } => Some(Box::new("save the file as UTF-8")),
            ExperimentError::Occupied { .. } => Some(Box::new("name a folder that does not exist yet")),
            ExperimentError::NoResults { folder } => {
                Some(Box::new(format!("run the experiment first: `whyfirst run {}`", folder.display())))
            }
            other => other.placed().and_then(Diagnostic::help),
        }
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.placed().and_then(Diagnostic::source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.placed().and_then(Diagnostic::labels)
    }
}

impl From<FileProblem> for ExperimentError {
    fn from(problem: FileProblem) -> ExperimentError {
        ExperimentError::File(Box::new(problem))
    }
}

impl From<spec::SpecError> for ExperimentError {
    fn from(error: spec::SpecError) -> ExperimentError {
        ExperimentError::Spec(Box::new(error))
    }
}
