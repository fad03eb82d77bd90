//! Random numbers that are the same everywhere and for ever.
//!
//! xoshiro256++ (Blackman and Vigna 2019), its state filled by SplitMix64 as its authors advise. Ours,
//! because a library may change its stream in a new version and reports must not change with it.

use crate::SplitMix64;

/// A stream of random numbers that depends on its seed only.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    state: [u64; 4],
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        let mut filler = SplitMix64::new(seed);
        Generator { state: std::array::from_fn(|_| filler.bits()) }
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A whole number below `bound`, each equally likely (Lemire 2019). `bound` is at least 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        let mut product = u128::from(self.bits()) * u128::from(bound);
        // The low half tells the few draws that would favour small numbers; those are drawn again.
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.bits()) * u128::from(bound);
            }
        }
        (product >> 64) as usize
    }
}

#[cfg(test)]
impl Generator {
    /// A number in 0..1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A draw from the standard normal distribution (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_reference_one() {
        let mut generator = Generator { state: [1, 2, 3, 4] };
        let expected = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205];
        assert_eq!([(); 5].map(|()| generator.bits()), expected);
    }

    #[test]
    fn numbers_below_a_bound_are_equally_likely() {
        let mut generator = Generator::new(1);
        let mut counts = [0usize; 7];
        for _ in 0..70_000 {
            counts[generator.below(7)] += 1;
        }
        // Chi-squared with 6 degrees of freedom exceeds 22.5 once in a thousand times.
        let chi: f64 = counts.iter().map(|&count| (count as f64 - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi < 22.5, "{counts:?}");
        assert!((0..100).all(|_| generator.below(1) == 0));
    }
}
