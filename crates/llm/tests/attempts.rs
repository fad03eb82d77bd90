//! What is tried again and what is not, with which bytes, and what it counts as.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{Reply, Server, call, chat, error, good, model, open, say, settings};
use whyfirst_llm::{Ask, CallError, Cause, Dollars, Protocol, Stop};

#[tokio::test]
async fn an_answer_is_asked_for_once_and_then_comes_from_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| good("A")).await;
    let client = open(dir.path(), settings(model(&server.url))).await;
    let first = client.ask(call(1)).await.unwrap();
    assert_eq!((first.text.as_str(), first.stop, first.model.as_str()), ("A", Stop::End, "m"));
    assert_eq!((first.usage.input, first.usage.output), (10, 5));
    assert_eq!(first.cost, Dollars::from_dollars(20e-6).unwrap());
    assert_eq!(client.ask(call(1)).await.unwrap(), first);
    drop(client);
    let client = open(dir.path(), settings(model(&server.url))).await;
    assert_eq!(client.ask(call(1)).await.unwrap(), first);
    assert_eq!(client.counters().from_store, 1);
    assert_eq!(client.counters().billed, first.cost, "of all runs together");
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!((arrived[0].method.as_str(), arrived[0].path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(arrived[0].headers["authorization"], "Bearer sk-very-secret");
    assert_eq!(arrived[0].headers["x-whyfirst-request"], first.request.to_string());
}

#[tokio::test]
async fn samples_of_one_prompt_are_different_requests_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, n| good(&n.to_string())).await;
    let client = open(dir.path(), settings(model(&server.url))).await;
    let mut other = call(1);
    other.sample = 1;
    let answers = [client.ask(call(1)).await.unwrap(), client.ask(other).await.unwrap()];
    assert_ne!(answers[0].request, answers[1].request);
    assert_ne!(answers[0].text, answers[1].text);
    let arrived = server.arrived();
    assert_eq!(arrived[0].body, arrived[1].body);
    assert_ne!(arrived[0].headers["x-whyfirst-request"], arrived[1].headers["x-whyfirst-request"]);
}

#[tokio::test]
async fn a_simulated_server_is_the_same_on_any_port() {
    let dir = tempfile::tempdir().unwrap();
    let mut requests = Vec::new();
    for _ in 0..2 {
        let server = Server::start(|_, _| good("A")).await;
        let mut simulated = model(&server.url);
        simulated.base_id = Some("simulated".to_owned());
        let client = open(dir.path(), settings(simulated)).await;
        requests.push(client.ask(call(1)).await.unwrap().request);
        requests.push(client.request_of(&call(1)).unwrap());
    }
    requests.dedup();
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn what_may_be_tried_again_is_with_the_same_bytes_and_is_free() {
    for status in [408, 409, 429, 500, 502, 503, 504, 529] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(move |_, n| if n < 2 { error(status) } else { good("A") }).await;
        let client = open(dir.path(), settings(model(&server.url))).await;
        assert_eq!(client.ask(call(1)).await.unwrap().text, "A", "{status}");
        let arrived = server.arrived();
        assert_eq!(arrived.len(), 3, "{status}");
        assert!(arrived.iter().all(|request| request.body == arrived[0].body), "{status}");
        let spent = client.spending().unwrap();
        assert_eq!((spent.attempts, spent.failed, spent.possibly), (3, 2, Dollars::ZERO), "{status}");
        assert_eq!(client.counters().retried, 2);
    }
}

#[tokio::test]
async fn what_breaks_off_is_tried_again_and_counts_as_possibly_billed() {
    let whole = chat("A", 10, 5);
    let faults = [
        ("cut", Reply::Cut),
        ("half", Reply::Half(whole.clone())),
        ("hang", Reply::Hang),
        ("drip", Reply::After(Duration::from_secs(3), Box::new(say(whole.clone())))),
        ("not JSON", say(whole[..whole.len() - 9].to_owned())),
        ("no choices", say("{}".to_owned())),
    ];
    for (name, fault) in faults {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(move |_, n| if n == 1 { fault.clone() } else { good("A") }).await;
        let mut settings = settings(model(&server.url));
        if matches!(name, "hang" | "drip") {
            settings.timeouts.attempt = Duration::from_millis(500);
        }
        let client = open(dir.path(), settings).await;
        // The first one goes well, so that the server is known to be one.
        client.ask(call(0)).await.unwrap();
        assert_eq!(client.ask(call(1)).await.unwrap().text, "A", "{name}");
        let arrived = server.arrived();
        assert_eq!(arrived.len(), 3, "{name}");
        assert_eq!(arrived[1].body, arrived[2].body);
        let spent = client.spending().unwrap();
        let worst = model(&server.url).worst_case(&call(1).prompt);
        assert_eq!((spent.failed, spent.possibly), (1, worst), "{name}");
        assert_eq!(client.counters().possibly, worst);
    }
}

