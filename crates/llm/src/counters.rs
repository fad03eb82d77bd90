//! What a progress bar shows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ledger::Dollars;

/// How a client is doing, at one moment. Counts are of this run; money is of the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Answers that were in the store already.
    pub from_store: u64,
    /// Attempts sent, those in batches included.
    pub sent: u64,
    /// Answers received.
    pub answered: u64,
    /// Attempts without an answer.
    pub failed: u64,
    /// Attempts that followed a failed one.
    pub retried: u64,
    /// Results in batches that belong to no call of ours, or came twice; they are ignored.
    pub strays: u64,
    /// Calls in flight, those in batches aside.
    pub in_flight: u64,
    /// Calls that wait for their turn.
    pub waiting: u64,
    /// How many calls may be in flight at the moment, over all models.
    pub concurrency: u64,
    /// Slots in use while calls were waiting, summed over time, in slot-seconds.
    pub busy_slot_seconds: f64,
    /// Slots there were while calls were waiting, summed over time, in slot-seconds.
    pub open_slot_seconds: f64,
    /// How long a provider has asked us to send nothing from now on.
    pub paused: Duration,
    /// What answers cost, exactly.
    pub billed: Dollars,
    /// What attempts without an answer may have cost, at most.
    pub possibly: Dollars,
    /// What calls in flight may cost, at most.
    pub reserved: Dollars,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) from_store: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) retried: AtomicU64,
    pub(crate) strays: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Tally {
    pub(crate) fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            from_store: read(&self.from_store),
            sent: read(&self.sent),
            answered: read(&self.answered),
            failed: read(&self.failed),
            retried: read(&self.retried),
            strays: read(&self.strays),
            ..Counters::default()
        }
    }
}
