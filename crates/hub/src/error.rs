//! Why a model could not be had, and what to do.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// There is no such model, or none that this user may see: the hub does not tell them apart.
    #[error("there is no model `{id}` at {endpoint}; check its name, and if it is private, set HF_TOKEN{}", if *with_token { " to the token of an account that may read it" } else { "" })]
    NoModel {
        /// What was asked for.
        id: String,
        /// Where.
        endpoint: String,
        /// Whether a token was sent.
        with_token: bool,
    },
    /// The model is there, and not in that state.
    #[error("the model `{id}` has no revision `{revision}`")]
    NoRevision {
        /// The model.
        id: String,
        /// The revision.
        revision: String,
    },
    /// The terms of the model were not accepted, or nobody knows by whom.
    #[error(
        "the model `{id}` is gated: accept its terms at {endpoint}/{id}, and set HF_TOKEN to a token of that account"
    )]
    Gated {
        /// The model.
        id: String,
        /// Where.
        endpoint: String,
    },
    /// The hub does not know the token.
    #[error("{endpoint} does not accept the token; renew HF_TOKEN or unset it")]
    Token {
        /// Where.
        endpoint: String,
    },
    /// Nothing may be asked, and it is not there.
    #[error(
        "`{id}` is not complete in the cache at {cache}, and HF_HUB_OFFLINE is set; unset it, or download the model on a machine with a network"
    )]
    Offline {
        /// The model.
        id: String,
        /// The folder of the cache.
        cache: PathBuf,
    },
    /// The hub cannot be reached.
    #[error(
        "cannot reach {endpoint}: {problem}; a model folder, or one that is in the cache already, needs no network"
    )]
    NoNetwork {
        /// Where.
        endpoint: String,
        /// What went wrong.
        problem: String,
    },
    /// The hub answered something else than what was asked for.
    #[error("{url}: {problem}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The download ended too early, again and again. What has come is kept.
    #[error(
        "the download of {file} was cut short at {done} of {size} bytes: {problem}; run the same command again to go on from there"
    )]
    Cut {
        /// The file.
        file: String,
        /// Bytes that are there.
        done: u64,
        /// Bytes that it has.
        size: u64,
        /// What went wrong.
        problem: String,
    },
    /// What came is not what the hub says the file is.
    #[error(
        "what was downloaded as {file} has another {what} than the hub says; it was removed: run the same command again"
    )]
    Altered {
        /// The file.
        file: String,
        /// `SHA-256`, `git hash` or `size`.
        what: &'static str,
    },
    /// The model has no files that can be used.
    #[error("the model `{id}` {problem}")]
    Unusable {
        /// The model.
        id: String,
        /// What is missing.
        problem: String,
    },
    /// The cache cannot be read or written.
    #[error("{path}: {error}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A setting of the environment makes no sense.
    #[error("{0}")]
    Setting(String),
}

impl HubError {
    pub(crate) fn disk(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> HubError {
        let path = path.into();
        move |error| HubError::Disk { path, error }
    }
}
