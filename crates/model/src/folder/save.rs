//! Writing a model as a Hugging Face folder that transformers and others load unchanged.

use super::carried::GENERATION;
use super::{CONFIG, Folder, TEMPLATE, TOKENIZER, TOKENIZER_CONFIG};
use crate::{ModelError, shards};
use serde_json::json;
use std::path::Path;

impl Folder {
    /// Writes the folder's files, each atomically. What came with the model and did not change, among others the tokenizer,
    /// its chat template, and the tokens that end a text, is written as it was read; weights are written as f32.
    pub fn save(&self, dir: &Path) -> Result<(), ModelError> {
        let t = &self.tokenizer;
        let config = self.carried.config(&self.config);
        let config = config.unwrap_or_else(|| self.config.to_json(t.bos(), t.eos(), t.pad()));
        store::write_json(dir.join(CONFIG), &config)?;
        match self.carried.generation() {
            Some(generation) => store::write_atomic(dir.join(GENERATION), generation)?,
            None => {
                let generation =
                    json!({ "bos_token_id": t.bos(), "eos_token_id": t.eos(), "pad_token_id": t.pad() });
                store::write_json(dir.join(GENERATION), &generation)?;
            }
        }
        self.save_tokenizer(dir)?;
        Ok(store::write_atomic(dir.join(shards::WHOLE), &self.weights.to_safetensors()?)?)
    }

    /// Writes the tokenizer and the chat template, as an adapter's folder has them too.
    pub fn save_tokenizer(&self, dir: &Path) -> Result<(), ModelError> {
        let t = &self.tokenizer;
        store::write_atomic(dir.join(TOKENIZER), t.json().as_bytes())?;
        match self.carried.tokenizer_config(t) {
            Some(text) => store::write_atomic(dir.join(TOKENIZER_CONFIG), text.as_bytes())?,
            None => store::write_json(dir.join(TOKENIZER_CONFIG), t.config())?,
        }
        for (name, bytes) in self.carried.with_tokenizer(t) {
            store::write_atomic(dir.join(name), bytes)?;
        }
        if let Some(template) = self.template.as_ref().filter(|own| self.carried.needs_template_file(own, t))
        {
            store::write_atomic(dir.join(TEMPLATE), template.source().as_bytes())?;
        }
        Ok(())
    }
}
