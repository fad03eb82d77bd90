//! What was answered: an entry for every request, and sums that outlive the entries.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::fault::Fault;
use crate::wire::Protocol;

/// One request, or one request of a batch.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counted from 1 in the order in which requests came.
    pub seq: u64,
    /// When it came, in milliseconds since the server's start.
    pub at_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The protocol.
    pub protocol: Protocol,
    /// Method and path, for example `POST /v1/messages`.
    pub path: String,
    /// The hash of the body's bytes, in hex. For a request of a batch, of the bytes that it would have alone.
    pub body: String,
    /// The `x-whyfirst-request` header as it came, or the `custom_id`.
    pub nonce: Option<String>,
    /// The batch that the request is part of.
    pub batch: Option<String>,
    /// The task that its text names.
    pub task: Option<&'static str>,
    /// How often the same request came before.
    pub seen: u32,
    /// What went wrong with it, on purpose.
    pub fault: Option<Fault>,
    /// The HTTP status; 0 if the connection was cut or given up before one was sent.
    pub status: u16,
    /// Whether the whole answer was handed to the connection. For a request of a batch: whether the results were, at the
    /// time when the entry was written.
    pub delivered: bool,
    /// Whether the body is an answer that a client can read.
    pub readable: bool,
    /// Input tokens of the answer; 0 where there is none.
    pub input_tokens: u64,
    /// Output tokens of the answer.
    pub output_tokens: u64,
    /// What the answer costs, in picodollars. It is billed once it exists, delivered or not.
    pub cost_pico: u64,
    /// Whether its text must not get into a corpus.
    pub poisoned: bool,
    /// Whether others got the same text, so that a corpus must have it at most once.
    pub duplicate: bool,
    /// The hash of the answer's text, in hex.
    pub text: Option<String>,
    /// Words that stand in the poisoned text and nowhere else.
    pub marker: Option<String>,
}

/// Sums over all requests since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Requests that came, of any kind; those of a batch are one.
    pub requests: u64,
    /// Answers of a model that exist: billed.
    pub answers: u64,
    /// Requests, or requests of batches, that something went wrong with on purpose.
    pub faults: u64,
    /// Requests for an answer that came although an answer to the same request had been delivered whole.
    pub repeated: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// The most that ever were under way at once.
    pub peak: u64,
    /// The time from the first request's arrival to the last one's end, in milliseconds.
    pub span_ms: u64,
    /// How many requests were under way on average in that time.
    pub mean_in_flight: f64,
    /// Input tokens billed.
    pub input_tokens: u64,
    /// Output tokens billed.
    pub output_tokens: u64,
    /// What was billed, in picodollars.
    pub billed_pico: u64,
    /// Of that, for answers that were handed to the connection whole and can be read.
    pub received_pico: u64,
    /// Of what was billed, for answers that were cut, given up by the client, unreadable, or are results of a batch that
    /// nobody has fetched yet.
    pub not_received_pico: u64,
}

/// The journal.
#[derive(Debug)]
pub(crate) struct Journal {
    start: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    seq: u64,
    entries: VecDeque<Entry>,
    keep: usize,
    file: Option<File>,
    stats: Stats,
    first: Option<Instant>,
    last: Option<Instant>,
    /// Slot-seconds so far, and since when `in_flight` has been what it is.
    busy: f64,
    since: Instant,
}

impl Journal {
    pub(crate) fn new(keep: usize, log: Option<&Path>) -> std::io::Result<Journal> {
        let file = log.map(|path| File::options().create(true).append(true).open(path)).transpose()?;
        let start = Instant::now();
        let inner = Inner {
            seq: 0,
            entries: VecDeque::new(),
            keep,
            file,
            stats: Stats::default(),
            first: None,
            last: None,
            busy: 0.0,
            since: start,
        };
        Ok(Journal { start, inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request came: its number, and when.
    pub(crate) fn arrive(&self) -> (u64, Instant) {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.tick(now);
        inner.first.get_or_insert(now);
        inner.stats.requests += 1;
        inner.stats.in_flight += 1;
        inner.stats.peak = inner.stats.peak.max(inner.stats.in_flight);
        (inner.number(), now)
    }

    /// A number for a request of a batch, which never arrived by itself.
    pub(crate) fn number(&self) -> u64 {
        self.lock().number()
    }

    /// When something happened, in the journal's milliseconds.
    pub(crate) fn at(&self, when: Instant) -> u64 {
        when.saturating_duration_since(self.start).as_millis() as u64
    }

    /// A request is over.
    pub(crate) fn leave(&self, entry: Entry) {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.tick(now);
        inner.last = Some(now);
        inner.stats.in_flight = inner.stats.in_flight.saturating_sub(1);
        inner.write(entry);
    }

    /// A request of a batch is over.
    pub(crate) fn note(&self, entry: Entry) {
        self.lock().write(entry);
    }

    /// An answer was asked for that had been delivered before.
    pub(crate) fn repeat(&self) {
        self.lock().stats.repeated += 1;
    }

    /// The results of a batch were handed over whole, for the first time.
    pub(crate) fn fetched(&self, batch: &str, cost_pico: u64) {
        let mut inner = self.lock();
        inner.stats.received_pico += cost_pico;
        inner.stats.not_received_pico = inner.stats.not_received_pico.saturating_sub(cost_pico);
        for entry in inner.entries.iter_mut().filter(|entry| entry.batch.as_deref() == Some(batch)) {
            entry.delivered = true;
        }
    }

    /// The entries that are still kept, from number `from` on.
    pub(crate) fn entries(&self, from: u64) -> Vec<Entry> {
        self.lock().entries.iter().filter(|entry| entry.seq >= from).cloned().collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        let inner = self.lock();
        let now = Instant::now();
        let end = if inner.stats.in_flight > 0 { Some(now) } else { inner.last };
        let span = match (inner.first, end) {
            (Some(first), Some(end)) => end.saturating_duration_since(first).as_secs_f64(),
            _ => 0.0,
        };
        let under_way = inner.stats.in_flight as f64 * (now - inner.since).as_secs_f64();
        let mean_in_flight = if span > 0.0 { (inner.busy + under_way) / span } else { 0.0 };
        Stats { span_ms: (span * 1000.0) as u64, mean_in_flight, ..inner.stats }
    }
}

impl Inner {
    fn number(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn tick(&mut self, now: Instant) {
        self.busy += self.stats.in_flight as f64 * now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
    }

    fn write(&mut self, entry: Entry) {
        let stats = &mut self.stats;
        stats.faults += u64::from(entry.fault.is_some());
        if entry.text.is_some() {
            stats.answers += 1;
            stats.input_tokens += entry.input_tokens;
            stats.output_tokens += entry.output_tokens;
            stats.billed_pico += entry.cost_pico;
            let received = entry.delivered && entry.readable;
            let sum = if received { &mut stats.received_pico } else { &mut stats.not_received_pico };
            *sum += entry.cost_pico;
        }
        if let Some(file) = &mut self.file {
            // One write per line: what is in the file is whole, whenever the server dies. A full disk costs the log, not
            // the answers.
            let mut line = serde_json::to_vec(&entry).unwrap_or_default();
            line.push(b'\n');
            let _ = file.write_all(&line);
        }
        if self.keep > 0 {
            if self.entries.len() >= self.keep {
                self.entries.pop_front();
            }
            self.entries.push_back(entry);
        }
    }
}
