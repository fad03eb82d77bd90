//! What can stop a training stage.

use std::path::PathBuf;

/// Errors of training; none of them leaves anything half-written.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A number of the recipe makes no sense.
    #[error("training recipe: {0}")]
    Recipe(String),
    /// A corpus has no rows, or no row with a token to learn from.
    #[error(
        "corpus `{0}` has no trainable token: training on it would learn nothing. Documents need text; chats need an assistant message"
    )]
    NothingTrainable(String),
    /// Rows do not fit the model.
    #[error("rows of {max_length} tokens do not fit the model's {positions} positions; lower `max_length`")]
    TooLong {
        /// The recipe's row length, in tokens.
        max_length: usize,
        /// The model's positions.
        positions: usize,
    },
    /// The loss or the gradient stopped being a number.
    #[error(
        "step {step}: the {what} is not a number; the learning rate {learning_rate:e} is probably too high"
    )]
    NotANumber {
        /// The step, counted from 1.
        step: u64,
        /// `loss` or `gradient norm`.
        what: &'static str,
        /// Learning rate at that step.
        learning_rate: f64,
    },
    /// The loss rose far above what it had been.
    #[error(
        "step {step}: the loss diverged (mean of the last {window} steps {now:.3}, best so far {best:.3}); stopped so that nobody takes this for a result"
    )]
    Diverged {
        /// The step, counted from 1.
        step: u64,
        /// Steps averaged over.
        window: usize,
        /// The mean now, nats.
        now: f64,
        /// The lowest mean so far, nats.
        best: f64,
    },
    /// A checkpoint belongs to another job.
    #[error(
        "{path}: this checkpoint was written for other data, another recipe or another base; remove the folder to start this stage afresh"
    )]
    OtherJob {
        /// The checkpoint.
        path: PathBuf,
    },
    /// A checkpoint was written by another version of the engine.
    #[error(
        "{path}: this checkpoint was written by version {found} of the training recipe, and this program has version {ours}; remove the folder to start this stage afresh, or finish it with the program that began it"
    )]
    OtherVersion {
        /// The checkpoint.
        path: PathBuf,
        /// The version that wrote it; 0 for those from before versions were written.
        found: u32,
        /// The version of this program.
        ours: u32,
    },
    /// A checkpoint is damaged.
    #[error("{path}: damaged checkpoint ({message}); remove the folder to start this stage afresh")]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The model could not be used.
    #[error(transparent)]
    Model(#[from] model::ModelError),
}
