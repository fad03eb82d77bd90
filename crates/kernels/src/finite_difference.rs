//! Test helper: derivatives of an f64 reference by central differences, to hold every `backward` against.

/// Numbers in [-1, 1), the same for the same seed.
pub fn random(n: usize, seed: u64) -> Vec<f32> {
    let mut s = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    (0..n)
        .map(|_| {
            s = s.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = s;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// To f64.
pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| *v as f64).collect()
}

/// Asserts that `gradient` is the derivative of `f` at `x`, within `tolerance` relative to the largest entry.
pub fn assert_gradient(
    name: &str,
    x: &[f64],
    gradient: &[f32],
    tolerance: f64,
    mut f: impl FnMut(&[f64]) -> f64,
) {
    assert_eq!(x.len(), gradient.len());
    let step = 1e-5;
    let mut at = x.to_vec();
    let numeric: Vec<f64> = (0..x.len())
        .map(|i| {
            at[i] = x[i] + step;
            let up = f(&at);
            at[i] = x[i] - step;
            let down = f(&at);
            at[i] = x[i];
            (up - down) / (2.0 * step)
        })
        .collect();
    let scale = numeric.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    for (i, (n, g)) in numeric.iter().zip(gradient).enumerate() {
        assert!(
            (n - *g as f64).abs() <= tolerance * scale,
            "{name}[{i}]: backward says {g}, finite difference {n}"
        );
    }
}

/// `sum(a * b)`.
pub fn inner(a: &[f64], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * *y as f64).sum()
}
