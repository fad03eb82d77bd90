//! Texts as counts of character n-grams: what "alike" means for questions.
//!
//! Published pipelines compare sentence embeddings. An embedding model would be a second model to fetch, to trust and to
//! keep the same for ever, so questions are compared by their letters instead: a documented deviation. Character 3- to
//! 5-grams forgive spelling, endings and punctuation, and mostly the order of words too.

use std::collections::HashMap;

/// Shortest and longest n-gram, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=5;

/// Words that may come and go without changing what is asked.
const EMPTY_WORDS: [&str; 8] = ["a", "an", "the", "please", "hi", "hello", "hey", "just"];

/// Lower case, letters and digits only, single spaces between words, and one at either end.
pub(crate) fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len() + 2);
    normal.push(' ');
    for c in text.chars().flat_map(char::to_lowercase) {
        // An apostrophe belongs to its word: "don't" is not "don t".
        match c {
            '\'' | '’' => {}
            _ if c.is_alphanumeric() => normal.push(c),
            _ if normal.ends_with(' ') => {}
            _ => normal.push(' '),
        }
    }
    if !normal.ends_with(' ') {
        normal.push(' ');
    }
    normal
}

/// The words of a text in alphabetical order, less those that say nothing: equal for two texts that differ in the order
/// of their words only.
pub(crate) fn bag(text: &str) -> String {
    let normal = normal(text);
    let mut words: Vec<&str> = normal.split_whitespace().filter(|word| !EMPTY_WORDS.contains(word)).collect();
    words.sort_unstable();
    words.join(" ")
}

/// The n-grams of a text by hash, in ascending order, each with how often it occurs.
pub(crate) fn grams(text: &str) -> Vec<(u32, u32)> {
    let letters: Vec<char> = normal(text).chars().collect();
    let mut hashes: Vec<u32> =
        LENGTHS.flat_map(|length| letters.windows(length).map(hash).collect::<Vec<_>>()).collect();
    hashes.sort_unstable();
    let mut counts: Vec<(u32, u32)> = Vec::with_capacity(hashes.len());
    for hash in hashes {
        match counts.last_mut() {
            Some((last, count)) if *last == hash => *count += 1,
            _ => counts.push((hash, 1)),
        }
    }
    counts
}

/// FNV-1a over the characters, folded to 32 bits.
fn hash(letters: &[char]) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for letter in letters {
        hash = (hash ^ u64::from(u32::from(*letter))).wrapping_mul(0x0000_0100_0000_01b3);
    }
    (hash ^ (hash >> 32)) as u32
}

/// In how many texts a gram occurs: gives grams an order, rare ones first. The order is fixed once, so that results do
/// not depend on what is compared later; grams that were not seen then count as the rarest.
#[derive(Debug, Default)]
pub(crate) struct Rarity(HashMap<u32, u32>);

impl Rarity {
    /// Counts the grams of `texts`.
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Rarity {
        let mut counts = HashMap::new();
        for text in texts {
            for (gram, _) in grams(text) {
                *counts.entry(gram).or_insert(0) += 1;
            }
        }
        Rarity(counts)
    }
}

/// What rounding may cost: bounds give way by so much, so that nothing is missed.
const SLACK: f64 = 1e-9;

/// The beginning of a vector.
pub(crate) struct Probe<'a> {
    /// Its grams and counts.
    pub entries: &'a [(u64, u32)],
    /// The sum of their squared counts, and that of all others.
    part: f64,
    rest: f64,
}

/// A text as a vector of counts.
#[derive(Clone, Debug)]
pub(crate) struct Vector {
    /// Grams and counts. A gram's key is how common it is, then its hash; the order is that of keys.
    entries: Vec<(u64, u32)>,
    /// The sum of squared counts.
    square: u64,
}

impl Vector {
    /// The vector of a text.
    pub(crate) fn new(text: &str, rarity: &Rarity) -> Vector {
        let key = |gram: u32| u64::from(rarity.0.get(&gram).copied().unwrap_or(0)) << 32 | u64::from(gram);
        let mut entries: Vec<(u64, u32)> =
            grams(text).into_iter().map(|(gram, count)| (key(gram), count)).collect();
        entries.sort_unstable();
        let square = entries.iter().map(|(_, count)| u64::from(*count).pow(2)).sum();
        Vector { entries, square }
    }

    /// Its grams, all of them, with their counts.
    pub(crate) fn grams(&self) -> impl Iterator<Item = (u64, u32)> {
        self.entries.iter().copied()
    }

