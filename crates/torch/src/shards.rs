//! The packed rows of every step as safetensors shards: what `train.py` reads instead of deciding.
//!
//! Rows are laid end to end, without padding. A document's positions start at 0 and its number within the row
//! keeps attention inside it; its last token predicts nothing. Every row carries the weight of its losses, 1 by the targets of its step,
//! so that the sum over all rows of a step, on whatever process, is the mean over its targets.

use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use store::{Hash, StagedDir};
use train::{PackedRow, Part, Recipe, Schedule};

use crate::TorchError;

/// What marks a position that predicts nothing (PyTorch's `ignore_index`).
pub const IGNORED: i32 = -100;

/// Tokens after which a shard ends (64 MB), at the end of a step.
const SHARD_TOKENS: usize = 4 << 20;

/// One shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// Its file, in the job's folder.
    pub file: String,
    /// The first step whose rows it holds, counted from 0.
    pub first_step: u64,
    /// How many steps' rows it holds.
    pub steps: u64,
    /// The hash of its bytes.
    pub hash: Hash,
    /// Their CRC-32, which Python can check without a package.
    pub crc32: u32,
}

/// All shards, and what the steps hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// The shards in order.
    pub shards: Vec<Shard>,
    /// Tokens of every step.
    pub tokens: Vec<u64>,
    /// Targets of every step.
    pub targets: Vec<u64>,
}

/// The tensors of one shard.
#[derive(Debug, Default)]
pub struct Columns {
    /// The tokens.
    pub input_ids: Vec<i32>,
    /// For every token the one to predict from it, or [`IGNORED`].
    pub targets: Vec<i32>,
    /// Its position within its document.
    pub positions: Vec<i32>,
    /// The number of its document within its row.
    pub segments: Vec<i32>,
    /// Where each row begins, and where the last one ends.
    pub row_starts: Vec<i64>,
    /// What every row's losses are multiplied by.
    pub row_weights: Vec<f32>,
}

impl Columns {
    /// Adds the rows of a step; returns its tokens and targets.
    pub fn push(&mut self, recipe: &Recipe, parts: &[Part], rows: &[PackedRow]) -> (u64, u64) {
        if self.row_starts.is_empty() {
            self.row_starts.push(0);
        }
        let (before, mut targets) = (self.input_ids.len(), 0u64);
        for row in rows {
            for (segment, index) in row.examples.iter().enumerate() {
                let example = &parts[row.part].examples[*index as usize];
                let len = example.tokens.len().min(recipe.max_length);
                for at in 0..len {
                    let next = at + 1;
                    let target = next < len && example.loss[next];
                    targets += target as u64;
                    self.input_ids.push(example.tokens[at] as i32);
                    self.targets.push(if target { example.tokens[next] as i32 } else { IGNORED });
                    self.positions.push(at as i32);
                    self.segments.push(segment as i32);
                }
            }
            self.row_starts.push(self.input_ids.len() as i64);
        }
        self.row_weights.extend(rows.iter().map(|_| 1.0 / targets as f32));
        ((self.input_ids.len() - before) as u64, targets)
    }

