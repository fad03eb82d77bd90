//! Causal grouped-query attention over ragged segments, forward and backward.
//!
//! A batch is a list of segments (documents); a token attends to earlier tokens of its own segment only, so packing
//! never lets one document see another. Work goes by (segment, key/value head, query head, block of queries); keys and
//! values of a head are first gathered into contiguous scratch. Probabilities are recomputed in the backward pass
//! instead of being stored, as in FlashAttention (Dao et al., 2022).

mod paged;

pub use paged::{PAGE, keep, page_len, paged};

use crate::simd::{Fma, LANES, dispatch, dot, exp, sum_lanes};

/// Sizes of the attention of one layer.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Query heads.
    pub heads: usize,
    /// Key/value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
}

impl Shape {
    /// Row length of the fused projection `[q heads | k heads | v heads]`.
    pub fn qkv_width(&self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head_dim
    }
    /// Row length of the attention output.
    pub fn out_width(&self) -> usize {
        self.heads * self.head_dim
    }
    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }
}

/// A run of consecutive tokens that belong together: `start..start + len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Index of the first token in the batch.
    pub start: usize,
    /// Number of tokens.
    pub len: usize,
}

/// Queries handled together: enough to reuse a loaded key, few enough that their probabilities stay in cache.
const BLOCK: usize = 32;

/// Buffers of one thread, kept between calls so that nothing is allocated in a training step.
#[derive(Default, Debug)]
pub struct Scratch {
    k: Vec<f32>,
    k_t: Vec<f32>,
    v: Vec<f32>,
    v_t: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
    q: Vec<f32>,
    d_out: Vec<f32>,
    rows: Vec<f32>,
    p: Vec<f32>,
    dp: Vec<f32>,
}

impl Scratch {
    fn fit(&mut self, len: usize, dim: usize) {
        let tokens = len.next_multiple_of(LANES) * dim;
        for buffer in [&mut self.k, &mut self.k_t, &mut self.v, &mut self.v_t, &mut self.dk, &mut self.dv] {
            if buffer.len() < tokens {
                buffer.resize(tokens, 0.0);
            }
        }
        for (buffer, len) in [(&mut self.d_out, dim), (&mut self.dp, len.next_multiple_of(LANES))] {
            if buffer.len() < BLOCK * len {
                buffer.resize(BLOCK * len, 0.0);
            }
        }
        self.fit_rows(len.next_multiple_of(LANES), dim);
    }

    /// Room for a block of queries and its probabilities over `padded` keys.
    fn fit_rows(&mut self, padded: usize, dim: usize) {
        for (buffer, len) in [(&mut self.q, dim), (&mut self.rows, dim), (&mut self.p, padded)] {
            if buffer.len() < BLOCK * len {
                buffer.resize(BLOCK * len, 0.0);
            }
        }
    }
}

dispatch! {
    /// `out[n, heads * head_dim]` from the fused, already rotated projections `qkv[n, qkv_width]`.
    pub fn forward(out: &mut [f32], qkv: &[f32], segments: &[Segment], shape: Shape, scratch: &mut Scratch) as forward_body
}

#[inline(always)]
fn forward_body<F: Fma>(
    out: &mut [f32],
    qkv: &[f32],
    segments: &[Segment],
    shape: Shape,
    scratch: &mut Scratch,
) {
    let (width, hd) = (shape.qkv_width(), shape.head_dim);
    let dim = hd.next_multiple_of(LANES);
    for segment in segments {
        scratch.fit(segment.len, dim);
        let padded = segment.len.next_multiple_of(LANES);
        let qkv = &qkv[segment.start * width..][..segment.len * width];
        let out = &mut out[segment.start * shape.out_width()..][..segment.len * shape.out_width()];
        for kv in 0..shape.kv_heads {
            gather_transposed(&mut scratch.k_t, qkv, width, (shape.heads + kv) * hd, hd, segment.len, padded);
            gather(
                &mut scratch.v,
                qkv,
                width,
                (shape.heads + shape.kv_heads + kv) * hd,
                hd,
                segment.len,
                dim,
            );
            let group = shape.heads / shape.kv_heads;
            for head in kv * group..(kv + 1) * group {
                for first in (0..segment.len).step_by(BLOCK) {
                    let last = (first + BLOCK).min(segment.len);
                    gather(&mut scratch.q, &qkv[first * width..], width, head * hd, hd, last - first, dim);
                    probabilities::<F>(
                        &mut scratch.p,
                        &scratch.q,
                        &scratch.k_t,
                        first,
                        last,
                        hd,
                        dim,
                        padded,
                        shape.scale(),
                    );
                    matmul::<F>(
                        &mut scratch.rows,
                        dim,
                        &scratch.p,
                        (padded, 1),
                        &scratch.v,
                        dim,
                        (last - first, dim, last),
                        false,
                    );
                    scatter(
                        &mut out[first * shape.out_width()..],
                        shape.out_width(),
                        head * hd,
                        &scratch.rows,
                        hd,
                        last - first,
                        dim,
                    );
                }
            }
        }
    }
}

