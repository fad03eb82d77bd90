//! `GET /v1/models` and `GET /v1/models/{id}`, in either protocol.

use axum::http::Method;
use serde_json::{Value, json};

use super::Reply;
use super::front::Incoming;
use crate::wire::{Problem, Protocol};

/// What is listed where every name is known.
const ANY: &str = "simulated";

pub(super) fn serve(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    if incoming.method != Method::GET {
        return Err(Problem::NoMethod(format!("{} /v1/models", incoming.method)));
    }
    let known = &incoming.state.config.models;
    let one = |id: &str| one(incoming.protocol, id);
    if let Some(id) = incoming.parts.get(1) {
        let is_known = known.is_empty() || known.iter().any(|model| model == id);
        return if is_known {
            Ok(Reply::json(&one(id)))
        } else {
            Err(Problem::UnknownModel((*id).to_owned()))
        };
    }
    let ids: Vec<&str> =
        if known.is_empty() { vec![ANY] } else { known.iter().map(String::as_str).collect() };
    let data: Vec<Value> = ids.iter().map(|id| one(id)).collect();
    Ok(Reply::json(&match incoming.protocol {
        Protocol::Anthropic => {
            json!({"data": data, "has_more": false, "first_id": ids.first(), "last_id": ids.last()})
        }
        Protocol::OpenAi => json!({"object": "list", "data": data}),
    }))
}

fn one(protocol: Protocol, id: &str) -> Value {
    match protocol {
        Protocol::Anthropic => json!({
            "type": "model",
            "id": id,
            "display_name": id,
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": 1_000_000,
            "max_tokens": 128_000,
        }),
        Protocol::OpenAi => {
            json!({"id": id, "object": "model", "created": 1_767_225_600, "owned_by": "simulator"})
        }
    }
}
