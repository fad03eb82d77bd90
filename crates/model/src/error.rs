//! What can be wrong with a model folder or with what it is asked.

use std::path::PathBuf;

/// Errors of this crate; each names the file and says what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file of the folder is absent.
    #[error(
        "{path} is not a model folder: it has no {missing} (expected config.json, model.safetensors and tokenizer.json)"
    )]
    NotAModel {
        /// The folder.
        path: PathBuf,
        /// The first file that was looked for and not found.
        missing: String,
    },
    /// A file could not be understood.
    #[error("{path}: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong and, where possible, what to do.
        message: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// Text could not be tokenised.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// A chat template could not be rendered.
    #[error("chat template: {0}")]
    Template(String),
    /// A row has no token that training could learn from.
    #[error("the row has no trainable token: {0}")]
    NothingTrainable(String),
    /// Text longer than the model's positions.
    #[error("{tokens} tokens do not fit the model's {positions} positions")]
    TooLong {
        /// Tokens asked for.
        tokens: usize,
        /// `max_position_embeddings`.
        positions: usize,
    },
}

impl ModelError {
    pub(crate) fn invalid(path: impl Into<PathBuf>, message: impl std::fmt::Display) -> Self {
        ModelError::Invalid { path: path.into(), message: message.to_string() }
    }
}
