//! What can stop a stage of this engine, in words that say what to do.

use std::path::PathBuf;

use train::TrainError;

/// Errors of the torch engine; what was finished before stays valid.
#[derive(Debug, thiserror::Error)]
pub enum TorchError {
    /// A setting makes no sense.
    #[error("torch settings: {0}")]
    Settings(String),
    /// There is no Python environment for this engine.
    #[error(
        "the torch engine has no Python environment: {looked}. Run `whyfirst doctor --install torch`, or set {variable} to a python that has torch, transformers and peft",
        variable = crate::PYTHON_VARIABLE
    )]
    NotInstalled {
        /// Where it was looked for and what was missing there.
        looked: String,
    },
    /// The environment could not be made.
    #[error("making the Python environment in {dir} failed: {message}")]
    Install {
        /// The folder.
        dir: PathBuf,
        /// The last words of the program that failed.
        message: String,
    },
    /// More than one node: the scheduler of the cluster starts the command.
    #[error(
        "this stage is set up for {nodes} nodes, so it is for your scheduler to start:\n\n  {command}\n\nWhen it has finished, the same `whyfirst` command takes the result over"
    )]
    Cluster {
        /// Nodes wanted.
        nodes: usize,
        /// The command line of every node.
        command: String,
    },
    /// Memory ran out in a process.
    #[error(
        "process {rank} ran out of memory ({message}). Lower `rows_per_pass` to 1, set `gradient_checkpointing = true`, use `dtype = \"bf16\"`, or raise `nproc`; shorter rows (`max_length`) help too"
    )]
    OutOfMemory {
        /// Its rank.
        rank: u64,
        /// What was reported.
        message: String,
    },
    /// A process was killed from outside.
    #[error(
        "a training process was killed (signal {signal}); signal 9 is usually the system's answer to memory that ran out. The same command goes on from the last checkpoint"
    )]
    Killed {
        /// The signal.
        signal: i32,
    },
    /// Processes could not talk to each other.
    #[error(
        "the training processes lost each other ({message}). The same command goes on from the last checkpoint; if it happens again, NCCL_DEBUG=INFO in the environment makes NCCL say more"
    )]
    Communication {
        /// What was reported.
        message: String,
    },
    /// Another number of processes than the job was set up for, or than there are GPUs.
    #[error(
        "{0}; `nproc` times `nodes` in the experiment file must be what torchrun starts, one process for each GPU"
    )]
    Processes(String),
    /// Another process trains this job.
    #[error("{0}; wait for it, or end it")]
    Locked(String),
    /// A file is missing, damaged, or not what it should be.
    #[error("{0}")]
    Files(String),
    /// The folder holds the job of another stage.
    #[error(
        "{path}: this job was prepared for other data, another recipe or another base; remove the folder to start this stage afresh"
    )]
    OtherJob {
        /// The job.
        path: PathBuf,
    },
    /// The program ended in a way that it did not explain.
    #[error("the training program failed: {message}\nits last words are in {log}")]
    Crashed {
        /// The last thing it said.
        message: String,
        /// All that it said on standard error.
        log: PathBuf,
    },
    /// The recipe, the data or the course of the loss: what would have stopped the native engine too.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Reading or writing failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A model or adapter could not be used.
    #[error(transparent)]
    Model(#[from] model::ModelError),
}
