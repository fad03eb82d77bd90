//! A server on loopback that speaks both protocols, answers from the spec's text, and fails on schedule.
//!
//! It is what a run is rehearsed against: nothing is spent, nothing leaves the machine, and everything that can go wrong
//! with a real provider can be made to. Its answers are put together from the sections that stand in the request, so they
//! prove the machinery, not the prompts. The same request gets the same answer, always: an answer is a function of the
//! request's bytes and of the `x-whyfirst-request` header (in batches, of the `custom_id`), and of nothing else.
//!
//! Its journal says of every request what was answered, what that cost, and whether the answer left whole: what a client
//! claims to have received and paid can be held against it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod batch;
mod clock;
mod config;
mod dice;
mod fault;
mod http;
mod journal;
mod rate;
mod server;
mod state;
mod wire;

pub use answer::MARKER;
pub use config::{Config, Prices};
pub use fault::{Fault, Faults, UnknownFault};
pub use journal::{Entry, Stats};
pub use server::{Running, Simulator, SimulatorError};
pub use wire::Protocol;
