//! Every buffer that a forward and backward pass needs, laid out once and kept from step to step.

use super::packed::Projection;
use crate::Config;
use kernels::attention::Scratch;

/// What the forward pass of one layer leaves for its backward pass; rows are tokens.
#[derive(Default)]
pub(super) struct LayerBuffers {
    pub norm1: Vec<f32>,
    pub inv1: Vec<f32>,
    /// q and k before their per-head norm (only with q/k norms).
    pub qk_raw: Vec<f32>,
    pub qk_inv: Vec<f32>,
    pub qkv: Vec<f32>,
    pub attention: Vec<f32>,
    pub middle: Vec<f32>,
    pub norm2: Vec<f32>,
    pub inv2: Vec<f32>,
    pub gate_up: Vec<f32>,
    pub act: Vec<f32>,
    /// The low-rank inner values of each projection's adapters.
    pub low: [Vec<f32>; 4],
}

/// Buffers for batches of up to a number of tokens; grows when a larger batch comes.
pub struct Workspace {
    training: bool,
    capacity: usize,
    /// Input of each layer and of the final norm (training); a single buffer otherwise.
    pub(super) x: Vec<Vec<f32>>,
    pub(super) layers: Vec<LayerBuffers>,
    pub(super) attention: Scratch,
    pub(super) dx: Vec<f32>,
    pub(super) d_hidden: Vec<f32>,
    pub(super) d_attention: Vec<f32>,
    pub(super) d_qkv: Vec<f32>,
    pub(super) d_act: Vec<f32>,
    pub(super) d_low: Vec<f32>,
    pub(super) head_x: Vec<f32>,
    pub(super) head_norm: Vec<f32>,
    pub(super) head_inv: Vec<f32>,
    pub(super) d_head: Vec<f32>,
    pub(super) logits: Vec<f32>,
    /// Gradients of norms and biases of a frozen model are computed into this and ignored.
    pub(super) ignored: Vec<f32>,
}

/// Rows of logits that exist at a time: the whole `[tokens, vocab]` matrix never does.
pub(super) const HEAD_ROWS: usize = 128;

/// The most adapters that one fused projection carries: q, k and v.
const MOST_TARGETS: usize = 3;

fn grow(buffer: &mut Vec<f32>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
}

impl Workspace {
    /// An empty workspace; `training` keeps what the backward pass needs.
    pub fn new(training: bool) -> Workspace {
        Workspace {
            training,
            capacity: 0,
            x: Vec::new(),
            layers: Vec::new(),
            attention: Scratch::default(),
            dx: Vec::new(),
            d_hidden: Vec::new(),
            d_attention: Vec::new(),
            d_qkv: Vec::new(),
            d_act: Vec::new(),
            d_low: Vec::new(),
            head_x: Vec::new(),
            head_norm: Vec::new(),
            head_inv: Vec::new(),
            d_head: Vec::new(),
            logits: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// The index of layer `l`'s buffers.
    pub(super) fn slot(&self, l: usize) -> usize {
        if self.training { l } else { 0 }
    }

    /// Makes room for `n` tokens and an adapter of width `rank` (0 for none).
    pub(super) fn fit(&mut self, c: &Config, n: usize, rank: usize) {
        let n = n.max(self.capacity);
        self.capacity = n;
        let kept = if self.training { c.layers } else { 1 };
        let (d, f) = (c.hidden_size, c.ffn_size);
        let (width, out) = (c.attention().qkv_width(), c.attention().out_width());
        self.x.resize_with(if self.training { kept + 1 } else { 1 }, Vec::new);
        self.layers.resize_with(kept, LayerBuffers::default);
        self.x.iter_mut().for_each(|x| grow(x, n * d));
        for b in &mut self.layers {
            for buffer in [&mut b.norm1, &mut b.middle, &mut b.norm2] {
                grow(buffer, n * d);
            }
            grow(&mut b.inv1, n);
            grow(&mut b.inv2, n);
            grow(&mut b.qkv, n * width);
            grow(&mut b.attention, n * out);
            grow(&mut b.gate_up, n * 2 * f);
            grow(&mut b.act, n * f);
            for (low, projection) in b.low.iter_mut().zip(Projection::ALL) {
                grow(low, projection.targets().len() * n * rank);
            }
            if c.qk_norm {
                grow(&mut b.qk_raw, n * (c.heads + c.kv_heads) * c.head_dim);
                grow(&mut b.qk_inv, n * (c.heads + c.kv_heads));
            }
        }
        for buffer in [&mut self.head_x, &mut self.head_norm] {
            grow(buffer, n * d);
        }
        grow(&mut self.head_inv, n);
        grow(&mut self.logits, HEAD_ROWS * c.vocab_size);
        if self.training {
            for buffer in [&mut self.dx, &mut self.d_hidden, &mut self.d_head] {
                grow(buffer, n * d);
            }
            grow(&mut self.d_attention, n * out);
            grow(&mut self.d_qkv, n * width);
            grow(&mut self.d_act, n * f);
            grow(&mut self.d_low, MOST_TARGETS * n * rank);
            grow(&mut self.ignored, width.max(d));
        }
    }
}
