//! Products on Intel's AMX: tiles of 16 x 16 sums of bf16 products; split operands nearly keep the precision of f32.
//!
//! AMX multiplies bf16, of 8 significant bits; an f32 has 24. A split operand is the nearest bf16 and the bf16 nearest
//! to what that leaves, `x = high + low` to 16 bits, and a product is the sum of `low * high`, `high * low` and
//! `high * high` (`low * low` is below the precision kept), summed in f32: three tile products instead of one, and
//! still faster than f32 vectors. A product of two numbers is off by at most 3 * 2^-16 of it; TF32's by 2^-10. Henry,
//! Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations"
//! (2019), analyse this splitting.

use super::{MatMut, Operand, Side, Write};
use crate::simd::Line;
use std::arch::asm;
use std::arch::x86_64::*;
use std::ops::Range;

/// Rows (left) or columns (right) of a strip, and of the sums of one tile.
const STRIP: usize = 16;
/// Summed numbers of one tile product.
const DEPTH: usize = 32;
/// Lines of one step of one strip: a tile of high halves, then, if split, a tile of low ones.
fn step_lines(split: bool) -> usize {
    if split { 2 * STRIP } else { STRIP }
}
/// Rows and columns of the block that the inner loop keeps in tiles.
const BLOCK: usize = 2 * STRIP;

/// Whether this process may use AMX: the CPU has it and Linux grants its large registers, which it does on request.
pub(crate) fn available() -> bool {
    if !(is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512bw")) {
        return false;
    }
    let leaf = __cpuid_count(7, 0);
    let (bf16, tile) = (leaf.edx >> 22 & 1, leaf.edx >> 24 & 1);
    bf16 == 1 && tile == 1 && cfg!(target_os = "linux") && granted()
}

/// Asks Linux for the tile registers: `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`, for all threads.
fn granted() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
    const XFEATURE_XTILEDATA: i64 = 18;
    let answer: i64;
    // SAFETY: a system call that touches no memory of ours; the clobbered registers are named.
    unsafe {
        asm!("syscall", inlateout("rax") ARCH_PRCTL => answer, in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA, out("rcx") _, out("r11") _, options(nostack));
    }
    answer == 0
}

/// Lines that [`pack`] fills for an operand: whole blocks, so that the inner loop knows no edges.
pub(super) fn packed_lines(outer: usize, depth: usize, split: bool) -> usize {
    outer.next_multiple_of(BLOCK) / STRIP * depth.div_ceil(DEPTH) * step_lines(split)
}

/// Rounds or splits an operand and lays it out as `[strip][step][high, low][16 lines]`.
///
/// A line of a left operand holds 32 numbers of one row; a line of a right operand two rows' numbers of 16 columns,
/// in pairs, which is how the instruction wants its second operand.
pub(super) fn pack(to: &mut [Line], from: &Operand, side: Side, split: bool) {
    // SAFETY: AMX is only chosen where AVX-512 with bf16 was detected.
    unsafe { if split { pack_strips::<2>(to, from, side) } else { pack_strips::<1>(to, from, side) } }
}

/// Pairs of numbers in bf16, a line each: the high halves and, if split, the low ones.
type Pairs<const HALVES: usize> = [[Line; STRIP]; HALVES];

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn pack_strips<const HALVES: usize>(to: &mut [Line], from: &Operand, side: Side) {
    let steps = from.depth.div_ceil(DEPTH);
    let strips = from.outer.div_ceil(STRIP);
    let (used, unused) = to.split_at_mut(strips * steps * HALVES * STRIP);
    unused.fill(Line::ZERO);
    let (tiles, _) = used.as_chunks_mut::<STRIP>();
    let (tiles, _) = tiles.as_chunks_mut::<HALVES>();
    // Vectors of pairs: along the depth for one row or column, or along rows or columns for one pair of depths.
    let along_depth = from.depth_stride == 1;
    let transposed = along_depth == (side == Side::Right);
    let mut pairs = [[Line::ZERO; STRIP]; HALVES];
    for (index, tile) in tiles.iter_mut().enumerate() {
        let (first, at) = (index / steps * STRIP, index % steps * DEPTH);
        let outer = (from.outer - first).min(STRIP);
        let depth = (from.depth - at).min(DEPTH);
        let lines = if transposed { &mut pairs } else { &mut *tile };
        // SAFETY: the tile begins inside the operand, whose extent `Operand` has checked; `outer` rows of `depth`
        // numbers, or the other way round, lie inside it.
        unsafe {
            let source = from.data.as_ptr().add(first * from.outer_stride + at * from.depth_stride);
            if along_depth {
                split_along_depth(lines, source, from.outer_stride, outer, depth);
            } else {
                split_along_outer(lines, source, from.depth_stride, outer, depth);
            }
        }
        if transposed {
            for (to, from) in tile.iter_mut().zip(&pairs) {
                transpose(to, from);
            }
        }
    }
}

