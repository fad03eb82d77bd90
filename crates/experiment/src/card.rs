//! The cards of a stage's folder: what the model is, and every stage that made it.

use std::path::Path;

use model::{Card, CardStage};
use train::Method;

use crate::error::Result;
use crate::manifest::Manifest;
use crate::prepare::Prepared;

const README: &str = "README.md";

/// Writes the card of a stage into its folder, and that of its adapter into the folder `adapter` there, if it has one.
///
/// # Errors
/// When a file cannot be written, or the manifest of an earlier stage not be read.
pub(crate) fn write(
    prepared: &Prepared,
    index: usize,
    manifest: &Manifest,
    adapter: Option<&str>,
    dir: &Path,
) -> Result<()> {
    let stages = &prepared.graph.stages;
    let mut sequence = vec![stage(&stages[index].label, manifest)];
    let mut next = stages[index].parent;
    while let Some(earlier) = next {
        if let Some(manifest) = Manifest::read(&prepared.paths.stage(stages[earlier].id))? {
            sequence.push(stage(&stages[earlier].label, &manifest));
        }
        next = stages[earlier].parent;
    }
    sequence.reverse();
    let experiment = prepared.experiment;
    let source = &experiment.base_source;
    let card = Card {
        name: stages[index].label.clone(),
        base: source.written().to_owned(),
        base_hash: experiment.base.hash,
        adapter: false,
        stages: sequence,
    };
    store::write_atomic(dir.join(README), card.text().as_bytes())?;
    if let Some(adapter) = adapter {
        let card = Card { adapter: true, ..card };
        store::write_atomic(dir.join(adapter).join(README), card.text().as_bytes())?;
    }
    Ok(())
}

fn stage(label: &str, manifest: &Manifest) -> CardStage {
    let recipe = &manifest.recipe;
    let corpora = manifest.corpora.iter().map(|part| (part.kind.clone(), part.hash, part.share));
    CardStage {
        name: label.to_owned(),
        id: manifest.id,
        corpora: corpora.collect(),
        method: match &recipe.method {
            Method::Full => "all weights".to_owned(),
            Method::Lora(shape) => format!("LoRA, rank {}, alpha {}", shape.rank, shape.alpha),
        },
        steps: manifest.outcome.steps,
        learning_rate: recipe.learning_rate,
        tokens_trained: manifest.outcome.tokens_trained,
        seed: manifest.seed,
    }
}
