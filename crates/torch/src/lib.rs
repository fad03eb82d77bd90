//! The torch engine: the stages that the native engine would train, trained by Hugging Face transformers and PEFT
//! under `torchrun` with FSDP.
//!
//! Distribution is PyTorch's own; what is ours is that both engines get the same batches. [`prepare`] writes a job
//! folder: the packed rows of every step with their masks, the learning rates, the weights or the adapter to start
//! from. [`command()`] is the one `torchrun` line that trains it, here or on a cluster; [`run()`] starts it, passes its steps
//! on to an observer and gives back what it made. Nothing is decided in Python: `train.py` reads it all.
//! [`install()`] makes a pinned Python environment, [`doctor`] says what an environment has, [`estimate`] what a job
//! will take.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advice;
mod command;
mod environment;
mod error;
mod event;
mod install;
mod job;
mod memory;
mod run;
mod settings;
mod shards;
mod trained;

pub use advice::{Advice, LARGEST_NATIVE, LONGEST_NATIVE_SECONDS, SizeAdvice, advise, advise_size};
pub use command::{CommandLine, command};
pub use environment::{Doctor, Gpu, PYTHON_VARIABLE, Python, default_dir, doctor, find};
pub use error::TorchError;
pub use install::{REQUIREMENTS, install};
pub use job::{Job, Prepared, Start, prepare};
pub use memory::{Memory, estimate};
pub use run::{Outcome, run};
pub use settings::{Dtype, Sharding, TorchSettings};
pub use trained::{About, Finished};

/// Raised whenever the same job would be trained differently; part of every stage's id.
pub const ENGINE_VERSION: u32 = 1;

/// The script that trains; it is written beside every job.
pub const SCRIPT: &str = include_str!("train.py");
