//! What follows from what came back: an answer, another attempt, the end of this call, or the end of the run.
//!
//! | what | then |
//! |---|---|
//! | no connection, cut connection, timeout, 408, 409, 429, 5xx, a success that is not an answer | again, same bytes |
//! | 400, 413, 422 and other 4xx | this call fails |
//! | 401, 402, 403, unknown model, no API at the URL, no credit | the run ends |
//!
//! Errors that were received whole are not billed; nor is what was never sent. A timeout, a cut connection and a body that
//! cannot be read may have been billed.

use std::time::Duration;

use crate::protocol::{self, ErrorBody, Parsed};
use crate::settings::Model;
use crate::transport::{Broken, Received};

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// There is an answer.
    Answer(Parsed),
    /// There is none.
    No(Failure),
}

/// Why there is no answer, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// A word for counting.
    pub(crate) kind: String,
    /// A sentence for people.
    pub(crate) message: String,
    /// What to do.
    pub(crate) then: Then,
    /// Whether it may have been billed.
    pub(crate) possibly_billed: bool,
    /// Whether the provider is asking us to slow down.
    pub(crate) congested: bool,
    /// How long it asks us to wait.
    pub(crate) wait: Option<Duration>,
}

/// What to do without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Try again.
    Again,
    /// Try again a few times; if the server was never heard of, the run cannot go on.
    Reach,
    /// Give this call up.
    GiveUp,
    /// Give this call up; if no call ever works, the run cannot go on.
    Refused,
    /// End the run.
    EndRun,
}

impl Failure {
    fn new(kind: &str, message: String, then: Then) -> Failure {
        Failure { kind: kind.to_owned(), message, then, possibly_billed: false, congested: false, wait: None }
    }

    fn possibly_billed(self) -> Failure {
        Failure { possibly_billed: true, ..self }
    }
}

/// What follows from a request that was sent, or could not be.
pub(crate) fn judge(model: &Model, url: &str, outcome: &Result<Received, Broken>) -> Verdict {
    match outcome {
        Ok(received) if received.status.is_success() => success(model, url, received),
        Ok(received) => Verdict::No(error(model, url, received)),
        Err(broken) => Verdict::No(no_answer(url, broken)),
    }
}

/// As [`judge`], for what is not an answer to a call: only what is no success is a failure.
pub(crate) fn refusal(model: &Model, url: &str, outcome: &Result<Received, Broken>) -> Option<Failure> {
    match outcome {
        Ok(received) if received.status.is_success() => None,
        Ok(received) => Some(error(model, url, received)),
        Err(broken) => Some(no_answer(url, broken)),
    }
}

/// A success of another kind than an answer that cannot be read.
pub(crate) fn unreadable(url: &str, problem: &str) -> Failure {
    let message = format!("{url} answered with something else than expected: {problem}");
    Failure::new("unreadable", message, Then::Again).possibly_billed()
}

fn success(model: &Model, url: &str, received: &Received) -> Verdict {
    let problem = match protocol::parse(model.protocol, &received.body) {
        Ok(parsed) if std::str::from_utf8(&received.body).is_ok() => return Verdict::Answer(parsed),
        Ok(_) => "it is not UTF-8".to_owned(),
        Err(problem) => problem,
    };
    if is_page(received) {
        let message = format!("{url} answered with a web page, so this is not an API; {}", check_url(model));
        return Verdict::No(Failure::new("web page", message, Then::Reach));
    }
    // OpenRouter reports some errors of those behind it as a success with an `error` in it.
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&received.body)
        && value["error"].is_object()
    {
        let code = value["error"]["code"].as_u64().and_then(|code| u16::try_from(code).ok());
        let status = code.and_then(|code| reqwest::StatusCode::from_u16(code).ok());
        let status = status.filter(|status| status.is_client_error() || status.is_server_error());
        let status = status.unwrap_or(reqwest::StatusCode::BAD_GATEWAY);
        return Verdict::No(error(model, url, &Received { status, ..received.clone() }).possibly_billed());
    }
    let message = format!("{url} answered with something that is not an answer: {problem}");
    Verdict::No(Failure::new("unreadable", message, Then::Again).possibly_billed())
}

/// The statuses of an overloaded server: OpenAI's and others', and Anthropic's.
const OVERLOADED: [u16; 2] = [503, 529];

fn error(model: &Model, url: &str, received: &Received) -> Failure {
    let body = ErrorBody::parse(&received.body);
    let status = received.status.as_u16();
    let kind = status.to_string();
    let said = if body.message.is_empty() { "no reason given" } else { &body.message };
    let fail = |message: String, then| Failure::new(&kind, message, then);
    match status {
        _ if body.is_about_credit() => {
            fail(format!("{} has no credit left for this key: {said}", host(url)), Then::EndRun)
        }
        401 | 403 if !body.is_about_prompt() => {
            let key = match &model.key {
                Some(_) => format!("the key in {} was refused", model.key_env),
                None => format!("a key is wanted; put it into {}", model.key_env),
            };
            fail(format!("{}: {key} ({status}: {said})", host(url)), Then::EndRun)
        }
        402 => fail(format!("{} wants to be paid first: {said}", host(url)), Then::EndRun),
        400 | 404 | 422 if body.is_about_model() => {
            let message = format!("{} does not know the model `{}`: {said}", host(url), model.name);
            fail(message, Then::EndRun)
        }
        404 | 405 => {
            let message = format!("there is no API at {url} ({status}: {said}); {}", check_url(model));
            fail(message, Then::EndRun)
        }
        300..400 => fail(format!("{url} redirects elsewhere ({status}); {}", check_url(model)), Then::EndRun),
        408 | 409 | 500..600 => Failure {
            congested: OVERLOADED.contains(&status) || received.retry_after.is_some(),
            wait: received.retry_after,
            ..fail(format!("the server failed ({status}: {said})"), Then::Again)
        },
        429 => Failure {
            congested: true,
            wait: received.retry_after,
            ..fail(format!("too many requests (429: {said})"), Then::Again)
        },
        // Of a fault in all our requests nobody is helped by setting every node aside.
        400 | 422 if !body.is_about_prompt() => {
            fail(format!("the request was refused ({status}: {said})"), Then::Refused)
        }
        _ => fail(format!("the request was refused ({status}: {said})"), Then::GiveUp),
    }
}

