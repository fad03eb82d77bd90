//! Batches: gathered, handed in once, watched, recovered; each result under its own request and no other.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/provider.rs"]
mod provider;

use std::path::Path;
use std::time::Duration;

use common::{Arrived, Reply, Server, call, error, good, model, open, say, settings};
use provider::Provider;
use whyfirst_llm::{Answer, Ask, CallError, Cause, Client, Dollars, Mode, Model, Protocol};

const PROTOCOLS: [Protocol; 2] = [Protocol::Anthropic, Protocol::OpenAi];

async fn serve(provider: &Provider) -> Server {
    let provider = provider.clone();
    Server::start(move |request, _| provider.handle(request)).await
}

/// The same requests whatever the port.
fn batch_model(server: &Server, protocol: Protocol) -> Model {
    let mut model = model(&server.url);
    model.protocol = protocol;
    model.base_id = Some("simulated".to_owned());
    model.mode = Mode::Batch;
    model
}

async fn client(dir: &Path, server: &Server, protocol: Protocol) -> Client {
    open(dir, settings(batch_model(server, protocol))).await
}

async fn ask_all(client: &Client, calls: u64) -> Vec<Result<Answer, CallError>> {
    futures_util::future::join_all((0..calls).map(|n| client.ask(call(n)))).await
}

fn check(answers: &[Result<Answer, CallError>]) {
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.as_ref().unwrap().text, format!("to number {n}"));
    }
}

fn submissions(server: &Server) -> usize {
    let create = |request: &&Arrived| request.method == "POST" && request.path.ends_with("/batches");
    server.arrived().iter().filter(create).count()
}

#[tokio::test]
async fn results_find_their_requests_in_any_order_at_half_the_price() {
    for protocol in PROTOCOLS {
        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::default();
        provider.shelf().patience = 2;
        let server = serve(&provider).await;
        let client = client(dir.path(), &server, protocol).await;
        let answers = ask_all(&client, 20).await;
        check(&answers);
        assert_eq!(provider.shelf().batches.len(), 1);
        assert_eq!(client.counters().strays, 2, "one that nobody asked for, and one twice");
        // 10 tokens at one dollar a million, 5 at two, halved.
        assert_eq!(answers[0].as_ref().unwrap().cost, Dollars::from_dollars(10e-6).unwrap());
        let spent = client.spending().unwrap();
        assert_eq!((spent.billed, spent.answers), (Dollars::from_dollars(200e-6).unwrap(), 20));
        assert_eq!((spent.at_most(), client.counters().billed), (spent.billed, spent.billed));
        // The end of a batch is written after its answers have been handed out.
        while !client.ledger().open_batches().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        for entry in &provider.shelf().batches[0].entries {
            assert_eq!(entry.custom_id.len(), 40);
        }
        check(&ask_all(&client, 20).await);
        assert_eq!(submissions(&server), 1);
    }
}

#[tokio::test]
async fn what_expires_goes_into_another_batch_and_costs_nothing() {
    for protocol in PROTOCOLS {
        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::default();
        provider.shelf().expire = 2;
        let server = serve(&provider).await;
        let client = client(dir.path(), &server, protocol).await;
        check(&ask_all(&client, 5).await);
        let sizes: Vec<usize> = provider.shelf().batches.iter().map(|batch| batch.entries.len()).collect();
        assert_eq!(sizes, [5, 1, 1]);
        let spent = client.spending().unwrap();
        assert_eq!((spent.attempts, spent.failed, spent.possibly), (7, 2, Dollars::ZERO));
    }
}

#[tokio::test]
async fn after_a_crash_a_known_batch_is_watched_and_not_handed_in_again() {
    for protocol in PROTOCOLS {
        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::default();
        provider.shelf().patience = usize::MAX;
        let server = serve(&provider).await;
        let first = client(dir.path(), &server, protocol).await;
        let waiting = tokio::spawn({
            let first = first.clone();
            async move { ask_all(&first, 5).await }
        });
        while provider.shelf().batches.first().is_none_or(|batch| batch.polls < 2) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        first.stop(Cause::Interrupted);
        assert!(waiting.await.unwrap().iter().all(|result| *result == Err(CallError::Ending)));
        first.close().await.unwrap();
        assert_eq!(first.spending().unwrap().pending, 5);
        drop(first);

        provider.shelf().patience = 0;
        let again = client(dir.path(), &server, protocol).await;
        assert_eq!(again.counters().reserved, again.spending().unwrap().reserved);
        check(&ask_all(&again, 5).await);
        assert_eq!(submissions(&server), 1);
        assert_eq!(again.spending().unwrap().at_most(), again.counters().billed);
    }
}

/// A ledger in the state of a process that died between handing a batch in and hearing of it.
async fn die_while_handing_in(dir: &Path, provider: &Provider, protocol: Protocol) {
    let server = {
        let provider = provider.clone();
        Server::start(move |request, _| {
            let reply = provider.handle(request);
            let created = request.method == "POST" && request.path.ends_with("/batches");
            if created { Reply::Hang } else { reply }
        })
        .await
    };
    let mut settings = settings(batch_model(&server, protocol));
    settings.timeouts.attempt = Duration::from_secs(30);
    settings.timeouts.grace = Duration::from_millis(20);
    let client = open(dir, settings).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { ask_all(&client, 4).await }
    });
    while submissions(&server) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    client.stop(Cause::Interrupted);
    client.close().await.unwrap();
    waiting.await.unwrap();
    let open = client.ledger().open_batches().unwrap();
    assert_eq!((open.len(), open[0].provider_id.as_deref(), open[0].items.len()), (1, None, 4));
}

