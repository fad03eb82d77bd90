//! The Wilson score interval for a rate.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::interval::{Interval, check_level};

/// The Wilson score interval for a rate of `successes` in `n` independent items (Wilson 1927).
///
/// `successes` may be fractional, because an item whose two option orders disagree counts half; the
/// interval then is slightly too wide, never too narrow. Unlike the textbook interval it stays within
/// 0..1 and has a width at 0 and at `n`. `None` when `n` is 0 or `successes` is not in `0..=n`.
///
/// # Panics
/// When `level` is not between 0 and 1.
pub fn wilson(successes: f64, n: usize, level: f64) -> Option<Interval> {
    check_level(level);
    let count = n as f64;
    if n == 0 || !(0.0..=count).contains(&successes) {
        return None;
    }
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    let rate = successes / count;
    let scale = 1.0 + z * z / count;
    let centre = (rate + z * z / (2.0 * count)) / scale;
    let half = z / scale * (rate * (1.0 - rate) / count + z * z / (4.0 * count * count)).sqrt();
    // Exactly 0 and 1 at the ends, where rounding would leave 1e-18.
    let low = if successes == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes == count { 1.0 } else { (centre + half).min(1.0) };
    Some(Interval { low, high, level })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::LEVEL;
    use proptest::prelude::*;

    #[test]
    fn agrees_with_published_values() {
        // Newcombe 1998, Statistics in Medicine 17, table I, method 3.
        for (successes, n, low, high) in [
            (81.0, 263, 0.2553, 0.3662),
            (15.0, 148, 0.0624, 0.1605),
            (0.0, 20, 0.0, 0.1611),
            (1.0, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson(successes, n, LEVEL).unwrap();
            assert!((interval.low - low).abs() < 5e-5, "{interval:?}");
            assert!((interval.high - high).abs() < 5e-5, "{interval:?}");
        }
    }

    #[test]
    fn has_no_answer_without_items() {
        assert_eq!(wilson(0.0, 0, LEVEL), None);
        assert_eq!(wilson(3.0, 2, LEVEL), None);
        assert_eq!(wilson(-1.0, 2, LEVEL), None);
        assert_eq!(wilson(f64::NAN, 2, LEVEL), None);
    }

    proptest! {
        #[test]
        fn holds_the_rate_mirrors_and_narrows(half in 0usize..200, more in 0usize..200) {
            let (successes, n) = (half as f64 / 2.0, half / 2 + more + 1);
            let at = |successes, n| wilson(successes, n, LEVEL).unwrap();
            let interval = at(successes, n);
            prop_assert!(interval.contains(successes / n as f64));
            prop_assert!(0.0 <= interval.low && interval.low < interval.high && interval.high <= 1.0);
            let mirrored = at(n as f64 - successes, n);
            prop_assert!((interval.low + mirrored.high - 1.0).abs() < 1e-12);
            let larger = at(4.0 * successes, 4 * n);
            prop_assert!(larger.high - larger.low < interval.high - interval.low);
            let surer = wilson(successes, n, 0.99).unwrap();
            prop_assert!(surer.low <= interval.low && interval.high <= surer.high);
        }
    }
}
