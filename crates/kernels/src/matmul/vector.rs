//! Products in f32 on the CPU's vectors.
//!
//! Every sum runs over the depth in order, one fused multiply-add at a time, whatever the width of the vectors: CPUs
//! that fuse give the same bits.

use super::{MatMut, Operand, Side, Write};
use crate::simd::{Fma, LANES, Line, dispatch, prefetch, prefetch_far};

/// Rows of a strip of the left operand.
const ROWS: usize = 12;
/// Columns of a strip of the right operand.
const COLS: usize = 2 * LANES;
/// How many groups of a strip are asked for before they are used.
const AHEAD: usize = 16;

fn width(side: Side) -> usize {
    match side {
        Side::Left => ROWS,
        Side::Right => COLS,
    }
}

/// Lines that [`pack`] fills for an operand.
pub(super) fn packed_lines(outer: usize, depth: usize, side: Side) -> usize {
    (outer.div_ceil(width(side)) * depth * width(side)).div_ceil(LANES)
}

dispatch! {
    /// Lays out an operand as `[strip][depth][row or column of the strip]`, padded with zeros; `rounded` to bf16 if
    /// asked.
    pub(super) fn pack(to: &mut [Line], from: &Operand, side: Side, rounded: bool) as pack_body
}

#[inline(always)]
fn pack_body<F: Fma>(to: &mut [Line], from: &Operand, side: Side, rounded: bool) {
    let to = Line::numbers_mut(to);
    match side {
        Side::Left => pack_strips::<ROWS>(to, from),
        Side::Right => pack_strips::<COLS>(to, from),
    }
    if rounded {
        to.iter_mut().for_each(|x| *x = nearest_bf16(*x));
    }
}

/// The nearest number whose f32 ends in 16 zeros, ties to even. Numbers that bf16 cannot tell from 0 become 0, as they
/// do in the tiles; what is not a number stays none.
#[inline(always)]
fn nearest_bf16(x: f32) -> f32 {
    let bits = x.to_bits();
    let up = 0x7fff + (bits >> 16 & 1);
    let rounded = f32::from_bits(bits.wrapping_add(up) & 0xffff_0000);
    if x.is_nan() {
        x
    } else if x.abs() < f32::MIN_POSITIVE {
        0.0
    } else {
        rounded
    }
}

#[inline(always)]
fn pack_strips<const W: usize>(to: &mut [f32], from: &Operand) {
    let strips = to.chunks_exact_mut(W * from.depth).zip((0..from.outer).step_by(W));
    for (strip, first) in strips {
        let outer = (from.outer - first).min(W);
        if outer < W {
            strip.fill(0.0);
        }
        if from.outer_stride == 1 {
            for (k, to) in strip.chunks_exact_mut(W).enumerate() {
                let from = &from.data[first + k * from.depth_stride..][..outer];
                match <&mut [f32; W]>::try_from(&mut *to) {
                    Ok(to) if outer == W => {
                        for (to, from) in to.iter_mut().zip(from) {
                            *to = *from;
                        }
                    }
                    _ => to[..outer].copy_from_slice(from),
                }
            }
        } else {
            // A transposition: in squares, so that the lines written stay in the cache.
            for at in (0..from.depth).step_by(LANES) {
                let depth = (from.depth - at).min(LANES);
                for o in 0..outer {
                    let run = &from.data[(first + o) * from.outer_stride + at * from.depth_stride..];
                    for k in 0..depth {
                        strip[(at + k) * W + o] = run[k * from.depth_stride];
                    }
                }
            }
        }
    }
}

/// Writes the upper halves of laid out numbers, if the lower halves are all zero; says whether they are.
pub(super) fn narrow(to: &mut Vec<u16>, from: &[Line]) -> bool {
    let numbers = Line::numbers(from);
    let fits = numbers.iter().all(|x| x.to_bits() & 0xffff == 0);
    if fits {
        to.extend(numbers.iter().map(|x| (x.to_bits() >> 16) as u16));
    }
    fits
}

dispatch! {
    /// As [`product`], by a right operand that [`narrow`] made; strips are widened one by one, in the memory of `strip`.
    pub(super) fn product_of_halves(out: MatMut, left: &[Line], right: &[u16], depth: usize, scale: f32, write: Write, strip: &mut Vec<Line>) as product_of_halves_body
}

#[inline(always)]
fn product_of_halves_body<F: Fma>(
    out: MatMut,
    left: &[Line],
    right: &[u16],
    depth: usize,
    scale: f32,
    write: Write,
    strip: &mut Vec<Line>,
) {
    let lines = packed_lines(COLS, depth, Side::Right);
    if strip.len() < lines {
        strip.resize(lines, Line::ZERO);
    }
    let (rows, stride, data) = (out.rows, out.stride, out.data);
    for (halves, col) in right.chunks_exact(COLS * depth).zip((0..out.cols).step_by(COLS)) {
        for (to, half) in Line::numbers_mut(strip).iter_mut().zip(halves) {
            *to = f32::from_bits(u32::from(*half) << 16);
        }
        let cols = (out.cols - col).min(COLS);
        let columns = MatMut::strided(&mut data[col..], rows, cols, stride);
        product_body::<F>(columns, left, &strip[..lines], depth, scale, write);
    }
}

dispatch! {
    /// `out = scale * left right (+ out)`.
    pub(super) fn product(out: MatMut, left: &[Line], right: &[Line], depth: usize, scale: f32, write: Write) as product_body
}

