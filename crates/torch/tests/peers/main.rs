//! The torch engine under a real torchrun: two processes on the CPU, gloo, FSDP.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "../../../model/tests/peers/transformers.rs"]
mod transformers;

mod agreement;
mod common;
mod ends;
