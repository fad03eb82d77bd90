//! MinHash signatures, cut into the keys by which alike texts find each other.
//!
//! Of the hashes of a text's shingles, 112 random permutations each keep the smallest; two texts agree on each with the
//! probability that is their Jaccard similarity (Broder, 1997). 14 groups of 8 are 14 keys: texts with a key in common
//! are compared. Texts of similarity J have one with probability 1 - (1 - J^8)^14: 72% at J = 0.74, 92% at 0.8, 99% at
//! 0.85. Both numbers are those of datatrove.

use std::sync::OnceLock;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Words in a shingle.
pub(crate) const SHINGLE: usize = 5;
/// Keys of a text.
pub(crate) const BUCKETS: usize = 14;
/// Permutations behind a key.
const ROWS: usize = 8;
/// Permutations.
pub(crate) const HASHES: usize = BUCKETS * ROWS;
/// Permutations that are computed together: two AVX2 registers.
const LANES: usize = 16;

/// The smallest value of each permutation.
pub(crate) type Signature = [u32; HASHES];

/// Multiplier and offset of each permutation `x -> a x + b` of the numbers of 32 bits; `a` is odd.
fn permutations() -> &'static [[u32; HASHES]; 2] {
    static NUMBERS: OnceLock<[[u32; HASHES]; 2]> = OnceLock::new();
    NUMBERS.get_or_init(|| {
        let number = |at: usize, what: u64| xxh3_64_with_seed(&(at as u64).to_le_bytes(), what) as u32;
        [std::array::from_fn(|at| number(at, 1) | 1), std::array::from_fn(|at| number(at, 2))]
    })
}

/// The signature of a text's shingles.
pub(crate) fn signature(shingles: &[u64]) -> Signature {
    let permutations = permutations();
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn wide(shingles: &[u64], permutations: &[[u32; HASHES]; 2]) -> Signature {
            smallest(shingles, permutations)
        }
        // SAFETY: this CPU has AVX2.
        return unsafe { wide(shingles, permutations) };
    }
    smallest(shingles, permutations)
}

#[inline(always)]
fn smallest(shingles: &[u64], [multipliers, offsets]: &[[u32; HASHES]; 2]) -> Signature {
    let mut signature = [u32::MAX; HASHES];
    for (at, lanes) in signature.chunks_exact_mut(LANES).enumerate() {
        let mut a = [0; LANES];
        let mut b = [0; LANES];
        a.copy_from_slice(&multipliers[at * LANES..][..LANES]);
        b.copy_from_slice(&offsets[at * LANES..][..LANES]);
        // Neighbours see different halves of the hash, which are independent of each other.
        let half = if at % 2 == 0 { 0 } else { 32 };
        let mut least = [u32::MAX; LANES];
        for shingle in shingles {
            let x = (shingle >> half) as u32;
            for lane in 0..LANES {
                least[lane] = least[lane].min(a[lane].wrapping_mul(x).wrapping_add(b[lane]));
            }
        }
        lanes.copy_from_slice(&least);
    }
    signature
}

/// The keys of a signature. Those of different buckets are never compared.
pub(crate) fn keys(signature: &Signature) -> [u64; BUCKETS] {
    std::array::from_fn(|bucket| {
        let mut bytes = [0; 4 * ROWS];
        for (place, value) in bytes.chunks_exact_mut(4).zip(&signature[bucket * ROWS..]) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        xxh3_64_with_seed(&bytes, bucket as u64)
    })
}

/// How likely two texts of this similarity have a key in common.
pub(crate) fn chance(jaccard: f64) -> f64 {
    1.0 - (1.0 - jaccard.powi(ROWS as i32)).powi(BUCKETS as i32)
}

