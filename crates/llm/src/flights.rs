//! One attempt for all who ask the same: whoever asks for a request under way waits for its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Hash;
use tokio::sync::{Notify, oneshot};

use crate::call::{Answer, CallError};

/// How a request under way ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// For good.
    Done(Result<Answer, CallError>),
    /// Without anything: whoever still wants an answer has to ask again.
    AskAgain,
}

/// The requests under way, and who waits for each.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    waiting: Mutex<HashMap<Hash, Vec<oneshot::Sender<End>>>>,
    landed: Notify,
}

/// A request under way. Whoever holds it must say how it ended; dropping it tells those who wait that it got lost.
#[derive(Debug)]
pub(crate) struct Flight {
    flights: Arc<Flights>,
    request: Hash,
    landed: bool,
}

impl Flights {
    fn waiting(&self) -> MutexGuard<'_, HashMap<Hash, Vec<oneshot::Sender<End>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins those who wait for a request. The first gets the flight too, and has to see it through.
    pub(crate) fn join(self: &Arc<Self>, request: Hash) -> (oneshot::Receiver<End>, Option<Flight>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        if let Some(others) = waiting.get_mut(&request) {
            others.push(sender);
            return (receiver, None);
        }
        waiting.insert(request, vec![sender]);
        drop(waiting);
        (receiver, Some(Flight { flights: Arc::clone(self), request, landed: false }))
    }

    /// Registers a request under way that nobody has asked for yet.
    pub(crate) fn depart(self: &Arc<Self>, request: Hash) -> Option<Flight> {
        let mut waiting = self.waiting();
        if waiting.contains_key(&request) {
            return None;
        }
        waiting.insert(request, Vec::new());
        drop(waiting);
        Some(Flight { flights: Arc::clone(self), request, landed: false })
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.waiting().len()
    }

    /// Waits until none is.
    pub(crate) async fn all_landed(&self) {
        loop {
            let landed = self.landed.notified();
            let mut landed = std::pin::pin!(landed);
            landed.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            landed.await;
        }
    }
}

impl Flight {
    pub(crate) fn request(&self) -> Hash {
        self.request
    }

    /// How it ended, for all who wait.
    pub(crate) fn land(mut self, end: End) {
        let waiting = self.flights.waiting().remove(&self.request).unwrap_or_default();
        // From here on somebody else may have it under way.
        self.landed = true;
        for sender in waiting {
            let _ = sender.send(end.clone());
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            self.flights.waiting().remove(&self.request);
        }
        self.flights.landed.notify_waiters();
    }
}
