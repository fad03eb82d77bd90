//! How much memory a job will take in its largest process: an estimate, made before anything runs.

use model::{Adapter, Config, Layout};
use serde::Serialize;
use train::{Method, Recipe};

use crate::{Sharding, TorchSettings};

/// Bytes that one process needs at its peak.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Memory {
    /// Its shard of the weights.
    pub weights: u64,
    /// Its shard of what is trained, again: gradients and both moments, f32.
    pub optimizer: u64,
    /// Weights gathered from all shards: the embedding and output projection, and two layers at a time (all of
    /// them with [`Sharding::Gradients`]); with the gradients of one layer where those are trained.
    pub gathered: u64,
    /// What the forward pass keeps for the backward pass.
    pub activations: u64,
    /// Logits, 1,024 rows at a time, and the attention mask.
    pub logits: u64,
    /// Libraries, contexts, and what the allocator cannot use: 1 GiB and a tenth of the rest.
    pub overhead: u64,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.optimizer + self.gathered + self.activations + self.logits + self.overhead
    }
}

/// Rows of logits that exist at a time; `HEAD_ROWS` of the script.
const HEAD_ROWS: u64 = 1024;

/// Estimates a job's memory from sizes alone.
///
/// A token keeps, in each layer, about `8 d + 2 (heads + kv) + 4 f` numbers for its backward pass (inputs of norms and
/// projections, q, k, v, attention output, and gate, up and their product); with gradient checkpointing only the layer's input,
/// and one layer's worth at a time.
pub fn estimate(config: &Config, recipe: &Recipe, settings: &TorchSettings) -> Memory {
    let parameters = Layout::new(config).len as u64;
    let shards = settings.shards() as u64;
    let number = settings.dtype.bytes();
    let (trained, frozen) = match &recipe.method {
        Method::Full => (parameters, 0),
        Method::Lora(shape) => (Adapter::parameters(config, shape) as u64, parameters),
    };
    // What is trained is stored in f32, what is frozen in the type of products.
    let weights = (4 * trained + number * frozen).div_ceil(shards);
    let optimizer = (12 * trained).div_ceil(shards);
    let tables = if config.tied { 1 } else { 2 };
    let ends = tables * (config.vocab_size * config.hidden_size) as u64;
    let layer =
        (parameters + if frozen > 0 { trained } else { 0 }).saturating_sub(ends) / config.layers as u64;
    let layers_gathered = match settings.sharding {
        Sharding::Gradients => config.layers as u64,
        _ => 2.min(config.layers as u64),
    };
    let gradients = if frozen == 0 { layer.max(ends) } else { trained / config.layers as u64 };
    let gathered = number * (ends + layer * layers_gathered + gradients);
    let rows = settings.rows_per_pass.min(recipe.rows.div_ceil(settings.processes())) as u64;
    let tokens = rows * recipe.max_length as u64;
    let (d, f) = (config.hidden_size as u64, config.ffn_size as u64);
    let heads = ((config.heads + config.kv_heads) * config.head_dim) as u64;
    let kept = number * tokens * (8 * d + 2 * heads + 4 * f);
    let layers = config.layers as u64;
    let activations = match settings.gradient_checkpointing {
        true => number * tokens * d * layers + kept,
        false => kept * layers,
    };
    let at_once = HEAD_ROWS.min(tokens);
    let logits =
        at_once * config.vocab_size as u64 * (number + 12) + tokens * recipe.max_length as u64 * (1 + number);
    let sum = weights + optimizer + gathered + activations + logits;
    Memory { weights, optimizer, gathered, activations, logits, overhead: (1 << 30) + sum / 10 }
}

#[cfg(test)]
mod tests {
    use model::Architecture;

    use super::*;
    use crate::Dtype;

    /// Sizes of an 8B Llama.
    fn eight() -> Config {
        Config {
            architecture: Architecture::Llama,
            vocab_size: 128_256,
            hidden_size: 4096,
            ffn_size: 14_336,
            layers: 32,
            heads: 32,
            kv_heads: 8,
            head_dim: 128,
            max_positions: 131_072,
            rope_theta: 500_000.0,
            rope_scaling: None,
            norm_eps: 1e-5,
            tied: false,
            qkv_bias: false,
            qk_norm: false,
        }
    }

    #[test]
    fn sizes_are_those_that_arithmetic_gives() {
        let gib = |bytes: u64| bytes as f64 / (1u64 << 30) as f64;
        let recipe = Recipe { method: Method::published_lora(), max_length: 4096, ..Recipe::default() };
        let one =
            TorchSettings { dtype: Dtype::Bf16, gradient_checkpointing: true, ..TorchSettings::default() };
        let lora = estimate(&eight(), &recipe, &one);
        // 8.03e9 parameters in bf16 and an adapter of 168M in f32.
        assert!((gib(lora.weights) - (8.03e9 * 2.0 + 0.168e9 * 4.0) / 1.0737e9).abs() < 0.1);
        assert!((gib(lora.optimizer) - 0.168e9 * 12.0 / 1.0737e9).abs() < 0.05);
        assert!((15.0..40.0).contains(&gib(lora.total())), "{}", gib(lora.total()));
        let full = estimate(&eight(), &Recipe { method: Method::Full, ..recipe.clone() }, &one);
        assert!(
            gib(full.total()) > 8.03e9 * 16.0 / 1.0737e9,
            "full training takes 16 bytes a parameter and more"
        );
        let spread = TorchSettings { nproc: 8, ..one.clone() };
        let eighth = estimate(&eight(), &Recipe { method: Method::Full, ..recipe.clone() }, &spread);
        assert_eq!(eighth.weights, full.weights.div_ceil(8));
        assert!(eighth.total() < full.total() / 3);
        let kept = TorchSettings { gradient_checkpointing: false, ..one.clone() };
        assert!(estimate(&eight(), &recipe, &kept).activations > 5 * lora.activations);
        let gathered = TorchSettings { sharding: Sharding::Gradients, ..one };
        assert!(estimate(&eight(), &recipe, &gathered).gathered > 3 * lora.gathered);
    }
}
