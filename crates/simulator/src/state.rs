//! What all requests share.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::batch::Batches;
use crate::config::Config;
use crate::dice::digest;
use crate::journal::Journal;
use crate::rate::Rate;

/// How many different requests are remembered; a run of 50,000 documents makes a few hundred thousand.
const REMEMBERED: usize = 2_000_000;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) journal: Journal,
    pub(crate) batches: Batches,
    rate: Option<Mutex<Rate>>,
    seen: Mutex<HashMap<u64, Seen>>,
}

/// What is known of a request that came before.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    times: u32,
    delivered: bool,
}

impl State {
    pub(crate) fn new(config: Config) -> std::io::Result<State> {
        let journal = Journal::new(config.keep, config.log.as_deref())?;
        let rate = config.rate_limit.map(Rate::new).map(Mutex::new);
        Ok(State { journal, batches: Batches::default(), rate, seen: Mutex::default(), config })
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<u64, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often this request came before; it has come once more now. Says so in the journal if it had its answer.
    pub(crate) fn count(&self, key: u64) -> u32 {
        let mut seen = self.seen();
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        let this = seen.entry(key).or_default();
        this.times += 1;
        if this.delivered {
            self.journal.repeat();
        }
        this.times - 1
    }

    /// This request has its answer, whole.
    pub(crate) fn delivered(&self, key: u64) {
        self.seen().entry(key).or_default().delivered = true;
    }

    /// Lets a request through, or says how long it should wait.
    pub(crate) fn let_through(&self) -> Result<(), Duration> {
        let Some(rate) = &self.rate else { return Ok(()) };
        rate.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }
}

/// How many characters of a request's hash its answer depends on: as many as fit into a `custom_id` besides.
const NONCE: usize = 40;

/// The part of a header or `custom_id` that an answer depends on.
pub(crate) fn nonce(of: &str) -> &str {
    of.get(..NONCE).unwrap_or(of)
}

/// What a request is known by: the same question, asked for the same purpose, alone or in a batch.
pub(crate) fn key(endpoint: &str, body: &store::Hash, nonce: &str) -> u64 {
    digest(&[b"request", endpoint.as_bytes(), body.as_bytes(), nonce.as_bytes()])
}