#[inline(always)]
fn product_body<F: Fma>(out: MatMut, left: &[Line], right: &[Line], depth: usize, scale: f32, write: Write) {
    let (left, right) = (Line::numbers(left), Line::numbers(right));
    let mut sums = [0f32; ROWS * COLS];
    let mut ahead = Ahead::new::<F>(out.rows);
    for (right, col) in right.chunks_exact(COLS * depth).zip((0..out.cols).step_by(COLS)) {
        let cols = (out.cols - col).min(COLS);
        ahead.next = right.as_ptr_range().end;
        for (left, row) in left.chunks_exact(ROWS * depth).zip((0..out.rows).step_by(ROWS)) {
            let rows = (out.rows - row).min(ROWS);
            block::<F>(&mut sums, left, right, depth, rows, &mut ahead);
            ahead.near &= ahead.alone;
            for r in 0..rows {
                let sums = &sums[r * COLS..][..cols];
                let out = out.data[(row + r) * out.stride + col..][..cols].iter_mut();
                match write {
                    Write::Set => out.zip(sums).for_each(|(y, x)| *y = scale * x),
                    Write::Add => out.zip(sums).for_each(|(y, x)| *y = F::fma(scale, *x, *y)),
                }
            }
        }
    }
}

/// What of the right operand is asked for before it is read. The strip at work is read once for every piece of the left
/// operand, from the cache but for the first time; so the next strip is asked for little by little over all of them, lest
/// memory wait for the sums, and then the sums for memory.
struct Ahead {
    /// The numbers to be asked for next.
    next: *const f32,
    /// After how many groups of a strip another line of the next strip is asked for.
    every: usize,
    /// Whether the left operand is one piece, which leaves nothing to spread over.
    alone: bool,
    /// Whether the strip at work is to be asked for while it is read: the first one, and where there is one piece, all.
    near: bool,
}

impl Ahead {
    fn new<F: Fma>(rows: usize) -> Ahead {
        let pieces = rows.div_ceil(if F::REGISTERS >= 24 { ROWS } else { ROWS / 4 });
        let every = (pieces * LANES / COLS).max(1);
        Ahead { next: std::ptr::null(), every, alone: pieces == 1, near: true }
    }
}

/// `sums[12, 32]` of two strips, in as many pieces as the registers need; at least the first `rows` rows.
#[inline(always)]
fn block<F: Fma>(
    sums: &mut [f32; ROWS * COLS],
    left: &[f32],
    right: &[f32],
    depth: usize,
    rows: usize,
    ahead: &mut Ahead,
) {
    match (F::REGISTERS, rows) {
        (24.., 7..) => tile::<F, 12, 2>(sums, left, right, depth, 0, 0, ahead),
        (24.., 4..) => tile::<F, 6, 2>(sums, left, right, depth, 0, 0, ahead),
        (24.., _) => tile::<F, 3, 2>(sums, left, right, depth, 0, 0, ahead),
        (6.., _) => {
            let mut row = 0;
            while row < rows {
                // Few rows take both vectors of columns at once: what they do is mostly to read the strip.
                row += match rows - row {
                    1 => {
                        tile::<F, 1, 2>(sums, left, right, depth, row, 0, ahead);
                        1
                    }
                    2..=4 => {
                        tile::<F, 2, 2>(sums, left, right, depth, row, 0, ahead);
                        2
                    }
                    _ => {
                        tile::<F, 6, 1>(sums, left, right, depth, row, 0, ahead);
                        tile::<F, 6, 1>(sums, left, right, depth, row, LANES, ahead);
                        6
                    }
                };
            }
        }
        _ => {
            for row in (0..rows).step_by(2) {
                tile::<F, 2, 1>(sums, left, right, depth, row, 0, ahead);
                tile::<F, 2, 1>(sums, left, right, depth, row, LANES, ahead);
            }
        }
    }
}

/// `R` rows by `C` vectors of columns, kept in registers over the whole sum.
#[inline(always)]
fn tile<F: Fma, const R: usize, const C: usize>(
    sums: &mut [f32; ROWS * COLS],
    left: &[f32],
    right: &[f32],
    depth: usize,
    row: usize,
    col: usize,
    ahead: &mut Ahead,
) {
    assert!(row + R <= ROWS && col + C * LANES <= COLS);
    assert!(left.len() >= ROWS * depth && right.len() >= COLS * depth);
    // The first to read a strip; what it asks for beyond the strip's end is the next strip.
    let near = ahead.near && row == 0 && col == 0;
    // SAFETY: a strip holds `depth` groups of `ROWS` or `COLS` numbers, and the piece lies within a group, as asserted.
    unsafe {
        let (mut left, mut right) = (left.as_ptr().add(row), right.as_ptr().add(col));
        let zero = F::load([0f32; LANES].as_ptr());
        let mut acc = [[zero; C]; R];
        for from in (0..depth).step_by(ahead.every) {
            if !ahead.alone {
                prefetch_far(ahead.next);
                ahead.next = ahead.next.wrapping_add(LANES);
            }
            for _ in from..(from + ahead.every).min(depth) {
                if near {
                    for line in 0..COLS / LANES {
                        prefetch(right.wrapping_add(AHEAD * COLS + line * LANES));
                    }
                }
                let b: [F::Vector; C] = std::array::from_fn(|c| F::load(right.add(c * LANES)));
                for (r, acc) in acc.iter_mut().enumerate() {
                    let a = *left.add(r);
                    for (acc, b) in acc.iter_mut().zip(&b) {
                        *acc = F::scale_add(a, *b, *acc);
                    }
                }
                left = left.add(ROWS);
                right = right.add(COLS);
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (c, acc) in acc.iter().enumerate() {
                F::store(sums.as_mut_ptr().add((row + r) * COLS + col + c * LANES), *acc);
            }
        }
    }
}
