//! SplitMix64 (Steele, Lea and Flood 2014): small, fast, and fixed for ever.

/// A stream of random numbers that depends on its seed only. Shuffles, first weights and the seeding of larger
/// generators come from it, so it can never change.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64(seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_reference_one() {
        let mut stream = SplitMix64::new(1477776061723855037);
        let expected = [1985237415132408290, 2979275885539914483, 13511426838097143398];
        assert_eq!([(); 3].map(|()| stream.bits()), expected);
    }
}
