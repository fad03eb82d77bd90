//! Chat templates: the Jinja that model folders carry, rendered by minijinja as transformers renders it.

use crate::{Message, ModelError, Tokenizer};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, context};

/// What one rendering may do: an instruction costs one, and so do 64 bytes that are made. It ends templates that would
/// not end by themselves within seconds and some 300 MB.
const FUEL: u64 = 5_000_000;

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
        environment.set_fuel(Some(FUEL));
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
            .map_err(|e| match e.kind() {
                ErrorKind::OutOfFuel => ModelError::Template("rendering does not come to an end".into()),
                _ => ModelError::Template(e.to_string()),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn render(source: &str) -> Result<String, ModelError> {
        let json =
            r#"{"added_tokens": [], "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}"#;
        let tokenizer = Tokenizer::new(json.into(), serde_json::Value::Null, Path::new("tokenizer.json"))?;
        let message = Message { role: "user".into(), name: None, content: "some words, ".repeat(10) };
        ChatTemplate::new(source.into(), &tokenizer)?.render(&vec![message; 100], true, None)
    }

    #[test]
    fn a_template_that_would_not_end_or_would_fill_the_memory_is_an_error() {
        let loops = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
        let doubles =
            "{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}";
        for source in [loops, doubles] {
            let error = render(source).unwrap_err().to_string();
            assert!(error.contains("does not come to an end"), "{error}");
        }
        let recursion = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}";
        assert!(matches!(render(recursion), Err(ModelError::Template(_))));
        // An ordinary one is far from the limit.
        let ordinary =
            "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}\n{% endfor %}".repeat(20);
        assert!(render(&ordinary).unwrap().len() > 100_000);
    }
}
