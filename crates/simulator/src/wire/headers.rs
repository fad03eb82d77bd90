//! The headers of answers.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::{Problem, Protocol, anthropic, openai};
use crate::clock;

impl Protocol {
    /// The HTTP status of a problem.
    pub(crate) fn status(self, problem: &Problem) -> u16 {
        problem.status(match self {
            Protocol::Anthropic => anthropic::OVERLOADED,
            Protocol::OpenAi => openai::OVERLOADED,
        })
    }
}

/// A limit that nobody reaches, for servers that have none.
const NO_LIMIT: u64 = 1_000_000;

/// The headers of an answer. `per_second` is the limit of requests, if there is one.
pub(crate) fn headers(
    protocol: Protocol,
    content_type: &'static str,
    request_id: &str,
    per_second: Option<f64>,
    problem: Option<&Problem>,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(20);
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let limit = per_second.map_or(NO_LIMIT, |rate| (rate * 60.0).ceil() as u64);
    let left = if matches!(problem, Some(Problem::RateLimited(_))) { 0 } else { limit.saturating_sub(1) };
    let (limit, left) = (limit.to_string(), left.to_string());
    match protocol {
        Protocol::Anthropic => {
            put("request-id", request_id);
            put("anthropic-organization-id", "00000000-0000-4000-8000-000000000001");
            let reset = clock::rfc3339(clock::now() + 60);
            put("anthropic-ratelimit-requests-limit", &limit);
            put("anthropic-ratelimit-requests-remaining", &left);
            put("anthropic-ratelimit-requests-reset", &reset);
            put("anthropic-ratelimit-tokens-limit", "1000000000");
            put("anthropic-ratelimit-tokens-remaining", "999999000");
            put("anthropic-ratelimit-tokens-reset", &reset);
        }
        Protocol::OpenAi => {
            put("x-request-id", request_id);
            put("openai-version", "2020-10-01");
            put("openai-organization", "org-simulated");
            put("openai-processing-ms", "1");
            put("x-ratelimit-limit-requests", &limit);
            put("x-ratelimit-remaining-requests", &left);
            put("x-ratelimit-reset-requests", "1s");
            put("x-ratelimit-limit-tokens", "1000000000");
            put("x-ratelimit-remaining-tokens", "999999000");
            put("x-ratelimit-reset-tokens", "0s");
        }
    }
    if let Some(problem) = problem {
        put("x-should-retry", if problem.is_passing() { "true" } else { "false" });
    }
    if let Some(wait) = problem.and_then(Problem::wait_ms) {
        // Whole seconds, as real ones send it, unless a test wants less.
        let whole = wait.is_multiple_of(1000);
        put(
            "retry-after",
            &if whole { (wait / 1000).to_string() } else { (wait as f64 / 1000.0).to_string() },
        );
        if protocol == Protocol::OpenAi {
            put("retry-after-ms", &wait.to_string());
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers
}
