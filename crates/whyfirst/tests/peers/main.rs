//! Whole commands beside programs that others wrote: `torchrun` with transformers and PEFT, `transformers serve`.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../../../llm/tests/peers/server.rs"]
mod server;

mod nonsense;
mod torchrun;
