//! The backward pass: the forward pass from bottom to top, each line replaced by its gradient.

use super::packed::Projection;
use super::workspace::HEAD_ROWS;
use super::{Batch, Gradient, Network, Workspace};
use kernels::matmul::{Mat, MatMut, Write};
use kernels::{attention, cross_entropy, norm, rope, swiglu};
use std::ops::Range;

impl Network<'_> {
    /// Summed loss of the batch's targets (nats), adding `scale` times its gradient to `gradient`.
    ///
    /// `scale` is one over the number of targets in the whole step, so that buffers of several batches add up to the
    /// gradient of the mean loss.
    pub fn loss_and_gradient(
        &self,
        batch: &Batch,
        ws: &mut Workspace,
        gradient: &mut Gradient,
        scale: f32,
    ) -> f64 {
        self.hidden_states(batch, ws);
        self.gather_targets(batch, ws);
        let loss = self.head_backward(batch, ws, gradient, scale);
        for l in (0..self.config.layers).rev() {
            self.layer_backward(l, batch, ws, gradient);
        }
        let embedding = &self.weights.layout.embedding;
        gradient.add_embedding(embedding, &batch.tokens, &ws.dx, self.config.hidden_size);
        loss
    }

    /// Loss and gradient of the output projection and the final norm; leaves the gradient of the last `x` in `dx`.
    fn head_backward(&self, batch: &Batch, ws: &mut Workspace, gradient: &mut Gradient, scale: f32) -> f64 {
        let (d, v, t) = (self.config.hidden_size, self.config.vocab_size, batch.targets.len());
        let layout = &self.weights.layout;
        let head = self.head();
        let mut loss = 0f64;
        let last = t.div_ceil(HEAD_ROWS).saturating_sub(1);
        for (block, targets) in batch.targets.chunks(HEAD_ROWS).enumerate() {
            let rows = targets.len();
            let at = block * HEAD_ROWS * d;
            let x = Mat::new(&ws.head_norm[at..at + rows * d], rows, d);
            let logits = &mut ws.logits[..rows * v];
            self.products.linear(MatMut::new(logits, rows, v), x, head, 1.0, Write::Set);
            loss += cross_entropy::backward(logits, targets, v, scale);
            let (logits, dx) = (Mat::new(logits, rows, v), &mut ws.d_hidden[at..at + rows * d]);
            self.products.linear_input(MatMut::new(dx, rows, d), logits, head, 1.0, Write::Set);
            gradient.add_part(&layout.head, block == last, |dw| {
                self.products.linear_weight(MatMut::new(dw, v, d), logits, x, 1.0, Write::Add);
            });
        }
        if t == 0 {
            gradient.add(&layout.head, |_| {});
        }
        ws.d_head[..t * d].fill(0.0);
        let gain = self.range(&layout.norm);
        gradient.add_vector(&layout.norm, &mut ws.ignored, |d_gain| {
            norm::backward(&mut ws.d_head[..t * d], d_gain, &ws.d_hidden, &ws.head_x, &ws.head_inv, gain);
        });
        ws.dx[..batch.tokens.len() * d].fill(0.0);
        for (from, row) in ws.d_head.chunks_exact(d).zip(&batch.target_rows) {
            ws.dx[*row as usize * d..][..d].copy_from_slice(from);
        }
        loss
    }

    fn layer_backward(&self, l: usize, batch: &Batch, ws: &mut Workspace, gradient: &mut Gradient) {
        let c = self.config;
        let (n, d, f, hd) = (batch.tokens.len(), c.hidden_size, c.ffn_size, c.head_dim);
        let width = c.attention().qkv_width();
        let layout = &self.weights.layout.layers[l];
        let mut b = std::mem::take(&mut ws.layers[l]);
        let x = &ws.x[l];
        let [qkv_low, o_low, gate_up_low, down_low] = &b.low;
        let d_low = &mut ws.d_low;

        // x_next = middle + act W_down^T
        let down = Projection::Down;
        self.project_backward(l, down, gradient, Some(&mut ws.d_act[..]), &ws.dx, &b.act, n, down_low, d_low);
        // act = silu(gate) up; [gate up] = norm2 W_gate_up^T
        swiglu::backward(&mut b.gate_up[..n * 2 * f], &ws.d_act, f);
        let (gate_up, d_hidden) = (Projection::GateUp, Some(&mut ws.d_hidden[..]));
        self.project_backward(l, gate_up, gradient, d_hidden, &b.gate_up, &b.norm2, n, gate_up_low, d_low);
        gradient.add_vector(&layout.norm2, &mut ws.ignored, |d_gain| {
            let gain = self.range(&layout.norm2);
            norm::backward(&mut ws.dx[..n * d], d_gain, &ws.d_hidden, &b.middle, &b.inv2, gain);
        });

        // middle = x + attention W_o^T
        let (o, d_attention) = (Projection::O, Some(&mut ws.d_attention[..]));
        self.project_backward(l, o, gradient, d_attention, &ws.dx, &b.attention, n, o_low, d_low);
        attention::backward(
            &mut ws.d_qkv,
            &ws.d_attention,
            &b.qkv,
            &batch.segments,
            c.attention(),
            &mut ws.attention,
        );
        rope::rotate_back(
            &mut ws.d_qkv[..n * width],
            width,
            c.heads + c.kv_heads,
            &batch.positions,
            self.rope,
        );
        if let (Some(q_norm), Some(k_norm)) = (&layout.q_norm, &layout.k_norm) {
            let (q, all) = (c.heads * hd, c.heads + c.kv_heads);
            // The rotated q and k are no longer needed: their place holds the incoming gradient.
            let mut part = |columns: Range<usize>, heads: Range<usize>, d_gain: &mut [f32], gain: &[f32]| {
                let rows = ws.d_qkv[..n * width].chunks_exact_mut(width).zip(b.qkv.chunks_exact_mut(width));
                let raws = b.qk_raw.chunks_exact(all * hd).zip(b.qk_inv.chunks_exact(all));
                for ((row, incoming), (raw, inv)) in rows.zip(raws) {
                    let (row, incoming) = (&mut row[columns.clone()], &mut incoming[columns.clone()]);
                    incoming.copy_from_slice(row);
                    row.fill(0.0);
                    norm::backward(row, d_gain, incoming, &raw[columns.clone()], &inv[heads.clone()], gain);
                }
            };
            let ignored = &mut ws.ignored;
            gradient.add_vector(q_norm, ignored, |d_q| part(0..q, 0..c.heads, d_q, self.range(q_norm)));
            gradient
                .add_vector(k_norm, ignored, |d_k| part(q..all * hd, c.heads..all, d_k, self.range(k_norm)));
        }
        if let Some(bias) = &layout.qkv_bias {
            gradient.add_vector(bias, &mut ws.ignored, |d_bias| {
                for row in ws.d_qkv[..n * width].chunks_exact(width) {
                    d_bias.iter_mut().zip(row).for_each(|(g, x)| *g += x);
                }
            });
        }
        // qkv = norm1 W_qkv^T
        // Nothing below the first layer is trained with an adapter.
        let lowest = l == 0 && matches!(gradient, Gradient::Lora(_));
        let (qkv, d_hidden) = (Projection::Qkv, (!lowest).then_some(&mut ws.d_hidden[..]));
        self.project_backward(l, qkv, gradient, d_hidden, &ws.d_qkv, &b.norm1, n, qkv_low, d_low);
        if !lowest {
            gradient.add_vector(&layout.norm1, &mut ws.ignored, |d_gain| {
                let gain = self.range(&layout.norm1);
                norm::backward(&mut ws.dx[..n * d], d_gain, &ws.d_hidden, x, &b.inv1, gain);
            });
        }
        ws.layers[l] = b;
    }
}