    fn encode(&self) -> Result<Vec<u8>, safetensors::SafeTensorError> {
        fn bytes<T: Copy, const N: usize>(values: &[T], le: impl Fn(T) -> [u8; N]) -> Vec<u8> {
            values.iter().flat_map(|value| le(*value)).collect()
        }
        let int = |values: &[i32]| (Dtype::I32, values.len(), bytes(values, i32::to_le_bytes));
        let columns = [
            ("input_ids", int(&self.input_ids)),
            ("targets", int(&self.targets)),
            ("positions", int(&self.positions)),
            ("segments", int(&self.segments)),
            ("row_starts", (Dtype::I64, self.row_starts.len(), bytes(&self.row_starts, i64::to_le_bytes))),
            ("row_weights", (Dtype::F32, self.row_weights.len(), bytes(&self.row_weights, f32::to_le_bytes))),
        ];
        let views = columns
            .iter()
            .map(|(name, (dtype, len, data))| Ok((*name, TensorView::new(*dtype, vec![*len], data)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        safetensors::serialize(views, None)
    }
}

/// Writes the shards of a schedule into a folder under construction.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    staged: &StagedDir,
    recipe: &Recipe,
    parts: &[Part],
    schedule: &Schedule,
) -> Result<Written, TorchError> {
    write_with(staged, recipe, parts, schedule, SHARD_TOKENS)
}

fn write_with(
    staged: &StagedDir,
    recipe: &Recipe,
    parts: &[Part],
    schedule: &Schedule,
    shard_tokens: usize,
) -> Result<Written, TorchError> {
    let (mut written, mut columns, mut first_step) = (Written::default(), Columns::default(), 0);
    for step in 0..recipe.steps {
        let (tokens, targets) = columns.push(recipe, parts, schedule.step(step));
        written.tokens.push(tokens);
        written.targets.push(targets);
        let done = step + 1;
        if columns.input_ids.len() < shard_tokens && done < recipe.steps {
            continue;
        }
        let name = format!("rows-{:05}.safetensors", written.shards.len());
        let bytes = columns.encode().map_err(|error| TorchError::Files(format!("{name}: {error}")))?;
        let mut file = staged.file(&name)?;
        file.write(&bytes)?;
        let hash = file.finish()?;
        let crc32 = crc32fast::hash(&bytes);
        written.shards.push(Shard { file: name, first_step, steps: done - first_step, hash, crc32 });
        (columns, first_step) = (Columns::default(), done);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use model::Example;
    use proptest::prelude::*;

    use super::*;

    fn parts(lengths: &[usize]) -> Vec<Part> {
        let example = |(i, len): (usize, &usize)| Example {
            tokens: (0..*len as u32).map(|t| 1000 * i as u32 + t).collect(),
            loss: (0..*len).map(|t| !(t + i).is_multiple_of(3) || t == 1).collect(),
        };
        let examples = lengths.iter().enumerate().map(example).collect();
        vec![Part { name: "why".into(), examples, share: 1.0 }]
    }

    proptest! {
        /// From the shards alone the documents and their targets come back, as the native engine batches them.
        #[test]
        fn shards_hold_what_the_native_engine_trains_on(
            lengths in prop::collection::vec(2usize..30, 1..20), rows in 1usize..4, steps in 1u64..6, per_shard in 1usize..200,
        ) {
            let parts = parts(&lengths);
            let recipe = Recipe { steps, rows, max_length: 20, ..Recipe::default() };
            let schedule = Schedule::new(&recipe, &parts, 3).unwrap();
            let dir = tempfile::tempdir().unwrap();
            let staged = StagedDir::create(dir.path().join("job")).unwrap();
            let written = write_with(&staged, &recipe, &parts, &schedule, per_shard).unwrap();
            let mut step = 0;
            for shard in &written.shards {
                prop_assert_eq!(shard.first_step, step);
                let bytes = std::fs::read(staged.path().join(&shard.file)).unwrap();
                prop_assert_eq!(store::hash_bytes(&bytes), shard.hash);
                prop_assert_eq!(crc32fast::hash(&bytes), shard.crc32);
                let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
                let i32s = |name: &str| -> Vec<i32> {
                    let view = file.tensor(name).unwrap();
                    view.data().chunks_exact(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect()
                };
                let (ids, targets, positions, segments) =
                    (i32s("input_ids"), i32s("targets"), i32s("positions"), i32s("segments"));
                let starts: Vec<usize> = file.tensor("row_starts").unwrap().data().chunks_exact(8)
                    .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as usize).collect();
                let weights: Vec<f32> = file.tensor("row_weights").unwrap().data().chunks_exact(4)
                    .map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
                prop_assert_eq!(starts.len(), weights.len() + 1);
                for i in 0..shard.steps as usize {
                    // Independently: the native engine's own batches of these rows.
                    let mut native = model::Batch::default();
                    for row in schedule.step(step) {
                        for index in &row.examples {
                            let e = &parts[0].examples[*index as usize];
                            let len = e.tokens.len().min(20);
                            native.push(&Example { tokens: e.tokens[..len].to_vec(), loss: e.loss[..len].to_vec() });
                        }
                    }
                    let (from, to) = (starts[i * rows], starts[(i + 1) * rows]);
                    // A batch leaves out what predicts nothing at a document's end; compare by document.
                    let ours: Vec<(i32, i32)> = (from..to).filter(|t| targets[*t] != IGNORED)
                        .map(|t| (positions[t], targets[t])).collect();
                    prop_assert_eq!(ours.len(), native.targets.len());
                    prop_assert_eq!(written.targets[step as usize] as usize, native.targets.len());
                    prop_assert_eq!(written.tokens[step as usize] as usize, to - from);
                    for row in i * rows..(i + 1) * rows {
                        prop_assert!((weights[row] * native.targets.len() as f32 - 1.0).abs() < 1e-6);
                        prop_assert!(starts[row + 1] - starts[row] <= 20);
                        let documents = &schedule.step(step)[row - i * rows].examples;
                        let mut at = starts[row];
                        for (segment, index) in documents.iter().enumerate() {
                            let e = &parts[0].examples[*index as usize];
                            for t in 0..e.tokens.len().min(20) {
                                prop_assert_eq!((ids[at], positions[at], segments[at]), (e.tokens[t] as i32, t as i32, segment as i32));
                                at += 1;
                            }
                            prop_assert_eq!(targets[at - 1], IGNORED);
                        }
                        prop_assert_eq!(at, starts[row + 1]);
                    }
                    step += 1;
                }
            }
            prop_assert_eq!(step, steps);
        }
    }
}