/// The first `n` of 16 lanes.
fn first_lanes(n: usize) -> u16 {
    if n >= 16 { u16::MAX } else { (1 << n) - 1 }
}

/// Pairs of neighbours of each of `outer` contiguous runs of `depth` numbers.
///
/// # Safety
/// The runs, `stride` apart, must be readable.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[allow(clippy::needless_range_loop)] // two halves are filled at once
unsafe fn split_along_depth<const HALVES: usize>(
    to: &mut Pairs<HALVES>,
    from: *const f32,
    stride: usize,
    outer: usize,
    depth: usize,
) {
    let (near, far) = (first_lanes(depth), first_lanes(depth.saturating_sub(16)));
    for o in 0..outer {
        // SAFETY: masked lanes are not read, the others are the caller's promise.
        let (a, b) = unsafe {
            let run = from.add(o * stride);
            (_mm512_maskz_loadu_ps(near, run), _mm512_maskz_loadu_ps(far, run.wrapping_add(16)))
        };
        let high = round_both(b, a);
        put(&mut to[0][o], high);
        if HALVES == 2 {
            let rest_a = _mm512_sub_ps(a, widen(_mm512_castsi512_si256(high)));
            let rest_b = _mm512_sub_ps(b, widen(_mm512_extracti64x4_epi64(high, 1)));
            put(&mut to[1][o], round_both(rest_b, rest_a));
        }
    }
    to.iter_mut().for_each(|half| half[outer..].fill(Line::ZERO));
}

/// Pairs of consecutive rows of `outer` contiguous numbers.
///
/// # Safety
/// The rows, `stride` apart, must be readable.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[allow(clippy::needless_range_loop)] // two halves are filled at once
unsafe fn split_along_outer<const HALVES: usize>(
    to: &mut Pairs<HALVES>,
    from: *const f32,
    stride: usize,
    outer: usize,
    depth: usize,
) {
    let lanes = first_lanes(outer);
    for pair in 0..depth.div_ceil(2) {
        // SAFETY: masked lanes are not read, the others are the caller's promise; a second row beyond the last is not.
        let (a, b) = unsafe {
            let second = if 2 * pair + 1 < depth { lanes } else { 0 };
            (
                _mm512_maskz_loadu_ps(lanes, from.add(2 * pair * stride)),
                _mm512_maskz_loadu_ps(second, from.wrapping_add((2 * pair + 1) * stride)),
            )
        };
        let high = interleave(round_both(b, a));
        put(&mut to[0][pair], high);
        if HALVES == 2 {
            // As f32, the upper half of a pair is the second number's, the lower, shifted, the first's.
            let high_a = _mm512_castsi512_ps(_mm512_slli_epi32(high, 16));
            let high_b = _mm512_castsi512_ps(_mm512_and_si512(high, _mm512_set1_epi32(-65536)));
            let low = round_both(_mm512_sub_ps(b, high_b), _mm512_sub_ps(a, high_a));
            put(&mut to[1][pair], interleave(low));
        }
    }
    to.iter_mut().for_each(|half| half[depth.div_ceil(2)..].fill(Line::ZERO));
}

#[inline]
#[target_feature(enable = "avx512f")]
fn put(line: &mut Line, pairs: __m512i) {
    // SAFETY: a line is 64 aligned bytes.
    unsafe { _mm512_store_si512(line.0.as_mut_ptr().cast(), pairs) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn get(line: &Line) -> __m512i {
    // SAFETY: a line is 64 aligned bytes.
    unsafe { _mm512_load_si512(line.0.as_ptr().cast()) }
}

/// The nearest bf16 numbers of two vectors, `low`'s first.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn round_both(high: __m512, low: __m512) -> __m512i {
    // SAFETY: both types are 512 bits without padding.
    unsafe { std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low)) }
}