#[tokio::test]
async fn what_may_not_be_tried_again_is_not_and_others_go_on() {
    for status in [400, 413, 422, 418] {
        let dir = tempfile::tempdir().unwrap();
        let server =
            Server::start(
                move |request, _| {
                    if request.text().contains("number 1") { error(status) } else { good("A") }
                },
            )
            .await;
        let client = open(dir.path(), settings(model(&server.url))).await;
        let failed = client.ask(call(1)).await.unwrap_err();
        assert!(
            matches!(&failed, CallError::Failed(message)
                if message.contains("for a test") && message.contains(&status.to_string())),
            "{failed}"
        );
        client.ask(call(2)).await.unwrap();
        assert_eq!(server.arrived().len(), 2, "{status}");
    }
}

#[tokio::test]
async fn attempts_are_limited_and_a_later_run_tries_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, n| if n < 5 { error(500) } else { good("A") }).await;
    let client = open(dir.path(), settings(model(&server.url))).await;
    let failed = client.ask(call(1)).await.unwrap_err();
    assert_eq!(
        failed,
        CallError::Failed("5 attempts failed, the last one: the server failed (500: for a test)".to_owned())
    );
    assert_eq!(server.arrived().len(), 5);
    drop(client);
    let client = open(dir.path(), settings(model(&server.url))).await;
    assert_eq!(client.ask(call(1)).await.unwrap().text, "A");
}

#[tokio::test]
async fn the_time_for_all_attempts_together_is_limited() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::Hang).await;
    let mut settings = settings(model(&server.url));
    settings.timeouts.attempt = Duration::from_millis(300);
    settings.timeouts.total = Duration::from_millis(700);
    settings.retry.attempts = 100;
    let client = open(dir.path(), settings).await;
    let start = Instant::now();
    let failed = client.ask(call(1)).await.unwrap_err();
    assert!(failed.to_string().contains("failed"), "{failed}");
    assert!(server.arrived().len() <= 3, "{failed}");
    assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_that_asks_us_to_wait_is_left_alone_by_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let body = r#"{"error":{"message":"slow"}}"#;
    let server = Server::start(move |_, n| match n {
        0 => Reply::Say(429, vec![("retry-after", "1".to_owned())], body.to_owned()),
        _ => good("A"),
    })
    .await;
    let client = open(dir.path(), settings(model(&server.url))).await;
    let start = Instant::now();
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.ask(call(1)).await }
    });
    while client.counters().failed == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(client.counters().paused > Duration::from_millis(500));
    client.ask(call(2)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_asks_us_to_wait_for_hours_ends_the_run_and_says_when_to_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let later = || Reply::Say(429, vec![("retry-after", "7200".to_owned())], String::new());
    let server = Server::start(move |_, n| if n == 0 { good("A") } else { later() }).await;
    let client = open(dir.path(), settings(model(&server.url))).await;
    client.ask(call(0)).await.unwrap();
    assert_eq!(client.ask(call(1)).await, Err(CallError::Ending));
    let reason = client.fatal().unwrap();
    assert!(reason.contains("asks us to wait 120 minutes") && reason.contains("run again then"), "{reason}");
    assert_eq!(server.arrived().len(), 2);
}

