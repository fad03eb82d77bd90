//! `config.json`: the sizes and the family of a decoder.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Families that share one network and differ by data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// `LlamaForCausalLM`.
    Llama,
    /// `MistralForCausalLM` (without sliding windows).
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
    /// Longest position the model was made for.
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
    /// Reads what `config.json` says; the error says which field is missing or unsupported.
    pub fn from_json(value: &Value) -> Result<Config, String> {
        let model_type = value["model_type"].as_str().unwrap_or("(none)");
        let architecture = Architecture::ALL.iter().find(|a| a.1 == model_type).map(|a| a.0).ok_or_else(|| {
            format!("model_type {model_type:?} is not supported; supported are llama, mistral, qwen2 and qwen3")
        })?;
        let size = |key: &str| -> Result<usize, String> {
            value[key]
                .as_u64()
                .filter(|n| *n > 0)
                .map(|n| n as usize)
                .ok_or_else(|| format!("`{key}` must be a positive integer"))
        };
        let (hidden_size, heads) = (size("hidden_size")?, size("num_attention_heads")?);
        let rope = if value["rope_parameters"].is_object() {
            &value["rope_parameters"]
        } else {
            &value["rope_scaling"]
        };
        let rope_type = rope["rope_type"].as_str().or(rope["type"].as_str()).unwrap_or("default");
        let rope_scaling = match rope_type {
            "default" => None,
            "llama3" => Some(
                serde_json::from_value(rope.clone()).map_err(|e| format!("llama3 rotary scaling: {e}"))?,
            ),
            other => {
                return Err(format!(
                    "rotary scaling {other:?} is not supported; \"default\" and \"llama3\" are"
                ));
            }
        };
        let config = Config {
            architecture,
            vocab_size: size("vocab_size")?,
            hidden_size,
            ffn_size: size("intermediate_size")?,
            layers: size("num_hidden_layers")?,
            heads,
            kv_heads: if value["num_key_value_heads"].is_null() {
                heads
            } else {
                size("num_key_value_heads")?
            },
            head_dim: if value["head_dim"].is_null() { hidden_size / heads } else { size("head_dim")? },
            max_positions: size("max_position_embeddings")?,
            rope_theta: rope["rope_theta"].as_f64().or(value["rope_theta"].as_f64()).unwrap_or(10_000.0),
            rope_scaling,
            norm_eps: value["rms_norm_eps"].as_f64().unwrap_or(1e-6),
            tied: value["tie_word_embeddings"].as_bool().unwrap_or(false),
            qkv_bias: match architecture {
                Architecture::Qwen2 => true,
                _ => value["attention_bias"].as_bool().unwrap_or(false),
            },
            qk_norm: architecture == Architecture::Qwen3,
        };
        if architecture != Architecture::Qwen2 && config.qkv_bias {
            return Err("`attention_bias` is supported only as Qwen2 has it (q, k, v but not o)".into());
        }
        if value["mlp_bias"].as_bool() == Some(true) {
            return Err("`mlp_bias` is not supported".into());
        }
        config.check()?;
        Ok(config)
    }

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
        json!({
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
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_errors() {
        let config = Config {
            architecture: Architecture::Qwen3,
            vocab_size: 97,
            hidden_size: 32,
            ffn_size: 48,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            head_dim: 8,
            max_positions: 64,
            rope_theta: 5000.0,
            rope_scaling: None,
            norm_eps: 1e-5,
            tied: true,
            qkv_bias: false,
            qk_norm: true,
        };
        let mut value = config.to_json(Some(1), Some(2), None);
        assert_eq!(Config::from_json(&value).unwrap(), config);
        value["rope_parameters"]["rope_type"] = "yarn".into();
        assert!(Config::from_json(&value).unwrap_err().contains("yarn"));
        value["rope_parameters"]["rope_type"] = "default".into();
        value["num_key_value_heads"] = 3.into();
        assert!(Config::from_json(&value).unwrap_err().contains("multiple"));
        value["num_key_value_heads"] = 2.into();
        for (key, no) in [
            ("num_hidden_layers", json!(u64::MAX)),
            ("vocab_size", json!(1u64 << 62)),
            ("head_dim", json!(1u64 << 40)),
            ("rms_norm_eps", json!(-1.0)),
        ] {
            let mut value = value.clone();
            value[key] = no;
            assert!(Config::from_json(&value).unwrap_err().contains(key), "{key}");
        }
        // Without `head_dim` it is hidden size by heads, which can be 0.
        let mut narrow = value.clone();
        narrow["head_dim"] = Value::Null;
        narrow["hidden_size"] = 3.into();
        assert!(Config::from_json(&narrow).unwrap_err().contains("head_dim"));
        value["rope_parameters"] = json!({
            "rope_type": "llama3", "factor": 0.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        });
        assert!(Config::from_json(&value).unwrap_err().contains("`factor`"));
        value["model_type"] = "gpt2".into();
        assert!(Config::from_json(&value).unwrap_err().contains("supported are llama"));
    }
}
