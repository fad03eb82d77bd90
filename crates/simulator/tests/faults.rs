//! Every fault as a client sees it, over real sockets.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{PATIENCE, VERSION, ask, exchange, failing, get, ideas, question, request, until};
use serde_json::{Value, json};
use whyfirst_simulator::{Fault, MARKER};

const MESSAGES: &str = "/v1/messages";
const COMPLETIONS: &str = "/v1/chat/completions";

#[test]
fn errors_have_the_shape_of_their_protocol() {
    for (fault, status, kind) in [
        (Fault::RateLimit, [429, 429], "rate_limit_error"),
        (Fault::RateLimitRetryAfter, [429, 429], "rate_limit_error"),
        (Fault::ServerError, [500, 500], "api_error"),
        (Fault::Overloaded, [529, 503], "overloaded_error"),
    ] {
        let server = failing(&[fault], 1.0);
        let got = ask(server.addr(), MESSAGES, "", &question("Hello")).unwrap();
        assert_eq!((got.status, got.whole), (status[0], true), "{fault}");
        assert_eq!(got.json()["type"], "error");
        assert_eq!(got.json()["error"]["type"], kind);
        assert_eq!(got.json()["request_id"], got.headers["request-id"].as_str());
        let wait = got.headers.get("retry-after").map(String::as_str);
        assert_eq!(wait, (fault == Fault::RateLimitRetryAfter).then_some("1"), "{fault}");
        let got = ask(server.addr(), COMPLETIONS, "", &question("Hello")).unwrap();
        assert_eq!(got.status, status[1], "{fault}");
        assert!(got.json()["error"]["message"].is_string() && got.headers.contains_key("x-request-id"));
        assert_eq!(got.headers.contains_key("retry-after"), fault == Fault::RateLimitRetryAfter);
        for entry in server.log() {
            assert_eq!((entry.fault, entry.cost_pico, entry.text), (Some(fault), 0, None));
            assert!(entry.delivered && !entry.readable);
        }
        assert_eq!(server.stats().billed_pico, 0);
    }
}

#[test]
fn connections_hang_drip_and_break() {
    let server = failing(&[Fault::Hang], 1.0);
    let start = Instant::now();
    assert!(ask(server.addr(), MESSAGES, "", &question("Hello")).is_none(), "nothing ever comes");
    assert!(start.elapsed() >= Duration::from_millis(300));
    // A client that gives up is noticed long before the server would.
    let body = question("Hello").to_string();
    assert!(
        exchange(
            server.addr(),
            &request("POST", COMPLETIONS, "", body.as_bytes()),
            Duration::from_millis(50)
        )
        .is_none()
    );
    until("hung requests end", || server.log().len() == 2);
    assert!(server.log().iter().all(|entry| entry.status == 0 && !entry.delivered && entry.text.is_none()));
    assert_eq!(server.stats().billed_pico, 0);

    let server = failing(&[Fault::Drip], 1.0);
    let start = Instant::now();
    let got = ask(server.addr(), MESSAGES, "", &question("Hello")).unwrap();
    assert!(
        got.whole && got.status == 200 && start.elapsed() >= Duration::from_millis(250),
        "{:?}",
        start.elapsed()
    );
    assert!(got.json()["content"][0]["text"].is_string());
    let stats = server.stats();
    assert!(stats.received_pico > 0 && stats.not_received_pico == 0, "{stats:?}");

    let server = failing(&[Fault::CutBefore], 1.0);
    assert!(ask(server.addr(), MESSAGES, "", &question("Hello")).is_none());
    let server_middle = failing(&[Fault::CutMiddle], 1.0);
    let got = ask(server_middle.addr(), MESSAGES, "", &question("Hello")).unwrap();
    let announced: usize = got.headers["content-length"].parse().unwrap();
    assert!(!got.whole && got.body.len() == announced / 2, "{} of {announced}", got.body.len());
    for (server, status) in [(server, 0), (server_middle, 200)] {
        until("it is written down", || server.log().len() == 1);
        let entry = &server.log()[0];
        assert_eq!((entry.status, entry.delivered), (status, false));
        let stats = server.stats();
        assert!(
            entry.cost_pico > 0 && stats.not_received_pico == entry.cost_pico && stats.received_pico == 0
        );
    }

    let server = failing(&[Fault::MalformedBody], 1.0);
    let got = ask(server.addr(), COMPLETIONS, "", &question("Hello")).unwrap();
    assert!(got.whole && got.status == 200 && serde_json::from_slice::<Value>(&got.body).is_err());
    let stats = server.stats();
    assert!(stats.not_received_pico > 0 && stats.received_pico == 0, "{stats:?}");
}

