//! A model folder as Hugging Face lays it out, read whole and written whole.

mod carried;
mod rows;
mod save;

pub use carried::Carried;

use crate::inside::Inside;
use crate::shards::{self, Shard};
use crate::{Adapter, ChatTemplate, Config, ModelError, Network, Tokenizer, Weights};
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
    /// What else its folder holds, to be saved with it unchanged.
    pub carried: Carried,
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

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const TEMPLATE: &str = "chat_template.jinja";

/// Files that make a model what it is, in the order in which they are hashed.
const HASHED: [&str; 5] = [CONFIG, shards::WHOLE, TOKENIZER, TOKENIZER_CONFIG, TEMPLATE];

impl Folder {
    /// A model of these parts, which comes from no folder.
    pub fn new(
        config: Config,
        weights: Weights,
        tokenizer: Tokenizer,
        template: Option<ChatTemplate>,
    ) -> Folder {
        Folder { config, weights, tokenizer, template, carried: Carried::default() }
    }

    /// Reads a folder: a plain one, or one in the hub's cache. Errors name the file that is missing or damaged.
    ///
    /// Nothing outside of the folder is read, and no pickle is loaded.
    pub fn load(dir: &Path) -> Result<Folder, ModelError> {
        let missing = |name: &str| ModelError::NotAModel { path: dir.to_path_buf(), missing: name.into() };
        if !dir.join(CONFIG).exists() {
            return Err(missing(CONFIG));
        }
        let inside = Inside::open(dir)?;
        let need = |name: &str| inside.read(name)?.ok_or_else(|| missing(name));
        let config = need(CONFIG)?;
        let mapped = Shard::open_all(&inside, dir)?;
        let tokenizer =
            inside.read(TOKENIZER)?.ok_or_else(|| match dir.join("tokenizer.model").exists() {
                true => ModelError::invalid(
                    dir.join("tokenizer.model"),
                    "the tokenizer is there in an older form only; write tokenizer.json with transformers \
                 (`AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`)",
                ),
                false => missing(TOKENIZER),
            })?;
        let (tokenizer_config, template) = (inside.read(TOKENIZER_CONFIG)?, inside.read(TEMPLATE)?);
        let weights: Vec<(&Path, &[u8])> = mapped.iter().map(Shard::parts).collect();
        let mut folder = Folder::assemble(
            dir,
            &config,
            &weights,
            &tokenizer,
            tokenizer_config.as_deref(),
            template.as_deref(),
        )?;
        folder.carried.read(&inside, dir, &folder.config)?;
        Ok(folder)
    }

    /// As [`Folder::load`], from bytes in memory; `dir` is for error messages.
    pub fn from_files(files: &Files, dir: &Path) -> Result<Folder, ModelError> {
        let path = dir.join(shards::WHOLE);
        Folder::assemble(
            dir,
            files.config,
            &[(&path, files.weights)],
            files.tokenizer,
            files.tokenizer_config,
            files.template,
        )
    }

