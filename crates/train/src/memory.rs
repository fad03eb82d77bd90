//! How much memory training takes, counted from the sizes of its buffers before it runs.

use kernels::matmul::Products;
use model::{Adapter, Config, Layout, Pack, PackedWeights, Workspace};
use serde::Serialize;

use crate::step::{PACKED_PARAMETERS, PASS_TOKENS};
use crate::{Method, Precision, Recipe};

/// Bytes at the peak of training one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The weights in training, and those of an adapter.
    pub weights: u64,
    /// Gradients, one buffer for each of [`Recipe::gradient_buffers`], and both moments.
    pub optimizer: u64,
    /// Weights laid out for products.
    pub packed: u64,
    /// Activations and their gradients, a workspace a thread.
    pub workspaces: u64,
    /// What is trained as the bytes of a checkpoint's file.
    pub checkpoint: u64,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.optimizer + self.packed + self.workspaces + self.checkpoint
    }
}

/// Of one stage on so many threads. What the process has besides (the base that a run keeps, corpora, the program) is not in it.
pub fn memory(config: &Config, recipe: &Recipe, threads: usize) -> Memory {
    let parameters = Layout::new(config).len;
    let (trained, frozen, rank) = match &recipe.method {
        Method::Full => (parameters, 0, 0),
        Method::Lora(shape) => (Adapter::parameters(config, shape), parameters, shape.rank),
    };
    let buffers = recipe.gradient_buffers;
    let products = match recipe.precision {
        Precision::F32 => Products::f32(),
        Precision::Bf16 => Products::bf16(),
    };
    let large = frozen == 0 && parameters > PACKED_PARAMETERS;
    let which = if large { Pack::Head } else { Pack::Both };
    let row_tokens = recipe.rows.div_ceil(buffers) * recipe.max_length;
    let tokens = PASS_TOKENS.max(recipe.max_length).min(row_tokens);
    // One buffer is shared by all threads; of several, a thread takes one.
    let shared = buffers == 1 && frozen == 0;
    let passes = row_tokens.div_ceil(tokens.max(1));
    let at_once = threads.max(1).min(if shared { passes } else { buffers });
    let inputs = if shared { 4 * passes * tokens * config.hidden_size } else { 0 };
    let floats = |n: usize| 4 * n as u64;
    Memory {
        weights: floats(frozen + trained),
        optimizer: floats(trained * (buffers + 2)),
        packed: PackedWeights::bytes(config, products, which),
        workspaces: at_once as u64 * Workspace::training_bytes(config, tokens, rank) + inputs as u64,
        checkpoint: floats(trained),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{LoraShape, Target};

    fn config() -> Config {
        Config::from_json(&serde_json::json!({
            "model_type": "llama", "vocab_size": 1000, "hidden_size": 64, "intermediate_size": 128,
            "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512,
            "tie_word_embeddings": true,
        }))
        .unwrap()
    }

    #[test]
    fn each_part_follows_from_what_it_depends_on() {
        let (config, recipe) = (config(), Recipe::default());
        let parameters = Layout::new(&config).len as u64;
        let full = memory(&config, &recipe, 2);
        assert_eq!(full.weights, 4 * parameters);
        assert_eq!(full.optimizer, 4 * parameters * 4);
        // Both ways, in no less than the two bytes of a bf16.
        assert!(full.packed > 2 * 2 * parameters);
        assert_eq!(memory(&config, &recipe, 1).workspaces * 2, full.workspaces);
        assert_eq!(memory(&config, &recipe, 64), full, "no more threads work than there are buffers");
        let shape = LoraShape { rank: 8, alpha: 16.0, targets: Target::ALL.to_vec() };
        let lora = memory(&config, &Recipe { method: Method::Lora(shape.clone()), ..recipe }, 2);
        let adapter = Adapter::new(&config, shape, 0).flat.len() as u64;
        assert_eq!(lora.weights, 4 * (parameters + adapter));
        assert_eq!(lora.optimizer, 4 * adapter * 4);
        assert!(lora.workspaces > full.workspaces && lora.total() < full.total() + lora.workspaces);
    }
}
