//! Means over seeds, and Student's t for them.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::interval::{Interval, check_level};

/// The mean of independent values, usually one for each seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many values there are.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (divisor `n - 1`); `None` for one value.
    pub sd: Option<f64>,
    /// Student's t interval for the mean. `None` for one value, and also when all values are equal (`sd`
    /// is then 0): equal values say how coarse the measure is, or that it is saturated, not that the
    /// mean is known exactly.
    pub interval: Option<Interval>,
}

impl Summary {
    /// Summarises values; `None` when there are none, or when one is not a finite number.
    ///
    /// # Panics
    /// When `level` is not between 0 and 1.
    pub fn of(values: &[f64], level: f64) -> Option<Summary> {
        check_level(level);
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        if n == 1 {
            return Some(Summary { n, mean, sd: None, interval: None });
        }
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (squares / (n - 1) as f64).sqrt();
        // Values that are equal but for the rounding of the sums they came from count as equal.
        let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        if sd <= 1e-12 * largest.max(1e-300) {
            return Some(Summary { n, mean, sd: Some(0.0), interval: None });
        }
        let half = t_with(n - 1).inverse_cdf(0.5 + level / 2.0) * sd / (n as f64).sqrt();
        let interval = Interval { low: mean - half, high: mean + half, level };
        Some(Summary { n, mean, sd: Some(sd), interval: Some(interval) })
    }
}

/// The difference between two arms trained from the same seeds: the primary inference of a report.
///
/// The unit is the seed. The items are the same in both arms and in every seed, so the answer is about
/// these items; [`cluster_bootstrap`](crate::cluster_bootstrap) asks about others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// The mean difference.
    pub mean: f64,
    /// The standard deviation of the differences; `None` for one pair.
    pub sd: Option<f64>,
    /// How many pairs there are.
    pub n: usize,
    /// Student's t interval for the mean difference; `None` as in [`Summary::interval`].
    pub interval: Option<Interval>,
    /// The two-sided p-value of "the mean difference is zero" by the paired t-test, not adjusted; `None`
    /// exactly when there is no interval.
    pub p: Option<f64>,
}

impl PairedDifference {
    /// The difference `left - right`, paired by position. `None` when there are no pairs, the lengths
    /// differ, or a value is not finite.
    ///
    /// # Panics
    /// When `level` is not between 0 and 1.
    pub fn between(left: &[f64], right: &[f64], level: f64) -> Option<PairedDifference> {
        let differences: Vec<f64> = left.iter().zip(right).map(|(left, right)| left - right).collect();
        (left.len() == right.len()).then(|| PairedDifference::of(&differences, level))?
    }

    /// As [`between`](PairedDifference::between), from the differences: any contrast that is one number
    /// for each seed, such as a difference of differences.
    ///
    /// # Panics
    /// When `level` is not between 0 and 1.
    pub fn of(differences: &[f64], level: f64) -> Option<PairedDifference> {
        let Summary { n, mean, sd, interval } = Summary::of(differences, level)?;
        let p = sd.filter(|_| interval.is_some()).map(|sd| {
            let t = mean / (sd / (n as f64).sqrt());
            2.0 * t_with(n - 1).sf(t.abs())
        });
        Some(PairedDifference { mean, sd, n, interval, p })
    }
}

/// Student's t distribution with so many degrees of freedom.
fn t_with(freedom: usize) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom as f64).expect("at least one degree of freedom")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::LEVEL;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_the_tabulated_ones() {
        for (freedom, quantile) in
            [(1, 12.706204736), (2, 4.302652730), (7, 2.364624252), (30, 2.042272456), (1000, 1.962339081)]
        {
            let found = t_with(freedom).inverse_cdf(0.975);
            assert!((found - quantile).abs() < 1e-6, "{freedom}: {found}");
        }
    }

    #[test]
    fn the_sleep_data_give_the_known_answer() {
        // "Student" 1908: extra sleep under two drugs; as reported by common statistics packages.
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let found = PairedDifference::between(&first, &second, LEVEL).unwrap();
        assert_eq!(found.n, 10);
        assert!((found.mean + 1.58).abs() < 1e-12);
        assert!((found.sd.unwrap() - 1.229995).abs() < 1e-6);
        assert!((found.p.unwrap() - 0.00283289).abs() < 1e-8, "{found:?}");
        let interval = found.interval.unwrap();
        assert!((interval.low + 2.4598858).abs() < 1e-6 && (interval.high + 0.7001142).abs() < 1e-6);
    }

    #[test]
    fn one_value_or_equal_values_give_no_interval() {
        let one = PairedDifference::of(&[0.3], LEVEL).unwrap();
        assert_eq!(one, PairedDifference { mean: 0.3, sd: None, n: 1, interval: None, p: None });
        for equal in [[0.0; 3], [0.1 + 0.2, 0.3, 0.3]] {
            let found = PairedDifference::of(&equal, LEVEL).unwrap();
            assert_eq!((found.sd, found.interval, found.p), (Some(0.0), None, None));
        }
    }

    #[test]
    fn what_is_missing_is_not_a_number() {
        assert_eq!(Summary::of(&[], LEVEL), None);
        assert_eq!(Summary::of(&[1.0, f64::NAN], LEVEL), None);
        assert_eq!(PairedDifference::between(&[1.0, 2.0], &[1.0], LEVEL), None);
    }

    proptest! {
        #[test]
        fn interval_and_p_agree_and_signs_mirror(values in proptest::collection::vec(-1.0f64..1.0, 2..12)) {
            let found = PairedDifference::of(&values, LEVEL).unwrap();
            if let (Some(interval), Some(p)) = (found.interval, found.p) {
                prop_assert!((0.0..=1.0).contains(&p));
                prop_assert_eq!(interval.contains(0.0), p >= 0.05 - 1e-9);
                prop_assert!(interval.contains(found.mean));
            }
            let opposite: Vec<f64> = values.iter().map(|value| -value).collect();
            let mirrored = PairedDifference::of(&opposite, LEVEL).unwrap();
            prop_assert_eq!(mirrored.mean, -found.mean);
            prop_assert_eq!(mirrored.p, found.p);
        }
    }
}
