//! Which bytes stand for a question, an answer and an error in either protocol.

mod anthropic;
mod headers;
mod openai;
mod problem;
mod text;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use crate::answer::Said;

pub(crate) use headers::headers;
pub(crate) use problem::Problem;

/// The protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Messages and Message Batches.
    Anthropic,
    /// Chat completions, files and batches.
    OpenAi,
}

/// A question, as far as an answer depends on it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// The model's name.
    pub(crate) model: Cow<'a, str>,
    /// The system message and what was said, in order.
    pub(crate) texts: Vec<Cow<'a, str>>,
    /// The most tokens that the answer may have.
    pub(crate) max_tokens: Option<u64>,
}

/// Reads a question.
pub(crate) fn parse(protocol: Protocol, body: &[u8]) -> Result<Asked<'_>, Problem> {
    match protocol {
        Protocol::Anthropic => anthropic::parse(body),
        Protocol::OpenAi => openai::parse(body),
    }
}

/// Writes an answer. `number` tells it from all others of this server.
pub(crate) fn answer(protocol: Protocol, model: &str, said: &Said, number: u64, in_batch: bool) -> Value {
    match protocol {
        Protocol::Anthropic => anthropic::answer(model, said, number, in_batch),
        Protocol::OpenAi => openai::answer(model, said, number),
    }
}

/// Writes an error.
pub(crate) fn error(protocol: Protocol, problem: &Problem, request_id: Option<&str>) -> Value {
    match protocol {
        Protocol::Anthropic => anthropic::error(problem, request_id),
        Protocol::OpenAi => openai::error(problem),
    }
}

/// An id as both providers make them: letters and digits that say nothing.
pub(crate) fn id(prefix: &str, length: usize, number: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut dice = crate::dice::Dice::new(&[prefix.as_bytes(), &number.to_le_bytes()]);
    let digits = (0..length).map(|_| char::from(DIGITS[dice.below(DIGITS.len())]));
    prefix.chars().chain(digits).collect()
}
