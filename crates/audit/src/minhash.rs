//! Near-duplicates: MinHash signatures, locality-sensitive hashing into buckets, and a check of every candidate against the
//! texts themselves (Broder, 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).
//!
//! Shingles are five words. A signature has 14 bands of 8 values: two texts of Jaccard similarity `s` meet in at least one
//! band with probability `1 - (1 - s^8)^14`, which is 0.99 at 0.85 and 0.01 at 0.4.

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

/// Words of a shingle.
pub const WORDS: usize = 5;
/// Bands of a signature.
pub const BANDS: usize = 14;
/// Values of a band.
pub const ROWS: usize = 8;
const VALUES: usize = BANDS * ROWS;

/// The signature of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(Box<[u32; VALUES]>);

/// A text that is nearly an earlier one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The later text, as an index.
    pub text: usize,
    /// An earlier one that it is nearly the same as.
    pub earlier: usize,
    /// Their Jaccard similarity in shingles.
    pub similarity: f64,
}

/// The permutations: odd multipliers and offsets, from a fixed seed by SplitMix64.
struct Permutations {
    multiply: [u32; VALUES],
    add: [u32; VALUES],
}

const fn permutations() -> Permutations {
    let (mut multiply, mut add) = ([0; VALUES], [0; VALUES]);
    let mut state: u64 = 0x005E_ED0F_5141_4E45;
    let mut index = 0;
    while index < VALUES {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        multiply[index] = (z as u32) | 1;
        add[index] = (z >> 32) as u32;
        index += 1;
    }
    Permutations { multiply, add }
}

static PERMUTATIONS: Permutations = permutations();

impl Signature {
    /// Of a text. `scratch` is reused from text to text.
    pub fn of(text: &str, scratch: &mut Vec<u64>) -> Signature {
        words(text, scratch);
        let mut least = Box::new([u32::MAX; VALUES]);
        each_shingle(scratch, |shingle| {
            // The high half is mixed best; a bijection of it for every value.
            let x = (shingle >> 32) as u32;
            let p = &PERMUTATIONS;
            for index in 0..VALUES {
                let value = x.wrapping_mul(p.multiply[index]).wrapping_add(p.add[index]);
                least[index] = least[index].min(value);
            }
        });
        Signature(least)
    }

    /// The part of values that two signatures share: an estimate of the texts' Jaccard similarity.
    pub fn similarity(&self, other: &Signature) -> f64 {
        let same = self.0.iter().zip(other.0.iter()).filter(|(a, b)| a == b).count();
        same as f64 / VALUES as f64
    }

    fn band(&self, band: usize) -> u64 {
        let mut bytes = [0u8; 4 * ROWS];
        for (place, value) in bytes.chunks_exact_mut(4).zip(&self.0[band * ROWS..(band + 1) * ROWS]) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        xxh3_64(&bytes)
    }
}

/// The hashes of a text's words: letters and digits, in lower case.
fn words(text: &str, into: &mut Vec<u64>) {
    into.clear();
    let mut lower = [0u8; 64];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        // Nearly all words are short and of ASCII letters: those need no allocation.
        if word.len() <= lower.len() && word.is_ascii() {
            let bytes = &mut lower[..word.len()];
            bytes.copy_from_slice(word.as_bytes());
            bytes.make_ascii_lowercase();
            into.push(xxh3_64(bytes));
        } else {
            into.push(xxh3_64(word.to_lowercase().as_bytes()));
        }
    }
}

/// Hands over the hash of every shingle. A text of fewer words is one shingle.
fn each_shingle(words: &[u64], mut each: impl FnMut(u64)) {
    let hash = |words: &[u64]| {
        let mixed = words
            .iter()
            .fold(0u64, |sum, word| (sum.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        // The finaliser of MurmurHash3: without it the last word would weigh too little on the high half.
        let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        mixed ^ (mixed >> 33)
    };
    if words.len() < WORDS {
        if !words.is_empty() {
            each(hash(words));
        }
        return;
    }
    words.windows(WORDS).for_each(|window| each(hash(window)));
}

/// The Jaccard similarity of two texts' sets of shingles. Two texts without words are the same.
pub fn jaccard(a: &str, b: &str) -> f64 {
    let set = |text: &str| {
        let (mut own, mut set) = (Vec::new(), Vec::new());
        words(text, &mut own);
        each_shingle(&own, |shingle| set.push(shingle));
        set.sort_unstable();
        set.dedup();
        set
    };
    let (a, b) = (set(a), set(b));
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let (mut i, mut j, mut both) = (0, 0, 0usize);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, both) = (i + 1, j + 1, both + 1),
        }
    }
    both as f64 / (a.len() + b.len() - both) as f64
}

