//! The decoder: forward and hand-written backward over a ragged batch.
//!
//! One call works on the tokens of some segments with one thread and one [`Workspace`]; threads take different
//! batches. The backward pass mirrors the forward pass line by line: read them side by side.

mod backward;
mod extend;
mod forward;
mod gradient;
mod packed;
mod projection;
mod workspace;

pub use extend::Continued;
pub use gradient::{Gradient, Inputs, SharedGradient};
pub use packed::{Pack, PackedWeights};
pub use workspace::Workspace;

use crate::{Adapter, Config, Example, Weights};
use kernels::attention::Segment;
use kernels::matmul::{Mat, Products, Weight};
use kernels::rope::Table;
use packed::Projection;

/// A model ready to be run: sizes, weights, perhaps an adapter, and rotary tables.
#[derive(Clone, Copy)]
pub struct Network<'a> {
    /// Sizes.
    pub config: &'a Config,
    /// Parameters.
    pub weights: &'a Weights,
    /// Low-rank updates on top, if any.
    pub adapter: Option<&'a Adapter>,
    /// How matrices are multiplied.
    pub products: Products,
    /// The weights' matrices as [`Network::products`] reads them, if they are used more than once; made from these weights.
    pub packed: Option<&'a PackedWeights>,
    /// Threads that one pass is shared out over. More than one helps where a pass has few tokens and all there is to do is
    /// in it; otherwise threads take passes.
    pub threads: usize,
    /// Cosines and sines for at least the longest segment; see [`Network::rope_table`].
    pub rope: &'a Table,
}

impl<'a> Network<'a> {
    /// A network whose products have the precision of f32, nothing laid out beforehand.
    pub fn new(
        config: &'a Config,
        weights: &'a Weights,
        adapter: Option<&'a Adapter>,
        rope: &'a Table,
    ) -> Network<'a> {
        let products = Products::f32();
        Network { config, weights, adapter, rope, products, packed: None, threads: 1 }
    }

    /// Rotary tables for segments of up to `len` tokens.
    pub fn rope_table(config: &Config, len: usize) -> Table {
        Table::new(len, &config.rope_frequencies())
    }

    /// A fused projection of layer `l`, `[out, in]`.
    fn projection(&self, l: usize, projection: Projection) -> Weight<'_> {
        let (range, out, input) = projection.place(self.config, &self.weights.layout.layers[l]);
        Weight::new(
            Mat::new(self.range(range), out, input),
            self.packed.and_then(|p| p.projection(l, projection)),
        )
    }

    /// The output projection, `[vocab, hidden]`.
    fn head(&self) -> Weight<'_> {
        let matrix = self.range(&self.weights.layout.head);
        let matrix = Mat::new(matrix, self.config.vocab_size, self.config.hidden_size);
        Weight::new(matrix, self.packed.map(PackedWeights::head))
    }

    fn range(&self, range: &std::ops::Range<usize>) -> &[f32] {
        &self.weights.flat[range.clone()]
    }
}

/// Tokens of several segments, one after the other, and what is to be predicted from them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Input tokens.
    pub tokens: Vec<u32>,
    /// Position of each token in its own segment.
    pub positions: Vec<u32>,
    /// The segments; attention never crosses them.
    pub segments: Vec<Segment>,
    /// Rows (indices into `tokens`) whose next token is a target.
    pub target_rows: Vec<u32>,
    /// The targets, one for each of `target_rows`.
    pub targets: Vec<u32>,
}

impl Batch {
    /// Adds an example: token `i` with `loss[i]` is to be predicted from the tokens before it. Tokens from which
    /// nothing further is predicted are left out, because they cannot influence a target.
    pub fn push(&mut self, example: &Example) {
        let last = (1..example.tokens.len()).rev().find(|i| example.loss[*i]);
        let Some(last) = last else { return };
        let start = self.tokens.len();
        for i in 0..last {
            self.tokens.push(example.tokens[i]);
            self.positions.push(i as u32);
            if example.loss[i + 1] {
                self.target_rows.push((start + i) as u32);
                self.targets.push(example.tokens[i + 1]);
            }
        }
        self.segments.push(Segment { start, len: last });
    }

    /// Removes everything, keeping the memory.
    pub fn clear(&mut self) {
        self.tokens.clear();
        self.positions.clear();
        self.segments.clear();
        self.target_rows.clear();
        self.targets.clear();
    }

    /// The longest segment, in tokens.
    pub fn longest(&self) -> usize {
        self.segments.iter().map(|s| s.len).max().unwrap_or(0)
    }
}
