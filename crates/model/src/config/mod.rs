//! `config.json`: the sizes and the family of a decoder.

mod read;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Families that share one network and differ by data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// `LlamaForCausalLM`.
    Llama,
    /// `MistralForCausalLM`.
    Mistral,
    /// `Qwen2ForCausalLM`: biases on q, k, v.
    Qwen2,
    /// `Qwen3ForCausalLM`: RMSNorm on each head's q and k.
    Qwen3,
}

impl Architecture {
    const ALL: [(Architecture, &'static str, &'static str); 4] = [
        (Architecture::Llama, "llama", "LlamaForCausalLM"),
        (Architecture::Mistral, "mistral", "MistralForCausalLM"),
        (Architecture::Qwen2, "qwen2", "Qwen2ForCausalLM"),
        (Architecture::Qwen3, "qwen3", "Qwen3ForCausalLM"),
    ];
    fn names(self) -> (&'static str, &'static str) {
        let (_, model_type, class) = Self::ALL[self as usize];
        (model_type, class)
    }
}

/// Sizes of a decoder of the Llama family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The family, which decides names and which optional tensors exist.
    pub architecture: Architecture,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub ffn_size: usize,
    /// Number of decoder layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key/value heads (grouped-query attention when fewer than `heads`).
    pub kv_heads: usize,
    /// Width of one head.
    pub head_dim: usize,
    /// The longest row that the model can be given: the positions it was made for, or its sliding window where that is
    /// shorter. Within the window, sliding attention is full attention.
    pub max_positions: usize,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// How rotary frequencies are stretched for longer contexts, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<Llama3Scaling>,
    /// Epsilon of every RMSNorm.
    pub norm_eps: f64,
    /// Whether the output projection is the embedding.
    pub tied: bool,
    /// Whether q, k and v have biases.
    pub qkv_bias: bool,
    /// Whether each head's q and k are normalised.
    pub qk_norm: bool,
}

/// Llama 3's stretching of rotary frequencies (Llama 3.1 model card): long waves are slowed down by `factor`, short
/// ones kept, those between blended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Llama3Scaling {
    /// How many times longer the context became.
    pub factor: f64,
    /// Waves longer than the original context divided by this are slowed down fully.
    pub low_freq_factor: f64,
    /// Waves shorter than the original context divided by this are kept.
    pub high_freq_factor: f64,
    /// The context before stretching, in tokens.
    pub original_max_position_embeddings: f64,
}

impl Llama3Scaling {
    fn stretch(&self, frequency: f64) -> f64 {
        let turns = self.original_max_position_embeddings * frequency / std::f64::consts::TAU;
        let kept = (turns - self.low_freq_factor) / (self.high_freq_factor - self.low_freq_factor);
        let kept = kept.clamp(0.0, 1.0);
        frequency * (kept + (1.0 - kept) / self.factor)
    }
}

impl Config {
    /// Whether the sizes fit each other, and no number is one that no model has.
    pub fn check(&self) -> Result<(), String> {
        // Larger ones would overflow where sizes are multiplied; no model comes near.
        let most = |key: &str, size: usize, most: usize| match size {
            0 => Err(format!("`{key}` is 0")),
            size if size > most => Err(format!("`{key}` is {size}; at most {most} is supported")),
            _ => Ok(()),
        };
        most("vocab_size", self.vocab_size, 1 << 24)?;
        most("hidden_size", self.hidden_size, 1 << 20)?;
        most("intermediate_size", self.ffn_size, 1 << 20)?;
        most("num_hidden_layers", self.layers, 1 << 12)?;
        most("num_attention_heads", self.heads, 1 << 12)?;
        most("num_key_value_heads", self.kv_heads, 1 << 12)?;
        most("head_dim", self.head_dim, 1 << 12)?;
        most("max_position_embeddings", self.max_positions, u32::MAX as usize)?;
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(format!(
                "{} heads are not a multiple of {} key/value heads",
                self.heads, self.kv_heads
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("a head width of {} is odd; rotary positions need pairs", self.head_dim));
        }
        let positive = |key: &str, x: f64| match x > 0.0 && x.is_finite() {
            true => Ok(()),
            false => Err(format!("`{key}` is {x}; it must be positive")),
        };
        positive("rope_theta", self.rope_theta)?;
        positive("rms_norm_eps", self.norm_eps)?;
        if let Some(scaling) = &self.rope_scaling {
            positive("factor", scaling.factor)?;
            positive("low_freq_factor", scaling.low_freq_factor)?;
            positive("high_freq_factor", scaling.high_freq_factor)?;
            positive("original_max_position_embeddings", scaling.original_max_position_embeddings)?;
            if scaling.low_freq_factor >= scaling.high_freq_factor {
                return Err("`low_freq_factor` must be below `high_freq_factor`".into());
            }
        }
        Ok(())
    }

    fn rope_parameters(&self) -> Value {
        let mut rope = json!({ "rope_type": "default", "rope_theta": self.rope_theta });
        if let Some(s) = self.rope_scaling {
            rope = json!({
                "rope_type": "llama3",
                "rope_theta": self.rope_theta,
                "factor": s.factor,
                "low_freq_factor": s.low_freq_factor,
                "high_freq_factor": s.high_freq_factor,
                "original_max_position_embeddings": s.original_max_position_embeddings,
            });
        }
        rope
    }

    /// What `config.json` says, as transformers reads and writes it.
    pub fn to_json(&self, bos: Option<u32>, eos: Option<u32>, pad: Option<u32>) -> Value {
        let (model_type, class) = self.architecture.names();
        let mut value = json!({
            "architectures": [class],
            "model_type": model_type,
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.ffn_size,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "max_position_embeddings": self.max_positions,
            "rms_norm_eps": self.norm_eps,
            "rope_theta": self.rope_theta,
            "rope_parameters": self.rope_parameters(),
            "attention_bias": self.qkv_bias && self.architecture != Architecture::Qwen2,
            "tie_word_embeddings": self.tied,
            "dtype": "float32",
            "bos_token_id": bos,
            "eos_token_id": eos,
            "pad_token_id": pad,
        });
        if self.architecture == Architecture::Mistral {
            // Not stated, it would be 4,096. No row is longer than the window was.
            value["sliding_window"] = Value::Null;
        }
        value
    }

    /// Rotary frequencies, radians per position, one for each pair of a head.
    pub fn rope_frequencies(&self) -> Vec<f64> {
        let plain =
            (0..self.head_dim / 2).map(|i| self.rope_theta.powf(-2.0 * i as f64 / self.head_dim as f64));
        plain.map(|f| self.rope_scaling.map_or(f, |s| s.stretch(f))).collect()
    }

    /// Sizes of one layer's attention.
    pub fn attention(&self) -> kernels::attention::Shape {
        kernels::attention::Shape { heads: self.heads, kv_heads: self.kv_heads, head_dim: self.head_dim }
    }
}