#[tokio::test]
async fn asked_to_wait_for_nothing_we_pause_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let now = || Reply::Say(429, vec![("retry-after", "0".to_owned())], String::new());
    let server = Server::start(move |_, n| if n < 2 { now() } else { good("A") }).await;
    let mut settings = settings(model(&server.url));
    settings.retry.first_pause = Duration::from_millis(200);
    settings.retry.longest_pause = Duration::from_millis(200);
    let client = open(dir.path(), settings).await;
    let start = Instant::now();
    client.ask(call(1)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_call_whose_time_is_up_while_it_waits_for_its_turn_is_not_sent() {
    let dir = tempfile::tempdir().unwrap();
    // The first call fails late. Meanwhile the second has made everybody wait beyond the first one's time.
    let slow = || Reply::Say(429, vec![("retry-after", "0.9".to_owned())], String::new());
    let server = Server::start(move |request, n| match request.text().contains("number 1\"") {
        true => Reply::After(Duration::from_millis(600), Box::new(error(500))),
        false if n == 1 => slow(),
        false => good("A"),
    })
    .await;
    let mut settings = settings(model(&server.url));
    settings.timeouts.total = Duration::from_secs(1);
    let client = open(dir.path(), settings).await;
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.ask(call(1)).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(client.ask(call(2)).await.unwrap().text, "A");
    let failed = first.await.unwrap().unwrap_err().to_string();
    assert!(failed.contains("no time was left"), "{failed}");
    assert_eq!(server.arrived().len(), 3, "one that is too late was sent");
    assert_eq!(client.spending().unwrap().possibly, Dollars::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrency_finds_what_the_server_bears() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let dir = tempfile::tempdir().unwrap();
    // Eight at once and no more; each takes 10 ms.
    let open_now = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |_, _| {
        let now = Arc::clone(&open_now);
        if now.fetch_add(1, Ordering::SeqCst) >= 8 {
            now.fetch_sub(1, Ordering::SeqCst);
            return error(429);
        }
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            now.fetch_sub(1, Ordering::SeqCst);
        });
        Reply::After(Duration::from_millis(11), Box::new(good("A")))
    })
    .await;
    let mut settings = settings(model(&server.url));
    settings.retry.attempts = 50;
    settings.retry.first_pause = Duration::from_millis(10);
    settings.retry.longest_pause = Duration::from_millis(20);
    let client = open(dir.path(), settings).await;
    let calls = (0..600).map(|n| client.ask(call(n)));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok));
    let counters = client.counters();
    assert!(counters.concurrency <= 16, "{counters:?}");
    assert!(counters.failed < 300, "{counters:?}");
}

#[tokio::test]
async fn who_asks_the_same_at_once_shares_one_request() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        Server::start(|_, n| Reply::After(Duration::from_millis(50), Box::new(good(&n.to_string())))).await;
    let client = open(dir.path(), settings(model(&server.url))).await;
    let answers = futures_util::future::join_all((0..20).map(|_| client.ask(call(1)))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().text == "0"));
    assert_eq!(server.arrived().len(), 1);
    assert_eq!(client.spending().unwrap().attempts, 1);
}

#[tokio::test]
async fn the_anthropic_protocol_goes_to_its_own_place() {
    let dir = tempfile::tempdir().unwrap();
    let body = r#"{"content":[{"type":"text","text":"A"}],"stop_reason":"end_turn",
        "usage":{"input_tokens":3,"output_tokens":4,"cache_read_input_tokens":5}}"#;
    let server = Server::start(move |_, _| say(body.to_owned())).await;
    for base in [server.url.clone(), format!("{}/", server.url), format!("{}/v1", server.url)] {
        let mut model = model(&base);
        model.protocol = Protocol::Anthropic;
        model.base_url = base;
        let client = open(dir.path(), settings(model)).await;
        let answer = client.ask(call(1)).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.usage.cache_read), ("A", 5));
        client.close().await.unwrap();
        drop(client);
    }
    for request in server.arrived() {
        assert_eq!(request.path, "/v1/messages");
        assert_eq!(request.headers["x-api-key"], "sk-very-secret");
        assert_eq!(request.headers["anthropic-version"], "2023-06-01");
        assert!(!request.headers.contains_key("authorization"));
        assert_eq!(request.json()["max_tokens"], 100);
    }
}

#[tokio::test]
async fn a_role_without_a_model_is_our_mistake_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(model("http://127.0.0.1:1"));
    settings.models.remove(&whyfirst_llm::Role::Writer);
    let client = open(dir.path(), settings).await;
    assert_eq!(client.ask(call(1)).await, Err(CallError::Ending));
    assert_eq!(client.stopped(), Some(Cause::Fatal("no model is set for the role `writer`".to_owned())));
}
