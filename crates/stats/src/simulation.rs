//! Whole simulated experiments, to see how often the statistics claim what is not so.
//!
//! Each experiment: two arms trained from the same seeds and asked the same items. Items differ in how
//! easy they are, in both arms alike; seeds differ, in both arms alike; and what training did differs by
//! arm and seed, which is the noise that only more seeds reduce. Answers are 0 or 1.

use crate::bootstrap::cluster_bootstrap;
use crate::generator::Generator;
use crate::interval::{Interval, LEVEL};
use crate::student::PairedDifference;

const SEEDS: usize = 8;
const ITEMS: usize = 60;

/// How the answers of one experiment come about, on the log-odds scale.
#[derive(Clone, Copy)]
struct World {
    /// What the first arm has over the second.
    effect: f64,
    /// Standard deviation between items, ...
    item: f64,
    /// ... between seeds, ...
    seed: f64,
    /// ... between the arms of a seed, ...
    arm_and_seed: f64,
    /// ... and of how much an item favours one arm, in every seed alike; zero on average.
    arm_and_item: f64,
}

const NULL: World = World { effect: 0.0, item: 1.0, seed: 0.7, arm_and_seed: 0.5, arm_and_item: 0.0 };

impl World {
    /// Differences between the two arms' answers, by seed and item.
    fn differences(&self, generator: &mut Generator) -> Vec<Vec<f64>> {
        let mut effects = |sd: f64| -> Vec<f64> { (0..ITEMS).map(|_| sd * generator.normal()).collect() };
        let (easy, leaning) = (effects(self.item), effects(self.arm_and_item));
        let mut row = || -> Vec<f64> {
            let seed = self.seed * generator.normal();
            let arms = [1.0, -1.0]
                .map(|side| seed + side * self.effect / 2.0 + self.arm_and_seed * generator.normal());
            let mut answer = |odds: f64| f64::from(generator.uniform() < logistic(odds));
            let both = |i: usize| [arms[0] + easy[i] + leaning[i], arms[1] + easy[i] - leaning[i]];
            (0..ITEMS).map(|i| both(i).map(&mut answer)).map(|[first, second]| first - second).collect()
        };
        (0..SEEDS).map(|_| row()).collect()
    }

    /// The difference between the arms' rates over all possible seeds and items.
    fn truth(&self) -> f64 {
        let sd = [self.item, self.seed, self.arm_and_seed, self.arm_and_item]
            .iter()
            .map(|sd| sd * sd)
            .sum::<f64>()
            .sqrt();
        // The mean of the logistic function over a normal distribution, by summing over a fine grid.
        let rate = |centre: f64| {
            let grid = (-800..=800).map(|i| f64::from(i) / 100.0);
            let weighted = grid.map(|z| (logistic(centre + sd * z), (-z * z / 2.0).exp()));
            let (sum, weight) =
                weighted.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
            sum / weight
        };
        rate(self.effect / 2.0) - rate(-self.effect / 2.0)
    }

    /// The share of `count` experiments whose interval leaves out the truth.
    fn share_missed(&self, count: usize, interval: impl Fn(&[Vec<f64>]) -> Option<Interval>) -> f64 {
        let mut generator = Generator::new(20_261_123);
        let truth = self.truth();
        let mut missed = || interval(&self.differences(&mut generator)).is_some_and(|i| !i.contains(truth));
        (0..count).filter(|_| missed()).count() as f64 / count as f64
    }
}

fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

fn paired_t(differences: &[Vec<f64>]) -> Option<Interval> {
    let means: Vec<f64> = differences.iter().map(|row| row.iter().sum::<f64>() / row.len() as f64).collect();
    PairedDifference::of(&means, LEVEL)?.interval
}

fn bootstrap(differences: &[Vec<f64>]) -> Option<Interval> {
    cluster_bootstrap(differences, 400, LEVEL, 1)
}

/// Enough for a share near 5% to be known within half a percentage point.
const EXPERIMENTS: usize = 10_000;

#[test]
fn null_experiments_are_seldom_called_real() {
    let share = NULL.share_missed(EXPERIMENTS, paired_t);
    assert!(share <= 0.056, "{share} of null experiments called real");
    assert!(share >= 0.035, "{share}: so cautious that something is broken");
}

#[test]
fn effects_are_covered() {
    for effect in [0.8, 2.0] {
        let covered = 1.0 - World { effect, ..NULL }.share_missed(EXPERIMENTS, paired_t);
        assert!(covered >= 0.93, "effect {effect}: the interval covers it in {covered}");
    }
}

#[test]
fn the_bootstrap_covers_the_truth_about_other_items_which_the_t_interval_does_not() {
    for arm_and_item in [0.0, 0.5, 1.0] {
        let world = World { arm_and_item, ..NULL };
        let (missed, missed_by_t) = (world.share_missed(300, bootstrap), world.share_missed(300, paired_t));
        assert!(missed <= 0.05, "items leaning by {arm_and_item}: the bootstrap misses {missed}");
        assert!(
            arm_and_item < 1.0 || missed_by_t > 0.08,
            "items leaning by {arm_and_item}: t misses {missed_by_t}"
        );
    }
}
