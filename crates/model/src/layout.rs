//! Where each tensor lies in the flat weight buffer.
//!
//! Projections that read the same input lie side by side (q, k, v; gate, up), so that one matmul does all of them;
//! under their Hugging Face names they are row ranges of the fused matrix.

use crate::Config;
use std::ops::Range;

/// A named tensor inside the flat buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The Hugging Face name, e.g. `model.layers.0.self_attn.q_proj.weight`.
    pub name: String,
    /// Row-major shape.
    pub shape: Vec<usize>,
    /// Its elements in the flat buffer.
    pub range: Range<usize>,
}

/// Offsets of the (fused) matrices of one layer.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each is the range of the tensor of that name
pub struct LayerLayout {
    pub norm1: Range<usize>,
    /// `[q; k; v]`, `[(heads + 2 kv_heads) * head_dim, hidden]`.
    pub qkv: Range<usize>,
    pub qkv_bias: Option<Range<usize>>,
    pub q_norm: Option<Range<usize>>,
    pub k_norm: Option<Range<usize>>,
    pub o: Range<usize>,
    pub norm2: Range<usize>,
    /// `[gate; up]`, `[2 ffn, hidden]`.
    pub gate_up: Range<usize>,
    pub down: Range<usize>,
}

/// The layout of a whole model; a pure function of its [`Config`].
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// All tensors by their Hugging Face names, in the order of the buffer.
    pub tensors: Vec<Tensor>,
    /// `[vocab, hidden]`.
    pub embedding: Range<usize>,
    /// One entry a layer.
    pub layers: Vec<LayerLayout>,
    /// `[hidden]`.
    pub norm: Range<usize>,
    /// `[vocab, hidden]`; the embedding itself when tied.
    pub head: Range<usize>,
    /// Number of parameters.
    pub len: usize,
}

/// Lays tensors one after the other.
#[derive(Default)]
struct Builder {
    tensors: Vec<Tensor>,
    len: usize,
}

impl Builder {
    fn push(&mut self, name: String, shape: &[usize]) -> Range<usize> {
        let range = self.len..self.len + shape.iter().product::<usize>();
        self.len = range.end;
        self.tensors.push(Tensor { name, shape: shape.to_vec(), range: range.clone() });
        range
    }
    /// Several tensors as one: returns the range that covers them all.
    fn fused<const N: usize>(&mut self, parts: [(String, Vec<usize>); N]) -> Range<usize> {
        let start = self.len;
        for (name, shape) in parts {
            self.push(name, &shape);
        }
        start..self.len
    }
}

impl Layout {
    /// The layout for these sizes.
    pub fn new(config: &Config) -> Layout {
        let (d, f, hd) = (config.hidden_size, config.ffn_size, config.head_dim);
        let (q, kv) = (config.heads * hd, config.kv_heads * hd);
        let mut b = Builder::default();
        let embedding = b.push("model.embed_tokens.weight".into(), &[config.vocab_size, d]);
        let layers = (0..config.layers)
            .map(|i| {
                let name = |part: &str| format!("model.layers.{i}.{part}");
                LayerLayout {
                    norm1: b.push(name("input_layernorm.weight"), &[d]),
                    qkv: b.fused([
                        (name("self_attn.q_proj.weight"), vec![q, d]),
                        (name("self_attn.k_proj.weight"), vec![kv, d]),
                        (name("self_attn.v_proj.weight"), vec![kv, d]),
                    ]),
                    qkv_bias: config.qkv_bias.then(|| {
                        b.fused([
                            (name("self_attn.q_proj.bias"), vec![q]),
                            (name("self_attn.k_proj.bias"), vec![kv]),
                            (name("self_attn.v_proj.bias"), vec![kv]),
                        ])
                    }),
                    q_norm: config.qk_norm.then(|| b.push(name("self_attn.q_norm.weight"), &[hd])),
                    k_norm: config.qk_norm.then(|| b.push(name("self_attn.k_norm.weight"), &[hd])),
                    o: b.push(name("self_attn.o_proj.weight"), &[d, q]),
                    norm2: b.push(name("post_attention_layernorm.weight"), &[d]),
                    gate_up: b.fused([
                        (name("mlp.gate_proj.weight"), vec![f, d]),
                        (name("mlp.up_proj.weight"), vec![f, d]),
                    ]),
                    down: b.push(name("mlp.down_proj.weight"), &[d, f]),
                }
            })
            .collect();
        let norm = b.push("model.norm.weight".into(), &[d]);
        let head = if config.tied {
            embedding.clone()
        } else {
            b.push("lm_head.weight".into(), &[config.vocab_size, d])
        };
        Layout { tensors: b.tensors, embedding, layers, norm, head, len: b.len }
    }

    /// All matrices and vectors, fused ones as one, in the order of the buffer; together they are the buffer.
    pub(crate) fn matrices(&self) -> Vec<Range<usize>> {
        let mut all = vec![self.embedding.clone()];
        for l in &self.layers {
            all.extend([l.norm1.clone(), l.qkv.clone()]);
            all.extend([&l.qkv_bias, &l.q_norm, &l.k_norm].into_iter().flatten().cloned());
            all.extend([&l.o, &l.norm2, &l.gate_up, &l.down].map(Clone::clone));
        }
        all.push(self.norm.clone());
        all.extend((self.head != self.embedding).then(|| self.head.clone()));
        debug_assert!(all.windows(2).all(|pair| pair[0].end == pair[1].start));
        all
    }
}
