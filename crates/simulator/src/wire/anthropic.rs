//! Messages: <https://platform.claude.com/docs/en/api/messages>, errors: <https://platform.claude.com/docs/en/api/errors>.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

use super::text::Texts;
use super::{Asked, Problem, id};
use crate::answer::{Said, Stop};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    max_tokens: Option<i64>,
    #[serde(borrow)]
    system: Option<Texts<'a>>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    #[serde(default)]
    stream: bool,
    temperature: Option<f64>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Texts<'a>,
}

pub(super) fn parse(body: &[u8]) -> Result<Asked<'_>, Problem> {
    let body: Body = serde_json::from_slice(body).map_err(|error| Problem::Malformed(error.to_string()))?;
    let model = body.model.ok_or(Problem::Missing("model"))?;
    let max_tokens = body.max_tokens.ok_or(Problem::Missing("max_tokens"))?;
    let messages = body.messages.ok_or(Problem::Missing("messages"))?;
    let invalid = |field, why: &str| Err(Problem::Invalid(field, why.to_owned()));
    if max_tokens < 1 {
        return invalid("max_tokens", "must be greater than or equal to 1");
    }
    if body.stream {
        return invalid("stream", "this server does not stream; leave it out or set it to false");
    }
    if body.temperature.is_some_and(|temperature| !(0.0..=1.0).contains(&temperature)) {
        return invalid("temperature", "must be from 0 to 1");
    }
    if messages.first().is_none_or(|message| message.role != "user") {
        return invalid("messages", "at least one message is required, and the first one is the user's");
    }
    let mut texts = body.system.unwrap_or_default().0;
    for message in messages {
        if !matches!(message.role.as_ref(), "user" | "assistant") {
            return invalid(
                "messages",
                "a role is `user` or `assistant`; the system message has its own field",
            );
        }
        if message.content.0.iter().all(|text| text.is_empty()) {
            return invalid("messages", "text content blocks must be non-empty");
        }
        texts.extend(message.content.0);
    }
    Ok(Asked { model, texts, max_tokens: Some(max_tokens.unsigned_abs()) })
}

pub(super) fn answer(model: &str, said: &Said, number: u64, in_batch: bool) -> Value {
    let refusal = json!({"type": "refusal", "category": null, "explanation": null});
    let (stop_reason, stop_details) = match said.stop {
        Stop::End => ("end_turn", Value::Null),
        Stop::Length => ("max_tokens", Value::Null),
        Stop::Refusal => ("refusal", refusal),
    };
    let content = if said.text.is_empty() {
        json!([])
    } else {
        json!([{"type": "text", "text": said.text, "citations": null}])
    };
    json!({
        "id": id("msg_01", 22, number),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "stop_details": stop_details,
        "usage": {
            "input_tokens": said.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": said.output_tokens,
            "service_tier": if in_batch { "batch" } else { "standard" },
        },
    })
}

pub(super) const OVERLOADED: u16 = 529;

pub(super) fn error(problem: &Problem, request_id: Option<&str>) -> Value {
    let (kind, message) = match problem {
        Problem::NoKey => ("authentication_error", "x-api-key header is required".to_owned()),
        Problem::WrongKey => ("authentication_error", "invalid x-api-key".to_owned()),
        Problem::NoVersion => ("invalid_request_error", "anthropic-version: header is required".to_owned()),
        Problem::Malformed(why) => {
            ("invalid_request_error", format!("the request body is not valid JSON for this endpoint: {why}"))
        }
        Problem::Missing(field) => ("invalid_request_error", format!("{field}: Field required")),
        Problem::Invalid(field, why) => ("invalid_request_error", format!("{field}: {why}")),
        Problem::UnknownModel(model) => ("not_found_error", format!("model: {model}")),
        Problem::NotFound(what) => ("not_found_error", what.clone()),
        Problem::NoRoute(_) => ("not_found_error", "Not found".to_owned()),
        Problem::NoMethod(_) => ("invalid_request_error", "Method Not Allowed".to_owned()),
        Problem::TooLarge => ("request_too_large", "Request exceeds the maximum size".to_owned()),
        Problem::RateLimited(_) => {
            ("rate_limit_error", "This request would exceed the rate limit of requests per minute".to_owned())
        }
        Problem::Failed => ("api_error", "Internal server error".to_owned()),
        Problem::Overloaded => ("overloaded_error", "Overloaded".to_owned()),
    };
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id})
}
