//! Training: packing, masks, optimizer, schedule, checkpoints, and the native engine.
//!
//! [`Schedule`] decides, from the rows, the recipe and the seed alone, what every step trains on; [`plan()`] counts it
//! before anything runs; [`train`] runs it. Each step cuts its rows into a fixed number of gradient buffers that are
//! reduced in a fixed order, so one thread and many give the same bits on one kind of CPU. A checkpoint is weights,
//! moments and the step: resuming gives what never stopping would have given, bit for bit.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod checkpoint;
mod error;
pub mod guard;
mod memory;
mod order;
mod plan;
mod recipe;
mod run;
mod schedule;
mod step;

pub use error::TrainError;
pub use memory::{Memory, memory};
pub use plan::{PartPlan, Plan, plan};
pub use recipe::{Decay, Method, Precision, RECIPE_VERSION, Recipe};
pub use run::{Finished, Job, Observer, Outcome, Progress, Silent, Trained, train, train_fixed};
pub use schedule::{PackedRow, Part, Schedule};
pub use step::StepMetrics;
