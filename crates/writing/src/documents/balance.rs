//! Mirrored corpora must not differ in size: ideas are dropped, for all of them, until their tokens do not.

use super::Request;
use super::run::{Kept, Written, drop_tuple};
use crate::WritingError;
use crate::record::Record;

/// Drops ideas until the corpora's tokens differ by at most the part that the request allows. Gives how many.
///
/// The idea that brings the largest and the smallest corpus closest together goes first; of equals, the last in the plan.
///
/// # Errors
/// When the store fails.
pub async fn balance<R: Record>(
    record: &R,
    request: &Request,
    written: &mut Written,
) -> Result<u64, WritingError> {
    if request.sources.len() < 2 {
        return Ok(0);
    }
    let chosen = choose(&written.kept, request.imbalance);
    record.flush().await?;
    for path in &chosen {
        drop_tuple(record, request, written, path, "dropped so that mirrored corpora are of one size")
            .await?;
    }
    record.flush().await?;
    Ok(chosen.len() as u64)
}

/// The paths to drop. All corpora have the same paths.
fn choose(kept: &[Vec<Kept>], most: f64) -> Vec<String> {
    let mut left: Vec<usize> = (0..kept[0].len()).collect();
    let mut totals: Vec<u64> =
        kept.iter().map(|corpus| corpus.iter().map(|document| document.tokens).sum()).collect();
    let mut chosen = Vec::new();
    while let Some((large, small)) = extremes(&totals, most) {
        let gap = totals[large] - totals[small];
        // What is left of the gap if this idea goes.
        let rest = |index: usize| {
            let closer = kept[large][index].tokens as i64 - kept[small][index].tokens as i64;
            (gap as i64 - closer).unsigned_abs()
        };
        let best = left.iter().enumerate().min_by_key(|(at, index)| (rest(**index), usize::MAX - at));
        let Some((at, index)) = best.map(|(at, index)| (at, *index)).filter(|(_, index)| rest(*index) < gap)
        else {
            break;
        };
        left.remove(at);
        for (total, corpus) in totals.iter_mut().zip(kept) {
            *total -= corpus[index].tokens;
        }
        chosen.push(kept[0][index].path.to_string());
    }
    chosen.sort();
    chosen
}

/// The largest and the smallest corpus, if they differ by more than they may.
fn extremes(totals: &[u64], most: f64) -> Option<(usize, usize)> {
    let large = (0..totals.len()).max_by_key(|index| (totals[*index], usize::MAX - index))?;
    let small = (0..totals.len()).min_by_key(|index| (totals[*index], *index))?;
    let difference = (totals[large] - totals[small]) as f64;
    (difference > most * totals[large] as f64).then_some((large, small))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(tokens: &[u64]) -> Vec<Kept> {
        let one = |(index, tokens): (usize, &u64)| Kept {
            path: format!("{index:04}").into(),
            text: [0; 16],
            tokens: *tokens,
            idea: None,
        };
        tokens.iter().enumerate().map(one).collect()
    }

    proptest! {
        #[test]
        fn corpora_of_like_documents_come_within_the_limit(
            pairs in prop::collection::vec((300u64..500, 320u64..520), 200..400),
        ) {
            let (a, b): (Vec<u64>, Vec<u64>) = pairs.into_iter().unzip();
            let both = [kept(&a), kept(&b)];
            let chosen = choose(&both, 0.005);
            let left = |corpus: &[Kept]| -> u64 {
                corpus.iter().filter(|document| !chosen.iter().any(|path| **path == *document.path)).map(|document| document.tokens).sum()
            };
            let (one, two) = (left(&both[0]), left(&both[1]));
            prop_assert!(one.abs_diff(two) as f64 <= 0.005 * one.max(two) as f64, "{one} {two}");
            prop_assert!(chosen.len() < 100, "{} dropped", chosen.len());
            prop_assert_eq!(choose(&both, 0.005), chosen);
        }
    }

    #[test]
    fn nothing_is_dropped_where_nothing_need_be_and_what_cannot_be_balanced_stays() {
        assert!(choose(&[kept(&[100, 100]), kept(&[100, 100])], 0.005).is_empty());
        let hopeless = [kept(&[100, 100]), kept(&[200, 200])];
        assert!(choose(&hopeless, 0.005).len() <= 2);
    }
}
