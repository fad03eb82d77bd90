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
    words: HashMap<String, Count>,
}

/// How often a word stands in a corpus: in all rows, and in those that each exchange takes.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: u64,
    taken: [u64; EXCHANGES],
}

/// In how many ways rows of the two corpora are exchanged to see how far apart chance alone puts them.
const EXCHANGES: usize = 8;

impl Side {
    /// An empty one.
    pub fn new(name: &str, spec: &str) -> Side {
        Side { name: name.to_owned(), spec: spec.to_owned(), ..Side::default() }
    }

    /// Adds a row of so many tokens.
    pub fn see(&mut self, place: &str, text: &str, tokens: u64) {
        *self.rows.entry(place.to_owned()).or_default() += tokens;
        let coins = coins(place);
        for word in words(text) {
            let count = self.words.entry(word).or_default();
            count.all += 1;
            for (exchange, taken) in count.taken.iter_mut().enumerate() {
                *taken += (coins >> exchange) & 1;
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
    /// bits (Lin, 1991), less the divergence that is left when rows in the same places are exchanged by chance. 0 for corpora
    /// that chance alone tells apart, 1 for disjoint ones.
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
            .filter(|(difference, ..)| *difference > 0)
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

/// The words of the lines that stand in one spec only: those that are meant to differ.
fn differing_words(a: &str, b: &str) -> BTreeSet<String> {
    let lines = |text| -> BTreeSet<&str> { str::lines(text).map(str::trim).collect() };
    let (a, b) = (lines(a), lines(b));
    a.symmetric_difference(&b).flat_map(|line| words(line)).collect()
}

fn distance(a: &Side, b: &Side, without: &BTreeSet<String>) -> (f64, Vec<(String, f64, f64)>) {
    let vocabulary: BTreeSet<&String> =
        a.words.keys().chain(b.words.keys()).filter(|word| !without.contains(*word)).collect();
    let none = Count::default();
    let counts: Vec<(&String, &Count, &Count)> = vocabulary
        .into_iter()
        .map(|word| (word, a.words.get(word).unwrap_or(&none), b.words.get(word).unwrap_or(&none)))
        .collect();
    let found = divergence(counts.iter().map(|(_, one, two)| (one.all, two.all)));
    // In each exchange about half of the places give their row of the one corpus to the other: were the two alike, that
    // would change nothing but what chance does.
    let by_chance = |exchange: usize| {
        let swapped = counts.iter().map(|(_, one, two)| {
            let (given, got) = (one.taken[exchange], two.taken[exchange]);
            (one.all - given + got, two.all - got + given)
        });
        divergence(swapped).iter().sum::<f64>()
    };
    let chance = (0..EXCHANGES).map(by_chance).sum::<f64>() / EXCHANGES as f64;
    let total = found.iter().sum::<f64>();
    let all = |of: fn(&(&String, &Count, &Count)) -> u64| counts.iter().map(of).sum::<u64>().max(1) as f64;
    let (all_a, all_b) = (all(|(_, one, _)| one.all), all(|(.., two)| two.all));
    let mut most: Vec<(f64, (String, f64, f64))> = found
        .into_iter()
        .zip(&counts)
        .map(|(part, (word, one, two))| {
            (part, ((*word).clone(), 1e3 * one.all as f64 / all_a, 1e3 * two.all as f64 / all_b))
        })
        .collect();
    most.sort_by(|x, y| y.0.total_cmp(&x.0).then_with(|| x.1.0.cmp(&y.1.0)));
    let most = most.into_iter().take(SHOWN).map(|(_, word)| word).collect();
    ((total - chance).max(0.0).sqrt(), most)
}

/// The Jensen-Shannon divergence of two corpora in bits, word by word.
fn divergence(counts: impl Iterator<Item = (u64, u64)> + Clone) -> Vec<f64> {
    let totals = counts.clone().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let part = |count: u64, total: u64| count as f64 / total.max(1) as f64;
    counts
        .map(|(a, b)| {
            let (p, q) = (part(a, totals.0), part(b, totals.1));
            let middle = f64::midpoint(p, q);
            let term = |x: f64| if x > 0.0 { 0.5 * x * (x / middle).log2() } else { 0.0 };
            term(p) + term(q)
        })
        .collect()
}

/// A coin for each exchange, the same in both corpora (FNV-1a, then the finaliser of SplitMix64).
fn coins(place: &str) -> u64 {
    let hash = place
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
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
    fn what_chance_does_is_no_difference_and_what_is_one_stays() {
        let words = [
            "harbour", "lantern", "ladder", "meadow", "kettle", "window", "garden", "bridge", "valley",
            "button",
        ];
        let text = |seed: usize, also: &str| -> String {
            let word = |at: usize| words[coins(&format!("{seed} {at}")) as usize % words.len()];
            (0..30).map(word).chain(also.split(' ')).collect::<Vec<_>>().join(" ")
        };
        let side = |name: &str, seeds: usize, also: &str| {
            let mut side = Side::new(name, if name == "a" { A } else { B });
            (0..40).for_each(|row| side.see(&row.to_string(), &text(row + seeds, also), 30));
            side
        };
        let balance = |b: Side| balance(&side("a", 0, "quietly"), &b, &Gates::default());
        let same = balance(side("b", 1000, "quietly"));
        assert!(same.vocabulary_distance < 0.05 && same.breaches.is_empty(), "{same:?}");
        let other = balance(side("b", 1000, "loudly"));
        assert!(other.vocabulary_distance > 0.15, "{other:?}");
        assert_eq!(other.breaches[0].rule, "vocabulary");
        assert!(other.breaches[0].message.contains("loudly: 0.00 and"), "{}", other.breaches[0].message);
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
        assert_eq!(rules[..2], ["unmatched", "imbalance"]);
        assert!(balance.breaches[0].message.contains("\n    2: only in a"));
    }
}
