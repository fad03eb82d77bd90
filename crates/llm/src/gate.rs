//! Who may send when, to one model: lowest path first, so many at once, so much a minute, nobody during a pause.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::settings::{Concurrency, Limits};

mod bucket;
mod window;

use bucket::Bucket;
use window::Window;

/// The place of a call among those that wait: corpora in their order, then paths, then whoever came first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) corpus: usize,
    pub(crate) path: Arc<str>,
}

/// What an attempt takes from the limits per minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: BinaryHeap<Waiter>,
    arrivals: u64,
    window: Window,
    in_flight: u32,
    paused_until: Option<Instant>,
    /// When somebody will look again, if nothing else happens before.
    alarm: Option<Instant>,
    requests: Bucket,
    input: Bucket,
    output: Bucket,
    closed: bool,
    /// Slot-seconds in use, and slot-seconds there were, while calls were waiting.
    busy: f64,
    open: f64,
    since: Instant,
}

#[derive(Debug)]
struct Waiter {
    place: Place,
    arrival: u64,
    need: Need,
    grant: oneshot::Sender<Permit>,
}

impl Waiter {
    fn key(&self) -> (&Place, u64) {
        (&self.place, self.arrival)
    }
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Waiter) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiter {}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Waiter) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiter {
    /// The heap gives out its greatest: that is the lowest place.
    fn cmp(&self, other: &Waiter) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// The right to send one attempt. The slot is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    need: Need,
    /// How often the window had been cut when it was given out.
    cuts: u64,
}

impl Gate {
    pub(crate) fn new(concurrency: Concurrency, limits: Limits) -> Gate {
        let now = Instant::now();
        Gate {
            state: Mutex::new(State {
                waiting: BinaryHeap::new(),
                arrivals: 0,
                window: Window::new(concurrency),
                in_flight: 0,
                paused_until: None,
                alarm: None,
                requests: Bucket::new(limits.requests, now),
                input: Bucket::new(limits.input_tokens, now),
                output: Bucket::new(limits.output_tokens, now),
                closed: false,
                busy: 0.0,
                open: 0.0,
                since: now,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit; `None` once the gate is closed.
    pub(crate) async fn pass(self: &Arc<Self>, place: Place, need: Need) -> Option<Permit> {
        let (grant, granted) = oneshot::channel();
        {
            let mut state = self.state();
            if state.closed {
                return None;
            }
            state.account(Instant::now());
            state.arrivals += 1;
            let arrival = state.arrivals;
            state.waiting.push(Waiter { place, arrival, need, grant });
        }
        self.pump();
        granted.await.ok()
    }

    /// Sends away all who wait and all who come.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut state = self.state();
            state.account(Instant::now());
            state.closed = true;
            std::mem::take(&mut state.waiting)
        };
        // Dropped outside the lock.
        drop(waiting);
    }

    /// Gives out what can be given out, and sets an alarm if only time is missing.
    fn pump(self: &Arc<Self>) {
        let mut granted = Vec::new();
        let alarm = {
            let mut state = self.state();
            let now = Instant::now();
            state.account(now);
            let mut alarm = None;
            while state.in_flight < state.window.slots() && !state.waiting.is_empty() {
                if let Some(later) = state.blocked_until(now) {
                    alarm = state.set_alarm(later).then_some(later);
                    break;
                }
                let Some(waiter) = state.waiting.pop() else { break };
                if waiter.grant.is_closed() {
                    continue;
                }
                state.take(waiter.need);
                let permit = Permit { gate: Arc::clone(self), need: waiter.need, cuts: state.window.cuts() };
                granted.push((waiter.grant, permit));
            }
            alarm
        };
        for (grant, permit) in granted {
            // A permit that nobody wants any more comes back by being dropped.
            drop(grant.send(permit));
        }
        if let Some(later) = alarm {
            tokio::spawn(wake(Arc::downgrade(self), later));
        }
    }

    /// An answer came.
    fn went_well(&self) {
        let mut state = self.state();
        state.account(Instant::now());
        let used = state.in_flight;
        state.window.grow(used);
    }

    /// The provider is asking us to slow down.
    fn slow_down(&self, cuts: u64, wait: Option<Duration>) {
        let mut state = self.state();
        let now = Instant::now();
        state.account(now);
        state.window.cut(cuts);
        if let Some(wait) = wait {
            state.pause(now + wait);
        }
    }

    /// How many calls may be in flight, how many are, and how many wait.
    pub(crate) fn load(&self) -> (u32, u32, usize) {
        let state = self.state();
        (state.window.slots(), state.in_flight, state.waiting.len())
    }

    /// Slot-seconds in use, and slot-seconds there were, while calls were waiting.
    pub(crate) fn usage(&self) -> (f64, f64) {
        let mut state = self.state();
        state.account(Instant::now());
        (state.busy, state.open)
    }

    /// How long nobody may send.
    pub(crate) fn pause_left(&self) -> Duration {
        let now = Instant::now();
        self.state().paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

async fn wake(gate: Weak<Gate>, at: Instant) {
    tokio::time::sleep_until(at).await;
    if let Some(gate) = gate.upgrade() {
        {
            let mut state = gate.state();
            if state.alarm == Some(at) {
                state.alarm = None;
            }
        }
        gate.pump();
    }
}

impl State {
    fn account(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
        // A slot that nobody wants is not idle. After a cut more calls are in flight than there are slots.
        if !self.waiting.is_empty() {
            self.busy += seconds * f64::from(self.in_flight.min(self.window.slots()));
            self.open += seconds * f64::from(self.window.slots());
        }
    }

    fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |other| other.max(until)));
    }

    /// When the first of those who wait may go; `None` for now.
    fn blocked_until(&mut self, now: Instant) -> Option<Instant> {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        let need = self.waiting.peek()?.need;
        [
            self.paused_until,
            self.requests.ready(1, now),
            self.input.ready(need.input, now),
            self.output.ready(need.output, now),
        ]
        .into_iter()
        .flatten()
        .max()
    }

    /// Whether a new alarm is needed.
    fn set_alarm(&mut self, later: Instant) -> bool {
        if self.alarm.is_some_and(|alarm| alarm <= later) {
            return false;
        }
        self.alarm = Some(later);
        true
    }

    fn take(&mut self, need: Need) {
        self.in_flight += 1;
        self.requests.take(1);
        self.input.take(need.input);
        self.output.take(need.output);
    }
}

impl Permit {
    /// An answer came, with so many tokens: what was taken too much from the limits goes back.
    pub(crate) fn answered(self, input: u64, output: u64) {
        {
            let mut state = self.gate.state();
            state.input.correct(self.need.input, input);
            state.output.correct(self.need.output, output);
        }
        self.gate.went_well();
    }

    /// No answer came, and the provider is asking us to slow down.
    pub(crate) fn congested(self, wait: Option<Duration>) {
        self.gate.slow_down(self.cuts, wait);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        {
            let mut state = self.gate.state();
            state.account(Instant::now());
            state.in_flight -= 1;
        }
        self.gate.pump();
    }
}

#[cfg(test)]
mod tests;
