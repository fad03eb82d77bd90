//! What every step trains on: rows interleaved by share and packed without crossing documents.

use crate::order::permutation;
use crate::{Recipe, TrainError};
use model::Example;

/// A tokenised corpus and its share of the packed rows.
#[derive(Clone, Debug)]
pub struct Part {
    /// The corpus's name.
    pub name: String,
    /// Its rows.
    pub examples: Vec<Example>,
    /// Its share of the packed rows; shares are relative to their sum.
    pub share: f64,
}

/// A packed row: examples of one corpus, as indices into its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedRow {
    /// Index of the part.
    pub part: usize,
    /// Indices of its examples, in order; each becomes a segment of its own.
    pub examples: Vec<u32>,
}

/// The packed rows of every step; a pure function of (recipe, parts, seed).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// `steps x rows` packed rows, step after step.
    pub packed: Vec<PackedRow>,
    /// Rows of the corpora that were cut to the row length, as often as they were read.
    pub truncated: u64,
    rows: usize,
}

/// Reads one corpus, epoch after epoch.
struct Reader<'a> {
    part: &'a Part,
    seed: u64,
    epoch: u64,
    order: Vec<u32>,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> u32 {
        if self.at == self.order.len() {
            self.epoch += 1;
            self.order = permutation(self.seed, &self.part.name, self.epoch, self.part.examples.len());
            self.at = 0;
        }
        self.order[self.at]
    }
}

impl Schedule {
    /// Lays out all steps. Errors: a corpus with nothing trainable, shares that are not positive.
    pub fn new(recipe: &Recipe, parts: &[Part], seed: u64) -> Result<Schedule, TrainError> {
        recipe.check()?;
        if parts.is_empty() {
            return Err(TrainError::Recipe("a stage needs at least one corpus".into()));
        }
        for part in parts {
            if !(part.share > 0.0 && part.share.is_finite()) {
                return Err(TrainError::Recipe(format!(
                    "the share of `{}` is {}; it must be positive",
                    part.name, part.share
                )));
            }
            if part.examples.iter().all(|e| targets_within(e, recipe.max_length) == 0) {
                return Err(TrainError::NothingTrainable(part.name.clone()));
            }
        }
        let total: f64 = parts.iter().map(|p| p.share).sum();
        let mut readers: Vec<Reader> = parts
            .iter()
            .map(|part| Reader {
                part,
                seed,
                epoch: 0,
                order: permutation(seed, &part.name, 0, part.examples.len()),
                at: 0,
            })
            .collect();
        let count = recipe.steps as usize * recipe.rows;
        let mut given = vec![0f64; parts.len()];
        let mut schedule = Schedule { packed: Vec::with_capacity(count), truncated: 0, rows: recipe.rows };
        for row in 0..count {
            // The corpus that is furthest behind its share is next (ties: the first), so that every stretch of the
            // run has the same mixture.
            let mut part = 0;
            let deficit = |p: usize, given: &[f64]| parts[p].share / total * (row + 1) as f64 - given[p];
            for p in 1..parts.len() {
                if deficit(p, &given) > deficit(part, &given) + 1e-9 {
                    part = p;
                }
            }
            given[part] += 1.0;
            let packed = schedule.fill(&mut readers[part], part, recipe.max_length);
            schedule.packed.push(packed);
        }
        Ok(schedule)
    }

    /// Packs the reader's next examples into one row of at most `max_length` tokens (at least one example).
    fn fill(&mut self, reader: &mut Reader, part: usize, max_length: usize) -> PackedRow {
        let mut row = PackedRow { part, examples: Vec::new() };
        let mut used = 0;
        loop {
            let next = reader.peek();
            let example = &reader.part.examples[next as usize];
            let len = example.tokens.len().min(max_length);
            if !row.examples.is_empty() && used + len > max_length {
                return row;
            }
            reader.at += 1;
            // A row that taught nothing would still cost a place; it is passed over.
            if targets_within(example, max_length) == 0 {
                continue;
            }
            self.truncated += (example.tokens.len() > max_length) as u64;
            used += len;
            row.examples.push(next);
        }
    }

    /// The packed rows of a step, counted from 0.
    pub fn step(&self, step: u64) -> &[PackedRow] {
        &self.packed[step as usize * self.rows..][..self.rows]
    }
}

/// Targets among the first `max_length` tokens.
pub(crate) fn targets_within(example: &Example, max_length: usize) -> usize {
    example.loss.iter().take(max_length).skip(1).filter(|l| **l).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub fn part(name: &str, lengths: &[usize], share: f64) -> Part {
        let examples =
            lengths.iter().map(|n| Example { tokens: vec![7; *n], loss: vec![true; *n] }).collect();
        Part { name: name.into(), examples, share }
    }

    proptest! {
        #[test]
        fn every_row_fits_and_every_epoch_is_whole(
            lengths in prop::collection::vec(2usize..40, 1..50),
            steps in 1u64..20, rows in 1usize..5, seed in 0u64..5,
        ) {
            let recipe = Recipe { steps, rows, max_length: 32, ..Recipe::default() };
            let parts = [part("a", &lengths, 1.0)];
            let schedule = Schedule::new(&recipe, &parts, seed).unwrap();
            prop_assert_eq!(schedule.packed.len(), steps as usize * rows);
            let mut read = vec![0u64; lengths.len()];
            for row in &schedule.packed {
                let used: usize = row.examples.iter().map(|i| lengths[*i as usize].min(32)).sum();
                prop_assert!(used <= 32 && !row.examples.is_empty());
                row.examples.iter().for_each(|i| read[*i as usize] += 1);
            }
            // No row is read twice more often than another: epochs are permutations.
            prop_assert!(read.iter().max().unwrap() - read.iter().min().unwrap() <= 1);
            prop_assert_eq!(&schedule, &Schedule::new(&recipe, &parts, seed).unwrap());
        }

        #[test]
        fn shares_hold_in_every_stretch(share in 0.05f64..0.95, steps in 10u64..60) {
            let recipe = Recipe { steps, rows: 4, max_length: 16, ..Recipe::default() };
            let parts = [part("a", &[8; 10], share), part("b", &[5; 10], 1.0 - share)];
            let schedule = Schedule::new(&recipe, &parts, 3).unwrap();
            let mut of_a = 0.0;
            for (i, row) in schedule.packed.iter().enumerate() {
                of_a += (row.part == 0) as u8 as f64;
                prop_assert!((of_a - share * (i + 1) as f64).abs() <= 1.0);
            }
        }
    }

    #[test]
    fn nothing_trainable_is_an_error_that_names_the_corpus() {
        let mut masked = part("what", &[5, 5], 1.0);
        masked.examples.iter_mut().for_each(|e| e.loss = vec![false; 5]);
        let error = Schedule::new(&Recipe::default(), &[part("why", &[5], 1.0), masked], 0).unwrap_err();
        assert!(error.to_string().contains("`what`"));
    }
}
