//! Batches and files: what was handed in, and what became of it.

mod work;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;

use crate::clock;
use crate::wire::{self, Protocol};

pub(crate) use work::{Item, fail, start};

/// Everything that was handed in, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Batches(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    batches: Vec<Batch>,
    files: HashMap<String, Stored>,
    /// The batch that a file holds the results of.
    results: HashMap<String, String>,
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) purpose: String,
    pub(crate) created: u64,
    pub(crate) content: Bytes,
}

/// A batch.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) protocol: Protocol,
    pub(crate) created: u64,
    /// How many requests it has.
    pub(crate) total: usize,
    /// When it was called off.
    pub(crate) cancelled: Option<u64>,
    /// What became of it, once it is over.
    pub(crate) over: Option<Over>,
    /// What the client said about it (`openai`): input file, endpoint, window, metadata.
    pub(crate) given: Value,
    fetched: bool,
}

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Over {
    pub(crate) at: u64,
    pub(crate) succeeded: usize,
    pub(crate) errored: usize,
    pub(crate) cancelled: usize,
    pub(crate) expired: usize,
    /// A line for each answer; for `anthropic`, for each request.
    pub(crate) results: Bytes,
    /// The lines of requests without an answer (`openai`).
    pub(crate) errors: Bytes,
    /// What is wrong with the input file, if the batch never began (`openai`).
    pub(crate) faults: Vec<Value>,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) cost_pico: u64,
    /// What the answered requests are known by.
    pub(crate) keys: Vec<u64>,
    pub(crate) output_file: Option<String>,
    pub(crate) error_file: Option<String>,
}

impl Batches {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new batch; `number` is that of the request that made it.
    pub(crate) fn add(&self, protocol: Protocol, number: u64, total: usize, given: Value) -> Batch {
        let id = match protocol {
            Protocol::Anthropic => wire::id("msgbatch_01", 22, number),
            Protocol::OpenAi => wire::id("batch_", 32, number),
        };
        let created = clock::now();
        let batch =
            Batch { id, protocol, created, total, cancelled: None, over: None, given, fetched: false };
        self.lock().batches.push(batch.clone());
        batch
    }

    pub(crate) fn get(&self, protocol: Protocol, id: &str) -> Option<Batch> {
        let inner = self.lock();
        inner.batches.iter().rev().find(|batch| batch.protocol == protocol && batch.id == id).cloned()
    }

    /// The batches of a protocol, newest first.
    pub(crate) fn list(&self, protocol: Protocol) -> Vec<Batch> {
        self.lock().batches.iter().rev().filter(|batch| batch.protocol == protocol).cloned().collect()
    }

    fn change<T>(&self, id: &str, change: impl FnOnce(&mut Batch) -> T) -> Option<T> {
        self.lock().batches.iter_mut().rev().find(|batch| batch.id == id).map(change)
    }

    /// Calls a batch off, unless it is over.
    pub(crate) fn cancel(&self, id: &str) {
        self.change(id, |batch| {
            if batch.over.is_none() {
                batch.cancelled.get_or_insert_with(clock::now);
            }
        });
    }

    /// A batch is over.
    fn end(&self, id: &str, mut over: Over, numbers: [u64; 2]) {
        let protocol = self.change(id, |batch| batch.protocol);
        if protocol == Some(Protocol::OpenAi) {
            let files = [("output", &over.results, numbers[0]), ("error", &over.errors, numbers[1])];
            let [output, error] = files.map(|(kind, content, number)| {
                (!content.is_empty()).then(|| {
                    let name = format!("{id}_{kind}.jsonl");
                    self.store(name, "batch_output".to_owned(), content.clone(), number).id
                })
            });
            if let Some(output) = &output {
                self.lock().results.insert(output.clone(), id.to_owned());
            }
            (over.output_file, over.error_file) = (output, error);
        }
        self.change(id, |batch| batch.over = Some(over));
    }

    /// The results of a batch were handed over. The requests that they answer, if that was the first time.
    pub(crate) fn fetched(&self, id: &str) -> Option<Vec<u64>> {
        self.change(id, |batch| {
            let first = !std::mem::replace(&mut batch.fetched, true);
            batch.over.as_ref().filter(|_| first).map(|over| over.keys.clone())
        })
        .flatten()
    }

    /// Keeps a file.
    pub(crate) fn store(&self, name: String, purpose: String, content: Bytes, number: u64) -> Stored {
        let id = wire::id("file-", 22, number);
        let file = Stored { id, name, purpose, created: clock::now(), content };
        self.lock().files.insert(file.id.clone(), file.clone());
        file
    }

    pub(crate) fn file(&self, id: &str) -> Option<Stored> {
        self.lock().files.get(id).cloned()
    }

    /// Forgets a file, if it is there.
    pub(crate) fn forget(&self, id: &str) -> bool {
        self.lock().files.remove(id).is_some()
    }

    /// The batch that a file holds the results of, and what they cost.
    pub(crate) fn of_file(&self, id: &str) -> Option<(String, u64)> {
        let batch = self.lock().results.get(id).cloned()?;
        let cost = self.change(&batch, |batch| batch.over.as_ref().map_or(0, |over| over.cost_pico))?;
        Some((batch, cost))
    }
}
