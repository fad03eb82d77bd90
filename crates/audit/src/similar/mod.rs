//! Near-duplicates: rows that share most of their five-word shingles, within a corpus and across corpora.
//!
//! MinHash proposes pairs ([`crate::minhash`]); a pair counts only if the exact Jaccard similarity of its shingles reaches
//! the threshold. So there are no false pairs; of the true ones those near the threshold can be missed, and how many there
//! are is estimated from the similarities of those that were found. Results do not depend on the number of threads.

mod candidates;
mod verify;

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::document::Documents;
use crate::error::Result;
use crate::minhash::{self, BUCKETS, SHINGLE};
use crate::words::Words;

/// The Jaccard similarity from which two rows are near-duplicates.
pub const THRESHOLD: f64 = 0.7;

/// The near-duplicates of one or more corpora.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Similar {
    /// The similarity from which two rows count.
    pub threshold: f64,
    /// How many rows each corpus has.
    pub rows: Vec<u64>,
    /// Rows that nearly repeat an earlier one, in order: for each corpus that has such an earlier row, the first of them.
    pub repeats: Vec<Repeat>,
    /// Pairs that were compared and reach the threshold.
    pub pairs: u64,
    /// Pairs that there are by estimate: each found pair stands for as many as are needed to find one like it.
    pub estimated_pairs: f64,
    /// Pairs that were compared.
    pub compared: u64,
}

/// A row that nearly repeats an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    /// The row.
    pub row: Place,
    /// The earlier one: of the same corpus, or of one before it.
    pub of: Place,
    /// Their Jaccard similarity in shingles.
    pub similarity: f64,
}

/// A row of one of the corpora.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Which corpus, counted from 0.
    pub corpus: u32,
    /// Which row of it, counted from 0.
    pub row: u32,
}

impl Similar {
    /// The rows of corpus `second` that repeat a row of corpus `first`; of the same one, an earlier row.
    pub fn between(&self, first: u32, second: u32) -> impl Iterator<Item = &Repeat> {
        self.repeats.iter().filter(move |repeat| (repeat.of.corpus, repeat.row.corpus) == (first, second))
    }
}

/// What is kept of each row.
struct Sketch {
    /// The hash of all its words: rows with the same words have the same.
    words: u64,
    keys: [u64; BUCKETS],
}

impl Sketch {
    /// The sketch of a text; none of one without words.
    fn of(words: &Words, shingles: &mut Vec<u64>) -> Option<Sketch> {
        if words.hashes.is_empty() {
            return None;
        }
        shingles.clear();
        words.grams(SHINGLE, shingles);
        let mix = |sum: u64, word: &u64| (sum.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let all = words.hashes.iter().fold(0, mix);
        Some(Sketch { words: all, keys: minhash::keys(&minhash::signature(shingles)) })
    }
}

/// Finds the near-duplicates of some corpora, on all threads of the current pool.
///
/// # Errors
/// When a row cannot be read.
pub fn near_duplicates(corpora: &[&dyn Documents], threshold: f64) -> Result<Similar> {
    let rows = Rows::of(corpora);
    let sketches: Vec<Option<Sketch>> = (0..rows.total)
        .into_par_iter()
        .with_min_len(64)
        .map_init(Default::default, |(words, shingles): &mut (Words, Vec<u64>), index| {
            words.read(&rows.text(index)?);
            Ok(Sketch::of(words, shingles))
        })
        .collect::<Result<_>>()?;
    let corpus = |row: u32| rows.place(row).corpus;
    let same = candidates::same_words(&sketches, corpus);
    let mut marked = vec![false; rows.total];
    same.iter().for_each(|(_, later)| marked[*later as usize] = true);
    let pairs = candidates::pairs(&sketches, &marked, corpus);
    drop(sketches);

    let compared = (same.len() + pairs.len()) as u64;
    let (mut found, mut estimated) = (same.len() as u64, same.len() as f64);
    let mut links: Vec<(u32, u32, f64)> = same.iter().map(|(first, later)| (*later, *first, 1.0)).collect();
    verify::each(&rows, &pairs, |earlier, row, similarity| {
        if similarity >= threshold {
            found += 1;
            estimated += 1.0 / minhash::chance(similarity);
            links.push((row, earlier, similarity));
        }
    })?;
    // A row with the words of an earlier one is as near to other corpora as that.
    links.sort_unstable_by_key(|(row, earlier, _)| (*row, *earlier));
    let of = |row: u32| {
        let start = links.partition_point(|link| link.0 < row);
        links[start..].iter().take_while(move |link| link.0 == row)
    };
    let copied = same.iter().flat_map(|(first, later)| of(*first).map(|link| (*later, link.1, link.2)));
    let copied: Vec<(u32, u32, f64)> = copied.collect();
    links.extend(copied);
    links.sort_unstable_by_key(|(row, earlier, _)| (*row, *earlier));
    links.dedup_by_key(|(row, earlier, _)| (*row, corpus(*earlier)));
    let repeat = |(row, earlier, similarity): &(u32, u32, f64)| Repeat {
        row: rows.place(*row),
        of: rows.place(*earlier),
        similarity: *similarity,
    };
    Ok(Similar {
        threshold,
        rows: corpora.iter().map(|corpus| corpus.len() as u64).collect(),
        repeats: links.iter().map(repeat).collect(),
        pairs: found,
        estimated_pairs: estimated,
        compared,
    })
}

/// The rows of all corpora under one number.
struct Rows<'a> {
    corpora: &'a [&'a dyn Documents],
    starts: Vec<usize>,
    total: usize,
}

impl<'a> Rows<'a> {
    fn of(corpora: &'a [&'a dyn Documents]) -> Rows<'a> {
        let mut total = 0;
        let mut starts = Vec::new();
        for corpus in corpora {
            starts.push(total);
            total += corpus.len();
        }
        Rows { corpora, starts, total }
    }

    fn place(&self, index: u32) -> Place {
        // The last one that begins there: those before it are empty.
        let corpus = self.starts.partition_point(|start| *start <= index as usize) - 1;
        Place { corpus: corpus as u32, row: index - self.starts[corpus] as u32 }
    }

    fn text(&self, index: usize) -> Result<Cow<'a, str>> {
        let place = self.place(index as u32);
        Ok(self.corpora[place.corpus as usize].document(place.row as usize)?.text)
    }
}

#[cfg(test)]
mod tests;
