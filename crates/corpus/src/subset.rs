//! Nested parts of a corpus, for curves over its size: every smaller part is the beginning of every larger one.
//!
//! Rows are drawn in an order that depends on the seed and their numbers only: neither on how much is drawn, nor on what
//! the rows say. So the parts of twins (with and without reasoning) and of mirrored corpora have the same rows.

use std::convert::Infallible;

/// A part of a corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Numbers of its rows, counted from 0, in the order in which they were drawn.
    pub rows: Vec<usize>,
    /// How many tokens they are.
    pub tokens: u64,
}

/// All row numbers below `rows` in the order in which a seed draws them.
pub fn order(rows: usize, seed: u64) -> Vec<usize> {
    let key = |row: &usize| {
        let mut place = [0; 16];
        place[..8].copy_from_slice(&seed.to_le_bytes());
        place[8..].copy_from_slice(&(*row as u64).to_le_bytes());
        *store::hash_bytes(&place).as_bytes()
    };
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by_cached_key(key);
    order
}

/// The parts with these numbers of rows, or all there are, in the order of `sizes`. Smaller ones are beginnings of larger.
/// `lengths` are the rows' tokens.
pub fn nested_rows(lengths: &[u64], seed: u64, sizes: &[u64]) -> Vec<Part> {
    let order = order(lengths.len(), seed);
    let part = |size: &u64| {
        let rows = order[..usize::try_from(*size).unwrap_or(usize::MAX).min(order.len())].to_vec();
        Part { tokens: rows.iter().map(|row| lengths[*row]).sum(), rows }
    };
    sizes.iter().map(part).collect()
}

/// The parts with these numbers of tokens, in the order of `budgets`. Smaller ones are beginnings of larger. `lengths` are
/// the rows' tokens.
///
/// Each budget is met exactly if at most two chosen last rows can do that, and else as closely from below as they can;
/// [`Part::tokens`] says how closely. Those rows are chosen for each budget, so parts are sure to be nested only if they
/// are asked for together; of two that are asked for separately, all but the last two rows of the smaller are the beginning
/// of the larger.
pub fn nested_tokens(lengths: &[u64], seed: u64, budgets: &[u64]) -> Vec<Part> {
    let mut left = order(lengths.len(), seed);
    let mut ascending: Vec<usize> = (0..budgets.len()).collect();
    ascending.sort_by_key(|at| budgets[*at]);
    let mut parts = vec![Part::default(); budgets.len()];
    let mut part = Part::default();
    for at in ascending {
        let drawn = draw(budgets[at] - part.tokens, &left, lengths);
        // In order but for the last two, which were among the next few hundred.
        let mut gone = drawn.clone();
        gone.sort_unstable();
        left.retain(|row| gone.binary_search(row).is_err());
        part.tokens += drawn.iter().map(|row| lengths[*row]).sum::<u64>();
        part.rows.extend(drawn);
        parts[at] = part.clone();
    }
    parts
}

/// The next rows for a budget.
fn draw(budget: u64, left: &[usize], lengths: &[u64]) -> Vec<usize> {
    let length = |place: usize| Ok::<_, Infallible>(left.get(place).map(|row| lengths[*row]));
    let Ok(places) = budget::fill(budget, length);
    places.into_iter().map(|place| left[place]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lengths(count: usize) -> Vec<u64> {
        (0..count as u64).map(|row| 20 + row * 7 % 31).collect()
    }

    fn sum(part: &Part, lengths: &[u64]) -> u64 {
        part.rows.iter().map(|row| lengths[*row]).sum()
    }

    #[test]
    fn budgets_are_met_exactly_and_nested() {
        let lengths = lengths(2000);
        let budgets = [40_000, 1_000, 5_003, 20_001, 1_057];
        let parts = nested_tokens(&lengths, 3, &budgets);
        assert_eq!(parts.iter().map(|part| part.tokens).collect::<Vec<_>>(), budgets);
        // Alone, all but the last two rows are the same.
        let alone = nested_tokens(&lengths, 3, &[20_001]).remove(0);
        let same = order(lengths.len(), 3);
        assert_eq!(alone.rows[..alone.rows.len() - 2], same[..alone.rows.len() - 2]);
    }

    #[test]
    fn more_than_there_is_gives_all_of_it() {
        let lengths = lengths(50);
        let all: u64 = lengths.iter().sum();
        let parts = nested_tokens(&lengths, 1, &[all, all + 1000, 0]);
        assert_eq!(parts.iter().map(|part| part.tokens).collect::<Vec<_>>(), [all, all, 0]);
        assert_eq!(parts[0].rows.len(), 50);
        assert_eq!(nested_tokens(&[], 1, &[10])[0], Part::default());
    }

    #[test]
    fn rows_are_nested_and_depend_on_the_seed() {
        let lengths = lengths(100);
        let parts = nested_rows(&lengths, 5, &[60, 10, 1000]);
        assert_eq!(parts.iter().map(|part| part.rows.len()).collect::<Vec<_>>(), [60, 10, 100]);
        assert_eq!(parts[1].rows, parts[0].rows[..10]);
        assert_eq!(parts[0].rows, parts[2].rows[..60]);
        assert_eq!(parts[1].tokens, sum(&parts[1], &lengths));
        assert_ne!(order(100, 5), order(100, 6));
        // Not the order of the corpus: of a fair shuffle, about half of the neighbours ascend.
        let ascending = order(100, 5).windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((30..70).contains(&ascending), "{ascending}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever the lengths and budgets: never above the budget, no row twice, every part the beginning of the next.
        #[test]
        fn parts_are_nested_and_within_their_budgets(
            lengths in proptest::collection::vec(0u64..200, 0..300),
            budgets in proptest::collection::vec(0u64..20_000, 1..6),
            seed in 0u64..5,
        ) {
            let parts = nested_tokens(&lengths, seed, &budgets);
            let all: u64 = lengths.iter().sum();
            for (part, budget) in parts.iter().zip(&budgets) {
                prop_assert!(part.tokens <= *budget);
                prop_assert_eq!(part.tokens, sum(part, &lengths));
                // A budget is missed by less than the longest row, unless all rows are in.
                prop_assert!(*budget - part.tokens < 200 || part.tokens == all);
                let mut distinct = part.rows.clone();
                distinct.sort_unstable();
                distinct.dedup();
                prop_assert_eq!(distinct.len(), part.rows.len());
            }
            for small in &parts {
                for large in parts.iter().filter(|large| large.rows.len() >= small.rows.len()) {
                    prop_assert_eq!(&small.rows[..], &large.rows[..small.rows.len()]);
                }
            }
        }
    }
}
