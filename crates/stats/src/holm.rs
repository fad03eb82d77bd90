//! Holm's adjustment for several questions.

/// The p-values of one family of questions, adjusted by Holm's step-down method (Holm 1979): calling
/// those below 0.05 real is wrong about any of them in at most 5% of experiments.
///
/// A question without a p-value stays without one, yet counts in the family: that a test could not be
/// made is no reason to be lenient with the others.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(f64, usize)> =
        p_values.iter().enumerate().filter_map(|(at, p)| p.map(|p| (p, at))).collect();
    order.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
    let mut adjusted = vec![None; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, (p, at)) in order.into_iter().enumerate() {
        largest = largest.max((p_values.len() - rank) as f64 * p).min(1.0);
        adjusted[at] = Some(largest);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(found: &[Option<f64>], expected: &[Option<f64>]) -> bool {
        found.len() == expected.len()
            && found.iter().zip(expected).all(|pair| match pair {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-12,
                (found, expected) => found == expected,
            })
    }

    #[test]
    fn a_worked_example() {
        // Sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04, and the last no less than the third.
        let found = holm(&[Some(0.01), Some(0.04), Some(0.03), Some(0.005)]);
        assert!(close(&found, &[Some(0.03), Some(0.06), Some(0.06), Some(0.02)]), "{found:?}");
    }

    #[test]
    fn an_unanswered_question_still_counts() {
        let found = holm(&[Some(0.02), None, Some(0.9)]);
        assert!(close(&found, &[Some(0.06), None, Some(1.0)]), "{found:?}");
        assert_eq!(holm(&[]), []);
    }

    proptest! {
        #[test]
        fn lies_between_none_and_bonferroni_and_keeps_the_order(
            p in proptest::collection::vec(0.0f64..1.0, 1..12)
        ) {
            let wrapped: Vec<Option<f64>> = p.iter().copied().map(Some).collect();
            let found: Vec<f64> = holm(&wrapped).into_iter().flatten().collect();
            prop_assert_eq!(found.len(), p.len());
            for (i, adjusted) in found.iter().enumerate() {
                prop_assert!(*adjusted >= p[i] && *adjusted <= (p[i] * p.len() as f64).min(1.0));
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || found[i] <= found[j]);
                }
            }
        }
    }
}
