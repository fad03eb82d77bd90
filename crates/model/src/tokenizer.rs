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
    /// Whether names of tokens spell bytes.
    spells_bytes: bool,
    /// Whether `<0x41>` stands for a byte.
    has_byte_tokens: bool,
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
        let written: Value = serde_json::from_str(&json).map_err(not_json)?;
        let parts = ["decoder", "pre_tokenizer"];
        let spells_bytes = parts.iter().any(|part| is_of_kind(&written[part], "ByteLevel"));
        let has_byte_tokens = is_of_kind(&written["decoder"], "ByteFallback");
        Ok(Tokenizer { inner, json, config, bos, eos, pad, unknown, ids, spells_bytes, has_byte_tokens })
    }

    /// Tokens of a text, without special tokens added around it; special tokens written in the text are recognised.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = guarded(|| self.inner.encode_fast(text, false)).map_err(ModelError::Tokenizer)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Tokens of a text as it would stand alone: with what the tokenizer puts around one, such as a begin-of-text token.
    pub fn encode_alone(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = guarded(|| self.inner.encode_fast(text, true)).map_err(ModelError::Tokenizer)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The bytes that a token stands for by itself, blanks before a word included; those of its name for a special token.
    /// A token can be a part of a character only.
    pub fn bytes(&self, token: u32) -> Vec<u8> {
        let name = self.inner.id_to_token(token).unwrap_or_default();
        if let Some(byte) = self.byte_named(&name) {
            return vec![byte];
        }
        // Tokens of bytes are written in characters that can be seen, one for each byte.
        let visible = self.spells_bytes && !self.inner.get_added_tokens_decoder().contains_key(&token);
        match name.chars().map(byte_of).collect::<Option<Vec<u8>>>() {
            Some(bytes) if visible => bytes,
            _ => name.replace('\u{2581}', " ").into_bytes(),
        }
    }

    fn byte_named(&self, name: &str) -> Option<u8> {
        let hex = name.strip_prefix("<0x")?.strip_suffix('>').filter(|_| self.has_byte_tokens)?;
        u8::from_str_radix(hex, 16).ok()
    }

    /// Whether the text of the tokens up to this one may change with the next: that of a byte depends on the bytes on both
    /// sides, and a special token, which is left out, does not keep them apart.
    pub(crate) fn is_open(&self, token: u32) -> bool {
        let is_byte = || self.inner.id_to_token(token).is_some_and(|name| self.byte_named(&name).is_some());
        let added = self.inner.get_added_tokens_decoder();
        self.has_byte_tokens && (is_byte() || added.get(&token).is_some_and(|added| added.special))
    }

    /// The text of some tokens, special tokens left out.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        guarded(|| self.inner.decode(tokens, true)).map_err(ModelError::Tokenizer)
    }

    /// The text of a token as the vocabulary has it, if it has it.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
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

impl AsRef<Tokenizer> for Tokenizer {
    fn as_ref(&self) -> &Tokenizer {
        self
    }
}

/// Whether a part of a tokenizer, or one of its parts, is of a kind.
fn is_of_kind(part: &Value, kind: &str) -> bool {
    let parts = ["decoders", "pretokenizers"].iter().filter_map(|list| part[list].as_array()).flatten();
    part["type"] == kind || parts.into_iter().any(|part| is_of_kind(part, kind))
}

/// The byte that a character stands for in the names of byte-level tokens (GPT-2's table): visible Latin-1 characters for
/// themselves, the others, in order, for the bytes that are left.
fn byte_of(c: char) -> Option<u8> {
    let visible = |byte: &u8| matches!(*byte, 33..=126 | 161..=172 | 174..=255);
    match u32::from(c) {
        code @ 0..256 => u8::try_from(code).ok().filter(|byte| visible(byte)),
        code => (0..=255).filter(|byte| !visible(byte)).nth(code as usize - 256),
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
    fn tokens_have_bytes() {
        let json = json!({
            "added_tokens": [{ "id": 3, "content": "<end>", "special": true, "single_word": false, "lstrip": false,
                               "rstrip": false, "normalized": false }],
            "decoder": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
            "model": { "type": "BPE", "vocab": { "\u{120}a": 0, "\u{c3}": 1, "\u{a9}!": 2, "<end>": 3 }, "merges": [] },
        });
        let bytes = Tokenizer::new(json.to_string(), Value::Null, Path::new("tokenizer.json")).unwrap();
        assert_eq!(bytes.bytes(0), b" a");
        assert_eq!([bytes.bytes(1), bytes.bytes(2)].concat(), "\u{e9}!".as_bytes());
        assert_eq!(bytes.bytes(3), b"<end>");
        assert_eq!(bytes.bytes(99), b"");
        let json = json!({
            "added_tokens": [], "decoder": { "type": "Sequence", "decoders": [{ "type": "ByteFallback" }] },
            "model": { "type": "WordLevel", "vocab": { "\u{2581}the": 0, "<0xE9>": 1, "\u{e9}": 2 }, "unk_token": "the" },
        });
        let words = Tokenizer::new(json.to_string(), Value::Null, Path::new("tokenizer.json")).unwrap();
        assert_eq!(
            (words.bytes(0), words.bytes(1), words.bytes(2)),
            (b" the".to_vec(), vec![0xe9], "\u{e9}".into())
        );
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
