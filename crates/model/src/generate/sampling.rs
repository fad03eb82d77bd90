//! Which token comes next.

use kernels::cross_entropy::log_normaliser;
use stats::SplitMix64;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How tokens are drawn. The order is that of common practice: penalties and biases, temperature, the `top_k` likeliest,
/// then the likeliest that have `top_p` of the probability together (Holtzman et al., 2020).
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// What logits are divided by; 0 always takes the likeliest token.
    pub temperature: f64,
    /// The share of the probability that is drawn from, likeliest tokens first; 1 is all.
    pub top_p: f64,
    /// The number of likeliest tokens that are drawn from; 0 is all.
    pub top_k: usize,
    /// What the draws depend on, besides the text.
    pub seed: u64,
    /// Taken off the logit of a token that the text has been continued with.
    pub presence_penalty: f64,
    /// The same, once for each time.
    pub frequency_penalty: f64,
    /// Added to the logits of these tokens.
    pub bias: Vec<(u32, f64)>,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            seed: 0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            bias: Vec::new(),
        }
    }
}

/// The draws of one text.
#[derive(Debug)]
pub(super) struct Sampler {
    how: Sampling,
    draws: SplitMix64,
    /// How often each token was chosen; kept only where a penalty needs it.
    chosen: BTreeMap<u32, u32>,
}

impl Sampler {
    pub fn new(how: Sampling) -> Sampler {
        Sampler { draws: SplitMix64::new(how.seed), how, chosen: BTreeMap::new() }
    }

    /// The next token.
    pub fn next(&mut self, logits: &[f32]) -> u32 {
        let logits = self.adjusted(logits);
        let token = match self.how.temperature > 0.0 {
            true => self.draw(&logits),
            false => likeliest(&logits),
        };
        if self.penalises() {
            *self.chosen.entry(token).or_default() += 1;
        }
        token
    }

    fn penalises(&self) -> bool {
        self.how.presence_penalty != 0.0 || self.how.frequency_penalty != 0.0
    }

    fn adjusted<'l>(&self, logits: &'l [f32]) -> Cow<'l, [f32]> {
        if self.chosen.is_empty() && self.how.bias.is_empty() {
            return Cow::Borrowed(logits);
        }
        let mut logits = logits.to_vec();
        for (token, count) in &self.chosen {
            if let Some(logit) = logits.get_mut(*token as usize) {
                *logit -= (self.how.presence_penalty + self.how.frequency_penalty * f64::from(*count)) as f32;
            }
        }
        for (token, bias) in &self.how.bias {
            if let Some(logit) = logits.get_mut(*token as usize) {
                *logit += *bias as f32;
            }
        }
        Cow::Owned(logits)
    }

    fn draw(&mut self, logits: &[f32]) -> u32 {
        // A uniform number in [0, 1), drawn whatever the logits are: one for each token.
        let uniform = (self.draws.bits() >> 11) as f64 / (1u64 << 53) as f64;
        let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let weight = |logit: f32| ((f64::from(logit) - most) / self.how.temperature).exp();
        let (k, p) = (self.how.top_k, self.how.top_p);
        let keeps_all = (k == 0 || k >= logits.len()) && p >= 1.0;
        let mut candidates: Vec<(u32, f64)> = (0..).zip(logits.iter().map(|x| weight(*x))).collect();
        if !keeps_all {
            candidates = nucleus(candidates, k, p);
        }
        let total: f64 = candidates.iter().map(|(_, weight)| weight).sum();
        let mut left = uniform * total;
        for (token, weight) in &candidates {
            left -= weight;
            if left < 0.0 {
                return *token;
            }
        }
        // Rounding, or logits that are no numbers.
        candidates
            .iter()
            .rev()
            .find(|(_, weight)| *weight > 0.0)
            .map_or(likeliest(logits), |(token, _)| *token)
    }
}

/// The `k` heaviest tokens (0: all), and of those the heaviest that have the share `p` of their weight; heaviest first,
/// equal ones by id.
fn nucleus(mut candidates: Vec<(u32, f64)>, k: usize, p: f64) -> Vec<(u32, f64)> {
    let heavier = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if (1..candidates.len()).contains(&k) {
        candidates.select_nth_unstable_by(k - 1, heavier);
        candidates.truncate(k);
    }
    let total: f64 = candidates.iter().map(|(_, weight)| weight).sum();
    if p < 1.0 {
        // Tokens lighter than this have less than `1 - p` together, so none is among the heaviest that have `p`: there
        // is no need to sort them.
        let least = (1.0 - p) * total / candidates.len() as f64;
        let heaviest = candidates.iter().copied().min_by(heavier);
        candidates.retain(|(_, weight)| *weight >= least);
        if candidates.is_empty() {
            candidates.extend(heaviest);
        }
    }
    candidates.sort_unstable_by(heavier);
    let mut before = 0.0;
    let kept = candidates
        .iter()
        .take_while(|(_, weight)| {
            let wanted = before < p * total;
            before += weight;
            wanted
        })
        .count();
    // The likeliest is always among them.
    candidates.truncate(kept.max(1));
    candidates
}

