//! Matrix products on row-major slices, single-threaded: threads belong to the caller, which gives each its own rows.
//!
//! Three shapes cover a linear layer `y = x W^T` with `W` stored `[out, in]` as Hugging Face stores it, all methods of
//! [`Products`]: [`linear`](Products::linear) (forward), [`linear_input`](Products::linear_input) (gradient of `x`) and
//! [`linear_weight`](Products::linear_weight) (gradient of `W`). Both operands are first laid out in the order in which
//! the innermost loop reads them; [`Packed`] does that once for a weight that several products use. There are two such
//! loops: f32 vectors (`vector`), and AMX tiles where the CPU has them (`amx`).

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
mod vector;

use crate::simd::{self, Line, Width};
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Mutex;

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

/// One operand of a product: `outer` rows (left) or columns (right), `depth` numbers to be summed over.
struct Operand<'a> {
    data: &'a [f32],
    outer: usize,
    outer_stride: usize,
    depth: usize,
    depth_stride: usize,
}

impl<'a> Operand<'a> {
    /// A matrix whose rows are summed along.
    fn along_rows(m: Mat<'a>) -> Self {
        Operand { data: m.data, outer: m.rows, outer_stride: m.stride, depth: m.cols, depth_stride: 1 }
    }
    /// A matrix whose columns are summed along.
    fn along_columns(m: Mat<'a>) -> Self {
        Operand { data: m.data, outer: m.cols, outer_stride: 1, depth: m.rows, depth_stride: m.stride }
    }
}

/// Which operand of a product.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The innermost loop in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Loop {
    Vector {
        rounded: bool,
    },
    #[cfg(target_arch = "x86_64")]
    Amx {
        split: bool,
    },
}

/// Matrix products of one precision, by the fastest loop of this CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Products(Loop);

/// A weight matrix laid out for the products that it takes part in, by the [`Products`] that will read it.
#[derive(Default, Clone, Debug)]
pub struct Packed {
    forward: Vec<Line>,
    /// In place of `forward`, a weight all of whose numbers are bf16 ones: half of the memory to read, and the same numbers.
    halves: Vec<u16>,
    backward: Vec<Line>,
}

/// A right operand, laid out.
#[derive(Clone, Copy)]
enum Right<'a> {
    Lines(&'a [Line]),
    /// For vectors only.
    Halves(&'a [u16]),
}

impl Packed {
    /// Memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.forward[..]) + size_of_val(&self.halves[..]) + size_of_val(&self.backward[..])
    }

    /// The weight for [`Products::linear`], if it is laid out for that.
    fn forward(&self) -> Option<Right<'_>> {
        match (&self.forward[..], &self.halves[..]) {
            ([], []) => None,
            ([], halves) => Some(Right::Halves(halves)),
            (lines, _) => Some(Right::Lines(lines)),
        }
    }
}

/// A weight matrix `[out, in]`, as it is or laid out already.
#[derive(Clone, Copy)]
pub struct Weight<'a> {
    matrix: Mat<'a>,
    packed: Option<&'a Packed>,
}

impl<'a> From<Mat<'a>> for Weight<'a> {
    fn from(matrix: Mat<'a>) -> Self {
        Weight { matrix, packed: None }
    }
}

impl<'a> Weight<'a> {
    /// With what [`Products::pack`] made of this matrix, if anything.
    pub fn new(matrix: Mat<'a>, packed: Option<&'a Packed>) -> Self {
        Weight { matrix, packed }
    }
}

impl Products {
    /// Products whose operands keep the bits of an f32, or on AMX nearly so.
    pub fn f32() -> Products {
        Products::chosen(false)
    }

    /// Products whose operands are rounded to bf16, as in the mixed precision in which large models are trained; sums
    /// are f32. Without AMX this costs the same as [`Products::f32`]; the rounding is the same everywhere.
    pub fn bf16() -> Products {
        Products::chosen(true)
    }

    /// Products of all the bits of an f32, on vectors even where tiles would be faster.
    pub fn exact() -> Products {
        Products(Loop::Vector { rounded: false })
    }

    fn chosen(rounded: bool) -> Products {
        Products(match simd::width() {
            #[cfg(target_arch = "x86_64")]
            Width::Amx => Loop::Amx { split: !rounded },
            _ => Loop::Vector { rounded },
        })
    }

    /// Lays out `w[out, in]` for [`Products::linear`], and for [`Products::linear_input`] if `backward`; keeps its memory.
    ///
    /// On vectors, a weight that came as bf16 and is only read forwards is kept as that.
    pub fn pack(self, to: &mut Packed, w: Mat, backward: bool) {
        to.halves.clear();
        self.lay_out(&mut to.forward, &Operand::along_rows(w), Side::Right);
        if matches!(self.0, Loop::Vector { .. }) && !backward && vector::narrow(&mut to.halves, &to.forward) {
            to.forward = Vec::new();
        }
        if backward {
            self.lay_out(&mut to.backward, &Operand::along_columns(w), Side::Right);
        }
    }

