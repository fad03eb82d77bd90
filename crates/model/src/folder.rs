//! A model folder as Hugging Face lays it out, read whole and written whole.

use crate::{Adapter, ChatTemplate, Config, Example, Message, ModelError, Network, Tokenizer, Weights};
use serde_json::{Value, json};
use std::path::Path;
use store::Hash;

/// A model with everything needed to use it.
#[derive(Clone)]
pub struct Folder {
    /// Sizes.
    pub config: Config,
    /// Parameters.
    pub weights: Weights,
    /// Text to tokens.
    pub tokenizer: Tokenizer,
    /// Conversations to text; a base model may have none.
    pub template: Option<ChatTemplate>,
}

/// The bytes of a model's files, wherever they come from (a folder, or the binary itself).
pub struct Files<'a> {
    /// `config.json`.
    pub config: &'a [u8],
    /// `model.safetensors`.
    pub weights: &'a [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// `tokenizer_config.json`.
    pub tokenizer_config: Option<&'a [u8]>,
    /// `chat_template.jinja`.
    pub template: Option<&'a [u8]>,
}

/// Files that make a model what it is, in the order in which they are hashed.
const HASHED: [&str; 5] =
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];

impl Folder {
    /// Reads a folder. Errors name the file that is missing or damaged.
    pub fn load(dir: &Path) -> Result<Folder, ModelError> {
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            if !dir.join(name).is_file() {
                return Err(ModelError::NotAModel { path: dir.to_path_buf(), missing: name.into() });
            }
        }
        let optional = |name: &str| {
            let path = dir.join(name);
            if path.is_file() { store::read(&path).map(Some) } else { Ok(None) }
        };
        Folder::from_files(
            &Files {
                config: &store::read(dir.join("config.json"))?,
                weights: &store::read(dir.join("model.safetensors"))?,
                tokenizer: &store::read(dir.join("tokenizer.json"))?,
                tokenizer_config: optional("tokenizer_config.json")?.as_deref(),
                template: optional("chat_template.jinja")?.as_deref(),
            },
            dir,
        )
    }

    /// As [`Folder::load`], from bytes in memory; `dir` is for error messages.
    pub fn from_files(files: &Files, dir: &Path) -> Result<Folder, ModelError> {
        let parse = |name: &str, bytes: &[u8]| -> Result<Value, ModelError> {
            serde_json::from_slice(bytes)
                .map_err(|e| ModelError::invalid(dir.join(name), format!("not JSON: {e}")))
        };
        let text = |name: &str, bytes: &[u8]| -> Result<String, ModelError> {
            String::from_utf8(bytes.to_vec())
                .map_err(|_| ModelError::invalid(dir.join(name), "not UTF-8 text"))
        };
        let config = Config::from_json(&parse("config.json", files.config)?)
            .map_err(|e| ModelError::invalid(dir.join("config.json"), e))?;
        let weights = Weights::from_safetensors(&config, files.weights, &dir.join("model.safetensors"))?;
        let tokenizer_config = match files.tokenizer_config {
            Some(bytes) => parse("tokenizer_config.json", bytes)?,
            None => json!({}),
        };
        let in_config = tokenizer_config["chat_template"].as_str().map(str::to_string);
        let path = dir.join("tokenizer.json");
        let tokenizer = Tokenizer::new(text("tokenizer.json", files.tokenizer)?, tokenizer_config, &path)?;
        if tokenizer.vocab_size() > config.vocab_size {
            return Err(ModelError::invalid(
                path,
                format!(
                    "{} tokens, but config.json has a vocab_size of {}",
                    tokenizer.vocab_size(),
                    config.vocab_size
                ),
            ));
        }
        let source = match files.template {
            Some(bytes) => Some(text("chat_template.jinja", bytes)?),
            None => in_config,
        };
        let template = source.map(|s| ChatTemplate::new(s, &tokenizer)).transpose()?;
        Ok(Folder { config, weights, tokenizer, template })
    }

    /// Writes the folder's files, each atomically.
    pub fn save(&self, dir: &Path) -> Result<(), ModelError> {
        let t = &self.tokenizer;
        store::write_json(dir.join("config.json"), &self.config.to_json(t.bos(), t.eos(), t.pad()))?;
        let generation = json!({ "bos_token_id": t.bos(), "eos_token_id": t.eos(), "pad_token_id": t.pad() });
        store::write_json(dir.join("generation_config.json"), &generation)?;
        store::write_atomic(dir.join("tokenizer.json"), t.json().as_bytes())?;
        store::write_json(dir.join("tokenizer_config.json"), t.config())?;
        if let Some(template) = &self.template {
            store::write_atomic(dir.join("chat_template.jinja"), template.source().as_bytes())?;
        }
        store::write_atomic(dir.join("model.safetensors"), &self.weights.to_safetensors()?)?;
        Ok(())
    }

    /// The hash of what makes the model in `dir` what it is: sizes, weights, tokenizer, template.
    pub fn content_hash(dir: &Path) -> Result<Hash, ModelError> {
        let mut id = store::IdBuilder::new("model");
        for name in HASHED {
            if dir.join(name).is_file() {
                id = id.hash(name, store::hash_file(dir.join(name))?);
            }
        }
        Ok(id.finish())
    }

    /// As [`Folder::content_hash`], of bytes in memory.
    pub fn content_hash_of(files: &Files) -> Hash {
        let all = [
            Some(files.config),
            Some(files.weights),
            Some(files.tokenizer),
            files.tokenizer_config,
            files.template,
        ];
        let mut id = store::IdBuilder::new("model");
        for (name, bytes) in HASHED.iter().zip(all) {
            if let Some(bytes) = bytes {
                id = id.hash(name, store::hash_bytes(bytes));
            }
        }
        id.finish()
    }

    /// The network of this folder; `rope` comes from [`Network::rope_table`].
    pub fn network<'a>(
        &'a self,
        adapter: Option<&'a Adapter>,
        rope: &'a kernels::rope::Table,
    ) -> Network<'a> {
        Network::new(&self.config, &self.weights, adapter, rope)
    }

    /// A document as a training row: loss on all tokens, begin and end marked where the tokenizer has such tokens.
    pub fn document(&self, text: &str) -> Result<Example, ModelError> {
        let mut tokens: Vec<u32> = self.tokenizer.bos().into_iter().collect();
        tokens.extend(self.tokenizer.encode(text)?);
        tokens.extend(self.tokenizer.eos());
        let loss = vec![true; tokens.len()];
        let example = Example { tokens, loss };
        if example.targets() == 0 {
            return Err(ModelError::NothingTrainable("the document is empty".into()));
        }
        Ok(example)
    }

    /// A conversation as a training row: loss on the assistant's tokens only.
    ///
    /// The mask comes from rendering prefixes: everything that appears when an assistant message is added after its
    /// generation prompt is a target. (Stock templates lack `{% generation %}` marks.) An empty mask is an error,
    /// because training on it would silently learn nothing.
    pub fn chat(&self, messages: &[Message]) -> Result<Example, ModelError> {
        let template = self.template.as_ref().ok_or_else(|| {
            ModelError::Template("the model has no chat template, so it cannot be trained on chats; add chat_template.jinja to its folder".into())
        })?;
        let mut example = Example::default();
        let mut rendered = String::new();
        for (i, message) in messages.iter().enumerate() {
            if message.role != "assistant" {
                continue;
            }
            let prompt = template.render(&messages[..i], true, message.name.as_deref())?;
            let full = template.render(&messages[..=i], false, message.name.as_deref())?;
            let (Some(before), Some(answer)) = (prompt.strip_prefix(&rendered), full.strip_prefix(&prompt))
            else {
                return Err(ModelError::Template(
                    "the template renders a conversation differently once it is longer, so the assistant's tokens cannot be told apart".into(),
                ));
            };
            for (part, is_answer) in [(before, false), (answer, true)] {
                let tokens = self.tokenizer.encode(part)?;
                example.loss.extend(std::iter::repeat_n(is_answer, tokens.len()));
                example.tokens.extend(tokens);
            }
            rendered = full;
        }
        if example.targets() == 0 {
            return Err(ModelError::NothingTrainable(
                "the conversation has no assistant message with content".into(),
            ));
        }
        Ok(example)
    }
}
