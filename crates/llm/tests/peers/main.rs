//! Our `openai` client against a server that others wrote, `transformers serve`, with the base model that is shipped.
//!
//! Needs the Python environment of the peers step; `cargo xtask test` sets it up and runs this.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod server;

use std::path::Path;

use ledger::Ledger;
use server::Served;
use store::hash_bytes;
use whyfirst_llm::{
    Answer, Ask, Budget, Call, CallError, Client, Dollars, Model, Prices, Prompt, Protocol, Role, Secret,
    Settings, Speaker, Stop, Turn,
};

const KEY: &str = "sk-of-a-test-0123456789";

/// A dollar per million tokens of input, two of output.
fn model(url: &str, name: &str) -> Model {
    let mut model = Model::new(Protocol::OpenAi, url, name);
    model.prices = Prices::per_million(1.0, 2.0, None, None).unwrap();
    model.key = Some(Secret::new(KEY));
    model
}

async fn open(dir: &Path, model: Model) -> Client {
    let settings = Settings { models: [(Role::Writer, model)].into(), ..Settings::default() };
    Client::open(settings, Ledger::open(dir.join("store.sqlite")).unwrap()).await.unwrap()
}

fn call(text: &str, sample: u64, tokens: u32) -> Call {
    Call {
        role: Role::Writer,
        path: format!("{sample:04}"),
        corpus: "corpus".to_owned(),
        template: hash_bytes(b"template"),
        sample,
        prompt: Prompt {
            system: String::new(),
            turns: vec![Turn { speaker: Speaker::User, text: text.to_owned() }],
            budget: Budget { planning: 0, text: tokens },
            temperature: Some(0.0),
        },
    }
}

/// What the server counted must be what the answer cost.
fn check_cost(answer: &Answer) {
    let micro = answer.usage.input + 2 * answer.usage.output;
    assert_eq!(answer.cost, Dollars::from_pico(micro * 1_000_000), "{answer:?}");
}

#[tokio::test]
async fn a_server_that_others_wrote() {
    let served = Served::start();
    let dir = tempfile::tempdir().unwrap();
    let client = open(dir.path(), model(&served.url(), served.model())).await;

    // An answer that ends by itself. The base answers greetings in a few words.
    let asked = call("What do you like?", 0, 100);
    let whole = client.ask(asked.clone()).await.unwrap();
    assert_eq!(whole.stop, Stop::End, "{whole:?}");
    assert!(!whole.text.trim().is_empty() && whole.usage.input > 0, "{whole:?}");
    assert!((1..100).contains(&whole.usage.output), "{whole:?}");
    check_cost(&whole);

    // The same, cut: the server's word for that is understood.
    let short = client.ask(call("What do you like?", 1, 2)).await.unwrap();
    assert_eq!((short.stop, short.usage.output), (Stop::Length, 2), "{short:?}");
    assert!(whole.text.starts_with(short.text.trim_end()), "{short:?}");
    check_cost(&short);

    // Many at once; each has its own row.
    let many = (2..12).map(|sample| client.ask(call("What do you like?", sample, 8)));
    for answer in futures_util::future::join_all(many).await {
        check_cost(&answer.unwrap());
    }
    let spent = client.spending().unwrap();
    assert_eq!((spent.attempts, spent.answers, spent.possibly), (12, 12, Dollars::ZERO));
    assert_eq!(served.questions(), 12);
    client.close().await.unwrap();
    drop(client);

    // Another process with the same store: the answer is there, and the server hears nothing.
    let again = open(dir.path(), model(&served.url(), served.model())).await;
    assert_eq!(again.ask(asked).await.unwrap(), whole);
    assert_eq!((again.counters().from_store, again.counters().sent), (1, 0));
    assert_eq!(served.questions(), 12);
    again.close().await.unwrap();

    // A model that it does not have ends the run, with one reason, at the first call.
    let other = tempfile::tempdir().unwrap();
    let unknown = open(other.path(), model(&served.url(), "no-such-model")).await;
    assert_eq!(unknown.ask(call("Hello", 0, 8)).await, Err(CallError::Ending));
    let reason = unknown.fatal().unwrap();
    assert!(reason.contains("does not know the model `no-such-model`"), "{reason}");
    assert_eq!(unknown.spending().unwrap().at_most(), Dollars::ZERO);
    unknown.close().await.unwrap();

    // A path where it has no API.
    let place = format!("{}/elsewhere", served.url());
    let other = tempfile::tempdir().unwrap();
    let misplaced = open(other.path(), model(&place, served.model())).await;
    assert_eq!(misplaced.ask(call("Hello", 0, 8)).await, Err(CallError::Ending));
    let reason = misplaced.fatal().unwrap();
    assert!(reason.starts_with(&format!("there is no API at {place}/chat/completions")), "{reason}");
    misplaced.close().await.unwrap();

    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()));
    }
}
