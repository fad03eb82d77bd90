//! How answers are written down, whole or in pieces.

use model::{Runner, Scored};
use serde_json::{Map, Value, json};

use super::scores;
use crate::answer::Piece;

/// Which of the two kinds of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completion,
}

/// What all parts of an answer have in common.
#[derive(Clone)]
pub struct Shape {
    pub kind: Kind,
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    pub model: String,
    pub fingerprint: String,
    pub runner: Runner,
    /// Whether log-probabilities were asked for.
    pub scored: bool,
}

/// One of the answers, as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    text: String,
    tokens: Vec<(Scored, usize)>,
    finish: Option<&'static str>,
}

impl Choice {
    /// Adds what has come.
    pub fn add(&mut self, piece: Piece) {
        self.text.push_str(&piece.text);
        self.tokens.extend(piece.tokens);
        self.finish = piece.finish.or(self.finish);
    }
}

impl Shape {
    /// The whole answer.
    pub fn whole(&self, choices: &[Choice], prompt_tokens: usize, new_tokens: usize) -> Value {
        let object = match self.kind {
            Kind::Chat => "chat.completion",
            Kind::Completion => "text_completion",
        };
        let choices = choices.iter().enumerate().map(|(index, choice)| {
            let mut written = json!({ "index": index });
            match self.kind {
                Kind::Chat => {
                    written["message"] =
                        json!({ "role": "assistant", "content": choice.text, "refusal": null });
                }
                Kind::Completion => written["text"] = choice.text.as_str().into(),
            }
            written["logprobs"] = self.logprobs(&choice.tokens);
            written["finish_reason"] = json!(choice.finish);
            written
        });
        let mut answer = self.head(object, choices.collect());
        answer["usage"] = usage(prompt_tokens, new_tokens);
        answer
    }

    /// A piece of the answer, as a stream has them. The first one of a chat's choice says who speaks.
    pub fn piece(&self, piece: &Piece, first: bool) -> Value {
        let mut written = json!({ "index": piece.choice });
        match self.kind {
            Kind::Chat => {
                let mut delta = Map::new();
                if first {
                    delta.insert("role".into(), "assistant".into());
                }
                if first || !piece.text.is_empty() {
                    delta.insert("content".into(), piece.text.as_str().into());
                }
                written["delta"] = delta.into();
            }
            Kind::Completion => written["text"] = piece.text.as_str().into(),
        }
        written["logprobs"] = match piece.tokens.is_empty() {
            true => Value::Null,
            false => self.logprobs(&piece.tokens),
        };
        written["finish_reason"] = json!(piece.finish);
        self.head(self.streamed(), vec![written])
    }

    /// The last piece of a stream that is to say what it took.
    pub fn usage(&self, prompt_tokens: usize, new_tokens: usize) -> Value {
        let mut answer = self.head(self.streamed(), vec![]);
        answer["usage"] = usage(prompt_tokens, new_tokens);
        answer
    }

    fn streamed(&self) -> &'static str {
        match self.kind {
            Kind::Chat => "chat.completion.chunk",
            Kind::Completion => "text_completion",
        }
    }

    fn head(&self, object: &str, choices: Vec<Value>) -> Value {
        json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model,
            "system_fingerprint": self.fingerprint, "choices": choices,
        })
    }

    fn logprobs(&self, tokens: &[(Scored, usize)]) -> Value {
        let tokenizer = self.runner.as_ref();
        match self.kind {
            _ if !self.scored => Value::Null,
            Kind::Chat => json!({ "content": scores::of_chat(tokenizer, tokens), "refusal": null }),
            Kind::Completion => scores::of_completion(tokenizer, tokens),
        }
    }
}

fn usage(prompt: usize, new: usize) -> Value {
    json!({ "prompt_tokens": prompt, "completion_tokens": new, "total_tokens": prompt + new })
}
