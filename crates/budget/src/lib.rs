//! Token budgets met with whole rows, as closely as a supply of rows allows.

use std::collections::BTreeMap;

/// How many of the next rows the last ones are chosen from.
const CANDIDATES: usize = 512;

/// Which rows to take: those from the first on, in their order, and after them at most two chosen among the next ones, so
/// that their tokens are the budget exactly, or as close below it as those can come.
///
/// `length` says how many tokens a row is, or that there is no such row; it is asked for the rows in their order, once
/// each, and only as far as needed, so a supply without end will do. Which rows are taken depends on the lengths alone.
///
/// # Errors
/// What `length` returns.
pub fn fill<E>(
    budget: u64,
    mut length: impl FnMut(usize) -> Result<Option<u64>, E>,
) -> Result<Vec<usize>, E> {
    let mut known: Vec<Option<u64>> = Vec::new();
    let mut length = |row: usize| {
        while known.len() <= row {
            let next = if known.last() == Some(&None) { None } else { length(known.len())? };
            known.push(next);
        }
        Ok(known[row])
    };
    let (mut taken, mut left, mut longest) = (0, budget, 0);
    // What is left of the budget, how many of the first rows that takes, and the last ones.
    let mut best: Option<(u64, usize, Vec<usize>)> = None;
    while left > 0
        && let Some(next) = length(taken)?
    {
        longest = longest.max(next);
        // Two rows might be enough for the rest.
        if left < next.saturating_add(longest) {
            let (tokens, last) = last_two(left, taken, &mut length)?;
            let gap = left - tokens;
            if best.as_ref().is_none_or(|(least, ..)| gap < *least) {
                best = Some((gap, taken, last));
            }
            if gap == 0 || next > left {
                break;
            }
        }
        left -= next;
        taken += 1;
    }
    let (taken, last) = match best {
        Some((gap, first, last)) if gap <= left => (first, last),
        _ => (taken, Vec::new()),
    };
    Ok((0..taken).chain(last).collect())
}

/// At most two of the rows from `first` on whose sum is closest to `left` from below, the longer one before the other; and
/// that sum.
fn last_two<E>(
    left: u64,
    first: usize,
    mut length: impl FnMut(usize) -> Result<Option<u64>, E>,
) -> Result<(u64, Vec<usize>), E> {
    let mut by_length: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for row in first..first + CANDIDATES {
        let Some(tokens) = length(row)? else { break };
        by_length.entry(tokens).or_default().push(row);
    }
    let mut best: (u64, Vec<usize>) = (0, Vec::new());
    // Of equal sums the one with the longest first row wins, and one row wins over two; of rows as long as each other, the first.
    for (longer, rows) in by_length.range(..=left).rev() {
        if *longer > best.0 {
            best = (*longer, vec![rows[0]]);
        }
        for (shorter, others) in by_length.range(..=(left - longer).min(*longer)).rev() {
            let other = if shorter == longer { rows.get(1) } else { others.first() };
            if let Some(other) = other.filter(|_| longer + shorter > best.0) {
                best = (longer + shorter, vec![rows[0], *other]);
            }
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn rows(budget: u64, lengths: &[u64]) -> Vec<usize> {
        let Ok(rows) = fill(budget, |row| Ok::<_, Infallible>(lengths.get(row).copied()));
        rows
    }

    /// The rows with these lengths, over and over.
    fn endless(budget: u64, lengths: &[u64]) -> (Vec<usize>, u64) {
        let length = |row: usize| lengths[row % lengths.len()];
        let rows = fill(budget, |row| Ok::<_, Infallible>(Some(length(row)))).unwrap();
        let tokens = rows.iter().map(|row| length(*row)).sum();
        (rows, tokens)
    }

    proptest! {
        #[test]
        fn a_budget_is_never_exceeded_and_no_row_taken_twice(
            budget in 0u64..400,
            lengths in proptest::collection::vec(0u64..40, 0..60),
        ) {
            let taken = rows(budget, &lengths);
            let sum: u64 = taken.iter().map(|row| lengths[*row]).sum();
            prop_assert!(sum <= budget);
            let mut distinct = taken.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), taken.len());
            // In their order from the first on, but for the last two.
            let first = taken.len().saturating_sub(2);
            prop_assert_eq!(&taken[..first], (0..first).collect::<Vec<_>>());
            // As good as going on in order, and never short of all there are.
            let mut in_order = 0;
            for length in &lengths {
                if in_order + length > budget {
                    break;
                }
                in_order += length;
            }
            prop_assert!(sum >= in_order);
        }
    }

    #[test]
    fn budgets_are_met_exactly_where_lengths_allow_it() {
        let lengths: Vec<u64> = (0..17).map(|row| 10 + row * 5 % 17).collect();
        for budget in 60..400 {
            assert_eq!(endless(budget, &lengths).1, budget);
        }
        for budget in 0..200 {
            let (_, tokens) = endless(budget, &[10, 7]);
            assert!(tokens <= budget && budget - tokens < 7, "{budget} {tokens}");
        }
    }

    #[test]
    fn where_two_rows_do_not_suffice_it_goes_on_in_order() {
        // After the first row two of the others might be enough, by their lengths so far, but are not.
        assert_eq!(rows(95, &[50, 10, 10, 10, 10]), [0, 1, 2, 3, 4]);
        assert_eq!(rows(85, &[50, 10, 10, 10, 5]), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn rows_that_do_not_suffice_are_all_taken() {
        assert_eq!(rows(1_000, &[10, 20, 30]), [0, 1, 2]);
        assert_eq!(rows(u64::MAX, &[10, 20, 30]), [0, 1, 2]);
        assert_eq!(rows(5, &[10, 20]), Vec::<usize>::new());
        assert_eq!(rows(0, &[]), Vec::<usize>::new());
    }

    #[test]
    fn no_more_rows_are_asked_for_than_needed() {
        let mut asked = Vec::new();
        let length = |row| {
            asked.push(row);
            Ok::<_, Infallible>((row < 3).then_some(10))
        };
        assert_eq!(fill(100, length).unwrap(), [0, 1, 2]);
        assert_eq!(asked, [0, 1, 2, 3]);
        assert!(fill(0, |_| Err(())).is_ok());
        assert_eq!(fill(9, |_| Err("lost")), Err("lost"));
    }
}
