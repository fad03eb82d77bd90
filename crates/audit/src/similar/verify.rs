//! The exact similarity of pairs that may be near-duplicates.

use rayon::prelude::*;

use super::Rows;
use crate::error::Result;
use crate::minhash::{self, SHINGLE};
use crate::words::Words;

/// So many pairs are verified at a time: their texts' shingles are in memory, and no others.
const BLOCK: usize = 1 << 14;

/// Hands the similarity of each pair to `see`, in the order of the pairs.
pub fn each(rows: &Rows<'_>, pairs: &[(u32, u32)], mut see: impl FnMut(u32, u32, f64)) -> Result<()> {
    for block in pairs.chunks(BLOCK) {
        let mut needed: Vec<u32> = block.iter().flat_map(|(first, second)| [*first, *second]).collect();
        needed.par_sort_unstable();
        needed.dedup();
        let sets: Vec<Vec<u64>> = needed
            .par_iter()
            .with_min_len(16)
            .map_init(Words::default, |words, row| {
                words.read(&rows.text(*row as usize)?);
                let mut set = Vec::new();
                words.grams(SHINGLE, &mut set);
                set.sort_unstable();
                set.dedup();
                Ok(set)
            })
            .collect::<Result<_>>()?;
        let set = |row: &u32| needed.binary_search(row).map_or(&[][..], |at| &sets[at]);
        let found: Vec<f64> = block
            .par_iter()
            .with_min_len(64)
            .map(|(first, second)| minhash::jaccard(set(first), set(second)))
            .collect();
        for ((first, second), jaccard) in block.iter().zip(found) {
            see(*first, *second, jaccard);
        }
    }
    Ok(())
}
