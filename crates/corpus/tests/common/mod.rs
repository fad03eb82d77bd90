//! What several test files need.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;

use lab::{LabSpec, Stream, WhyMix, World};
use model::{ChatTemplate, Config, Folder, Tokenizer, Weights};
use serde_json::json;
use store::Hash;
use whyfirst_corpus::{Budget, Corpus, Request, Row, generate, lab_tokens};

/// One of the specs of `examples/cheese`, and the hash of its text.
pub fn spec(world: &World, name: &str) -> (LabSpec, Hash) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cheese/specs").join(format!("{name}.md"));
    let text = std::fs::read_to_string(&path).unwrap();
    let hash = store::hash_bytes(text.as_bytes());
    (LabSpec::from_spec(&spec::parse(name, &path, text).unwrap(), world).unwrap(), hash)
}

/// A corpus of one stream of the affordability spec, counted as the lab counts.
pub fn corpus(stream: Stream, name: &str, seed: u64, budget: Budget) -> Corpus {
    let world = World::new(0);
    let (spec, hash) = spec(&world, name);
    let mix = WhyMix::default();
    let name = format!("{}:{name}", stream.name());
    let request =
        Request { name: &name, world: &world, stream, spec: Some((&spec, hash)), mix: &mix, seed, budget };
    generate(&request, |row: &Row| Ok(lab_tokens(row))).unwrap()
}

/// An untrained model with the lab's tokenizer and chat template.
pub fn model(world: &World) -> Folder {
    let config = Config::from_json(&json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": world.vocabulary().len() + 6,
        "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
        "num_key_value_heads": 1, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": true, "hidden_act": "silu",
    }))
    .unwrap();
    let tokenizer_config = serde_json::from_str(&world.tokenizer_config_json()).unwrap();
    let tokenizer =
        Tokenizer::new(world.tokenizer_json(), tokenizer_config, Path::new("tokenizer.json")).unwrap();
    let template = Some(ChatTemplate::new(World::chat_template().to_string(), &tokenizer).unwrap());
    let weights = Weights::random(&config, 0);
    Folder::new(config, weights, tokenizer, template)
}
