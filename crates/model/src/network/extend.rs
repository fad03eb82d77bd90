//! The forward pass over texts whose beginnings are remembered: only the new tokens are computed.

use super::workspace::HEAD_ROWS;
use super::{Network, Workspace};
use crate::{Cache, Config};
use kernels::attention::{self, PAGE, Scratch, page_len};
use kernels::matmul::{Mat, MatMut, Write};
use kernels::{norm, threads};
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

thread_local! {
    /// What attention needs, kept so that nothing is allocated for every text and layer.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A text, its rows of the fused projections, and where what it attends to goes.
type Each<'e, 'a> = (&'e mut Continued<'a>, &'e [f32], &'e mut [f32]);

/// Keeps the keys and values of a text's new tokens, one layer's part of its pages.
fn keep(config: &Config, cache: &mut Cache, part: Range<usize>, rows: &[f32]) {
    let (shape, past) = (config.attention(), cache.len);
    let width = shape.qkv_width();
    let new = rows.len() / width;
    let (pages, first) = cache.room(config, new);
    let mut kept = 0;
    for (p, page) in pages.iter_mut().enumerate() {
        // Copied where another text has it too: from here on they differ.
        let page = &mut Arc::make_mut(page)[part.clone()];
        let until = ((first + p + 1) * PAGE - past).min(new);
        for row in kept..until {
            attention::keep(page, (past + row) % PAGE, &rows[row * width..][..width], shape);
        }
        kept = until;
    }
}

/// The next tokens of a text, and what is remembered of those before them.
#[derive(Debug)]
pub struct Continued<'a> {
    /// New tokens; at least one.
    pub tokens: &'a [u32],
    /// The text before them, to which they are added.
    pub cache: &'a mut Cache,
}

impl Network<'_> {
    /// Runs the new tokens of some texts. The workspace then holds what [`Network::each_logits`]
    /// asks for, by rows: the new tokens of the first text, of the second, and so on.
    pub fn extend(&self, texts: &mut [Continued], ws: &mut Workspace) {
        let c = self.config;
        let positions: Vec<u32> = texts
            .iter()
            .flat_map(|text| text.cache.len as u32..(text.cache.len + text.tokens.len()) as u32)
            .collect();
        let longest = positions.iter().max().map_or(0, |last| *last as usize + 1);
        assert!(longest <= self.rope.len(), "a text is longer than the rotary table");
        self.embed(texts.iter().flat_map(|text| text.tokens), positions.len(), ws);
        let (width, out, page) =
            (c.attention().qkv_width(), c.attention().out_width(), page_len(c.attention()));
        for l in 0..c.layers {
            let part = l * page..(l + 1) * page;
            self.layer(l, &positions, ws, |attended, qkv, scratch| {
                let mut rows = &qkv[..positions.len() * width];
                let mut attended = &mut attended[..positions.len() * out];
                let mut each = Vec::with_capacity(texts.len());
                for text in texts.iter_mut() {
                    let (own, rest) = rows.split_at(text.tokens.len() * width);
                    let (own_attended, rest_attended) = attended.split_at_mut(text.tokens.len() * out);
                    (rows, attended) = (rest, rest_attended);
                    each.push((text, own, own_attended));
                }
                let attend = |(text, rows, attended): Each, scratch: &mut Scratch| {
                    let (past, new) = (text.cache.len, text.tokens.len());
                    keep(c, &mut *text.cache, part.clone(), rows);
                    let pages: Vec<&[f32]> =
                        text.cache.pages.iter().map(|page| &page[part.clone()]).collect();
                    attention::paged(attended, rows, &pages, past, new, c.attention(), scratch);
                };
                if self.threads == 1 {
                    each.into_iter().for_each(|text| attend(text, scratch));
                } else {
                    threads::for_each(self.threads, each, |_, text| {
                        SCRATCH.with_borrow_mut(|scratch| attend(text, scratch));
                    });
                }
            });
        }
        texts.iter_mut().for_each(|text| text.cache.len += text.tokens.len());
    }

    /// Calls `work` with the index and the logits `[vocab]` of each of some rows, which it may overwrite.
    pub fn each_logits(&self, rows: &[u32], ws: &mut Workspace, mut work: impl FnMut(usize, &mut [f32])) {
        let (d, v) = (self.config.hidden_size, self.config.vocab_size);
        let gain = self.range(&self.weights.layout.norm);
        for (block, rows) in rows.chunks(HEAD_ROWS).enumerate() {
            let n = rows.len();
            if let Some(x) = ws.x.last() {
                for (to, row) in ws.head_x.chunks_exact_mut(d).zip(rows) {
                    to.copy_from_slice(&x[*row as usize * d..][..d]);
                }
            }
            let eps = self.config.norm_eps as f32;
            norm::forward(&mut ws.head_norm[..n * d], &mut ws.head_inv, &ws.head_x, gain, eps);
            let logits = MatMut::new(&mut ws.logits, n, v);
            let x = Mat::new(&ws.head_norm, n, d);
            self.products.linear_on(self.threads, logits, x, self.head(), 1.0, Write::Set);
            let rows = ws.logits[..n * v].chunks_exact_mut(v).enumerate();
            rows.for_each(|(i, logits)| work(block * HEAD_ROWS + i, logits));
        }
    }
}