/// bf16 numbers as f32: they are its upper halves.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn widen(x: __m256i) -> __m512 {
    _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16))
}

/// Pairs of a number of the first half and one of the second.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave(both: __m512i) -> __m512i {
    const ORDER: [u16; 32] = {
        let mut order = [0; 32];
        let mut i = 0;
        while i < 16 {
            order[2 * i] = i as u16;
            order[2 * i + 1] = 16 + i as u16;
            i += 1;
        }
        order
    };
    // SAFETY: the table is 64 bytes.
    let order = unsafe { _mm512_loadu_si512(ORDER.as_ptr().cast()) };
    _mm512_permutexvar_epi16(order, both)
}

/// Transposes a matrix of 16 x 16 pairs.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(to: &mut [Line; STRIP], from: &[Line; STRIP]) {
    let zero = _mm512_setzero_si512();
    let (mut a, mut b) = ([zero; 16], [zero; 16]);
    // Within each group of four lanes: first pairs of rows, then pairs of pairs.
    for i in 0..8 {
        let (even, odd) = (get(&from[2 * i]), get(&from[2 * i + 1]));
        a[2 * i] = _mm512_unpacklo_epi32(even, odd);
        a[2 * i + 1] = _mm512_unpackhi_epi32(even, odd);
    }
    for i in 0..4 {
        b[4 * i] = _mm512_unpacklo_epi64(a[4 * i], a[4 * i + 2]);
        b[4 * i + 1] = _mm512_unpackhi_epi64(a[4 * i], a[4 * i + 2]);
        b[4 * i + 2] = _mm512_unpacklo_epi64(a[4 * i + 1], a[4 * i + 3]);
        b[4 * i + 3] = _mm512_unpackhi_epi64(a[4 * i + 1], a[4 * i + 3]);
    }
    // `b[4 i + j]` holds, in group g, column 4 g + j of rows 4 i .. 4 i + 4: the groups are transposed among themselves.
    for j in 0..4 {
        let even = _mm512_shuffle_i32x4(b[j], b[4 + j], 0b10_00_10_00);
        let odd = _mm512_shuffle_i32x4(b[j], b[4 + j], 0b11_01_11_01);
        let even_far = _mm512_shuffle_i32x4(b[8 + j], b[12 + j], 0b10_00_10_00);
        let odd_far = _mm512_shuffle_i32x4(b[8 + j], b[12 + j], 0b11_01_11_01);
        put(&mut to[j], _mm512_shuffle_i32x4(even, even_far, 0b10_00_10_00));
        put(&mut to[8 + j], _mm512_shuffle_i32x4(even, even_far, 0b11_01_11_01));
        put(&mut to[4 + j], _mm512_shuffle_i32x4(odd, odd_far, 0b10_00_10_00));
        put(&mut to[12 + j], _mm512_shuffle_i32x4(odd, odd_far, 0b11_01_11_01));
    }
}

/// Bytes of the operand that is read again and again for one pass over the other: a part of a level 2 cache.
const KEPT_BYTES: usize = 768 << 10;

/// `out = scale * left right (+ out)`.
///
/// Blocks are gone through so that what is read again stays in the cache: the larger operand outside, the smaller inside,
/// and no more of the depth at a time than fits. Sums between depths wait in `out` as f32, as they would in a tile, so
/// that none of this changes a bit.
pub(super) fn product(
    out: MatMut,
    left: &[Line],
    right: &[Line],
    depth: usize,
    scale: f32,
    write: Write,
    split: bool,
) {
    let steps = depth.div_ceil(DEPTH);
    let left = &left[..packed_lines(out.rows, depth, split)];
    let right = &right[..packed_lines(out.cols, depth, split)];
    let (rows, cols) = (out.rows.div_ceil(BLOCK), out.cols.div_ceil(BLOCK));
    let kept_step = rows.min(cols) * 2 * step_lines(split) * size_of::<Line>();
    let chunk = (KEPT_BYTES / kept_step).clamp(1, steps);
    let mut blocks = Blocks { out, left, right, steps, scale, write, split, tiles: Tiles::configure() };
    for first in (0..steps).step_by(chunk) {
        let chunk = first..(first + chunk).min(steps);
        if rows <= cols {
            (0..cols).for_each(|col| (0..rows).for_each(|row| blocks.add(row, col, &chunk)));
        } else {
            (0..rows).for_each(|row| (0..cols).for_each(|col| blocks.add(row, col, &chunk)));
        }
    }
}

