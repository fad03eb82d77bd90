//! RMSNorm (Zhang & Sennrich, 2019): `y = x / rms(x) * g`, `rms(x) = sqrt(mean(x^2) + eps)`, row by row.

use crate::simd::{Fma, LANES, dispatch, dot, sum_lanes};

dispatch! {
    /// `y[n,d] = x[n,d] * inv[n] * g[d]`, with `inv[n] = 1 / sqrt(mean(x^2) + eps)` kept for the backward pass.
    pub fn forward(y: &mut [f32], inv: &mut [f32], x: &[f32], g: &[f32], eps: f32) as forward_body
}

#[inline(always)]
fn forward_body<F: Fma>(y: &mut [f32], inv: &mut [f32], x: &[f32], g: &[f32], eps: f32) {
    let d = g.len();
    for ((y, x), inv) in y.chunks_exact_mut(d).zip(x.chunks_exact(d)).zip(inv) {
        *inv = 1.0 / (dot::<F>(x, x) / d as f32 + eps).sqrt();
        for ((y, x), g) in y.iter_mut().zip(x).zip(g) {
            *y = x * *inv * g;
        }
    }
}

dispatch! {
    /// Adds to `dx` and `dg` the gradients of [`forward`] given `dy`.
    ///
    /// With `u = x * inv`: `dg += sum_n dy * u`, `dx += inv * (dy * g - u * mean(dy * g * u))`.
    pub fn backward(dx: &mut [f32], dg: &mut [f32], dy: &[f32], x: &[f32], inv: &[f32], g: &[f32]) as backward_body
}

#[inline(always)]
fn backward_body<F: Fma>(dx: &mut [f32], dg: &mut [f32], dy: &[f32], x: &[f32], inv: &[f32], g: &[f32]) {
    let d = g.len();
    for (((dx, dy), x), inv) in dx.chunks_exact_mut(d).zip(dy.chunks_exact(d)).zip(x.chunks_exact(d)).zip(inv)
    {
        let projection = triple_dot::<F>(dy, g, x) * inv * inv / d as f32;
        for i in 0..d {
            dg[i] = F::fma(dy[i] * *inv, x[i], dg[i]);
            dx[i] = F::fma(*inv, F::fma(-x[i], projection, dy[i] * g[i]), dx[i]);
        }
    }
}

/// `sum(a * b * c)`.
#[inline(always)]
fn triple_dot<F: Fma>(a: &[f32], b: &[f32], c: &[f32]) -> f32 {
    let mut acc = [0f32; LANES];
    let chunks = a.len() / LANES * LANES;
    for i in (0..chunks).step_by(LANES) {
        for l in 0..LANES {
            acc[l] = F::fma(a[i + l] * b[i + l], c[i + l], acc[l]);
        }
    }
    for i in chunks..a.len() {
        acc[i - chunks] = F::fma(a[i] * b[i], c[i], acc[i - chunks]);
    }
    sum_lanes(acc)
}

#[cfg(test)]
mod tests {
    use crate::finite_difference::{assert_gradient, inner, random, wide};

    fn reference(x: &[f64], g: &[f64], eps: f64) -> Vec<f64> {
        let d = g.len();
        x.chunks_exact(d)
            .flat_map(|row| {
                let inv = 1.0 / (row.iter().map(|v| v * v).sum::<f64>() / d as f64 + eps).sqrt();
                row.iter().zip(g).map(move |(v, g)| v * inv * g).collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn forward_and_backward_agree_with_f64() {
        for d in [8, 32, 37, 128] {
            let (x, g, dy) = (random(3 * d, 1), random(d, 2), random(3 * d, 3));
            let (mut y, mut inv) = (vec![0.0; 3 * d], vec![0.0; 3]);
            super::forward(&mut y, &mut inv, &x, &g, 1e-5);
            for (a, b) in y.iter().zip(reference(&wide(&x), &wide(&g), 1e-5)) {
                assert!((*a as f64 - b).abs() < 1e-5);
            }
            let (mut dx, mut dg) = (vec![0.0; 3 * d], vec![0.0; d]);
            super::backward(&mut dx, &mut dg, &dy, &x, &inv, &g);
            assert_gradient("x", &wide(&x), &dx, 1e-4, |x| inner(&reference(x, &wide(&g), 1e-5), &dy));
            assert_gradient("g", &wide(&g), &dg, 1e-4, |g| inner(&reference(&wide(&x), g, 1e-5), &dy));
        }
    }
}
