//! The entry of a request that is under way. However it ends, it gets into the journal, once.

use std::sync::Arc;
use std::time::Instant;

use crate::journal::Entry;
use crate::state::State;
use crate::wire::Protocol;

/// The entry of a request that is under way.
#[derive(Debug)]
pub(crate) struct Ticket {
    state: Arc<State>,
    start: Instant,
    /// Taken when it is written.
    entry: Option<Entry>,
    /// What the request is known by, if it asks for an answer.
    pub(crate) key: Option<u64>,
    /// The batch whose results are handed over, and what they cost.
    pub(crate) results_of: Option<(String, u64)>,
}

/// An entry about nothing yet.
pub(crate) fn blank(seq: u64, at_ms: u64, protocol: Protocol, path: String) -> Entry {
    Entry {
        seq,
        at_ms,
        took_ms: 0,
        protocol,
        path,
        body: String::new(),
        nonce: None,
        batch: None,
        task: None,
        seen: 0,
        fault: None,
        status: 0,
        delivered: false,
        readable: true,
        input_tokens: 0,
        output_tokens: 0,
        cost_pico: 0,
        poisoned: false,
        duplicate: false,
        text: None,
        marker: None,
    }
}

impl Ticket {
    pub(crate) fn new(state: &Arc<State>, protocol: Protocol, path: String) -> Ticket {
        let (seq, start) = state.journal.arrive();
        let entry = blank(seq, state.journal.at(start), protocol, path);
        Ticket { state: Arc::clone(state), start, entry: Some(entry), key: None, results_of: None }
    }

    /// Changes the entry.
    pub(crate) fn note(&mut self, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = &mut self.entry {
            change(entry);
        }
    }

    /// The request's number.
    pub(crate) fn number(&self) -> u64 {
        self.entry.as_ref().map_or(0, |entry| entry.seq)
    }

    /// The last byte was handed to the connection.
    pub(crate) fn finish(&mut self) {
        self.close(true);
    }

    fn close(&mut self, delivered: bool) {
        let Some(mut entry) = self.entry.take() else { return };
        entry.delivered = delivered;
        entry.took_ms = self.start.elapsed().as_millis() as u64;
        let answered = delivered && entry.readable && entry.text.is_some();
        if let Some(key) = self.key.filter(|_| answered) {
            self.state.delivered(key);
        }
        if let Some((batch, cost)) = self.results_of.take().filter(|_| delivered && entry.readable)
            && let Some(keys) = self.state.batches.fetched(&batch)
        {
            keys.into_iter().for_each(|key| self.state.delivered(key));
            self.state.journal.fetched(&batch, cost);
        }
        self.state.journal.leave(entry);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.close(false);
    }
}
