//! Handing a batch in, exactly once: after a failure that may have come too late, the provider is asked for it first.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::sleep;

use super::{Batch, body, provider, watch};
use crate::call::CallError;
use crate::client::Shared;
use crate::drive;
use crate::ending::Cause;
use crate::flights::End;
use crate::verdict::{Failure, Then};

/// Hands a batch in, and watches it from then on.
pub(super) async fn hand_in(shared: Arc<Shared>, mut batch: Batch) {
    shared.tally.sent.fetch_add(batch.size, Ordering::Relaxed);
    match deliver(&shared, &batch).await {
        Ok(provider_id) => {
            if let Err(error) = shared.ledger.batch_submitted(batch.id, provider_id.clone()).await {
                let ending = shared.end(Cause::Store(error));
                batch.land_all(&ending);
                return;
            }
            watch::watch(shared, batch, provider_id).await;
        }
        Err(Undelivered { error, possibly, leave }) => {
            // One that may be there stays open in the ledger when the run ends: the next one looks for it.
            if !leave {
                let written = shared.ledger.batch_lost(batch.id, possibly).await;
                if let Err(error) = written {
                    shared.end(Cause::Store(error));
                }
                shared.tally.failed.fetch_add(batch.size, Ordering::Relaxed);
            }
            for item in std::mem::take(&mut batch.items).into_values() {
                let worst = if possibly { item.reservation.worst() } else { ledger::Dollars::ZERO };
                item.reservation.settle(ledger::Dollars::ZERO, worst);
                item.flight.land(End::Done(Err(error.clone())));
            }
        }
    }
}

struct Undelivered {
    error: CallError,
    /// Whether it may be with the provider all the same.
    possibly: bool,
    /// Whether that is left to the next run.
    leave: bool,
}

async fn deliver(shared: &Shared, batch: &Batch) -> Result<String, Undelivered> {
    let items: Vec<_> =
        batch.items.iter().filter_map(|(name, item)| Some((name.as_str(), body(item)?))).collect();
    // Any of its requests will do to speed pauses apart.
    let Some(request) = batch.items.values().find_map(|item| item.request.clone()) else {
        return Err(Undelivered { error: CallError::Ending, possibly: true, leave: true });
    };
    let mut possibly = false;
    let mut number = 1;
    loop {
        let sent = tokio::select! {
            sent = provider::create(shared, &batch.lane, &batch.token, &items) => sent,
            () = shared.ending.aborted() => {
                return Err(Undelivered { error: CallError::Ending, possibly: true, leave: true });
            }
        };
        let failure = match sent {
            Ok(provider_id) => return Ok(provider_id),
            Err(failure) => failure,
        };
        possibly |= may_have_arrived(&failure);
        if let Err(error) = drive::consequence(shared, &request, &failure) {
            return Err(Undelivered { error, possibly, leave: false });
        }
        if number >= shared.retry.attempts {
            let message =
                format!("a batch could not be handed in, after {number} attempts: {}", failure.message);
            return Err(Undelivered { error: CallError::Failed(message), possibly, leave: false });
        }
        let pause = failure.wait.unwrap_or_else(|| drive::backoff(&shared.retry, &request, number));
        tokio::select! {
            () = sleep(pause) => {}
            () = shared.ending.begun() => {
                return Err(Undelivered { error: CallError::Ending, possibly, leave: possibly });
            }
        }
        if possibly && let Some(provider_id) = look_for(shared, batch).await? {
            return Ok(provider_id);
        }
        number += 1;
    }
}

/// Whether the provider may have the batch although it did not say so.
fn may_have_arrived(failure: &Failure) -> bool {
    failure.possibly_billed || (failure.then == Then::Again && failure.kind.starts_with('5'))
}

async fn look_for(shared: &Shared, batch: &Batch) -> Result<Option<String>, Undelivered> {
    let ours = |custom_id: &str| batch.items.contains_key(custom_id);
    match provider::find(shared, &batch.lane, &batch.token, batch.size, &ours).await {
        Ok(found) => Ok(found),
        // Without knowing, it is not handed in again.
        Err(error) => Err(Undelivered { error, possibly: true, leave: true }),
    }
}
