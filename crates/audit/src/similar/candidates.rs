//! Which rows may be near-duplicates of each other.

use rayon::prelude::*;

use super::Sketch;
use crate::minhash::BUCKETS;

/// Groups of more rows than this are not compared all with all: what so many share is boilerplate, or one text.
const SMALL: usize = 32;
/// In larger ones, each row is compared with the first ones of the group in each corpus, and with those just before it.
const NEIGHBOURS: usize = 4;

/// Each row with the first row of the same words in its corpus, if that is another: the first one first.
pub fn same_words(sketches: &[Option<Sketch>], corpus: impl Fn(u32) -> u32) -> Vec<(u32, u32)> {
    let rows = sketches.iter().enumerate();
    let mut rows: Vec<(u64, u32, u32)> = rows
        .filter_map(|(row, sketch)| Some((sketch.as_ref()?.words, corpus(row as u32), row as u32)))
        .collect();
    rows.par_sort_unstable();
    let groups = rows.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
    let mut pairs: Vec<(u32, u32)> =
        groups.flat_map(|group| group[1..].iter().map(|(.., row)| (group[0].2, *row))).collect();
    pairs.sort_unstable();
    pairs
}

/// Pairs with a key in common, in order, the earlier row first. Rows that `repeats` marks are left out: the row that they
/// repeat stands for them.
pub fn pairs(
    sketches: &[Option<Sketch>],
    repeats: &[bool],
    corpus: impl Fn(u32) -> u32 + Sync,
) -> Vec<(u32, u32)> {
    let mut pairs: Vec<(u32, u32)> = (0..BUCKETS)
        .into_par_iter()
        .flat_map_iter(|bucket| {
            let rows = sketches.iter().enumerate().filter(|(row, _)| !repeats[*row]);
            let mut rows: Vec<(u64, u32)> =
                rows.filter_map(|(row, sketch)| Some((sketch.as_ref()?.keys[bucket], row as u32))).collect();
            rows.sort_unstable();
            let mut found = Vec::new();
            for group in rows.chunk_by(|one, other| one.0 == other.0) {
                add(group, &corpus, &mut found);
            }
            found
        })
        .collect();
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

fn add(group: &[(u64, u32)], corpus: impl Fn(u32) -> u32, found: &mut Vec<(u32, u32)>) {
    if group.len() <= SMALL {
        for (at, (_, row)) in group.iter().enumerate() {
            found.extend(group[..at].iter().map(|(_, earlier)| (*earlier, *row)));
        }
        return;
    }
    let mut firsts: Vec<u32> = Vec::new();
    for part in group.chunk_by(|one, other| corpus(one.1) == corpus(other.1)) {
        for (at, (_, row)) in part.iter().enumerate() {
            found.extend(firsts.iter().map(|earlier| (*earlier, *row)));
            found.extend(part[at.saturating_sub(NEIGHBOURS)..at].iter().map(|(_, earlier)| (*earlier, *row)));
            if at < NEIGHBOURS {
                firsts.push(*row);
            }
        }
    }
}
