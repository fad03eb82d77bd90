//! Meeting a token budget with whole rows, as closely as a supply of rows allows.

use std::collections::BTreeMap;

/// How many of the next rows the last ones are chosen from.
const CANDIDATES: usize = 512;

/// Which of the rows with these lengths to take, in their order: the first ones, and for the rest of the budget at most two
/// chosen among the next ones, so that the sum is the budget exactly, or as close below it as those can come.
pub fn fill(budget: u64, lengths: &[u64]) -> Vec<usize> {
    let mut taken = Vec::new();
    let mut left = budget;
    let mut longest = 0;
    let mut next = 0;
    // In order, until two rows might be enough for the rest.
    while let Some(length) = lengths.get(next) {
        longest = longest.max(*length);
        if left < length + longest {
            break;
        }
        left -= length;
        taken.push(next);
        next += 1;
    }
    let mut by_length: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (offset, length) in lengths[next..].iter().take(CANDIDATES).enumerate() {
        by_length.entry(*length).or_default().push(next + offset);
    }
    let mut last: Vec<usize> = Vec::new();
    for length in best(left, &by_length) {
        let place = by_length.get(&length).and_then(|same| same.iter().find(|index| !last.contains(index)));
        last.extend(place);
    }
    last.sort_unstable();
    taken.extend(last);
    taken
}

/// The lengths of at most two rows whose sum is closest to `left` from below. Of equal sums the one with the longest
/// first row wins, and one row wins over two.
fn best(left: u64, by_length: &BTreeMap<u64, Vec<usize>>) -> Vec<u64> {
    let mut best: (u64, Vec<u64>) = (0, Vec::new());
    for (first, rows) in by_length.range(..=left).rev() {
        if *first > best.0 {
            best = (*first, vec![*first]);
        }
        for second in by_length.range(..=left - first).rev().map(|(second, _)| *second) {
            let available = second != *first || rows.len() > 1;
            if available && first + second > best.0 {
                best = (first + second, vec![*first, second]);
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_budget_is_never_exceeded_and_no_row_taken_twice(
            budget in 0u64..400,
            lengths in proptest::collection::vec(1u64..40, 0..60),
        ) {
            let taken = fill(budget, &lengths);
            prop_assert!(taken.windows(2).all(|pair| pair[0] < pair[1]));
            let sum: u64 = taken.iter().map(|index| lengths[*index]).sum();
            prop_assert!(sum <= budget);
            // No row that was left out still fits.
            let left = budget - sum;
            let fits = |(index, length): (usize, &u64)| !taken.contains(&index) && *length <= left;
            let room = lengths.iter().enumerate().filter(|(index, length)| fits((*index, length))).count();
            prop_assert!(room == 0 || taken.len() >= 2, "{taken:?}");
        }

        #[test]
        fn varied_lengths_meet_it_exactly(budget in 100u64..2_000) {
            let lengths: Vec<u64> = (0..400).map(|index| 10 + index * 5 % 17).collect();
            let sum: u64 = fill(budget, &lengths).iter().map(|index| lengths[*index]).sum();
            prop_assert_eq!(sum, budget);
        }
    }

    #[test]
    fn rows_that_do_not_suffice_are_all_taken() {
        assert_eq!(fill(1_000, &[10, 20, 30]), [0, 1, 2]);
        assert_eq!(fill(5, &[10, 20]), Vec::<usize>::new());
        assert_eq!(fill(0, &[]), Vec::<usize>::new());
    }
}
