//! Products on Intel's AMX: tiles of 16 x 16 sums of bf16 products; split operands nearly keep the precision of f32.
//!
//! AMX multiplies bf16, of 8 significant bits; an f32 has 24. A split operand is the nearest bf16 and the bf16 nearest
//! to what that leaves, `x = high + low` to 16 bits, and a product is the sum of `low * high`, `high * low` and
//! `high * high` (`low * low` is below the precision kept), summed in f32: three tile products instead of one, and
//! still faster than f32 vectors. A product of two numbers is off by at most 3 * 2^-16 of it; TF32's by 2^-10. Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For
//! Higher-Precision Computations" (2019), analyse this splitting.

use super::{MatMut, Operand, Side, Write};
use crate::simd::Line;
use std::arch::asm;
use std::arch::x86_64::*;

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

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn pack_strips<const HALVES: usize>(to: &mut [Line], from: &Operand, side: Side) {
    let steps = from.depth.div_ceil(DEPTH);
    let strips = from.outer.div_ceil(STRIP);
    let (used, unused) = to.split_at_mut(strips * steps * HALVES * STRIP);
    unused.fill(Line::ZERO);
    for (index, tile) in used.chunks_exact_mut(HALVES * STRIP).enumerate() {
        let (first, at) = (index / steps * STRIP, index % steps * DEPTH);
        let outer = (from.outer - first).min(STRIP);
        let depth = (from.depth - at).min(DEPTH);
        // Vectors of pairs: along the depth for one row or column, or along rows or columns for one pair of depths.
        let along_depth = from.depth_stride == 1;
        // SAFETY: the tile begins inside the operand, whose extent `Operand` has checked.
        let source = unsafe { from.data.as_ptr().add(first * from.outer_stride + at * from.depth_stride) };
        let halves: [[__m512i; STRIP]; HALVES] = if along_depth {
            // SAFETY: `outer` rows of `depth` numbers lie inside the operand.
            unsafe { split_along_depth(source, from.outer_stride, outer, depth) }
        } else {
            // SAFETY: `depth` rows of `outer` numbers lie inside the operand.
            unsafe { split_along_outer(source, from.depth_stride, outer, depth) }
        };
        for (half, tile) in halves.into_iter().zip(tile.chunks_exact_mut(STRIP)) {
            let half = if along_depth == (side == Side::Right) { transpose(half) } else { half };
            for (line, pairs) in tile.iter_mut().zip(half) {
                // SAFETY: a line is 64 aligned bytes.
                unsafe { _mm512_store_si512(line.0.as_mut_ptr().cast(), pairs) };
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
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[allow(clippy::needless_range_loop)] // two arrays are filled at once
unsafe fn split_along_depth<const HALVES: usize>(
    from: *const f32,
    stride: usize,
    outer: usize,
    depth: usize,
) -> [[__m512i; STRIP]; HALVES] {
    let mut halves = [[_mm512_setzero_si512(); STRIP]; HALVES];
    let (near, far) = (first_lanes(depth), first_lanes(depth.saturating_sub(16)));
    for o in 0..outer {
        // SAFETY: masked lanes are not read, the others are the caller's promise.
        let (a, b) = unsafe {
            let run = from.add(o * stride);
            (_mm512_maskz_loadu_ps(near, run), _mm512_maskz_loadu_ps(far, run.wrapping_add(16)))
        };
        let high = round_both(b, a);
        halves[0][o] = high;
        if HALVES == 2 {
            let rest_a = _mm512_sub_ps(a, widen(_mm512_castsi512_si256(high)));
            let rest_b = _mm512_sub_ps(b, widen(_mm512_extracti64x4_epi64(high, 1)));
            halves[1][o] = round_both(rest_b, rest_a);
        }
    }
    halves
}

/// Pairs of consecutive rows of `outer` contiguous numbers.
///
/// # Safety
/// The rows, `stride` apart, must be readable.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[allow(clippy::needless_range_loop)] // two arrays are filled at once
unsafe fn split_along_outer<const HALVES: usize>(
    from: *const f32,
    stride: usize,
    outer: usize,
    depth: usize,
) -> [[__m512i; STRIP]; HALVES] {
    let mut halves = [[_mm512_setzero_si512(); STRIP]; HALVES];
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
        let (high_a, high_b) = (round(a), round(b));
        halves[0][pair] = interleave(high_a, high_b);
        if HALVES == 2 {
            let low_a = round(_mm512_sub_ps(a, widen(high_a)));
            let low_b = round(_mm512_sub_ps(b, widen(high_b)));
            halves[1][pair] = interleave(low_a, low_b);
        }
    }
    halves
}

/// The nearest bf16 numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn round(x: __m512) -> __m256i {
    // SAFETY: both types are 256 bits without padding.
    unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x)) }
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