    /// Bytes that [`Products::pack`] takes at most for a matrix `[out, in]`.
    pub fn packed_bytes(self, out: usize, input: usize, backward: bool) -> usize {
        let forward = self.packed_lines(out, input, Side::Right);
        let transposed = if backward { self.packed_lines(input, out, Side::Right) } else { 0 };
        size_of::<Line>() * (forward + transposed)
    }

    /// `y[n,o] = scale * x[n,i] W[o,i]^T`.
    pub fn linear<'a>(self, y: MatMut, x: Mat, w: impl Into<Weight<'a>>, scale: f32, write: Write) {
        self.with_input(x, |x| x.linear(y, w, scale, write));
    }

    /// As [`Products::linear`] by a weight that is laid out already, on several threads: each takes some of the columns.
    /// Worth it where `x` has few rows, so that reading the weight is most of the work. The result does not depend on
    /// the number of threads.
    pub fn linear_on(self, threads: usize, y: MatMut, x: Mat, w: Weight, scale: f32, write: Write) {
        let strips = y.cols.div_ceil(COLUMNS);
        let right = w.packed.and_then(Packed::forward);
        let Some(right) = right.filter(|_| threads > 1 && strips > 1 && x.cols > 0) else {
            return self.linear(y, x, w, scale, write);
        };
        let (depth, rows) = (x.cols, y.rows);
        assert!(
            rows == x.rows && y.cols == w.matrix.rows && depth == w.matrix.cols,
            "linear: shapes disagree"
        );
        // Taken, not borrowed: while this thread waits for the others it may be given other work.
        let mut left = LEFT.take();
        self.lay_out(&mut left, &Operand::along_rows(x), Side::Left);
        let each = strips.div_ceil(threads) * COLUMNS;
        let parts: Vec<Range<usize>> =
            (0..y.cols).step_by(each).map(|first| first..(first + each).min(y.cols)).collect();
        let (stride, data) = (y.stride, Mutex::new(y.data));
        crate::threads::for_each(threads, parts, |_, columns: Range<usize>| {
            let width = columns.len();
            let right = match right {
                Right::Lines(lines) => {
                    Right::Lines(&lines[self.packed_lines(columns.start, depth, Side::Right)..])
                }
                Right::Halves(halves) => Right::Halves(&halves[columns.start * depth..]),
            };
            let mut own = OWN.take();
            own.resize(own.len().max(rows * width), 0.0);
            if write == Write::Add {
                let data = data.lock().unwrap_or_else(|e| e.into_inner());
                for (row, own) in own.chunks_exact_mut(width).take(rows).enumerate() {
                    own.copy_from_slice(&data[row * stride..][columns.clone()]);
                }
            }
            self.product(MatMut::new(&mut own, rows, width), &left, right, depth, scale, write);
            let mut data = data.lock().unwrap_or_else(|e| e.into_inner());
            for (row, own) in own.chunks_exact(width).take(rows).enumerate() {
                data[row * stride..][columns.clone()].copy_from_slice(own);
            }
            OWN.set(own);
        });
        LEFT.set(left);
    }

    /// Lays `x` out once for several [`Input::linear`].
    pub fn with_input(self, x: Mat, work: impl FnOnce(Input)) {
        let (n, operand) = (x.rows, Operand::along_rows(x));
        self.with_left(&operand, |lines| work(Input { products: self, lines, n, depth: operand.depth }));
    }

    /// `dx[n,i] = scale * dy[n,o] W[o,i]`.
    pub fn linear_input<'a>(self, dx: MatMut, dy: Mat, w: impl Into<Weight<'a>>, scale: f32, write: Write) {
        let w = w.into();
        let m = w.matrix;
        assert!(
            dx.rows == dy.rows && dx.cols == m.cols && dy.cols == m.rows,
            "linear_input: shapes disagree"
        );
        let depth = dy.cols;
        self.with_left(&Operand::along_rows(dy), |left| {
            let multiply = |right: &[Line]| self.product(dx, left, Right::Lines(right), depth, scale, write);
            match w.packed.map(|p| &p.backward[..]).filter(|lines| !lines.is_empty()) {
                Some(lines) => multiply(lines),
                None => self.with_right(&Operand::along_columns(m), multiply),
            }
        });
    }

    /// `dW[o,i] = scale * dy[n,o]^T x[n,i]`.
    pub fn linear_weight(self, dw: MatMut, dy: Mat, x: Mat, scale: f32, write: Write) {
        self.with_input_columns(x, |x| x.linear_weight(dw, dy, scale, write));
    }

    /// Lays `x` out once for several [`InputColumns::linear_weight`].
    pub fn with_input_columns(self, x: Mat, work: impl FnOnce(InputColumns)) {
        let (input, operand) = (x.cols, Operand::along_columns(x));
        let depth = operand.depth;
        self.with_right(&operand, |lines| work(InputColumns { products: self, lines, input, depth }));
    }

    /// Calls `work` with a left operand laid out in this thread's memory for one.
    fn with_left(self, operand: &Operand, work: impl FnOnce(&[Line])) {
        self.with(&LEFT, operand, Side::Left, work);
    }

    /// Calls `work` with a right operand laid out in this thread's memory for one.
    fn with_right(self, operand: &Operand, work: impl FnOnce(&[Line])) {
        self.with(&RIGHT, operand, Side::Right, work);
    }

    fn with(self, memory: &'static Scratch, operand: &Operand, side: Side, work: impl FnOnce(&[Line])) {
        memory.with_borrow_mut(|lines| {
            self.lay_out(lines, operand, side);
            work(lines);
        });
    }

    /// `out = scale * left right (+ out)`.
    fn product(self, out: MatMut, left: &[Line], right: Right, depth: usize, scale: f32, write: Write) {
        if out.rows == 0 || out.cols == 0 {
            return;
        }
        if depth == 0 {
            if write == Write::Set {
                (0..out.rows).for_each(|r| out.data[r * out.stride..][..out.cols].fill(0.0));
            }
            return;
        }
        match (self.0, right) {
            (Loop::Vector { .. }, Right::Lines(right)) => {
                vector::product(out, left, right, depth, scale, write);
            }
            #[cfg(target_arch = "x86_64")]
            (Loop::Amx { split }, Right::Lines(right)) => {
                amx::product(out, left, right, depth, scale, write, split);
            }
            (_, Right::Halves(right)) => STRIP.with_borrow_mut(|strip| {
                vector::product_of_halves(out, left, right, depth, scale, write, strip);
            }),
        }
    }

    fn packed_lines(self, outer: usize, depth: usize, side: Side) -> usize {
        match self.0 {
            Loop::Vector { .. } => vector::packed_lines(outer, depth, side),
            #[cfg(target_arch = "x86_64")]
            Loop::Amx { split } => amx::packed_lines(outer, depth, split),
        }
    }

    fn lay_out(self, to: &mut Vec<Line>, from: &Operand, side: Side) {
        if from.depth == 0 {
            return;
        }
        let lines = self.packed_lines(from.outer, from.depth, side);
        // Grows once; what an earlier operand left is overwritten.
        if to.len() < lines {
            to.resize(lines, Line::ZERO);
        }
        match self.0 {
            Loop::Vector { rounded } => vector::pack(&mut to[..lines], from, side, rounded),
            #[cfg(target_arch = "x86_64")]
            Loop::Amx { split } => amx::pack(&mut to[..lines], from, side, split),
        }
    }
}

