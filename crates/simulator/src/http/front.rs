//! What happens to every request: it is written down, checked, perhaps spoilt, answered.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use futures_util::StreamExt;
use store::hash_bytes;
use tokio::time::sleep;

use super::deliver::deliver;
use super::question::{Question, reply};
use super::ticket::Ticket;
use super::{Good, Reply, batches, files, models, status};
use crate::fault::Fault;
use crate::state::{self, State};
use crate::wire::{self, Problem, Protocol};

/// The header that tells requests with the same bytes apart.
const NONCE: &str = "x-whyfirst-request";

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Question,
    Models,
    Files,
    Batches,
}

/// A request, as the endpoints see it.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    pub(super) state: &'a Arc<State>,
    pub(super) protocol: Protocol,
    pub(super) method: Method,
    /// The parts of the path after `/v1/`.
    pub(super) parts: Vec<&'a str>,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Bytes,
    pub(super) number: u64,
}

/// Answers a request.
pub(crate) async fn front(Shared(state): Shared<Arc<State>>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    if let Some(page) = head.uri.path().strip_prefix("/simulator/") {
        return inspect(&state, page, &head.uri);
    }
    let path = head.uri.path().trim_end_matches('/');
    let parts: Vec<&str> = path.strip_prefix("/v1/").map_or(Vec::new(), |rest| rest.split('/').collect());
    let (protocol, endpoint) = route(&parts, &head.headers);
    let mut ticket = Ticket::new(&state, protocol, format!("{} {path}", head.method));
    let is_large = matches!(endpoint, Some(Endpoint::Files | Endpoint::Batches));
    let limit = if is_large { state.config.max_batch_body } else { state.config.max_body };
    let read = match read(body, limit).await {
        Ok(body) => check(&state, protocol, &head.headers).map(|()| body),
        Err(problem) => Err(problem),
    };
    if !state.config.latency.is_zero() {
        sleep(state.config.latency).await;
    }
    let (outcome, fault) = match (read, endpoint) {
        (Err(problem), _) => (Reply::Bad(problem), None),
        (Ok(_), None) => (Reply::Bad(Problem::NoRoute(format!("{} {path}", head.method))), None),
        (Ok(body), Some(endpoint)) => {
            let incoming = Incoming {
                state: &state,
                protocol,
                method: head.method,
                parts,
                query: head.uri.query().unwrap_or_default(),
                headers: &head.headers,
                body,
                number: ticket.number(),
            };
            match endpoint {
                Endpoint::Question => question(incoming, &mut ticket),
                other => thing(other, incoming, &mut ticket),
            }
        }
    };
    if fault == Some(Fault::Hang) {
        sleep(state.config.hang_for).await;
    }
    send(&state, protocol, ticket, outcome, fault)
}

/// Reads a body. One that is too large is read to its end as well: a client that is still sending would see a cut
/// connection and not the answer.
async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut pieces = body.into_data_stream();
    let (mut whole, mut length) = (Vec::new(), 0usize);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Problem::Malformed(error.to_string()))?;
        length += piece.len();
        if length > limit {
            whole = Vec::new();
        } else {
            whole.extend_from_slice(&piece);
        }
    }
    if length > limit { Err(Problem::TooLarge) } else { Ok(whole.into()) }
}

/// Which protocol is spoken, and what is wanted.
fn route(parts: &[&str], headers: &HeaderMap) -> (Protocol, Option<Endpoint>) {
    let is_anthropic = headers.contains_key("anthropic-version") || headers.contains_key("x-api-key");
    let spoken = if is_anthropic { Protocol::Anthropic } else { Protocol::OpenAi };
    match parts {
        ["messages"] => (Protocol::Anthropic, Some(Endpoint::Question)),
        ["messages", "batches", ..] => (Protocol::Anthropic, Some(Endpoint::Batches)),
        ["messages", ..] => (Protocol::Anthropic, None),
        ["chat", "completions"] => (Protocol::OpenAi, Some(Endpoint::Question)),
        ["files", ..] => (Protocol::OpenAi, Some(Endpoint::Files)),
        ["batches", ..] => (Protocol::OpenAi, Some(Endpoint::Batches)),
        ["models"] | ["models", _] => (spoken, Some(Endpoint::Models)),
        _ => (spoken, None),
    }
}

/// The key, the version, and the rate.
fn check(state: &State, protocol: Protocol, headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(key) = &state.config.key {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let given = match protocol {
            Protocol::Anthropic => text("x-api-key").or(bearer),
            Protocol::OpenAi => bearer,
        };
        match given {
            None => return Err(Problem::NoKey),
            Some(given) if given != key => return Err(Problem::WrongKey),
            Some(_) => {}
        }
    }
    if protocol == Protocol::Anthropic && !headers.contains_key("anthropic-version") {
        return Err(Problem::NoVersion);
    }
    state.let_through().map_err(|wait| Problem::RateLimited(Some(wait.as_millis() as u64 + 1)))
}

