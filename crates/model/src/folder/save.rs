//! Writing a model as a Hugging Face folder that transformers and others load unchanged.

use super::carried::GENERATION;
use super::{CONFIG, Folder, TEMPLATE, TOKENIZER, TOKENIZER_CONFIG};
use crate::{Dtype, ModelError, shards};
use serde_json::json;
use std::path::Path;

impl Folder {
    /// Writes the folder's files, each atomically. What came with the model and did not change, among others the tokenizer,
    /// its chat template, and the tokens that end a text, is written as it was read; weights are written as f32.
    pub fn save(&self, dir: &Path) -> Result<(), ModelError> {
        self.save_as(dir, Dtype::F32)
    }

    /// As [`Folder::save`], with the weights in another type.
    ///
    /// # Errors
    /// As [`Weights::changed_by`](crate::Weights::changed_by), and when a file cannot be written.
    pub fn save_as(&self, dir: &Path, dtype: Dtype) -> Result<(), ModelError> {
        let t = &self.tokenizer;
        let config = self.carried.config(&self.config);
        let mut config = config.unwrap_or_else(|| self.config.to_json(t.bos(), t.eos(), t.pad()));
        // Transformers 5 calls it `dtype`, earlier ones `torch_dtype`.
        let old = config.get("torch_dtype").is_some() && config.get("dtype").is_none();
        config[if old { "torch_dtype" } else { "dtype" }] = dtype.of_config().into();
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
        Ok(store::write_atomic(dir.join(shards::WHOLE), &self.weights.to_safetensors_as(dtype)?)?)
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
