//! What a model's folder holds besides what is used here: it is saved with the model as it was read.

use super::parse;
use crate::inside::Inside;
use crate::{ChatTemplate, Config, ModelError, Tokenizer};
use serde_json::Value;
use std::path::{Path, PathBuf};
use store::Hash;

/// How texts are generated: among others, at which tokens they end.
pub(super) const GENERATION: &str = "generation_config.json";

/// Files of older tokenizers, and what else travels with a tokenizer.
const WITH_TOKENIZER: [&str; 5] =
    ["special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model"];

/// Files as they were read. Each is saved again only with the part of the model that it came with.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    config: Option<Value>,
    generation: Option<Vec<u8>>,
    tokenizer_config: Option<String>,
    /// The hash of the `tokenizer.json` that they came with.
    tokenizer: Option<Hash>,
    template_file: bool,
    with_tokenizer: Vec<(&'static str, Vec<u8>)>,
}

impl Carried {
    pub(super) fn new(
        config: Value,
        tokenizer_config: Option<String>,
        template_file: bool,
        tokenizer: &Tokenizer,
    ) -> Carried {
        Carried {
            config: Some(config),
            tokenizer_config,
            template_file,
            tokenizer: Some(store::hash_bytes(tokenizer.json().as_bytes())),
            ..Carried::default()
        }
    }

    /// Reads the files that only a folder has.
    pub(super) fn read(&mut self, inside: &Inside, dir: &Path, config: &Config) -> Result<(), ModelError> {
        self.generation = inside.read(GENERATION)?;
        for name in WITH_TOKENIZER {
            self.with_tokenizer.extend(inside.read(name)?.map(|bytes| (name, bytes)));
        }
        self.check(dir.join(GENERATION), config)
    }

    /// Whether the stop tokens of `path` are ones that the model has.
    pub(super) fn check(&self, path: PathBuf, config: &Config) -> Result<(), ModelError> {
        if let Some(generation) = &self.generation {
            parse(&path, generation)?;
        }
        match self.stops().into_iter().find(|token| *token as usize >= config.vocab_size) {
            Some(token) => Err(ModelError::invalid(
                path,
                format!("`eos_token_id` {token} is no token: the embedding has {} rows", config.vocab_size),
            )),
            None => Ok(()),
        }
    }

    /// The tokens that end a text, as `generation_config.json` or else `config.json` lists them.
    pub(super) fn stops(&self) -> Vec<u32> {
        let generation: Option<Value> =
            self.generation.as_ref().and_then(|bytes| serde_json::from_slice(bytes).ok());
        let stated = [generation.as_ref(), self.config.as_ref()].into_iter().flatten();
        stated.map(|value| ids(&value["eos_token_id"])).find(|ids| !ids.is_empty()).unwrap_or_default()
    }

    /// What to write as `config.json`: what was read, unless the model has become another.
    pub(super) fn config(&self, config: &Config) -> Option<Value> {
        let value = self.config.clone()?;
        (Config::from_json(&value).as_ref() == Ok(config)).then_some(value)
    }

    pub(super) fn generation(&self) -> Option<&[u8]> {
        self.generation.as_deref()
    }

    pub(super) fn tokenizer_config(&self, tokenizer: &Tokenizer) -> Option<&str> {
        let text = self.tokenizer_config.as_deref()?;
        (serde_json::from_str::<Value>(text).ok().as_ref() == Some(tokenizer.config())).then_some(text)
    }

    pub(super) fn with_tokenizer(&self, tokenizer: &Tokenizer) -> &[(&'static str, Vec<u8>)] {
        match self.tokenizer == Some(store::hash_bytes(tokenizer.json().as_bytes())) {
            true => &self.with_tokenizer,
            false => &[],
        }
    }

    /// Whether a template needs a file of its own: it does unless `tokenizer_config.json` holds it already.
    pub(super) fn needs_template_file(&self, template: &ChatTemplate, tokenizer: &Tokenizer) -> bool {
        let inline = ChatTemplate::source_in(tokenizer.config()).ok().flatten();
        self.template_file || inline.as_deref() != Some(template.source())
    }
}

/// Whether the folder's `generation_config.json` lists several tokens that end a text.
pub(super) fn has_several_stops(inside: &Inside) -> Result<bool, ModelError> {
    let generation = inside.read(GENERATION)?;
    let generation: Option<Value> = generation.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(generation.is_some_and(|generation| generation["eos_token_id"].is_array()))
}

/// One id or a list of them.
fn ids(value: &Value) -> Vec<u32> {
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    match value {
        Value::Array(values) => values.iter().filter_map(id).collect(),
        one => id(one).into_iter().collect(),
    }
}
