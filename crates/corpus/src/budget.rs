//! Meeting a token budget exactly with whole rows.

use std::collections::BTreeMap;

use crate::error::Result;

/// How many of the next rows the last ones are chosen from.
const CANDIDATES: u64 = 512;

/// Rows from index 0 on, and their tokens: exactly `budget` if that can be done with at most two chosen last rows, and
/// else as close below it as those can come.
pub(crate) fn fill<T>(
    budget: u64,
    row: impl Fn(u64) -> Result<T>,
    mut count: impl FnMut(&T) -> Result<usize>,
) -> Result<(Vec<T>, u64)> {
    let mut rows = Vec::new();
    let mut left = budget;
    let mut longest = 0;
    let mut index = 0;
    // In order, until two rows might be enough for the rest.
    while left > 0 {
        let next = row(index)?;
        let tokens = count(&next)? as u64;
        longest = longest.max(tokens);
        if left < tokens + longest {
            break;
        }
        left -= tokens;
        rows.push(next);
        index += 1;
    }
    if left > 0 {
        let mut by_length: BTreeMap<u64, Vec<T>> = BTreeMap::new();
        for candidate in index..index + CANDIDATES {
            let next = row(candidate)?;
            by_length.entry(count(&next)? as u64).or_default().push(next);
        }
        for length in best(left, &by_length) {
            if let Some(same) = by_length.get_mut(&length).filter(|same| !same.is_empty()) {
                left -= length;
                rows.push(same.remove(0));
            }
        }
    }
    Ok((rows, budget - left))
}

/// The lengths of at most two rows whose sum is closest to `left` from below. Of equal sums the one with the longest
/// first row wins, and one row wins over two.
fn best<T>(left: u64, by_length: &BTreeMap<u64, Vec<T>>) -> Vec<u64> {
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
    use crate::row::Row;

    /// Row `index` has as many tokens as `lengths` says, over and over.
    fn filled(budget: u64, lengths: &[usize]) -> (Vec<usize>, u64) {
        let row = |index: u64| {
            let length = lengths[index as usize % lengths.len()];
            Ok(Row::Document { text: "x ".repeat(length) })
        };
        let count = |row: &Row| Ok(row.display().split_whitespace().count());
        let (rows, tokens) = fill(budget, row, count).unwrap();
        (rows.iter().map(|row| count(row).unwrap()).collect(), tokens)
    }

    #[test]
    fn budgets_are_met_exactly_where_lengths_allow_it() {
        let lengths: Vec<usize> = (0..17).map(|index| 10 + index * 5 % 17).collect();
        for budget in 60..400 {
            let (rows, tokens) = filled(budget, &lengths);
            assert_eq!(tokens, rows.iter().sum::<usize>() as u64);
            assert_eq!(tokens, budget, "{rows:?}");
        }
    }

    #[test]
    fn a_budget_is_never_exceeded() {
        for budget in 0..200 {
            let (rows, tokens) = filled(budget, &[10, 7]);
            assert_eq!(tokens, rows.iter().sum::<usize>() as u64);
            assert!(tokens <= budget && budget - tokens < 10, "{budget} {tokens}");
        }
        assert_eq!(filled(6, &[10, 7]), (vec![], 0));
    }

    #[test]
    fn rows_stay_in_order_but_for_the_last() {
        let lengths = [5, 6, 7, 8, 9];
        let (rows, _) = filled(100, &lengths);
        let in_order: Vec<usize> = lengths.iter().copied().cycle().take(rows.len() - 2).collect();
        assert_eq!(rows[..rows.len() - 2], in_order[..]);
    }
}
