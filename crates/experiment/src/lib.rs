//! The experiment file, arms and controls, the stage graph, run and resume, findings.
//!
//! A folder with an `experiment.toml` goes through these forms, each in its module: [`mod@file`] (as written) ->
//! [`validate`] (an [`Experiment`] that can be run) -> [`graph`] (content-addressed stages and the models
//! they end in) -> [`prepare()`] (planned, with what is done already) -> [`run()`] -> [`record`] (what it
//! left behind) -> [`findings`] (what that means). Nothing is written before [`run()`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod arms;
mod assemble;
pub mod base;
pub mod calibrate;
mod card;
pub mod controls;
pub mod corpora;
pub mod defaults;
pub mod engine;
mod error;
pub mod file;
pub mod findings;
mod finished;
pub mod gates;
pub mod graph;
pub mod lab_base;
mod library;
pub mod manifest;
mod notes;
pub mod paths;
pub mod plan;
mod prepare;
pub mod problem;
pub mod progress;
pub mod recipes;
pub mod record;
mod run;
pub mod scaffold;
mod suites;
pub mod trained;
mod usable;
pub mod validate;
mod write;
pub mod writer;

pub use assemble::read as read_record;
pub use base::ShippedBase;
pub use error::{ExperimentError, Result};
pub use finished::{FinishedModel, finished};
pub use paths::Paths;
pub use plan::RunPlan;
pub use prepare::{Prepared, prepare};
pub use run::{Ended, Options, Ran, lock, run};
pub use validate::{Experiment, FILE, open};
pub use write::{
    AuditFindings, AugmentEnd, Augmented, CorpusReport, Office, WriteEnd, WriteOptions, WritingPlan,
    WritingReport, WritingStatus, audit_written, augment, missing as corpora_missing, plan as writing_plan,
    status as writing_status,
};
