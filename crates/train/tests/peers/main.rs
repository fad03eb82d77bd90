//! Models that the engine trained, in transformers: what is saved is what was trained.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![allow(clippy::unwrap_used)]

mod lora;
#[path = "../../../model/tests/peers/python.rs"]
mod python;
#[path = "../../../model/tests/peers/transformers.rs"]
mod transformers;

use model::{Adapter, Folder, LoraShape, Network, Target};
use std::borrow::Cow;
use std::path::Path;
use transformers::{ROUNDING, TEXTS, chats, difference, load};
use whyfirst_train::{Job, Method, Outcome, Part, Recipe, Silent, Trained, train};

fn base() -> Folder {
    Folder::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/lab-base")).unwrap()
}

/// Five steps on the texts and chats that are compared later.
fn trained(base: &Folder, method: Method) -> Trained {
    let documents = TEXTS.iter().map(|text| base.document(text));
    let answered = chats().into_iter().filter(|(messages, ..)| messages.len() > 1);
    let chats = answered.map(|(messages, ..)| base.chat(&messages));
    let examples = documents.chain(chats).collect::<Result<_, _>>().unwrap();
    let parts = [Part { name: "why".into(), examples, share: 1.0 }];
    let recipe = Recipe { method, steps: 5, rows: 4, learning_rate: 2e-3, ..Recipe::default() };
    let (scratch, seed, threads) = (tempfile::tempdir().unwrap(), 1, 1);
    let dir = scratch.path();
    let (config, weights) = (&base.config, Cow::Borrowed(&base.weights));
    let job = Job {
        config,
        weights,
        adapter: None,
        recipe: &recipe,
        parts: &parts,
        seed,
        dir,
        checkpoint_every: 0,
        threads,
    };
    let Outcome::Finished(finished) = train(job, &mut Silent).unwrap() else { panic!("not finished") };
    finished.trained
}

/// Saves a model that came from `base` by training, and has transformers agree with it, with itself read back, and,
/// where `adapter` is what was merged into it, with the base that carries the adapter; but not with the base.
fn assert_agreement(name: &str, model: &Folder, base: &Folder, adapter: Option<&Adapter>) {
    let dir = tempfile::tempdir().unwrap();
    model.save(dir.path()).unwrap();
    let saved = Folder::load(dir.path()).unwrap();
    assert!(saved.weights == model.weights);
    let theirs = load(dir.path(), &saved);
    let rope = Network::rope_table(&base.config, base.config.max_positions);
    let from = |folder: &Folder, adapter| difference(folder.network(adapter, &rope), &theirs);
    let (merged, unmerged, moved) =
        (from(model, None), adapter.map(|a| from(base, Some(a))), from(base, None));
    println!(
        "{name}: logits differ by at most {merged:e}, unmerged {unmerged:?}; training moved them by {moved}"
    );
    assert!(merged < ROUNDING, "{name}: logits differ by {merged:e}");
    assert!(unmerged.is_none_or(|d| d < ROUNDING), "{name}: unmerged logits differ by {unmerged:?}");
    assert!(moved > 1000.0 * ROUNDING, "{name}: training moved logits by {moved:e} only");
}

#[test]
fn transformers_reads_fully_trained_models() {
    let base = base();
    let Trained::Full(weights) = trained(&base, Method::Full) else { panic!("not all weights") };
    assert_agreement("full", &Folder { weights, ..base.clone() }, &base, None);
}

#[test]
fn transformers_reads_merged_adapters() {
    let base = base();
    let shape = LoraShape { rank: 8, alpha: 16.0, targets: Target::ALL.to_vec() };
    let Trained::Lora(adapter) = trained(&base, Method::Lora(shape)) else { panic!("not an adapter") };
    let mut merged = base.clone();
    adapter.merge_into(&base.config, &mut merged.weights).unwrap();
    assert_agreement("LoRA", &merged, &base, Some(&adapter));
}
