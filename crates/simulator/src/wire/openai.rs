//! Chat completions: <https://platform.openai.com/docs/api-reference/chat>.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::text::Texts;
use super::{Asked, Problem, id};
use crate::answer::{Said, Stop};
use crate::clock;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    #[serde(default)]
    stream: Option<bool>,
    n: Option<u64>,
    temperature: Option<f64>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Texts<'a>,
}

pub(super) fn parse(body: &[u8]) -> Result<Asked<'_>, Problem> {
    let body: Body = serde_json::from_slice(body).map_err(|error| Problem::Malformed(error.to_string()))?;
    let model = body.model.ok_or(Problem::Missing("model"))?;
    let messages = body.messages.ok_or(Problem::Missing("messages"))?;
    let invalid = |field, why: &str| Err(Problem::Invalid(field, why.to_owned()));
    if body.stream == Some(true) {
        return invalid("stream", "this server does not stream; leave it out or set it to false");
    }
    if body.n.is_some_and(|n| n != 1) {
        return invalid("n", "this server gives one choice");
    }
    if body.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
        return invalid("temperature", "must be from 0 to 2");
    }
    let limit = body.max_completion_tokens.or(body.max_tokens);
    if limit.is_some_and(|limit| limit < 1) {
        return invalid("max_tokens", "must be at least 1");
    }
    if messages.is_empty() {
        return invalid("messages", "must have at least one message");
    }
    let mut texts = Vec::with_capacity(messages.len());
    for message in messages {
        if !matches!(message.role.as_ref(), "system" | "developer" | "user" | "assistant") {
            return invalid("messages", "a role is `system`, `developer`, `user` or `assistant`");
        }
        texts.extend(message.content.0);
    }
    Ok(Asked { model, texts, max_tokens: limit.map(i64::unsigned_abs) })
}

pub(super) fn answer(model: &str, said: &Said, number: u64) -> Value {
    // There are two ways of refusing: the model's own words in `refusal`, and a filter that leaves what was said so far.
    let (content, refusal, finish_reason) = match said.stop {
        Stop::End => (json!(said.text), Value::Null, "stop"),
        Stop::Length => (json!(said.text), Value::Null, "length"),
        Stop::Refusal if number.is_multiple_of(2) => (Value::Null, json!(said.text), "stop"),
        Stop::Refusal => (json!(said.text), Value::Null, "content_filter"),
    };
    json!({
        "id": id("chatcmpl-", 29, number),
        "object": "chat.completion",
        "created": clock::now(),
        "model": model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content, "refusal": refusal, "annotations": []},
            "logprobs": null,
            "finish_reason": finish_reason,
        }],
        "usage": {
            "prompt_tokens": said.input_tokens,
            "completion_tokens": said.output_tokens,
            "total_tokens": said.input_tokens + said.output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_0a1b2c3d4e",
    })
}

pub(super) const OVERLOADED: u16 = 503;

pub(super) fn error(problem: &Problem) -> Value {
    const REQUEST: &str = "invalid_request_error";
    let (kind, param, code, message) = match problem {
        Problem::NoKey => {
            (REQUEST, None, None, "No API key was given: send it as `Authorization: Bearer KEY`.".to_owned())
        }
        Problem::WrongKey => {
            (REQUEST, None, Some("invalid_api_key"), "Incorrect API key provided.".to_owned())
        }
        Problem::NoVersion => (REQUEST, None, None, "A header is missing.".to_owned()),
        Problem::Malformed(why) => {
            (REQUEST, None, None, format!("We could not parse the JSON body of your request: {why}"))
        }
        Problem::Missing(field) => {
            let message = format!("Missing required parameter: '{field}'.");
            (REQUEST, Some(*field), Some("missing_required_parameter"), message)
        }
        Problem::Invalid(field, why) => {
            (REQUEST, Some(*field), Some("invalid_value"), format!("Invalid value for '{field}': {why}."))
        }
        Problem::UnknownModel(model) => {
            let message = format!("The model `{model}` does not exist or you do not have access to it.");
            (REQUEST, None, Some("model_not_found"), message)
        }
        Problem::NotFound(what) => (REQUEST, None, None, what.clone()),
        Problem::NoRoute(what) => {
            (REQUEST, None, Some("unknown_url"), format!("Unknown request URL: {what}"))
        }
        Problem::NoMethod(what) => {
            (REQUEST, None, Some("method_not_supported"), format!("Not allowed here: {what}"))
        }
        Problem::TooLarge => (REQUEST, None, None, "The request is larger than the maximum size.".to_owned()),
        Problem::RateLimited(_) => {
            let message = "Rate limit reached for requests per minute.".to_owned();
            ("requests", None, Some("rate_limit_exceeded"), message)
        }
        Problem::Failed => {
            ("server_error", None, None, "The server had an error while processing your request.".to_owned())
        }
        Problem::Overloaded => {
            let message = "The engine is currently overloaded, please try again later.".to_owned();
            ("service_unavailable_error", None, Some("server_is_overloaded"), message)
        }
    };
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}
