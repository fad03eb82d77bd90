//! The order of rows: a permutation that is a pure function of (seed, corpus name, epoch).

use stats::SplitMix64;
use store::IdBuilder;

/// The rows of one epoch in the order in which they are read.
pub fn permutation(seed: u64, corpus: &str, epoch: u64, len: usize) -> Vec<u32> {
    let hash =
        IdBuilder::new("order").number("seed", seed).text("corpus", corpus).number("epoch", epoch).finish();
    let mut first = [0u8; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    let mut stream = SplitMix64::new(u64::from_le_bytes(first));
    let mut order: Vec<u32> = (0..len as u32).collect();
    // Fisher and Yates, from SplitMix64; the bias of the multiplication is below 2^-32.
    for i in (1..len).rev() {
        let j = ((stream.bits() as u128 * (i as u128 + 1)) >> 64) as usize;
        order.swap(i, j);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_that_depends_on_all_its_inputs() {
        let base = permutation(1, "why", 0, 100);
        let mut sorted = base.clone();
        sorted.sort();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(base, permutation(1, "why", 0, 100));
        for other in
            [permutation(2, "why", 0, 100), permutation(1, "what", 0, 100), permutation(1, "why", 1, 100)]
        {
            assert_ne!(base, other);
        }
    }
}