#[tokio::test]
async fn a_batch_whose_id_was_never_heard_is_found() {
    for protocol in PROTOCOLS {
        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::default();
        die_while_handing_in(dir.path(), &provider, protocol).await;
        // Others of the same size, which are not ours.
        let ours = provider.shelf().batches[0].clone();
        for n in [5, 6] {
            let mut other = ours.clone();
            other.id = format!("batch_{n}");
            other.metadata = serde_json::json!({"whyfirst": "other"});
            for entry in &mut other.entries {
                entry.custom_id = format!("other-{}", &entry.custom_id[..20]);
            }
            provider.shelf().batches.push(other);
        }
        let server = serve(&provider).await;
        let client = client(dir.path(), &server, protocol).await;
        check(&ask_all(&client, 4).await);
        assert_eq!(submissions(&server), 0);
        let spent = client.spending().unwrap();
        assert_eq!((spent.attempts, spent.possibly), (4, Dollars::ZERO));
    }
}

#[tokio::test]
async fn a_batch_that_never_arrived_is_handed_in_again_and_counts_as_possibly_billed() {
    for protocol in PROTOCOLS {
        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::default();
        die_while_handing_in(dir.path(), &provider, protocol).await;
        provider.shelf().batches.clear();
        let server = serve(&provider).await;
        let client = client(dir.path(), &server, protocol).await;
        check(&ask_all(&client, 4).await);
        assert_eq!(submissions(&server), 1);
        let spent = client.spending().unwrap();
        let worst = batch_model(&server, protocol).worst_case(&call(0).prompt).times(4);
        assert_eq!((spent.lost, spent.possibly), (4, worst));
    }
}

#[tokio::test]
async fn a_cut_answer_is_looked_into_before_anything_is_handed_in_again() {
    for protocol in PROTOCOLS {
        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::default();
        provider.shelf().cut_after_taking = 1;
        let server = serve(&provider).await;
        let found = client(dir.path(), &server, protocol).await;
        check(&ask_all(&found, 3).await);
        assert_eq!(submissions(&server), 1);
        drop(found);

        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::default();
        provider.shelf().cut_before_taking = 1;
        let server = serve(&provider).await;
        check(&ask_all(&client(dir.path(), &server, protocol).await, 3).await);
        assert_eq!(submissions(&server), 2);
        assert_eq!(provider.shelf().batches.len(), 1);
    }
}

#[tokio::test]
async fn a_batch_that_is_refused_is_no_answer_and_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let provider = Provider::default();
    provider.shelf().refuse = true;
    let server = serve(&provider).await;
    let client = client(dir.path(), &server, Protocol::OpenAi).await;
    let results = ask_all(&client, 2).await;
    let message = "the provider refused the batch: bad line".to_owned();
    assert!(results.iter().all(|result| *result == Err(CallError::Failed(message.clone()))), "{results:?}");
    let spent = client.spending().unwrap();
    assert_eq!((spent.failed, spent.at_most()), (2, Dollars::ZERO));
}

#[tokio::test]
async fn a_server_without_batches_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(
        |request, _| if request.path.ends_with("completions") { good("A") } else { error(404) },
    )
    .await;
    let client = client(dir.path(), &server, Protocol::OpenAi).await;
    assert!(ask_all(&client, 2).await.iter().all(|result| *result == Err(CallError::Ending)));
    assert!(client.fatal().unwrap().contains("/v1/files"), "{:?}", client.fatal());
    assert_eq!(client.spending().unwrap().at_most(), Dollars::ZERO);
}

#[tokio::test]
async fn a_batch_stays_within_the_cap() {
    for protocol in PROTOCOLS {
        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::default();
        let server = serve(&provider).await;
        let model = batch_model(&server, protocol);
        let cap = model.worst_case(&call(1).prompt).times(5);
        let mut settings = settings(model);
        settings.max_cost = Some(cap);
        let client = open(dir.path(), settings).await;
        let results = ask_all(&client, 200).await;
        let answered = results.iter().filter(|result| result.is_ok()).count();
        assert!((5..200).contains(&answered), "{answered}");
        assert!(matches!(client.stopped(), Some(Cause::Budget { .. })), "{:?}", client.stopped());
        let spent = client.spending().unwrap();
        assert!(spent.at_most() <= cap, "{spent:?}");
        assert_eq!(spent.answers, answered as u64);
        assert!(provider.shelf().batches[0].entries.len() == 5);
    }
}

#[tokio::test]
async fn ids_that_are_no_ids_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request, _| match request.method.as_str() {
        "POST" => say(r#"{"id":"../../elsewhere?x="}"#.to_owned()),
        _ => error(500),
    })
    .await;
    let client = client(dir.path(), &server, Protocol::Anthropic).await;
    assert_eq!(client.ask(call(1)).await, Err(CallError::Ending));
    assert!(client.fatal().unwrap().contains("no id"), "{:?}", client.fatal());
    assert!(server.arrived().iter().all(|request| request.path == "/v1/messages/batches"));
}
