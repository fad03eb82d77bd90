//! Vector width chosen at run time, and the few vector-friendly scalar functions everything else shares.
//!
//! A loop is written once as an `#[inline(always)]` body and compiled three times: for AVX-512, for AVX2 with
//! FMA, and for the baseline of the architecture. `dispatch!` picks one by what this CPU can do. The bodies
//! use explicit lanes for sums, because a compiler may not reorder floating-point additions by itself.

use std::sync::OnceLock;

/// The vector instructions in use; a wider one includes the narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// What every CPU of this architecture has (SSE2, NEON, ...).
    Baseline,
    /// AVX2 and FMA: 8 lanes.
    Avx2,
    /// AVX-512F: 16 `f32` lanes.
    Avx512,
    /// AVX-512, and AMX's bf16 tiles for matrix products.
    Amx,
}

/// The environment variable that keeps the engine from using its widest instructions, so that another kind of CPU's
/// results can be had again bit for bit, or what an instruction set brings can be measured.
pub const VARIABLE: &str = "WHYFIRST_VECTORS";

impl Width {
    /// All of them, narrowest first.
    pub const ALL: [Width; 4] = [Width::Baseline, Width::Avx2, Width::Avx512, Width::Amx];

    /// A short name for manifests: results are bit-identical only between CPUs of one kind.
    pub fn name(self) -> &'static str {
        match self {
            Width::Amx => "amx",
            Width::Avx512 => "avx512",
            Width::Avx2 => "avx2",
            Width::Baseline => "baseline",
        }
    }
}

/// The widest supported vector instructions that [`VARIABLE`] allows, detected once.
///
/// A value that [`check_variable`] refuses is taken for none: programs check it when they start.
pub fn width() -> Width {
    static WIDTH: OnceLock<Width> = OnceLock::new();
    *WIDTH.get_or_init(|| match check_variable() {
        Ok(Some(most)) => most.min(detect()),
        _ => detect(),
    })
}

