//! The bootstrap over seeds and items.

use crate::generator::Generator;
use crate::interval::{Interval, check_level};

/// A bootstrap interval for the mean over seeds and items: what other seeds *and* other items of the
/// same kinds would say.
///
/// `values[s][i]` is the value of item `i` in seed `s`: for two arms, the difference between them. Every
/// seed has the same items, in the same order; an item asked several times is one value, their mean,
/// because its answers are not independent. Seeds and items are drawn again, with replacement, and an
/// item with all its seeds: items that favour one arm do so in every seed, and more seeds do not average
/// that away ("pigeonhole bootstrap", Owen 2007). The ends are percentiles of `resamples` such means.
///
/// In simulated experiments with 8 seeds and 60 items the 95% interval misses the truth in 2% to 4%
/// whether or not items favour an arm, where Student's t over seeds misses it in up to 13%; with 3 seeds
/// that differ much it misses in 8%, so t stays the primary inference.
///
/// `seed` is the seed of the draws, not of a model; equal arguments give equal bits. `None` with fewer
/// than two seeds or items, with differing numbers of items, with values that are not finite, or when all
/// resampled means are equal, which says how coarse the measure is and not that its mean is known.
///
/// # Panics
/// When `level` is not between 0 and 1, or `resamples` is 0.
pub fn cluster_bootstrap(values: &[Vec<f64>], resamples: usize, level: f64, seed: u64) -> Option<Interval> {
    check_level(level);
    assert!(resamples > 0, "a bootstrap needs resamples");
    let (seeds, items) = (values.len(), values.first()?.len());
    let even = values.iter().all(|row| row.len() == items && row.iter().all(|value| value.is_finite()));
    if seeds < 2 || items < 2 || !even {
        return None;
    }
    let mut generator = Generator::new(seed);
    let mut means: Vec<f64> = (0..resamples).map(|_| resampled_mean(values, &mut generator)).collect();
    means.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let (low, high) = (percentile(&means, tail), percentile(&means, 1.0 - tail));
    (high - low > 1e-12 * low.abs().max(high.abs())).then_some(Interval { low, high, level })
}

/// The mean of one resample: seeds and items drawn independently of each other.
fn resampled_mean(values: &[Vec<f64>], generator: &mut Generator) -> f64 {
    let (seeds, items) = (values.len(), values[0].len());
    let mut times = vec![0.0; items];
    for _ in 0..items {
        times[generator.below(items)] += 1.0;
    }
    let row_sum = |row: &[f64]| row.iter().zip(&times).map(|(value, times)| value * times).sum::<f64>();
    let total: f64 = (0..seeds).map(|_| row_sum(&values[generator.below(seeds)])).sum();
    total / (seeds * items) as f64
}

/// A percentile of sorted values, between neighbours by linear interpolation.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    below + (above - below) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::LEVEL;

    fn table(seeds: usize, items: usize, generator: &mut Generator) -> Vec<Vec<f64>> {
        (0..seeds).map(|_| (0..items).map(|_| generator.normal()).collect()).collect()
    }

    #[test]
    fn equal_arguments_give_equal_bits_and_other_draws_nearly_the_same() {
        let values = table(8, 50, &mut Generator::new(1));
        let interval = |seed| cluster_bootstrap(&values, 4000, LEVEL, seed).unwrap();
        assert_eq!(interval(7), interval(7));
        assert_ne!(interval(7), interval(8));
        let width = interval(7).high - interval(7).low;
        assert!((interval(7).low - interval(8).low).abs() < 0.1 * width);
    }

    #[test]
    fn items_that_differ_alike_in_every_seed_are_not_averaged_away() {
        // Pure item effects: the interval must be that of the items alone, however many seeds there are.
        let effects = table(1, 400, &mut Generator::new(2)).remove(0);
        let width = |seeds: usize| {
            let interval = cluster_bootstrap(&vec![effects.clone(); seeds], 4000, LEVEL, 3).unwrap();
            interval.high - interval.low
        };
        let expected = 2.0 * 1.96 / 400f64.sqrt();
        assert!((width(200) / expected - 1.0).abs() < 0.1, "{} {expected}", width(200));
    }

    #[test]
    fn percentiles_interpolate() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 1.0), 4.0);
    }

    #[test]
    fn there_is_no_interval_without_variation_or_pairs() {
        let none = |values: &[Vec<f64>]| assert_eq!(cluster_bootstrap(values, 100, LEVEL, 1), None);
        none(&[]);
        none(&[vec![0.1, 0.2]]);
        none(&[vec![0.1], vec![0.2]]);
        none(&[vec![0.1, 0.2], vec![0.1]]);
        none(&[vec![0.1, f64::NAN], vec![0.1, 0.2]]);
        none(&vec![vec![0.1; 7]; 5]);
    }
}
