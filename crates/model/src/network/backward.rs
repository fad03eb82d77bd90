//! The backward pass: the forward pass from bottom to top, each line replaced by its gradient.

use super::packed::Projection;
use super::workspace::HEAD_ROWS;
use super::{Batch, Gradient, Network, Workspace};
use crate::lora::Target;
use kernels::matmul::{Mat, MatMut, Products, Write};
use kernels::{attention, cross_entropy, norm, rope, swiglu};
use std::ops::Range;

/// Adds `dy^T x` to the gradient of a matrix, unless the weights are frozen.
#[allow(clippy::too_many_arguments)]
fn weight(
    products: Products,
    gradient: &mut Gradient,
    range: &Range<usize>,
    dy: &[f32],
    out: usize,
    x: &[f32],
    input: usize,
    n: usize,
) {
    if let Gradient::Full(g) = gradient {
        let dw = MatMut::new(&mut g[range.clone()], out, input);
        products.linear_weight(dw, Mat::new(dy, n, out), Mat::new(x, n, input), 1.0, Write::Add);
    }
}

/// Where the gradient of a vector goes: its place, or a buffer nobody reads.
fn vector<'g>(gradient: &'g mut Gradient, range: &Range<usize>, ignored: &'g mut [f32]) -> &'g mut [f32] {
    match gradient {
        Gradient::Full(g) => &mut g[range.clone()],
        Gradient::Lora(_) => &mut ignored[..range.len()],
    }
}

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
        if let Gradient::Full(g) = gradient {
            let d = self.config.hidden_size;
            let d_embedding = &mut g[self.weights.layout.embedding.clone()];
            for (dx, token) in ws.dx.chunks_exact(d).zip(&batch.tokens) {
                d_embedding[*token as usize * d..][..d].iter_mut().zip(dx).for_each(|(g, x)| *g += x);
            }
        }
        loss
    }

    /// Loss and gradient of the output projection and the final norm; leaves the gradient of the last `x` in `dx`.
    fn head_backward(&self, batch: &Batch, ws: &mut Workspace, gradient: &mut Gradient, scale: f32) -> f64 {
        let (d, v, t) = (self.config.hidden_size, self.config.vocab_size, batch.targets.len());
        let layout = &self.weights.layout;
        let head = self.head();
        let mut loss = 0f64;
        for (block, targets) in batch.targets.chunks(HEAD_ROWS).enumerate() {
            let rows = targets.len();
            let at = block * HEAD_ROWS * d;
            let x = &ws.head_norm[at..at + rows * d];
            let logits = &mut ws.logits[..rows * v];
            self.products.linear(MatMut::new(logits, rows, v), Mat::new(x, rows, d), head, 1.0, Write::Set);
            loss += cross_entropy::backward(logits, targets, v, scale);
            let dx = MatMut::new(&mut ws.d_hidden[at..at + rows * d], rows, d);
            self.products.linear_input(dx, Mat::new(logits, rows, v), head, 1.0, Write::Set);
            weight(self.products, gradient, &layout.head, logits, v, x, d, rows);
        }
        ws.d_head[..t * d].fill(0.0);
        let gain = self.range(&layout.norm);
        let d_gain = vector(gradient, &layout.norm, &mut ws.ignored);
        norm::backward(&mut ws.d_head[..t * d], d_gain, &ws.d_hidden, &ws.head_x, &ws.head_inv, gain);
        ws.dx[..batch.tokens.len() * d].fill(0.0);
        for (from, row) in ws.d_head.chunks_exact(d).zip(&batch.target_rows) {
            ws.dx[*row as usize * d..][..d].copy_from_slice(from);
        }
        loss
    }

    fn layer_backward(&self, l: usize, batch: &Batch, ws: &mut Workspace, gradient: &mut Gradient) {
        let c = self.config;
        let (n, d, f, hd) = (batch.tokens.len(), c.hidden_size, c.ffn_size, c.head_dim);
        let (width, out) = (c.attention().qkv_width(), c.attention().out_width());
        let layout = &self.weights.layout.layers[l];
        let mut b = std::mem::take(&mut ws.layers[l]);
        let x = &ws.x[l];
        let low = (&mut ws.low, &mut ws.d_low);

        // x_next = middle + act W_down^T
        self.products.linear_input(
            MatMut::new(&mut ws.d_act, n, f),
            Mat::new(&ws.dx, n, d),
            self.projection(l, Projection::Down),
            1.0,
            Write::Set,
        );
        weight(self.products, gradient, &layout.down, &ws.dx, d, &b.act, f, n);
        if let Gradient::Lora(g) = gradient {
            self.lora_backward(l, &[Target::DownProj], g, &mut ws.d_act, &ws.dx, d, &b.act, n, low.0, low.1);
        }
        // act = silu(gate) up; [gate up] = norm2 W_gate_up^T
        swiglu::backward(&mut b.gate_up[..n * 2 * f], &ws.d_act, f);
        let projection = self.projection(l, Projection::GateUp);
        self.products.linear_input(
            MatMut::new(&mut ws.d_hidden, n, d),
            Mat::new(&b.gate_up, n, 2 * f),
            projection,
            1.0,
            Write::Set,
        );
        weight(self.products, gradient, &layout.gate_up, &b.gate_up, 2 * f, &b.norm2, d, n);
        if let Gradient::Lora(g) = gradient {
            let targets = [Target::GateProj, Target::UpProj];
            self.lora_backward(
                l,
                &targets,
                g,
                &mut ws.d_hidden,
                &b.gate_up,
                2 * f,
                &b.norm2,
                n,
                low.0,
                low.1,
            );
        }
        let d_gain = vector(gradient, &layout.norm2, &mut ws.ignored);
        norm::backward(
            &mut ws.dx[..n * d],
            d_gain,
            &ws.d_hidden,
            &b.middle,
            &b.inv2,
            self.range(&layout.norm2),
        );

        // middle = x + attention W_o^T
        self.products.linear_input(
            MatMut::new(&mut ws.d_attention, n, out),
            Mat::new(&ws.dx, n, d),
            self.projection(l, Projection::O),
            1.0,
            Write::Set,
        );
        weight(self.products, gradient, &layout.o, &ws.dx, d, &b.attention, out, n);
        if let Gradient::Lora(g) = gradient {
            self.lora_backward(
                l,
                &[Target::OProj],
                g,
                &mut ws.d_attention,
                &ws.dx,
                d,
                &b.attention,
                n,
                low.0,
                low.1,
            );
        }
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
            let (q, heads) = (c.heads * hd, c.heads + c.kv_heads);
            // The rotated q and k are no longer needed: their place holds the incoming gradient.
            let rows = ws.d_qkv[..n * width].chunks_exact_mut(width).zip(b.qkv.chunks_exact_mut(width));
            let raws = b.qk_raw.chunks_exact(heads * hd).zip(b.qk_inv.chunks_exact(heads));
            for ((row, incoming), (raw, inv)) in rows.zip(raws) {
                incoming[..heads * hd].copy_from_slice(&row[..heads * hd]);
                row[..heads * hd].fill(0.0);
                let d_q = vector(gradient, q_norm, &mut ws.ignored);
                norm::backward(
                    &mut row[..q],
                    d_q,
                    &incoming[..q],
                    &raw[..q],
                    &inv[..c.heads],
                    self.range(q_norm),
                );
                let d_k = vector(gradient, k_norm, &mut ws.ignored);
                let (d_row, incoming) = (&mut row[q..heads * hd], &incoming[q..heads * hd]);
                norm::backward(d_row, d_k, incoming, &raw[q..], &inv[c.heads..], self.range(k_norm));
            }
        }
        if let Some(bias) = &layout.qkv_bias {
            let d_bias = vector(gradient, bias, &mut ws.ignored);
            for row in ws.d_qkv[..n * width].chunks_exact(width) {
                d_bias.iter_mut().zip(row).for_each(|(g, x)| *g += x);
            }
        }
        // qkv = norm1 W_qkv^T
        let projection = self.projection(l, Projection::Qkv);
        self.products.linear_input(
            MatMut::new(&mut ws.d_hidden, n, d),
            Mat::new(&ws.d_qkv, n, width),
            projection,
            1.0,
            Write::Set,
        );
        weight(self.products, gradient, &layout.qkv, &ws.d_qkv, width, &b.norm1, d, n);
        if let Gradient::Lora(g) = gradient {
            let targets = [Target::QProj, Target::KProj, Target::VProj];
            self.lora_backward(l, &targets, g, &mut ws.d_hidden, &ws.d_qkv, width, &b.norm1, n, low.0, low.1);
        }
        let d_gain = vector(gradient, &layout.norm1, &mut ws.ignored);
        norm::backward(&mut ws.dx[..n * d], d_gain, &ws.d_hidden, x, &b.inv1, self.range(&layout.norm1));
        ws.layers[l] = b;
    }
}
