//! Randomness that is a pure function of what is being drawn.
//!
//! Every row of every stream has its own generator, seeded by the BLAKE3 hash of (stream name, world seed,
//! seed, index). So a row never depends on how many rows were drawn before it, or by whom. The generator is
//! xoshiro256** (Blackman and Vigna, 2018), seeded from the hash; it is small, fast and fixed for ever, which a
//! library's default generator is not.

use stats::SplitMix64;

/// A small deterministic generator; see the module's text.
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The generator of row `index` of `stream` under `seed`, in the world of `world_seed`.
    pub fn new(stream: &str, world_seed: u64, seed: u64, index: u64) -> Rng {
        // The length first, so that no stream's name can run into the numbers.
        let mut key = (stream.len() as u64).to_le_bytes().to_vec();
        key.extend_from_slice(stream.as_bytes());
        for number in [world_seed, seed, index] {
            key.extend_from_slice(&number.to_le_bytes());
        }
        let digest = store::hash_bytes(&key);
        let mut state = [0u64; 4];
        for (word, bytes) in state.iter_mut().zip(digest.as_bytes().chunks_exact(8)) {
            let mut buffer = [0u8; 8];
            buffer.copy_from_slice(bytes);
            *word = u64::from_le_bytes(buffer);
        }
        Rng { state }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A generator of its own for a part of the row. It takes one draw from `self` whatever the part then
    /// draws, so that two rows with the same plan stay in step although their parts differ.
    pub fn fork(&mut self) -> Rng {
        // As the authors of xoshiro advise for seeding.
        let mut seeds = SplitMix64::new(self.bits());
        Rng { state: std::array::from_fn(|_| seeds.bits()) }
    }

    /// A whole number in `0..n`; 0 if `n` is 0. The bias of the multiply-and-shift is below n / 2^64.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// One of `options`, which must not be empty.
    pub fn pick<'a, T>(&mut self, options: &'a [T]) -> &'a T {
        &options[self.below(options.len())]
    }

    /// The index of one of `weights`, with probability proportional to it. Weights need not sum to 1.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }

    /// Puts `items` into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_seeds_and_indices_have_different_generators() {
        let first = |stream, world, seed, index| Rng::new(stream, world, seed, index).bits();
        let base = first("why", 0, 0, 0);
        assert_eq!(base, first("why", 0, 0, 0));
        for other in
            [first("what", 0, 0, 0), first("why", 1, 0, 0), first("why", 0, 1, 0), first("why", 0, 0, 1)]
        {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn draws_are_spread_evenly() {
        let mut rng = Rng::new("test", 0, 0, 0);
        let mut counts = [0usize; 7];
        for _ in 0..70_000 {
            counts[rng.below(7)] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        let heads = (0..100_000).filter(|_| rng.chance(0.3)).count();
        assert!((29_500..30_500).contains(&heads), "{heads}");
        let mut weighted = [0usize; 3];
        for _ in 0..10_000 {
            weighted[rng.weighted(&[1.0, 0.0, 3.0])] += 1;
        }
        assert_eq!(weighted[1], 0);
        assert!((2_300..2_700).contains(&weighted[0]), "{weighted:?}");
    }

    #[test]
    fn a_fork_takes_one_draw() {
        let mut one = Rng::new("test", 0, 0, 0);
        let mut two = one.clone();
        let mut part = one.fork();
        part.bits();
        two.bits();
        assert_eq!(one.bits(), two.bits());
    }
}
