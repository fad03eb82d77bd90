//! Batches: <https://platform.openai.com/docs/api-reference/batch>.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{page, parameter};
use crate::batch::{self, Batch, Item};
use crate::http::Reply;
use crate::http::front::Incoming;
use crate::wire::{Problem, Protocol};

const PROTOCOL: Protocol = Protocol::OpenAi;
/// The most requests of a batch.
const MOST: usize = 50_000;
const DAY: u64 = 24 * 3600;
const ENDPOINT: &str = "/v1/chat/completions";

#[derive(Deserialize)]
struct Body {
    input_file_id: Option<String>,
    endpoint: Option<String>,
    completion_window: Option<String>,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct Line<'a> {
    custom_id: String,
    method: String,
    url: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

pub(super) fn serve(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    let batches = &incoming.state.batches;
    let find = |id: &str| {
        batches.get(PROTOCOL, id).ok_or_else(|| Problem::NotFound(format!("No batch found with id '{id}'.")))
    };
    match (&incoming.method, &incoming.parts[1..]) {
        (&Method::POST, []) => create(incoming),
        (&Method::GET, []) => list(incoming),
        (&Method::GET, [id]) => Ok(Reply::json(&object(&find(id)?))),
        (&Method::POST, [id, "cancel"]) => {
            find(id)?;
            batches.cancel(id);
            Ok(Reply::json(&object(&find(id)?)))
        }
        _ => Err(Problem::NoMethod(format!("{} /v1/{}", incoming.method, incoming.parts.join("/")))),
    }
}

fn create(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    let body: Body =
        serde_json::from_slice(&incoming.body).map_err(|error| Problem::Malformed(error.to_string()))?;
    let input = body.input_file_id.ok_or(Problem::Missing("input_file_id"))?;
    let endpoint = body.endpoint.ok_or(Problem::Missing("endpoint"))?;
    let window = body.completion_window.ok_or(Problem::Missing("completion_window"))?;
    if endpoint != ENDPOINT {
        return Err(Problem::Invalid("endpoint", format!("this server has batches of {ENDPOINT} only")));
    }
    if window != "24h" {
        return Err(Problem::Invalid("completion_window", "must be 24h".to_owned()));
    }
    let state = incoming.state;
    let file = state.batches.file(&input).filter(|file| file.purpose == "batch");
    let file = file.ok_or_else(|| {
        Problem::Invalid("input_file_id", format!("there is no file {input} with the purpose batch"))
    })?;
    let given = json!({
        "input_file_id": input,
        "endpoint": endpoint,
        "completion_window": window,
        "metadata": body.metadata,
    });
    let (items, faults) = read(&file.content);
    let batch = state.batches.add(PROTOCOL, incoming.number, items.len(), given);
    if faults.is_empty() {
        batch::start(state, &batch, items);
    } else {
        batch::fail(&Arc::clone(state), &batch, faults);
    }
    Ok(Reply::json(&object(&batch)))
}

/// The requests of an input file, and what is wrong with it.
fn read(content: &[u8]) -> (Vec<Item>, Vec<Value>) {
    let (mut items, mut faults, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new());
    let fault = |code: &str, message: &str, line: Option<usize>| json!({"code": code, "message": message, "param": null, "line": line});
    let lines = content.split(|&byte| byte == b'\n').enumerate();
    for (index, text) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let number = Some(index + 1);
        let Ok(line) = serde_json::from_slice::<Line>(text) else {
            faults.push(fault("invalid_json_line", "This line is not a valid request in JSON.", number));
            continue;
        };
        if line.method != "POST" || line.url != ENDPOINT {
            faults.push(fault("invalid_url", "The URL does not match the endpoint of the batch.", number));
        }
        if !ids.insert(line.custom_id.clone()) {
            faults.push(fault("duplicate_custom_id", "The custom_id of this line occurs twice.", number));
        }
        items.push(Item { custom_id: line.custom_id, body: line.body.get().into() });
    }
    if items.is_empty() && faults.is_empty() {
        faults.push(fault("empty_file", "The input file is empty.", None));
    }
    if items.len() > MOST {
        faults.push(fault("too_many_requests", "The input file has more than 50,000 requests.", None));
    }
    (items, faults)
}

fn list(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    let all = incoming.state.batches.list(PROTOCOL);
    let (page, has_more) = page(&all, parameter(incoming, "limit"), parameter(incoming, "after"), None)?;
    let data: Vec<Value> = page.iter().map(object).collect();
    let id = |batch: Option<&Batch>| batch.map(|batch| batch.id.clone());
    Ok(Reply::json(&json!({
        "object": "list",
        "data": data,
        "first_id": id(page.first()),
        "last_id": id(page.last()),
        "has_more": has_more,
    })))
}

fn object(batch: &Batch) -> Value {
    let over = batch.over.as_ref();
    let status = match (over, batch.cancelled) {
        (Some(over), _) if !over.faults.is_empty() => "failed",
        (Some(_), Some(_)) => "cancelled",
        (Some(over), None) if over.expired > 0 => "expired",
        (Some(_), None) => "completed",
        (None, Some(_)) => "cancelling",
        (None, None) if batch.created == crate::clock::now() => "validating",
        (None, None) => "in_progress",
    };
    let ended = |as_status: &str| over.filter(|_| status == as_status).map(|over| over.at);
    let errors = over.filter(|over| !over.faults.is_empty());
    let mut object = json!({
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.given["endpoint"],
        "errors": errors.map(|over| json!({"object": "list", "data": over.faults})),
        "input_file_id": batch.given["input_file_id"],
        "completion_window": batch.given["completion_window"],
        "status": status,
        "output_file_id": over.and_then(|over| over.output_file.as_ref()),
        "error_file_id": over.and_then(|over| over.error_file.as_ref()),
        "created_at": batch.created,
        "in_progress_at": batch.created,
        "expires_at": batch.created + DAY,
        "finalizing_at": ended("completed"),
        "completed_at": ended("completed"),
        "failed_at": ended("failed"),
        "expired_at": ended("expired"),
        "cancelling_at": batch.cancelled,
        "cancelled_at": ended("cancelled"),
        "request_counts": {
            "total": batch.total,
            "completed": over.map_or(0, |over| over.succeeded),
            "failed": over.map_or(0, |over| over.errored + over.expired),
        },
        "metadata": batch.given["metadata"],
    });
    if let Some(over) = over {
        object["usage"] = json!({
            "input_tokens": over.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": over.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": over.input_tokens + over.output_tokens,
        });
    }
    object
}
