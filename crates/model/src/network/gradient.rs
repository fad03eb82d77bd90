//! Where a backward pass adds its gradients: a buffer of its own, or one that several passes share.

use crate::layout::Layout;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard};

/// Where gradients are added.
pub enum Gradient<'a, 'g> {
    /// Gradients of all weights, in the layout of [`Weights`](crate::Weights).
    Full(&'a mut [f32]),
    /// The same, shared with other passes.
    Shared(Turn<'a, 'g>),
    /// Gradients of the adapter only, in its own layout; the weights are frozen.
    Lora(&'a mut [f32]),
}

impl Gradient<'_, '_> {
    /// Lets `work` add to the gradient of a matrix, unless that is frozen. Once a pass for each matrix.
    pub(super) fn add(&mut self, range: &Range<usize>, work: impl FnOnce(&mut [f32])) {
        self.add_part(range, true, work);
    }

    /// As [`Gradient::add`] in several parts, of which one is the last; there must be one, if only to say so.
    pub(super) fn add_part(&mut self, range: &Range<usize>, last: bool, work: impl FnOnce(&mut [f32])) {
        match self {
            Gradient::Full(g) => work(&mut g[range.clone()]),
            Gradient::Shared(turn) => turn.take(range, last, work),
            Gradient::Lora(_) => {}
        }
    }

    /// As [`Gradient::add`] for a vector, whose gradient is computed even if it is frozen, and then ignored.
    pub(super) fn add_vector(
        &mut self,
        range: &Range<usize>,
        ignored: &mut [f32],
        work: impl FnOnce(&mut [f32]),
    ) {
        match self {
            Gradient::Lora(_) => work(&mut ignored[..range.len()]),
            _ => self.add(range, work),
        }
    }

    /// Adds the gradient of a pass's inputs to the rows of the embedding that they came from.
    pub(super) fn add_embedding(&mut self, range: &Range<usize>, tokens: &[u32], dx: &[f32], width: usize) {
        match self {
            Gradient::Full(g) => scatter(&mut g[range.clone()], tokens, dx, width),
            Gradient::Shared(turn) => turn.leave_inputs(tokens, &dx[..tokens.len() * width]),
            Gradient::Lora(_) => {}
        }
    }
}

fn scatter(embedding: &mut [f32], tokens: &[u32], dx: &[f32], width: usize) {
    for (dx, token) in dx.chunks_exact(width).zip(tokens) {
        embedding[*token as usize * width..][..width].iter_mut().zip(dx).for_each(|(g, x)| *g += x);
    }
}

/// A gradient of all weights to which the passes of a step add at the same time.
///
/// Each matrix takes them in the order of their numbers, so that sums do not depend on which is faster. Passes
/// that run side by side soon work on different matrices, and wait little. It saves the memory of a buffer a thread.
pub struct SharedGradient<'g> {
    /// In the order of the buffer.
    matrices: Vec<Matrix<'g>>,
    embedding: usize,
    width: usize,
    inputs: &'g [Mutex<Inputs>],
}

/// The gradient of a pass's inputs. The embedding gets them when all passes have ended: where it is the output projection
/// too, a pass would come back to it at its end, and the next would have to wait for that.
#[derive(Default)]
pub struct Inputs {
    tokens: Vec<u32>,
    /// A row a token.
    dx: Vec<f32>,
}

/// A matrix or vector, and whose turn it is.
struct Matrix<'g> {
    start: usize,
    state: Mutex<(usize, &'g mut [f32])>,
    changed: Condvar,
}

/// Whose turn it is when a pass has panicked: nobody's.
const FAILED: usize = usize::MAX;

impl<'g> SharedGradient<'g> {
    /// For that many passes; `width` is the hidden size, and `inputs` memory that the caller keeps for the next step.
    pub fn new(
        gradient: &'g mut [f32],
        layout: &Layout,
        width: usize,
        passes: usize,
        inputs: &'g mut Vec<Mutex<Inputs>>,
    ) -> SharedGradient<'g> {
        let mut rest = gradient;
        let mut matrices = Vec::new();
        for range in layout.matrices() {
            let (data, after) = std::mem::take(&mut rest).split_at_mut(range.len());
            matrices.push(Matrix {
                start: range.start,
                state: Mutex::new((0, data)),
                changed: Condvar::new(),
            });
            rest = after;
        }
        inputs.resize_with(passes, Mutex::default);
        SharedGradient { matrices, embedding: layout.embedding.start, width, inputs }
    }

    /// Where the pass of that number adds. Numbers count from 0, and a pass must not begin before the one before it.
    pub fn turn(&self, pass: usize) -> Gradient<'_, 'g> {
        Gradient::Shared(Turn { matrices: &self.matrices, pass, inputs: &self.inputs[pass] })
    }

    /// Adds what is still to be added when all passes have ended.
    pub fn finish(self) {
        for matrix in self.matrices.into_iter().filter(|m| m.start == self.embedding) {
            let (_, embedding) = matrix.state.into_inner().unwrap_or_else(|e| e.into_inner());
            for inputs in self.inputs {
                let inputs = lock(inputs);
                scatter(embedding, &inputs.tokens, &inputs.dx, self.width);
            }
        }
    }
}

/// A pass's place in the order.
pub struct Turn<'a, 'g> {
    matrices: &'a [Matrix<'g>],
    pass: usize,
    inputs: &'a Mutex<Inputs>,
}

impl Turn<'_, '_> {
    /// Waits until all passes before have added to this matrix, adds, and lets the next if this was the last part.
    fn take(&self, range: &Range<usize>, last: bool, work: impl FnOnce(&mut [f32])) {
        let at = self.matrices.binary_search_by_key(&range.start, |m| m.start);
        let matrix = &self.matrices[at.expect("every matrix of the layout has a turn")];
        let state = lock(&matrix.state);
        let waiting = |state: &mut (usize, &mut [f32])| state.0 != self.pass && state.0 != FAILED;
        let mut state = matrix.changed.wait_while(state, waiting).unwrap_or_else(|e| e.into_inner());
        assert!(state.0 != FAILED, "another pass of this step panicked");
        work(state.1);
        if last {
            state.0 += 1;
            matrix.changed.notify_all();
        }
    }

    fn leave_inputs(&self, tokens: &[u32], dx: &[f32]) {
        let mut inputs = lock(self.inputs);
        inputs.tokens.clear();
        inputs.tokens.extend(tokens);
        inputs.dx.clear();
        inputs.dx.extend(dx);
    }
}

impl Drop for Turn<'_, '_> {
    /// A pass that panics lets nobody wait for it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for matrix in self.matrices {
                lock(&matrix.state).0 = FAILED;
                matrix.changed.notify_all();
            }
        }
    }
}

fn lock<'m, T>(mutex: &'m Mutex<T>) -> MutexGuard<'m, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