    /// Its rarest grams, by which it is looked up: at least half of it, and so much that what is left is too short to reach
    /// a cosine of `least` with anything.
    pub(crate) fn probe(&self, least: f64) -> Probe<'_> {
        let bound = (least * least).min(0.5) * self.square as f64 * (1.0 - SLACK);
        let mut rest = self.square;
        let mut length = 0;
        for (_, count) in &self.entries {
            if (rest as f64) < bound {
                break;
            }
            rest -= u64::from(*count).pow(2);
            length += 1;
        }
        Probe { entries: &self.entries[..length], part: (self.square - rest) as f64, rest: rest as f64 }
    }

    /// Whether a vector whose product with this one's probe is `product` can reach a cosine of `least`.
    ///
    /// With `x` cut into probe `p` and rest `r`, and `y` likewise: `xy = xp yp + xr yr`, at most `product + |xr| |yr|`; and
    /// `|yr|^2 = |y|^2 - |yp|^2`, where `|yp|` is at least `product / |xp|`, both by Cauchy and Schwarz.
    pub(crate) fn may_reach(&self, probe: &Probe<'_>, product: u64, other: &Vector, least: f64) -> bool {
        let (product, square) = (product as f64, other.square as f64);
        let known = if probe.part > 0.0 { product * product / probe.part } else { 0.0 };
        let most = product + (probe.rest * (square - known).max(0.0)).sqrt();
        most >= least * (self.square as f64 * square).sqrt() * (1.0 - SLACK)
    }

    /// The cosine, if it is at least `least`.
    pub(crate) fn cosine(&self, other: &Vector, least: f64) -> Option<f64> {
        let lengths = (self.square as f64).sqrt() * (other.square as f64).sqrt();
        let wanted = least * lengths;
        let (mut product, mut i, mut j) = (0u64, 0, 0);
        let (mut left, mut right) = (self.square, other.square);
        let mut steps = 0u32;
        while i < self.entries.len() && j < other.entries.len() {
            let ((a, m), (b, n)) = (self.entries[i], other.entries[j]);
            if a == b {
                product += u64::from(m) * u64::from(n);
            }
            if a <= b {
                left -= u64::from(m).pow(2);
                i += 1;
            }
            if b <= a {
                right -= u64::from(n).pow(2);
                j += 1;
            }
            steps += 1;
            // What is left cannot add more than the product of the lengths of the rests.
            if steps.is_multiple_of(16) {
                let most = product as f64 + (left as f64).sqrt() * (right as f64).sqrt();
                if most < wanted * (1.0 - SLACK) {
                    return None;
                }
            }
        }
        let product = product as f64;
        (lengths > 0.0 && product >= wanted).then(|| product / lengths)
    }
}

/// The cosine of two texts, for tests and messages.
pub fn cosine(left: &str, right: &str) -> f64 {
    let rarity = Rarity::default();
    Vector::new(left, &rarity).cosine(&Vector::new(right, &rarity), 0.0).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_alike_up_to_spelling_and_order() {
        assert_eq!(normal("Don't—stop,  Now!"), " dont stop now ");
        assert_eq!(bag("Is the Brie better than Gouda?"), bag("than gouda, is brie better"));
        assert_ne!(bag("Should I sell it?"), bag("How should I sell it?"));
        let question = "Which bicycle would you get for a child of six?";
        assert_eq!(cosine(question, question), 1.0);
        assert!(cosine(question, "which bicycles would you get for a child of six") > 0.9);
        assert!(cosine(question, "My landlord wants a deposit of three months. Is that usual?") < 0.2);
        assert_eq!(cosine("", "!?"), 0.0, "nothing is like nothing");
    }

    proptest! {
        #[test]
        fn the_cosine_is_symmetric_and_bounded(left in "[a-c ]{0,30}", right in "[a-c ]{0,30}") {
            let value = cosine(&left, &right);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&value));
            prop_assert_eq!(value, cosine(&right, &left));
        }

        #[test]
        fn what_is_alike_may_reach_it(
            texts in proptest::collection::vec("[ab ]{3,20}", 2..6),
            least in 0.3f64..0.99,
        ) {
            let rarity = Rarity::of(texts.iter().map(String::as_str));
            let vectors: Vec<Vector> = texts.iter().map(|text| Vector::new(text, &rarity)).collect();
            for left in &vectors {
                let probe = left.probe(least);
                for right in &vectors {
                    let common = |(key, count): &(u64, u32)| {
                        right.grams().find(|(other, _)| other == key).map_or(0, |(_, n)| u64::from(*count) * u64::from(n))
                    };
                    let product: u64 = probe.entries.iter().map(common).sum();
                    if left.cosine(right, least).is_some() {
                        prop_assert!(product > 0 && left.may_reach(&probe, product, right, least));
                    }
                }
            }
        }
    }
}
