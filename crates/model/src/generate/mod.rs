//! Continuing texts: sampling, many texts at once, and what is remembered of their beginnings.

mod cache;
mod generator;
mod prefixes;
mod runner;
mod sampling;
mod spoken;

pub use cache::Cache;
pub use generator::{Ending, Event, Generator, Limits, Refused, Scored, Task, TaskId};
pub use runner::Runner;
pub use sampling::Sampling;
pub use spoken::Spoken;
