//! Questions that ask the same again, and questions of the evaluation: found among 20,000 without comparing all pairs.
//!
//! Only those are compared that share so many of the rarer n-grams that they can be alike at all (see `Vector::may_reach`);
//! nothing is missed by that. Of two alike the first in the order of the plan stays.

use std::collections::HashMap;

use crate::chats::grams::{Rarity, Vector, bag};

/// Two questions at least this alike are one: cosine of their counts of character 3- to 5-grams.
pub const SAME_QUESTION: f64 = 0.85;

/// Questions at least this like an item of the evaluation are dropped: a little stricter, for a leak is worse than a loss.
pub const SAME_AS_HELD_OUT: f64 = 0.80;

/// Texts among which alike ones are found.
#[derive(Debug)]
pub struct Alike {
    least: f64,
    rarity: Rarity,
    vectors: Vec<Vector>,
    by_gram: HashMap<u64, Vec<u32>>,
    by_words: HashMap<String, u32>,
}

/// A text that is like another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Which of the texts that were put in: the first that is alike.
    pub index: usize,
    /// How much alike; 1 also for the same words in another order.
    pub similarity: f64,
}

impl Alike {
    /// None yet. Two texts are alike from a cosine of `least` on. `sample` is what texts look like in which little is
    /// common: it decides the speed, not the result.
    pub fn new<'a>(least: f64, sample: impl IntoIterator<Item = &'a str>) -> Alike {
        let rarity = Rarity::of(sample);
        Alike { least, rarity, vectors: Vec::new(), by_gram: HashMap::new(), by_words: HashMap::new() }
    }

    /// The first text put in that is like this one.
    pub fn find(&self, text: &str) -> Option<Match> {
        self.look_up(&Vector::new(text, &self.rarity), &bag(text))
    }

    /// Puts a text in, and says which one it is.
    pub fn insert(&mut self, text: &str) -> usize {
        let vector = Vector::new(text, &self.rarity);
        self.put(vector, bag(text))
    }

    /// Puts a text in unless one is there that is like it; says which one.
    pub fn insert_new(&mut self, text: &str) -> Option<Match> {
        let (vector, words) = (Vector::new(text, &self.rarity), bag(text));
        let found = self.look_up(&vector, &words);
        if found.is_none() {
            self.put(vector, words);
        }
        found
    }

    fn look_up(&self, vector: &Vector, words: &str) -> Option<Match> {
        let same_words = self.by_words.get(words).copied();
        let probe = vector.probe(self.least);
        let mut products = vec![0u32; self.vectors.len()];
        let mut touched: Vec<u32> = Vec::new();
        for (key, count) in probe.entries {
            for index in self.by_gram.get(key).into_iter().flatten() {
                let product = &mut products[*index as usize];
                if *product == 0 {
                    touched.push(*index);
                }
                *product += count;
            }
        }
        touched.retain(|index| {
            let product = u64::from(products[*index as usize]);
            vector.may_reach(&probe, product, &self.vectors[*index as usize], self.least)
        });
        touched.sort_unstable();
        for index in touched {
            if same_words.is_some_and(|words| words <= index) {
                break;
            }
            if let Some(similarity) = vector.cosine(&self.vectors[index as usize], self.least) {
                return Some(Match { index: index as usize, similarity });
            }
        }
        same_words.map(|index| Match { index: index as usize, similarity: 1.0 })
    }

    fn put(&mut self, vector: Vector, words: String) -> usize {
        let index = self.vectors.len() as u32;
        for (key, count) in vector.grams() {
            // As often as it occurs, so that products are sums over the list.
            self.by_gram.entry(key).or_default().extend(std::iter::repeat_n(index, count as usize));
        }
        self.vectors.push(vector);
        if !words.is_empty() {
            self.by_words.entry(words).or_insert(index);
        }
        index as usize
    }

    /// How many were put in.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chats::grams::cosine;
    use proptest::prelude::*;

    /// Which texts are kept, by comparing all pairs.
    fn all_pairs(texts: &[String], least: f64) -> Vec<usize> {
        let mut kept: Vec<usize> = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let alike = |other: &usize| {
                let other = &texts[*other];
                (bag(text) == bag(other) && !bag(text).is_empty()) || cosine(text, other) >= least
            };
            if !kept.iter().any(alike) {
                kept.push(index);
            }
        }
        kept
    }

    fn kept(texts: &[String], least: f64, sample: &[String]) -> Vec<usize> {
        let mut alike = Alike::new(least, sample.iter().map(String::as_str));
        let mut kept = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            if alike.insert_new(text).is_none() {
                kept.push(index);
            }
        }
        kept
    }

    /// Sentences over few words, so that many are alike.
    fn sentences() -> impl Strategy<Value = Vec<String>> {
        let word = prop_oneof![
            Just("lease"),
            Just("bicycle"),
            Just("landlord"),
            Just("should"),
            Just("cheap"),
            Just("I"),
            Just("buy")
        ];
        let sentence = proptest::collection::vec(word, 0..7).prop_map(|words| words.join(" "));
        proptest::collection::vec(sentence, 0..25)
    }

    proptest! {
        #[test]
        fn nothing_is_missed_and_nothing_else_is_dropped(texts in sentences(), least in 0.5f64..0.95) {
            let expected = all_pairs(&texts, least);
            prop_assert_eq!(&kept(&texts, least, &texts), &expected);
            // What the sample is changes nothing.
            prop_assert_eq!(&kept(&texts, least, &[]), &expected);
        }

        #[test]
        fn what_is_kept_stays_kept(texts in sentences()) {
            let once: Vec<String> =
                kept(&texts, SAME_QUESTION, &texts).iter().map(|index| texts[*index].clone()).collect();
            prop_assert_eq!(kept(&once, SAME_QUESTION, &texts).len(), once.len());
        }

        #[test]
        fn a_prefix_of_the_questions_gives_a_prefix_of_the_kept(texts in sentences(), share in 0.0f64..1.0) {
            let length = (texts.len() as f64 * share) as usize;
            let part = kept(&texts[..length], SAME_QUESTION, &texts[..length]);
            let whole = kept(&texts, SAME_QUESTION, &texts);
            prop_assert_eq!(&part[..], &whole[..part.len()]);
        }
    }

    #[test]
    fn the_first_alike_is_named() {
        let mut alike = Alike::new(SAME_QUESTION, []);
        alike.insert("Should I sign a lease the night before I move?");
        alike.insert("What do you think of cheap cheese, and of dear cheese?");
        let found = alike.find("should I sign the lease, the night before I move").unwrap();
        assert_eq!((found.index, alike.len()), (0, 2));
        let found = alike.find("Of dear cheese and of cheap cheese, what do you think?").unwrap();
        assert_eq!(found, Match { index: 1, similarity: found.similarity });
        assert_eq!(alike.find("Who cooks tonight?"), None);
    }

    #[test]
    fn three_thousand_questions_are_quick() {
        let nouns =
            ["lease", "bicycle", "kettle", "garden", "letter", "budget", "sofa", "holiday", "printer", "dog"];
        let verbs =
            ["sell", "repair", "share", "insure", "clean", "paint", "store", "hide", "lend", "replace"];
        let who = ["my aunt", "a neighbour", "the club", "our school", "a customer", "my boss"];
        let text = |index: usize| {
            format!(
                "I wonder how I should {} the {} that {} left with number {} last week?",
                verbs[index % 10],
                nouns[index / 10 % 10],
                who[index / 100 % 6],
                index * 7919 % 100_003,
            )
        };
        let texts: Vec<String> = (0..3_000).map(text).collect();
        let kept = kept(&texts, SAME_QUESTION, &texts);
        assert!(kept.len() > 300, "{}", kept.len());
    }
}
