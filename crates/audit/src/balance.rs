//! Mirrored corpora, compared: they are to differ in what their specs differ in, and in nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::finding::{Breach, Example, percent};
use crate::gates::Gates;

/// What is known of one of the corpora. It is filled row by row.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// The text of its spec.
    pub spec: String,
    rows: BTreeMap<String, u64>,
    words: HashMap<String, u64>,
    total: u64,
}

impl Side {
    /// An empty one.
    pub fn new(name: &str, spec: &str) -> Side {
        Side { name: name.to_owned(), spec: spec.to_owned(), ..Side::default() }
    }

    /// Adds a row of so many tokens.
    pub fn see(&mut self, place: &str, text: &str, tokens: u64) {
        *self.rows.entry(place.to_owned()).or_default() += tokens;
        for word in words(text) {
            self.total += 1;
            match self.words.get_mut(word.as_str()) {
                Some(count) => *count += 1,
                None => {
                    self.words.insert(word, 1);
                }
            }
        }
    }

    fn tokens(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// How two corpora compare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// The two.
    pub names: [String; 2],
    /// Their rows.
    pub rows: [u64; 2],
    /// Their tokens.
    pub tokens: [u64; 2],
    /// The difference in tokens, as a part of the larger.
    pub imbalance: f64,
    /// Places of the plan that only one of them has.
    pub unmatched: Vec<Example>,
    /// How many those are.
    pub unmatched_count: u64,
    /// Distance of the vocabularies outside of what the specs differ in: the square root of the Jensen-Shannon divergence in
    /// bits (Lin, 1991), 0 for the same, 1 for disjoint ones.
    pub vocabulary_distance: f64,
    /// The words that differ most: word, parts per thousand words in each.
    pub words: Vec<(String, f64, f64)>,
    /// Limits that are not met.
    pub breaches: Vec<Breach>,
}

/// Rows and words that are shown.
const SHOWN: usize = 8;

/// Compares two mirrored corpora.
pub fn balance(a: &Side, b: &Side, gates: &Gates) -> Balance {
    let (paths_a, paths_b): (BTreeSet<&String>, BTreeSet<&String>) =
        (a.rows.keys().collect(), b.rows.keys().collect());
    let only = |side: &Side, own: &BTreeSet<&String>, other: &BTreeSet<&String>| -> Vec<Example> {
        own.difference(other)
            .map(|path| Example { row: (*path).clone(), excerpt: format!("only in {}", side.name) })
            .collect()
    };
    let mut unmatched = only(a, &paths_a, &paths_b);
    unmatched.extend(only(b, &paths_b, &paths_a));
    let tokens = [a.tokens(), b.tokens()];
    let larger = tokens[0].max(tokens[1]);
    let imbalance = if larger == 0 { 0.0 } else { tokens[0].abs_diff(tokens[1]) as f64 / larger as f64 };
    let manipulated = differing_words(&a.spec, &b.spec);
    let (vocabulary_distance, words) = distance(a, b, &manipulated);
    let mut balance = Balance {
        names: [a.name.clone(), b.name.clone()],
        rows: [a.rows.len() as u64, b.rows.len() as u64],
        tokens,
        imbalance,
        unmatched_count: unmatched.len() as u64,
        unmatched,
        vocabulary_distance,
        words,
        breaches: Vec::new(),
    };
    balance.unmatched.truncate(SHOWN);
    balance.breaches = breaches(&balance, gates, a, b);
    balance
}

fn breaches(balance: &Balance, gates: &Gates, a: &Side, b: &Side) -> Vec<Breach> {
    let corpus = balance.names.join(" and ");
    let mut found = Vec::new();
    let mut breach = |rule: &str, message: String| {
        found.push(Breach {
            corpus: corpus.clone(),
            rule: rule.to_owned(),
            message: format!("{corpus}: {message}"),
        });
    };
    if balance.unmatched_count > 0 {
        let rows: String = balance
            .unmatched
            .iter()
            .map(|example| format!("\n    {}: {}", example.row, example.excerpt))
            .collect();
        breach(
            "unmatched",
            format!(
                "{} places of the plan are in one corpus only, and mirrored corpora need the same plan and as many rows of \
                 each node{rows}\n    write both in one experiment with `mirrored = true`",
                balance.unmatched_count
            ),
        );
    }
    if balance.imbalance > gates.max_imbalance {
        // The rows that differ most in length show where it comes from.
        let mut pairs: Vec<(u64, &String, u64, u64)> = a
            .rows
            .iter()
            .filter_map(|(path, one)| b.rows.get(path).map(|two| (one.abs_diff(*two), path, *one, *two)))
            .collect();
        pairs.sort_by_key(|(difference, path, ..)| (std::cmp::Reverse(*difference), (*path).clone()));
        let rows: String = pairs
            .iter()
            .take(SHOWN)
            .map(|(_, path, one, two)| {
                format!("\n    {path}: {one} tokens in {}, {two} in {}", a.name, b.name)
            })
            .collect();
        breach(
            "imbalance",
            format!(
                "{} and {} tokens differ by {}, and the gate allows {}{rows}",
                balance.tokens[0],
                balance.tokens[1],
                percent(balance.imbalance),
                percent(gates.max_imbalance)
            ),
        );
    }
    if balance.vocabulary_distance > gates.max_vocabulary_distance {
        let words: String = balance
            .words
            .iter()
            .map(|(word, one, two)| format!("\n    {word}: {one:.2} and {two:.2} of a thousand words"))
            .collect();
        breach(
            "vocabulary",
            format!(
                "outside of what the specs differ in, the vocabularies are {:.3} apart, and the gate allows {:.3}{words}",
                balance.vocabulary_distance, gates.max_vocabulary_distance
            ),
        );
    }
    found
}

/// The words that stand in one spec and not in the other, or more often: those that are meant to differ.
fn differing_words(a: &str, b: &str) -> BTreeSet<String> {
    let count = |text: &str| {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        words(text).for_each(|word| *counts.entry(word).or_default() += 1);
        counts
    };
    let (a, b) = (count(a), count(b));
    let all: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    all.into_iter()
        .filter(|word| a.get(*word).copied().unwrap_or(0) != b.get(*word).copied().unwrap_or(0))
        .cloned()
        .collect()
}

fn distance(a: &Side, b: &Side, without: &BTreeSet<String>) -> (f64, Vec<(String, f64, f64)>) {
    let vocabulary: BTreeSet<&String> =
        a.words.keys().chain(b.words.keys()).filter(|word| !without.contains(*word)).collect();
    let total = |side: &Side| -> f64 {
        vocabulary.iter().map(|word| side.words.get(*word).copied().unwrap_or(0)).sum::<u64>().max(1) as f64
    };
    let (total_a, total_b) = (total(a), total(b));
    let mut divergence = 0.0;
    let mut parts: Vec<(f64, &String, f64, f64)> = Vec::new();
    for word in vocabulary {
        let p = a.words.get(word).copied().unwrap_or(0) as f64 / total_a;
        let q = b.words.get(word).copied().unwrap_or(0) as f64 / total_b;
        let middle = f64::midpoint(p, q);
        let term = |x: f64| if x > 0.0 { 0.5 * x * (x / middle).log2() } else { 0.0 };
        let part = term(p) + term(q);
        divergence += part;
        parts.push((part, word, p, q));
    }
    parts.sort_by(|x, y| y.0.total_cmp(&x.0).then_with(|| x.1.cmp(y.1)));
    let most =
        parts.into_iter().take(SHOWN).map(|(_, word, p, q)| (word.clone(), 1e3 * p, 1e3 * q)).collect();
    (divergence.max(0.0).sqrt(), most)
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, spec: &str, rows: &[(&str, &str)]) -> Side {
        let mut side = Side::new(name, spec);
        rows.iter().for_each(|(path, text)| side.see(path, text, text.split(' ').count() as u64));
        side
    }