dispatch! {
    /// Writes the gradient of `qkv` into `d_qkv`, given the gradient of the output.
    pub fn backward(d_qkv: &mut [f32], d_out: &[f32], qkv: &[f32], segments: &[Segment], shape: Shape, scratch: &mut Scratch) as backward_body
}

#[inline(always)]
fn backward_body<F: Fma>(
    d_qkv: &mut [f32],
    d_out: &[f32],
    qkv: &[f32],
    segments: &[Segment],
    shape: Shape,
    scratch: &mut Scratch,
) {
    let (width, out_width, hd) = (shape.qkv_width(), shape.out_width(), shape.head_dim);
    let dim = hd.next_multiple_of(LANES);
    for segment in segments {
        let len = segment.len;
        scratch.fit(len, dim);
        let padded = len.next_multiple_of(LANES);
        let qkv = &qkv[segment.start * width..][..len * width];
        let d_qkv = &mut d_qkv[segment.start * width..][..len * width];
        let d_out = &d_out[segment.start * out_width..][..len * out_width];
        for kv in 0..shape.kv_heads {
            let (k_at, v_at) = ((shape.heads + kv) * hd, (shape.heads + shape.kv_heads + kv) * hd);
            gather(&mut scratch.k, qkv, width, k_at, hd, len, dim);
            gather_transposed(&mut scratch.k_t, qkv, width, k_at, hd, len, padded);
            gather_transposed(&mut scratch.v_t, qkv, width, v_at, hd, len, padded);
            scratch.dk[..padded * dim].fill(0.0);
            scratch.dv[..padded * dim].fill(0.0);
            let group = shape.heads / shape.kv_heads;
            for head in kv * group..(kv + 1) * group {
                for first in (0..len).step_by(BLOCK) {
                    let last = (first + BLOCK).min(len);
                    let rows = last - first;
                    gather(&mut scratch.q, &qkv[first * width..], width, head * hd, hd, rows, dim);
                    gather(
                        &mut scratch.d_out,
                        &d_out[first * out_width..],
                        out_width,
                        head * hd,
                        hd,
                        rows,
                        dim,
                    );
                    probabilities::<F>(
                        &mut scratch.p,
                        &scratch.q,
                        &scratch.k_t,
                        first,
                        last,
                        hd,
                        dim,
                        padded,
                        shape.scale(),
                    );
                    // dP = dO V^T; then dS = P * (dP - sum(P * dP)) * scale, in place.
                    let seen = last.next_multiple_of(LANES);
                    matmul::<F>(
                        &mut scratch.dp,
                        padded,
                        &scratch.d_out,
                        (dim, 1),
                        &scratch.v_t,
                        padded,
                        (rows, seen, hd),
                        false,
                    );
                    for r in 0..rows {
                        let p = &scratch.p[r * padded..][..seen];
                        let dp = &mut scratch.dp[r * padded..][..seen];
                        let expected = dot::<F>(p, dp);
                        for (dp, p) in dp.iter_mut().zip(p) {
                            *dp = p * (*dp - expected) * shape.scale();
                        }
                    }
                    matmul::<F>(
                        &mut scratch.rows,
                        dim,
                        &scratch.dp,
                        (padded, 1),
                        &scratch.k,
                        dim,
                        (rows, dim, last),
                        false,
                    );
                    scatter(&mut d_qkv[first * width..], width, head * hd, &scratch.rows, hd, rows, dim);
                    matmul::<F>(
                        &mut scratch.dk,
                        dim,
                        &scratch.dp,
                        (1, padded),
                        &scratch.q,
                        dim,
                        (last, dim, rows),
                        true,
                    );
                    matmul::<F>(
                        &mut scratch.dv,
                        dim,
                        &scratch.p,
                        (1, padded),
                        &scratch.d_out,
                        dim,
                        (last, dim, rows),
                        true,
                    );
                }
            }
            scatter(d_qkv, width, k_at, &scratch.dk, hd, len, dim);
            scatter(d_qkv, width, v_at, &scratch.dv, hd, len, dim);
        }
    }
}

/// `p[rows, padded]`: softmax of the scaled scores of queries `first..last` against keys `0..=query`, 0 elsewhere.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn probabilities<F: Fma>(
    p: &mut [f32],
    q: &[f32],
    k_t: &[f32],
    first: usize,
    last: usize,
    hd: usize,
    dim: usize,
    padded: usize,
    scale: f32,
) {
    let seen = last.next_multiple_of(LANES);
    matmul::<F>(p, padded, q, (dim, 1), k_t, padded, (last - first, seen, hd), false);
    for query in first..last {
        softmax::<F>(&mut p[(query - first) * padded..][..seen], query + 1, scale);
    }
}

