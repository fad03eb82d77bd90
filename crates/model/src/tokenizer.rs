//! `tokenizer.json` through the `tokenizers` crate, and the special tokens that training needs.

use crate::ModelError;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    ids: usize,
}

impl Tokenizer {
    /// From the texts of `tokenizer.json` and `tokenizer_config.json`; `path` is for error messages.
    pub fn new(json: String, config: Value, path: &Path) -> Result<Tokenizer, ModelError> {
        let not_json = |e| ModelError::invalid(path, format!("not JSON: {e}"));
        serde_json::from_str::<IgnoredAny>(&json).map_err(not_json)?;
        let mut inner: tokenizers::Tokenizer = guarded(|| json.parse())
            .map_err(|e| ModelError::invalid(path, format!("not a tokenizer: {e}")))?;
        // A file may say how somebody once cut and filled up texts for a batch. Here every text is taken whole, as
        // transformers takes it unless asked otherwise.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|e| ModelError::invalid(path, e))?;
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
        let ids = inner.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1);
        Ok(Tokenizer { inner, json, config, bos, eos, pad, unknown, ids })
    }

    /// Tokens of a text, without special tokens added around it; special tokens written in the text are recognised.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = guarded(|| self.inner.encode_fast(text, false)).map_err(ModelError::Tokenizer)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of some tokens, special tokens left out.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        guarded(|| self.inner.decode(tokens, true)).map_err(ModelError::Tokenizer)
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
    /// One more than the largest id of a token: the rows of embedding that it needs.
    pub fn ids(&self) -> usize {
        self.ids
    }
    /// The named special tokens of `tokenizer_config.json` (`bos_token` and so on) with their texts, as chat templates
    /// see them.
    pub fn specials(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().or(value["content"].as_str()).map(str::to_owned);
        let named = self.config.as_object().into_iter().flatten().filter(|(key, _)| key.ends_with("_token"));
        // Models may name some of their own.
        let extra = ["extra_special_tokens", "model_specific_special_tokens"];
        let extra = extra.into_iter().filter_map(|key| self.config[key].as_object()).flatten();
        named.chain(extra).filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
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

/// The library panics where a file has settings that do not go together, some only once they meet a text. That is a
/// fault of the file, and no reason to take a run down.
fn guarded<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| "its settings do not go together".to_string())?
        .map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_neither_cut_nor_filled_up() {
        let json = json!({
            "truncation": { "direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0 },
            "padding": { "strategy": { "Fixed": 5 }, "direction": "Right", "pad_to_multiple_of": null,
                         "pad_id": 1, "pad_type_id": 0, "pad_token": "b" },
            "added_tokens": [],
            "pre_tokenizer": { "type": "Whitespace" },
            "model": { "type": "WordLevel", "vocab": { "a": 0, "b": 1 }, "unk_token": "a" },
        });
        let tokenizer = Tokenizer::new(json.to_string(), Value::Null, Path::new("tokenizer.json")).unwrap();
        assert_eq!(tokenizer.encode("a b a").unwrap(), [0, 1, 0]);
        assert_eq!(tokenizer.encode("a").unwrap(), [0]);
    }

    #[test]
    fn a_panic_of_the_library_is_an_error_of_the_file() {
        let new = |json: &str| Tokenizer::new(json.into(), Value::Null, Path::new("tokenizer.json"));
        let precompiled = json!({
            "added_tokens": [],
            "normalizer": { "type": "Precompiled", "precompiled_charsmap": 7 },
            "model": { "type": "WordLevel", "vocab": { "a": 0 }, "unk_token": "a" },
        });
        let error = new(&precompiled.to_string()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("not a tokenizer: its settings"), "{error}");
        let cut = new(r#"{"decoder": {"type": "Strip", "con"#).map(|_| ()).unwrap_err().to_string();
        assert!(cut.contains("not JSON"), "{cut}");
    }
}