/// A product, block by block.
struct Blocks<'a> {
    out: MatMut<'a>,
    left: &'a [Line],
    right: &'a [Line],
    steps: usize,
    scale: f32,
    write: Write,
    split: bool,
    tiles: Tiles,
}

impl Blocks<'_> {
    /// Adds the steps of a chunk to the sums of a block. One at the edge, or whose sums are to be scaled, is done whole with the
    /// first chunk.
    fn add(&mut self, row: usize, col: usize, chunk: &Range<usize>) {
        let strip = self.steps * step_lines(self.split);
        let (left, right) = (&self.left[row * 2 * strip..], &self.right[col * 2 * strip..]);
        let (row, col) = (row * BLOCK, col * BLOCK);
        let (rows, cols) = ((self.out.rows - row).min(BLOCK), (self.out.cols - col).min(BLOCK));
        let stride = self.out.stride;
        let out = &mut self.out.data[row * stride + col..];
        if rows == BLOCK && cols == BLOCK && self.scale == 1.0 {
            let add = self.write == Write::Add || chunk.start > 0;
            self.tiles.block(out, stride, left, right, strip, chunk, add, self.split, Part::Whole);
        } else if chunk.start == 0 {
            let mut sums = [0f32; BLOCK * BLOCK];
            let part = Part::of(rows, cols);
            self.tiles.block(&mut sums, BLOCK, left, right, strip, &(0..self.steps), false, self.split, part);
            for (r, sums) in sums.chunks_exact(BLOCK).take(rows).enumerate() {
                let out = out[r * stride..][..cols].iter_mut().zip(sums);
                match self.write {
                    Write::Set => out.for_each(|(y, x)| *y = self.scale * x),
                    Write::Add => out.for_each(|(y, x)| *y += self.scale * x),
                }
            }
        }
    }
}

/// The strips of a block that hold anything: the few rows or columns of a low-rank matrix fill one of two.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    /// Two strips of rows, one of columns.
    Columns,
    /// One strip of rows, two of columns.
    Rows,
}

impl Part {
    fn of(rows: usize, cols: usize) -> Part {
        match (rows <= STRIP, cols <= STRIP) {
            (_, true) => Part::Columns,
            (true, false) => Part::Rows,
            (false, false) => Part::Whole,
        }
    }
}

/// What `ldtilecfg` loads: every tile has 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Configuration([u8; 64]);

/// This thread's tiles, configured; released when dropped, so that the system need not save them any more.
struct Tiles;

