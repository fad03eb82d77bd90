//! Which bytes a prompt becomes, and what a body says. The same prompt is the same bytes, always: a request is known by them.

mod anthropic;
mod error_body;
mod openai;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::call::{Prompt, Stop, Usage};
use crate::settings::{Model, Protocol};

pub(crate) use error_body::ErrorBody;

/// What an answer's body says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parsed {
    /// The visible text.
    pub(crate) text: String,
    /// Why it ended.
    pub(crate) stop: Stop,
    /// Its tokens; `None` if the server did not count them.
    pub(crate) usage: Option<Usage>,
}

/// The body of a call.
pub(crate) fn body(model: &Model, prompt: &Prompt) -> Vec<u8> {
    match model.protocol {
        Protocol::Anthropic => anthropic::body(model, prompt),
        Protocol::OpenAi => openai::body(model, prompt),
    }
}

/// What the body of a success says, or why it is not an answer.
pub(crate) fn parse(protocol: Protocol, body: &[u8]) -> Result<Parsed, String> {
    match protocol {
        Protocol::Anthropic => anthropic::parse(body),
        Protocol::OpenAi => openai::parse(body),
    }
}

/// Token counts. Some that cannot be read are none: the answer is there and paid for, whatever its server counts.
fn counts<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(from)?).ok())
}

/// Where calls go.
pub(crate) fn url(model: &Model) -> String {
    match model.protocol {
        Protocol::Anthropic => format!("{}/v1/messages", anthropic_root(model)),
        Protocol::OpenAi => format!("{}/chat/completions", model.base()),
    }
}

/// The base URL without the `/v1` that some people write and some do not.
pub(crate) fn anthropic_root(model: &Model) -> &str {
    let base = model.base();
    base.strip_suffix("/v1").unwrap_or(base)
}

/// The headers of every request to a model's server. The key is marked as sensitive, so that it is not printed.
pub(crate) fn headers(model: &Model) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if model.protocol == Protocol::Anthropic {
        headers.insert(HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));
    }
    let Some(key) = &model.key else { return headers };
    let (name, value) = match model.protocol {
        Protocol::Anthropic => (HeaderName::from_static("x-api-key"), key.expose().to_owned()),
        Protocol::OpenAi => (reqwest::header::AUTHORIZATION, format!("Bearer {}", key.expose())),
    };
    // `find_key` refuses keys that cannot be in a header.
    if let Ok(mut value) = HeaderValue::from_str(&value) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    headers
}
