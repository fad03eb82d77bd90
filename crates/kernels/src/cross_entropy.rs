//! Softmax cross-entropy on rows of logits: the loss and its gradient in one pass over rows.

use crate::simd::{Fma, LANES, dispatch, exp, sum_lanes};

dispatch! {
    /// Turns each row of `logits[n,v]` into `scale * (softmax(row) - onehot(target))`, the gradient of
    /// `scale * loss`, and returns the summed loss `-log softmax(row)[target]` (in nats, unscaled).
    pub fn backward(logits: &mut [f32], targets: &[u32], v: usize, scale: f32) -> f64 as backward_body
}

#[inline(always)]
fn backward_body<F: Fma>(logits: &mut [f32], targets: &[u32], v: usize, scale: f32) -> f64 {
    let mut loss = 0f64;
    for (row, target) in logits.chunks_exact_mut(v).zip(targets) {
        let target = *target as usize;
        let at_target = row[target];
        let (max, sum) = exponentials::<F>(row);
        loss += (sum as f64).ln() - (at_target - max) as f64;
        let k = scale / sum;
        row.iter_mut().for_each(|x| *x *= k);
        row[target] -= scale;
    }
    loss
}

dispatch! {
    /// `log softmax(row)[target]` for each row, in nats; `logits` is left as scratch.
    pub fn log_probabilities(out: &mut [f64], logits: &mut [f32], targets: &[u32], v: usize) as log_probabilities_body
}

#[inline(always)]
fn log_probabilities_body<F: Fma>(out: &mut [f64], logits: &mut [f32], targets: &[u32], v: usize) {
    for ((row, target), out) in logits.chunks_exact_mut(v).zip(targets).zip(out) {
        let at_target = row[*target as usize];
        let (max, sum) = exponentials::<F>(row);
        *out = (at_target - max) as f64 - (sum as f64).ln();
    }
}

dispatch! {
    /// `log sum exp(row)`: what the log-probability of every entry has taken off.
    pub fn log_normaliser(row: &[f32]) -> f64 as log_normaliser_body
}

#[inline(always)]
fn log_normaliser_body<F: Fma>(row: &[f32]) -> f64 {
    let max = largest(row);
    let mut sum = [0f32; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for c in chunks {
        for l in 0..LANES {
            sum[l] += exp::<F>(c[l] - max);
        }
    }
    for (l, x) in rest.iter().enumerate() {
        sum[l] += exp::<F>(x - max);
    }
    f64::from(max) + f64::from(sum_lanes(sum)).ln()
}

/// The largest number of a row.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for c in chunks {
        for l in 0..LANES {
            lanes[l] = if c[l] > lanes[l] { c[l] } else { lanes[l] };
        }
    }
    rest.iter().chain(&lanes).fold(f32::NEG_INFINITY, |m, x| m.max(*x))
}

/// Replaces the row by `exp(x - max)`; returns the maximum and the sum.
#[inline(always)]
fn exponentials<F: Fma>(row: &mut [f32]) -> (f32, f32) {
    let max = largest(row);
    let chunks = row.len() / LANES * LANES;
    let mut sum = [0f32; LANES];
    for c in row[..chunks].chunks_exact_mut(LANES) {
        for l in 0..LANES {
            c[l] = exp::<F>(c[l] - max);
            sum[l] += c[l];
        }
    }
    for (l, x) in row[chunks..].iter_mut().enumerate() {
        *x = exp::<F>(*x - max);
        sum[l] += *x;
    }
    (max, sum_lanes(sum))
}

#[cfg(test)]
mod tests {
    use crate::finite_difference::{assert_gradient, random, wide};

    fn reference(logits: &[f64], targets: &[u32], v: usize) -> f64 {
        logits
            .chunks_exact(v)
            .zip(targets)
            .map(|(r, t)| r.iter().map(|x| x.exp()).sum::<f64>().ln() - r[*t as usize])
            .sum()
    }

    #[test]
    fn loss_gradient_and_log_probabilities_agree_with_f64() {
        for v in [3, 16, 37, 420] {
            let logits: Vec<f32> = random(4 * v, 1).iter().map(|x| x * 5.0).collect();
            let targets = [0, (v - 1) as u32, (v / 2) as u32, 1];
            let mut d = logits.clone();
            let loss = super::backward(&mut d, &targets, v, 0.25);
            let want = reference(&wide(&logits), &targets, v);
            assert!((loss - want).abs() < 1e-4, "{loss} {want}");
            assert_gradient("logits", &wide(&logits), &d, 1e-4, |x| 0.25 * reference(x, &targets, v));
            let mut scratch = logits.clone();
            let mut lp = [0f64; 4];
            super::log_probabilities(&mut lp, &mut scratch, &targets, v);
            assert!((lp.iter().sum::<f64>() + want).abs() < 1e-4);
        }
    }

    #[test]
    fn nan_logits_give_a_nan_loss() {
        let mut logits = vec![0.0, f32::NAN, 1.0];
        assert!(super::backward(&mut logits, &[0], 3, 1.0).is_nan());
    }
}