    fn assemble(
        dir: &Path,
        config_json: &[u8],
        weights: &[(&Path, &[u8])],
        tokenizer: &[u8],
        tokenizer_config: Option<&[u8]>,
        template: Option<&[u8]>,
    ) -> Result<Folder, ModelError> {
        let config_json = parse(&dir.join(CONFIG), config_json)?;
        let config = Config::from_json(&config_json).map_err(|e| ModelError::invalid(dir.join(CONFIG), e))?;
        let weights = Weights::from_shards(&config, weights)?;
        let tokenizer_config =
            tokenizer_config.map(|bytes| text(&dir.join(TOKENIZER_CONFIG), bytes)).transpose()?;
        let parsed = match &tokenizer_config {
            Some(text) => parse(&dir.join(TOKENIZER_CONFIG), text.as_bytes())?,
            None => json!({}),
        };
        let path = dir.join(TOKENIZER);
        let tokenizer = Tokenizer::new(text(&path, tokenizer)?, parsed, &path)?;
        if tokenizer.ids() > config.vocab_size {
            return Err(ModelError::invalid(
                path,
                format!(
                    "its tokens have ids up to {}, but the embedding has {} rows (`vocab_size` in config.json): \
                     it is another model's tokenizer",
                    tokenizer.ids().saturating_sub(1),
                    config.vocab_size
                ),
            ));
        }
        let written = template.map(|bytes| text(&dir.join(TEMPLATE), bytes)).transpose()?;
        let has_template_file = written.is_some();
        let source = match written {
            Some(source) => Some(source),
            None => ChatTemplate::source_in(tokenizer.config())?,
        };
        let template = source.map(|s| ChatTemplate::new(s, &tokenizer)).transpose()?;
        let carried = Carried::new(config_json, tokenizer_config, has_template_file, &tokenizer);
        carried.check(dir.join(CONFIG), &config)?;
        Ok(Folder { config, weights, tokenizer, template, carried })
    }

    /// The bytes of the weights' files in `dir`, and the types that their tensors have there, by name (`bf16`).
    ///
    /// # Errors
    /// When there are none, or one is damaged.
    pub fn stored(dir: &Path) -> Result<(u64, BTreeSet<String>), ModelError> {
        let shards = Shard::open_all(&Inside::open(dir)?, dir)?;
        let files: Vec<(&Path, &[u8])> = shards.iter().map(Shard::parts).collect();
        let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        Ok((bytes, shards::Tensors::parse(&files)?.types()))
    }

    /// The source of the chat template in a folder that need not be a model's: an adapter's may have one too.
    ///
    /// # Errors
    /// When a file cannot be read, or is not text.
    pub fn template_in(dir: &Path) -> Result<Option<String>, ModelError> {
        let inside = Inside::open(dir)?;
        if let Some(source) = inside.read(TEMPLATE)? {
            return text(&dir.join(TEMPLATE), &source).map(Some);
        }
        match inside.read(TOKENIZER_CONFIG)? {
            Some(config) => ChatTemplate::source_in(&parse(&dir.join(TOKENIZER_CONFIG), &config)?),
            None => Ok(None),
        }
    }

    /// A file beside a model, read as the model's own are: never from outside of its folder.
    pub fn beside(dir: &Path, name: &str) -> Result<Option<Vec<u8>>, ModelError> {
        Inside::open(dir)?.read(name)
    }

    /// Tokens at which a generated text ends: those of `generation_config.json` or, without it, of `config.json`, and the
    /// tokenizer's own end of text.
    pub fn stops(&self) -> Vec<u32> {
        let mut stops = self.carried.stops();
        stops.extend(self.tokenizer.eos());
        stops.sort_unstable();
        stops.dedup();
        stops
    }

    /// The hash of what makes the model in `dir` what it is: sizes, weights, tokenizer, template, and the tokens that end
    /// a text where there are several.
    pub fn content_hash(dir: &Path) -> Result<Hash, ModelError> {
        let inside = Inside::open(dir)?;
        let mut names: Vec<String> = vec![CONFIG.into()];
        names.extend(shards::names(&inside, dir)?);
        names.extend([TOKENIZER, TOKENIZER_CONFIG, TEMPLATE].map(String::from));
        if carried::has_several_stops(&inside)? {
            names.push(carried::GENERATION.into());
        }
        let mut id = store::IdBuilder::new("model");
        for name in names {
            if let Some(path) = inside.file(&name)? {
                id = id.hash(&name, store::hash_file(path)?);
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
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Value, ModelError> {
    serde_json::from_slice(bytes).map_err(|e| ModelError::invalid(path, format!("not JSON: {e}")))
}

fn text(path: &Path, bytes: &[u8]) -> Result<String, ModelError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| ModelError::invalid(path, "not UTF-8 text"))
}
