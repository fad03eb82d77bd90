//! Message Batches: <https://platform.claude.com/docs/en/api/creating-message-batches>.

use std::collections::BTreeSet;

use axum::http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{page, parameter};
use crate::batch::{self, Batch, Item, Over};
use crate::clock::rfc3339;
use crate::http::front::Incoming;
use crate::http::{Good, Reply};
use crate::wire::{Problem, Protocol};

const PROTOCOL: Protocol = Protocol::Anthropic;
/// The most requests of a batch.
const MOST: usize = 100_000;
const DAY: u64 = 24 * 3600;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    requests: Option<Vec<Request<'a>>>,
}

#[derive(Deserialize)]
struct Request<'a> {
    custom_id: String,
    #[serde(borrow)]
    params: &'a RawValue,
}

pub(super) fn serve(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    let batches = &incoming.state.batches;
    let find = |id: &str| {
        batches.get(PROTOCOL, id).ok_or_else(|| Problem::NotFound(format!("no batch has the id {id}")))
    };
    let shown = |batch: &Batch| Reply::json(&object(incoming, batch));
    match (&incoming.method, &incoming.parts[2..]) {
        (&Method::POST, []) => create(incoming),
        (&Method::GET, []) => list(incoming),
        (&Method::GET, [id]) => Ok(shown(&find(id)?)),
        (&Method::GET, [id, "results"]) => match find(id)?.over {
            Some(over) => Ok(Reply::Good(Good {
                body: over.results,
                content_type: "application/x-jsonl",
                results_of: Some(((*id).to_owned(), over.cost_pico)),
            })),
            None => Err(Problem::NotFound(format!("batch {id} has no results yet: it has not ended"))),
        },
        (&Method::POST, [id, "cancel"]) => {
            find(id)?;
            batches.cancel(id);
            Ok(shown(&find(id)?))
        }
        _ => Err(Problem::NoMethod(format!("{} /v1/{}", incoming.method, incoming.parts.join("/")))),
    }
}

fn create(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    let body: Body =
        serde_json::from_slice(&incoming.body).map_err(|error| Problem::Malformed(error.to_string()))?;
    let requests = body.requests.ok_or(Problem::Missing("requests"))?;
    if requests.is_empty() || requests.len() > MOST {
        return Err(Problem::Invalid("requests", format!("must have from 1 to {MOST} entries")));
    }
    let mut ids = BTreeSet::new();
    for request in &requests {
        let id = request.custom_id.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=64).contains(&id.len()) || !id.chars().all(plain) {
            let why = format!("custom_id `{id}` must be 1 to 64 letters, digits, `-` and `_`");
            return Err(Problem::Invalid("requests", why));
        }
        if !ids.insert(id) {
            return Err(Problem::Invalid("requests", format!("custom_id `{id}` occurs twice")));
        }
    }
    let item =
        |request: &Request| Item { custom_id: request.custom_id.clone(), body: request.params.get().into() };
    let items: Vec<Item> = requests.iter().map(item).collect();
    let batch = incoming.state.batches.add(PROTOCOL, incoming.number, items.len(), Value::Null);
    batch::start(incoming.state, &batch, items);
    Ok(Reply::json(&object(incoming, &batch)))
}

fn list(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    let all = incoming.state.batches.list(PROTOCOL);
    let (after, before) = (parameter(incoming, "after_id"), parameter(incoming, "before_id"));
    let (page, has_more) = page(&all, parameter(incoming, "limit"), after, before)?;
    let data: Vec<Value> = page.iter().map(|batch| object(incoming, batch)).collect();
    let id = |batch: Option<&Batch>| batch.map(|batch| batch.id.clone());
    Ok(Reply::json(&json!({
        "data": data,
        "has_more": has_more,
        "first_id": id(page.first()),
        "last_id": id(page.last()),
    })))
}

fn object(incoming: &Incoming<'_>, batch: &Batch) -> Value {
    let status = match (&batch.over, batch.cancelled) {
        (Some(_), _) => "ended",
        (None, Some(_)) => "canceling",
        (None, None) => "in_progress",
    };
    let counts = batch.over.as_ref().map_or_else(
        || json!({"processing": batch.total, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}),
        |Over { succeeded, errored, cancelled, expired, .. }| {
            json!({"processing": 0, "succeeded": succeeded, "errored": errored, "canceled": cancelled,
                "expired": expired})
        },
    );
    // Where the client found us: it fetches the results from there.
    let host = incoming.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let results = format!("http://{host}/v1/messages/batches/{}/results", batch.id);
    json!({
        "id": batch.id,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": counts,
        "created_at": rfc3339(batch.created),
        "expires_at": rfc3339(batch.created + DAY),
        "ended_at": batch.over.as_ref().map(|over| rfc3339(over.at)),
        "archived_at": null,
        "cancel_initiated_at": batch.cancelled.map(rfc3339),
        "results_url": batch.over.as_ref().map(|_| results),
    })
}
