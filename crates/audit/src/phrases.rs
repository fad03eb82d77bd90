//! Tics: runs of words and names of people that come back in row after row.

use std::collections::{HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

/// Words of a run.
const RUN: usize = 8;
/// Rows whose runs are counted; a tic is a matter of shares, and these are spread over the corpus.
const SAMPLE: u64 = 4_000;

/// Counts runs of eight words over a sample of rows.
#[derive(Clone, Debug)]
pub(crate) struct Phrases {
    /// One row in so many is looked at.
    every: u64,
    rows: u64,
    /// Rows that hold a run, and where it first stood.
    counts: HashMap<u64, (u32, u32)>,
    /// The sampled rows, for examples: place and text would be too much, so the place and the row's number.
    places: Vec<String>,
    names: HashMap<String, (u32, String)>,
}

impl Phrases {
    /// For a corpus of so many rows.
    pub fn new(rows: u64) -> Phrases {
        Phrases {
            every: rows.div_ceil(SAMPLE).max(1),
            rows: 0,
            counts: HashMap::new(),
            places: Vec::new(),
            names: HashMap::new(),
        }
    }

    pub fn see(&mut self, number: u64, place: &str, text: &str) {
        let mut own = HashSet::new();
        for name in names(text) {
            if own.insert(name.clone()) {
                let entry = self.names.entry(name).or_insert_with(|| (0, place.to_owned()));
                entry.0 += 1;
            }
        }
        if !number.is_multiple_of(self.every) {
            return;
        }
        let words: Vec<u64> = split(text).map(|word| xxh3_64(word.to_lowercase().as_bytes())).collect();
        let mut seen = HashSet::new();
        let row = self.places.len() as u32;
        self.places.push(place.to_owned());
        self.rows += 1;
        for run in words.windows(RUN) {
            let hash = hash(run);
            if seen.insert(hash) {
                self.counts.entry(hash).or_insert((0, row)).0 += 1;
            }
        }
    }

    /// The most frequent run: how many of the sampled rows hold it, how many were sampled, its hash, and a row with it.
    pub fn most(&self) -> Option<(u64, u64, u64, &str)> {
        let (hash, (count, row)) = self
            .counts
            .iter()
            .max_by_key(|(hash, (count, row))| (*count, std::cmp::Reverse(*row), **hash))?;
        Some((u64::from(*count), self.rows, *hash, &self.places[*row as usize]))
    }

    /// The name of a person that occurs in most rows and not in `spec`: how many, the name, a row with it.
    pub fn most_named(&self, spec: &str) -> Option<(u64, &str, &str)> {
        let names = self.names.iter().filter(|(name, _)| !spec.contains(name.as_str()));
        let most = names.max_by_key(|(name, (count, _))| (*count, std::cmp::Reverse((*name).clone())));
        most.map(|(name, (count, place))| (u64::from(*count), name.as_str(), place.as_str()))
    }
}

/// The words of the run with a hash, as they stand in a text.
pub(crate) fn find_run(text: &str, wanted: u64) -> Option<String> {
    let words: Vec<&str> = split(text).collect();
    let hashes: Vec<u64> = words.iter().map(|word| xxh3_64(word.to_lowercase().as_bytes())).collect();
    let at = hashes.windows(RUN).position(|run| hash(run) == wanted)?;
    Some(words[at..at + RUN].join(" "))
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn hash(words: &[u64]) -> u64 {
    words.iter().fold(0, |sum: u64, word| (sum.rotate_left(19) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// First words of names that are no people's.
const NO_PEOPLE: &[&str] = &[
    "The",
    "A",
    "An",
    "In",
    "On",
    "At",
    "For",
    "And",
    "But",
    "It",
    "He",
    "She",
    "They",
    "We",
    "I",
    "You",
    "When",
    "If",
    "This",
    "That",
    "There",
    "Then",
    "After",
    "Before",
    "Model",
    "Dear",
    "Mr",
    "Mrs",
    "Ms",
    "Dr",
    "United",
    "New",
    "Saint",
    "North",
    "South",
    "East",
    "West",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "What",
    "Why",
    "How",
    "Who",
    "Where",
    "Which",
    "Yes",
    "No",
    "Not",
    "So",
    "Because",
    "As",
    "From",
    "To",
    "With",
    "My",
    "Our",
    "Your",
    "His",
    "Her",
    "Its",
    "Their",
    "One",
    "Two",
    "Three",
    "Some",
    "Most",
    "All",
    "Every",
    "Each",
];

/// What may be names of people: two words that begin with a capital and go on in small letters, inside a sentence.
fn names(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = Vec::new();
    for (index, pair) in words.windows(2).enumerate() {
        let inside = index > 0
            && words[index - 1].starts_with(char::is_lowercase)
            && words[index - 1].ends_with(|c: char| c.is_lowercase() || c == ',');
        if !inside || !is_name(pair[0]) || pair[0].ends_with(|c: char| !c.is_alphabetic()) {
            continue;
        }
        let second = pair[1].trim_end_matches(|c: char| !c.is_alphabetic());
        let second = second.strip_suffix("'s").or(second.strip_suffix("’s")).unwrap_or(second);
        if is_name(second) && !NO_PEOPLE.contains(&pair[0]) {
            found.push(format!("{} {second}", pair[0]));
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    let first = letters.next().is_some_and(char::is_uppercase);
    let rest: Vec<char> = letters.take_while(|c| c.is_alphabetic()).collect();
    first && rest.len() >= 2 && rest.iter().all(|c| c.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tic_is_found_with_its_words() {
        let mut phrases = Phrases::new(100);
        for n in 0..100u64 {
            let tic = if n % 4 == 0 { "It is worth pausing to say what this means." } else { "" };
            phrases.see(
                n,
                &format!("{n:04}"),
                &format!("Row {n} a{n} b{n} c{n} d{n} e{n} f{n} g{n} h{n}. {tic}"),
            );
        }
        let (count, of, hash, place) = phrases.most().unwrap();
        assert_eq!((count, of, place), (25, 100, "0000"));
        assert!(
            find_run("x it is worth pausing to say what this means", hash)
                .unwrap()
                .starts_with("it is worth")
        );
    }

    #[test]
    fn names_of_people_are_counted_by_row() {
        let mut phrases = Phrases::new(10);
        for n in 0..10u64 {
            phrases.see(
                n,
                &n.to_string(),
                "Then came Maya Patel, and with her, in March, Maya Patel's dog. The Old Mill.",
            );
        }
        assert_eq!(phrases.most_named(""), Some((10, "Maya Patel", "0")));
        assert_eq!(phrases.most_named("Maya Patel is in the spec"), None);
    }
}
