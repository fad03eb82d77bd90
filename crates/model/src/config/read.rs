//! What a `config.json` says, and whether all of it is supported: a setting that this network would silently ignore is
//! refused.

use super::{Architecture, Config, Llama3Scaling};
use serde_json::Value;

/// The models that can be read, for error messages.
const SUPPORTED: &str = "supported are llama, mistral, qwen2 and qwen3 (LlamaForCausalLM and so on)";

/// What transformers takes for a window that is not stated.
const DEFAULT_WINDOW: u64 = 4096;

impl Config {
    /// Reads what `config.json` says; the error says which field is missing or unsupported.
    pub fn from_json(value: &Value) -> Result<Config, String> {
        let architecture = architecture(value)?;
        refuse_unsupported(value)?;
        let (hidden_size, heads) = (size(value, "hidden_size")?, size(value, "num_attention_heads")?);
        let (rope_theta, rope_scaling) = rope(value)?;
        let stated = size(value, "max_position_embeddings")?;
        let config = Config {
            architecture,
            vocab_size: size(value, "vocab_size")?,
            hidden_size,
            ffn_size: size(value, "intermediate_size")?,
            layers: size(value, "num_hidden_layers")?,
            heads,
            kv_heads: kv_heads(value, architecture, heads)?,
            head_dim: head_dim(value, architecture, hidden_size / heads)?,
            max_positions: window(value, architecture)?.map_or(stated, |window| window.min(stated)),
            rope_theta,
            rope_scaling,
            norm_eps: number(value, "rms_norm_eps")?.unwrap_or(1e-6),
            tied: flag(value, "tie_word_embeddings")?,
            qkv_bias: architecture == Architecture::Qwen2,
            qk_norm: architecture == Architecture::Qwen3,
        };
        config.check()?;
        Ok(config)
    }
}

fn architecture(value: &Value) -> Result<Architecture, String> {
    let model_type = value["model_type"].as_str().unwrap_or("(none)");
    let (architecture, _, class) = Architecture::ALL
        .into_iter()
        .find(|known| known.1 == model_type)
        .ok_or_else(|| format!("model_type {model_type:?} is not supported; {SUPPORTED}"))?;
    // A classifier or an embedding model has the same sizes and other outputs.
    if let Some(classes) = value["architectures"].as_array().filter(|classes| !classes.is_empty())
        && !classes.iter().any(|named| named == class)
    {
        let classes: Vec<String> = classes.iter().map(Value::to_string).collect();
        return Err(format!("the architecture {} is not supported; {SUPPORTED}", classes.join(", ")));
    }
    Ok(architecture)
}

/// Settings that change what a model computes and that are not there in this network.
fn refuse_unsupported(value: &Value) -> Result<(), String> {
    if !value["quantization_config"].is_null() {
        let method = value["quantization_config"]["quant_method"].as_str().unwrap_or("unnamed");
        return Err(format!(
            "the weights are quantised ({method}); f32, f16 and bf16 are supported: use the original model, or \
             dequantise it with transformers"
        ));
    }
    let activation = value["hidden_act"].as_str().unwrap_or("silu");
    if !["silu", "swish"].contains(&activation) {
        return Err(format!("`hidden_act` {activation:?} is not supported; \"silu\" is"));
    }
    for key in ["attention_bias", "mlp_bias"] {
        if flag(value, key)? && !(key == "attention_bias" && value["model_type"] == "qwen2") {
            return Err(format!(
                "`{key}` is not supported; the only biases that are, are Qwen2's on q, k and v"
            ));
        }
    }
    let rope = &value["rope_parameters"];
    for factor in [&value["partial_rotary_factor"], &rope["partial_rotary_factor"]] {
        if factor.as_f64().is_some_and(|factor| factor != 1.0) {
            return Err(format!(
                "`partial_rotary_factor` {factor} is not supported: whole heads are rotated, so it must be 1"
            ));
        }
    }
    Ok(())
}

