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

    /// Bytes of a workspace for training on `n` tokens at a time with an adapter of width `rank` (0 for none).
    pub fn training_bytes(c: &Config, n: usize, rank: usize) -> u64 {
        let (d, f) = (c.hidden_size, c.ffn_size);
        let (width, out) = (c.attention().qkv_width(), c.attention().out_width());
        let raw = if c.qk_norm { (c.heads + c.kv_heads) * (c.head_dim + 1) } else { 0 };
        let low: usize = Projection::ALL.iter().map(|projection| projection.targets().len() * rank).sum();
        let layer = 3 * d + 2 + width + out + 3 * f + low + raw;
        let head = n.max(HEAD_ROWS) * (2 * d + 1) + HEAD_ROWS * c.vocab_size;
        let once = 3 * d + out + width + f + MOST_TARGETS * rank;
        let floats = n * ((c.layers + 1) * d + c.layers * layer + once) + head + width.max(d);
        4 * floats as u64
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
        // One token can be asked for several targets.
        for buffer in [&mut self.head_x, &mut self.head_norm] {
            grow(buffer, n.max(HEAD_ROWS) * d);
        }
        grow(&mut self.head_inv, n.max(HEAD_ROWS));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn held(ws: &Workspace) -> usize {
        let layer = |b: &LayerBuffers| {
            let of = [
                &b.norm1,
                &b.inv1,
                &b.qk_raw,
                &b.qk_inv,
                &b.qkv,
                &b.attention,
                &b.middle,
                &b.norm2,
                &b.inv2,
                &b.gate_up,
                &b.act,
            ];
            of.iter().map(|v| v.len()).sum::<usize>() + b.low.iter().map(Vec::len).sum::<usize>()
        };
        let once = [
            &ws.dx,
            &ws.d_hidden,
            &ws.d_attention,
            &ws.d_qkv,
            &ws.d_act,
            &ws.d_low,
            &ws.head_x,
            &ws.head_norm,
            &ws.head_inv,
            &ws.d_head,
            &ws.logits,
            &ws.ignored,
        ];
        let sum = once.iter().map(|v| v.len()).sum::<usize>() + ws.x.iter().map(Vec::len).sum::<usize>();
        sum + ws.layers.iter().map(layer).sum::<usize>()
    }

    #[test]
    fn what_a_workspace_takes_is_known_before() {
        for (model_type, rank) in [("llama", 0), ("llama", 4), ("qwen3", 4)] {
            let config = Config::from_json(&serde_json::json!({
                "model_type": model_type, "vocab_size": 50, "hidden_size": 24, "intermediate_size": 40,
                "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
                "max_position_embeddings": 64, "tie_word_embeddings": true,
            }))
            .unwrap();
            let mut ws = Workspace::new(true);
            ws.fit(&config, 30, rank);
            assert_eq!(
                Workspace::training_bytes(&config, 30, rank),
                4 * held(&ws) as u64,
                "{model_type} {rank}"
            );
        }
    }
}