/// The softmax of the first `seen` scores, times `scale`, of a row; 0 beyond.
#[inline(always)]
fn softmax<F: Fma>(row: &mut [f32], seen: usize, scale: f32) {
    let (valid, hidden) = row.split_at_mut(seen);
    hidden.fill(0.0);
    let max = largest(valid);
    let mut sum = [0f32; LANES];
    let mut chunks = valid.chunks_exact_mut(LANES);
    for c in &mut chunks {
        for l in 0..LANES {
            c[l] = exp::<F>((c[l] - max) * scale);
            sum[l] += c[l];
        }
    }
    for (l, x) in chunks.into_remainder().iter_mut().enumerate() {
        *x = exp::<F>((*x - max) * scale);
        sum[l] += *x;
    }
    let inverse = 1.0 / sum_lanes(sum);
    valid.iter_mut().for_each(|x| *x *= inverse);
}

/// The largest number; by lanes, because a compiler may not reorder comparisons by itself.
#[inline(always)]
fn largest(x: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder();
    for c in chunks {
        for l in 0..LANES {
            lanes[l] = larger(lanes[l], c[l]);
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| larger(a, *b))
}

/// `c[m,n] (+)= a[m,k] b[k,n]` for the small matrices of one head; `a` by (row, column) strides, `n` a multiple of
/// the lane count. `size` is `(m, n, k)`.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn matmul<F: Fma>(
    c: &mut [f32],
    c_stride: usize,
    a: &[f32],
    a_strides: (usize, usize),
    b: &[f32],
    b_stride: usize,
    size: (usize, usize, usize),
    add: bool,
) {
    let (m, n, k) = size;
    let mut row = 0;
    while row < m {
        let left = m - row;
        let (c, a) = (&mut c[row * c_stride..], &a[row * a_strides.0..]);
        let mut column = 0;
        while column < n {
            let (c, b) = (&mut c[column..], &b[column..]);
            // Two vectors of columns where the registers allow: each number of `a` is then loaded half as often.
            let pair = F::REGISTERS >= 24 && column + 2 * LANES <= n;
            if left == 1 && F::REGISTERS >= 6 && column + 4 * LANES <= n {
                // A single row mostly reads `b`, and does so best in one go.
                tile::<F, 1, 4>(c, c_stride, a, a_strides, b, b_stride, k, add);
                column += 4 * LANES;
                continue;
            }
            let pair = pair || left < 4 && F::REGISTERS >= 6 && column + 2 * LANES <= n;
            match (left, pair) {
                (8.., true) => tile::<F, 8, 2>(c, c_stride, a, a_strides, b, b_stride, k, add),
                (4.., true) => tile::<F, 4, 2>(c, c_stride, a, a_strides, b, b_stride, k, add),
                (2.., true) => tile::<F, 2, 2>(c, c_stride, a, a_strides, b, b_stride, k, add),
                (_, true) => tile::<F, 1, 2>(c, c_stride, a, a_strides, b, b_stride, k, add),
                (8.., false) => tile::<F, 8, 1>(c, c_stride, a, a_strides, b, b_stride, k, add),
                (4.., false) => tile::<F, 4, 1>(c, c_stride, a, a_strides, b, b_stride, k, add),
                (2.., false) => tile::<F, 2, 1>(c, c_stride, a, a_strides, b, b_stride, k, add),
                _ => tile::<F, 1, 1>(c, c_stride, a, a_strides, b, b_stride, k, add),
            }
            column += if pair { 2 * LANES } else { LANES };
        }
        row += match left {
            8.. => 8,
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
    }
}

/// `R` rows by `C` vectors of columns, kept in registers over the whole sum.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn tile<F: Fma, const R: usize, const C: usize>(
    c: &mut [f32],
    c_stride: usize,
    a: &[f32],
    a_strides: (usize, usize),
    b: &[f32],
    b_stride: usize,
    k: usize,
    add: bool,
) {
    // Checked once, so that the loops have no bounds checks.
    assert!((R - 1) * c_stride + C * LANES <= c.len());
    assert!(k == 0 || (k - 1) * b_stride + C * LANES <= b.len());
    assert!(k == 0 || (R - 1) * a_strides.0 + (k - 1) * a_strides.1 < a.len());
    // SAFETY: the largest indices reached are those asserted above.
    unsafe {
        let zero = F::load([0f32; LANES].as_ptr());
        let mut acc: [[F::Vector; C]; R] =
            std::array::from_fn(|r| {
                std::array::from_fn(|v| {
                    if add { F::load(c.as_ptr().add(r * c_stride + v * LANES)) } else { zero }
                })
            });
        for l in 0..k {
            let b: [F::Vector; C] =
                std::array::from_fn(|v| F::load(b.as_ptr().add(l * b_stride + v * LANES)));
            for (r, acc) in acc.iter_mut().enumerate() {
                let a = *a.get_unchecked(r * a_strides.0 + l * a_strides.1);
                for (acc, b) in acc.iter_mut().zip(&b) {
                    *acc = F::scale_add(a, *b, *acc);
                }
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (v, acc) in acc.iter().enumerate() {
                F::store(c.as_mut_ptr().add(r * c_stride + v * LANES), *acc);
            }
        }
    }
}

/// Copies columns `at..at + hd` of `n` rows into rows of length `dim`, zero-padded.
#[inline(always)]
fn gather(to: &mut [f32], from: &[f32], stride: usize, at: usize, hd: usize, n: usize, dim: usize) {
    for r in 0..n {
        let row = &mut to[r * dim..][..dim];
        row[..hd].copy_from_slice(&from[r * stride + at..][..hd]);
        row[hd..].fill(0.0);
    }
}

/// As [`gather`], transposed: `to[hd, padded]`, columns beyond `n` zero.
#[inline(always)]
fn gather_transposed(
    to: &mut [f32],
    from: &[f32],
    stride: usize,
    at: usize,
    hd: usize,
    n: usize,
    padded: usize,
) {
    for i in 0..hd {
        let row = &mut to[i * padded..][..padded];
        for (r, x) in row[..n].iter_mut().enumerate() {
            *x = from[r * stride + at + i];
        }
        row[n..].fill(0.0);
    }
}

/// The inverse of [`gather`].
#[inline(always)]
fn scatter(to: &mut [f32], stride: usize, at: usize, from: &[f32], hd: usize, n: usize, dim: usize) {
    for r in 0..n {
        to[r * stride + at..][..hd].copy_from_slice(&from[r * dim..][..hd]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finite_difference::{assert_gradient, inner, random, wide};

    fn reference(qkv: &[f64], segments: &[Segment], s: Shape) -> Vec<f64> {
        let (w, hd) = (s.qkv_width(), s.head_dim);
        let n = qkv.len() / w;
        let mut out = vec![0f64; n * s.out_width()];
        for seg in segments {
            for head in 0..s.heads {
                let kv = head / (s.heads / s.kv_heads);
                for i in 0..seg.len {
                    let q = &qkv[(seg.start + i) * w + head * hd..][..hd];
                    let scores: Vec<f64> = (0..=i)
                        .map(|j| {
                            let k = &qkv[(seg.start + j) * w + (s.heads + kv) * hd..][..hd];
                            q.iter().zip(k).map(|(a, b)| a * b).sum::<f64>() / (hd as f64).sqrt()
                        })
                        .collect();
                    let total: f64 = scores.iter().map(|x| x.exp()).sum();
                    for (j, score) in scores.iter().enumerate() {
                        let v = &qkv[(seg.start + j) * w + (s.heads + s.kv_heads + kv) * hd..][..hd];
                        for c in 0..hd {
                            out[(seg.start + i) * s.out_width() + head * hd + c] +=
                                score.exp() / total * v[c];
                        }
                    }
                }
            }
        }
        out
    }

    #[test]
    fn forward_and_backward_agree_with_f64() {
        // Segments shorter and longer than a block of queries; head widths that do and do not fill a vector.
        for (hd, heads, kv_heads) in [(4, 2, 1), (16, 2, 2), (24, 4, 2)] {
            let shape = Shape { heads, kv_heads, head_dim: hd };
            let segments =
                [Segment { start: 0, len: 5 }, Segment { start: 5, len: 1 }, Segment { start: 7, len: 41 }];
            let n = 48;
            let qkv: Vec<f32> = random(n * shape.qkv_width(), 1).iter().map(|x| x * 2.0).collect();
            let mut out = vec![0f32; n * shape.out_width()];
            let mut scratch = Scratch::default();
            forward(&mut out, &qkv, &segments, shape, &mut scratch);
            for (i, (a, b)) in out.iter().zip(reference(&wide(&qkv), &segments, shape)).enumerate() {
                assert!((*a as f64 - b).abs() < 1e-5, "head_dim {hd} out[{i}]: {a} {b}");
            }
            let d_out = random(out.len(), 2);
            let mut d_qkv = vec![0f32; qkv.len()];
            backward(&mut d_qkv, &d_out, &qkv, &segments, shape, &mut scratch);
            assert_gradient("qkv", &wide(&qkv), &d_qkv, 1e-4, |x| {
                inner(&reference(x, &segments, shape), &d_out)
            });
        }
    }
}
