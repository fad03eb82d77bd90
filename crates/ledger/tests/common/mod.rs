//! What the tests of this crate share.
#![allow(dead_code)]

use store::hash_bytes;
use whyfirst_ledger::{Answered, Attempt, Dollars, Failed, Outcome, Tokens};

pub fn attempt(n: u64) -> Attempt {
    Attempt {
        request: hash_bytes(format!("request {n}").as_bytes()),
        corpus: "corpus".to_owned(),
        path: format!("{n:04}"),
        role: if n.is_multiple_of(2) { "writer" } else { "critic" },
        api: "openai",
        model: "model".to_owned(),
        template: hash_bytes(b"template"),
        sample: n,
        number: 1,
        reserved: Dollars::from_pico(1000),
        body: hash_bytes(b"body"),
    }
}

pub fn answer(text: &str) -> Outcome {
    Outcome::Answered(Answered {
        http: Some(200),
        stop: "end",
        tokens: Tokens { input: 10, output: 20, reasoning: 5, cache_read: 1, cache_write: 2 },
        cost: Dollars::from_pico(300),
        possibly: Dollars::ZERO,
        latency_ms: 7,
        text: text.to_owned(),
        raw: format!("{{\"text\":\"{text}\"}}"),
    })
}

pub fn failure(possibly: u64) -> Outcome {
    Outcome::Failed(Failed {
        http: None,
        kind: "timeout".to_owned(),
        message: "no answer in time".to_owned(),
        possibly: Dollars::from_pico(possibly),
        latency_ms: 9,
        raw: None,
    })
}
