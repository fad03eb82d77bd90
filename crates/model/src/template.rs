//! Chat templates: the Jinja that model folders carry, rendered by minijinja as transformers renders it.

use crate::{Message, ModelError, Tokenizer};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, context};

/// A chat template with the special tokens it may mention.
#[derive(Clone, Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compiles a template; the error is the template's own.
    pub fn new(source: String, tokenizer: &Tokenizer) -> Result<ChatTemplate, ModelError> {
        let mut environment = Environment::new();
        // As transformers configures Jinja.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|e| ModelError::Template(e.to_string()))?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment
            .add_template_owned("chat", source.clone())
            .map_err(|e| ModelError::Template(e.to_string()))?;
        let special = |key| tokenizer.special(key).unwrap_or_default().to_string();
        Ok(ChatTemplate { environment, source, bos: special("bos_token"), eos: special("eos_token") })
    }

    /// The Jinja source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text of a conversation. `add_generation_prompt` appends what comes before the assistant's next words;
    /// `speaker` names who those words belong to, for templates that care.
    pub fn render(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
        speaker: Option<&str>,
    ) -> Result<String, ModelError> {
        let template =
            self.environment.get_template("chat").map_err(|e| ModelError::Template(e.to_string()))?;
        template
            .render(context! {
                messages => Value::from(Serde(messages)),
                add_generation_prompt => add_generation_prompt,
                speaker => speaker,
                bos_token => self.bos.as_str(),
                eos_token => self.eos.as_str(),
            })
            .map_err(|e| ModelError::Template(e.to_string()))
    }
}