impl Tiles {
    fn configure() -> Tiles {
        const ALL: Configuration = {
            let mut bytes = [0; 64];
            bytes[0] = 1;
            let mut tile = 0;
            while tile < 8 {
                bytes[16 + 2 * tile] = 64;
                bytes[48 + tile] = 16;
                tile += 1;
            }
            Configuration(bytes)
        };
        // SAFETY: AMX was detected and granted; the palette is valid.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &ALL, options(nostack, readonly),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _);
        }
        Tiles
    }

    /// `out[32, 32] = left right (+ out)` for some steps of two strips each, the second `strip` lines after the first;
    /// sums are kept in four tiles. Where a part is left out, `out` is as before or zero.
    #[allow(clippy::too_many_arguments)]
    fn block(
        &self,
        out: &mut [f32],
        stride: usize,
        left: &[Line],
        right: &[Line],
        strip: usize,
        steps: &Range<usize>,
        add: bool,
        split: bool,
        part: Part,
    ) {
        let first = steps.start * step_lines(split);
        assert!(out.len() >= (BLOCK - 1) * stride + BLOCK && !steps.is_empty());
        assert!(steps.end * step_lines(split) <= strip);
        assert!(left.len() >= 2 * strip && right.len() >= 2 * strip);
        let (left, right) = (&left[first..], &right[first..]);
        // Sums in tiles 0 to 3 from zero or from `out`, the given instructions `steps` times, sums to `out`.
        macro_rules! sums {
            ($($instruction:literal),* $(,)?) => {
                asm!(
                    "test {add:e}, {add:e}",
                    "jz 3f",
                    "tileloadd tmm0, [{c0} + {cs}]",
                    "tileloadd tmm1, [{c0} + {cs} + 64]",
                    "tileloadd tmm2, [{c1} + {cs}]",
                    "tileloadd tmm3, [{c1} + {cs} + 64]",
                    "jmp 2f",
                    "3:",
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "2:",
                    $($instruction,)*
                    "dec {steps}",
                    "jnz 2b",
                    "tilestored [{c0} + {cs}], tmm0",
                    "tilestored [{c0} + {cs} + 64], tmm1",
                    "tilestored [{c1} + {cs}], tmm2",
                    "tilestored [{c1} + {cs} + 64], tmm3",
                    add = in(reg) u32::from(add),
                    c0 = in(reg) out.as_mut_ptr(),
                    c1 = in(reg) out.as_mut_ptr().add(STRIP * stride),
                    cs = in(reg) stride * 4,
                    line = in(reg) 64usize,
                    a0 = inout(reg) left.as_ptr() => _,
                    a1 = inout(reg) left.as_ptr().add(strip) => _,
                    b0 = inout(reg) right.as_ptr() => _,
                    b1 = inout(reg) right.as_ptr().add(strip) => _,
                    steps = inout(reg) steps.len() => _,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                )
            };
        }
        // SAFETY: the tiles are configured as 16 rows of 64 bytes; all reads and writes lie inside the slices, as
        // asserted: `steps` times one or two KiB from each of four strip starts, and 32 rows of 128 bytes of `out`.
        unsafe {
            match (part, split) {
                (Part::Whole, true) => sums!(
                    // low * high
                    "tileloadd tmm4, [{a0} + {line} + 1024]",
                    "tileloadd tmm6, [{b0} + {line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm7, [{b1} + {line}]",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tileloadd tmm5, [{a1} + {line} + 1024]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    // high * high
                    "tileloadd tmm4, [{a0} + {line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tileloadd tmm5, [{a1} + {line}]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    // high * low
                    "tileloadd tmm6, [{b0} + {line} + 1024]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm7, [{b1} + {line} + 1024]",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    "add {a0}, 2048",
                    "add {a1}, 2048",
                    "add {b0}, 2048",
                    "add {b1}, 2048",
                ),
                (Part::Columns, true) => sums!(
                    "tileloadd tmm6, [{b0} + {line}]",
                    "tileloadd tmm4, [{a0} + {line} + 1024]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm5, [{a1} + {line} + 1024]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tileloadd tmm4, [{a0} + {line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm5, [{a1} + {line}]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tileloadd tmm6, [{b0} + {line} + 1024]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "add {a0}, 2048",
                    "add {a1}, 2048",
                    "add {b0}, 2048",
                    "/* {b1} */",
                ),
                (Part::Rows, true) => sums!(
                    "tileloadd tmm4, [{a0} + {line} + 1024]",
                    "tileloadd tmm6, [{b0} + {line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm7, [{b1} + {line}]",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tileloadd tmm4, [{a0} + {line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tileloadd tmm6, [{b0} + {line} + 1024]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm7, [{b1} + {line} + 1024]",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "add {a0}, 2048",
                    "/* {a1} */",
                    "add {b0}, 2048",
                    "add {b1}, 2048",
                ),
                (Part::Whole, false) => sums!(
                    "tileloadd tmm4, [{a0} + {line}]",
                    "tileloadd tmm6, [{b0} + {line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm7, [{b1} + {line}]",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tileloadd tmm5, [{a1} + {line}]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    "add {a0}, 1024",
                    "add {a1}, 1024",
                    "add {b0}, 1024",
                    "add {b1}, 1024",
                ),
                (Part::Columns, false) => sums!(
                    "tileloadd tmm6, [{b0} + {line}]",
                    "tileloadd tmm4, [{a0} + {line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm5, [{a1} + {line}]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "add {a0}, 1024",
                    "add {a1}, 1024",
                    "add {b0}, 1024",
                    "/* {b1} */",
                ),
                (Part::Rows, false) => sums!(
                    "tileloadd tmm4, [{a0} + {line}]",
                    "tileloadd tmm6, [{b0} + {line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm7, [{b1} + {line}]",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "add {a0}, 1024",
                    "/* {a1} */",
                    "add {b0}, 1024",
                    "add {b1}, 1024",
                ),
            }
        }
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: no tile is in use any more.
        unsafe {
            asm!("tilerelease", options(nostack, nomem),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _);
        }
    }
}
