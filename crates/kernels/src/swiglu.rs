//! SwiGLU (Shazeer, 2020): `y = silu(gate) * up`, on rows that hold gate and up side by side.

use crate::simd::{Fma, dispatch, exp};

dispatch! {
    /// `y[n,f] = silu(gate) * up` where row n of `gate_up` is `[gate[f], up[f]]`.
    pub fn forward(y: &mut [f32], gate_up: &[f32], f: usize) as forward_body
}

#[inline(always)]
fn forward_body<F: Fma>(y: &mut [f32], gate_up: &[f32], f: usize) {
    for (y, row) in y.chunks_exact_mut(f).zip(gate_up.chunks_exact(2 * f)) {
        let (gate, up) = row.split_at(f);
        for i in 0..f {
            y[i] = gate[i] / (1.0 + exp::<F>(-gate[i])) * up[i];
        }
    }
}

dispatch! {
    /// Turns `gate_up` into its own gradient, in place, given `dy`.
    pub fn backward(gate_up: &mut [f32], dy: &[f32], f: usize) as backward_body
}

#[inline(always)]
fn backward_body<F: Fma>(gate_up: &mut [f32], dy: &[f32], f: usize) {
    for (dy, row) in dy.chunks_exact(f).zip(gate_up.chunks_exact_mut(2 * f)) {
        let (gate, up) = row.split_at_mut(f);
        for i in 0..f {
            let s = 1.0 / (1.0 + exp::<F>(-gate[i]));
            let silu = gate[i] * s;
            // d silu / d gate = s + gate s (1 - s)
            gate[i] = dy[i] * up[i] * F::fma(silu, 1.0 - s, s);
            up[i] = dy[i] * silu;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finite_difference::{assert_gradient, inner, random, wide};

    fn reference(gate_up: &[f64], f: usize) -> Vec<f64> {
        gate_up
            .chunks_exact(2 * f)
            .flat_map(|r| (0..f).map(|i| r[i] / (1.0 + (-r[i]).exp()) * r[f + i]).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn forward_and_backward_agree_with_f64() {
        let (n, f) = (3, 21);
        let x: Vec<f32> = random(n * 2 * f, 1).iter().map(|v| v * 4.0).collect();
        let dy = random(n * f, 2);
        let mut y = vec![0.0; n * f];
        super::forward(&mut y, &x, f);
        for (a, b) in y.iter().zip(reference(&wide(&x), f)) {
            assert!((*a as f64 - b).abs() < 1e-5);
        }
        let mut dx = x.clone();
        super::backward(&mut dx, &dy, f);
        assert_gradient("gate_up", &wide(&x), &dx, 1e-4, |x| inner(&reference(x, f), &dy));
    }
}
