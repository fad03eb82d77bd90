//! Rotary position embeddings (Su et al., 2021) in the "rotate half" layout of Llama checkpoints.
//!
//! Pair `(x[i], x[i + d/2])` of a head is rotated by `position * frequency[i]`.

use crate::simd::{Fma, dispatch};

/// Cosines and sines for positions `0..len`, `[len, head_dim / 2]` each.
#[derive(Clone, Debug)]
pub struct Table {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

impl Table {
    /// A table from one frequency (radians per position) for each pair of a head.
    pub fn new(len: usize, frequencies: &[f64]) -> Self {
        let half = frequencies.len();
        let (mut cos, mut sin) = (Vec::with_capacity(len * half), Vec::with_capacity(len * half));
        for p in 0..len {
            for f in frequencies {
                // The angle is rounded to f32 first, because that is what the checkpoints were trained with.
                let angle = (p as f32 * *f as f32) as f64;
                cos.push(angle.cos() as f32);
                sin.push(angle.sin() as f32);
            }
        }
        Table { cos, sin, half }
    }

    /// How many positions the table covers.
    pub fn len(&self) -> usize {
        self.cos.len() / self.half.max(1)
    }

    /// Whether the table covers no position.
    pub fn is_empty(&self) -> bool {
        self.cos.is_empty()
    }
}

dispatch! {
    /// Rotates in place the first `heads` heads of every row of `x` (rows are `stride` apart) by its position.
    pub fn rotate(x: &mut [f32], stride: usize, heads: usize, positions: &[u32], table: &Table) as rotate_forward
}

dispatch! {
    /// The gradient of [`rotate`]: the inverse rotation, in place.
    pub fn rotate_back(x: &mut [f32], stride: usize, heads: usize, positions: &[u32], table: &Table) as rotate_backward
}

#[inline(always)]
fn rotate_forward<F: Fma>(x: &mut [f32], stride: usize, heads: usize, positions: &[u32], table: &Table) {
    turn::<F>(x, stride, heads, positions, table, 1.0);
}

#[inline(always)]
fn rotate_backward<F: Fma>(x: &mut [f32], stride: usize, heads: usize, positions: &[u32], table: &Table) {
    turn::<F>(x, stride, heads, positions, table, -1.0);
}

#[inline(always)]
fn turn<F: Fma>(x: &mut [f32], stride: usize, heads: usize, positions: &[u32], table: &Table, sign: f32) {
    let half = table.half;
    for (row, position) in x.chunks_mut(stride).zip(positions) {
        let at = *position as usize * half;
        let (cos, sin) = (&table.cos[at..at + half], &table.sin[at..at + half]);
        for head in row[..heads * 2 * half].chunks_exact_mut(2 * half) {
            let (a, b) = head.split_at_mut(half);
            for i in 0..half {
                let (x0, x1, s) = (a[i], b[i], sign * sin[i]);
                a[i] = F::fma(x0, cos[i], -(x1 * s));
                b[i] = F::fma(x1, cos[i], x0 * s);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finite_difference::{assert_gradient, inner, random, wide};

    fn reference(x: &[f64], heads: usize, stride: usize, positions: &[u32], freq: &[f64]) -> Vec<f64> {
        let half = freq.len();
        let mut out = x.to_vec();
        for (n, p) in positions.iter().enumerate() {
            for h in 0..heads {
                for (i, frequency) in freq.iter().enumerate() {
                    let (a, b) = (n * stride + h * 2 * half + i, n * stride + h * 2 * half + half + i);
                    let (sin, cos) = (*p as f64 * frequency).sin_cos();
                    out[a] = x[a] * cos - x[b] * sin;
                    out[b] = x[b] * cos + x[a] * sin;
                }
            }
        }
        out
    }

    #[test]
    fn forward_and_backward_agree_with_f64() {
        let freq: Vec<f64> = (0..4).map(|i| 10000f64.powf(-(i as f64) / 4.0)).collect();
        let (heads, stride, positions) = (2, 20, [0u32, 1, 5, 2]);
        let table = Table::new(8, &freq);
        let x = random(4 * stride, 1);
        let dy = random(4 * stride, 2);
        let mut y = x.clone();
        rotate(&mut y, stride, heads, &positions, &table);
        for (a, b) in y.iter().zip(reference(&wide(&x), heads, stride, &positions, &freq)) {
            assert!((*a as f64 - b).abs() < 1e-5);
        }
        let mut dx = dy.clone();
        rotate_back(&mut dx, stride, heads, &positions, &table);
        assert_gradient("x", &wide(&x), &dx, 1e-4, |x| {
            inner(&reference(x, heads, stride, &positions, &freq), &dy)
        });
    }
}
