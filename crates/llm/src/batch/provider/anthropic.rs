//! Message Batches, as documented at <https://platform.claude.com/docs/en/api/messages/batches>. The provider takes no mark
//! of ours for a batch, so one whose id we never heard is known by its number of calls and by their custom ids.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::sleep;

use super::{Line, State, json, path_part, text, without};
use crate::client::Shared;
use crate::lane::Lane;
use crate::lines::Lines;
use crate::protocol::{ErrorBody, anthropic_root, parse};
use crate::settings::Protocol;
use crate::verdict::{self, Failure, Then, Verdict};

/// How many results are looked at to tell whose batch it is. One would do, if providers never made mistakes.
const A_FEW: usize = 16;

fn batches(lane: &Lane) -> String {
    format!("{}/v1/messages/batches", anthropic_root(&lane.model))
}

pub(super) async fn create(lane: &Lane, items: &[(&str, Bytes)], limit: Duration) -> Result<String, Failure> {
    let mut body = b"{\"requests\":[".to_vec();
    for (n, (custom_id, params)) in items.iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        body.extend_from_slice(format!("{{\"custom_id\":\"{custom_id}\",\"params\":").as_bytes());
        body.extend_from_slice(params);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    let url = batches(lane);
    let created = json(lane, &url, lane.transport.post(&url, body.into(), None, limit).await)?;
    text(&url, &created, "id")
}

pub(super) async fn state(lane: &Lane, id: &str, limit: Duration) -> Result<State, Failure> {
    let url = format!("{}/{}", batches(lane), path_part(&batches(lane), id)?);
    let batch = json(lane, &url, lane.transport.get(&url, limit).await)?;
    // The documented place of the results. A URL from the answer would be sent the key.
    Ok(if batch["processing_status"] == "ended" {
        State::Ended(vec![format!("{url}/results")])
    } else {
        State::Running
    })
}

pub(super) async fn find(
    shared: &Shared,
    lane: &Lane,
    size: u64,
    known: &[String],
    ours: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Option<String>, Failure> {
    for id in candidates(lane, size, known, shared.timeouts.attempt).await? {
        if is_ours(shared, lane, &id, ours).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The batches of the right size that are not known to be others, newest first.
async fn candidates(
    lane: &Lane,
    size: u64,
    known: &[String],
    limit: Duration,
) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let url = format!("{}?limit=100{after}", batches(lane));
        let page = json(lane, &url, lane.transport.get(&url, limit).await)?;
        for batch in page["data"].as_array().into_iter().flatten() {
            let id = text(&url, batch, "id")?;
            let counts = batch["request_counts"].as_object();
            let total: u64 = counts.into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum();
            if total == size && batch["archived_at"].is_null() && !known.contains(&id) {
                found.push(id);
            }
        }
        let last = page["last_id"].as_str().filter(|_| page["has_more"] == true);
        let Some(last) = last else { return Ok(found) };
        after = format!("&after_id={}", path_part(&url, last)?);
    }
}

/// Whether the results of a batch are those of our calls; they can be looked at when it is done.
async fn is_ours(
    shared: &Shared,
    lane: &Lane,
    id: &str,
    ours: &(dyn Fn(&str) -> bool + Sync),
) -> Result<bool, Failure> {
    let limit = shared.timeouts.attempt;
    let urls = loop {
        match state(lane, id, limit).await? {
            State::Ended(urls) => break urls,
            State::Running => sleep(shared.batching.poll).await,
            State::Invalid(_) => return Ok(false),
        }
    };
    for url in urls {
        let broken = |broken| {
            verdict::refusal(&lane.model, &url, &Err(broken))
                .unwrap_or_else(|| verdict::unreadable(&url, "no results"))
        };
        let response = lane.transport.open(&url, limit).await.map_err(broken)?;
        if !response.status().is_success() {
            return Ok(false);
        }
        let mut lines = Lines::new(response, limit);
        for _ in 0..A_FEW {
            let Some(line) = lines.next().await.map_err(broken)? else { break };
            if super::line(Protocol::Anthropic, &line).is_some_and(|line| ours(&line.custom_id)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// `{"custom_id", "result": {"type", "message" or "error"}}`. Only what succeeded is billed.
pub(super) fn line(value: Value) -> Option<Line> {
    let custom_id = value["custom_id"].as_str()?.to_owned();
    let result = &value["result"];
    let (status, verdict, raw) = match result["type"].as_str()? {
        "succeeded" => {
            let raw = result["message"].to_string().into_bytes();
            let verdict = match parse(Protocol::Anthropic, &raw) {
                Ok(parsed) => Verdict::Answer(parsed),
                Err(problem) => Verdict::No(verdict::unreadable("the batch", &problem)),
            };
            (StatusCode::OK, verdict, raw)
        }
        "errored" => {
            let error = ErrorBody::of(&result["error"]);
            let message = format!("the call failed in its batch: {}", error.message);
            // A fault in the request stays one; anything else may go well the next time.
            let ours = error.has_code(&["invalid_request_error", "request_too_large"]);
            let verdict = if ours && error.is_about_model() {
                without("errored", message, Then::EndRun)
            } else if ours && error.is_about_prompt() {
                without("errored", message, Then::GiveUp)
            } else {
                without("errored", message, if ours { Then::Refused } else { Then::Again })
            };
            (StatusCode::INTERNAL_SERVER_ERROR, verdict, result.to_string().into_bytes())
        }
        other => {
            let message = format!("the call was {other} in its batch");
            let verdict = without(other, message, Then::Again);
            (StatusCode::REQUEST_TIMEOUT, verdict, result.to_string().into_bytes())
        }
    };
    Some(Line { custom_id, status, verdict, raw })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read() {
        let read = |result: &str| {
            line(serde_json::from_str(&format!(r#"{{"custom_id":"a","result":{result}}}"#)).unwrap()).unwrap()
        };
        let message = r#"{"type":"succeeded","message":{"content":[{"type":"text","text":"T"}],"stop_reason":"end_turn",
            "usage":{"input_tokens":1,"output_tokens":2}}}"#;
        let Verdict::Answer(parsed) = read(message).verdict else { panic!() };
        assert_eq!(parsed.text, "T");
        let then = |result: &str| match read(result).verdict {
            Verdict::No(failure) => (failure.then, failure.possibly_billed),
            Verdict::Answer(_) => panic!(),
        };
        let errored = |kind: &str| {
            format!(
                r#"{{"type":"errored","error":{{"type":"error","error":{{"type":"{kind}","message":"m"}}}}}}"#
            )
        };
        assert_eq!(then(&errored("invalid_request_error")), (Then::Refused, false));
        assert_eq!(then(&errored("api_error")), (Then::Again, false));
        assert_eq!(then(r#"{"type":"expired"}"#), (Then::Again, false));
        assert_eq!(then(r#"{"type":"canceled"}"#), (Then::Again, false));
        assert_eq!(then(r#"{"type":"succeeded","message":{}}"#), (Then::Again, true));
    }
}
