//! Attention of new tokens over the keys and values of all tokens before them, which are kept in pages.
//!
//! A page holds [`PAGE`] tokens of one layer, for each key/value head first the keys, transposed, then the values:
//! `[kv_heads][k_t[dim, PAGE] | v[PAGE, dim]]`, with `dim` the head's width filled up to whole vectors. Pages start at
//! multiples of [`PAGE`], so sums run in the same order however a sequence came to be cut into calls: the result does not
//! depend on what was kept and what was computed anew.

use super::{BLOCK, Scratch, Shape, gather, matmul, scatter, softmax};
use crate::simd::{Fma, LANES, dispatch};

/// Tokens of a page.
pub const PAGE: usize = 32;

/// How many numbers a page of one layer holds.
pub fn page_len(shape: Shape) -> usize {
    shape.kv_heads * head_len(shape.head_dim)
}

/// Numbers of one key/value head in a page.
fn head_len(head_dim: usize) -> usize {
    2 * PAGE * head_dim.next_multiple_of(LANES)
}

/// Keeps the key and the value of a token, from its row of the fused, rotated projections, as token `at` of a page.
pub fn keep(page: &mut [f32], at: usize, row: &[f32], shape: Shape) {
    let hd = shape.head_dim;
    let dim = hd.next_multiple_of(LANES);
    for (kv, head) in page.chunks_exact_mut(head_len(hd)).enumerate() {
        let (keys, values) = head.split_at_mut(PAGE * dim);
        let key = &row[(shape.heads + kv) * hd..][..hd];
        let value = &row[(shape.heads + shape.kv_heads + kv) * hd..][..hd];
        keys.iter_mut().skip(at).step_by(PAGE).zip(key).for_each(|(to, from)| *to = *from);
        values[at * dim..][..hd].copy_from_slice(value);
    }
}

dispatch! {
    /// `out[new, heads * head_dim]` of the last `new` tokens of a sequence of `past + new` tokens, from their rows of the
    /// fused, rotated projections; `pages` hold the keys and values of all.
    pub fn paged(out: &mut [f32], qkv: &[f32], pages: &[&[f32]], past: usize, new: usize, shape: Shape, scratch: &mut Scratch) as paged_body
}

#[inline(always)]
fn paged_body<F: Fma>(
    out: &mut [f32],
    qkv: &[f32],
    pages: &[&[f32]],
    past: usize,
    new: usize,
    shape: Shape,
    scratch: &mut Scratch,
) {
    let (width, out_width, hd) = (shape.qkv_width(), shape.out_width(), shape.head_dim);
    let dim = hd.next_multiple_of(LANES);
    let padded = pages.len() * PAGE;
    scratch.fit_rows(padded, dim);
    // Query heads that share keys and values go together: with one new token each there would be little to do at once.
    let group = shape.heads / shape.kv_heads;
    let together = group.min(BLOCK);
    let queries = BLOCK / together;
    for kv in 0..shape.kv_heads {
        let (keys, values) = (kv * head_len(hd), kv * head_len(hd) + PAGE * dim);
        for first_head in (kv * group..(kv + 1) * group).step_by(together) {
            let heads = first_head..(first_head + together).min((kv + 1) * group);
            for first in (0..new).step_by(queries) {
                let count = (new - first).min(queries);
                let rows = heads.len() * count;
                for (i, head) in heads.clone().enumerate() {
                    let q = &mut scratch.q[i * count * dim..];
                    gather(q, &qkv[first * width..], width, head * hd, hd, count, dim);
                }
                let last = past + first + count;
                for (p, page) in pages.iter().enumerate().take(last.div_ceil(PAGE)) {
                    let scores = &mut scratch.p[p * PAGE..];
                    let tokens = (last - p * PAGE).min(PAGE).next_multiple_of(LANES);
                    matmul::<F>(
                        scores,
                        padded,
                        &scratch.q,
                        (dim, 1),
                        &page[keys..],
                        PAGE,
                        (rows, tokens, hd),
                        false,
                    );
                }
                for row in 0..rows {
                    let seen = past + first + row % count + 1;
                    softmax::<F>(&mut scratch.p[row * padded..][..padded], seen, shape.scale());
                }
                for (p, page) in pages.iter().enumerate().take(last.div_ceil(PAGE)) {
                    let weights = &scratch.p[p * PAGE..];
                    let tokens = (last - p * PAGE).min(PAGE);
                    let v = &page[values..];
                    matmul::<F>(
                        &mut scratch.rows,
                        dim,
                        weights,
                        (padded, 1),
                        v,
                        dim,
                        (rows, dim, tokens),
                        p > 0,
                    );
                }
                for (i, head) in heads.clone().enumerate() {
                    let rows = &scratch.rows[i * count * dim..];
                    scatter(&mut out[first * out_width..], out_width, head * hd, rows, hd, count, dim);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Segment, forward};
    use super::*;
    use crate::finite_difference::random;

    /// Attends over a sequence that comes in pieces.
    fn in_pieces(qkv: &[f32], pieces: &[usize], shape: Shape) -> Vec<f32> {
        let width = shape.qkv_width();
        let n: usize = pieces.iter().sum();
        // What no token was kept in must not matter.
        let mut pages = vec![vec![f32::NAN; page_len(shape)]; n.div_ceil(PAGE) + 1];
        let (mut out, mut past, mut scratch) = (Vec::new(), 0, Scratch::default());
        for new in pieces {
            let rows = &qkv[past * width..][..new * width];
            for (i, row) in rows.chunks_exact(width).enumerate() {
                keep(&mut pages[(past + i) / PAGE], (past + i) % PAGE, row, shape);
            }
            let held: Vec<&[f32]> = pages.iter().map(Vec::as_slice).collect();
            let mut piece = vec![0f32; new * shape.out_width()];
            paged(&mut piece, rows, &held, past, *new, shape, &mut scratch);
            out.extend(piece);
            past += new;
        }
        out
    }

    #[test]
    fn pieces_attend_as_the_whole_does() {
        for (hd, heads, kv_heads) in [(4, 2, 1), (16, 2, 2), (24, 8, 2), (8, 40, 1)] {
            let shape = Shape { heads, kv_heads, head_dim: hd };
            let n = 75;
            let qkv: Vec<f32> = random(n * shape.qkv_width(), 1).iter().map(|x| x * 2.0).collect();
            let mut whole = vec![0f32; n * shape.out_width()];
            forward(&mut whole, &qkv, &[Segment { start: 0, len: n }], shape, &mut Scratch::default());
            let at_once = in_pieces(&qkv, &[n], shape);
            for (a, b) in at_once.iter().zip(&whole) {
                assert!((a - b).abs() < 1e-5, "{hd} {heads} {kv_heads}: {a} {b}");
            }
            for pieces in [vec![1; n], vec![33, 1, 1, 31, 9], vec![64, 11]] {
                assert_eq!(in_pieces(&qkv, &pieces, shape), at_once, "{pieces:?}");
            }
        }
    }
}
