//! The shapes of `benches/shapes.json`, as models and rows of the engine; and what a step of them has to
//! compute.

use model::{Architecture, Batch, Config, Example, Folder, Layout, LoraShape, Target, Tokenizer, Weights};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use train::{Method, Part, Recipe};

use crate::{Options, Result};

/// A model's sizes and what a step trains on, in the words of `benches/shapes.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Shape {
    width: usize,
    layers: usize,
    heads: usize,
    hidden: usize,
    vocabulary: usize,
    rows: usize,
    length: usize,
    /// Of an adapter on all seven projections; 0 trains all weights.
    #[serde(default)]
    rank: usize,
    /// The recipe's; for the native engine only.
    gradient_buffers: Option<usize>,
}

/// What is trained in a measurement.
pub struct Work {
    pub base: Folder,
    pub recipe: Recipe,
    pub parts: Vec<Part>,
    pub seed: u64,
    /// Tokens of a step that a row is counted for less than the engine counts it: the last token of a row is
    /// only a target, and PyTorch's rows have it too without counting it.
    pub uncounted: u64,
}

/// The shape of this name.
pub fn named(name: &str, options: &Options) -> Result<Shape> {
    let shapes: BTreeMap<String, Shape> = serde_json::from_str(include_str!("../../shapes.json"))?;
    let mut shape = shapes.get(name).cloned().ok_or_else(|| format!("benches/shapes.json has no {name}"))?;
    shape.rows = options.rows.unwrap_or(shape.rows);
    shape.length = options.length.unwrap_or(shape.length);
    Ok(shape)
}

/// Rows that the engine goes through in an order of its own; more than a step has.
const POOL: usize = 512;

impl Shape {
    fn config(&self) -> Config {
        Config {
            architecture: Architecture::Llama,
            vocab_size: self.vocabulary,
            hidden_size: self.width,
            ffn_size: self.hidden,
            layers: self.layers,
            heads: self.heads,
            kv_heads: self.heads,
            head_dim: self.width / self.heads,
            max_positions: self.length + 1,
            rope_theta: 10_000.0,
            rope_scaling: None,
            norm_eps: 1e-5,
            tied: true,
            qkv_bias: false,
            qk_norm: false,
        }
    }

    /// Writes a model of this shape with random weights.
    pub fn write(&self, folder: &Path) -> Result<Value> {
        let config = self.config();
        std::fs::create_dir_all(folder)?;
        Folder::new(config.clone(), Weights::random(&config, 0), no_words(), None).save(folder)?;
        Ok(json!({ "parameters": Layout::new(&config).len }))
    }

    /// Random weights and random tokens: neither changes how long a step takes, on either side.
    pub fn work(&self) -> Work {
        let config = self.config();
        let method = match self.rank {
            0 => Method::Full,
            rank => Method::Lora(LoraShape { rank, alpha: 2.0 * rank as f64, targets: Target::ALL.to_vec() }),
        };
        let mut state = 1u64;
        let mut token = || {
            // Knuth's MMIX generator; its high bits are good enough for tokens.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % self.vocabulary as u64) as u32
        };
        // One token more than is trained on: inputs and targets are the same row, one apart.
        let mut row = || Example {
            tokens: (0..=self.length).map(|_| token()).collect(),
            loss: vec![true; self.length + 1],
        };
        let examples = (0..POOL.max(self.rows)).map(|_| row()).collect();
        Work {
            base: Folder::new(config.clone(), Weights::random(&config, 0), no_words(), None),
            recipe: Recipe {
                method,
                rows: self.rows,
                max_length: self.length + 1,
                learning_rate: 1e-3,
                gradient_buffers: self.gradient_buffers.unwrap_or(Recipe::default().gradient_buffers),
                ..Recipe::default()
            },
            parts: vec![Part { name: "random".into(), examples, share: 1.0 }],
            seed: 0,
            uncounted: self.rows as u64,
        }
    }
}

/// A tokenizer for a model that is never shown a text.
fn no_words() -> Tokenizer {
    let json = r#"{"version":"1.0","model":{"type":"WordLevel","vocab":{"?":0},"unk_token":"?"}}"#;
    Tokenizer::new(json.into(), json!({}), Path::new("tokenizer.json"))
        .expect("a vocabulary of one word is valid")
}

/// Floating-point operations that training on a batch has to do in matrix products, whoever does it.
///
/// A product with a matrix of `p` parameters takes `2 p` a token forwards, `2 p` for the gradient of its
/// input and `2 p` for that of the matrix: `6 p`. Under LoRA the last is done for the adapter only: `4 p` for
/// what is frozen. The output projection counts for tokens that predict a target. Causal attention has two
/// products a layer forwards and four backwards, each over `n (n + 1) / 2` pairs of positions. What an
/// implementation computes beyond that (padding, masked pairs, logits nobody asked for, activations computed
/// twice) is not work but its cost, so a share of the machine's rate by this count is comparable between
/// engines. Element-wise work is not counted.
pub fn flops(config: &Config, method: &Method, batch: &Batch) -> f64 {
    let c = config;
    let inner = (c.heads * c.head_dim) as f64;
    let projections: usize = Target::ALL.iter().map(|t| t.widths(c)).map(|(i, o)| i * o).sum();
    let low: usize = match method {
        Method::Full => 0,
        Method::Lora(shape) => {
            shape.targets.iter().map(|t| t.widths(c)).map(|(i, o)| shape.rank * (i + o)).sum()
        }
    };
    let each = if low > 0 { 4.0 } else { 6.0 };
    let (tokens, targets) = (batch.tokens.len() as f64, batch.targets.len() as f64);
    let pairs: f64 = batch.segments.iter().map(|s| (s.len * (s.len + 1) / 2) as f64).sum();
    let layer = tokens * (each * projections as f64 + 6.0 * low as f64) + 12.0 * inner * pairs;
    c.layers as f64 * layer + each * targets * (c.vocab_size * c.hidden_size) as f64
}
