//! Calls through a provider's batch interface.
//!
//! A batch passes through four hands: calls are gathered until no more come (`gather`); they are written down and handed in
//! (`hand_in`); the provider is asked until it is done (`watch`); each result is stored under its own request
//! (`results`). What an earlier process left is taken over at the second or third step, by what the ledger knows of it
//! (`take_over`).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ledger::{BatchId, CallId};
use tokio::sync::mpsc;

use crate::call::CallError;
use crate::client::Shared;
use crate::flights::{End, Flight};
use crate::lane::Lane;
use crate::purse::Reservation;
use crate::request::Request;

mod gather;
mod hand_in;
mod provider;
mod results;
mod take_over;
mod watch;

pub(crate) use take_over::take_over;

/// A call that is to go into the next batch.
#[derive(Debug)]
pub(crate) struct Submission {
    request: Arc<Request>,
    flight: Flight,
    /// Counted from 1.
    number: u32,
}

/// A call in a batch.
#[derive(Debug)]
struct Item {
    call: CallId,
    reservation: Reservation,
    flight: Flight,
    /// What to send if it has to be sent again; `None` for a call of an earlier process, which knew.
    request: Option<Arc<Request>>,
    number: u32,
}

/// A batch that is, or may be, with the provider.
#[derive(Debug)]
struct Batch {
    id: BatchId,
    lane: Arc<Lane>,
    /// What the provider knows it by, besides its own id.
    token: String,
    /// How many calls it was handed in with.
    size: u64,
    /// Those without a result, by custom id.
    items: BTreeMap<String, Item>,
}

impl Item {
    /// Tells those who wait that there is no answer.
    fn land(self, error: CallError) {
        self.reservation.settle(ledger::Dollars::ZERO, ledger::Dollars::ZERO);
        self.flight.land(End::Done(Err(error)));
    }
}

impl Batch {
    /// Tells everybody who still waits.
    fn land_all(&mut self, error: &CallError) {
        for item in std::mem::take(&mut self.items).into_values() {
            item.land(error.clone());
        }
    }
}

/// Puts a call into the next batch of its model.
pub(crate) fn submit(shared: &Arc<Shared>, request: Arc<Request>, flight: Flight, number: u32) {
    let lane = Arc::clone(&request.lane);
    let gatherer = lane.gatherer.get_or_init(|| {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(gather::gather(Arc::clone(shared), receiver));
        sender
    });
    if let Err(refused) = gatherer.send(Submission { request, flight, number }) {
        // The gatherer has gone home: the run is ending.
        refused.0.flight.land(End::Done(Err(CallError::Ending)));
    }
}

/// The body of a call as part of a batch.
fn body(item: &Item) -> Option<Bytes> {
    item.request.as_ref().map(|request| request.body.clone())
}
