//! Models in transformers: the same tokens, the same rendered chats, the same logits.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![allow(clippy::unwrap_used)]

// `transformers.rs` serves crates that know this one as `model`.
extern crate whyfirst_model as model;

mod checkpoints;
mod python;
mod templates;
mod transformers;

use model::{Folder, Network};
use std::path::Path;
use transformers::{ROUNDING, difference, load};

#[test]
fn transformers_reads_the_lab_base() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/lab-base");
    let base = Folder::load(&dir).unwrap();
    let theirs = load(&dir, &base);
    let rope = Network::rope_table(&base.config, base.config.max_positions);
    let difference = difference(base.network(None, &rope), &theirs);
    println!("lab base: logits differ by at most {difference:e}");
    assert!(difference < ROUNDING, "logits differ by {difference:e}");
}