/// What [`VARIABLE`] asks for, if it is set.
///
/// # Errors
/// If it is not the name of a width, or of one that this CPU lacks; the message says what it may be.
pub fn check_variable() -> Result<Option<Width>, String> {
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let best = detect();
    let named = Width::ALL.into_iter().find(|width| value == width.name());
    match named {
        Some(width) if width <= best => Ok(Some(width)),
        _ => {
            let names: Vec<&str> =
                Width::ALL.into_iter().filter(|width| *width <= best).map(Width::name).collect();
            Err(format!("{VARIABLE} is {value:?}; on this machine it may be {}", names.join(", ")))
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Width {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    if avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
        if crate::matmul::amx::available() { Width::Amx } else { Width::Avx512 }
    } else if avx2 {
        Width::Avx2
    } else {
        Width::Baseline
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Width {
    Width::Baseline
}

/// A description of this machine's CPU for manifests, e.g. `x86_64 avx512 GenuineIntel family 6 model 143`.
///
/// Results are bit-identical between CPUs of one width; vendor and model are for whoever compares speeds.
pub fn cpu_kind() -> String {
    let mut kind = format!("{} {}", std::env::consts::ARCH, width().name());
    if let Ok(info) = std::fs::read_to_string("/proc/cpuinfo") {
        let field = |name: &str| {
            info.lines()
                .find(|l| l.split(':').next().is_some_and(|k| k.trim() == name))
                .and_then(|l| l.split(':').nth(1))
                .map(|v| v.trim().to_string())
        };
        if let (Some(vendor), Some(family), Some(model)) =
            (field("vendor_id"), field("cpu family"), field("model"))
        {
            kind.push_str(&format!(" {vendor} family {family} model {model}"));
        }
    }
    kind
}

/// Defines a function whose body is compiled for each [`Width`] and chosen when called.
///
/// The body takes the [`Fma`] that belongs to the width as its type parameter.
macro_rules! dispatch {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? as $body:ident) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn wide($($arg: $ty),*) $(-> $ret)? { $body::<$crate::simd::Avx512>($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn middle($($arg: $ty),*) $(-> $ret)? { $body::<$crate::simd::Avx2>($($arg),*) }
                match $crate::simd::width() {
                    // SAFETY: `width` returned this variant because the CPU has these features.
                    $crate::simd::Width::Amx | $crate::simd::Width::Avx512 => return unsafe { wide($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Width::Avx2 => return unsafe { middle($($arg),*) },
                    $crate::simd::Width::Baseline => {}
                }
            }
            $body::<$crate::simd::Baseline>($($arg),*)
        }
    };
}
pub(crate) use dispatch;

/// What differs between the three compilations of a body: how `a * b + c` is computed, and a vector of [`LANES`].
///
/// Most loops are plain Rust that the compiler vectorises; only the inner tile of small matrix products names its
/// vectors, because there the compiler would vectorise the wrong dimension.
pub(crate) trait Fma {
    /// Vectors that fit into the registers beside those that a product needs in passing.
    const REGISTERS: usize;
    /// [`LANES`] numbers, in as many registers as that takes.
    type Vector: Copy;
    /// `a * b + c`; fused where the CPU has it (otherwise a fused call would be a slow library call).
    fn fma(a: f32, b: f32, c: f32) -> f32;
    /// `a * b + c` with `a` in every lane.
    fn scale_add(a: f32, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Reads [`LANES`] numbers.
    ///
    /// # Safety
    /// They must be readable at `from`.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Writes [`LANES`] numbers.
    ///
    /// # Safety
    /// They must be writable at `to`.
    unsafe fn store(to: *mut f32, x: Self::Vector);
}

/// Says that the cache line at an address will be read soon, where the CPU can be told; the address need not be valid.
#[inline(always)]
pub(crate) fn prefetch(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which never faults; SSE is part of the architecture.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// As [`prefetch`], for what will be read a little later: into the level 2 cache.
#[inline(always)]
pub(crate) fn prefetch_far(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// For every CPU of this architecture: two roundings, lanes left to the compiler.
pub(crate) struct Baseline;

impl Fma for Baseline {
    const REGISTERS: usize = 2;
    type Vector = [f32; LANES];
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
    #[inline(always)]
    fn scale_add(a: f32, b: Self::Vector, mut c: Self::Vector) -> Self::Vector {
        for l in 0..LANES {
            c[l] += a * b[l];
        }
        c
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::Vector {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[f32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: Self::Vector) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(x) }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    //! The two x86 vector widths. Their methods are only reached from functions that [`super::dispatch`] compiled with
    //! these features and called after detecting them.
    use super::{Fma, LANES};
    use std::arch::x86_64::*;

    /// One 512-bit register.
    pub(crate) struct Avx512;
    /// Two 256-bit registers.
    pub(crate) struct Avx2;

    impl Fma for Avx512 {
        const REGISTERS: usize = 24;
        type Vector = __m512;
        #[inline(always)]
        fn fma(a: f32, b: f32, c: f32) -> f32 {
            a.mul_add(b, c)
        }
        #[inline(always)]
        fn scale_add(a: f32, b: __m512, c: __m512) -> __m512 {
            // SAFETY: this type is used only where AVX-512F was detected.
            unsafe { _mm512_fmadd_ps(_mm512_set1_ps(a), b, c) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            // SAFETY: the caller's promise, and as above.
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, x: __m512) {
            // SAFETY: the caller's promise, and as above.
            unsafe { _mm512_storeu_ps(to, x) }
        }
    }

    impl Fma for Avx2 {
        const REGISTERS: usize = 6;
        type Vector = [__m256; 2];
        #[inline(always)]
        fn fma(a: f32, b: f32, c: f32) -> f32 {
            a.mul_add(b, c)
        }
        #[inline(always)]
        fn scale_add(a: f32, b: Self::Vector, c: Self::Vector) -> Self::Vector {
            // SAFETY: this type is used only where AVX2 and FMA were detected.
            unsafe {
                let a = _mm256_set1_ps(a);
                [_mm256_fmadd_ps(a, b[0], c[0]), _mm256_fmadd_ps(a, b[1], c[1])]
            }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self::Vector {
            // SAFETY: the caller's promise, and as above.
            unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(LANES / 2))] }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, x: Self::Vector) {
            // SAFETY: the caller's promise, and as above.
            unsafe {
                _mm256_storeu_ps(to, x[0]);
                _mm256_storeu_ps(to.add(LANES / 2), x[1]);
            }
        }
    }
}

/// A cache line, which is one AVX-512 register: the unit of packed matrices.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line(pub [f32; LANES]);

impl Line {
    pub const ZERO: Line = Line([0.0; LANES]);

    /// The numbers of consecutive lines.
    pub fn numbers(lines: &[Line]) -> &[f32] {
        // SAFETY: a line is LANES numbers without padding.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * LANES) }
    }

    /// As [`Line::numbers`], writable.
    pub fn numbers_mut(lines: &mut [Line]) -> &mut [f32] {
        // SAFETY: as above, and borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LANES) }
    }
}

/// Lanes used for sums: one AVX-512 register, two AVX2 ones.
pub(crate) const LANES: usize = 16;

/// `sum(a[i] * b[i])` over the shorter length.
#[inline(always)]
pub(crate) fn dot<F: Fma>(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut acc = [0f32; LANES];
    let (ac, bc) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (ar, br) = (ac.remainder(), bc.remainder());
    for (x, y) in ac.zip(bc) {
        for l in 0..LANES {
            acc[l] = F::fma(x[l], y[l], acc[l]);
        }
    }
    for l in 0..ar.len() {
        acc[l] = F::fma(ar[l], br[l], acc[l]);
    }
    sum_lanes(acc)
}

/// Adds lanes pairwise, in a fixed order.
#[inline(always)]
pub(crate) fn sum_lanes(mut acc: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            acc[l] += acc[l + width];
        }
        width /= 2;
    }
    acc[0]
}

/// `e^x` for `f32`, without branches so that loops over it vectorise. Relative error below 2e-7 in
/// [-87, 88]; inputs outside are clamped (the result is then within a factor of the smallest or largest float).
#[inline(always)]
pub(crate) fn exp<F: Fma>(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = F::fma(x, LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = F::fma(n, -LN2_HIGH, x);
    let r = F::fma(n, -LN2_LOW, r);
    // Taylor to degree 7: on |r| <= ln2/2 the remainder is below 1e-9.
    let mut p = 1.0 / 5040.0;
    p = F::fma(p, r, 1.0 / 720.0);
    p = F::fma(p, r, 1.0 / 120.0);
    p = F::fma(p, r, 1.0 / 24.0);
    p = F::fma(p, r, 1.0 / 6.0);
    p = F::fma(p, r, 0.5);
    p = F::fma(p, r, 1.0);
    p = F::fma(p, r, 1.0);
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    p * f32::from_bits(exponent << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fused arithmetic without the vectors, so that the test needs no particular CPU.
    struct TestFused;
    impl Fma for TestFused {
        const REGISTERS: usize = 2;
        type Vector = [f32; LANES];
        fn fma(a: f32, b: f32, c: f32) -> f32 {
            a.mul_add(b, c)
        }
        fn scale_add(a: f32, b: Self::Vector, c: Self::Vector) -> Self::Vector {
            Baseline::scale_add(a, b, c)
        }
        unsafe fn load(from: *const f32) -> Self::Vector {
            // SAFETY: the caller's promise.
            unsafe { Baseline::load(from) }
        }
        unsafe fn store(to: *mut f32, x: Self::Vector) {
            // SAFETY: the caller's promise.
            unsafe { Baseline::store(to, x) }
        }
    }

    #[test]
    fn exp_is_accurate_over_its_range() {
        for i in -8600..=8700 {
            let x = i as f32 / 100.0;
            let want = (x as f64).exp();
            for got in [exp::<Baseline>(x), exp::<TestFused>(x)] {
                assert!(((got as f64 - want) / want).abs() < 4e-7, "exp({x}) = {got}, want {want}");
            }
        }
    }

    #[test]
    fn dot_handles_every_remainder() {
        for n in 0..70 {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.11).cos()).collect();
            let want: f64 = a.iter().zip(&b).map(|(x, y)| *x as f64 * *y as f64).sum();
            assert!((dot::<Baseline>(&a, &b) as f64 - want).abs() < 1e-5);
            assert!((dot::<TestFused>(&a, &b) as f64 - want).abs() < 1e-5);
        }
    }
}
