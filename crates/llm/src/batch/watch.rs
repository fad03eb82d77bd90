//! Asking the provider until a batch is done.

use std::sync::Arc;

use tokio::time::sleep;

use super::provider::{self, State};
use super::{Batch, results, take_over};
use crate::call::CallError;
use crate::client::Shared;
use crate::ending::Cause;
use crate::verdict::{Failure, Then};

/// How often in a row asking may fail before the run ends. The batch stays with the provider, and the next run asks again.
const SILENT: u32 = 100;

/// The first look is taken after this part of the time between looks, and the pauses double from there on: small batches are
/// often done within a minute, and every step of a plan waits for one.
const FIRST: u32 = 16;

/// Watches a batch until all its results are stored, or the run ends; then it stays open in the ledger, and the next run
/// watches it.
pub(super) async fn watch(shared: Arc<Shared>, mut batch: Batch, provider_id: String) {
    let mut silent = 0;
    let mut pause = shared.batching.poll / FIRST;
    loop {
        if shared.ending.has_begun() {
            batch.land_all(&CallError::Ending);
            return;
        }
        // Results that are being received are paid for: they are stored even when the run is ending.
        let done = tokio::select! {
            () = shared.ending.aborted() => continue,
            done = look(&shared, &mut batch, &provider_id) => done,
        };
        match done {
            Ok(true) => return,
            Ok(false) => silent = 0,
            Err(failure) if failure.then == Then::EndRun && failure.kind == "404" => {
                // The provider does not have it any more; whether it was worked on is not known.
                if let Err(error) = shared.ledger.batch_lost(batch.id, true).await {
                    shared.end(Cause::Store(error));
                }
                take_over::ask_again(&mut batch);
                return;
            }
            Err(failure) => {
                silent += 1;
                let hopeless = match failure.then {
                    Then::EndRun => true,
                    Then::Reach | Then::Refused => batch.lane.disappoint(),
                    Then::Again | Then::GiveUp => false,
                };
                if hopeless {
                    shared.end(Cause::Fatal(failure.message));
                    continue;
                }
                if silent >= SILENT {
                    shared.end(Cause::Gone(failure.message));
                    continue;
                }
            }
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = shared.ending.begun() => {}
        }
        pause = (pause * 2).min(shared.batching.poll);
    }
}

/// Asks once; stores the results if they are there, and says whether that is the end of it.
async fn look(shared: &Arc<Shared>, batch: &mut Batch, provider_id: &str) -> Result<bool, Failure> {
    match provider::state(shared, &batch.lane, provider_id).await? {
        State::Running => Ok(false),
        State::Ended(urls) => {
            for url in urls {
                results::store(shared, batch, &url).await?;
            }
            results::finish(shared, batch).await;
            Ok(true)
        }
        State::Invalid(problem) => {
            results::refuse(shared, batch, &problem).await;
            Ok(true)
        }
    }
}
