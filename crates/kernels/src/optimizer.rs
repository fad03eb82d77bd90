//! AdamW (Loshchilov & Hutter, 2019) over flat buffers: reduce, clip, update in as few passes as the data needs.

use crate::simd::{Fma, LANES, dispatch, sum_lanes};

/// The numbers of one AdamW step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Learning rate of this step.
    pub learning_rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub eps: f32,
    /// Decoupled weight decay, multiplied by the learning rate.
    pub weight_decay: f32,
    /// What gradients are multiplied by first (gradient clipping).
    pub gradient_scale: f32,
    /// `1 - beta1^t`.
    pub correction1: f32,
    /// `1 - beta2^t`.
    pub correction2: f32,
}

dispatch! {
    /// One AdamW update of `w` with moments `m`, `v`; the order of operations is that of `torch.optim.AdamW`.
    pub fn adamw(w: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], step: &Step) as adamw_body
}

#[inline(always)]
fn adamw_body<F: Fma>(w: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], step: &Step) {
    let n = w.len();
    let (m, v, g) = (&mut m[..n], &mut v[..n], &g[..n]);
    let decay = 1.0 - step.learning_rate * step.weight_decay;
    let size = step.learning_rate / step.correction1;
    let root = 1.0 / step.correction2.sqrt();
    for i in 0..n {
        let gi = g[i] * step.gradient_scale;
        m[i] = F::fma(1.0 - step.beta1, gi - m[i], m[i]);
        v[i] = F::fma((1.0 - step.beta2) * gi, gi, step.beta2 * v[i]);
        let denominator = F::fma(v[i].sqrt(), root, step.eps);
        w[i] = F::fma(-size, m[i] / denominator, w[i] * decay);
    }
}

dispatch! {
    /// `into += from`, and `from` is zeroed: one step of reducing gradient buffers in a fixed order.
    pub fn drain(into: &mut [f32], from: &mut [f32]) as drain_body
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // the dispatch names it
fn drain_body<F: Fma>(into: &mut [f32], from: &mut [f32]) {
    for (a, b) in into.iter_mut().zip(from) {
        *a += *b;
        *b = 0.0;
    }
}

dispatch! {
    /// `sum(x^2)` with f64 accumulation by blocks, so that the result does not lose small gradients.
    pub fn sum_of_squares(x: &[f32]) -> f64 as sum_of_squares_body
}

#[inline(always)]
fn sum_of_squares_body<F: Fma>(x: &[f32]) -> f64 {
    x.chunks(1024)
        .map(|block| {
            let mut acc = [0f32; LANES];
            let lanes = block.chunks_exact(LANES);
            let rest = lanes.remainder();
            for c in lanes {
                for l in 0..LANES {
                    acc[l] = F::fma(c[l], c[l], acc[l]);
                }
            }
            for (l, c) in rest.iter().enumerate() {
                acc[l] = F::fma(*c, *c, acc[l]);
            }
            sum_lanes(acc) as f64
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finite_difference::random;

    #[test]
    fn adamw_follows_its_definition() {
        let n = 37;
        let (mut w, mut m, mut v) = (random(n, 1), vec![0f32; n], vec![0f32; n]);
        let (mut w64, mut m64, mut v64) =
            (w.iter().map(|x| *x as f64).collect::<Vec<_>>(), vec![0f64; n], vec![0f64; n]);
        for t in 1..=20 {
            let g = random(n, 100 + t);
            let (b1, b2) = (0.9f64, 0.95f64);
            let (c1, c2) = (1.0 - b1.powi(t as i32), 1.0 - b2.powi(t as i32));
            let step = Step {
                learning_rate: 0.01,
                beta1: 0.9,
                beta2: 0.95,
                eps: 1e-8,
                weight_decay: 0.1,
                gradient_scale: 0.5,
                correction1: c1 as f32,
                correction2: c2 as f32,
            };
            adamw(&mut w, &mut m, &mut v, &g, &step);
            for i in 0..n {
                let gi = g[i] as f64 * 0.5;
                w64[i] *= 1.0 - 0.01 * 0.1;
                m64[i] = b1 * m64[i] + (1.0 - b1) * gi;
                v64[i] = b2 * v64[i] + (1.0 - b2) * gi * gi;
                w64[i] -= 0.01 * (m64[i] / c1) / ((v64[i] / c2).sqrt() + 1e-8);
                assert!((w[i] as f64 - w64[i]).abs() < 1e-5, "step {t} weight {i}");
            }
        }
    }

    #[test]
    fn drain_adds_and_zeroes_and_squares_sum() {
        let (mut a, mut b) = (random(50, 1), random(50, 2));
        let want: Vec<f32> = a.iter().zip(&b).map(|(x, y)| x + y).collect();
        drain(&mut a, &mut b);
        assert_eq!(a, want);
        assert!(b.iter().all(|x| *x == 0.0));
        let exact: f64 = a.iter().map(|x| (*x as f64).powi(2)).sum();
        assert!((sum_of_squares(&a) - exact).abs() < 1e-5);
    }
}