/// The token with the largest logit; of equal ones the first.
pub(super) fn likeliest(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best as u32
}

/// The log-probability (nats) of a token, and the `k` likeliest with theirs, likeliest first.
pub(super) fn scored(logits: &[f32], token: u32, k: usize) -> (f64, Vec<(u32, f64)>) {
    let normaliser = log_normaliser(logits);
    let of = |token: u32| f64::from(logits[token as usize]) - normaliser;
    let mut order: Vec<u32> = if k == 0 { Vec::new() } else { (0..logits.len() as u32).collect() };
    let likelier = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b));
    if (1..order.len()).contains(&k) {
        order.select_nth_unstable_by(k - 1, likelier);
        order.truncate(k);
    }
    order.sort_unstable_by(likelier);
    (of(token), order.into_iter().map(|token| (token, of(token))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(how: Sampling, logits: &[f32]) -> Vec<f64> {
        let mut sampler = Sampler::new(how);
        let mut counts = vec![0f64; logits.len()];
        for _ in 0..20_000 {
            counts[sampler.next(logits) as usize] += 1.0 / 20_000.0;
        }
        counts
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.015), "{found:?} {expected:?}");
    }

    #[test]
    fn tokens_come_as_often_as_they_are_likely() {
        let logits: Vec<f32> = [0.5f32, 0.3, 0.15, 0.05].iter().map(|p| p.ln()).collect();
        let how = Sampling { seed: 7, ..Sampling::default() };
        close(&shares(how.clone(), &logits), &[0.5, 0.3, 0.15, 0.05]);
        // At half the temperature probabilities are squared.
        let total = 0.25 + 0.09 + 0.0225 + 0.0025;
        let squared = [0.25 / total, 0.09 / total, 0.0225 / total, 0.0025 / total];
        close(&shares(Sampling { temperature: 0.5, ..how.clone() }, &logits), &squared);
        close(&shares(Sampling { top_k: 2, ..how.clone() }, &logits), &[0.625, 0.375, 0.0, 0.0]);
        // .5 is not enough for .6, with .3 it is.
        close(&shares(Sampling { top_p: 0.6, ..how.clone() }, &logits), &[0.625, 0.375, 0.0, 0.0]);
        close(&shares(Sampling { top_p: 0.0, ..how.clone() }, &logits), &[1.0, 0.0, 0.0, 0.0]);
        close(&shares(Sampling { temperature: 0.0, ..how.clone() }, &logits), &[1.0, 0.0, 0.0, 0.0]);
        let pushed = Sampling { bias: vec![(3, 10.0f64.ln()), (0, -100.0)], ..how };
        close(&shares(pushed, &logits), &[0.0, 0.3 / 0.95, 0.15 / 0.95, 0.5 / 0.95]);
    }

    #[test]
    fn penalties_count_what_was_chosen() {
        let how = Sampling {
            temperature: 0.0,
            presence_penalty: 1.0,
            frequency_penalty: 0.5,
            ..Sampling::default()
        };
        let mut sampler = Sampler::new(how);
        let mut next = || sampler.next(&[2.0, 1.0, 0.0]);
        // 2 1 0 | 0.5 1 0 | 0.5 -0.5 0 | 0 -0.5 0
        assert_eq!([next(), next(), next(), next()], [0, 1, 0, 0]);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let logits = [0.1f32, 0.2, 0.3, 0.2, 0.1];
        let draw = |seed| {
            let mut sampler = Sampler::new(Sampling { seed, ..Sampling::default() });
            (0..50).map(|_| sampler.next(&logits)).collect::<Vec<_>>()
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }

    #[test]
    fn log_probabilities_come_with_the_likeliest() {
        let logits: Vec<f32> = [0.2f32, 0.5, 0.3].iter().map(|p| p.ln() + 4.0).collect();
        let (own, best) = scored(&logits, 0, 2);
        assert!((own - 0.2f64.ln()).abs() < 1e-6);
        assert_eq!(best.iter().map(|(token, _)| *token).collect::<Vec<_>>(), [1, 2]);
        assert!((best[1].1 - 0.3f64.ln()).abs() < 1e-6);
        assert_eq!(scored(&logits, 0, 10).1.len(), 3);
        assert!(scored(&logits, 0, 0).1.is_empty());
    }

    proptest! {
        #[test]
        fn the_nucleus_is_what_sorting_everything_gives(
            weights in proptest::collection::vec(0.0f64..1.0, 1..60), k in 0usize..70, p in 0.0f64..1.1,
        ) {
            let all: Vec<(u32, f64)> = (0..).zip(weights).collect();
            let mut sorted = all.clone();
            sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            if k > 0 {
                sorted.truncate(k);
            }
            let total: f64 = sorted.iter().map(|(_, weight)| weight).sum();
            let mut before = 0.0;
            let mut expected = Vec::new();
            for candidate in sorted {
                // Next to a boundary the order of summation decides.
                prop_assume!((before - p * total).abs() > 1e-9);
                if before < p * total || expected.is_empty() {
                    expected.push(candidate);
                }
                before += candidate.1;
            }
            prop_assert_eq!(nucleus(all, k, p), expected);
        }
    }
}
