//! How runs end: fatal errors, money, interrupts, crashes. And what is never shown.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{Reply, Server, call, chat, error, good, model, open, say, settings};
use proptest::prelude::*;
use whyfirst_llm::{Ask, CallError, Cause, Client, Dollars, Prices};

async fn ends(reply: Reply) -> String {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(move |_, _| reply.clone()).await;
    fatal(open(dir.path(), settings(model(&server.url))).await).await.replace(&server.url, "URL")
}

/// All calls end at once, with one reason.
async fn fatal(client: Client) -> String {
    let results = futures_util::future::join_all((0..30).map(|n| client.ask(call(n)))).await;
    assert!(results.iter().all(|result| *result == Err(CallError::Ending)), "{results:?}");
    assert_eq!(client.ask(call(99)).await, Err(CallError::Ending));
    client.close().await.unwrap();
    client.fatal().unwrap()
}

fn body(status: u16, text: &str) -> Reply {
    Reply::Say(status, Vec::new(), text.to_owned())
}

#[tokio::test]
async fn what_cannot_work_ends_the_run_with_one_clear_reason() {
    let wrong_key =
        r#"{"error":{"message":"Incorrect API key provided: sk-very-secret.","code":"invalid_api_key"}}"#;
    let message = ends(body(401, wrong_key)).await;
    assert_eq!(
        message,
        "URL: the key in OPENAI_API_KEY was refused (401: Incorrect API key provided: [key].)"
    );
    assert!(ends(error(403)).await.contains("the key in OPENAI_API_KEY was refused"));
    let unknown = r#"{"error":{"message":"The model `m` does not exist","code":"model_not_found"}}"#;
    for status in [404, 400] {
        assert!(ends(body(status, unknown)).await.starts_with("URL does not know the model `m`"));
    }
    let no_api = ends(body(404, "<html>404</html>")).await;
    assert!(no_api.starts_with("there is no API at URL/v1/chat/completions (404"), "{no_api}");
    assert!(no_api.contains("it looks like https://api.openai.com/v1"), "{no_api}");
    let page = ends(body(200, "<!DOCTYPE html><title>Welcome</title>")).await;
    assert!(page.starts_with("URL/v1/chat/completions answered with a web page"), "{page}");
    assert!(ends(body(302, "")).await.contains("redirects elsewhere"));
    let spent = r#"{"error":{"message":"quota","code":"insufficient_quota"}}"#;
    assert!(ends(body(429, spent)).await.contains("no credit left"));
    // The same fault in all requests: nobody is helped by setting every node aside.
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| error(400)).await;
    let client = open(dir.path(), settings(model(&server.url))).await;
    for n in 0..2 {
        assert!(matches!(client.ask(call(n)).await, Err(CallError::Failed(_))));
    }
    assert_eq!(client.ask(call(3)).await, Err(CallError::Ending));
    assert!(client.fatal().unwrap().contains("400"));
}

#[tokio::test]
async fn nobody_there_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let client = open(dir.path(), settings(model(&format!("http://127.0.0.1:{port}")))).await;
    let message = fatal(client.clone()).await;
    assert!(
        message.starts_with(&format!("cannot connect to http://127.0.0.1:{port}: check that")),
        "{message}"
    );
    assert_eq!(client.spending().unwrap().at_most(), Dollars::ZERO, "nothing was sent");
}

#[tokio::test]
async fn a_server_that_is_gone_for_good_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, n| if n == 0 { good("A") } else { error(503) }).await;
    let mut settings = settings(model(&server.url));
    settings.retry.attempts = 2;
    let client = open(dir.path(), settings).await;
    client.ask(call(0)).await.unwrap();
    let mut failed = 0;
    loop {
        failed += 1;
        match client.ask(call(failed)).await {
            Err(CallError::Failed(_)) => {}
            Err(CallError::Ending) => break,
            Ok(_) => panic!(),
        }
    }
    assert_eq!(failed, 10);
    assert!(client.fatal().unwrap().starts_with("many calls in a row failed"));
    assert_eq!(client.ask(call(0)).await.unwrap().text, "A", "what is in the store is still there");
}

#[tokio::test]
async fn an_interrupt_lets_calls_in_flight_finish_and_sends_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request, _| {
        if request.text().contains("number 1\"") {
            Reply::Hang
        } else {
            Reply::After(Duration::from_millis(100), Box::new(good("A")))
        }
    })
    .await;
    let mut settings = settings(model(&server.url));
    settings.timeouts.attempt = Duration::from_secs(30);
    for model in settings.models.values_mut() {
        model.concurrency.start = 2;
        model.concurrency.max = 2;
    }
    let client = open(dir.path(), settings.clone()).await;
    let calls: Vec<_> = (0..6)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { client.ask(call(n)).await })
        })
        .collect();
    while client.counters().in_flight < 2 || server.arrived().len() < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    client.stop(Cause::Interrupted);
    client.close().await.unwrap();
    let mut ends = Vec::new();
    for call in calls {
        ends.push(call.await.unwrap().is_ok());
    }
    // The first was answered in time, the second never; the others were not sent.
    assert_eq!(ends, [true, false, false, false, false, false]);
    assert_eq!(server.arrived().len(), 2);
    let spent = client.spending().unwrap();
    let worst = model(&server.url).worst_case(&call(1).prompt);
    assert_eq!((spent.answers, spent.failed, spent.pending, spent.possibly), (1, 1, 0, worst));
    assert_eq!(client.ask(call(0)).await, Err(CallError::Ending), "the user is in a hurry");
    drop(client);
    assert_eq!(open(dir.path(), settings).await.ask(call(0)).await.unwrap().text, "A");
}