/// Pairs of a number of `a` and a number of `b`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave(a: __m256i, b: __m256i) -> __m512i {
    _mm512_or_si512(_mm512_cvtepu16_epi32(a), _mm512_slli_epi32(_mm512_cvtepu16_epi32(b), 16))
}

/// Transposes a matrix of 16 x 16 pairs.
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; 16]) -> [__m512i; 16] {
    let zero = _mm512_setzero_si512();
    let (mut a, mut b) = ([zero; 16], [zero; 16]);
    // Within each group of four lanes: first pairs of rows, then pairs of pairs.
    for i in 0..8 {
        a[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        a[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
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
        a[j] = _mm512_shuffle_i32x4(even, even_far, 0b10_00_10_00);
        a[8 + j] = _mm512_shuffle_i32x4(even, even_far, 0b11_01_11_01);
        a[4 + j] = _mm512_shuffle_i32x4(odd, odd_far, 0b10_00_10_00);
        a[12 + j] = _mm512_shuffle_i32x4(odd, odd_far, 0b11_01_11_01);
    }
    a
}

/// `out = scale * left right (+ out)`.
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
    let strip = steps * step_lines(split);
    let left = &left[..packed_lines(out.rows, depth, split)];
    let right = &right[..packed_lines(out.cols, depth, split)];
    let tiles = Tiles::configure();
    let mut edge = [0f32; BLOCK * BLOCK];
    for (block, right) in right.chunks_exact(2 * strip).enumerate() {
        let col = block * BLOCK;
        let cols = (out.cols - col).min(BLOCK);
        for (block, left) in left.chunks_exact(2 * strip).enumerate() {
            let row = block * BLOCK;
            let rows = (out.rows - row).min(BLOCK);
            let to = row * out.stride + col;
            if rows == BLOCK && cols == BLOCK && scale == 1.0 {
                tiles.block(&mut out.data[to..], out.stride, left, right, steps, write == Write::Add, split);
                continue;
            }
            tiles.block(&mut edge, BLOCK, left, right, steps, false, split);
            for r in 0..rows {
                let sums = &edge[r * BLOCK..][..cols];
                let out = out.data[to + r * out.stride..][..cols].iter_mut();
                match write {
                    Write::Set => out.zip(sums).for_each(|(y, x)| *y = scale * x),
                    Write::Add => out.zip(sums).for_each(|(y, x)| *y += scale * x),
                }
            }
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

    /// `out[32, 32] = left right (+ out)` for two strips each, sums kept in four tiles.
    #[allow(clippy::too_many_arguments)]
    fn block(
        &self,
        out: &mut [f32],
        stride: usize,
        left: &[Line],
        right: &[Line],
        steps: usize,
        add: bool,
        split: bool,
    ) {
        let strip = steps * step_lines(split);
        assert!(out.len() >= (BLOCK - 1) * stride + BLOCK && steps > 0);
        assert!(left.len() >= 2 * strip && right.len() >= 2 * strip);
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
                    steps = inout(reg) steps => _,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                )
            };
        }
        // SAFETY: the tiles are configured as 16 rows of 64 bytes; all reads and writes lie inside the slices, as
        // asserted: `steps` times one or two KiB from each of four strip starts, and 32 rows of 128 bytes of `out`.
        unsafe {
            if split {
                sums!(
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
                );
            } else {
                sums!(
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
                );
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