/// The Jaccard similarity of two sets of shingles, each sorted and without repetitions; 1 if both are empty.
pub(crate) fn jaccard(one: &[u64], other: &[u64]) -> f64 {
    let (mut a, mut b, mut both) = (0, 0, 0usize);
    while a < one.len() && b < other.len() {
        let (x, y) = (one[a], other[b]);
        both += usize::from(x == y);
        a += usize::from(x <= y);
        b += usize::from(y <= x);
    }
    let either = one.len() + other.len() - both;
    if either == 0 { 1.0 } else { both as f64 / either as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two sets of about `size` shingles with a similarity near `target`.
    fn pair(seed: u64, size: usize, target: f64) -> (Vec<u64>, Vec<u64>) {
        let shingle = |set: u64, at: usize| {
            xxh3_64_with_seed(&[at as u64, set, seed].map(u64::to_le_bytes).concat(), 9)
        };
        let shared = (2.0 * size as f64 * target / (1.0 + target)).round() as usize;
        let set = |own: u64| {
            let mut set: Vec<u64> =
                (0..size).map(|at| shingle(if at < shared { 0 } else { own }, at)).collect();
            set.sort_unstable();
            set
        };
        (set(1), set(2))
    }

    fn estimate(one: &[u64], other: &[u64]) -> f64 {
        let (a, b) = (signature(one), signature(other));
        a.iter().zip(&b).filter(|(a, b)| a == b).count() as f64 / HASHES as f64
    }

    /// An independent minimum: sort all hashes of one permutation.
    #[test]
    fn a_signature_is_the_smallest_of_each_permutation() {
        let (set, _) = pair(3, 57, 0.5);
        let [a, b] = permutations();
        let signature = signature(&set);
        for at in 0..HASHES {
            let half = if (at / LANES).is_multiple_of(2) { 0 } else { 32 };
            let hashes = set
                .iter()
                .map(|x| ((u64::from(a[at]) * ((x >> half) & 0xffff_ffff)) as u32).wrapping_add(b[at]));
            assert_eq!(Some(signature[at]), hashes.min());
        }
        assert_eq!(super::signature(&[]), [u32::MAX; HASHES]);
    }

    /// The estimate of `J` has mean `J` and the variance `J (1 - J) / 112` of independent permutations.
    #[test]
    fn estimates_are_right_and_as_sharp_as_theory_says() {
        for target in [0.1, 0.3, 0.5, 0.7, 0.9] {
            for size in [20, 300] {
                let pairs = 600;
                let errors: Vec<f64> = (0..pairs)
                    .map(|seed| {
                        let (one, other) = pair(seed, size, target);
                        estimate(&one, &other) - jaccard(&one, &other)
                    })
                    .collect();
                let exact = {
                    let (one, other) = pair(0, size, target);
                    jaccard(&one, &other)
                };
                let mean = errors.iter().sum::<f64>() / pairs as f64;
                let variance = errors.iter().map(|error| error * error).sum::<f64>() / pairs as f64;
                let theory = exact * (1.0 - exact) / HASHES as f64;
                // Four standard errors of a mean; a variance of 600 has one of 6%.
                assert!(mean.abs() < 4.0 * (theory / pairs as f64).sqrt(), "{target} {size}: bias {mean}");
                assert!((0.75..1.3).contains(&(variance / theory)), "{target} {size}: {}", variance / theory);
            }
        }
    }

    #[test]
    fn keys_meet_as_often_as_theory_says() {
        for target in [0.5, 0.7, 0.8, 0.85, 0.95] {
            let pairs = 800;
            let mut expected = 0.0;
            let mut met = 0;
            for seed in 0..pairs {
                let (one, other) = pair(seed, 200, target);
                expected += chance(jaccard(&one, &other));
                let (one, other) = (keys(&signature(&one)), keys(&signature(&other)));
                met += usize::from(one.iter().zip(&other).any(|(one, other)| one == other));
            }
            let share = expected / pairs as f64;
            let error = (share * (1.0 - share) / pairs as f64).sqrt().max(0.002);
            assert!(
                (met as f64 / pairs as f64 - share).abs() < 4.0 * error,
                "{target}: {met} of {pairs}, {expected}"
            );
        }
    }

    #[test]
    fn exact_similarity() {
        assert_eq!(jaccard(&[1, 2, 3], &[2, 3, 4]), 0.5);
        assert_eq!(jaccard(&[], &[]), 1.0);
        assert_eq!(jaccard(&[1], &[]), 0.0);
        let (one, other) = pair(1, 300, 0.8);
        assert!((jaccard(&one, &other) - 0.8).abs() < 0.01);
    }
}
