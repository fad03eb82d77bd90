//! What a batch does while nobody looks.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Batch, Over};
use crate::clock;
use crate::dice::Dice;
use crate::fault::Fault;
use crate::http::{Question, blank, reply};
use crate::journal::Entry;
use crate::state::State;
use crate::wire::{self, Problem, Protocol};

/// A request of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) custom_id: String,
    /// The bytes that the request would have alone.
    pub(crate) body: Box<str>,
}

/// What became of an item.
enum Fate {
    Answered(Value),
    Errored(Problem),
    Cancelled,
    Expired,
}

/// Starts the work on a batch.
pub(crate) fn start(state: &Arc<State>, batch: &Batch, items: Vec<Item>) {
    let (state, batch) = (Arc::clone(state), batch.clone());
    tokio::spawn(async move {
        sleep(state.config.batch_delay).await;
        // Thousands of answers take a while; other requests must not wait for them.
        let work = tokio::task::spawn_blocking(move || {
            let over = work(&state, &batch, items);
            let numbers = [state.journal.number(), state.journal.number()];
            state.batches.end(&batch.id, over, numbers);
        });
        // Fails only if the server is stopped meanwhile.
        let _ = work.await;
    });
}

/// Ends a batch whose input is wrong.
pub(crate) fn fail(state: &Arc<State>, batch: &Batch, faults: Vec<Value>) {
    let (state, id) = (Arc::clone(state), batch.id.clone());
    tokio::spawn(async move {
        sleep(state.config.batch_delay).await;
        state.batches.end(&id, Over { faults, at: clock::now(), ..Over::default() }, [0, 0]);
    });
}

fn work(state: &State, batch: &Batch, items: Vec<Item>) -> Over {
    let cancelled =
        state.batches.get(batch.protocol, &batch.id).is_some_and(|batch| batch.cancelled.is_some());
    let expires = !cancelled && expires(state, &items);
    let mut over = Over::default();
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for item in &items {
        let (fate, entry) = fate(state, batch, item, cancelled, expires);
        match &fate {
            Fate::Answered(_) => over.succeeded += 1,
            Fate::Errored(_) => over.errored += 1,
            Fate::Cancelled => over.cancelled += 1,
            Fate::Expired => over.expired += 1,
        }
        over.input_tokens += entry.1.input_tokens;
        over.output_tokens += entry.1.output_tokens;
        over.cost_pico += entry.1.cost_pico;
        over.keys.extend(entry.0.filter(|_| matches!(fate, Fate::Answered(_))));
        let is_result = batch.protocol == Protocol::Anthropic || matches!(fate, Fate::Answered(_));
        let line = line(batch.protocol, &item.custom_id, fate, entry.1.seq).to_string();
        if is_result {
            results.push(line)
        } else {
            errors.push(line)
        }
        state.journal.note(entry.1);
    }
    over.results = mixed(&batch.id, results).into();
    over.errors = mixed(&batch.id, errors).into();
    over.at = clock::now();
    over
}

/// Whether a batch expires before it is done.
fn expires(state: &State, items: &[Item]) -> bool {
    let ids: Vec<&[u8]> = items.iter().map(|item| item.custom_id.as_bytes()).collect();
    let key = crate::dice::digest(&ids);
    let seen = state.count(key);
    let fault = state.config.faults.draw(key, seen, |_| false, |kind| kind == Fault::BatchExpires);
    fault.is_some()
}

fn fate(
    state: &State,
    batch: &Batch,
    item: &Item,
    cancelled: bool,
    expires: bool,
) -> (Fate, (Option<u64>, Entry)) {
    let started = Instant::now();
    let path = match batch.protocol {
        Protocol::Anthropic => "batch /v1/messages",
        Protocol::OpenAi => "batch /v1/chat/completions",
    };
    let mut entry = blank(state.journal.number(), state.journal.at(started), batch.protocol, path.to_owned());
    entry.batch = Some(batch.id.clone());
    entry.readable = false;
    let question =
        match Question::read(state, batch.protocol, item.body.as_bytes(), &item.custom_id, &mut entry) {
            Ok(question) => question,
            Err(problem) => {
                entry.status = batch.protocol.status(&problem);
                return (Fate::Errored(problem), (None, entry));
            }
        };
    if cancelled {
        return (Fate::Cancelled, (None, entry));
    }
    let mut dice = Dice::new(&[b"expired", &question.key.to_le_bytes()]);
    if expires && dice.chance(0.5) {
        entry.fault = Some(Fault::BatchExpires);
        return (Fate::Expired, (None, entry));
    }
    let seen = state.count(question.key);
    let fault = question.fault(state, seen, |kind| kind == Fault::BatchItemErrored);
    (entry.seen, entry.fault) = (seen, fault);
    if fault == Some(Fault::BatchItemErrored) {
        entry.status = 500;
        return (Fate::Errored(Problem::Failed), (None, entry));
    }
    let said = question.answer(fault);
    let body = reply(state, batch.protocol, &question, &said, &mut entry);
    (entry.status, entry.readable) = (200, true);
    entry.took_ms = started.elapsed().as_millis() as u64;
    (Fate::Answered(body), (Some(question.key), entry))
}

/// A line of the results.
fn line(protocol: Protocol, custom_id: &str, fate: Fate, number: u64) -> Value {
    let request_id = wire::id("req_", 24, number);
    if protocol == Protocol::Anthropic {
        let result = match fate {
            Fate::Answered(message) => json!({"type": "succeeded", "message": message}),
            Fate::Errored(problem) => {
                json!({"type": "errored", "error": wire::error(protocol, &problem, Some(&request_id))})
            }
            Fate::Cancelled => json!({"type": "canceled"}),
            Fate::Expired => json!({"type": "expired"}),
        };
        return json!({"custom_id": custom_id, "result": result});
    }
    let response =
        |status: u16, body: Value| json!({"status_code": status, "request_id": request_id, "body": body});
    let (response, error) = match fate {
        Fate::Answered(completion) => (response(200, completion), Value::Null),
        Fate::Errored(problem) => {
            (response(protocol.status(&problem), wire::error(protocol, &problem, None)), Value::Null)
        }
        Fate::Cancelled => {
            let message = "This request was not executed: the batch was cancelled.";
            (Value::Null, json!({"code": "batch_cancelled", "message": message}))
        }
        Fate::Expired => {
            let message = "This request could not be executed before the completion window expired.";
            (Value::Null, json!({"code": "batch_expired", "message": message}))
        }
    };
    let id = wire::id("batch_req_", 24, number);
    json!({"id": id, "custom_id": custom_id, "response": response, "error": error})
}

/// The lines in another order than that of the requests.
fn mixed(batch: &str, mut lines: Vec<String>) -> String {
    let last = lines.len().saturating_sub(1);
    Dice::new(&[b"order", batch.as_bytes()]).shuffle(&mut lines[..last]);
    if last > 0 {
        // The last one first: no order that a shuffle gives can be the one that was handed in.
        lines.rotate_right(1);
    }
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}
