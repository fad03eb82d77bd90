//! Batches, as documented at <https://platform.openai.com/docs/api-reference/batch>: a file of requests is uploaded, a batch is
//! made of it, and results and errors come as two files.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use serde_json::{Value, json as object};
use store::hash_bytes;

use super::{Line, State, json, path_part, text, without};
use crate::client::Shared;
use crate::lane::Lane;
use crate::protocol::{ErrorBody, parse};
use crate::settings::Protocol;
use crate::verdict::{self, Failure, Then, Verdict};

/// The name of our mark in a batch's metadata.
const MARK: &str = "whyfirst";

pub(super) async fn create(
    lane: &Lane,
    token: &str,
    items: &[(&str, Bytes)],
    limit: Duration,
) -> Result<String, Failure> {
    let base = lane.model.base();
    let files = format!("{base}/files");
    let (content_type, body) = upload(items);
    let file = json(lane, &files, lane.transport.post_as(&files, content_type, body, limit).await)?;
    let batch = object!({
        "input_file_id": text(&files, &file, "id")?,
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": { MARK: token },
    });
    let batches = format!("{base}/batches");
    let body = Bytes::from(batch.to_string());
    let created = json(lane, &batches, lane.transport.post(&batches, body, None, limit).await)?;
    text(&batches, &created, "id")
}

/// The form that uploads a file of requests.
fn upload(items: &[(&str, Bytes)]) -> (String, Bytes) {
    let mut lines = Vec::new();
    for (custom_id, body) in items {
        let start = format!(
            "{{\"custom_id\":\"{custom_id}\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":"
        );
        lines.extend_from_slice(start.as_bytes());
        lines.extend_from_slice(body);
        lines.extend_from_slice(b"}\n");
    }
    // No text contains its own hash.
    let boundary = format!("whyfirst-{}", hash_bytes(&lines).short());
    let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=");
    let mut body = format!("{part}\"purpose\"\r\n\r\nbatch\r\n{part}\"file\"; filename=\"batch.jsonl\"\r\n")
        .into_bytes();
    body.extend_from_slice(b"Content-Type: application/jsonl\r\n\r\n");
    body.extend_from_slice(&lines);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body.into())
}

pub(super) async fn state(lane: &Lane, id: &str, limit: Duration) -> Result<State, Failure> {
    let base = lane.model.base();
    let batches = format!("{base}/batches");
    let url = format!("{batches}/{}", path_part(&batches, id)?);
    let batch = json(lane, &url, lane.transport.get(&url, limit).await)?;
    match batch["status"].as_str() {
        Some("completed" | "expired" | "cancelled") => {
            let mut urls = Vec::new();
            for file in ["output_file_id", "error_file_id"] {
                if let Some(file) = batch[file].as_str() {
                    urls.push(format!("{base}/files/{}/content", path_part(&url, file)?));
                }
            }
            Ok(State::Ended(urls))
        }
        Some("failed") => {
            let first = &batch["errors"]["data"][0]["message"];
            Ok(State::Invalid(first.as_str().unwrap_or("no reason given").to_owned()))
        }
        _ => Ok(State::Running),
    }
}

/// The batch with our mark.
pub(super) async fn find(
    shared: &Shared,
    lane: &Lane,
    token: &str,
    known: &[String],
) -> Result<Option<String>, Failure> {
    let base = lane.model.base();
    let mut after = String::new();
    loop {
        let url = format!("{base}/batches?limit=100{after}");
        let page = json(lane, &url, lane.transport.get(&url, shared.timeouts.attempt).await)?;
        let mut last = None;
        for batch in page["data"].as_array().into_iter().flatten() {
            let id = text(&url, batch, "id")?;
            if batch["metadata"][MARK] == token && !known.contains(&id) {
                return Ok(Some(id));
            }
            last = Some(id);
        }
        let Some(last) = last.filter(|_| page["has_more"] == true) else { return Ok(None) };
        after = format!("&after={}", path_part(&url, &last)?);
    }
}

/// `{"custom_id", "response": {"status_code", "body"}, "error"}`. What was not worked on in time has an error and is not
/// billed.
pub(super) fn line(value: Value) -> Option<Line> {
    let custom_id = value["custom_id"].as_str()?.to_owned();
    let response = &value["response"];
    let code = response["status_code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let status = code.and_then(|code| StatusCode::from_u16(code).ok());
    let (status, verdict, raw) = match status {
        Some(status) if status.is_success() => {
            let raw = response["body"].to_string().into_bytes();
            let verdict = match parse(Protocol::OpenAi, &raw) {
                Ok(parsed) => Verdict::Answer(parsed),
                Err(problem) => Verdict::No(verdict::unreadable("the batch", &problem)),
            };
            (status, verdict, raw)
        }
        Some(status) => {
            let error = ErrorBody::of(&response["body"]);
            let message = format!("the call failed in its batch ({status}: {})", error.message);
            let then = match status.as_u16() {
                408 | 409 | 429 | 500.. => Then::Again,
                400 | 404 if error.is_about_model() => Then::EndRun,
                400 if !error.is_about_prompt() => Then::Refused,
                _ => Then::GiveUp,
            };
            (status, without(status.as_str(), message, then), response["body"].to_string().into_bytes())
        }
        None => {
            let error = ErrorBody::of(&value);
            let kind = value["error"]["code"].as_str().unwrap_or("no response").replace('_', " ");
            let message = format!("the call was not answered in its batch: {}", error.message);
            (
                StatusCode::REQUEST_TIMEOUT,
                without(&kind, message, Then::Again),
                value["error"].to_string().into_bytes(),
            )
        }
    };
    Some(Line { custom_id, status, verdict, raw })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read() {
        let read = |rest: &str| {
            line(serde_json::from_str(&format!(r#"{{"id":"r","custom_id":"a",{rest}}}"#)).unwrap()).unwrap()
        };
        let good = read(
            r#""response":{"status_code":200,"request_id":"q","body":{"choices":[{"message":{"content":"T"},
               "finish_reason":"stop"}]}},"error":null"#,
        );
        let Verdict::Answer(parsed) = good.verdict else { panic!() };
        assert_eq!(parsed.text, "T");
        let then = |rest: &str| match read(rest).verdict {
            Verdict::No(failure) => (failure.then, failure.kind),
            Verdict::Answer(_) => panic!(),
        };
        let status = |code: u16| then(&format!(r#""response":{{"status_code":{code},"body":{{}}}}"#)).0;
        assert_eq!((status(400), status(500), status(429)), (Then::Refused, Then::Again, Then::Again));
        let expired = r#""response":null,"error":{"code":"batch_expired","message":"not in time"}"#;
        assert_eq!(then(expired), (Then::Again, "batch expired".to_owned()));
        assert!(line(serde_json::from_str("{}").unwrap()).is_none());
    }

    #[test]
    fn a_file_is_uploaded_with_the_bytes_of_each_call() {
        let (content_type, body) = upload(&[("a", Bytes::from_static(b"{\"x\":1}"))]);
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let line =
            "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"x\":1}}\n";
        assert!(body.contains(&format!("\r\n\r\n{line}\r\n--{boundary}--\r\n")), "{body}");
        assert!(
            body.starts_with(&format!("--{boundary}\r\n"))
                && body.contains("name=\"purpose\"\r\n\r\nbatch\r\n")
        );
    }
}
