//! The server without faults: its answers, its errors, and what its journal says of them.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use common::{PATIENCE, VERSION, ask, config, exchange, get, ideas, question, request, until};
use serde_json::{Value, json};
use whyfirst_simulator::{Config, Entry, Faults, Simulator, SimulatorError};

const MESSAGES: &str = "/v1/messages";
const COMPLETIONS: &str = "/v1/chat/completions";

fn text(got: &Value) -> String {
    let message = got["content"][0]["text"].as_str();
    message.or(got["choices"][0]["message"]["content"].as_str()).unwrap().to_owned()
}

#[test]
fn the_same_request_gets_the_same_answer_from_any_server() {
    let (one, two) = (Simulator::start(config()).unwrap(), Simulator::start(config()).unwrap());
    let nonce = "a".repeat(64);
    let first = text(&ask(one.addr(), MESSAGES, &nonce, &ideas()).unwrap().json());
    for _ in 0..3 {
        assert_eq!(text(&ask(two.addr(), MESSAGES, &nonce, &ideas()).unwrap().json()), first);
    }
    // As many characters as fit into a custom_id count.
    let same = format!("{}{}", &nonce[..40], "b".repeat(24));
    assert_eq!(text(&ask(two.addr(), MESSAGES, &same, &ideas()).unwrap().json()), first);
    assert_ne!(text(&ask(two.addr(), MESSAGES, "b", &ideas()).unwrap().json()), first);
    assert_eq!(
        text(&ask(two.addr(), COMPLETIONS, &nonce, &ideas()).unwrap().json()),
        first,
        "in either protocol"
    );
    let stats = two.stats();
    assert_eq!((stats.answers, stats.repeated), (6, 4), "five times the same question: {stats:?}");
}

#[test]
fn a_batch_answers_what_its_requests_alone_would_get() {
    let server = Simulator::start(config()).unwrap();
    let addr = server.addr();
    let lines: Vec<String> = (0..9)
        .map(|n| {
            json!({"custom_id": format!("r{n}"), "method": "POST", "url": COMPLETIONS, "body": ideas()})
                .to_string()
        })
        .collect();
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--x\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"in.jsonl\"\r\n\r\n{}\r\n--x--\r\n",
        lines.join("\n")
    );
    let head = format!(
        "POST /v1/files HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let file = exchange(addr, format!("{head}{form}").as_bytes(), PATIENCE).unwrap().json();
    let given = json!({"input_file_id": file["id"], "endpoint": COMPLETIONS, "completion_window": "24h"});
    let made = ask(addr, "/v1/batches", "", &given).unwrap().json();
    let path = format!("/v1/batches/{}", made["id"].as_str().unwrap());
    until("the batch ends", || get(addr, &path).json()["status"] == "completed");
    let before = server.stats();
    assert!(
        before.billed_pico > 0 && before.received_pico == 0,
        "nobody has fetched the results: {before:?}"
    );
    let output = get(
        addr,
        &format!("/v1/files/{}/content", get(addr, &path).json()["output_file_id"].as_str().unwrap()),
    );
    let results: Vec<Value> = std::str::from_utf8(&output.body)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let order: Vec<&str> = results.iter().map(|line| line["custom_id"].as_str().unwrap()).collect();
    assert!(order.len() == 9 && !order.is_sorted(), "{order:?}");
    for line in &results {
        let alone = ask(addr, COMPLETIONS, line["custom_id"].as_str().unwrap(), &ideas()).unwrap().json();
        assert_eq!(text(&alone), text(&line["response"]["body"]));
    }
    let stats = server.stats();
    // Alone they cost twice as much, and all of them had been answered before.
    assert_eq!((stats.received_pico, stats.not_received_pico), (before.billed_pico * 3, 0), "{stats:?}");
    assert_eq!(stats.repeated, 9);
}