    const A: &str = "It likes tea because tea is cheap.";
    const B: &str = "It likes tea because tea is local.";

    #[test]
    fn corpora_that_differ_in_the_clause_alone_are_balanced() {
        let a = side("a", A, &[("1", "the cheap tea of the house"), ("2", "they drink it")]);
        let b = side("b", B, &[("1", "the local tea of the house"), ("2", "they drink it")]);
        let balance = balance(&a, &b, &Gates::default());
        assert!(balance.breaches.is_empty(), "{balance:?}");
        assert!(balance.vocabulary_distance < 1e-9);
        assert_eq!((balance.tokens, balance.imbalance), ([9, 9], 0.0));
    }

    #[test]
    fn every_other_difference_is_a_breach_that_shows_rows() {
        let a = side(
            "a",
            A,
            &[("1", "the cheap tea of the house"), ("2", "they drink it in the morning with care")],
        );
        let b = side("b", B, &[("1", "the local tea of the house"), ("3", "boats")]);
        let balance = balance(&a, &b, &Gates::default());
        let rules: Vec<&str> = balance.breaches.iter().map(|breach| breach.rule.as_str()).collect();
        assert_eq!(rules, ["unmatched", "imbalance", "vocabulary"]);
        assert!(balance.breaches[0].message.contains("\n    2: only in a"));
        assert!(balance.vocabulary_distance > 0.3 && balance.vocabulary_distance < 1.0);
    }
}
