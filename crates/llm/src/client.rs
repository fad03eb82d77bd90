//! What pipelines hold: something that answers calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Ledger, LedgerError, Spending};
use store::Hash;
use tokio::time::timeout;

use crate::call::{Answer, Ask, Call, CallError, Role, Stop, Usage};
use crate::counters::{Counters, Tally, add};
use crate::ending::{Cause, Ending};
use crate::flights::{End, Flight, Flights};
use crate::gate::Place;
use crate::lane::Lane;
use crate::purse::Purse;
use crate::request::Request;
use crate::settings::{Batching, Mode, Retry, Settings, SettingsError, Timeouts};
use crate::{batch, drive};

/// Answers calls: from the ledger, or from the model of their role. Cheap to clone. When the last clone is dropped, what
/// waits or is in flight gets [`CallError::Ending`].
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
}

/// Ends the run when nobody is left to ask.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.end(Cause::Interrupted);
    }
}

/// What the client and its tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: Ledger,
    lanes: BTreeMap<Role, Arc<Lane>>,
    corpora: Vec<String>,
    pub(crate) retry: Retry,
    pub(crate) timeouts: Timeouts,
    pub(crate) batching: Batching,
    pub(crate) purse: Arc<Purse>,
    pub(crate) ending: Ending,
    pub(crate) flights: Arc<Flights>,
    pub(crate) tally: Tally,
}

impl Client {
    /// Makes a client. What an earlier process left in flight is marked as lost ([`Ledger::recover`]), so only the holder of
    /// the lock of the runs folder may do this, and once at a time. Batches that an earlier process left with a provider are
    /// asked for from now on.
    ///
    /// # Errors
    /// When a base URL cannot be used, or the store cannot.
    pub async fn open(settings: Settings, ledger: Ledger) -> Result<Client, SettingsError> {
        let mut lanes: BTreeMap<Role, Arc<Lane>> = BTreeMap::new();
        for (role, model) in settings.models {
            let others: Vec<Arc<Lane>> = lanes.values().cloned().collect();
            let lane = match others.iter().find(|lane| lane.model == model) {
                Some(lane) => Arc::clone(lane),
                None => Arc::new(Lane::new(model, &settings.timeouts, &others)?),
            };
            lanes.insert(role, lane);
        }
        ledger.recover().await?;
        let spent = ledger.spent()?;
        let shared = Arc::new(Shared {
            lanes,
            corpora: settings.corpora,
            retry: settings.retry,
            timeouts: settings.timeouts,
            batching: settings.batching,
            purse: Arc::new(Purse::new(settings.max_cost, &spent)),
            ending: Ending::new(),
            flights: Arc::default(),
            tally: Tally::default(),
            ledger,
        });
        batch::take_over(&shared)?;
        Ok(Client { handle: Arc::new(Handle { shared }) })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// The store it writes to.
    pub fn ledger(&self) -> &Ledger {
        &self.shared().ledger
    }

    /// Ends the run: nothing more is sent; everybody who waits gets [`CallError::Ending`]. Calls in flight go on until
    /// [`Client::close`] loses patience. The first cause stays.
    pub fn stop(&self, cause: Cause) {
        self.shared().end(cause);
    }

    /// Why the run is ending, if it is.
    pub fn stopped(&self) -> Option<Cause> {
        self.shared().ending.cause().cloned()
    }

    /// What makes it useless to go on, if anything does: a wrong key, an unknown model, no API at the URL, no credit; or a
    /// provider that is gone.
    pub fn fatal(&self) -> Option<String> {
        match self.stopped()? {
            Cause::Fatal(reason) | Cause::Gone(reason) => Some(reason),
            _ => None,
        }
    }

    /// Waits for the calls in flight, as long as [`Timeouts::grace`] says, and gives up the rest: they are written down as
    /// possibly billed. Then all that was queued is on the disk.
    ///
    /// # Errors
    /// When a write to the store failed, now or earlier.
    pub async fn close(&self) -> Result<(), LedgerError> {
        let shared = self.shared();
        if timeout(shared.timeouts.grace, shared.flights.all_landed()).await.is_err() {
            shared.end(Cause::Interrupted);
            shared.ending.abort();
            // What hangs even now is found as lost by the next run.
            let _ = timeout(Duration::from_secs(5), shared.flights.all_landed()).await;
        }
        shared.ledger.flush().await
    }

    /// How it is doing.
    pub fn counters(&self) -> Counters {
        let shared = self.shared();
        let mut counters = shared.tally.counters();
        (counters.billed, counters.possibly, counters.reserved) = shared.purse.amounts();
        let mut seen: Vec<*const crate::gate::Gate> = Vec::new();
        for lane in shared.lanes.values() {
            let gate = Arc::as_ptr(&lane.gate);
            if seen.contains(&gate) {
                continue;
            }
            seen.push(gate);
            let (slots, in_flight, waiting) = lane.gate.load();
            counters.concurrency += u64::from(slots);
            counters.in_flight += u64::from(in_flight);
            counters.waiting += waiting as u64;
            let (busy, open) = lane.gate.usage();
            counters.busy_slot_seconds += busy;
            counters.open_slot_seconds += open;
            counters.paused = counters.paused.max(lane.gate.pause_left());
        }
        counters
    }

    /// What was spent in this store, as the ledger has it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spending(&self) -> Result<Spending, LedgerError> {
        self.shared().ledger.spent()
    }