/// The texts that are nearly an earlier one: those that meet one in a band and have a Jaccard similarity of at least
/// `threshold` with it. `text` gives a text by its index. The result does not depend on the number of threads.
pub fn near_duplicates(
    signatures: &[Signature],
    threshold: f64,
    text: impl Fn(usize) -> String + Sync,
) -> Vec<Near> {
    // Of each bucket, every text beside the first and beside the one before it.
    let mut candidates: Vec<(usize, usize)> = (0..BANDS)
        .into_par_iter()
        .flat_map_iter(|band| {
            let mut keyed: Vec<(u64, usize)> = signatures
                .iter()
                .enumerate()
                .map(|(index, signature)| (signature.band(band), index))
                .collect();
            keyed.sort_unstable();
            let mut pairs = Vec::new();
            for bucket in keyed.chunk_by(|a, b| a.0 == b.0) {
                let first = bucket[0].1;
                for pair in bucket.windows(2) {
                    let (before, text) = (pair[0].1, pair[1].1);
                    pairs.push((text, first));
                    if before != first {
                        pairs.push((text, before));
                    }
                }
            }
            pairs
        })
        .collect();
    candidates.par_sort_unstable();
    candidates.dedup();
    let mut near: Vec<Near> = candidates
        .par_iter()
        .filter_map(|&(later, earlier)| {
            let similarity = jaccard(&text(later), &text(earlier));
            (similarity >= threshold).then_some(Near { text: later, earlier, similarity })
        })
        .collect();
    near.sort_by_key(|near| (near.text, near.earlier));
    near.dedup_by_key(|near| near.text);
    near
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A text of words that are numbers, from `from` on.
    fn text(from: usize, count: usize) -> String {
        (from..from + count).map(|n| format!("w{n} ")).collect()
    }

    fn signature(text: &str) -> Signature {
        Signature::of(text, &mut Vec::new())
    }

    #[test]
    fn similarity_is_counted_in_shingles() {
        assert_eq!(jaccard("A b, c D e.", "a B c d E"), 1.0);
        assert_eq!(jaccard(&text(0, 10), &text(100, 10)), 0.0);
        // 96 shingles each, 86 shared.
        assert!((jaccard(&text(0, 100), &text(10, 100)) - 86.0 / 106.0).abs() < 1e-12);
        assert_eq!(jaccard("", "..."), 1.0);
    }

    #[test]
    fn signatures_estimate_it() {
        let mut worst: f64 = 0.0;
        let mut sum = 0.0;
        for shift in 0..60 {
            let (a, b) = (text(1_000 * shift, 300), text(1_000 * shift + 3 * shift, 300));
            let error = signature(&a).similarity(&signature(&b)) - jaccard(&a, &b);
            worst = worst.max(error.abs());
            sum += error;
        }
        // The standard deviation of 112 coins is at most 0.047.
        assert!(worst < 0.2, "{worst}");
        assert!((sum / 60.0).abs() < 0.02, "biased by {}", sum / 60.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn near_texts_are_found_and_others_are_not(seed in 0usize..1_000_000) {
            let mut texts: Vec<String> = (0..200).map(|n| text(seed * 1_000_000 + n * 1_000, 200)).collect();
            // Every tenth has a twin of similarity 0.9 and more at the end.
            for n in (0..200).step_by(10) {
                let shift = n % 7;
                texts.push(text(seed * 1_000_000 + n * 1_000 + shift, 200));
            }
            let signatures: Vec<Signature> = texts.iter().map(|text| signature(text)).collect();
            let near = near_duplicates(&signatures, 0.7, |index| texts[index].clone());
            let found: Vec<usize> = near.iter().map(|near| near.text).collect();
            prop_assert_eq!(found, (200..220).collect::<Vec<_>>());
            for near in near {
                prop_assert_eq!(near.earlier, (near.text - 200) * 10);
                prop_assert!((near.similarity - jaccard(&texts[near.text], &texts[near.earlier])).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn one_thread_and_many_find_the_same() {
        let texts: Vec<String> = (0..300).map(|n| text((n % 50) * 3, 120)).collect();
        let signatures: Vec<Signature> = texts.iter().map(|text| signature(text)).collect();
        let find = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| near_duplicates(&signatures, 0.8, |index| texts[index].clone()))
        };
        assert_eq!(find(1), find(4));
    }
}
