//! Gathering calls until no more come.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::NewBatch;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::{Batch, Item, Submission, hand_in};
use crate::call::CallError;
use crate::client::Shared;
use crate::ending::Cause;
use crate::flights::End;
use crate::purse::Reservation;
use crate::request::custom_id;

/// Gathers the calls of one model into batches, until the run ends.
pub(super) async fn gather(shared: Arc<Shared>, mut submissions: UnboundedReceiver<Submission>) {
    loop {
        let first = tokio::select! {
            () = shared.ending.begun() => break,
            first = submissions.recv() => first,
        };
        let Some(first) = first else { break };
        let load = fill(&shared, first, &mut submissions).await;
        if shared.ending.has_begun() {
            load.into_iter().for_each(send_away);
            break;
        }
        // Several batches may be on their way at once.
        tokio::spawn(depart(Arc::clone(&shared), load));
    }
    submissions.close();
    while let Ok(submission) = submissions.try_recv() {
        send_away(submission);
    }
}

fn send_away(submission: Submission) {
    submission.flight.land(End::Done(Err(CallError::Ending)));
}

async fn fill(
    shared: &Shared,
    first: Submission,
    submissions: &mut UnboundedReceiver<Submission>,
) -> Vec<Submission> {
    let limits = &shared.batching;
    let mut bytes = first.request.body.len();
    let mut load = vec![first];
    while load.len() < limits.calls && bytes < limits.bytes {
        tokio::select! {
            () = shared.ending.begun() => break,
            next = timeout(limits.quiet, submissions.recv()) => match next {
                Ok(Some(next)) => {
                    bytes += next.request.body.len();
                    load.push(next);
                }
                Ok(None) | Err(_) => break,
            },
        }
    }
    load
}

/// Reserves money for a load, writes it down, and hands it in. What there is no money for now goes into the next one.
async fn depart(shared: Arc<Shared>, mut load: Vec<Submission>) {
    load.sort_by_cached_key(|submission| shared.place(&submission.request));
    let mut funded = Vec::new();
    let mut later = Vec::new();
    for submission in load {
        match shared.purse.try_reserve(submission.request.worst) {
            Ok(Some(reservation)) => funded.push((submission, reservation)),
            Ok(None) => later.push(submission),
            Err(cause) => {
                later.push(submission);
                shared.end(cause);
                break;
            }
        }
    }
    if funded.is_empty() && !shared.ending.has_begun() && !later.is_empty() {
        // Wait for others to settle, for one call at least.
        let first = later.remove(0);
        let reserved = tokio::select! {
            reserved = shared.purse.reserve(first.request.worst) => reserved,
            () = shared.ending.begun() => Err(Cause::Interrupted),
        };
        match reserved {
            Ok(reservation) => funded.push((first, reservation)),
            Err(cause) => {
                shared.end(cause);
                send_away(first);
            }
        }
    }
    for submission in later {
        super::submit(&shared, submission.request, submission.flight, submission.number);
    }
    if !funded.is_empty() {
        begin(shared, funded).await;
    }
}

/// Writes a batch down; from here on it is in the ledger, whatever happens.
async fn begin(shared: Arc<Shared>, funded: Vec<(Submission, Reservation)>) {
    let lane = Arc::clone(&funded[0].0.request.lane);
    let named: Vec<_> = funded
        .into_iter()
        .map(|(submission, reservation)| (custom_id(submission.request.hash), submission, reservation))
        .collect();
    let new = NewBatch {
        api: lane.model.protocol.name(),
        base: lane.model.base_in_hash().to_owned(),
        model: lane.model.name.clone(),
        items: named
            .iter()
            .map(|(name, submission, _)| (name.clone(), submission.request.attempt(submission.number)))
            .collect(),
    };
    match shared.ledger.begin_batch(new).await {
        Ok(begun) => {
            let items: BTreeMap<String, Item> = named
                .into_iter()
                .zip(begun.calls)
                .map(|((name, Submission { request, flight, number }, reservation), call)| {
                    (name, Item { call, reservation, flight, request: Some(request), number })
                })
                .collect();
            let batch = Batch { id: begun.id, lane, token: begun.token, size: items.len() as u64, items };
            hand_in::hand_in(shared, batch).await;
        }
        Err(error) => {
            let ending = shared.end(Cause::Store(error));
            for (_, submission, reservation) in named {
                reservation.settle(ledger::Dollars::ZERO, ledger::Dollars::ZERO);
                submission.flight.land(End::Done(Err(ending.clone())));
            }
        }
    }
}
