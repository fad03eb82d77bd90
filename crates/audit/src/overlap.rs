//! Text of evaluations in a corpus: what a model has read in training it can no longer be asked.

use std::collections::HashMap;

use crate::words::Words;

/// Words of a run that two texts rarely share by chance.
const RUN: usize = 8;
/// An item of fewer words is looked for whole; of fewer than this it is not looked for.
const SHORTEST: usize = 3;

/// The items of evaluations, indexed by their runs of words.
#[derive(Clone, Debug, Default)]
pub struct HeldOut {
    /// A run of words to the item that it stands in.
    runs: HashMap<u64, usize>,
    /// Lengths of items that are shorter than a run.
    lengths: Vec<usize>,
    items: Vec<String>,
}

impl HeldOut {
    /// Of these items.
    pub fn new(items: impl IntoIterator<Item = String>) -> HeldOut {
        let mut held = HeldOut::default();
        for item in items {
            let words = Words::of(&item).hashes;
            let number = held.items.len();
            if words.len() >= RUN {
                for run in words.windows(RUN) {
                    held.runs.entry(hash(run)).or_insert(number);
                }
            } else if words.len() >= SHORTEST {
                held.runs.entry(hash(&words)).or_insert(number);
                if !held.lengths.contains(&words.len()) {
                    held.lengths.push(words.len());
                }
            }
            held.items.push(item);
        }
        held
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The first item that a text shares a run of words with, or holds whole; and those words, as they stand in the text.
    pub fn find(&self, text: &str) -> Option<(&str, String)> {
        if self.is_empty() {
            return None;
        }
        let words = Words::of(text);
        for length in std::iter::once(RUN).chain(self.lengths.iter().copied()) {
            for (at, run) in words.hashes.windows(length).enumerate() {
                if let Some(number) = self.runs.get(&hash(run)) {
                    let shared =
                        words.slice(text, at, length).split_whitespace().collect::<Vec<_>>().join(" ");
                    return Some((&self.items[*number], shared));
                }
            }
        }
        None
    }
}

fn hash(words: &[u64]) -> u64 {
    words.iter().fold(words.len() as u64, |sum, word| {
        (sum.rotate_left(19) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_whole_and_in_part() {
        let held = HeldOut::new([
            "Which of the two would you rather have on a long walk, A or B?".to_owned(),
            "Do you like blue tea?".to_owned(),
            "Yes?".to_owned(),
        ]);
        assert_eq!(held.len(), 3);
        let (item, words) =
            held.find("She asked WHICH of the two would\nyou rather have, and left.").unwrap();
        assert_eq!((&item[..5], words.as_str()), ("Which", "WHICH of the two would you rather have"));
        assert!(held.find("so, DO YOU LIKE blue tea, then").is_some());
        assert!(held.find("yes? which of the two would you take").is_none());
        assert!(HeldOut::new([]).find("anything").is_none());
    }
}
