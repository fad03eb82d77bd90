//! The batch interfaces of both protocols, as one.

use bytes::Bytes;
use reqwest::StatusCode;
use serde_json::Value;

use crate::call::CallError;
use crate::client::Shared;
use crate::lane::Lane;
use crate::settings::Protocol;
use crate::transport::{Broken, Received};
use crate::verdict::{self, Failure, Verdict};

mod anthropic;
mod openai;

/// How a batch stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    /// The provider works on it.
    Running,
    /// It is done; the results are at these URLs.
    Ended(Vec<String>),
    /// The provider looked at it and refused it.
    Invalid(String),
}

/// One result.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) custom_id: String,
    pub(super) status: StatusCode,
    pub(super) verdict: Verdict,
    pub(super) raw: Vec<u8>,
}

/// Hands a batch in; the provider's id for it.
pub(super) async fn create(
    shared: &Shared,
    lane: &Lane,
    token: &str,
    items: &[(&str, Bytes)],
) -> Result<String, Failure> {
    let limit = shared.timeouts.attempt;
    match lane.model.protocol {
        Protocol::Anthropic => anthropic::create(lane, items, limit).await,
        Protocol::OpenAi => openai::create(lane, token, items, limit).await,
    }
}

/// How a batch stands.
pub(super) async fn state(shared: &Shared, lane: &Lane, id: &str) -> Result<State, Failure> {
    match lane.model.protocol {
        Protocol::Anthropic => anthropic::state(lane, id, shared.timeouts.attempt).await,
        Protocol::OpenAi => openai::state(lane, id, shared.timeouts.attempt).await,
    }
}

/// Looks through the provider's batches for one of ours whose id we never heard.
///
/// The error is for those who wait for its calls: it cannot be found out now.
pub(super) async fn find(
    shared: &Shared,
    lane: &Lane,
    token: &str,
    size: u64,
    ours: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Option<String>, CallError> {
    let model = &lane.model;
    let known = shared
        .ledger
        .known_batches(model.protocol.name(), model.base_in_hash())
        .map_err(|error| shared.end(crate::ending::Cause::Store(error)))?;
    let mut number = 1;
    loop {
        let found = async {
            match model.protocol {
                Protocol::Anthropic => anthropic::find(shared, lane, size, &known, ours).await,
                Protocol::OpenAi => openai::find(shared, lane, token, &known).await,
            }
        };
        let failure = tokio::select! {
            () = shared.ending.begun() => return Err(CallError::Ending),
            found = found => match found {
                Ok(found) => return Ok(found),
                Err(failure) => failure,
            },
        };
        let ends = failure.then == verdict::Then::EndRun
            || (failure.then == verdict::Then::Reach && lane.disappoint());
        if ends {
            return Err(shared.end(crate::ending::Cause::Fatal(failure.message)));
        }
        if number >= shared.retry.attempts {
            return Err(CallError::Failed(format!("cannot find out about a batch: {}", failure.message)));
        }
        number += 1;
        tokio::select! {
            () = tokio::time::sleep(shared.batching.poll) => {}
            () = shared.ending.begun() => return Err(CallError::Ending),
        }
    }
}

/// Reads one result; `None` if it is not one.
pub(super) fn line(protocol: Protocol, line: &[u8]) -> Option<Line> {
    let value: Value = serde_json::from_slice(line).ok()?;
    match protocol {
        Protocol::Anthropic => anthropic::line(value),
        Protocol::OpenAi => openai::line(value),
    }
}

/// The JSON that a request came back with.
fn json(lane: &Lane, url: &str, outcome: Result<Received, Broken>) -> Result<Value, Failure> {
    if let Some(failure) = verdict::refusal(&lane.model, url, &outcome) {
        return Err(failure);
    }
    let body = outcome.map(|received| received.body).unwrap_or_default();
    serde_json::from_slice(&body).map_err(|error| verdict::unreadable(url, &error.to_string()))
}

/// A text in a JSON object.
fn text(url: &str, value: &Value, name: &str) -> Result<String, Failure> {
    let text = value[name].as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| verdict::unreadable(url, &format!("it has no `{name}`")))
}

/// An id that can be part of a path. A server that sends another kind is not one to send keys to.
fn path_part<'a>(url: &str, id: &'a str) -> Result<&'a str, Failure> {
    let plain =
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if plain {
        return Ok(id);
    }
    let failure = verdict::unreadable(url, "an id with letters that no id has");
    Err(Failure { then: verdict::Then::EndRun, ..failure })
}

/// A result without an answer.
fn without(kind: &str, message: String, then: verdict::Then) -> Verdict {
    Verdict::No(Failure {
        kind: kind.to_owned(),
        message,
        then,
        possibly_billed: false,
        congested: false,
        wait: None,
    })
}
