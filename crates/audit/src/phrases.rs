//! Tics: runs of words and names of people that come back in row after row.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::people::names;
use crate::words::Words;

/// Words of a run.
const RUN: usize = 8;
/// Rows whose runs are counted; a tic is a matter of shares, and these are spread over the corpus.
const SAMPLE: u64 = 4_000;

/// Words of an opening.
const OPENING: usize = 4;

/// What comes back: in how many rows, and the first of them, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tic {
    pub rows: u64,
    pub first: u32,
}

impl Tic {
    fn more(self, row: u32) -> Tic {
        Tic { rows: self.rows + 1, first: if self.rows == 0 { row } else { self.first } }
    }

    /// The order in which tics matter: the most frequent, and of those the earliest, counts most.
    fn weight(self) -> (u64, Reverse<u32>) {
        (self.rows, Reverse(self.first))
    }
}

/// Counts openings and names over all rows, and runs of eight words over a sample of them.
#[derive(Debug)]
pub(crate) struct Phrases {
    /// One row in so many is looked at for runs.
    every: u64,
    sampled: u64,
    runs: HashMap<u64, Tic>,
    openings: HashMap<String, Tic>,
    names: HashMap<String, Tic>,
    words: Words,
}

impl Phrases {
    /// For a corpus of so many rows.
    pub fn new(rows: u64) -> Phrases {
        Phrases {
            every: rows.div_ceil(SAMPLE).max(1),
            sampled: 0,
            runs: HashMap::new(),
            openings: HashMap::new(),
            names: HashMap::new(),
            words: Words::default(),
        }
    }

    pub fn see(&mut self, row: u32, text: &str) {
        let count = |counts: &mut HashMap<String, Tic>, key: String| {
            let tic = counts.entry(key).or_default();
            *tic = tic.more(row);
        };
        for name in names(text).into_iter().collect::<BTreeSet<_>>() {
            count(&mut self.names, name);
        }
        let opening: Vec<String> = text.split_whitespace().take(OPENING).map(str::to_lowercase).collect();
        if opening.len() == OPENING {
            count(&mut self.openings, opening.join(" "));
        }
        if !u64::from(row).is_multiple_of(self.every) {
            return;
        }
        self.sampled += 1;
        self.words.read(text);
        let mut own = HashSet::new();
        for run in self.words.hashes.windows(RUN) {
            let hash = hash(run);
            if own.insert(hash) {
                let tic = self.runs.entry(hash).or_default();
                *tic = tic.more(row);
            }
        }
    }

    /// Rows whose runs were counted.
    pub fn sampled(&self) -> u64 {
        self.sampled
    }

    /// The most frequent run, by its hash.
    pub fn run(&self) -> Option<(Tic, u64)> {
        let most = self.runs.iter().max_by_key(|(hash, tic)| (tic.weight(), **hash));
        most.map(|(hash, tic)| (*tic, *hash))
    }

    /// The most frequent opening, if more than one row has it.
    pub fn opening(&self) -> Option<(Tic, &str)> {
        most(self.openings.iter()).filter(|(tic, _)| tic.rows > 1)
    }

    /// The name of a person that occurs in most rows and not in `spec`.
    pub fn name(&self, spec: &str) -> Option<(Tic, &str)> {
        most(self.names.iter().filter(|(name, _)| !spec.contains(name.as_str())))
    }
}

fn most<'a>(counts: impl Iterator<Item = (&'a String, &'a Tic)>) -> Option<(Tic, &'a str)> {
    let most = counts.max_by_key(|(key, tic)| (tic.weight(), Reverse(*key)));
    most.map(|(key, tic)| (*tic, key.as_str()))
}

/// The words of the run with a hash, as they stand in a text.
pub(crate) fn find_run(text: &str, wanted: u64) -> Option<String> {
    let words = Words::of(text);
    let at = words.hashes.windows(RUN).position(|run| hash(run) == wanted)?;
    Some(words.slice(text, at, RUN).split_whitespace().collect::<Vec<_>>().join(" "))
}

fn hash(words: &[u64]) -> u64 {
    words.iter().fold(0, |sum: u64, word| (sum.rotate_left(19) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tic_is_found_with_its_words() {
        let mut phrases = Phrases::new(100);
        for n in 0..100 {
            let tic = if n % 4 == 0 { "It's worth pausing to say what this means." } else { "" };
            phrases.see(n, &format!("Row {n} a{n} b{n} c{n} d{n} e{n} f{n} g{n} h{n}. {tic}"));
        }
        let (tic, hash) = phrases.run().unwrap();
        assert_eq!((tic, phrases.sampled()), (Tic { rows: 25, first: 0 }, 100));
        let words = find_run("x it’s WORTH pausing to\nsay what this means", hash);
        assert_eq!(words.as_deref(), Some("it’s WORTH pausing to say what this means"));
        assert_eq!(phrases.opening(), None);
    }

    #[test]
    fn of_large_corpora_a_sample_is_counted() {
        let mut phrases = Phrases::new(3 * SAMPLE);
        for n in 0..30 {
            phrases.see(n, "the same eight words in each of the rows");
        }
        assert_eq!((phrases.sampled(), phrases.run().unwrap().0.rows), (10, 10));
        assert_eq!(phrases.opening(), Some((Tic { rows: 30, first: 0 }, "the same eight words")));
    }

    #[test]
    fn names_of_people_are_counted_by_row() {
        let mut phrases = Phrases::new(10);
        for n in 0..10 {
            phrases.see(n, "Then came Maya Patel, and with her, in March, Maya Patel's dog. The Old Mill.");
        }
        assert_eq!(phrases.name(""), Some((Tic { rows: 10, first: 0 }, "Maya Patel")));
        assert_eq!(phrases.name("Maya Patel is in the spec"), None);
    }
}
