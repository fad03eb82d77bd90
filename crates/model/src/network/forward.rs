//! The forward pass, and the two questions asked of it: a loss, or log-probabilities of targets.

use super::packed::Projection;
use super::workspace::HEAD_ROWS;
use super::{Batch, Network, Workspace};
use kernels::matmul::{Mat, MatMut, Write};
use kernels::{attention, cross_entropy, norm, rope, swiglu};

impl Network<'_> {
    /// Log-probability (nats) of every target of the batch, in order.
    pub fn log_probabilities(&self, batch: &Batch, ws: &mut Workspace) -> Vec<f64> {
        self.hidden_states(batch, ws);
        self.gather_targets(batch, ws);
        let (d, v) = (self.config.hidden_size, self.config.vocab_size);
        let mut out = vec![0f64; batch.targets.len()];
        for (block, (out, targets)) in
            out.chunks_mut(HEAD_ROWS).zip(batch.targets.chunks(HEAD_ROWS)).enumerate()
        {
            let rows = targets.len();
            let x = &ws.head_norm[block * HEAD_ROWS * d..][..rows * d];
            self.products.linear(
                MatMut::new(&mut ws.logits, rows, v),
                Mat::new(x, rows, d),
                self.head(),
                1.0,
                Write::Set,
            );
            cross_entropy::log_probabilities(out, &mut ws.logits[..rows * v], targets, v);
        }
        out
    }

    /// Logits `[rows, vocab]` at the given rows of the batch.
    pub fn logits(&self, batch: &Batch, rows: &[u32], ws: &mut Workspace) -> Vec<f32> {
        self.hidden_states(batch, ws);
        let asked = Batch { target_rows: rows.to_vec(), ..Batch::default() };
        self.gather_targets(&asked, ws);
        let (d, v) = (self.config.hidden_size, self.config.vocab_size);
        let mut out = vec![0f32; rows.len() * v];
        self.products.linear(
            MatMut::new(&mut out, rows.len(), v),
            Mat::new(&ws.head_norm, rows.len(), d),
            self.head(),
            1.0,
            Write::Set,
        );
        out
    }

    /// Runs all layers; leaves the input of the final norm in the last `x`.
    pub(super) fn hidden_states(&self, batch: &Batch, ws: &mut Workspace) {
        assert!(batch.longest() <= self.rope.len(), "a segment is longer than the rotary table");
        self.embed(&batch.tokens, batch.tokens.len(), ws);
        for l in 0..self.config.layers {
            self.layer(l, &batch.positions, ws, |attended, qkv, scratch| {
                attention::forward(attended, qkv, &batch.segments, self.config.attention(), scratch);
            });
        }
    }

    /// Makes room for `n` tokens and puts their embeddings into the first `x`.
    pub(super) fn embed<'t>(&self, tokens: impl IntoIterator<Item = &'t u32>, n: usize, ws: &mut Workspace) {
        let d = self.config.hidden_size;
        ws.fit(self.config, n, self.adapter.map_or(0, |a| a.shape.rank));
        let embedding = self.range(&self.weights.layout.embedding);
        for (x, token) in ws.x[0].chunks_exact_mut(d).zip(tokens) {
            x.copy_from_slice(&embedding[*token as usize * d..][..d]);
        }
    }

    /// One layer over tokens at `positions`. `attend` fills the attention's output from the fused, rotated projections.
    pub(super) fn layer(
        &self,
        l: usize,
        positions: &[u32],
        ws: &mut Workspace,
        attend: impl FnOnce(&mut [f32], &[f32], &mut attention::Scratch),
    ) {
        let c = self.config;
        let (n, d, f, hd) = (positions.len(), c.hidden_size, c.ffn_size, c.head_dim);
        let width = c.attention().qkv_width();
        let layout = &self.weights.layout.layers[l];
        let eps = c.norm_eps as f32;
        let slot = ws.slot(l);
        let x = std::mem::take(&mut ws.x[slot]);
        let mut b = std::mem::take(&mut ws.layers[slot]);

        norm::forward(&mut b.norm1[..n * d], &mut b.inv1, &x, self.range(&layout.norm1), eps);
        let [qkv_low, o_low, gate_up_low, down_low] = &mut b.low;
        self.project(l, Projection::Qkv, &mut b.qkv, &b.norm1, n, Write::Set, qkv_low);
        if let Some(bias) = &layout.qkv_bias {
            for row in b.qkv[..n * width].chunks_exact_mut(width) {
                row.iter_mut().zip(self.range(bias)).for_each(|(x, b)| *x += b);
            }
        }
        if let (Some(q_norm), Some(k_norm)) = (&layout.q_norm, &layout.k_norm) {
            let (q, heads) = (c.heads * hd, c.heads + c.kv_heads);
            let rows = b.qkv[..n * width].chunks_exact_mut(width);
            let raws = b.qk_raw.chunks_exact_mut(heads * hd).zip(b.qk_inv.chunks_exact_mut(heads));
            for (row, (raw, inv)) in rows.zip(raws) {
                raw.copy_from_slice(&row[..heads * hd]);
                norm::forward(&mut row[..q], &mut inv[..c.heads], &raw[..q], self.range(q_norm), eps);
                norm::forward(
                    &mut row[q..heads * hd],
                    &mut inv[c.heads..],
                    &raw[q..],
                    self.range(k_norm),
                    eps,
                );
            }
        }
        rope::rotate(&mut b.qkv[..n * width], width, c.heads + c.kv_heads, positions, self.rope);
        attend(&mut b.attention, &b.qkv, &mut ws.attention);
        b.middle[..n * d].copy_from_slice(&x[..n * d]);
        self.project(l, Projection::O, &mut b.middle, &b.attention, n, Write::Add, o_low);

        norm::forward(&mut b.norm2[..n * d], &mut b.inv2, &b.middle, self.range(&layout.norm2), eps);
        self.project(l, Projection::GateUp, &mut b.gate_up, &b.norm2, n, Write::Set, gate_up_low);
        swiglu::forward(&mut b.act[..n * f], &b.gate_up, f);
        ws.x[slot] = x;
        let next = ws.x.len().min(slot + 2) - 1;
        let next = &mut ws.x[next];
        next[..n * d].copy_from_slice(&b.middle[..n * d]);
        self.project(l, Projection::Down, next, &b.act, n, Write::Add, down_low);
        ws.layers[slot] = b;
    }

    /// Gathers the rows that predict something and normalises them: `head_norm[targets, d]`.
    pub(super) fn gather_targets(&self, batch: &Batch, ws: &mut Workspace) {
        let (d, t) = (self.config.hidden_size, batch.target_rows.len());
        if let Some(x) = ws.x.last() {
            for (to, row) in ws.head_x.chunks_exact_mut(d).zip(&batch.target_rows) {
                to.copy_from_slice(&x[*row as usize * d..][..d]);
            }
        }
        let gain = self.range(&self.weights.layout.norm);
        norm::forward(
            &mut ws.head_norm[..t * d],
            &mut ws.head_inv,
            &ws.head_x,
            gain,
            self.config.norm_eps as f32,
        );
    }
}
