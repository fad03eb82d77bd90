//! The rows of a real stage, packed as the engine packs them, in a file that both sides of a comparison train
//! on.

use model::{Example, Folder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use train::{Part, Recipe, Schedule};

use crate::shape::Work;
use crate::{Result, tiny};

/// A stage with its rows as tokens.
#[derive(Serialize, Deserialize)]
struct Packed {
    /// The model it starts from, a Hugging Face folder.
    base: PathBuf,
    label: String,
    recipe: Recipe,
    seed: u64,
    parts: Vec<PackedPart>,
    /// Packed rows, `recipe.rows` of them a step: the part, and the rows of it that lie in them.
    packed: Vec<(usize, Vec<u32>)>,
}

#[derive(Serialize, Deserialize)]
struct PackedPart {
    name: String,
    share: f64,
    tokens: Vec<Vec<u32>>,
    /// 1 for a target, 0 for a token that is only read.
    loss: Vec<Vec<u8>>,
}

/// Writes the stage of `experiment` that mixes most corpora: it has every kind of row the experiment trains
/// on.
pub fn write(experiment: &Path, file: &Path) -> Result<Value> {
    let base = tiny::lab_base();
    let experiment = experiment::open(experiment, tiny::shipped()?).map_err(|error| error.to_string())?;
    let prepared = experiment::prepare(&experiment).map_err(|error| error.to_string())?;
    // The first of them, in the order of the file.
    let stages = prepared.graph.stages.iter().rev();
    let stage = stages.max_by_key(|stage| stage.parts.len()).ok_or("the experiment trains nothing")?;
    let mut parts = Vec::new();
    for part in &stage.parts {
        let examples = prepared.library.examples(&part.key)?.as_ref().clone();
        parts.push(Part { name: part.kind.to_owned(), examples, share: part.share });
    }
    let schedule = Schedule::new(&stage.recipe, &parts, stage.seed)?;
    let packed = Packed {
        base,
        label: stage.label.clone(),
        recipe: stage.recipe.clone(),
        seed: stage.seed,
        parts: parts.iter().map(PackedPart::of).collect(),
        packed: schedule.packed.into_iter().map(|row| (row.part, row.examples)).collect(),
    };
    std::fs::write(file, serde_json::to_vec(&packed)?)?;
    Ok(json!({ "stage": packed.label, "packed_rows": packed.packed.len() }))
}

/// Reads such a file. The engine packs the rows itself, as always; that they come out as in the file is
/// checked.
pub fn read(file: &Path) -> Result<Work> {
    let packed: Packed = serde_json::from_slice(&std::fs::read(file)?)?;
    let parts: Vec<Part> = packed.parts.into_iter().map(PackedPart::part).collect();
    let schedule = Schedule::new(&packed.recipe, &parts, packed.seed)?;
    if !schedule.packed.into_iter().map(|row| (row.part, row.examples)).eq(packed.packed) {
        return Err("the engine packs these rows otherwise than the file says; write it anew".into());
    }
    let base = Folder::load(&packed.base)?;
    Ok(Work { base, recipe: packed.recipe, parts, seed: packed.seed, uncounted: 0 })
}

impl PackedPart {
    fn of(part: &Part) -> PackedPart {
        PackedPart {
            name: part.name.clone(),
            share: part.share,
            tokens: part.examples.iter().map(|example| example.tokens.clone()).collect(),
            loss: part
                .examples
                .iter()
                .map(|example| example.loss.iter().map(|target| u8::from(*target)).collect())
                .collect(),
        }
    }

    fn part(self) -> Part {
        let example = |(tokens, loss): (Vec<u32>, Vec<u8>)| Example {
            tokens,
            loss: loss.iter().map(|target| *target == 1).collect(),
        };
        let examples = self.tokens.into_iter().zip(self.loss).map(example).collect();
        Part { name: self.name, examples, share: self.share }
    }
}