/// Theta and stretching; transformers 5 keeps them in `rope_parameters`, earlier ones in two places.
fn rope(value: &Value) -> Result<(f64, Option<Llama3Scaling>), String> {
    let key = if value["rope_parameters"].is_null() { "rope_scaling" } else { "rope_parameters" };
    let rope = &value[key];
    if !rope.is_null() && !rope.is_object() {
        return Err(format!("`{key}` must be an object"));
    }
    if let Some((kind, _)) = rope.as_object().into_iter().flatten().find(|(_, inner)| inner.is_object()) {
        return Err(format!("`{key}` of its own for {kind:?} layers is not supported"));
    }
    let theta = match number(rope, "rope_theta")? {
        Some(theta) => theta,
        None => number(value, "rope_theta")?.unwrap_or(10_000.0),
    };
    let scaling = match rope["rope_type"].as_str().or(rope["type"].as_str()).unwrap_or("default") {
        "default" => None,
        "llama3" => {
            Some(serde_json::from_value(rope.clone()).map_err(|e| format!("llama3 rotary scaling: {e}"))?)
        }
        other => {
            return Err(format!("rotary scaling {other:?} is not supported; \"default\" and \"llama3\" are"));
        }
    };
    Ok((theta, scaling))
}

/// The narrowest window over which attention slides, if it does in any layer.
fn window(value: &Value, architecture: Architecture) -> Result<Option<usize>, String> {
    let kinds: Vec<&str> = match &value["layer_types"] {
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap_or("(not a text)")).collect(),
        _ => Vec::new(),
    };
    if let Some(other) = kinds.iter().find(|kind| !["full_attention", "sliding_attention"].contains(kind)) {
        return Err(format!(
            "layers of type {other:?} are not supported; full_attention and sliding_attention are"
        ));
    }
    let slides = match architecture {
        Architecture::Llama => false,
        Architecture::Mistral => true,
        Architecture::Qwen2 | Architecture::Qwen3 if !flag(value, "use_sliding_window")? => false,
        Architecture::Qwen2 | Architecture::Qwen3 if kinds.is_empty() => {
            value["max_window_layers"].as_u64().unwrap_or(28)
                < value["num_hidden_layers"].as_u64().unwrap_or(0)
        }
        Architecture::Qwen2 | Architecture::Qwen3 => kinds.contains(&"sliding_attention"),
    };
    if !slides {
        return Ok(None);
    }
    match value.get("sliding_window") {
        Some(Value::Null) => Ok(None),
        Some(_) => size(value, "sliding_window").map(Some),
        None => Ok(Some(DEFAULT_WINDOW as usize)),
    }
}

fn kv_heads(value: &Value, architecture: Architecture, heads: usize) -> Result<usize, String> {
    match value.get("num_key_value_heads") {
        Some(Value::Null) => Ok(heads),
        None if architecture == Architecture::Llama => Ok(heads),
        // Each of the other families has a default of its own that fits its largest models.
        _ => size(value, "num_key_value_heads"),
    }
}

fn head_dim(value: &Value, architecture: Architecture, derived: usize) -> Result<usize, String> {
    match value.get("head_dim") {
        None if architecture == Architecture::Qwen3 => size(value, "head_dim"),
        None | Some(Value::Null) => Ok(derived),
        Some(_) => size(value, "head_dim"),
    }
}

fn size(value: &Value, key: &str) -> Result<usize, String> {
    let size = value[key].as_u64().filter(|n| *n > 0).and_then(|n| usize::try_from(n).ok());
    size.ok_or_else(|| format!("`{key}` must be a positive integer"))
}

fn number(value: &Value, key: &str) -> Result<Option<f64>, String> {
    match &value[key] {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        other => Err(format!("`{key}` is {other}; it must be a number")),
    }
}