#[test]
fn a_crash_leaves_what_was_in_flight_as_lost() {
    let dir = tempfile::tempdir().unwrap();
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let first = runtime();
    let settings = first.block_on(async {
        let server = Server::start(|_, _| Reply::Hang).await;
        let mut settings = settings(model(&server.url));
        settings.timeouts.attempt = Duration::from_secs(30);
        let client = open(dir.path(), settings.clone()).await;
        tokio::spawn(async move { client.ask(call(1)).await });
        while server.arrived().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        settings
    });
    // The tasks vanish where they stand.
    first.shutdown_timeout(Duration::from_secs(2));
    runtime().block_on(async {
        let server = Server::start(|_, _| good("A")).await;
        let mut again = settings.clone();
        for model in again.models.values_mut() {
            model.base_id = Some(model.base().to_owned());
            model.base_url = format!("{}/v1", server.url);
        }
        let client = open(dir.path(), again).await;
        let worst = model(&server.url).worst_case(&call(1).prompt);
        let spent = client.spending().unwrap();
        assert_eq!((spent.lost, spent.possibly, spent.pending), (1, worst, 0));
        assert_eq!(client.ask(call(1)).await.unwrap().text, "A", "it is sent again");
        assert_eq!(client.counters().possibly, worst);
    });
}

#[tokio::test]
async fn the_key_is_in_no_message_no_debug_output_and_no_byte_of_the_store() {
    let dir = tempfile::tempdir().unwrap();
    // A server that sends the key back in every way.
    let server = Server::start(|request, n| {
        let key = request.headers["authorization"].trim_start_matches("Bearer ").to_owned();
        match n {
            0 => body(500, &key),
            1 => say(chat(&format!("you sent {key}"), 1, 1)),
            2 => body(400, &format!(r#"{{"error":{{"message":"{key}","code":"{key}"}}}}"#)),
            _ => body(401, &key),
        }
    })
    .await;
    let settings = settings(model(&server.url));
    let client = open(dir.path(), settings.clone()).await;
    let answer = client.ask(call(1)).await.unwrap();
    assert_eq!(answer.text, "you sent [key]");
    let refused = client.ask(call(2)).await.unwrap_err();
    assert!(refused.to_string().contains("[key]"), "{refused}");
    client.ask(call(3)).await.unwrap_err();
    let shown = format!("{client:?} {settings:#?} {answer:?} {refused:?} {:?}", client.stopped());
    assert!(!shown.contains("very-secret"), "{shown}");
    client.close().await.unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"very-secret"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the server does, what it may bill never passes the cap, and the ledger's upper bound covers it.
    #[test]
    fn the_cap_is_never_exceeded(
        kinds in prop::collection::vec(0u8..8, 60),
        outputs in prop::collection::vec(0u64..=100, 60),
        cap_calls in 1u64..40,
        start in 1u32..12,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let billed = Arc::new(AtomicU64::new(0));
            let prices = Prices::per_million(1.0, 2.0, None, None).unwrap();
            let server = Server::start({
                let billed = Arc::clone(&billed);
                move |_, n| {
                    let output = outputs[n % outputs.len()];
                    let answer = say(chat("A", 20, output));
                    // The provider bills whatever it worked on, received or not.
                    let cost = prices.input.times(20) + prices.output.times(output);
                    match kinds[n % kinds.len()] {
                        0 => return error(500),
                        1 => return error(429),
                        _ => billed.fetch_add(cost.pico(), Ordering::SeqCst),
                    };
                    match kinds[n % kinds.len()] {
                        2 => Reply::Cut,
                        3 => Reply::Half(chat("A", 20, output)),
                        4 => Reply::After(Duration::from_millis(3), Box::new(answer)),
                        _ => answer,
                    }
                }
            })
            .await;
            let model = model(&server.url);
            let cap = model.worst_case(&call(1).prompt).times(cap_calls);
            let mut settings = settings(model);
            settings.max_cost = Some(cap);
            for model in settings.models.values_mut() {
                model.concurrency.start = start;
            }
            let client = open(dir.path(), settings).await;
            let results = futures_util::future::join_all((0..60).map(|n| client.ask(call(n)))).await;
            client.close().await.unwrap();
            let spent = client.spending().unwrap();
            assert!(spent.at_most() <= cap, "{spent:?} {cap:?}");
            assert!(billed.load(Ordering::SeqCst) <= spent.at_most().pico());
            assert!(spent.billed.pico() <= billed.load(Ordering::SeqCst));
            match client.stopped() {
                Some(Cause::Budget { cap: stated, billed, possibly, next }) => {
                    assert_eq!((stated, billed, possibly), (cap, spent.billed, spent.possibly));
                    assert!(billed + possibly + next > cap);
                    let message = client.stopped().unwrap().to_string();
                    assert!(message.starts_with("the limit of $"), "{message}");
                }
                None => assert!(results.iter().all(|result| *result != Err(CallError::Ending))),
                Some(other) => panic!("{other:?}"),
            }
        });
    }
}
