//! Chat templates: the Jinja that model folders carry, rendered by minijinja as transformers renders it.

mod date;
mod environment;
mod json;
mod methods;

use crate::{Message, ModelError, Tokenizer};
pub use date::Moment;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, ErrorKind};
use serde_json::{Map, Value as Json, json as value};
use std::collections::BTreeMap;

/// A chat template with the special tokens it may mention.
#[derive(Clone, Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
    specials: BTreeMap<String, String>,
}

/// Everything that a template may be asked to render.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    /// The messages: objects with a `role`, a `content` and whatever else the template reads.
    pub messages: Vec<Json>,
    /// Tools as JSON schemas.
    pub tools: Option<Json>,
    /// Documents that an answer may draw on.
    pub documents: Option<Json>,
    /// Whether to append what comes before the assistant's next words.
    pub add_generation_prompt: bool,
    /// More variables, for templates that know them (`enable_thinking`, for one).
    pub variables: Map<String, Json>,
}

impl ChatTemplate {
    /// Compiles a template; the error is the template's own.
    pub fn new(source: String, tokenizer: &Tokenizer) -> Result<ChatTemplate, ModelError> {
        let environment = environment::new(&source, Moment::default())?;
        Ok(ChatTemplate { environment, source, specials: tokenizer.specials() })
    }

    /// The template of a `tokenizer_config.json`; of several, the one named `default`.
    pub fn source_in(tokenizer_config: &Json) -> Result<Option<String>, ModelError> {
        let named = match &tokenizer_config["chat_template"] {
            Json::Null => return Ok(None),
            Json::String(source) => return Ok(Some(source.clone())),
            Json::Array(named) => named,
            _ => {
                return Err(ModelError::Template(
                    "`chat_template` in tokenizer_config.json is neither a template nor a list of named ones"
                        .into(),
                ));
            }
        };
        let chosen =
            named.iter().find(|t| t["name"] == "default").or(named.first().filter(|_| named.len() == 1));
        match chosen.and_then(|chosen| chosen["template"].as_str()) {
            Some(source) => Ok(Some(source.to_string())),
            None => Err(ModelError::Template(
                "tokenizer_config.json has several chat templates and none is named \"default\"; put the one to be used \
                 into chat_template.jinja"
                    .into(),
            )),
        }
    }

    /// The same template, for which it is now that moment. Unless this is called, every day is the same: a row that is
    /// trained on must not depend on when.
    pub fn at(&self, moment: Moment) -> Result<ChatTemplate, ModelError> {
        Ok(ChatTemplate { environment: environment::new(&self.source, moment)?, ..self.clone() })
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
        let messages = messages.iter().map(|message| value!(message)).collect();
        let variables = speaker.map(|speaker| ("speaker".to_string(), speaker.into())).into_iter().collect();
        self.render_all(&Conversation {
            messages,
            add_generation_prompt,
            variables,
            ..Conversation::default()
        })
    }

    /// The text of a conversation of any kind.
    pub fn render_all(&self, conversation: &Conversation) -> Result<String, ModelError> {
        let template = self.environment.get_template(environment::NAME).map_err(failed)?;
        let mut variables: Map<String, Json> =
            self.specials.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
        variables.extend(conversation.variables.clone());
        let messages: Vec<Json> = conversation.messages.iter().map(with_reasoning).collect();
        variables.extend([
            ("messages".to_string(), messages.into()),
            ("tools".to_string(), conversation.tools.clone().unwrap_or_default()),
            ("documents".to_string(), conversation.documents.clone().unwrap_or_default()),
            ("add_generation_prompt".to_string(), conversation.add_generation_prompt.into()),
        ]);
        template.render(Value::from(Serde(variables))).map_err(failed)
    }
}

/// Gives a message's reasoning all the names under which templates look for it, as transformers does.
fn with_reasoning(message: &Json) -> Json {
    let Some(fields) = message.as_object() else { return message.clone() };
    let names = ["reasoning_content", "thinking", "reasoning"];
    let Some(reasoning) = names.iter().filter_map(|name| fields.get(*name)).find(|text| !text.is_null())
    else {
        return message.clone();
    };
    let mut named = Map::from_iter([("thinking".to_string(), reasoning.clone())]);
    named.extend(fields.clone());
    named.insert("reasoning_content".into(), reasoning.clone());
    Json::Object(named)
}

fn failed(error: minijinja::Error) -> ModelError {
    match error.kind() {
        ErrorKind::OutOfFuel => ModelError::Template("rendering does not come to an end".into()),
        _ => {
            let line = error.line().map(|line| format!(" (line {line} of the template)")).unwrap_or_default();
            let what = error.detail().map_or_else(|| error.to_string(), str::to_string);
            ModelError::Template(format!("{what}{line}"))
        }
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