fn question(incoming: Incoming<'_>, ticket: &mut Ticket) -> (Reply, Option<Fault>) {
    let Incoming { state, protocol, method, parts, headers, body, .. } = incoming;
    if method != Method::POST {
        return (Reply::Bad(Problem::NoMethod(format!("{method} /v1/{}", parts.join("/")))), None);
    }
    let nonce = headers.get(NONCE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut read = Err(Problem::Failed);
    ticket.note(|entry| read = Question::read(state, protocol, &body, nonce, entry));
    let question = match read {
        Ok(question) => question,
        Err(problem) => return (Reply::Bad(problem), None),
    };
    ticket.key = Some(question.key);
    let seen = state.count(question.key);
    let fault = question.fault(state, seen, Fault::is_of_transport);
    ticket.note(|entry| (entry.seen, entry.fault) = (seen, fault));
    if let Some(stopped) = stopped(state, fault) {
        return (stopped, fault);
    }
    let said = question.answer(fault);
    let mut good = serde_json::Value::Null;
    ticket.note(|entry| good = reply(state, protocol, &question, &said, entry));
    (Reply::json(&good), fault)
}

/// Anything but a question.
fn thing(endpoint: Endpoint, incoming: Incoming<'_>, ticket: &mut Ticket) -> (Reply, Option<Fault>) {
    let state = Arc::clone(incoming.state);
    let hash = hash_bytes(&incoming.body);
    let path = format!("{} {}", incoming.method, incoming.parts.join("/"));
    let key = state::key(&path, &hash, "");
    let seen = state.count(key);
    let fault = state.config.faults.draw(key, seen, |_| false, Fault::is_of_transport);
    ticket.note(|entry| (entry.body, entry.seen, entry.fault) = (hash.to_string(), seen, fault));
    if let Some(stopped) = stopped(&state, fault) {
        return (stopped, fault);
    }
    let reply = match endpoint {
        Endpoint::Models => models::serve(&incoming),
        Endpoint::Files => files::serve(&incoming),
        Endpoint::Batches | Endpoint::Question => batches::serve(&incoming),
    };
    match reply {
        Ok(Reply::Good(good)) => {
            ticket.results_of.clone_from(&good.results_of);
            (Reply::Good(good), fault)
        }
        // Errors are errors; nothing more goes wrong with them.
        other => {
            ticket.note(|entry| entry.fault = None);
            (other.into(), None)
        }
    }
}

/// What a fault answers in place of everything else.
fn stopped(state: &State, fault: Option<Fault>) -> Option<Reply> {
    let wait = state.config.retry_after.as_millis() as u64;
    Some(Reply::Bad(match fault? {
        Fault::RateLimit => Problem::RateLimited(None),
        Fault::RateLimitRetryAfter => Problem::RateLimited(Some(wait)),
        Fault::ServerError | Fault::Hang => Problem::Failed,
        Fault::Overloaded => Problem::Overloaded,
        _ => return None,
    }))
}

fn send(
    state: &State,
    protocol: Protocol,
    mut ticket: Ticket,
    reply: Reply,
    fault: Option<Fault>,
) -> Response<Body> {
    let per_second = state.config.rate_limit;
    let request_id = wire::id("req_", 24, ticket.number());
    let drip_for = state.config.drip_for;
    match reply {
        Reply::Good(Good { body, content_type, .. }) => {
            let headers = wire::headers(protocol, content_type, &request_id, per_second, None);
            let body = if fault == Some(Fault::MalformedBody) {
                ticket.note(|entry| entry.readable = false);
                spoil(&body)
            } else {
                body
            };
            deliver(ticket, StatusCode::OK, headers, body, fault, drip_for)
        }
        Reply::Bad(problem) => {
            let headers =
                wire::headers(protocol, "application/json", &request_id, per_second, Some(&problem));
            let body = wire::error(protocol, &problem, Some(&request_id)).to_string();
            ticket.note(|entry| entry.readable = false);
            // A request that hung is cut after all: nothing ever comes of it.
            let fault = fault.filter(|&fault| fault == Fault::Hang).map(|_| Fault::CutBefore);
            deliver(ticket, status(protocol, &problem), headers, body.into(), fault, drip_for)
        }
    }
}

/// JSON that ends too early, or is not JSON any more.
fn spoil(body: &Bytes) -> Bytes {
    let mut spoilt = body.slice(..body.len() * 2 / 3).to_vec();
    // A cut within a character would be noticed by its encoding alone.
    while !spoilt.is_empty() && std::str::from_utf8(&spoilt).is_err() {
        spoilt.pop();
    }
    spoilt.into()
}

/// The server's own pages.
fn inspect(state: &State, page: &str, uri: &Uri) -> Response<Body> {
    let from = uri.query().and_then(|query| query.strip_prefix("from=")).and_then(|from| from.parse().ok());
    let json = match page {
        "log" => serde_json::to_string(&state.journal.entries(from.unwrap_or(0))),
        "stats" => serde_json::to_string(&state.journal.stats()),
        _ => {
            let mut response = Response::new(Body::from("there are /simulator/log and /simulator/stats\n"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
    };
    let mut response = Response::new(Body::from(json.unwrap_or_default()));
    let json = axum::http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(axum::http::header::CONTENT_TYPE, json);
    response
}
