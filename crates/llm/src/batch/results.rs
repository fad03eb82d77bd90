//! Storing the results of a batch, each under its own request: the one whose custom id it has, if that is in this batch and has
//! no result yet. Order means nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;

use super::provider::{self, Line};
use super::{Batch, Item};
use crate::call::{Answer, CallError};
use crate::client::Shared;
use crate::drive::{self, Sent};
use crate::ending::Cause;
use crate::flights::{End, Flight};
use crate::lines::Lines;
use crate::request::Request;
use crate::settings::Mode;
use crate::transport::{Received, whole_of};
use crate::verdict::{self, Failure, Then, Verdict};

/// How many results are stored in one go: enough for one sync to serve many, few enough to be held.
const AT_ONCE: usize = 128;

/// Stores the results that are at a URL. If that breaks off, what was stored stays stored, and the rest can be had again.
pub(super) async fn store(shared: &Arc<Shared>, batch: &mut Batch, url: &str) -> Result<(), Failure> {
    let lane = Arc::clone(&batch.lane);
    let limit = shared.timeouts.attempt;
    let response = lane.transport.open(url, limit).await;
    let response = match response {
        Ok(response) if response.status().is_success() => response,
        Ok(response) => {
            let outcome = whole_of(response).await;
            return Err(verdict::refusal(&lane.model, url, &outcome)
                .unwrap_or_else(|| verdict::unreadable(url, "no results")));
        }
        Err(broken) => {
            return Err(verdict::refusal(&lane.model, url, &Err(broken))
                .unwrap_or_else(|| verdict::unreadable(url, "no results")));
        }
    };
    let mut lines = Lines::new(response, limit);
    loop {
        let mut group = Vec::new();
        let mut broken = None;
        let mut ended = false;
        while group.len() < AT_ONCE && !ended && broken.is_none() {
            match lines.next().await {
                Ok(Some(line)) => group.extend(take(shared, batch, &line)),
                Ok(None) => ended = true,
                Err(error) => broken = Some(error),
            }
        }
        join_all(group.into_iter().map(|(item, line)| settle(shared, batch, item, line))).await;
        if let Some(broken) = broken {
            return Err(verdict::refusal(&lane.model, url, &Err(broken))
                .unwrap_or_else(|| verdict::unreadable(url, "cut")));
        }
        if ended {
            return Ok(());
        }
    }
}

/// The item that a line belongs to.
fn take(shared: &Shared, batch: &mut Batch, line: &[u8]) -> Option<(Item, Line)> {
    if line.trim_ascii().is_empty() {
        return None;
    }
    let found = provider::line(batch.lane.model.protocol, line)
        .and_then(|line| Some((batch.items.remove(&line.custom_id)?, line)));
    if found.is_none() {
        shared.tally.strays.fetch_add(1, Ordering::Relaxed);
    }
    found
}

async fn settle(shared: &Arc<Shared>, batch: &Batch, item: Item, line: Line) {
    let Item { call, reservation, flight, request, number } = item;
    let sent = Sent { call, reservation, latency_ms: 0, mode: Mode::Batch };
    let received = Received { status: line.status, retry_after: None, is_page: false, body: line.raw };
    let settled =
        drive::settle(shared, &batch.lane, flight.request(), sent, line.verdict, Some(received)).await;
    end(shared, flight, request, number, settled);
}

/// Hands an answer over, or tries again.
fn end(
    shared: &Arc<Shared>,
    flight: Flight,
    request: Option<Arc<Request>>,
    number: u32,
    settled: Result<Result<Answer, Failure>, CallError>,
) {
    let failure = match settled {
        Ok(Ok(answer)) => return flight.land(End::Done(Ok(answer))),
        Err(error) => return flight.land(End::Done(Err(error))),
        Ok(Err(failure)) => failure,
    };
    let Some(request) = request else { return flight.land(End::AskAgain) };
    if let Err(error) = drive::consequence(shared, &request, &failure) {
        return flight.land(End::Done(Err(error)));
    }
    if number >= shared.retry.attempts {
        let message = drive::gave_up(number, &failure.message);
        return flight.land(End::Done(Err(CallError::Failed(message))));
    }
    shared.tally.retried.fetch_add(1, Ordering::Relaxed);
    super::submit(shared, request, flight, number + 1);
}

/// All results there are have been stored: what has none is tried again, and the batch is closed.
pub(super) async fn finish(shared: &Arc<Shared>, batch: &mut Batch) {
    let items = std::mem::take(&mut batch.items);
    join_all(items.into_values().map(|item| {
        let failure = Failure {
            kind: "missing".to_owned(),
            message: "the batch ended without a result for this call".to_owned(),
            then: Then::Again,
            possibly_billed: true,
            congested: false,
            wait: None,
        };
        without_answer(shared, batch, item, failure)
    }))
    .await;
    if let Err(error) = shared.ledger.batch_ended(batch.id).await {
        shared.end(Cause::Store(error));
    }
}

/// The provider did not take the batch: nothing of it was worked on.
pub(super) async fn refuse(shared: &Arc<Shared>, batch: &mut Batch, problem: &str) {
    let items = std::mem::take(&mut batch.items);
    join_all(items.into_values().map(|item| {
        let failure = Failure {
            kind: "batch refused".to_owned(),
            message: format!("the provider refused the batch: {problem}"),
            then: Then::Refused,
            possibly_billed: false,
            congested: false,
            wait: None,
        };
        without_answer(shared, batch, item, failure)
    }))
    .await;
    if let Err(error) = shared.ledger.batch_lost(batch.id, false).await {
        shared.end(Cause::Store(error));
    }
}

async fn without_answer(shared: &Arc<Shared>, batch: &Batch, item: Item, failure: Failure) {
    let Item { call, reservation, flight, request, number } = item;
    let sent = Sent { call, reservation, latency_ms: 0, mode: Mode::Batch };
    let verdict = Verdict::No(failure);
    let settled = drive::settle(shared, &batch.lane, flight.request(), sent, verdict, None).await;
    end(shared, flight, request, number, settled);
}
