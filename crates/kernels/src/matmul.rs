//! Matrix products on row-major slices, single-threaded: threads belong to the caller, which gives each its own rows.
//!
//! A thin wrapper of `gemm-f32`, which packs, blocks for the caches and dispatches to the widest vectors at run
//! time. Three shapes cover a linear layer `y = x W^T` with `W` stored `[out, in]` as Hugging Face stores it:
//! [`linear`] (forward), [`linear_input`] (gradient of `x`) and [`linear_weight`] (gradient of `W`).

use gemm_common::Parallelism;

/// A row-major matrix inside a slice: `rows x cols`, consecutive rows `stride` elements apart.
///
/// A stride larger than `cols` selects some columns of a wider matrix (one of q, k, v, say).
#[derive(Clone, Copy)]
pub struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    stride: usize,
}

/// As [`Mat`], writable.
pub struct MatMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    stride: usize,
}

fn check(len: usize, rows: usize, cols: usize, stride: usize) {
    assert!(stride >= cols, "row stride {stride} is smaller than the row length {cols}");
    assert!(rows == 0 || (rows - 1) * stride + cols <= len, "matrix {rows}x{cols} does not fit its slice");
}

impl<'a> Mat<'a> {
    /// A dense matrix.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }
    /// A matrix whose rows start `stride` elements apart.
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        check(data.len(), rows, cols, stride);
        Mat { data, rows, cols, stride }
    }
}

impl<'a> MatMut<'a> {
    /// A dense matrix.
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }
    /// A matrix whose rows start `stride` elements apart.
    pub fn strided(data: &'a mut [f32], rows: usize, cols: usize, stride: usize) -> Self {
        check(data.len(), rows, cols, stride);
        MatMut { data, rows, cols, stride }
    }
}

/// What happens to what the output held before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    /// It is overwritten.
    Set,
    /// The product is added to it.
    Add,
}

/// `y[n,o] = scale * x[n,i] W[o,i]^T`.
pub fn linear(y: MatMut, x: Mat, w: Mat, scale: f32, write: Write) {
    assert!(y.rows == x.rows && y.cols == w.rows && x.cols == w.cols, "linear: shapes disagree");
    product(y, x.data, (x.stride, 1), w.data, (1, w.stride), x.cols, scale, write);
}

/// `dx[n,i] = scale * dy[n,o] W[o,i]`.
pub fn linear_input(dx: MatMut, dy: Mat, w: Mat, scale: f32, write: Write) {
    assert!(dx.rows == dy.rows && dx.cols == w.cols && dy.cols == w.rows, "linear_input: shapes disagree");
    product(dx, dy.data, (dy.stride, 1), w.data, (w.stride, 1), dy.cols, scale, write);
}

/// `dW[o,i] = scale * dy[n,o]^T x[n,i]`.
pub fn linear_weight(dw: MatMut, dy: Mat, x: Mat, scale: f32, write: Write) {
    assert!(dw.rows == dy.cols && dw.cols == x.cols && dy.rows == x.rows, "linear_weight: shapes disagree");
    product(dw, dy.data, (1, dy.stride), x.data, (x.stride, 1), dy.rows, scale, write);
}

/// `out = scale * a b (+ out)`, with (row, column) strides for `a` and `b`; `depth` is the summed dimension.
#[allow(clippy::too_many_arguments)]
fn product(
    out: MatMut,
    a: &[f32],
    a_strides: (usize, usize),
    b: &[f32],
    b_strides: (usize, usize),
    depth: usize,
    scale: f32,
    write: Write,
) {
    let MatMut { data, rows, cols, stride } = out;
    if rows == 0 || cols == 0 {
        return;
    }
    if depth == 0 {
        if write == Write::Set {
            (0..rows).for_each(|r| data[r * stride..r * stride + cols].fill(0.0));
        }
        return;
    }
    // SAFETY: `Mat::strided` and `MatMut::strided` checked that every index reached with these shapes and strides
    // lies inside its slice, the callers checked that shapes agree, and `out` is borrowed exclusively.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            rows,
            cols,
            depth,
            data.as_mut_ptr(),
            1,
            stride as isize,
            write == Write::Add,
            a.as_ptr(),
            a_strides.1 as isize,
            a_strides.0 as isize,
            b.as_ptr(),
            b_strides.1 as isize,
            b_strides.0 as isize,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finite_difference::random;

    /// The product by its definition, in f64.
    fn by_definition(
        a: impl Fn(usize, usize) -> f32,
        b: impl Fn(usize, usize) -> f32,
        m: usize,
        n: usize,
        k: usize,
    ) -> Vec<f64> {
        let mut out = vec![0f64; m * n];
        for i in 0..m {
            for j in 0..n {
                out[i * n + j] = (0..k).map(|l| a(i, l) as f64 * b(l, j) as f64).sum();
            }
        }
        out
    }

    #[test]
    fn three_shapes_agree_with_the_definition() {
        for (n, i, o) in [(1, 1, 1), (3, 5, 7), (17, 33, 40), (64, 128, 96), (130, 31, 65)] {
            let (x, w, dy) = (random(n * i, 1), random(o * i, 2), random(n * o, 3));
            let close = |got: &[f32], want: &[f64]| {
                for (g, w) in got.iter().zip(want) {
                    assert!((*g as f64 - w).abs() < 1e-4 * (1.0 + w.abs()), "{n}x{i}x{o}: {g} {w}");
                }
            };
            let mut y = vec![7.0; n * o];
            linear(MatMut::new(&mut y, n, o), Mat::new(&x, n, i), Mat::new(&w, o, i), 0.5, Write::Set);
            close(&y, &by_definition(|a, b| 0.5 * x[a * i + b], |a, b| w[b * i + a], n, o, i));
            let mut dx = vec![0.0; n * i];
            linear_input(
                MatMut::new(&mut dx, n, i),
                Mat::new(&dy, n, o),
                Mat::new(&w, o, i),
                1.0,
                Write::Add,
            );
            close(&dx, &by_definition(|a, b| dy[a * o + b], |a, b| w[a * i + b], n, i, o));
            let mut dw = vec![0.0; o * i];
            linear_weight(
                MatMut::new(&mut dw, o, i),
                Mat::new(&dy, n, o),
                Mat::new(&x, n, i),
                1.0,
                Write::Set,
            );
            close(&dw, &by_definition(|a, b| dy[b * o + a], |a, b| x[a * i + b], o, i, n));
        }
    }

    #[test]
    fn strides_select_columns() {
        let wide = random(4 * 10, 5);
        let w = random(2 * 3, 6);
        let mut y = [0.0; 4 * 5];
        linear(
            MatMut::strided(&mut y[1..], 4, 2, 5),
            Mat::strided(&wide[6..], 4, 3, 10),
            Mat::new(&w, 2, 3),
            1.0,
            Write::Set,
        );
        for r in 0..4 {
            for c in 0..2 {
                let want: f32 = (0..3).map(|k| wide[r * 10 + 6 + k] * w[c * 3 + k]).sum();
                assert!((y[1 + r * 5 + c] - want).abs() < 1e-5);
            }
            assert_eq!(y[r * 5], 0.0);
            assert_eq!(y[r * 5 + 3], 0.0);
        }
    }
}