#[test]
fn poor_answers_are_poor_and_stay_so() {
    for fault in [
        Fault::Truncated,
        Fault::Refusal,
        Fault::MalformedList,
        Fault::MissingTags,
        Fault::Empty,
        Fault::Duplicate,
    ] {
        let server = failing(&[fault], 1.0);
        let one = ask(server.addr(), MESSAGES, "1", &ideas()).unwrap().json();
        let text = one["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        let again = ask(server.addr(), MESSAGES, "1", &ideas()).unwrap().json();
        assert_eq!(
            (&again["content"], &again["stop_reason"]),
            (&one["content"], &one["stop_reason"]),
            "{fault}"
        );
        let stop = match fault {
            Fault::Truncated => "max_tokens",
            Fault::Refusal => "refusal",
            _ => "end_turn",
        };
        assert_eq!(one["stop_reason"], stop, "{fault}");
        let other = ask(server.addr(), COMPLETIONS, "2", &ideas()).unwrap().json();
        let entries = server.log();
        assert!(entries.iter().all(|entry| entry.fault == Some(fault) && entry.cost_pico > 0), "{entries:?}");
        if fault == Fault::Duplicate {
            assert_eq!(other["choices"][0]["message"]["content"], text.as_str());
            assert!(entries.iter().all(|entry| entry.duplicate && !entry.poisoned));
        } else {
            assert!(entries.iter().all(|entry| entry.poisoned), "{fault}");
            let marker = entries[0].marker.as_deref();
            assert_eq!(
                marker.is_some_and(|marker| text.contains(marker)),
                fault != Fault::Empty,
                "{fault}: {text}"
            );
            assert_eq!(text.contains(MARKER), fault != Fault::Empty);
        }
    }
}

#[test]
fn a_share_of_the_requests_is_hit_and_the_next_attempt_may_get_through() {
    let server = failing(&[Fault::RateLimit, Fault::ServerError], 0.4);
    let mut first = 0;
    for number in 0..100 {
        let mut attempts = 0;
        while ask(server.addr(), MESSAGES, &number.to_string(), &question("Hello")).unwrap().status != 200 {
            attempts += 1;
            assert!(attempts < 20);
        }
        first += usize::from(attempts > 0);
    }
    assert!((28..=52).contains(&first), "{first}");
    let stats = server.stats();
    assert_eq!((stats.answers, stats.repeated), (100, 0), "{stats:?}");
}

/// Hands in a batch of messages and waits for its end.
fn batch(addr: std::net::SocketAddr, count: usize) -> (Value, Vec<Value>) {
    let request = |n| json!({"custom_id": format!("r{n}"), "params": question("Hello")});
    let requests: Vec<Value> = (0..count).map(request).collect();
    let made = ask(addr, "/v1/messages/batches", "", &json!({"requests": requests})).unwrap();
    assert_eq!(made.status, 200, "{made:?}");
    let path = format!("/v1/messages/batches/{}", made.json()["id"].as_str().unwrap());
    until("the batch ends", || get(addr, &path).json()["processing_status"] == "ended");
    let results = get(addr, &format!("{path}/results"));
    let lines = std::str::from_utf8(&results.body).unwrap().lines();
    (get(addr, &path).json(), lines.map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn batches_expire_and_have_errors_in_them() {
    let server = failing(&[Fault::BatchExpires], 1.0);
    let (ended, results) = batch(server.addr(), 40);
    let counts = &ended["request_counts"];
    let (done, expired) = (counts["succeeded"].as_u64().unwrap(), counts["expired"].as_u64().unwrap());
    assert!(done + expired == 40 && done > 8 && expired > 8, "{counts}");
    let kinds = |kind: &str| results.iter().filter(|line| line["result"]["type"] == kind).count() as u64;
    assert_eq!((kinds("succeeded"), kinds("expired")), (done, expired));
    let items: Vec<_> = server.log().into_iter().filter(|entry| entry.batch.is_some()).collect();
    assert_eq!(items.iter().filter(|entry| entry.cost_pico > 0 && entry.delivered).count() as u64, done);

    let server = failing(&[Fault::BatchItemErrored], 0.3);
    let (_, results) = batch(server.addr(), 40);
    let errored: Vec<&Value> = results.iter().filter(|line| line["result"]["type"] == "errored").collect();
    assert!((5..=20).contains(&errored.len()), "{}", errored.len());
    assert_eq!(errored[0]["result"]["error"]["error"]["type"], "api_error");
}

#[test]
fn what_is_asked_for_over_a_cut_connection_is_done_all_the_same() {
    let server = failing(&[Fault::CutBefore], 1.0);
    let body = json!({"requests": [{"custom_id": "a", "params": question("Hello")}]}).to_string();
    let sent =
        exchange(server.addr(), &request("POST", "/v1/messages/batches", VERSION, body.as_bytes()), PATIENCE);
    assert!(sent.is_none(), "{sent:?}");
    until("the lost batch is worked on", || server.log().iter().any(|entry| entry.batch.is_some()));
    let stats = server.stats();
    assert!(stats.billed_pico > 0 && stats.not_received_pico == stats.billed_pico, "{stats:?}");
}