fn no_answer(url: &str, broken: &Broken) -> Failure {
    match broken {
        Broken::NoHost(detail) => {
            let message =
                format!("there is no host {}: check the base URL and the network ({detail})", host(url));
            Failure::new("no host", message, Then::Reach)
        }
        Broken::NoConnection(detail) => {
            let message = format!(
                "cannot connect to {}: check that the server runs there and that the base URL is right ({detail})",
                host(url)
            );
            Failure::new("no connection", message, Then::Reach)
        }
        Broken::Timeout => {
            let message = "no answer within the time for an attempt".to_owned();
            Failure::new("timeout", message, Then::Again).possibly_billed()
        }
        Broken::Cut(detail) => {
            let message = format!("the connection was cut ({detail})");
            Failure::new("cut", message, Then::Again).possibly_billed()
        }
        Broken::TooLarge => {
            let message = "the answer is larger than any should be".to_owned();
            Failure::new("too large", message, Then::GiveUp).possibly_billed()
        }
    }
}

fn is_page(received: &Received) -> bool {
    received.is_page || received.body.trim_ascii_start().starts_with(b"<")
}

fn check_url(model: &Model) -> String {
    format!(
        "check the base URL; for the `{}` protocol it looks like {}",
        model.protocol.name(),
        model.protocol.default_base_url()
    )
}

/// Scheme, host and port.
fn host(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Protocol;
    use reqwest::StatusCode;

    const URL: &str = "http://h:1/v1/chat/completions";

    fn failure(status: u16, body: &str) -> Failure {
        let model = Model::new(Protocol::OpenAi, "http://h:1/v1", "m");
        let received = Received {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            is_page: false,
            body: body.as_bytes().to_vec(),
        };
        match judge(&model, URL, &Ok(received)) {
            Verdict::No(failure) => failure,
            Verdict::Answer(_) => panic!("{status} {body}"),
        }
    }

    #[test]
    fn each_status_has_its_consequence() {
        use Then::{Again, EndRun, GiveUp, Refused};
        let expected = [
            (301, EndRun),
            (400, Refused),
            (401, EndRun),
            (402, EndRun),
            (403, EndRun),
            (404, EndRun),
            (405, EndRun),
            (408, Again),
            (409, Again),
            (413, GiveUp),
            (418, GiveUp),
            (422, Refused),
            (429, Again),
            (500, Again),
            (503, Again),
            (529, Again),
        ];
        for (status, then) in expected {
            let failure = failure(status, r#"{"error":{"message":"reason"}}"#);
            assert_eq!(failure.then, then, "{status}");
            assert!(!failure.possibly_billed, "{status}");
            assert_eq!(failure.congested, matches!(status, 429 | 503 | 529), "{status}");
            assert!(status == 301 || failure.message.contains("reason"), "{}", failure.message);
        }
    }

    #[test]
    fn messages_say_what_to_check() {
        let message = |status, body: &str| failure(status, body).message;
        assert!(message(401, "{}").contains("http://h:1: a key is wanted; put it into OPENAI_API_KEY"));
        assert!(
            message(404, r#"{"detail":"Not Found"}"#).contains("no API at http://h:1/v1/chat/completions")
        );
        let unknown = r#"{"error":{"message":"The model `m` does not exist","code":"model_not_found"}}"#;
        assert!(message(404, unknown).contains("does not know the model `m`"));
        assert!(message(400, unknown).contains("does not know the model `m`"));
        assert!(message(200, "<!DOCTYPE html><p>Welcome").contains("web page"));
        let model = Model::new(Protocol::OpenAi, "http://h:1/v1", "m");
        let broken = |broken| match judge(&model, URL, &Err(broken)) {
            Verdict::No(failure) => failure,
            Verdict::Answer(_) => panic!(),
        };
        assert!(broken(Broken::NoHost("d".to_owned())).message.contains("no host http://h:1"));
        let refused = broken(Broken::NoConnection("d".to_owned()));
        assert!(refused.message.contains("cannot connect to http://h:1") && !refused.possibly_billed);
        assert!(
            broken(Broken::Timeout).possibly_billed && broken(Broken::Cut(String::new())).possibly_billed
        );
    }

    #[test]
    fn some_errors_are_not_what_their_status_says() {
        let spent = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
        assert_eq!(failure(429, spent).then, Then::EndRun);
        let credit = r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#;
        assert_eq!(failure(400, credit).then, Then::EndRun);
        let long = r#"{"error":{"message":"too many tokens","code":"context_length_exceeded"}}"#;
        assert_eq!(failure(400, long).then, Then::GiveUp);
        let flagged = r#"{"error":{"code":403,"message":"Your input was flagged"}}"#;
        assert_eq!(failure(403, flagged).then, Then::GiveUp);
        let inside = failure(200, r#"{"error":{"code":429,"message":"slow down"}}"#);
        assert!(inside.then == Then::Again && inside.congested && inside.possibly_billed);
        let half = failure(200, r#"{"choices":[{"mess"#);
        assert!(half.then == Then::Again && half.possibly_billed, "{half:?}");
    }
}