    /// The hash of the request that a call becomes; `None` if no model is set for its role.
    pub fn request_of(&self, call: &Call) -> Option<Hash> {
        let lane = self.shared().lanes.get(&call.role)?;
        Some(Request::new(call.clone(), lane).hash)
    }
}

impl Ask for Client {
    async fn ask(&self, call: Call) -> Result<Answer, CallError> {
        let shared = self.shared();
        // A budget that is used up, or a key that is refused, is no reason to hide what is in the store; an impatient user is.
        if matches!(shared.ending.cause(), Some(Cause::Interrupted)) {
            return Err(CallError::Ending);
        }
        let Some(lane) = shared.lanes.get(&call.role) else {
            return Err(shared.end(Cause::Fatal(format!("no model is set for the role `{}`", call.role))));
        };
        let request = Arc::new(Request::new(call, lane));
        loop {
            if let Some(answer) = shared.stored(request.hash)? {
                add(&shared.tally.from_store);
                return Ok(answer);
            }
            if shared.ending.has_begun() {
                return Err(CallError::Ending);
            }
            let (landed, flight) = shared.flights.join(request.hash);
            if let Some(flight) = flight {
                shared.depart(Arc::clone(&request), flight);
            }
            match landed.await {
                Ok(End::Done(result)) => return result,
                Ok(End::AskAgain) => {}
                // Given up in the middle, with the rest of the run.
                Err(_) if shared.ending.has_begun() => return Err(CallError::Ending),
                Err(_) => return Err(CallError::Failed("the call got lost in this program".to_owned())),
            }
        }
    }
}

impl Shared {
    /// Ends the run; the error for whoever found the cause.
    pub(crate) fn end(&self, cause: Cause) -> CallError {
        self.ending.begin(cause);
        for lane in self.lanes.values() {
            lane.gate.close();
        }
        CallError::Ending
    }

    /// Sends a request on its way.
    fn depart(self: &Arc<Self>, request: Arc<Request>, flight: Flight) {
        match request.lane.model.mode {
            Mode::Direct => drop(tokio::spawn(drive::fly(Arc::clone(self), request, flight))),
            Mode::Batch => batch::submit(self, request, flight, 1),
        }
    }

    /// The answer that is in the store.
    pub(crate) fn stored(&self, request: Hash) -> Result<Option<Answer>, CallError> {
        match self.ledger.answer_of(request) {
            Ok(stored) => Ok(stored.map(answer)),
            Err(error) => Err(self.end(Cause::Store(error))),
        }
    }

    /// Where a request stands among those that wait.
    pub(crate) fn place(&self, request: &Request) -> Place {
        let rank = self.corpora.iter().position(|corpus| *corpus == request.corpus);
        Place { corpus: rank.unwrap_or(self.corpora.len()), path: Arc::clone(&request.path) }
    }

    pub(crate) fn lanes(&self) -> impl Iterator<Item = &Arc<Lane>> {
        self.lanes.values()
    }
}

fn answer(stored: ledger::StoredAnswer) -> Answer {
    Answer {
        request: stored.request,
        text: stored.text,
        stop: match stored.stop.as_str() {
            "end" => Stop::End,
            "length" => Stop::Length,
            "refusal" => Stop::Refusal,
            _ => Stop::Other,
        },
        usage: Usage {
            input: stored.tokens.input,
            output: stored.tokens.output,
            reasoning: stored.tokens.reasoning,
            cache_read: stored.tokens.cache_read,
            cache_write: stored.tokens.cache_write,
        },
        cost: stored.cost,
        model: stored.model,
    }
}