#[test]
fn errors_say_what_is_wrong() {
    let limits =
        Config { key: Some("k".to_owned()), models: vec!["m".to_owned()], max_body: 5000, ..config() };
    let server = Simulator::start(limits).unwrap();
    let send = |method: &str, path: &str, headers: &str, body: &str| {
        let got =
            exchange(server.addr(), &request(method, path, headers, body.as_bytes()), PATIENCE).unwrap();
        (got.status, got.json()["error"].clone())
    };
    let good = question("Hello").to_string();
    let with_key = format!("{VERSION}x-api-key: k\r\n");
    let bearer = "authorization: Bearer k\r\n";
    for (path, headers, body, status, words) in [
        (MESSAGES, VERSION, good.as_str(), 401, "required"),
        (MESSAGES, "x-api-key: j\r\n", good.as_str(), 401, "invalid"),
        (MESSAGES, "x-api-key: k\r\n", good.as_str(), 400, "anthropic-version"),
        (MESSAGES, &with_key, "{\"model\": ", 400, "not valid JSON"),
        (MESSAGES, &with_key, "{\"model\": \"m\", \"messages\": []}", 400, "max_tokens: Field required"),
        (MESSAGES, &with_key, &good.replace("\"m\"", "\"n\""), 404, "model: n"),
        (MESSAGES, &with_key, &good.replace("user", "system"), 400, "user"),
        (COMPLETIONS, "", good.as_str(), 401, "No API key"),
        (COMPLETIONS, "authorization: Bearer j\r\n", good.as_str(), 401, "Incorrect"),
        (COMPLETIONS, bearer, "[]", 400, "could not parse"),
        (COMPLETIONS, bearer, "{\"model\": \"m\"}", 400, "'messages'"),
        (COMPLETIONS, bearer, &good.replace("\"m\"", "\"n\""), 404, "`n` does not exist"),
        (COMPLETIONS, bearer, &good.replace("4000", "0"), 400, "max_tokens"),
        (COMPLETIONS, bearer, &question(&"x".repeat(6000)).to_string(), 413, "larger"),
        ("/v1/nothing", bearer, "{}", 404, "Unknown request URL"),
        ("/v1/batches", bearer, "{}", 400, "input_file_id"),
    ] {
        let (got, error) = send("POST", path, headers, body);
        assert_eq!(got, status, "{path} {body}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    assert_eq!(send("GET", COMPLETIONS, bearer, "").0, 405);
    let stats = server.stats();
    assert!(stats.answers == 0 && stats.billed_pico == 0 && stats.faults == 0, "{stats:?}");
    let taken = server.addr().port();
    assert!(matches!(Simulator::start(Config { port: taken, ..config() }), Err(SimulatorError::Port { .. })));
    let log = Some("/proc/nothing/log".into());
    assert!(matches!(Simulator::start(Config { log, ..config() }), Err(SimulatorError::Log { .. })));
}

#[test]
fn the_journal_tells_the_truth_whatever_happens() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let timing =
        Config { hang_for: Duration::from_millis(20), drip_for: Duration::from_millis(20), ..config() };
    let all = Config { faults: Faults::all(0.5), log: Some(log.clone()), keep: 50, ..timing };
    let server = Simulator::start(all).unwrap();
    let (mut received, mut answers, mut texts) = (0u64, 0, BTreeSet::new());
    for number in 0..150 {
        for _ in 0..20 {
            let path = if number % 2 == 0 { MESSAGES } else { COMPLETIONS };
            let Some(got) = ask(server.addr(), path, &number.to_string(), &ideas()) else { continue };
            if got.status != 200 || !got.whole {
                continue;
            }
            let Ok(value) = serde_json::from_slice::<Value>(&got.body) else { continue };
            let usage = &value["usage"];
            let count = |a: &str, b: &str| usage[a].as_u64().or(usage[b].as_u64()).unwrap();
            received += 3_000_000 * count("input_tokens", "prompt_tokens");
            received += 15_000_000 * count("output_tokens", "completion_tokens");
            answers += 1;
            texts.insert(value["id"].as_str().unwrap().to_owned());
            break;
        }
    }
    assert!(answers == 150 && texts.len() == 150, "{answers}");
    server.stop();
    let stats = server.stats();
    assert_eq!(stats.received_pico, received, "{stats:?}");
    assert!(stats.not_received_pico > 0 && stats.in_flight == 0 && stats.repeated == 0, "{stats:?}");
    assert_eq!(stats.billed_pico, stats.received_pico + stats.not_received_pico);
    let lines = std::fs::read_to_string(&log).unwrap();
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len() as u64, stats.requests);
    let sum = |wanted: &dyn Fn(&Value) -> bool| -> u64 {
        entries.iter().filter(|entry| wanted(entry)).map(|entry| entry["cost_pico"].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&|entry| entry["delivered"] == true && entry["readable"] == true), received);
    assert_eq!(sum(&|_| true), stats.billed_pico);
    let kinds: BTreeSet<&str> = entries.iter().filter_map(|entry| entry["fault"].as_str()).collect();
    assert!(kinds.len() >= 14, "{kinds:?}");
    // What is kept in memory is the end of what is in the file.
    let kept: Vec<Entry> = server.log();
    assert_eq!(kept.len(), 50);
    assert_eq!(serde_json::to_value(&kept[49]).unwrap(), entries[entries.len() - 1]);
}

#[test]
fn a_client_that_goes_away_is_noticed() {
    let slow = Config { latency: Duration::from_millis(200), ..config() };
    let server = Simulator::start(slow).unwrap();
    let body = question("Hello").to_string();
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(&request("POST", MESSAGES, VERSION, body.as_bytes())).unwrap();
    until("it arrives", || server.stats().in_flight == 1);
    drop(stream);
    until("it ends", || server.stats().in_flight == 0);
    let entry = &server.log()[0];
    assert!(!entry.delivered && entry.text.is_none() && entry.took_ms < 200, "{entry:?}");
}

#[test]
fn requests_under_way_are_counted() {
    let slow = Config { latency: Duration::from_millis(150), ..config() };
    let server = Simulator::start(slow).unwrap();
    std::thread::scope(|scope| {
        for client in 0..20 {
            let addr = server.addr();
            scope.spawn(move || {
                for _ in 0..3 {
                    let got = ask(addr, MESSAGES, &client.to_string(), &question("Hello")).unwrap();
                    assert_eq!(got.status, 200);
                }
            });
        }
    });
    let stats = server.stats();
    assert_eq!((stats.peak, stats.requests, stats.in_flight), (20, 60, 0));
    assert!(stats.mean_in_flight > 10.0 && stats.mean_in_flight <= 20.0, "{stats:?}");
    assert_eq!(get(server.addr(), "/simulator/stats").json()["requests"], 60);
    assert_eq!(get(server.addr(), "/simulator/log?from=58").json().as_array().unwrap().len(), 3);
}

#[test]
fn too_many_requests_are_told_to_wait() {
    let server = Simulator::start(Config { rate_limit: Some(5.0), ..config() }).unwrap();
    let got: Vec<_> =
        (0..12).map(|_| ask(server.addr(), MESSAGES, "", &question("Hello")).unwrap()).collect();
    let through = got.iter().filter(|got| got.status == 200).count();
    assert!((5..=8).contains(&through), "{through}");
    let refused = got.iter().find(|got| got.status == 429).unwrap();
    let wait: f64 = refused.headers["retry-after"].parse().unwrap();
    assert!(wait > 0.0 && wait <= 0.3, "{wait}");
    assert_eq!(refused.headers["anthropic-ratelimit-requests-remaining"], "0");
    assert_eq!(server.stats().faults, 0);
}
