//! What an earlier process left with a provider: watched on if its id is known, looked for if not.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{LedgerError, OpenBatch};

use super::{Batch, Item, provider, watch};
use crate::call::CallError;
use crate::client::Shared;
use crate::ending::Cause;
use crate::flights::End;
use crate::lane::Lane;

/// Takes over the batches whose end no process has seen. One of a model that is not used any more stays as it is: its calls
/// count as possibly billed.
pub(crate) fn take_over(shared: &Arc<Shared>) -> Result<(), LedgerError> {
    for open in shared.ledger.open_batches()? {
        let lane = shared.lanes().find(|lane| serves(lane, &open)).cloned();
        let Some(lane) = lane else { continue };
        if open.items.is_empty() {
            // All was stored; only that it was the end is not written down.
            let (ledger, id) = (shared.ledger.clone(), open.id);
            tokio::spawn(async move { ledger.batch_ended(id).await });
            continue;
        }
        let items: BTreeMap<String, Item> = open
            .items
            .into_iter()
            .filter_map(|item| {
                // In two batches at once it would be our mistake; the first one counts.
                let flight = shared.flights.depart(item.request)?;
                let reservation = shared.purse.take_over(item.reserved);
                Some((
                    item.custom_id,
                    Item { call: item.call, reservation, flight, request: None, number: 1 },
                ))
            })
            .collect();
        let batch = Batch { id: open.id, lane, token: open.token, size: open.size, items };
        match open.provider_id {
            Some(provider_id) => drop(tokio::spawn(watch::watch(Arc::clone(shared), batch, provider_id))),
            None => drop(tokio::spawn(look_for(Arc::clone(shared), batch))),
        }
    }
    Ok(())
}

fn serves(lane: &Lane, open: &OpenBatch) -> bool {
    let model = &lane.model;
    model.protocol.name() == open.api && model.base_in_hash() == open.base && model.name == open.model
}

/// Whether it arrived is not known: the process died between sending it and hearing of it.
async fn look_for(shared: Arc<Shared>, mut batch: Batch) {
    let found = {
        let ours = |custom_id: &str| batch.items.contains_key(custom_id);
        provider::find(&shared, &batch.lane, &batch.token, batch.size, &ours).await
    };
    let written = match &found {
        Ok(Some(provider_id)) => shared.ledger.batch_submitted(batch.id, provider_id.clone()).await,
        // Most likely it never arrived; it cannot be ruled out that it did.
        Ok(None) => shared.ledger.batch_lost(batch.id, true).await,
        Err(_) => Ok(()),
    };
    if let Err(error) = written {
        let ending = shared.end(Cause::Store(error));
        batch.land_all(&ending);
        return;
    }
    match found {
        Ok(Some(provider_id)) => watch::watch(shared, batch, provider_id).await,
        Ok(None) => ask_again(&mut batch),
        Err(CallError::Ending) => batch.land_all(&CallError::Ending),
        Err(error) => batch.land_all(&error),
    }
}

/// Whoever waits for one of its calls has to send it anew.
pub(super) fn ask_again(batch: &mut Batch) {
    for item in std::mem::take(&mut batch.items).into_values() {
        let worst = item.reservation.worst();
        item.reservation.settle(ledger::Dollars::ZERO, worst);
        item.flight.land(End::AskAgain);
    }
}