fn flag(value: &Value, key: &str) -> Result<bool, String> {
    match &value[key] {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        other => Err(format!("`{key}` is {other}; it must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A Llama as transformers would write it, with `changes` on top.
    fn read(changes: Value) -> Result<Config, String> {
        let mut value = json!({
            "model_type": "llama", "vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "head_dim": 8,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_act": "silu",
            "max_position_embeddings": 64,
        });
        for (key, change) in changes.as_object().unwrap() {
            value[key] = change.clone();
        }
        Config::from_json(&value)
    }

    #[test]
    fn what_the_network_would_ignore_is_refused() {
        for (changes, named) in [
            (json!({ "hidden_act": "gelu" }), "`hidden_act` \"gelu\""),
            (json!({ "partial_rotary_factor": 0.5 }), "partial_rotary_factor"),
            (
                json!({ "rope_parameters": { "rope_type": "default", "partial_rotary_factor": 0.5 } }),
                "must be 1",
            ),
            (
                json!({ "rope_parameters": { "full_attention": { "rope_type": "default" } } }),
                "full_attention",
            ),
            (json!({ "rope_scaling": { "type": "linear", "factor": 2.0 } }), "\"linear\""),
            (json!({ "quantization_config": { "quant_method": "gptq" } }), "quantised (gptq)"),
            (json!({ "architectures": ["LlamaForSequenceClassification"] }), "supported are llama"),
            (json!({ "model_type": "mixtral" }), "supported are llama, mistral, qwen2 and qwen3"),
            (json!({ "attention_bias": true }), "`attention_bias`"),
            (json!({ "mlp_bias": true }), "`mlp_bias`"),
            (json!({ "tie_word_embeddings": "yes" }), "`tie_word_embeddings`"),
            (json!({ "rms_norm_eps": "tiny" }), "`rms_norm_eps`"),
            (json!({ "layer_types": ["full_attention", "linear_attention"] }), "linear_attention"),
        ] {
            let error = read(changes.clone()).unwrap_err();
            assert!(error.contains(named), "{changes}: {error}");
        }
        assert!(read(json!({ "quantization_config": null, "architectures": ["LlamaForCausalLM"] })).is_ok());
    }

    #[test]
    fn a_sliding_window_bounds_the_rows() {
        let positions = |changes: Value| read(changes).map(|config| config.max_positions);
        assert_eq!(positions(json!({ "model_type": "mistral", "sliding_window": 16 })), Ok(16));
        assert_eq!(positions(json!({ "model_type": "mistral", "sliding_window": null })), Ok(64));
        // As transformers has it: Mistral slides unless told not to, over 4,096 tokens.
        let long = json!({ "model_type": "mistral", "max_position_embeddings": 32768 });
        assert_eq!(positions(long), Ok(4096));
        let qwen = |use_it: bool, from: u64| {
            positions(json!({ "model_type": "qwen2", "use_sliding_window": use_it, "sliding_window": 16,
                              "max_window_layers": from }))
        };
        assert_eq!((qwen(false, 0), qwen(true, 2), qwen(true, 1)), (Ok(64), Ok(64), Ok(16)));
        for window in [json!(16), Value::Null] {
            let long = json!({ "model_type": "mistral", "max_position_embeddings": 32768, "sliding_window": window });
            let long = read(long).unwrap();
            assert_eq!(Config::from_json(&long.to_json(None, None, None)), Ok(long));
        }
        let kinds = json!({ "model_type": "qwen3", "use_sliding_window": true, "sliding_window": 16,
                            "layer_types": ["full_attention", "sliding_attention"] });
        assert_eq!(positions(kinds), Ok(16));
        assert_eq!(positions(json!({ "sliding_window": 16 })), Ok(64), "Llama has no such setting");
    }

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
        narrow["architectures"] = Value::Null;
        narrow["model_type"] = "llama".into();
        narrow["head_dim"] = Value::Null;
        narrow["hidden_size"] = 3.into();
        assert!(Config::from_json(&narrow).unwrap_err().contains("head_dim"));
        value["rope_parameters"] = json!({
            "rope_type": "llama3", "factor": 0.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        });
        assert!(Config::from_json(&value).unwrap_err().contains("`factor`"));
        value["model_type"] = "gpt2".into();
        value["architectures"] = Value::Null;
        assert!(Config::from_json(&value).unwrap_err().contains("supported are llama"));
    }
}
