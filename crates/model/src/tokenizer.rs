//! `tokenizer.json` through the `tokenizers` crate, and the special tokens that training needs.

use crate::ModelError;
use serde_json::Value;
use std::path::Path;

/// Text to tokens and back.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    json: String,
    config: Value,
    bos: Option<u32>,
    eos: Option<u32>,
    pad: Option<u32>,
    unknown: Option<u32>,
}

impl Tokenizer {
    /// From the texts of `tokenizer.json` and `tokenizer_config.json`; `path` is for error messages.
    pub fn new(json: String, config: Value, path: &Path) -> Result<Tokenizer, ModelError> {
        let inner: tokenizers::Tokenizer =
            json.parse().map_err(|e| ModelError::invalid(path, format!("not a tokenizer: {e}")))?;
        let special = |key: &str| -> Result<Option<u32>, ModelError> {
            // Either "<eos>" or {"content": "<eos>", ...}.
            let Some(text) = config[key].as_str().or(config[key]["content"].as_str()) else {
                return Ok(None);
            };
            let id = inner.token_to_id(text);
            id.map(Some)
                .ok_or_else(|| ModelError::invalid(path, format!("{key} {text:?} is not in the vocabulary")))
        };
        let (bos, eos, pad, unknown) =
            (special("bos_token")?, special("eos_token")?, special("pad_token")?, special("unk_token")?);
        Ok(Tokenizer { inner, json, config, bos, eos, pad, unknown })
    }

    /// Tokens of a text, without special tokens added around it; special tokens written in the text are recognised.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding =
            self.inner.encode_fast(text, false).map_err(|e| ModelError::Tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of some tokens, special tokens left out.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        self.inner.decode(tokens, true).map_err(|e| ModelError::Tokenizer(e.to_string()))
    }

    /// Begin-of-text token.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }
    /// End-of-text token.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }
    /// Padding token.
    pub fn pad(&self) -> Option<u32> {
        self.pad
    }
    /// The token that stands for what the vocabulary lacks.
    pub fn unknown(&self) -> Option<u32> {
        self.unknown
    }
    /// The text of a special token of `tokenizer_config.json`, e.g. `bos_token`.
    pub fn special(&self, key: &str) -> Option<&str> {
        self.config[key].as_str().or(self.config[key]["content"].as_str())
    }
    /// Number of tokens, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
    /// The text of `tokenizer.json`, as read.
    pub fn json(&self) -> &str {
        &self.json
    }
    /// `tokenizer_config.json`, as read.
    pub fn config(&self) -> &Value {
        &self.config
    }
}