/// The input of several linear layers, laid out for [`Products::linear`].
#[derive(Clone, Copy)]
pub struct Input<'a> {
    products: Products,
    lines: &'a [Line],
    n: usize,
    depth: usize,
}

impl Input<'_> {
    /// As [`Products::linear`].
    pub fn linear<'a>(self, y: MatMut, w: impl Into<Weight<'a>>, scale: f32, write: Write) {
        let w = w.into();
        let m = w.matrix;
        assert!(y.rows == self.n && y.cols == m.rows && self.depth == m.cols, "linear: shapes disagree");
        let multiply = |right: Right| self.products.product(y, self.lines, right, self.depth, scale, write);
        match w.packed.and_then(Packed::forward) {
            Some(right) => multiply(right),
            None => self.products.with_right(&Operand::along_rows(m), |lines| multiply(Right::Lines(lines))),
        }
    }
}

/// The input of several linear layers, laid out for [`Products::linear_weight`].
#[derive(Clone, Copy)]
pub struct InputColumns<'a> {
    products: Products,
    lines: &'a [Line],
    input: usize,
    depth: usize,
}

impl InputColumns<'_> {
    /// As [`Products::linear_weight`].
    pub fn linear_weight(self, dw: MatMut, dy: Mat, scale: f32, write: Write) {
        let fits = dw.rows == dy.cols && dw.cols == self.input && dy.rows == self.depth;
        assert!(fits, "linear_weight: shapes disagree");
        self.products.with_left(&Operand::along_columns(dy), |left| {
            self.products.product(dw, left, Right::Lines(self.lines), self.depth, scale, write);
        });
    }
}

/// Columns at whose multiples a laid out right operand can be cut, in every loop.
const COLUMNS: usize = 32;

type Scratch = std::thread::LocalKey<RefCell<Vec<Line>>>;

thread_local! {
    /// Some columns of a product, before they go where they belong.
    static OWN: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    /// A strip of a right operand of halves, widened.
    static STRIP: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
    /// A left operand laid out for a product; kept so that nothing is allocated from product to product.
    static LEFT: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
    /// A right one.
    static RIGHT: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests;
